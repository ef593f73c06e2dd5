//! What a pull refuses, so that no work is lost, and what it can't do.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::git::{Upstream, assert_refused, git, pull, write};

/// An upstream whose next commit changes `web.yaml`, deletes `envs` and adds `new/api.yaml`, and a
/// checkout that is one commit behind.
fn one_behind() -> (Upstream, std::path::PathBuf) {
    let upstream = Upstream::new();
    upstream.write(".gitignore", "*.ignored\nignored/\n");
    upstream.commit("Ignore some");
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.write("new/api.yaml", "kind: Api\n");
    upstream.write("a.ignored", "tracked now\n");
    git(upstream.work(), ["add", "--force", "a.ignored"]);
    upstream.remove("envs");
    upstream.commit("Change, add, delete");
    (upstream, checkout)
}

/// Everything about a checkout that must not change.
fn state(checkout: &Path) -> String {
    let status = git(checkout, ["status", "--porcelain", "--ignored"]);
    let head = git(checkout, ["rev-parse", "HEAD"]);
    let diff = git(checkout, ["diff", "HEAD"]);
    format!("{head}\n{status}\n{diff}")
}

#[track_caller]
fn refuses(checkout: &Path, says: &[&str]) {
    let before = state(checkout);
    let output = pull(checkout).run();
    assert_refused(&output, 1, says);
    assert_eq!(state(checkout), before);
    assert!(!checkout.join(".git/index.lock").exists());
    assert!(!checkout.join(".git/trueup-staging").exists());
}

#[test]
fn a_changed_file_that_the_update_changes() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("web.yaml"), "kind: Mine\n");
    refuses(&checkout, &["local work: `web.yaml` (changed)", "git stash -u"]);
}

#[test]
fn a_refusal_as_json() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("web.yaml"), "kind: Mine\n");

    pull(&checkout).args(["-o", "json"]).run().shows("pull/json-refused").exits(1);
}

#[test]
fn a_staged_file_that_the_update_changes() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("web.yaml"), "kind: Mine\n");
    git(&checkout, ["add", "web.yaml"]);
    write(checkout.join("web.yaml"), "kind: Web\n");
    refuses(&checkout, &["local work: `web.yaml` (staged)"]);
}

#[test]
fn a_changed_file_that_the_update_deletes() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("envs/prod/db.yaml"), "kind: Mine\n");
    refuses(&checkout, &["`envs/prod/db.yaml` (changed)"]);
}

#[test]
fn a_file_that_was_made_executable() {
    use std::os::unix::fs::PermissionsExt;
    let (_upstream, checkout) = one_behind();
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(checkout.join("web.yaml"), mode).unwrap();
    refuses(&checkout, &["`web.yaml` (changed)"]);
}

#[test]
fn untracked_and_ignored_files_in_the_way() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("new/api.yaml"), "kind: Mine\n");
    write(checkout.join("a.ignored"), "mine\n");
    refuses(
        &checkout,
        &[
            "`a.ignored` (untracked), `new/api.yaml` (untracked)",
            "move or delete what is in the way",
        ],
    );
}

#[test]
fn an_untracked_file_where_a_folder_must_be() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("new"), "mine\n");
    refuses(&checkout, &["`new` (untracked)"]);
}

#[test]
fn a_link_where_a_folder_must_be_is_not_followed() {
    let (upstream, checkout) = one_behind();
    let outside = upstream.folder().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, checkout.join("new")).unwrap();
    refuses(&checkout, &["`new` (untracked)"]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn a_folder_that_became_a_link_loses_nothing_behind_it() {
    let (upstream, checkout) = one_behind();
    let outside = upstream.folder().join("outside");
    fs::rename(checkout.join("envs"), &outside).unwrap();
    symlink(&outside, checkout.join("envs")).unwrap();

    pull(&checkout).run().exits(0);

    let kept = fs::read_to_string(outside.join("prod/db.yaml")).unwrap();
    assert_eq!(kept, "kind: Db\n");
}

#[test]
fn an_untracked_file_in_a_folder_that_becomes_a_file() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.remove("envs");
    upstream.write("envs", "a file now\n");
    upstream.commit("A file now");
    write(checkout.join("envs/prod/notes"), "mine\n");
    refuses(&checkout, &["`envs/prod/notes` (untracked)"]);
}

#[test]
fn a_branch_that_diverged() {
    let (_upstream, checkout) = one_behind();
    write(checkout.join("mine.yaml"), "kind: Mine\n");
    git(&checkout, ["add", "."]);
    git(&checkout, ["commit", "--quiet", "--message", "Mine"]);
    refuses(
        &checkout,
        &[
            "`main` and `origin/main` have diverged: 1 commit only here, 1 commit only there",
            "git reset --hard origin/main",
        ],
    );
}

