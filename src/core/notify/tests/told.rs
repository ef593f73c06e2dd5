//! A row for each transition: what happened, and the message about it.

use std::fmt::Write as _;
use std::slice;

use super::*;

/// An event in words, and the rounds that showed it.
struct Row {
    happened: &'static str,
    rounds: Vec<Observation>,
}

fn lost(seconds: i64, git: bool) -> Observation {
    let lost = Reach::Lost("connection refused".to_owned());
    let unknown = seen(seconds, Step::Unknown);
    match git {
        true => Observation { git: lost, ..ended(seconds, good("a")) },
        false => Observation { cluster: lost, ..unknown },
    }
}

fn drift(objects: &[(&str, bool)]) -> RoundEnd {
    let drift = objects.iter().map(|(object, is_put_back)| Drift {
        object: (*object).to_owned(),
        is_put_back: *is_put_back,
    });
    RoundEnd { drift: drift.collect(), ..good("a") }
}

fn refused(name: &str) -> RoundEnd {
    let refused = RefusedCommit {
        commit: Commit { author: "Mallory".to_owned(), ..commit(name) },
        class: "unsigned".to_owned(),
        text: "it is not signed".to_owned(),
        stays: Some(commit("a").id),
    };
    RoundEnd { refused: Some(refused), ..good("a") }
}

fn broken(name: &str) -> RoundEnd {
    let refused = RefusedCommit {
        commit: commit(name),
        class: "unusable".to_owned(),
        text: "web.yaml:3:1: mapping values are not allowed in this context".to_owned(),
        stays: None,
    };
    RoundEnd { refused: Some(refused), is_proven: false, ..good(name) }
}

fn taken(name: &str, culprits: &[Culprit]) -> RoundEnd {
    let taken = Some(Taken { failed: commit(name), to: commit("a").id });
    let failure = Some(Failure { culprits: culprits.to_vec(), taken });
    RoundEnd { failure, ..good("a") }
}

fn suspended(seconds: i64, key: &str, ends_soon: bool) -> Observation {
    let text = "by ops@host until 2026-03-01T14:00:00Z: stock-taking".to_owned();
    seen(seconds, Step::Suspended(SuspendedRound { key: key.to_owned(), text, ends_soon }))
}

fn waits(name: &str) -> RoundEnd {
    let text = "not released, in mode hold".to_owned();
    RoundEnd { waits: Some(WaitingNews { commit: commit(name), text }), ..good("a") }
}

