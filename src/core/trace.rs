//! The trace of a round: a span for it, and one for each of its parts.

use jiff::{SignedDuration, Timestamp};

use super::metrics::{Phase, RoundFigures, TargetInfo};

/// A round that ended, as its trace shows it.
pub struct TracedRound<'a> {
    /// The target, as far as it is known.
    pub info: &'a TargetInfo,
    /// The id that the lines of the round have in the log.
    pub id: &'a str,
    /// When it began.
    pub begin: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Its figures.
    pub figures: &'a RoundFigures,
}

/// A span.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its name, of a closed set.
    pub name: &'static str,
    /// When it began.
    pub begin: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The class of what went wrong.
    pub fault: Option<&'static str>,
}

/// An attribute of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name: one of OpenTelemetry's semantic conventions, or one that begins with `trueup.`.
    pub name: &'static str,
    /// Its value.
    pub value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
}

impl TracedRound<'_> {
    /// The span of the round, and then those of its parts, one after another.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = vec![Span {
            name: "round",
            begin: self.begin,
            end: self.end,
            attributes: self.attributes(),
            fault: self.fault(),
        }];
        let mut begin = self.begin;
        for (phase, took) in self.parts() {
            let end = begin.checked_add(took).unwrap_or(self.end).min(self.end);
            let attributes = Vec::new();
            spans.push(Span { name: phase.name(), begin, end, attributes, fault: None });
            begin = end;
        }
        spans
    }

    /// The class of what went wrong first.
    fn fault(&self) -> Option<&'static str> {
        self.figures.failures.first().map(|class| class.name())
    }

    /// The parts in their order. A rollback comes after waiting, so what follows the survey is one part then.
    fn parts(&self) -> Vec<(Phase, SignedDuration)> {
        let is_rolled_back = self.figures.is_rolled_back;
        let mut parts: Vec<(Phase, SignedDuration)> = Vec::new();
        for (phase, took) in &self.figures.phases {
            let took = SignedDuration::try_from(*took).unwrap_or(SignedDuration::MAX);
            match parts.last_mut().filter(|_| is_rolled_back && *phase == Phase::Wait) {
                Some((_, applied)) => *applied = applied.saturating_add(took),
                None => parts.push((*phase, took)),
            }
        }
        parts
    }

    fn attributes(&self) -> Vec<Attribute> {
        let Self { info, figures, id, .. } = self;
        // There is none of what is not known.
        let text = |name, value: &str| {
            let attribute = || Attribute { name, value: AttributeValue::Text(value.to_owned()) };
            (!value.is_empty()).then(attribute)
        };
        let count = |name, count| Some(Attribute { name, value: AttributeValue::Count(count) });
        let changes = figures.changes.iter().filter(|((_, result), _)| *result == "done");
        let changed: u64 = changes.map(|(_, count)| count).sum();
        [
            text("trueup.target", &info.target),
            text("trueup.round", id),
            text("trueup.result", figures.result.name()),
            text("vcs.ref.head.revision", figures.commit.as_deref().unwrap_or_default()),
            text("k8s.cluster.name", &info.cluster),
            text("k8s.namespace.name", &info.namespace),
            text("error.type", self.fault().unwrap_or_default()),
            figures.objects.and_then(|objects| count("trueup.objects", objects as u64)),
            count("trueup.changed", changed),
            count("trueup.drifted", figures.drifted as u64),
            count("trueup.not_ready", figures.not_ready as u64),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::core::metrics::{FailureClass, RoundResult};

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + milliseconds).unwrap()
    }

    fn spans(figures: &RoundFigures) -> Vec<Span> {
        let info = TargetInfo {
            target: "prod".to_owned(),
            cluster: "east".to_owned(),
            namespace: "shop".to_owned(),
            ..TargetInfo::default()
        };
        let (begin, end) = (at(0), at(4000));
        TracedRound { info: &info, id: "20261130T063107Z-0a1b2c", begin, end, figures }.spans()
    }

    fn figures() -> RoundFigures {
        let phases =
            [(Phase::Pull, 100), (Phase::Survey, 400), (Phase::Apply, 500), (Phase::Wait, 3000)];
        let phases = phases.map(|(phase, took)| (phase, Duration::from_millis(took)));
        RoundFigures {
            phases: BTreeMap::from(phases),
            commit: Some("4f2c1a9".to_owned()),
            objects: Some(12),
            changes: BTreeMap::from([(("create", "done"), 2), (("create", "failed"), 1)]),
            ..RoundFigures::of(RoundResult::AtCommit)
        }
    }

    fn times(spans: &[Span]) -> Vec<(&'static str, i64, i64)> {
        let since = |time: Timestamp| time.as_millisecond() - at(0).as_millisecond();
        spans.iter().map(|span| (span.name, since(span.begin), since(span.end))).collect()
    }

    #[test]
    fn the_parts_of_a_round_follow_one_another() {
        let spans = spans(&figures());
        let expected = [
            ("round", 0, 4000),
            ("pull", 0, 100),
            ("survey", 100, 500),
            ("apply", 500, 1000),
            ("wait", 1000, 4000),
        ];
        assert_eq!(times(&spans), expected);
        let text = |text: &str| AttributeValue::Text(text.to_owned());
        let expected = [
            ("trueup.target", text("prod")),
            ("trueup.round", text("20261130T063107Z-0a1b2c")),
            ("trueup.result", text("at-commit")),
            ("vcs.ref.head.revision", text("4f2c1a9")),
            ("k8s.cluster.name", text("east")),
            ("k8s.namespace.name", text("shop")),
            ("trueup.objects", AttributeValue::Count(12)),
            ("trueup.changed", AttributeValue::Count(2)),
            ("trueup.drifted", AttributeValue::Count(0)),
            ("trueup.not_ready", AttributeValue::Count(0)),
        ];
        let expected = expected.map(|(name, value)| Attribute { name, value });
        assert_eq!(spans[0].attributes, expected);
        assert!(spans[1..].iter().all(|span| span.attributes.is_empty()));
        assert!(spans.iter().all(|span| span.fault.is_none()));
    }

    #[test]
    fn a_rollback_is_a_part_of_applying() {
        let failures = vec![FailureClass::Health, FailureClass::Rollback];
        let spans = spans(&RoundFigures { failures, is_rolled_back: true, ..figures() });
        let expected =
            [("round", 0, 4000), ("pull", 0, 100), ("survey", 100, 500), ("apply", 500, 4000)];
        assert_eq!(times(&spans), expected);
        assert_eq!(spans[0].fault, Some("health"));
    }

    #[test]
    fn a_round_that_came_to_nothing_has_one_span() {
        let failures = vec![FailureClass::Connect];
        let failed = RoundFigures { failures, ..RoundFigures::of(RoundResult::Failed) };
        let spans = spans(&failed);
        assert_eq!(times(&spans), [("round", 0, 4000)]);
        assert_eq!(spans[0].fault, Some("connect"));
        let names: Vec<&str> = spans[0].attributes.iter().map(|it| it.name).collect();
        assert!(names.contains(&"error.type") && !names.contains(&"vcs.ref.head.revision"));
    }

    #[test]
    fn no_part_ends_after_its_round() {
        let mut figures = figures();
        figures.phases.insert(Phase::Wait, Duration::MAX);
        assert_eq!(times(&spans(&figures)).last(), Some(&("wait", 1000, 4000)));
    }
}
