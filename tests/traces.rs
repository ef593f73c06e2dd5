//! `watch --traces`: what a collector gets by OTLP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prost::Message;
use serde_json::Value;

use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::receiver::{Received, Receiver, ok};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// Found in no output.
const CANARY: &str = "hunter2-canary-9f31";

/// What the tests read of OTLP's messages, by the numbers that opentelemetry/proto/trace/v1/trace.proto,
/// common/v1/common.proto and resource/v1/resource.proto have.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    of_resources: Vec<OfResource>,
}

#[derive(Clone, PartialEq, Message)]
struct OfResource {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    of_scopes: Vec<OfScope>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct OfScope {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "7")]
    begin: u64,
    #[prost(fixed64, tag = "8")]
    end: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<Attribute>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
    /// 2 is an error.
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "OneValue", tags = "1, 3")]
    one: Option<OneValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum OneValue {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(int64, tag = "3")]
    Number(i64),
}

fn texts(attributes: &[Attribute]) -> BTreeMap<&str, String> {
    let text = |attribute: &Attribute| match &attribute.value.as_ref().unwrap().one {
        Some(OneValue::Text(text)) => text.clone(),
        Some(OneValue::Number(number)) => number.to_string(),
        None => String::new(),
    };
    attributes.iter().map(|it| (it.name.as_str(), text(it))).collect()
}

fn request(received: &Received) -> Request {
    assert_eq!(received.line(), "POST /v1/traces");
    assert_eq!(received.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(received.header("api-key"), Some(CANARY));
    Request::decode(received.body.as_slice()).unwrap()
}

/// The traces that came, in their order.
fn traces(receiver: &Receiver) -> Vec<Vec<Span>> {
    let mut traces: Vec<Vec<Span>> = Vec::new();
    let requests: Vec<Request> = receiver.seen().iter().map(request).collect();
    let resources = requests.into_iter().flat_map(|it| it.of_resources);
    for span in resources.flat_map(|it| it.of_scopes).flat_map(|it| it.spans) {
        match traces.iter_mut().find(|trace| trace[0].trace == span.trace) {
            Some(trace) => trace.push(span),
            None => traces.push(vec![span]),
        }
    }
    traces
}

fn root(trace: &[Span]) -> &Span {
    let roots: Vec<&Span> = trace.iter().filter(|span| span.parent.is_empty()).collect();
    let [root] = roots.as_slice() else { panic!("{trace:#?}") };
    root
}

fn watch(repo: &Repo<'_>, url: &str, args: &[&str]) -> Cmd {
    repo.trueup(&[&["watch", "--traces"], args].concat())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("api-key={CANARY}"))
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
}

#[test]
fn a_collector_gets_a_trace_of_each_round_that_did_something() {
    let repo = Repo::new("traces", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let receiver = Receiver::start();
    let once = watch(&repo, &receiver.url(""), &["--once", "--log-format", "json"]).run().exits(0);
    let [trace] = traces(&receiver).try_into().unwrap();
    let round = root(&trace);
    assert_eq!(round.name, "round");
    let lines = once.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let applied = lines.filter(|line| line["event"] == "applied").collect::<Vec<_>>();
    let facts = texts(&round.attributes);
    assert_eq!(facts["trueup.round"], applied[0]["round"].as_str().unwrap());
    assert_eq!(facts["trueup.target"], applied[0]["target"].as_str().unwrap());
    let head = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    assert_eq!(facts["vcs.ref.head.revision"], head);
    assert_eq!(facts["k8s.namespace.name"], "traces");
    assert_eq!(
        (facts["trueup.result"].as_str(), facts["trueup.changed"].as_str()),
        ("at-commit", "1")
    );
    assert!(round.status.as_ref().is_none_or(|status| status.code != 2));
    let mut parts: Vec<&Span> = trace.iter().filter(|span| !span.parent.is_empty()).collect();
    parts.sort_by_key(|span| span.begin);
    let names: Vec<&str> = parts.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["pull", "survey", "apply", "wait"]);
    assert!(parts.iter().all(|part| part.parent == round.id));
    let times = parts.iter().map(|part| [part.begin, part.end]);
    let times: Vec<u64> =
        [round.begin].into_iter().chain(times.flatten()).chain([round.end]).collect();
    assert!(times.is_sorted(), "{times:?}");
    let resource = request(&receiver.seen()[0]).of_resources[0].resource.clone().unwrap();
    let resource = texts(&resource.attributes);
    assert_eq!(resource["service.name"], "trueup");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "test");

    // One that fails says of which class that is, and nothing in the words of others.
    repo.write("bad.yaml", "a: b: c\n").commit("Broken");
    let broken = watch(&repo, &receiver.url(""), &["--once"]).run().exits(1);
    let all = traces(&receiver);
    let failed = root(all.last().unwrap());
    let status = failed.status.clone().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "manifests"));
    assert_eq!(texts(&failed.attributes)["error.type"], "manifests");
    assert!(!format!("{once}{broken}").contains(CANARY));
}

