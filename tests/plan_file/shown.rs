//! `trueup diff --plan FILE` shows a plan file, and its checksum ties a review to it.

use std::fs;

use serde_json::Value;

use super::{apply, approve, file, has, two_commits};
use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Shows the plan file without a cluster and without a checkout.
fn show(repo: &Repo<'_>, options: &[&str]) -> Output {
    let plan = file(repo);
    let args = [&["-C", "/", "diff", "--plan", plan.to_str().unwrap()][..], options].concat();
    repo.trueup(&args).env("KUBECONFIG", "/no/such/kubeconfig").run()
}

#[test]
fn a_plan_file_is_shown_without_the_cluster_and_the_repository() {
    let repo = two_commits("plan-file-shown", sandbox::bare());
    let made = approve(&repo, &["--max-prune", "3"]);
    let sum = Cmd::new("sha256sum").args([&file(&repo)]).run().exits(0).stdout;
    let sum = sum.split_once(' ').unwrap().0;
    let line = format!("plan sha256 {sum}\n");
    assert!(made.stderr.ends_with(&line), "{made}");
    let commit = repo.git(&["rev-parse", "HEAD"]).stdout;

    let shown = show(&repo, &[]).exits(1);
    assert_eq!(shown.stdout.lines().next().unwrap().split(" @ ").nth(1), commit.get(..7));
    has(&shown.stdout, &["trueup-sandbox (cluster ", &format!("    commit {}", commit.trim())]);
    has(
        &shown.stdout,
        &["    allowed: --max-prune 3", "+ v1 ConfigMap plan-file-shown/new · create"],
    );
    has(&shown.stdout, &["~ apps/v1 Deployment plan-file-shown/web · update"]);
    has(&shown.stdout, &["- v1 ConfigMap plan-file-shown/old · delete"]);
    has(&shown.stdout, &["1 to create, 2 to update, 1 to delete · the file holds no values"]);
    assert_eq!(shown.stderr, line);
    show(&repo, &["--exit-zero"]).exits(0);

    // In the same order and words as the diff that made it.
    let names = repo.run(&["diff", "-o", "name"]).exits(1).stdout;
    assert_eq!(show(&repo, &["-o", "name"]).exits(1).stdout, names);
    let json: Value = serde_json::from_str(&show(&repo, &["-o", "json"]).exits(1).stdout).unwrap();
    assert_eq!(
        (json["plan_sha256"].as_str(), json["changes"][0]["action"].as_str()),
        (Some(sum), Some("update"))
    );
    assert_eq!(json["purpose"]["commit"], commit.trim());

    // The comment on a pull request and the file that it speaks of.
    let comment = approve(&repo, &["--max-prune", "3", "-o", "markdown"]).stdout;
    let tie = format!("\nPlan file: sha256 <code>{sum}</code>\n");
    has(&comment, &[&tie]);
    let markdown = show(&repo, &["-o", "markdown"]).exits(1).stdout;
    has(&markdown, &[&tie, "| - delete | <code>ConfigMap plan-file-shown/old</code> |"]);

    let github = show(&repo, &["-o", "github"]).exits(2);
    has(&github.stderr, &["-o github needs the place of each object"]);
    let other = show(&repo, &["--target", "two"]).exits(2);
    has(&other.stderr, &["the plan is for target", "not two"]);
    let both = show(&repo, &["--rev", "HEAD"]).exits(2);
    has(&both.stderr, &["cannot be used with"]);

    let applied = apply(&repo, &[]).exits(0);
    assert_eq!(applied.stderr, line);
}

#[test]
fn a_plan_file_that_was_tampered_with_is_not_shown() {
    let repo = two_commits("plan-file-tampered", sandbox::bare());
    has(&show(&repo, &[]).exits(2).stderr, &["cannot read the plan file", "make it first"]);
    approve(&repo, &[]);
    let text = fs::read_to_string(file(&repo)).unwrap();
    for (broken, says) in [
        (text.replace("\"delete\"", "\"keep\""), "it was changed since trueup wrote it"),
        ("{}".to_owned(), "it is JSON, but not a trueup plan"),
        (text[..99].to_owned(), "it is not JSON, or it is truncated"),
    ] {
        fs::write(file(&repo), broken).unwrap();
        let output = show(&repo, &[]).exits(2);
        assert_eq!(output.stdout, "", "{output}");
        has(&output.stderr, &[says]);
    }
}
