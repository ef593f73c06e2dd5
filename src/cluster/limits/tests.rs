//! Answers just below and just above limits that are set low, and such as have no end.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;

use super::*;
use crate::cluster::api_request::ApiRequest;
use crate::cluster::tests::{limited, over};
use crate::cluster::{ApiError, Cluster, FollowedKind, News};
use crate::core::inventory::{Inventory, Record, ReleaseHistory};
use crate::core::json::{Value, json};
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::object::GroupKind;

/// Low limits.
fn low() -> ResponseLimits {
    ResponseLimits {
        answer: 1000,
        error: 200,
        line: 300,
        pages: 3,
        lists: 2500,
        questions: 2,
        ..ResponseLimits::default()
    }
}

/// A server that answers a path and its query with a status and a body, piece by piece.
fn server<P>(answer: impl Fn(&str) -> (u16, P) + Send + Sync + 'static) -> Cluster
where
    P: Iterator<Item = Vec<u8>> + Send + 'static,
{
    let answer = Arc::new(answer);
    let service = tower::service_fn(move |request: Request<Body>| {
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let (status, pieces) = answer(&path);
        let frames =
            stream::iter(pieces).map(|piece| Ok::<_, Infallible>(Frame::data(piece.into())));
        let response = Response::builder().status(status);
        let response = response.body(StreamBody::new(frames)).unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    limited(over(kube::Client::new(service, "default")), low())
}

/// A ConfigMap whose JSON has about so many bytes.
fn config(name: &str, bytes: usize) -> Value {
    json!({ "metadata": { "name": name }, "data": { "k": "x".repeat(bytes) } })
}

fn configs() -> Served {
    Served {
        group_kind: GroupKind::new("", "ConfigMap"),
        version: "v1".to_owned(),
        plural: "configmaps".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
    }
}

fn whole(status: u16, body: &Value) -> (u16, std::iter::Once<Vec<u8>>) {
    (status, std::iter::once(serde_json::to_vec(body).unwrap()))
}

#[test]
fn an_answer_that_trickles_is_slow_once_its_time_is_up() {
    let limits = ResponseLimits::default();
    let is_slow = |seconds, bytes| limits.is_slow(Duration::from_secs(seconds), bytes);
    assert!(!is_slow(0, 0) && !is_slow(120, 1));
    assert!(is_slow(124, 4 * 1024 - 1) && !is_slow(124, 4 * 1024));
}

#[tokio::test]
async fn an_answer_is_taken_in_up_to_the_limit() {
    for (bytes, is_taken) in [(900, true), (1000, false)] {
        let cluster = server(move |_| whole(200, &config("a", bytes)));
        let got = cluster.get(&configs(), Some("shop"), "a").await;
        match is_taken {
            true => assert_eq!(got.unwrap().unwrap().name(), "a"),
            false => {
                let error = got.unwrap_err();
                assert_eq!(
                    error.to_string(),
                    "gave up reading the answer to GET /api/v1/namespaces/shop/configmaps/a: it has more than 1000 bytes"
                );
                assert!(error.hint().unwrap().text().unwrap().contains("a proxy before it"));
                assert_eq!(cluster.requests(), 1, "it is not asked for again");
            }
        }
    }
}

#[tokio::test]
async fn endless_answer_is_read_up_to_the_limit() {
    for status in [200, 403] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let cluster = server(move |_| {
            let counted = Arc::clone(&counted);
            let piece = std::iter::repeat_with(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                b"no end of this\n".to_vec()
            });
            (status, piece)
        });
        let error = cluster.get(&configs(), Some("shop"), "a").await.unwrap_err();
        let said = match status {
            200 => {
                "gave up reading the answer to GET /api/v1/namespaces/shop/configmaps/a: it has more than 1000 bytes"
            }
            // Of an error its beginning is enough.
            _ => "403 Forbidden: no end of this",
        };
        assert_eq!(error.to_string(), said);
        let pieces = taken.load(Ordering::Relaxed);
        assert!(pieces * 15 < 2000, "{pieces} pieces were read");
    }
}

#[tokio::test]
async fn answer_that_stops_in_the_middle_breaks_off() {
    let service = tower::service_fn(|_: Request<Body>| {
        let begun = stream::iter([Ok::<_, Infallible>(Frame::data(bytes::Bytes::from("{")))]);
        let body = StreamBody::new(begun.chain(stream::pending()));
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let limits = ResponseLimits { silence: Some(Duration::from_millis(20)), ..low() };
    let cluster = limited(over(kube::Client::new(service, "default")), limits);
    let error = cluster.get(&configs(), Some("shop"), "a").await.unwrap_err();
    assert!(matches!(&error, ApiError::Unreachable { cause, .. } if cause.contains("timed out")));
    assert_eq!(cluster.requests(), 4, "it is asked for again");
}

#[tokio::test]
async fn a_long_message_of_an_error_is_shown_shorter() {
    let message = "x".repeat(20_000);
    let cluster = server(move |_| {
        whole(422, &json!({ "kind": "Status", "reason": "Invalid", "message": message }))
    });
    let cluster = limited(cluster, ResponseLimits::default());
    let error = cluster.get(&configs(), Some("shop"), "a").await.unwrap_err().to_string();
    assert!(error.ends_with("xxx… and 3616 bytes more"), "{}", &error[error.len() - 40..]);
}

/// A list with so many objects of so many bytes, on pages as they are asked for.
fn pages(objects: usize, bytes: usize) -> Cluster {
    server(move |path| {
        let number = |key: &str| {
            let rest = path.split_once(key).map(|(_, rest)| rest)?;
            rest.split('&').next()?.parse::<usize>().ok()
        };
        let (from, limit) = (number("continue=").unwrap_or(0), number("limit=").unwrap());
        let to = objects.min(from + limit);
        let items: Vec<_> = (from..to).map(|number| config(&format!("c{number}"), bytes)).collect();
        let next = if to < objects { to.to_string() } else { String::new() };
        whole(200, &json!({ "metadata": { "continue": next }, "items": items }))
    })
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_again_with_fewer_objects() {
    let cluster = pages(10, 60);
    let cluster = limited(cluster, ResponseLimits { pages: 50, ..low() });
    let picked = cluster.list(&configs(), None, "").await.unwrap();
    assert_eq!(picked.items.len(), 10);
    // 500, 63, and then 8 at once.
    assert_eq!(cluster.requests(), 4);
    // A single object can be too large, too.
    let error = pages(1, 1000).list(&configs(), None, "").await.err().unwrap();
    assert!(error.to_string().contains("&limit=1: it has more than 1000 bytes"));
}

#[tokio::test]
async fn list_is_limited_by_pages_bytes_and_continue_tokens() {
    let list = async |cluster: Cluster| {
        cluster.list(&configs(), None, "").await.map(|picked| picked.items.len())
    };
    let empty = |pages: usize| {
        server(move |path| {
            let page = path.split_once("continue=").map_or(0, |(_, at)| at.parse().unwrap());
            let next = if page + 1 < pages { (page + 1).to_string() } else { String::new() };
            whole(200, &json!({ "metadata": { "continue": next }, "items": [] }))
        })
    };
    assert_eq!(list(empty(3)).await, Ok(0));
    let error = list(empty(4)).await.unwrap_err().to_string();
    assert!(error.ends_with("the list has more than 3 pages"), "{error}");
    // Forty objects of 60 bytes are below what lists may have, and fifty are above.
    let many = |count| limited(pages(count, 10), ResponseLimits { pages: 100, ..low() });
    assert_eq!(list(many(40)).await, Ok(40));
    let error = list(many(60)).await.unwrap_err().to_string();
    assert!(error.ends_with("all lists together have more than 2 KiB"), "{error}");
    let again = server(|_| whole(200, &json!({ "metadata": { "continue": "0" }, "items": [] })));
    let error = list(again).await.unwrap_err().to_string();
    assert!(error.ends_with("its next page is this one again"), "{error}");
}

/// A list that can't be taken in is unknown, so that nothing of it is pruned.
#[tokio::test]
async fn the_members_of_a_list_without_end_are_unknown_and_not_gone() {
    let cluster = pages(200, 10);
    let catalog = Catalog::new(vec![configs()], Default::default());
    let record = Record {
        kinds: [GroupKind::new("", "ConfigMap")].into(),
        namespaces: ["default".to_owned()].into(),
        target: None,
        repository: String::new(),
        paths: [".".to_owned()].into(),
        revision: None,
        tracked: None,
        is_unverified: false,
        past: ReleaseHistory::default(),
        finished: crate::core::inventory::Finished::default(),
        holding: crate::core::modes::Holding::default(),
    };
    let inventory = Inventory { name: "trueup-shop".to_owned(), namespace: "default".to_owned() };
    let members = cluster.members(&inventory, &record, &catalog).await;
    let desired = crate::core::desired::Desired::default();
    let question = crate::cluster::ObserveOptions {
        assessor: &crate::core::health::HealthAssessor::default(),
        desired: &desired,
        catalog: &catalog,
        inventory: &inventory,
        record: Some(&record),
        verify: false,
        whole: false,
    };
    let observed = cluster.observe(&question, members).await;
    let unlisted: Vec<_> = observed.unlisted.iter().map(|it| it.kind.to_string()).collect();
    assert_eq!(unlisted, ["ConfigMap"]);
    assert!(
        observed.unlisted[0].reason.contains("gave up reading the answer"),
        "{:?}",
        observed.unlisted
    );
}

#[tokio::test]
async fn unavailable_api_groups_asked_about_are_limited() {
    let stale = |name: String| json!({ "metadata": { "name": name }, "versions": [{ "version": "v1", "freshness": "Stale" }] });
    let groups: Vec<_> = (0..4).map(|number| stale(format!("g{number}.example"))).collect();
    let cluster = server(move |path| match path {
        "/api" => whole(200, &json!({ "items": [] })),
        "/apis" => whole(200, &json!({ "items": groups })),
        _ => whole(404, &json!({ "reason": "NotFound", "message": "not found" })),
    });
    let catalog = cluster.discover().await.unwrap();
    // Two about discovery, and two about each of two groups.
    assert_eq!(cluster.requests(), 6);
    assert!(catalog.silence("g3.example").unwrap().contains("more than 2 groups do not answer"));
}

#[tokio::test]
async fn watch_line_length_is_limited() {
    for (bytes, is_lost) in [(100, false), (1000, true)] {
        let cluster = server(move |path| match path.contains("watch=1") {
            false => {
                let list = json!({ "metadata": { "resourceVersion": "1" }, "items": [] });
                (200, vec![serde_json::to_vec(&list).unwrap()].into_iter())
            }
            true => {
                let object = config("a", bytes);
                let line = json!({ "type": "ADDED", "object": object }).to_string();
                let pieces = line.as_bytes().chunks(50).map(<[u8]>::to_vec);
                (200, pieces.chain([b"\n".to_vec()]).collect::<Vec<_>>().into_iter())
            }
        });
        let followed =
            FollowedKind { served: configs(), selector: String::new(), keys: Vec::new() };
        let scope = cluster.scopes_of(&followed).await.remove(0);
        let (tell, mut hear) = tokio::sync::mpsc::channel(8);
        let news = tokio::select! {
            () = cluster.follow(&followed, scope, &tell) => unreachable!("it is followed for ever"),
            news = hear.recv() => news.unwrap(),
        };
        match news {
            News::Seen(object) => assert!(!is_lost && object.name() == "a"),
            News::Note(note) => {
                assert!(
                    is_lost && note.ends_with("a line of the watch has more than 300 bytes"),
                    "{note}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn oversized_answer_is_not_retried() {
    let cluster = server(|_| whole(200, &config("a", 2000)));
    let error = cluster.call(ApiRequest::get("/api")).await.err().unwrap();
    assert_eq!(error.fault(), crate::cluster::RetryClass::Lasting);
    assert!(!error.is_verdict() && matches!(error, ApiError::Endless { .. }));
}