#[test]
fn a_collector_that_is_away_delays_nothing_and_is_told_of_once() {
    let repo = Repo::new("traces-away", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let is_away = Arc::new(AtomicBool::new(true));
    let away = Arc::clone(&is_away);
    let receiver = Receiver::answering(move |_| match away.load(Ordering::SeqCst) {
        true => ("503 Service Unavailable".to_owned(), CANARY.to_owned()),
        false => ok(&Value::Null),
    });
    for several in [&[][..], &["--all-targets"]] {
        is_away.store(true, Ordering::SeqCst);
        repo.write("trueup.yaml", "targets: {all: {paths: [.], name: traces-away}}\n");
        let args = [&["--interval", "0.2"][..], several].concat();
        let watching = Watching::running(&repo, watch(&repo, &receiver.url(""), &args));
        let change = |value: &str| {
            repo.write_config("one", value).commit("Next");
            eventually("it is applied", || repo.value("one") == value);
        };
        change("2");
        watching.says("traces are lost: 127.0.0.1:");
        change("3");
        is_away.store(false, Ordering::SeqCst);
        change("4");
        watching.says("traces arrive again");
        assert_eq!(watching.times("traces are lost"), 1, "{:#?}", watching.said());
        assert_eq!(watching.times(CANARY), 0);
        assert_eq!(watching.stop(), Some(0));
        repo.write_config("one", "1").commit("Back");
    }
}

#[test]
fn settings_that_cannot_be_used_are_told_at_once() {
    let repo = Repo::new("traces-wrong", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let with = |name: &str, value: &str| {
        watch(&repo, "http://127.0.0.1:1", &["--once"]).env(name, value).run()
    };
    for (name, value, expected) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://otel.example:4318",
            "OTEL_EXPORTER_OTLP_ENDPOINT: the url has to begin with https://, since",
        ),
    ] {
        let wrong = with(name, value).exits(2);
        assert!(wrong.stderr.contains(expected), "{wrong}");
        assert!(!wrong.to_string().contains(CANARY), "{wrong}");
    }
    // Traces are no condition for anything.
    with("OTEL_SDK_DISABLED", "true").exits(0);
    with("OTEL_SERVICE_NAME", "deploys").exits(0);
    let receiver = Receiver::start();
    let packed = watch(&repo, &receiver.url(""), &["--once"]);
    // This machine is behind no proxy: a key is sent to it without TLS.
    let packed = packed.env("HTTP_PROXY", "http://127.0.0.1:1");
    packed.env("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip").run().exits(0);
    assert_eq!(receiver.seen()[0].header("content-encoding"), Some("gzip"));
    let refusing = Receiver::answering(|_| ("400 Bad Request".to_owned(), CANARY.to_owned()));
    let refused = watch(&repo, &refusing.url(""), &["--once"]).run().exits(0);
    assert!(refused.stdout.contains("warning: traces are lost: 127.0.0.1:"), "{refused}");
    assert!(!refused.to_string().contains(CANARY), "{refused}");
    assert_eq!(refusing.seen().len(), 1, "a request is sent once");
    // `{partial_success: {rejected_spans: 3}}`
    let partial = Receiver::answering(|_| ("200 OK".to_owned(), "\n\u{2}\u{8}\u{3}".to_owned()));
    let left_out = watch(&repo, &partial.url(""), &["--once"]).run().exits(0);
    assert!(left_out.stdout.contains(" left out 3 spans of a request"), "{left_out}");
}