fn rows() -> Vec<Row> {
    let web = |text: &str| culprit("Deployment shop/web", "failed", text);
    let pull = web("container web: ImagePullBackOff: shop/web:1.9 is not found");
    let others: Vec<Culprit> = (0..3)
        .map(|number| {
            culprit(&format!("ConfigMap shop/c{number}"), "webhook", "the webhook is down")
        })
        .collect();
    let many = [vec![pull.clone()], others].concat();
    let failing = |from: i64, count: i64| {
        (0..count).map(move |round| {
            ended(from + round * 30, failed("b", &[web(&format!("{} of 3 ready", round % 3))]))
        })
    };
    let row = |happened, rounds| Row { happened, rounds };
    vec![
        row("a first round finds everything true", vec![ended(0, good("a"))]),
        row("a commit begins to be applied", vec![seen(0, Step::Deploying(commit("b")))]),
        row("it is healthy", vec![seen(0, Step::Deploying(commit("b"))), ended(60, good("b"))]),
        row(
            "it is applied, and its health is not waited for",
            vec![
                seen(0, Step::Deploying(commit("b"))),
                ended(60, RoundEnd { is_proven: false, ..good("b") }),
            ],
        ),
        row("one object fails", vec![ended(0, failed("b", slice::from_ref(&pull)))]),
        row("one cause makes several objects fail", vec![ended(0, failed("b", &many))]),
        row(
            "it fails in the next round, too, worded otherwise",
            vec![
                ended(0, failed("b", &[web("1 of 3 ready")])),
                ended(30, failed("b", &[web("2 of 3 ready")])),
            ],
        ),
        row(
            "a commit fails and is taken back, and later rounds keep the older one",
            vec![
                ended(0, taken("b", slice::from_ref(&pull))),
                ended(30, taken("b", &[])),
                ended(60, taken("b", &[])),
            ],
        ),
        row("it fails for 20 rounds", failing(0, 20).collect()),
        row(
            "a commit stays taken back for 10 rounds",
            (0..10).map(|round| ended(round * 30, taken("b", &[]))).collect(),
        ),
        row(
            "it is mended by another commit",
            failing(0, 3)
                .chain([seen(90, Step::Deploying(commit("c"))), ended(150, good("c"))])
                .collect(),
        ),
        row("a commit is not signed", vec![ended(0, refused("b")), ended(30, refused("b"))]),
        row(
            "a commit has a file that can't be read",
            vec![seen(0, Step::Deploying(commit("b"))), ended(30, broken("b"))],
        ),
        row(
            "an object fails, and later rounds do not wait for it",
            vec![
                ended(0, failed("b", &[web("1 of 3 ready")])),
                ended(30, RoundEnd { unready: vec![web("2 of 3 ready")], ..good("b") }),
                ended(60, good("b")),
                ended(90, RoundEnd { unready: vec![web("2 of 3 ready")], ..good("b") }),
            ],
        ),
        row(
            "it stays unsigned for 10 rounds, and is signed then",
            (0..10)
                .map(|round| ended(round * 30, refused("b")))
                .chain([seen(300, Step::Deploying(commit("b"))), ended(360, good("b"))])
                .collect(),
        ),
        row(
            "objects are changed by hand and put back",
            vec![
                ended(0, drift(&[("Deployment shop/web", true), ("Service shop/web", true)])),
                ended(30, good("a")),
            ],
        ),
        row(
            "a controller changes an object in every round",
            (0..5)
                .map(|round| ended(round * 30, drift(&[("Deployment shop/web", true)])))
                .collect(),
        ),
        row(
            "objects are changed and not put back, and one is undone by hand",
            vec![
                ended(0, drift(&[("Deployment shop/web", false), ("Service shop/web", false)])),
                ended(30, drift(&[("Service shop/web", false)])),
                ended(60, drift(&[("Service shop/web", true)])),
            ],
        ),
        row("git is away for a minute", vec![lost(0, true), lost(60, true), ended(90, good("a"))]),
        row(
            "git is away for longer",
            vec![lost(0, true), lost(300, true), lost(600, true), ended(5000, good("a"))],
        ),
        row(
            "the cluster is away for longer",
            vec![lost(0, false), lost(310, false), lost(330, false), ended(200_000, good("a"))],
        ),
        row(
            "a clock is set back in an outage",
            vec![lost(1000, true), lost(0, true), lost(299, true), lost(300, true)],
        ),
        row(
            "a target is suspended until the next commit, and the end comes near",
            vec![
                suspended(0, "a", false),
                suspended(3600, "a", false),
                suspended(6300, "a", true),
                suspended(6330, "a", true),
                seen(7200, Step::Deploying(commit("b"))),
                ended(7230, good("b")),
            ],
        ),
        row(
            "a commit waits for its release, and another one comes meanwhile",
            vec![
                ended(0, waits("b")),
                ended(30, waits("b")),
                ended(60, waits("c")),
                seen(90, Step::Deploying(commit("c"))),
                ended(120, good("c")),
            ],
        ),
        row(
            "a suspension is prolonged when it is about to end",
            vec![suspended(0, "a", true), suspended(30, "b", false), suspended(60, "b", true)],
        ),
        row(
            "texts from outside hold what a terminal or a chat would obey",
            vec![seen(
                0,
                Step::Deploying(Commit {
                    subject: "<!channel> @everyone\u{1b}[2J\u{202e}\n**bold**".to_owned(),
                    ..commit("b")
                }),
            )],
        ),
    ]
}

