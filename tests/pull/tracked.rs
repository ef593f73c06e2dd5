//! Refs that targets track: what a pull brings of them, what it says, and what it refuses.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::command::Cmd;
use crate::support::git::{Upstream, assert_clean_at, git, pull};
use crate::support::http::GitServer;
use crate::support::ssh::Sshd;

const TARGETS: &str = "targets:
  plain: {paths: [.]}
  prod: {paths: [.], ref: release}
  shop: {paths: [.], ref: {semver: \">=1.2 <2\", tag-prefix: shop-}}
";

/// An upstream with targets, a branch `release` and a tag, and a checkout of it.
fn tracking() -> (Upstream, PathBuf) {
    let upstream = Upstream::new();
    upstream.write("trueup.yaml", TARGETS);
    upstream.commit("Targets");
    git(upstream.work(), ["push", "--quiet", "origin", "HEAD:refs/heads/release"]);
    tag(&upstream, "shop-v1.2.0");
    let checkout = upstream.folder().join("ours");
    pull(&checkout).args(["--url", &upstream.url()]).run().exits(0);
    (upstream, checkout)
}

fn tag(upstream: &Upstream, name: &str) {
    git(upstream.work(), ["tag", "--force", "--annotate", "--message", name, name]);
    git(upstream.work(), ["push", "--quiet", "--force", "origin", &format!("refs/tags/{name}")]);
}

/// Has the branch `release` of the remote be at the author's commit.
fn release(upstream: &Upstream) {
    git(upstream.work(), ["push", "--quiet", "--force", "origin", "HEAD:refs/heads/release"]);
}

fn short(commit: &str) -> &str {
    &commit[..7]
}

fn at(checkout: &Path, name: &str) -> String {
    git(checkout, ["rev-parse", &format!("{name}^{{commit}}")])
}

#[test]
fn what_targets_track_comes_and_nothing_else() {
    let (upstream, checkout) = tracking();
    git(upstream.work(), ["push", "--quiet", "origin", "HEAD:refs/heads/other"]);
    tag(&upstream, "v9.9.9");
    let refs = || git(&checkout, ["for-each-ref", "--format=%(refname)"]);
    let expected = "refs/heads/main\nrefs/remotes/origin/HEAD\nrefs/remotes/origin/main\n\
                    refs/remotes/origin/release\nrefs/tags/shop-v1.2.0";
    assert_eq!(refs(), expected);

    let before = upstream.tip();
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second");
    let after = upstream.commit("Third");
    release(&upstream);
    for name in ["shop-v1.3.0", "shop-v1.4.0", "shop-v2.0.0", "shop-latest"] {
        tag(&upstream, name);
    }
    let output = pull(&checkout).run().exits(0);
    let (from, to) = (short(&before), short(&after));
    let said = format!(
        "main {from}..{to} (2 commits, 1 file)\nprod: release {from}..{to}, 2 commits\n\
         shop: shop-v1.2.0 → shop-v1.4.0, 2 commits\n"
    );
    assert_eq!(output.stdout, said);
    assert_eq!(refs(), format!("{expected}\nrefs/tags/shop-v1.4.0"));
    assert_clean_at(&checkout, &after);
    let again = pull(&checkout).run().exits(0);
    assert_eq!(again.stdout, format!("main is up to date @ {to}\n"));

    // A tracked branch moves though the checked-out one does not.
    git(upstream.work(), ["checkout", "--quiet", "-b", "hotfix"]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 3\n");
    let hotfix = upstream.commit("Hotfix");
    release(&upstream);
    let output = pull(&checkout).args(["-o", "json"]).run().exits(0);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let wanted = serde_json::json!([{
        "target": "prod", "from": "release", "to": "release", "before": after, "after": hotfix,
        "commits": 1,
    }]);
    assert_eq!(answer["tracked"], wanted);
    assert_eq!(answer["git"]["polls"], 2, "one lists all, one fetches");
    assert_clean_at(&checkout, &after);
    let quiet = pull(&checkout).args(["-o", "json"]).run().exits(0);
    let answer: Value = serde_json::from_str(&quiet.stdout).unwrap();
    assert_eq!(answer["git"]["polls"], 1, "{quiet}");
    let render = Cmd::trueup().args(["render", "--target", "prod"]).dir(&checkout).run();
    assert!(!render.stderr.contains("error: target"), "{render}");
}

#[test]
fn over_every_transport() {
    let sshd = Sshd::start();
    let (upstream, checkout) = tracking();
    let http = GitServer::http(upstream.folder());
    let https = GitServer::https(upstream.folder(), None);
    let authority = upstream.folder().join("ca.pem");
    std::fs::write(&authority, https.authority()).unwrap();
    let path = upstream.bare().to_string_lossy().into_owned();
    let urls = [
        upstream.url(),
        path,
        sshd.url(&upstream.bare()),
        http.url("shop.git"),
        https.url("shop.git"),
    ];
    for (number, url) in urls.iter().enumerate() {
        git(&checkout, ["remote", "set-url", "origin", url]);
        upstream.write("web.yaml", &format!("kind: Web\nreplicas: {number}\n"));
        let after = upstream.commit("Another");
        release(&upstream);
        let name = format!("shop-v1.3.{number}");
        tag(&upstream, &name);
        let output = pull(&checkout)
            .env("GIT_SSH_COMMAND", sshd.command())
            .env("GIT_SSL_CAINFO", &authority)
            .run()
            .exits(0);
        assert!(output.stdout.contains("prod: release "), "{url}: {output}");
        assert!(output.stdout.contains(&format!("→ {name}")), "{url}: {output}");
        assert_eq!(at(&checkout, "refs/remotes/origin/release"), after, "{url}");
        assert_eq!(at(&checkout, &name), after, "{url}");
    }
}

#[test]
fn what_moves_back_is_refused_until_it_is_allowed() {
    let (upstream, checkout) = tracking();
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let good = upstream.commit("Good");
    release(&upstream);
    tag(&upstream, "shop-v1.5.0");
    pull(&checkout).run().exits(0);

    git(upstream.work(), ["checkout", "--quiet", "-b", "rewritten", "HEAD~1"]);
    upstream.write("web.yaml", "kind: Rewritten\n");
    let rewritten = upstream.commit("Rewritten");
    release(&upstream);
    tag(&upstream, "shop-v1.5.0");
    let refused = pull(&checkout).run().exits(1);
    let (from, to) = (short(&good), short(&rewritten));
    for message in [
        format!(
            "prod: branch `release` was force-pushed from {from} to {to}, which loses 1 commit"
        ),
        format!("shop: tag shop-v1.5.0 moved from {from} to {to}"),
        format!("{from} stays in use; if this is intended: trueup pull --allow-rewind"),
    ] {
        assert!(refused.stderr.contains(&message), "{message}: {refused}");
    }
    assert_eq!(at(&checkout, "refs/remotes/origin/release"), good);
    assert_eq!(at(&checkout, "shop-v1.5.0"), good);
    let json = pull(&checkout).args(["-o", "json"]).run().exits(1);
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(answer["refused"].as_array().unwrap().len(), 2, "{json}");

    let allowed = pull(&checkout).args(["--allow-rewind"]).run().exits(0);
    assert!(allowed.stdout.contains(&format!("prod: release {from}..{to}")), "{allowed}");
    assert_eq!(at(&checkout, "refs/remotes/origin/release"), rewritten);
    assert_eq!(at(&checkout, "shop-v1.5.0"), rewritten);
}

#[test]
fn what_is_gone_is_told() {
    let (upstream, checkout) = tracking();
    tag(&upstream, "shop-v1.5.0");
    pull(&checkout).run().exits(0);
    let commit = upstream.tip();
    git(
        upstream.work(),
        ["push", "--quiet", "origin", ":refs/heads/release", ":refs/tags/shop-v1.5.0"],
    );
    let refused = pull(&checkout).run().exits(1);
    for message in [
        "has no branch `release` any more".to_owned(),
        format!("prod stays at {}; push the branch again, or track another ref", short(&commit)),
        "has no tag shop-v1.5.0 any more".to_owned(),
    ] {
        assert!(refused.stderr.contains(&message), "{message}: {refused}");
    }
    assert_eq!(at(&checkout, "shop-v1.5.0"), commit);
    pull(&checkout).args(["--allow-rewind"]).run().exits(1);
    let tags = git(&checkout, ["tag", "--list"]);
    assert_eq!(tags, "shop-v1.2.0", "an older version counts once it is allowed");

    upstream.write("trueup.yaml", "targets:\n  prod: {paths: [.], ref: nowhere}\n");
    upstream.commit("Nowhere");
    let refused = pull(&checkout).run().exits(1);
    assert!(refused.stderr.contains("has no branch and no tag `nowhere`"), "{refused}");
}

#[test]
fn a_tracked_branch_that_is_checked_out_does_not_move_back_either() {
    let (upstream, checkout) = tracking();
    upstream.write("trueup.yaml", "targets:\n  prod: {paths: [.], ref: main}\n");
    let good = upstream.commit("Tracks main");
    pull(&checkout).run().exits(0);
    git(upstream.work(), ["reset", "--quiet", "--hard", "HEAD~1"]);
    upstream.write("web.yaml", "kind: Rewritten\n");
    upstream.commit("Rewritten");
    let refused = pull(&checkout).run().exits(1);
    assert!(refused.stderr.contains("`origin/main` was force-pushed"), "{refused}");
    assert_eq!(at(&checkout, "refs/remotes/origin/main"), good);
}

#[test]
fn what_a_pull_can_not_bring_is_one_warning_each() {
    let (upstream, checkout) = tracking();
    let missing = "4f2c1a9000000000000000000000000000000000";
    upstream.write(
        "trueup.yaml",
        &format!("targets:\n  both: {{paths: [.], ref: release}}\n  old: {{paths: [.], ref: {missing}}}\n"),
    );
    upstream.commit("Others");
    tag(&upstream, "release");
    git(&checkout, ["fetch", "--quiet", "origin", "tag", "release"]);
    let said = pull(&checkout).run().exits(0).stderr;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let both = "warning: trueup.yaml:2:27: target both: `release` is both a branch and a tag (write \
                refs/heads/release or refs/tags/release in trueup.yaml)";
    let old = format!(
        "warning: trueup.yaml:3:26: target old: the checkout has no commit 4f2c1a9 (fetch a branch that \
         has it, or the commit: git fetch origin {missing})"
    );
    assert_eq!(said, format!("{both} {old}"));

    upstream.write("trueup.yaml", "targets:\n  prod: {paths: [.], ref: release, refs: x}\n");
    let broken = upstream.commit("Broken");
    let said = pull(&checkout).run().exits(0).stderr;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.starts_with("warning: trueup.yaml:2:"), "{said}");
    let remedy = format!(
        "in {}, so that no tracked ref was pulled (correct trueup.yaml, commit and pull again)",
        short(&broken)
    );
    assert!(said.contains("unknown key") && said.ends_with(&remedy), "{said}");
}
