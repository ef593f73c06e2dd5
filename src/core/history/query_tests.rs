use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::core::inventory::Inventory;
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::plan::Action;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn deployment(name: &str) -> ObjectKey {
    ObjectKey {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    }
}

/// A round of a target that took a minute.
fn run(target: &str, began: i64, commit: &str, outcome: RunOutcome) -> KnownRun {
    let record = RunRecord {
        id: record_id(at(began), u32::try_from(began).unwrap()),
        target: target.to_owned(),
        inventory: Inventory { name: format!("trueup-{target}"), namespace: "shop".to_owned() },
        repository: "f".repeat(40),
        cluster: RecordedCluster::default(),
        commit: RecordedCommit {
            id: commit.to_owned(),
            named: "main".to_owned(),
            subject: format!("commit {commit}"),
            author: "Ann".to_owned(),
            time: at(began - 1),
            dirty: false,
            signer: None,
            verdict: None,
        },
        before: None,
        cause: Cause::Deployment,
        by: RanBy::default(),
        started: at(began),
        ended: at(began + 1),
        phases: Phases::default(),
        plan: String::new(),
        counts: BTreeMap::new(),
        objects: Vec::new(),
        more_objects: 0,
        images: Vec::new(),
        more_images: 0,
        outcome,
        changed: 1,
        reason: None,
        health: None,
        rollback: (outcome == RunOutcome::RolledBack)
            .then(|| RunRollback { to: Some("a".to_owned()), outcome: "healthy".to_owned() }),
        requests: 0,
    };
    KnownRun::of("ctx".to_owned(), record)
}

/// The same with a change of the image of a container of `web`.
fn imaged(mut run: KnownRun, before: Option<&str>, after: Option<&str>) -> KnownRun {
    let record = run.record.as_mut().unwrap();
    record.images.push(ImageChange {
        key: deployment("web"),
        container: "main".to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    });
    run
}

fn sorted(runs: Vec<KnownRun>) -> Vec<KnownRun> {
    merged(runs, Vec::new(), |_| None)
}

#[test]
fn each_round_is_known_once_and_the_log_counts() {
    let in_cluster = run("prod", 5, "a", RunOutcome::Healthy);
    let mut logged = run("prod", 5, "a", RunOutcome::Failed);
    logged.context = "old-name".to_owned();
    let forged = KnownRun { context: "ctx".to_owned(), ..run("prod", 5, "z", RunOutcome::Healthy) };
    let only_logged = run("prod", 9, "b", RunOutcome::Healthy);
    let of_other = run("staging", 5, "a", RunOutcome::Healthy);
    let runs = merged(
        vec![of_other.clone(), in_cluster, forged],
        vec![logged.clone(), only_logged.clone()],
        |_| None,
    );
    let renamed = KnownRun { context: "ctx".to_owned(), ..logged };
    assert_eq!(runs, [only_logged, renamed, of_other]);
}

#[test]
fn the_inventory_says_whose_a_round_is_and_the_name_is_its_label() {
    let called = |mut run: KnownRun, name: &str| {
        name.clone_into(&mut run.summary.target);
        run
    };
    let in_cluster = called(run("b", 5, "a", RunOutcome::Healthy), "forged");
    let in_short = KnownRun { record: None, ..in_cluster.clone() };
    let old = called(run("b", 3, "z", RunOutcome::Healthy), "trueup-b");
    let logged = called(run("b", 5, "a", RunOutcome::Healthy), "trueup-b");
    let today = |run: &KnownRun| (run.inventory.name == "trueup-b").then(|| "b2".to_owned());
    for in_cluster in [in_cluster, in_short] {
        let runs = merged(vec![in_cluster], vec![old.clone(), logged.clone()], today);
        let names: Vec<&str> = runs.iter().map(|run| run.place().target).collect();
        assert_eq!(names, ["b2", "b2"]);
        assert_eq!(runs[1].record.as_ref().unwrap().target, "b2");
        assert_eq!(by_target(&runs).len(), 1);
    }
    // Of a target that is gone, the newest name is shown; another cluster's inventory is another one.
    let newer = called(run("b", 9, "c", RunOutcome::Healthy), "b3");
    let elsewhere = called(run("b", 4, "a", RunOutcome::Healthy), "trueup-b");
    let elsewhere = KnownRun { context: "other".to_owned(), ..elsewhere };
    let runs = merged(Vec::new(), vec![logged, newer, elsewhere], |_| None);
    let names: Vec<&str> = runs.iter().map(|run| run.place().target).collect();
    assert_eq!(names, ["b3", "b3", "trueup-b"]);
}

