//! Published manifests of real projects on a real API server with controllers: what is sound in
//! them is applied, applied again without a write, pruned by half and emptied.
//!
//! What is not sound is left out by the rule of [`leave_out`], and how many files that are is part
//! of what is expected: a trueup that refuses more than it should is noticed.

mod answer;
mod halve;
mod leave_out;
mod members;
mod project;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::support::repo::Repo;
use crate::support::sandbox::Plane;
use answer::{Answer, Key, answer};
use members::Members;
use project::{Corpus, PROJECTS, Project};
use table::{Cost, Row};

/// Words for every kind that is guarded; what is meant to go here goes.
const ALLOW: [&str; 8] = [
    "--allow-delete",
    "Namespace",
    "--allow-delete",
    "CustomResourceDefinition",
    "--allow-delete",
    "PersistentVolume",
    "--allow-delete",
    "PersistentVolumeClaim",
];

#[test]
#[ignore = "reads published manifests: set TRUEUP_CORPUS"]
fn published_manifests_are_applied_kept_pruned_and_emptied() {
    let corpus = Corpus::find();
    let rows: Vec<Row> = PROJECTS.iter().map(|project| live_through(project, &corpus)).collect();
    table::print(&rows);
    for (project, row) in PROJECTS.iter().zip(&rows) {
        assert_eq!(row.left_out, project.left_out, "files left out of {}", project.folder);
    }
}

/// A project's whole life in one cluster.
fn live_through(project: &Project, corpus: &Corpus) -> Row {
    let (begin, files) = (Instant::now(), corpus.files(project));
    let mut left_out = BTreeMap::new();
    loop {
        // A cluster of its own, so that one project's webhooks don't judge another's objects; and
        // a new one whenever something more is left out, so that nothing is left of the attempt.
        let plane = Plane::start(&["--controllers"]).unwrap();
        let repo = corpus.check_out(project, &plane);
        leave_out::what_is_unsound(&repo, &files, &mut left_out);
        let Some(applied) = apply_all(&repo, &mut left_out) else { continue };
        leave_out::print(project.folder, &left_out);

        let (again, writes) = apply_again(&repo, &plane);
        let (prune, pruned) = prune_half(&repo, &applied);
        let emptied = empty(&repo);
        return Row {
            project: project.folder.to_owned(),
            files: files.len(),
            left_out: left_out.len(),
            objects: applied.first.changes.len(),
            apply: Cost::of(&applied.first),
            diff: Cost::of(&applied.diff),
            again: Cost::of(&again),
            writes,
            pruned,
            prune: Cost::of(&prune),
            empty: Cost::of(&emptied),
            all: begin.elapsed(),
        };
    }
}

/// A commit that was made true.
struct Applied {
    /// What the first apply said.
    first: Answer,
    /// What the diff after it said.
    diff: Answer,
}

/// Applies everything, and looks whether it is true; nothing when more had to be left out.
fn apply_all(repo: &Repo<'_>, left_out: &mut BTreeMap<String, String>) -> Option<Applied> {
    let first = answer(repo, &["apply"]);
    let failed = leave_out::failed(&first);
    if !failed.is_empty() {
        left_out.extend(failed);
        return None;
    }
    assert_eq!(first.status, 0, "apply came to nothing, and nothing failed: {first:?}");
    let diff = answer(repo, &["diff"]);
    let refused = leave_out::refused(&diff);
    if !refused.is_empty() {
        left_out.extend(refused);
        return None;
    }
    assert_eq!(diff.status, 0, "not the same after apply: {:#?}", diff.changes);
    let verified = answer(repo, &["diff", "--verify"]);
    assert_eq!(verified.status, 0, "proven to be the same: {:#?}", verified.changes);
    Some(Applied { first, diff })
}

/// A second apply, which finds nothing to write; and how many writes the API server had from it.
fn apply_again(repo: &Repo<'_>, plane: &Plane) -> (Answer, usize) {
    let begin = plane.audit_log.count();
    let again = answer(repo, &["apply"]);
    assert_eq!(again.status, 0, "{again:#?}");
    let requests = plane.audit_log.requests_after(begin);
    let ours = requests.iter().filter(|request| request.is_ours());
    let (writes, reads): (Vec<_>, Vec<_>) = ours.partition(|request| request.is_write());
    assert_eq!(reads.len(), again.requests, "the audit log has every request of trueup's");
    assert!(writes.is_empty(), "the second apply wrote: {writes:#?}");
    (again, writes.len())
}

/// Takes half of it out of git: exactly that goes from the cluster. Returns how much that is, too.
fn prune_half(repo: &Repo<'_>, applied: &Applied) -> (Answer, usize) {
    let mut members = Members::of(repo);
    let declared: BTreeSet<Key> =
        applied.first.changes.iter().map(|change| change.object.clone()).collect();
    assert_same(&members.find(), &declared);

    // What an ignored file declares as well would be kept.
    let ignored = std::fs::read_to_string(repo.path().join(".trueupignore")).unwrap_or_default();
    for path in ignored.lines().map(|line| line.trim_start_matches('/')) {
        repo.remove(path);
    }
    let goes = halve::take_out_half(repo, &applied.first, &members.definitions);
    assert!(!goes.is_empty() && goes.len() < declared.len(), "{} of it go", goes.len());
    repo.commit("Half of it");
    let pruned = answer(repo, &[&["apply"], &ALLOW[..]].concat());
    assert_eq!(pruned.status, 0, "{pruned:#?}");
    let stays: BTreeSet<Key> = declared.difference(&goes).cloned().collect();
    assert_same(&members.once_gone(&goes, &stays), &stays);
    assert_eq!(answer(repo, &["diff"]).status, 0);
    (pruned, goes.len())
}

/// Takes everything out of git: refused, unless it is meant.
fn empty(repo: &Repo<'_>) -> Answer {
    let mut members = Members::of(repo);
    let before = members.find();
    repo.git(&["rm", "-r", "--quiet", "--", ".", ":!.trueupignore"]);
    repo.commit("Nothing");
    let refused = repo.run(&[&["apply"], &ALLOW[..]].concat()).exits(1);
    assert!(refused.stdout.contains("--allow-empty"), "{refused}");
    assert_same(&members.find(), &before);

    let emptied = answer(repo, &[&["apply", "--allow-empty"], &ALLOW[..]].concat());
    assert_eq!(emptied.status, 0, "{emptied:#?}");
    members.once_gone(&before, &BTreeSet::new());
    emptied
}

/// Asserts that the members are those that should be there, and says which are not.
#[track_caller]
fn assert_same(members: &BTreeSet<Key>, expected: &BTreeSet<Key>) {
    let only_in = |a: &BTreeSet<Key>, b| a.difference(b).cloned().collect::<Vec<_>>();
    let (missing, extra) = (only_in(expected, members), only_in(members, expected));
    assert!(members == expected, "missing: {missing:#?}\ntoo many: {extra:#?}");
}
