//! The answers about several targets as one: what is found in more than one of them is there once.

use std::collections::BTreeMap;

use super::kept::findings::CheckAnswer;
use crate::core::check::Finding;
use crate::core::problem::Location;
use crate::core::source::snapshot::Revision;

/// The answers so far.
#[derive(Debug, Default)]
pub(super) struct MergedAnswer {
    /// The findings, each with the targets of `trueup.yaml` that have it.
    findings: Vec<(Finding, Vec<String>)>,
    /// The findings at a place, by their place among all.
    known: BTreeMap<Location, Vec<usize>>,
    /// How many objects were checked.
    pub(super) objects: usize,
    /// In how many files.
    pub(super) files: usize,
    /// The commit.
    pub(super) revision: Option<Revision>,
    /// How many targets could not be read.
    pub(super) failed: usize,
}

impl MergedAnswer {
    /// Adds the answer about a target, which has a name where `trueup.yaml` declares it.
    pub(super) fn add(&mut self, target: Option<&str>, answer: CheckAnswer, revision: Revision) {
        let CheckAnswer { findings, objects, files, there: _ } = answer;
        self.objects += objects;
        self.files += files;
        let dirty = revision.dirty;
        self.revision.get_or_insert(revision).dirty |= dirty;
        findings.into_iter().for_each(|finding| self.note(target, finding));
    }

    /// Adds the finding about a target that could not be read.
    pub(super) fn fail(&mut self, target: &str, finding: Finding) {
        self.failed += 1;
        self.note(Some(target), finding);
    }

    /// Adds a finding, with the target that has it.
    pub(super) fn note(&mut self, target: Option<&str>, finding: Finding) {
        let known = self.known.entry(finding.place.clone()).or_default();
        let same = known.iter().copied().find(|index| self.findings[*index].0 == finding);
        let index = same.unwrap_or_else(|| {
            known.push(self.findings.len());
            self.findings.push((finding, Vec::new()));
            self.findings.len() - 1
        });
        self.findings[index].1.extend(target.map(str::to_owned));
    }

    /// Whether there is a finding at this place.
    pub(super) fn has_any_at(&self, place: &Location) -> bool {
        self.known.contains_key(place)
    }

    /// The findings in the order of files and lines, and the targets that have each.
    pub(super) fn take(&mut self) -> (Vec<Finding>, Vec<Vec<String>>) {
        self.known.clear();
        let mut findings = std::mem::take(&mut self.findings);
        findings.sort_by(|(a, _), (b, _)| {
            (&a.place, a.level, &a.message).cmp(&(&b.place, b.level, &b.message))
        });
        findings.into_iter().unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::check::{CheckRule, Level};

    fn finding(path: &str, message: &str) -> Finding {
        Finding {
            level: Level::Warning,
            rule: CheckRule::NoSchema,
            place: Location { path: path.to_owned(), line: 1, column: 1 },
            object: None,
            field: None,
            message: message.to_owned(),
            hint: None,
            missing: None,
        }
    }

    #[test]
    fn finding_of_two_targets_is_there_once_with_both() {
        let mut merged = MergedAnswer::default();
        for (target, findings, dirty) in [
            (Some("edge"), vec![finding("b", "x"), finding("b", "y")], false),
            (Some("prod"), vec![finding("a", "x"), finding("b", "x")], true),
            (None, vec![finding("c", "x")], false),
        ] {
            let revision = Revision { dirty, ..Revision::unborn("main".to_owned()) };
            merged.add(
                target,
                CheckAnswer { findings, objects: 2, files: 1, ..CheckAnswer::default() },
                revision,
            );
        }
        assert_eq!((merged.objects, merged.files), (6, 3));
        assert!(merged.revision.as_ref().unwrap().dirty);
        let (findings, found_in) = merged.take();
        let texts: Vec<String> =
            findings.iter().map(|it| format!("{} {}", it.place.path, it.message)).collect();
        assert_eq!(texts, ["a x", "b x", "b y", "c x"]);
        assert_eq!(found_in, [vec!["prod"], vec!["edge", "prod"], vec!["edge"], vec![]]);
    }
}
