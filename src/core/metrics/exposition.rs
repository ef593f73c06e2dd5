//! The text of figures, of one target or of several: a metric has the samples of all targets one after
//! the other, as Prometheus wants them.

use super::text::{Exposition, MetricText, MetricType};
use super::{FailureClass, Metrics, RoundResult, ShareFigures, TargetInfo, Totals};

/// The most pairs of verb and code; any more count as `other`.
const REQUESTS: usize = 60;

/// The text for Prometheus, in its text format 0.0.4. Where several targets have a `shared` count of
/// requests and of git's traffic, these have no label of a target. A `share` is that of one of several
/// replicas.
pub fn text(targets: &[&Metrics], shared: Option<&Totals>, share: Option<&ShareFigures>) -> String {
    use MetricType::{Counter, Gauge, Summary};
    let mut text = Exposition::default();
    let mut info = text.metric(
        "target_info",
        Gauge,
        "The target, its inventory, and the commit that its cluster is at.",
    );
    for it in targets {
        let TargetInfo { target, cluster, namespace, inventory, commit } = &it.info;
        let labels = [
            ("target", target.as_str()),
            ("cluster", cluster),
            ("namespace", namespace),
            ("inventory", inventory),
            ("commit", commit),
        ];
        info.sample(&labels, 1.0);
    }
    times(&mut text, targets);
    let mut rounds = text.metric("rounds_total", Counter, "Rounds by how they ended.");
    for it in targets {
        for result in [RoundResult::AtCommit, RoundResult::NotAtCommit, RoundResult::Failed] {
            let count = it.rounds.get(&result).copied().unwrap_or_default();
            rounds.sample(&[it.target(), ("result", result.name())], count as f64);
        }
    }
    let mut phases =
        text.metric("phase_duration_seconds", Summary, "How long the parts of rounds took.");
    for it in targets {
        for (phase, (sum, count)) in &it.phases {
            phases.summary(&[it.target(), ("phase", phase.name())], *sum, *count);
        }
    }
    objects(&mut text, targets);
    let mut changes =
        text.metric("changes_total", Counter, "Changes of objects by action and result.");
    for it in targets {
        for ((action, result), count) in &it.changes {
            let labels = [it.target(), ("action", *action), ("result", *result)];
            changes.sample(&labels, *count as f64);
        }
    }
    let mut failures =
        text.metric("failures_total", Counter, "What went wrong in rounds, by class.");
    for it in targets {
        // A counter that begins with its first fault has no increase that an alert could see.
        for class in FailureClass::ALL {
            let count = it.failures.get(&class).copied().unwrap_or_default();
            failures.sample(&[it.target(), ("class", class.name())], count as f64);
        }
    }
    let totals: Vec<(Option<(&str, &str)>, &Totals)> = match shared {
        Some(shared) => vec![(None, shared)],
        None => targets.iter().map(|it| (Some(it.target()), &it.totals)).collect(),
    };
    let mut sent = text.metric(
        "api_requests_total",
        Counter,
        "Requests to the API server by verb and status code, which is 0 without an answer.",
    );
    for (target, totals) in &totals {
        requests(&mut sent, *target, totals);
    }
    let mut polls = text.metric("git_polls_total", Counter, "How often the git remote was asked.");
    for (target, totals) in &totals {
        polls.sample(target.as_slice(), totals.git_polls as f64);
    }
    let mut bytes =
        text.metric("git_received_bytes_total", Counter, "Bytes of git's protocol that came in.");
    for (target, totals) in &totals {
        bytes.sample(target.as_slice(), totals.git_bytes as f64);
    }
    share.into_iter().for_each(|share| replicas(&mut text, share));
    text.finish()
}

fn replicas(text: &mut Exposition, share: &ShareFigures) {
    use MetricType::Gauge;
    let ShareFigures { members, is_member, owned, listed } = *share;
    for (name, help, value) in [
        ("replica_members", "Replicas of the group that live, as this one sees it.", members),
        ("replica_is_member", "Whether this replica is one of them.", usize::from(is_member)),
        ("replica_owned_targets", "Targets that this replica watches.", owned),
        ("replica_listed_targets", "Targets that the group watches.", listed),
    ] {
        text.metric(name, Gauge, help).sample(&[], value as f64);
    }
}

fn times(text: &mut Exposition, targets: &[&Metrics]) {
    use MetricType::Gauge;
    let mut success = text.metric(
        "last_success_timestamp_seconds",
        Gauge,
        "When the last round ended with the cluster at the commit.",
    );
    for it in targets {
        // None is better than 1970 for who looks for old ones.
        it.last_success.into_iter().for_each(|time| success.sample(&[it.target()], time));
    }
    let mut last = text.metric("last_round_timestamp_seconds", Gauge, "When the last round ended.");
    for it in targets {
        it.last_round.into_iter().for_each(|time| last.sample(&[it.target()], time));
    }
}

fn objects(text: &mut Exposition, targets: &[&Metrics]) {
    use MetricType::{Counter, Gauge};
    type Count = fn(&Metrics) -> usize;
    let gauges: [(&'static str, &str, Count); 3] = [
        ("objects", "Objects of the target, as of the last round that looked.", |it| it.objects),
        (
            "drifted_objects",
            "Objects that were not as declared in the last round that looked.",
            |it| it.drifted,
        ),
        (
            "not_ready_objects",
            "Objects that were not ready after the last round that looked.",
            |it| it.not_ready,
        ),
    ];
    for (name, help, count) in gauges {
        let mut gauge = text.metric(name, Gauge, help);
        for it in targets {
            gauge.sample(&[it.target()], count(it) as f64);
        }
    }
    let mut drifts = text.metric(
        "drifts_total",
        Counter,
        "Objects that were not as declared and were put back.",
    );
    for it in targets {
        drifts.sample(&[it.target()], it.drifts as f64);
    }
}

fn requests(text: &mut MetricText<'_>, target: Option<(&str, &str)>, totals: &Totals) {
    let mut sample = |verb: &str, code: &str, count: u64| {
        let labels = target.into_iter().chain([("verb", verb), ("code", code)]);
        text.sample(&labels.collect::<Vec<_>>(), count as f64);
    };
    for ((verb, code), count) in totals.requests.iter().take(REQUESTS) {
        sample(verb, &code.to_string(), *count);
    }
    let others: u64 = totals.requests.values().skip(REQUESTS).sum();
    if others > 0 {
        sample("other", "other", others);
    }
}

impl Metrics {
    /// The label of its target.
    fn target(&self) -> (&str, &str) {
        ("target", &self.info.target)
    }
}
