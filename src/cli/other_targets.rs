//! Objects that only another target of `trueup.yaml` declares: a name that leads to one of these is not
//! missing.
//!
//! Targets may be for one cluster, or for several. Those that declare the same object are for several,
//! as staging and production are: they would take it from each other in one. So what a target
//! declares counts for an object of another target unless it declares that object itself.

use std::collections::HashSet;

use super::kept::findings::CheckAnswer;
use crate::core::check::Finding;
use crate::core::object::ObjectKey;

/// The objects that there are with a target.
pub(super) type There = HashSet<ObjectKey>;

/// Takes out of each answer what another one has.
pub(super) fn settle<'a>(answers: impl Iterator<Item = &'a mut CheckAnswer>) {
    let mut answers: Vec<&mut CheckAnswer> = answers.collect();
    let is_missing = |answer: &&mut CheckAnswer| answer.findings.iter().any(is_about_missing);
    if answers.len() < 2 || !answers.iter().any(is_missing) {
        return;
    }
    let there: Vec<There> =
        answers.iter_mut().map(|it| std::mem::take(&mut it.there).into_iter().collect()).collect();
    for (index, answer) in answers.into_iter().enumerate() {
        let others = || there.iter().enumerate().filter(|(other, _)| *other != index);
        answer.findings.retain(|finding| !others().any(|(_, there)| has(there, finding)));
    }
}

/// Whether a finding is about an object that is missing.
pub(super) fn is_about_missing(finding: &Finding) -> bool {
    finding.missing.is_some()
}

/// Whether a target has the object that a finding of another target misses.
pub(super) fn has(there: &There, finding: &Finding) -> bool {
    let is_there = |key: &ObjectKey| there.contains(key);
    finding.missing.as_deref().is_some_and(is_there)
        && !finding.object.as_ref().is_some_and(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::check::{CheckRule, Level};
    use crate::core::problem::Location;

    fn key(kind: &str, name: &str) -> ObjectKey {
        let namespace = Some("shop".to_owned());
        ObjectKey { group: String::new(), kind: kind.to_owned(), namespace, name: name.to_owned() }
    }

    fn answer(pod: &str, missing: &[&str], there: &[&str]) -> CheckAnswer {
        let finding = |name: &&str| Finding {
            level: Level::Warning,
            rule: CheckRule::Reference,
            place: Location { path: "a.yaml".to_owned(), line: 1, column: 1 },
            object: Some(key("Pod", pod)),
            field: None,
            message: (*name).to_owned(),
            hint: None,
            missing: Some(Box::new(key("ConfigMap", name))),
        };
        let findings = missing.iter().map(finding).collect();
        let objects = there.iter().map(|name| key("ConfigMap", name));
        let there = objects.chain([key("Pod", pod)]).collect();
        CheckAnswer { findings, there, ..CheckAnswer::default() }
    }

    #[test]
    fn what_another_target_declares_is_not_missing_unless_both_declare_the_same() {
        let mut answers = [
            answer("web", &["a", "b", "c"], &[]),
            answer("web", &[], &["a"]),
            answer("db", &["b"], &["b"]),
        ];
        settle(answers.iter_mut());
        let left: Vec<Vec<&str>> = answers
            .iter()
            .map(|it| it.findings.iter().map(|finding| finding.message.as_str()).collect())
            .collect();
        // The second has a web of its own, and the third does not miss what it has itself.
        assert_eq!(left, [vec!["a", "c"], vec![], vec!["b"]]);
    }
}
