//! The figures of a watch or a run for Prometheus: a pure registry that is fed with the ends of rounds,
//! and gives the text that is scraped.
//!
//! The number of series is bounded: labels are the target, and names out of closed sets. Nothing has an
//! object, a message or an address for a label. A commit is a label of `trueup_target_info` alone, which
//! has one series: the former one is gone with the next commit.

mod exposition;
mod failure_class;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::exposition::text;
pub use self::failure_class::FailureClass;

/// The marks of a target among others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetInfo {
    /// The target's name.
    pub target: String,
    /// The cluster: the kubeconfig's context.
    pub cluster: String,
    /// The inventory's namespace.
    pub namespace: String,
    /// The inventory's name.
    pub inventory: String,
    /// The commit that the cluster was last brought to; empty before that.
    pub commit: String,
}

/// A part of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Asking the remote.
    Pull,
    /// Looking at git and the cluster, and deciding.
    Survey,
    /// Carrying out, with the lock.
    Apply,
    /// Waiting until everything was healthy.
    Wait,
}

impl Phase {
    /// Its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Survey => "survey",
            Self::Apply => "apply",
            Self::Wait => "wait",
        }
    }
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoundResult {
    /// The cluster is at the commit.
    AtCommit,
    /// It is not.
    NotAtCommit,
    /// The round could not run.
    Failed,
}

impl RoundResult {
    /// Its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::AtCommit => "at-commit",
            Self::NotAtCommit => "not-at-commit",
            Self::Failed => "failed",
        }
    }
}

/// The figures of one round.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundFigures {
    /// How it ended.
    pub result: RoundResult,
    /// The class of what went wrong, out of a closed set.
    pub failures: Vec<FailureClass>,
    /// How long its parts took.
    pub phases: BTreeMap<Phase, Duration>,
    /// Whether a commit was taken back in it, after waiting.
    pub is_rolled_back: bool,
    /// The commit that the cluster is at; `None` where that is not known.
    pub commit: Option<String>,
    /// The objects of the target; `None` where they were not looked at.
    pub objects: Option<usize>,
    /// The objects that were not as declared, and were put back.
    pub drifted: usize,
    /// The objects that were not ready in the end.
    pub not_ready: usize,
    /// How many objects there were for each action and result, by their names.
    pub changes: BTreeMap<(&'static str, &'static str), u64>,
}

impl RoundFigures {
    /// A round with nothing to tell but how it ended.
    pub fn of(result: RoundResult) -> Self {
        Self {
            result,
            failures: Vec::new(),
            phases: BTreeMap::new(),
            is_rolled_back: false,
            commit: None,
            objects: None,
            drifted: 0,
            not_ready: 0,
            changes: BTreeMap::new(),
        }
    }
}

/// The counts of other parts, since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The requests to the API server, by verb and status code; 0 stands for no answer.
    pub requests: BTreeMap<(String, u16), u64>,
    /// How often the git remote was asked.
    pub git_polls: u64,
    /// The bytes that it answered.
    pub git_bytes: u64,
}

/// The share of one of several replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareFigures {
    /// The replicas that live.
    pub members: usize,
    /// Whether this is one of them.
    pub is_member: bool,
    /// The targets that it watches.
    pub owned: usize,
    /// The targets that there are.
    pub listed: usize,
}

/// The figures so far.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// The target.
    pub info: TargetInfo,
    last_success: Option<f64>,
    last_round: Option<f64>,
    rounds: BTreeMap<RoundResult, u64>,
    phases: BTreeMap<Phase, (f64, u64)>,
    failures: BTreeMap<FailureClass, u64>,
    changes: BTreeMap<(&'static str, &'static str), u64>,
    objects: usize,
    drifted: usize,
    drifts: u64,
    not_ready: usize,
    totals: Totals,
}

impl Metrics {
    /// The figures of a target before its first round.
    pub fn new(info: TargetInfo) -> Self {
        Self { info, ..Self::default() }
    }

    /// Takes the time of the last success from a text that a former process wrote.
    pub fn resume(&mut self, text: &str) {
        let begin = format!(
            "trueup_last_success_timestamp_seconds{{{}}} ",
            text::label("target", &self.info.target)
        );
        let time = text.lines().find_map(|line| line.strip_prefix(&begin)?.parse().ok());
        self.last_success = self.last_success.or(time);
    }