#[test]
fn an_upstream_that_was_rewritten() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    git(upstream.work(), ["commit", "--quiet", "--amend", "--message", "Rewritten"]);
    let rewritten = upstream.commit("And more");
    // Each time: the fetch has moved `origin/main` on the first.
    for _ in 0..2 {
        let said = "`origin/main` was force-pushed from";
        refuses(&checkout, &[said, "it lacks 1 commit", "trueup pull --allow-rewind"]);
    }
    assert_eq!(git(&checkout, ["rev-parse", "origin/main"]), rewritten);
    pull(&checkout).args(["--allow-rewind"]).run().exits(0);
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), rewritten);
    assert_eq!(git(&checkout, ["status", "--porcelain"]), "");
}

#[test]
fn an_upstream_that_was_moved_back() {
    let upstream = Upstream::new();
    let first = git(upstream.work(), ["rev-parse", "HEAD"]);
    upstream.write("more", "more\n");
    upstream.commit("More");
    let checkout = upstream.clone("checkout");
    git(upstream.work(), ["reset", "--quiet", "--hard", &first]);
    git(upstream.work(), ["push", "--quiet", "--force", "origin", "HEAD:main"]);
    refuses(&checkout, &["`origin/main` was force-pushed from", "it lacks 1 commit"]);
    // Work of here is not dropped either.
    write(checkout.join("more"), "mine\n");
    pull(&checkout).args(["--allow-rewind"]).run().exits(1);
    git(&checkout, ["checkout", "--quiet", "--", "more"]);
    pull(&checkout).args(["--allow-rewind"]).run().exits(0);
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), first);
    assert!(!checkout.join("more").exists());
}

#[test]
fn a_branch_that_is_ahead_has_nothing_to_do() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    git(&checkout, ["commit", "--quiet", "--allow-empty", "--message", "Mine"]);
    let head = git(&checkout, ["rev-parse", "--short=7", "HEAD"]);

    let output = pull(&checkout).run().exits(0);

    assert_eq!(output.stdout, format!("main is 1 commit ahead of its upstream @ {head}\n"));
}

#[test]
fn an_unfinished_merge() {
    let (upstream, checkout) = one_behind();
    git(&checkout, ["switch", "--quiet", "--create", "mine"]);
    write(checkout.join("web.yaml"), "kind: Mine\n");
    git(&checkout, ["commit", "--quiet", "--all", "--message", "Mine"]);
    git(&checkout, ["switch", "--quiet", "main"]);
    write(checkout.join("web.yaml"), "kind: Ours\n");
    git(&checkout, ["commit", "--quiet", "--all", "--message", "Ours"]);
    let merge = crate::support::command::Cmd::new("git").dir(&checkout).args(["merge", "mine"]);
    merge.run().exits(1);
    git(&checkout, ["push", "--quiet", "--force", "origin", "main"]);
    git(upstream.work(), ["pull", "--quiet", "--rebase", "--strategy-option=ours"]);
    upstream.commit("On top of ours");
    refuses(&checkout, &["`web.yaml` has an unfinished merge"]);
}

/// Could not, as opposed to would not.
#[track_caller]
fn cannot(checkout: &Path, says: &[&str]) {
    assert_refused(&pull(checkout).run(), 2, says);
}

#[test]
fn no_branch_to_move() {
    let (_upstream, checkout) = one_behind();
    git(&checkout, ["checkout", "--quiet", "--detach"]);
    cannot(&checkout, &["HEAD is detached at", "git switch BRANCH"]);
}

#[test]
fn no_remote_to_pull_from() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "remove", "origin"]);
    cannot(&checkout, &["branch `main` has no remote to pull from", "git remote add origin URL"]);
}

#[test]
fn a_branch_that_is_gone_from_the_remote() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    git(upstream.work(), ["switch", "--quiet", "--create", "trunk"]);
    upstream.commit("Trunk");
    git(upstream.bare(), ["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    git(upstream.work(), ["push", "--quiet", "origin", "--delete", "main"]);
    cannot(&checkout, &["has no branch `main`", "it has `trunk`"]);
}

#[test]
fn a_remote_without_commits() {
    let upstream = Upstream::empty();
    git(upstream.folder(), ["clone", "--quiet", "shop.git", "checkout"]);
    cannot(&upstream.folder().join("checkout"), &["has no commits yet", "push a commit"]);
}

#[test]
fn a_remote_that_is_not_there() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    fs::rename(upstream.bare(), upstream.folder().join("moved.git")).unwrap();
    cannot(&checkout, &["cannot fetch from file://", "because:"]);
}

#[test]
fn pull_outside_a_repository_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    cannot(folder.path(), &["is not in a git repository", "trueup pull -C DIR --url URL"]);
    cannot(&folder.path().join("nowhere"), &["is not in a git repository"]);
}

#[test]
fn an_index_that_another_git_works_with() {
    let (_upstream, checkout) = one_behind();
    fs::write(checkout.join(".git/index.lock"), "").unwrap();
    cannot(&checkout, &["index.lock exists: another git process uses the checkout"]);
    assert!(checkout.join(".git/index.lock").exists(), "it is not ours to remove");
}
