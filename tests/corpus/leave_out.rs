//! Which files can't stand in one cluster together. The rule, again and again until nothing is
//! left to leave out:
//!
//! 1. what makes a folder one to be rendered, so that its manifests are read as they stand: what
//!    is rendered is another test's; a file with a Job that is deleted as soon as it has finished: it is never there for long, so
//!    nothing can be true to it; a file with a document that is no manifest or of a kind that
//!    nobody defines;
//! 2. of two files that declare the same object, the later one;
//! 3. once every namespace that is used is there: a file with an object that the API server
//!    refuses, on a dry run, when it is applied, or after everything else was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::answer::{Answer, answer};
use crate::support::repo::Repo;

/// Paths of files, and why they are left out.
type LeftOut = BTreeMap<String, String>;

/// Leaves out what trueup says is unsound before anything is applied.
pub fn what_is_unsound(repo: &Repo<'_>, files: &[String], left_out: &mut LeftOut) {
    left_out.extend(markers(files));
    left_out.extend(short_lived(repo, files));
    loop {
        ignore(repo, left_out);
        let diff = answer(repo, &["diff"]);
        let mut more = unreadable(&diff);
        if more.is_empty() {
            more = later_twins(&diff);
        }
        if more.is_empty() {
            if make_namespaces(repo, &diff) {
                continue;
            }
            more = refused(&diff);
        }
        if more.is_empty() {
            return;
        }
        left_out.extend(more);
    }
}

/// The files of objects that could not be applied.
pub fn failed(apply: &Answer) -> LeftOut {
    let steps = apply.report.iter().flat_map(|report| &report.steps);
    let failed = steps.filter(|step| step.outcome == "failed").map(|step| {
        let change = apply.changes.iter().find(|change| change.object == step.object).unwrap();
        let origin = change.origin.as_ref().unwrap_or_else(|| panic!("not declared: {step:?}"));
        let reason = step.reason.as_deref().unwrap_or_default();
        (origin.path.clone(), format!("{} {}: {reason}", step.object.kind, step.object.name))
    });
    failed.collect()
}

/// The files of objects that are refused.
pub fn refused(diff: &Answer) -> LeftOut {
    let refused = diff.changes.iter().filter(|change| change.action == "refuse").map(|change| {
        let origin = change.origin.as_ref().unwrap_or_else(|| panic!("not declared: {change:?}"));
        let reason = change.reason.as_deref().unwrap_or_default();
        (origin.path.clone(), format!("{} {}: {reason}", change.object.kind, change.object.name))
    });
    refused.collect()
}

/// Prints every file that is left out, with the first reason for it.
#[allow(clippy::print_stdout, reason = "whoever runs this looks at the reasons")]
pub fn print(folder: &str, left_out: &LeftOut) {
    for (path, reason) in left_out {
        let reason = reason.lines().next().unwrap_or_default();
        println!("left out of {folder}: {path}: {reason:.200}");
    }
}

fn ignore(repo: &Repo<'_>, left_out: &LeftOut) {
    let lines: String = left_out.keys().map(|path| format!("/{path}\n")).collect();
    repo.write(".trueupignore", lines).commit("Leave out what is unsound");
}

fn markers(files: &[String]) -> LeftOut {
    let names = ["kustomization.yaml", "kustomization.yml", "Kustomization", "Chart.yaml"];
    let is_marker = |path: &&String| names.contains(&path.rsplit('/').next().unwrap());
    let reason = "its folder is read as it stands";
    files.iter().filter(is_marker).map(|path| (path.clone(), reason.to_owned())).collect()
}

fn short_lived(repo: &Repo<'_>, files: &[String]) -> LeftOut {
    let at_once = "ttlSecondsAfterFinished: 0";
    let says_so = |path: &&String| {
        String::from_utf8_lossy(&fs::read(repo.path().join(path)).unwrap()).contains(at_once)
    };
    files.iter().filter(says_so).map(|path| (path.clone(), at_once.to_owned())).collect()
}

fn unreadable(diff: &Answer) -> LeftOut {
    let problems = diff.problems.iter().filter(|problem| twin_of(&problem.message).is_none());
    problems.map(|problem| (problem.path.clone(), problem.message.clone())).collect()
}

/// The later files of twins; one whose earlier twin goes itself may stay for now.
fn later_twins(diff: &Answer) -> LeftOut {
    let mut later = LeftOut::new();
    let mut problems: Vec<_> = diff.problems.iter().collect();
    problems.sort_by_key(|problem| &problem.path);
    for problem in problems {
        let earlier = twin_of(&problem.message).unwrap();
        if !later.contains_key(earlier) {
            later.insert(problem.path.clone(), problem.message.clone());
        }
    }
    later
}

/// The path of the other declaration, if the message is about an object that is declared twice.
fn twin_of(message: &str) -> Option<&str> {
    let (_, place) = message.split_once(" is declared twice, here and at ")?;
    place.rsplitn(3, ':').last()
}

/// Makes the namespaces that are used and not declared, as a person would; says whether there
/// were any.
fn make_namespaces(repo: &Repo<'_>, diff: &Answer) -> bool {
    let there = repo.kubectl(&["get", "namespaces", "-o", "name"]).exits(0).stdout;
    let there = there.lines().filter_map(|line| line.strip_prefix("namespace/"));
    let declared = diff.changes.iter().filter(|change| change.object.kind == "Namespace");
    let declared = declared.map(|change| change.object.name.as_str());
    let known: BTreeSet<&str> = there.chain(declared).collect();
    let used: BTreeSet<&str> =
        diff.changes.iter().filter_map(|change| change.object.namespace.as_deref()).collect();
    let missing: Vec<&str> = used.difference(&known).copied().collect();
    for name in &missing {
        repo.plane().create_namespace(name);
    }
    !missing.is_empty()
}
