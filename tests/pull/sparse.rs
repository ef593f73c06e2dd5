//! Checkouts that have only some of the files: what is left out changes in the index alone, as with
//! git.

use std::path::{Path, PathBuf};

use crate::support::git::{Upstream, git, pull};

/// An upstream with two folders, and two sparse checkouts of it that are one commit behind.
fn one_behind(patterns: &[&str]) -> (Upstream, [PathBuf; 2]) {
    let upstream = Upstream::new();
    upstream.write("apps/web.yaml", "kind: Web\n");
    upstream.write("apps/deep/db.yaml", "kind: Db\n");
    upstream.write("docs/page.md", "One\n");
    upstream.commit("Folders");
    let checkouts = ["ours", "gits"].map(|name| {
        let checkout = upstream.clone(name);
        let args = ["sparse-checkout", "set"].iter().chain(patterns);
        git(&checkout, args);
        checkout
    });
    for path in ["apps/web.yaml", "apps/new.yaml", "docs/page.md", "docs/new.md", "more/file"] {
        upstream.write(path, "changed\n");
    }
    upstream.remove("apps/deep/db.yaml");
    upstream.commit("Everywhere");
    (upstream, checkouts)
}

/// Every entry of the index with whether it is left out, and every file that is there.
fn seen(checkout: &Path) -> (String, String) {
    let files = crate::support::command::Cmd::new("find")
        .dir(checkout)
        .args([".", "-path", "./.git", "-prune", "-o", "-type", "f", "-print"]);
    let mut files: Vec<String> = files.run().exits(0).stdout.lines().map(str::to_owned).collect();
    files.sort();
    (git(checkout, ["ls-files", "-t", "--stage"]), files.join("\n"))
}

#[test]
fn pull_respects_sparse_checkout() {
    for patterns in [
        &["--cone", "apps"] as &[&str],
        &["--cone", "apps/deep"],
        &["--cone", "--sparse-index", "apps"],
        &["--cone", "--sparse-index", "docs"],
        &["--no-cone", "/*", "!/docs/"],
        &["--no-cone", "*.yaml", "!/apps/new.yaml"],
    ] {
        let (upstream, [ours, gits]) = one_behind(patterns);
        pull(&ours).run().exits(0);
        git(&gits, ["pull", "--quiet", "--ff-only"]);
        assert_eq!(git(&ours, ["rev-parse", "HEAD"]), upstream.tip());
        assert_eq!(git(&ours, ["status", "--porcelain"]), "", "{patterns:?}");
        assert_eq!(seen(&ours), seen(&gits), "{patterns:?}");
        git(&ours, ["sparse-checkout", "disable"]);
        assert_eq!(git(&ours, ["status", "--porcelain"]), "", "{patterns:?}");
    }
}

#[test]
fn a_file_that_is_there_all_the_same_is_local_work() {
    let (_upstream, [ours, _]) = one_behind(&["--cone", "apps"]);
    std::fs::create_dir_all(ours.join("docs")).unwrap();
    std::fs::write(ours.join("docs/page.md"), "mine\n").unwrap();
    let refused = pull(&ours).run().exits(1);
    assert!(refused.stderr.contains("would overwrite local work: `docs/page.md`"), "{refused}");
    assert_eq!(std::fs::read_to_string(ours.join("docs/page.md")).unwrap(), "mine\n");
}