#[test]
fn ran_at_follows_what_each_round_left_there() {
    use RunOutcome::*;
    let removal = |began| {
        let mut removal = run("prod", began, "a", Healthy);
        removal.summary.cause = Cause::Removal;
        removal
    };
    let runs = sorted(vec![
        run("prod", 10, "a", Healthy),
        run("prod", 20, "b", RolledBack),
        run("prod", 30, "c", Failed),
        run("prod", 40, "d", Refused),
        run("prod", 50, "e", Unhealthy),
        removal(60),
        run("staging", 55, "x", Applied),
    ]);
    let told = |minute| {
        let ran = ran_at(&runs, at(minute));
        let prod = ran.iter().find(|ran| ran.place.target == "prod").unwrap().clone();
        (
            prod.commit.map(str::to_owned),
            prod.by.map(|run| run.summary.commit.clone()),
            prod.mixed.map(|run| run.summary.commit.clone()),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(told(5), (None, None, None), "before the history");
    assert_eq!(told(10), (None, None, None), "not there yet");
    assert_eq!(told(11), (some("a"), some("a"), None));
    assert_eq!(told(21), (some("a"), some("b"), None), "rolled back");
    assert_eq!(told(31), (some("a"), some("b"), some("c")), "a failure mixes");
    assert_eq!(told(41), (some("a"), some("b"), some("c")), "a refusal changes nothing");
    assert_eq!(told(51), (some("e"), some("e"), None));
    assert_eq!(told(61), (None, some("a"), None), "removed");
    assert_eq!(ran_at(&runs, at(61)).len(), 2);
}

#[test]
fn filters_take_rounds_of_a_time_and_an_end() {
    let good = run("prod", 10, "a", RunOutcome::Healthy);
    let bad = run("prod", 20, "b", RunOutcome::Refused);
    let takes = |since: Option<i64>, until: Option<i64>, failed| {
        let filter = RunFilter { since: since.map(at), until: until.map(at), failed };
        (filter.takes(&good), filter.takes(&bad))
    };
    assert_eq!(takes(None, None, false), (true, true));
    assert_eq!(takes(Some(11), None, false), (true, true), "it ended then");
    assert_eq!(takes(Some(12), None, false), (false, true));
    assert_eq!(takes(None, Some(20), false), (true, false));
    assert_eq!(takes(None, None, true), (false, true));
}

#[test]
fn versions_of_an_image_come_and_go() {
    use RunOutcome::*;
    let (one, two, three) = ("r.example/web:1", "r.example/web:2", "r.example/web:3");
    let mut removal = run("prod", 60, "f", Healthy);
    removal.record.as_mut().unwrap().cause = Cause::Removal;
    let runs = sorted(vec![
        imaged(run("prod", 10, "b", Healthy), Some(one), Some(two)),
        imaged(run("prod", 20, "c", RolledBack), Some(two), Some(three)),
        imaged(run("prod", 30, "d", Refused), Some(two), Some(three)),
        imaged(run("prod", 40, "e", Failed), Some(two), Some(three)),
        imaged(run("prod", 50, "f", Healthy), Some(two), Some("other:1")),
        removal,
    ]);
    let spans = image_spans(&runs, "web");
    let minutes = |end: Option<(Timestamp, &KnownRun)>| end.map(|(at, _)| at.as_second() / 60);
    let told: Vec<_> =
        spans.iter().map(|span| (span.image, minutes(span.from), minutes(span.until))).collect();
    assert_eq!(
        told,
        [
            (two, Some(21), Some(50)),
            (three, Some(20), Some(21)),
            (two, Some(10), Some(20)),
            (one, None, Some(10)),
        ]
    );
    let other = image_spans(&runs, "other");
    assert_eq!((other.len(), minutes(other[0].until)), (1, Some(61)), "gone with the target");
}

#[test]
fn images_go_by_many_names() {
    for (image, name, expected) in [
        ("r.example/shop/web:1.4", "web", true),
        ("r.example/shop/web:1.4", "shop/web", true),
        ("r.example/shop/web:1.4", "r.example/shop/web", true),
        ("r.example/shop/web:1.4", "r.example/shop/web:1.4", true),
        ("r.example/shop/web@sha256:ab", "web", true),
        ("localhost:5000/web", "web", true),
        ("web", "web", true),
        ("r.example/shop/myweb:1", "web", false),
        ("r.example/web/api:1", "web", false),
        ("r.example/web:1", "", false),
        ("", "web", false),
    ] {
        assert_eq!(is_image(image, name), expected, "{image} {name}");
    }
    assert_eq!(image_version("localhost:5000/web"), ("localhost:5000/web", ""));
    assert_eq!(image_version("a/web:1@sha256:ab"), ("a/web", "1"));
    assert_eq!(image_version("a/web@sha256:ab"), ("a/web", "sha256:ab"));
}

#[test]
fn an_object_is_found_by_its_kind_and_name() {
    let is = |text: &str| ObjectPattern::parse(text).is_some_and(|it| it.is(&deployment("web")));
    for text in ["deployment/web", "Deployment/shop/web", "deployment.apps/web", "deployments/web"]
    {
        assert!(is(text), "{text}");
    }
    for text in ["deployment/api", "deployment/other/web", "deployment.x/web", "service/web"] {
        assert!(!is(text), "{text}");
    }
    let short = ObjectPattern::parse("deploy/web").unwrap();
    assert!(!short.is(&deployment("web")), "nothing says what it means");
    let short = short.of_kinds(vec![GroupKind::new("apps", "Deployment")]);
    assert!(short.is(&deployment("web")) && !short.is(&deployment("api")));
    for text in ["", "web", "deployment/", "/web", "a/b/c/d"] {
        assert_eq!(ObjectPattern::parse(text), None, "{text}");
    }
    let mut changed = run("prod", 10, "a", RunOutcome::Healthy);
    let object = RecordedObject {
        key: deployment("web"),
        action: Action::Update,
        outcome: "done".to_owned(),
        origin: Some("web.yaml:3".to_owned()),
    };
    changed.record.as_mut().unwrap().objects.push(object.clone());
    let short =
        KnownRun::in_short("ctx".to_owned(), changed.inventory.clone(), changed.summary.clone());
    let runs = [changed, short, run("prod", 5, "b", RunOutcome::Healthy)];
    let changes = object_changes(&runs, &ObjectPattern::parse("deployment/web").unwrap());
    assert_eq!(changes, [ObjectChange { run: &runs[0], object: &object }]);
    assert_eq!(silent(&runs, |record| record.more_objects > 0), 1);
}

#[test]
fn deployments_of_targets_do_not_mix() {
    let mut elsewhere = run("prod", 12, "a", RunOutcome::Failed);
    elsewhere.context = "other".to_owned();
    let runs = sorted(vec![
        run("prod", 10, "a", RunOutcome::Healthy),
        run("staging", 11, "a", RunOutcome::Failed),
        elsewhere,
        run("prod", 20, "b", RunOutcome::Healthy),
    ]);
    let found = deployments(&runs, Window { from: at(0), until: at(100) });
    let told: Vec<(&str, &str, usize, usize, usize)> = found
        .targets
        .iter()
        .map(|(place, it)| (place.target, place.context, it.count, it.failed, it.unrestored))
        .collect();
    assert_eq!(
        told,
        [("prod", "ctx", 2, 0, 0), ("prod", "other", 1, 1, 1), ("staging", "ctx", 1, 1, 1)]
    );
    assert_eq!((found.total.count, found.total.failed, found.total.leads.len()), (4, 2, 2));
}

#[test]
fn ten_thousand_rounds_are_answered() {
    let runs: Vec<KnownRun> = (1..=10_000)
        .map(|n: i64| {
            let outcome = if n % 7 == 0 { RunOutcome::Failed } else { RunOutcome::Healthy };
            let (old, new) = (format!("r.example/web:{}", n - 1), format!("r.example/web:{n}"));
            let run = run(&format!("t{}", n % 20), n, &n.to_string(), outcome);
            imaged(run, Some(&old), Some(&new))
        })
        .collect();
    let logged = runs.clone();
    let runs = merged(runs, logged, |_| None);
    let window = Window { from: at(0), until: at(20_000) };
    assert_eq!((runs.len(), deployments(&runs, window).total.count), (10_000, 10_000));
    assert_eq!(ran_at(&runs, at(20_000)).len(), 20);
    assert!(image_spans(&runs, "web").len() > 8_000);
}