#[test]
fn transition_table() {
    let (rules, mut table) = (Rules::default(), String::new());
    let mut transitions = std::collections::BTreeSet::new();
    for Row { happened, rounds } in rows() {
        let mut state = TargetState::default();
        let _ = writeln!(table, "{happened}");
        let mut messages = Vec::new();
        for round in rounds {
            messages.extend(state.advance(&round, &rules));
        }
        if messages.is_empty() {
            let _ = writeln!(table, "    nothing is said");
        }
        for message in messages {
            transitions.insert(message.transition);
            let _ = writeln!(table, "    {:20} {}", message.transition.name(), message.title);
            for line in message.details {
                let _ = writeln!(table, "    {:20}   {line}", "");
            }
        }
    }
    assert_eq!(transitions.len(), Transition::ALL.len(), "a transition has no row");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{}/fixtures/screens/notify", env!("CARGO_MANIFEST_DIR")));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("transitions", table));
}

fn transitions(rounds: &[Observation]) -> Vec<Transition> {
    let (mut state, rules) = (TargetState::default(), Rules::default());
    let told = rounds.iter().flat_map(|round| state.advance(round, &rules));
    told.map(|message| message.transition).collect()
}

/// Neither of them says how the commit does.
#[test]
fn a_rollout_under_way_and_a_hold_end_no_failure_and_no_deployment() {
    use Transition::{DriftPutBack, Failed, Recovered, Started, Waiting};
    let web = culprit("Deployment shop/web", "failed", "0 of 3 ready");
    let drift = vec![Drift { object: "ConfigMap shop/one".to_owned(), is_put_back: true }];
    let healed = |name| Step::Healed { commit: commit(name), drift: drift.clone() };
    let kept = || Step::Kept { drift: Vec::new(), waits: waits("c").waits };
    let begun = [
        ended(0, failed("a", slice::from_ref(&web))),
        seen(30, Step::Deploying(commit("b"))),
        seen(40, healed("b")),
        seen(50, healed("b")),
    ];
    let ends = [
        (ended(60, failed("b", &[web])), &[Failed][..]),
        (ended(60, good("b")), &[Recovered][..]),
        (seen(60, kept()), &[Waiting][..]),
    ];
    for (end, expected) in ends {
        let rounds: Vec<_> = begun.iter().cloned().chain([end.clone(), end]).collect();
        let told = [&[Failed, Started, DriftPutBack], expected].concat();
        assert_eq!(transitions(&rounds), told);
    }
}

/// It could not look, and knows nothing of drift and of what holds the target.
#[test]
fn a_round_that_came_to_nothing_ends_nothing() {
    use Transition::{Drift, Failed, Recovered, Refused, Started, Suspended, Waiting};
    let pull = Culprit { object: None, ..culprit("", "pull", "origin/main was force-pushed") };
    let nothing = |seconds, refused: Option<RefusedCommit>| {
        let culprits = if refused.is_none() { vec![pull.clone()] } else { Vec::new() };
        seen(seconds, Step::Nothing { culprits, refused })
    };
    let drifted = || drift(&[("A", false)]);
    for (before, refused, after, expected) in [
        (suspended(0, "a", false), None, suspended(60, "a", false), &[Suspended, Failed][..]),
        (ended(0, drifted()), None, ended(60, drifted()), &[Drift, Failed, Recovered]),
        (ended(0, waits("b")), None, ended(60, waits("b")), &[Waiting, Failed, Recovered]),
        (
            seen(0, Step::Deploying(commit("b"))),
            refused("c").refused,
            ended(60, good("b")),
            &[Started, Refused, Recovered],
        ),
        // It is the same fault once the cluster is back.
        (ended(0, good("a")), None, ended(60, failed("a", slice::from_ref(&pull))), &[Failed]),
    ] {
        let away = Reach::Lost("connection refused".to_owned());
        let first = Observation { cluster: away, ..nothing(20, refused.clone()) };
        let rounds = [before, first, nothing(40, refused), after];
        assert_eq!(transitions(&rounds), expected, "{rounds:?}");
    }
}