    /// Adds a round that ended at `now`, in seconds since 1970, with the totals by then.
    pub fn add(&mut self, round: &RoundFigures, totals: Totals, now: f64) {
        self.last_round = Some(now);
        if round.result == RoundResult::AtCommit {
            self.last_success = Some(now);
        }
        *self.rounds.entry(round.result).or_default() += 1;
        for class in &round.failures {
            *self.failures.entry(*class).or_default() += 1;
        }
        for (phase, time) in &round.phases {
            let (sum, count) = self.phases.entry(*phase).or_default();
            (*sum, *count) = (*sum + time.as_secs_f64(), *count + 1);
        }
        for (labels, count) in &round.changes {
            *self.changes.entry(*labels).or_default() += count;
        }
        if let Some(commit) = &round.commit {
            self.info.commit.clone_from(commit);
        }
        if let Some(objects) = round.objects {
            (self.objects, self.drifted, self.not_ready) =
                (objects, round.drifted, round.not_ready);
        }
        self.drifts += round.drifted as u64;
        self.totals = totals;
    }

    /// Adds drift that was put back while a round goes on.
    pub fn add_drifts(&mut self, drifts: usize) {
        self.drifts += drifts as u64;
    }

    /// Whether a round came to something, and the last one did.
    pub fn is_ready(&self) -> bool {
        self.last_success.is_some() && self.last_success == self.last_round
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Metrics {
        fn text(&self) -> String {
            text(&[self], None, None)
        }
    }

    fn info() -> TargetInfo {
        let [target, cluster, namespace, inventory] =
            ["prod \"a\"\\", "kind\nx", "shop", "prod"].map(str::to_owned);
        TargetInfo { target, cluster, namespace, inventory, commit: String::new() }
    }

    fn changed(commit: &str) -> RoundFigures {
        RoundFigures {
            commit: Some(commit.to_owned()),
            objects: Some(12),
            drifted: 2,
            phases: BTreeMap::from([
                (Phase::Survey, Duration::from_millis(250)),
                (Phase::Wait, Duration::from_secs(3)),
            ]),
            changes: BTreeMap::from([(("update", "done"), 2), (("create", "failed"), 1)]),
            ..RoundFigures::of(RoundResult::AtCommit)
        }
    }

    fn lines(metrics: &Metrics, name: &str) -> Vec<String> {
        let text = metrics.text();
        let lines = text.lines().filter(|line| line.starts_with(&format!("trueup_{name}")));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn the_text_has_every_figure() {
        let mut metrics = Metrics::new(info());
        assert_eq!(lines(&metrics, "last_success"), [""; 0]);
        let requests =
            BTreeMap::from([(("get".to_owned(), 200), 7), (("patch".to_owned(), 409), 1)]);
        let totals = Totals { requests, git_polls: 4, git_bytes: 312 };
        metrics.add(&changed("aaa"), totals.clone(), 1_796_000_000.0);
        metrics.add(&changed("bbb"), totals.clone(), 1_796_000_030.0);
        let failed = RoundFigures {
            failures: vec![FailureClass::Git],
            ..RoundFigures::of(RoundResult::Failed)
        };
        metrics.add(&failed, totals, 1_796_000_060.5);
        let label = r#"target="prod \"a\"\\""#;
        for (name, expected) in [
            (
                "target_info",
                vec![format!(
                    r#"trueup_target_info{{{label},cluster="kind\nx",namespace="shop",inventory="prod",commit="bbb"}} 1"#
                )],
            ),
            (
                "last_success",
                vec![format!("trueup_last_success_timestamp_seconds{{{label}}} 1796000030")],
            ),
            (
                "last_round",
                vec![format!("trueup_last_round_timestamp_seconds{{{label}}} 1796000060.5")],
            ),
            (
                "rounds_total",
                vec![
                    format!("trueup_rounds_total{{{label},result=\"at-commit\"}} 2"),
                    format!("trueup_rounds_total{{{label},result=\"not-at-commit\"}} 0"),
                    format!("trueup_rounds_total{{{label},result=\"failed\"}} 1"),
                ],
            ),
            (
                "phase_duration",
                vec![
                    format!("trueup_phase_duration_seconds_sum{{{label},phase=\"survey\"}} 0.5"),
                    format!("trueup_phase_duration_seconds_count{{{label},phase=\"survey\"}} 2"),
                    format!("trueup_phase_duration_seconds_sum{{{label},phase=\"wait\"}} 6"),
                    format!("trueup_phase_duration_seconds_count{{{label},phase=\"wait\"}} 2"),
                ],
            ),
            ("drifted_objects", vec![format!("trueup_drifted_objects{{{label}}} 2")]),
            ("drifts_total", vec![format!("trueup_drifts_total{{{label}}} 4")]),
            ("objects", vec![format!("trueup_objects{{{label}}} 12")]),
            (
                "changes_total",
                vec![
                    format!(
                        "trueup_changes_total{{{label},action=\"create\",result=\"failed\"}} 2"
                    ),
                    format!("trueup_changes_total{{{label},action=\"update\",result=\"done\"}} 4"),
                ],
            ),
            (
                "api_requests",
                vec![
                    format!("trueup_api_requests_total{{{label},verb=\"get\",code=\"200\"}} 7"),
                    format!("trueup_api_requests_total{{{label},verb=\"patch\",code=\"409\"}} 1"),
                ],
            ),
            (
                "git_",
                vec![
                    format!("trueup_git_polls_total{{{label}}} 4"),
                    format!("trueup_git_received_bytes_total{{{label}}} 312"),
                ],
            ),
        ] {
            assert_eq!(lines(&metrics, name), expected, "{name}");
        }
        assert!(!metrics.is_ready(), "the last round failed");
        let failures = lines(&metrics, "failures_total");
        assert_eq!(failures.len(), FailureClass::ALL.len(), "each class from the beginning");
        let counted: Vec<&String> = failures.iter().filter(|line| !line.ends_with(" 0")).collect();
        assert_eq!(counted, [&format!("trueup_failures_total{{{label},class=\"git\"}} 1")]);
    }

    #[test]
    fn several_targets_have_their_samples_side_by_side() {
        let [mut one, mut other] = ["one", "other"]
            .map(|target| Metrics::new(TargetInfo { target: target.to_owned(), ..info() }));
        one.add(&changed("a"), Totals::default(), 1.0);
        other.add(&RoundFigures::of(RoundResult::Failed), Totals::default(), 2.0);
        let shared = Totals { git_polls: 7, ..Totals::default() };
        let share = ShareFigures { members: 3, is_member: true, owned: 2, listed: 6 };
        let text = text(&[&one, &other], Some(&shared), Some(&share));
        assert!(text.contains("\ntrueup_replica_owned_targets 2\n"), "{text}");
        assert!(text.contains("\ntrueup_git_polls_total 7\n"), "{text}");
        let objects = "trueup_objects{target=\"one\"} 12\ntrueup_objects{target=\"other\"} 0\n";
        assert!(text.contains(objects), "{text}");
        let types = text.lines().filter(|line| line.starts_with("# TYPE trueup_rounds_total "));
        assert_eq!(types.count(), 1);
        let successes = text.lines().filter(|line| line.starts_with("trueup_last_success"));
        assert_eq!(successes.count(), 1, "the other one has had none");
    }

    #[test]
    fn the_time_of_the_last_success_survives_a_process() {
        let mut before = Metrics::new(info());
        before.add(&changed("a"), Totals::default(), 7.5);
        let mut now = Metrics::new(info());
        now.resume(&before.text());
        now.add(&RoundFigures::of(RoundResult::Failed), Totals::default(), 9.0);
        assert!(lines(&now, "last_success")[0].ends_with("} 7.5"), "{}", now.text());
        let mut other = Metrics::new(TargetInfo { target: "other".to_owned(), ..info() });
        other.resume(&before.text());
        assert_eq!(lines(&other, "last_success"), [""; 0]);
    }

    #[test]
    fn the_number_of_series_is_bounded_and_old_ones_go() {
        let mut metrics = Metrics::new(info());
        for n in 0..300_u16 {
            let requests = (0..n).map(|code| (("get".to_owned(), code), 1)).collect();
            let totals = Totals { requests, ..Totals::default() };
            metrics.add(&changed(&format!("commit-{n}")), totals, f64::from(n));
        }
        assert!(metrics.is_ready());
        let text = metrics.text();
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        assert!(series < 120, "{series}");
        assert_eq!(lines(&metrics, "target_info").len(), 1);
        assert!(text.contains("commit-299") && !text.contains("commit-298"));
        assert!(text.contains("verb=\"other\",code=\"other\"} 239\n"));
    }

    /// The rules of `promtool check metrics` (prometheus/client_golang, testutil/promlint).
    #[test]
    fn names_and_texts_are_as_promtool_wants_them() {
        let mut metrics = Metrics::new(info());
        metrics.add(&changed("a"), Totals::default(), 1.0);
        let text = metrics.text();
        let mut seen = 0;
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            seen += 1;
            assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            for word in [
                "_count",
                "_sum",
                "_bucket",
                "milliseconds",
                "minutes",
                "kilobytes",
                "gauge",
                "counter",
            ] {
                assert!(!name.contains(word), "{name}");
            }
            let help = format!("# HELP {name} ");
            assert_eq!(text.matches(&help).count(), 1, "{name}");
            assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
        }
        assert!(seen >= 12, "{seen}");
        assert!(text.ends_with('\n') && !text.contains("\n\n"));
    }
}
