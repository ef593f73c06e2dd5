//! kill -9 at any moment: the next run finishes the job, nothing is orphaned, nothing extra goes.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::support::repo::Repo;
use crate::support::sandbox;

/// How many objects the commit has, and of how many the one before it.
const OBJECTS: usize = 500;
/// How many moments are tried. Every request of a smaller change is one of the faults' points.
const KILLS: u32 = 10;

/// A repository with two commits: 500 objects, of which the second changes a third, takes away a
/// third and adds as many.
fn repository() -> Repo<'static> {
    let repo = Repo::new("killed", sandbox::bare());
    commit(&repo, 0..OBJECTS, "a");
    repo
}

fn commit(repo: &Repo<'_>, numbers: std::ops::Range<usize>, value: &str) {
    let text: String = numbers
        .map(|n| {
            let value = if n % 3 == 0 { value } else { "same" };
            let kind = if n % 2 == 0 { "ConfigMap" } else { "Secret" };
            let field = if n % 2 == 0 { "data" } else { "stringData" };
            format!(
                "---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: o{n}}}\n{field}: {{key: {value}}}\n"
            )
        })
        .collect();
    repo.write("all.yaml", text).commit(value);
}

/// Every object of the namespace with its data, members or not.
fn state(repo: &Repo<'_>) -> BTreeSet<String> {
    let columns = "custom-columns=K:.kind,N:.metadata.name,D:.data.key,\
                   L:.metadata.labels.applyset\\.kubernetes\\.io/part-of";
    let table = repo.kubectl(&["get", "configmap,secret", "-o", columns, "--no-headers"]).exits(0);
    let not_ours = |line: &&str| !line.contains("kube-root-ca") && !line.contains("trueup-");
    table.stdout.lines().filter(not_ours).map(str::to_owned).collect()
}

/// A random number from 0 to 1.
fn random() -> f64 {
    f64::from(u16::try_from(RandomState::new().hash_one(0) % 1000).unwrap()) / 1000.0
}

/// Starts an apply and kills it once it has made some of its changes; says how many.
///
/// What it has made is known from its lines, so that the moment does not depend on how fast the
/// machine is. With none to wait for, it dies somewhere before its first change.
fn kill_after(repo: &Repo<'_>, changes: usize) -> usize {
    let mut apply = repo.trueup(&["apply"]).into_inner();
    let mut apply = apply.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(apply.stdout.take().unwrap()).lines();
    let seen = lines.take(changes).map_while(Result::ok).count();
    if changes == 0 {
        std::thread::sleep(Duration::from_millis(300).mul_f64(random()));
    }
    apply.kill().unwrap();
    apply.wait().unwrap();
    seen
}

#[test]
fn a_run_that_was_killed_anywhere_is_finished_by_the_next() {
    let repo = repository();
    // What undisturbed runs of the two commits come to, and how many changes the second makes.
    repo.run(&["apply"]).exits(0);
    let first = state(&repo);
    commit(&repo, OBJECTS / 3..OBJECTS + OBJECTS / 3, "b");
    let whole = repo.run(&["apply"]).exits(0).stdout.lines().count() - 2;
    let second = state(&repo);
    assert_eq!((first.len(), second.len()), (OBJECTS, OBJECTS));
    assert_ne!(first, second);

    let mut cut_short = 0;
    for kill in 0..KILLS {
        repo.run(&["apply", "--rev", "HEAD~1"]).exits(0);
        assert_eq!(state(&repo), first, "the way back, before kill {kill}");
        // A random moment in the part of the run that is this kill's, so that none goes untried.
        let part = (f64::from(kill) + random()) / f64::from(KILLS);
        let changes = if kill == 0 { 0 } else { (part * whole as f64) as usize };
        let seen = kill_after(&repo, changes);
        // Or the next run would wait until it has ended by itself; that is another test's.
        let lock = repo.parent();
        repo.kubectl(&["delete", "lease", &lock, "--ignore-not-found"]).exits(0);
        cut_short += u32::from(state(&repo) != second);

        let next = repo.run(&["apply"]).exits(0);
        assert_eq!(state(&repo), second, "after a kill at change {seen} of {whole}\n{next}");
        assert_eq!(repo.members("configmap,secret").len(), OBJECTS, "kill {kill}");
    }
    assert!(cut_short > KILLS / 2, "only {cut_short} of {KILLS} runs were cut short");
    repo.run(&["diff"]).exits(0);
}