/// A server that has just begun does not know the roles yet.
#[test]
fn a_refusal_right_after_an_outage_is_a_part_of_it() {
    use Transition::{ClusterReachable, ClusterUnreachable, Failed, Recovered};
    let api = Culprit { object: None, ..culprit("", "api", "cannot list: forbidden") };
    let forbidden = |seconds| {
        let step = Step::Nothing { culprits: vec![api.clone()], refused: None };
        Observation { cluster: Reach::Refused, ..seen(seconds, step) }
    };
    for (rounds, expected) in [
        (vec![forbidden(0), forbidden(30), ended(60, good("a"))], &[Failed, Recovered][..]),
        (vec![lost(0, false), forbidden(30), forbidden(60), ended(90, good("a"))], &[]),
        (
            vec![lost(0, false), lost(300, false), forbidden(400), ended(430, good("a"))],
            &[ClusterUnreachable, ClusterReachable],
        ),
        // It lasts.
        (
            vec![lost(0, false), lost(300, false), forbidden(400), forbidden(700), forbidden(730)],
            &[ClusterUnreachable, ClusterReachable, Failed],
        ),
        (vec![lost(0, false), forbidden(290), lost(310, false)], &[ClusterUnreachable]),
        (vec![lost(0, false), ended(30, good("a")), forbidden(60)], &[Failed]),
    ] {
        assert_eq!(transitions(&rounds), expected, "{rounds:?}");
    }
}

/// A part of a round knows nothing of the other objects.
#[test]
fn a_round_that_is_cut_short_tells_what_it_put_back() {
    use Transition::{Drift, DriftPutBack};
    let cut = |seconds, objects: &[(&str, bool)]| {
        seen(seconds, Step::Cut { commit: commit("a"), drift: drift(objects).drift })
    };
    let rounds = [
        (ended(0, drift(&[("A", false), ("B", false)])), &[Drift][..]),
        (cut(30, &[("A", true)]), &[DriftPutBack]),
        (cut(60, &[]), &[]),
        (cut(90, &[("A", true)]), &[]),
        (ended(120, drift(&[("A", true), ("B", true)])), &[DriftPutBack]),
        (cut(150, &[]), &[]),
        (ended(180, drift(&[("A", true)])), &[]),
        (ended(210, drift(&[])), &[]),
        (cut(240, &[("A", true)]), &[DriftPutBack]),
    ];
    let (mut state, rules) = (TargetState::default(), Rules::default());
    for (round, expected) in rounds {
        let told: Vec<_> = state.advance(&round, &rules).iter().map(|it| it.transition).collect();
        assert_eq!(told, expected, "{round:?}");
    }
}

#[test]
fn alerts_and_verdicts_begin_and_end() {
    use AlertState::{Firing, Resolved};
    let mut state = TargetState::default();
    let rules = Rules::default();
    let mut alerts = Vec::new();
    let web = culprit("Deployment shop/web", "failed", "1 of 3 ready");
    let rounds = [
        seen(0, Step::Deploying(commit("b"))),
        ended(30, failed("b", &[web])),
        ended(60, good("b")),
        ended(90, drift(&[("A", false), ("B", false)])),
        ended(120, drift(&[("B", false), ("A", true)])),
        ended(150, drift(&[])),
    ];
    let mut verdicts = Vec::new();
    for round in rounds {
        for message in state.advance(&round, &rules) {
            alerts.extend(message.alert().map(|alert| (alert.name, alert.state)));
            verdicts.extend(message.verdict());
        }
    }
    let expected = [
        ("TrueupFailing", Firing),
        ("TrueupFailing", Resolved),
        ("TrueupDrift", Firing),
        ("TrueupDrift", Resolved),
    ];
    assert_eq!(alerts, expected);
    use CommitVerdict::{Failure, Pending, Success};
    assert_eq!(verdicts, [Pending, Failure, Success]);
}
