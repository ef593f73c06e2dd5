//! kill -9 at any moment: the next run finishes the job, nothing is orphaned, nothing extra goes.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::repo::Repo;
use crate::support::sandbox;

/// How many objects the commit has, and of how many the one before it.
const OBJECTS: usize = 500;
/// How many moments are tried.
const KILLS: u32 = 20;

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

/// A random moment in the part of the run that is this kill's, so that no part goes untried.
fn moment(kill: u32, whole: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(kill) % 1000).unwrap();
    whole * (1000 * kill + random) / (1000 * KILLS)
}

#[test]
fn a_run_that_was_killed_anywhere_is_finished_by_the_next() {
    let repo = repository();
    // What undisturbed runs of the two commits come to, and how long the second takes.
    let _ = repo.run(&["apply"]).exits(0);
    let first = state(&repo);
    commit(&repo, OBJECTS / 3..OBJECTS + OBJECTS / 3, "b");
    let begin = Instant::now();
    let _ = repo.run(&["apply"]).exits(0);
    let whole = begin.elapsed();
    let second = state(&repo);
    assert_eq!((first.len(), second.len()), (OBJECTS, OBJECTS));
    assert_ne!(first, second);

    let mut cut_short = 0;
    for kill in 0..KILLS {
        let _ = repo.run(&["apply", "--rev", "HEAD~1"]).exits(0);
        assert_eq!(state(&repo), first, "the way back, before kill {kill}");
        let mut apply = repo.trueup(&["apply"]).into_inner();
        let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moment = moment(kill, whole);
        std::thread::sleep(moment);
        apply.kill().unwrap();
        let status = apply.wait().unwrap();
        cut_short += u32::from(!status.success() && state(&repo) != second);

        let next = repo.run(&["apply"]).exits(0);
        assert_eq!(state(&repo), second, "after kill {kill} at {moment:?}\n{next}");
        assert_eq!(repo.members("configmap,secret").len(), OBJECTS, "kill {kill}");
    }
    assert!(cut_short > KILLS / 4, "only {cut_short} of {KILLS} runs were cut short");
    let _ = repo.run(&["diff"]).exits(0);
}
