//! What a pull brings, and what it says.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::command::Cmd;
use crate::support::git::{Upstream, assert_clean_at, git, pull, write};

fn short(commit: &str) -> &str {
    &commit[..7]
}

#[test]
fn new_commits_come_in_and_are_counted() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let before = upstream.tip();
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");
    upstream.write("web.yaml", "kind: Web\nreplicas: 3\n");
    upstream.write("new/api.yaml", "kind: Api\n");
    let after = upstream.commit("Third replica");

    let output = pull(&checkout).run().shows("pull/two-commits").exits(0);

    let commits = format!("{}..{}", short(&before), short(&after));
    assert!(output.stdout.contains(&commits), "{output}");
    assert_clean_at(&checkout, &after);
    assert_eq!(git(&checkout, ["rev-parse", "origin/main"]), after);
}

#[test]
fn up_to_date_pull_writes_nothing() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");

    let output = pull(&checkout).run().exits(0);

    assert_eq!(output.stdout, format!("main is up to date @ {}\n", short(&upstream.tip())));
    assert_eq!(output.stderr, "");
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn the_json_answer_has_every_key() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let before = upstream.tip();
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let after = upstream.commit("Second replica");

    let output = pull(&checkout).args(["-o", "json"]).run().exits(0);

    let mut answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let git = answer.as_object_mut().unwrap().remove("git").unwrap();
    assert_eq!(git["polls"], 2, "one for the branch, and one for the tags of a clone by git");
    assert!(git["bytes"].as_u64().unwrap() > 0, "{git}");
    let wanted = serde_json::json!({
        "version": 1, "branch": "main", "before": before, "after": after, "commits": 1,
        "authors": 1, "files": 1, "ahead": 0, "cloned": false,
    });
    assert_eq!(answer, wanted);
}

#[test]
fn every_kind_of_change_arrives_as_git_would_write_it() {
    let upstream = Upstream::new();
    upstream.write("moved.yaml", &"a line of some length\n".repeat(20));
    upstream.write("script.sh", "#!/bin/sh\n");
    upstream.write("gone/deep/down.yaml", "kind: Gone\n");
    upstream.write("file-then-folder", "I am a file\n");
    upstream.write("folder-then-file/inside.yaml", "kind: Inside\n");
    upstream.write("folder-then-link/inside.yaml", "kind: Inside\n");
    upstream.write("text.txt", "one\ntwo\n");
    symlink("web.yaml", upstream.work().join("link-then-folder")).unwrap();
    symlink("web.yaml", upstream.work().join("link-then-file")).unwrap();
    upstream.commit("Before");
    let checkout = upstream.clone("checkout");

    git(upstream.work(), ["mv", "moved.yaml", "elsewhere.yaml"]);
    for path in ["gone", "file-then-folder", "folder-then-file", "folder-then-link"] {
        upstream.remove(path);
    }
    upstream.remove("link-then-folder");
    upstream.remove("link-then-file");
    upstream.write("file-then-folder/a/b.yaml", "kind: B\n");
    upstream.write("folder-then-file", "I am a file\n");
    symlink("web.yaml", upstream.work().join("folder-then-link")).unwrap();
    upstream.write("link-then-folder/c.yaml", "kind: C\n");
    upstream.write("link-then-file", "kind: Web\n");
    upstream.write(".gitattributes", "*.txt text eol=crlf\n");
    upstream.write("text.txt", "one\nthree\n");
    upstream.write("with space/ü.yaml", "kind: Ü\n");
    let script = upstream.work().join("script.sh");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let after = upstream.commit("After");

    pull(&checkout).run().exits(0);

    assert_clean_at(&checkout, &after);
    assert_eq!(fs::read_to_string(checkout.join("text.txt")).unwrap(), "one\r\nthree\r\n");
    assert_eq!(fs::metadata(checkout.join("script.sh")).unwrap().mode() & 0o111, 0o111);
    assert!(!checkout.join("gone").exists(), "folders that became empty go too");
    assert!(checkout.join("folder-then-link").is_symlink());
    assert_eq!(fs::read_to_string(checkout.join("web.yaml")).unwrap(), "kind: Web\n");
}

#[test]
fn local_work_elsewhere_stays_as_it_is() {
    let upstream = Upstream::new();
    upstream.write("other.yaml", "kind: Other\n");
    upstream.commit("Other");
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let after = upstream.commit("Second replica");
    write(checkout.join("other.yaml"), "kind: Changed\n");
    write(checkout.join("envs/prod/db.yaml"), "kind: Staged\n");
    git(&checkout, ["add", "envs/prod/db.yaml"]);
    write(checkout.join("untracked.yaml"), "kind: Untracked\n");

    pull(&checkout).run().exits(0);

    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), after);
    let status = git(&checkout, ["status", "--porcelain"]);
    assert_eq!(status, "M  envs/prod/db.yaml\n M other.yaml\n?? untracked.yaml");
    assert_eq!(fs::read_to_string(checkout.join("other.yaml")).unwrap(), "kind: Changed\n");
}

#[test]
fn file_that_already_matches_the_update_is_accepted() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.write("new.yaml", "kind: New\n");
    upstream.remove("envs");
    let after = upstream.commit("Half of it is there already");
    write(checkout.join("web.yaml"), "kind: Web\nreplicas: 2\n");
    write(checkout.join("new.yaml"), "kind: New\n");
    fs::remove_file(checkout.join("envs/prod/db.yaml")).unwrap();

    pull(&checkout).run().exits(0);

    assert_clean_at(&checkout, &after);
}

#[test]
fn head_and_branch_have_it_in_their_reflogs() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");

    pull(&checkout).run().exits(0);

    for name in ["HEAD", "main"] {
        let log = git(&checkout, ["reflog", "show", "--format=%gs", name]);
        assert_eq!(log.lines().next(), Some("pull: Fast-forward"), "{name}");
    }
}

#[test]
fn a_branch_follows_what_is_configured_for_it() {
    let upstream = Upstream::new();
    git(upstream.work(), ["switch", "--quiet", "--create", "release/1.x"]);
    upstream.write("web.yaml", "kind: Release\n");
    let release = upstream.commit("Release");
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "rename", "origin", "shop"]);
    git(&checkout, ["switch", "--quiet", "--create", "mine", "shop/main"]);
    git(&checkout, ["branch", "--quiet", "--set-upstream-to", "shop/release/1.x"]);

    let output = pull(&checkout).run().exits(0);

    assert!(output.stdout.starts_with("mine "), "{output}");
    assert_clean_at(&checkout, &release);
}

#[test]
fn from_a_folder_of_the_checkout_all_of_it_is_pulled() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let after = upstream.commit("Second replica");

    pull(&checkout.join("envs/prod")).run().exits(0);

    assert_clean_at(&checkout, &after);
}

#[test]
fn a_clone_of_nothing_gets_the_first_commits() {
    let upstream = Upstream::empty();
    git(upstream.folder(), ["clone", "--quiet", "shop.git", "checkout"]);
    let checkout = upstream.folder().join("checkout");
    git(&checkout, ["symbolic-ref", "HEAD", "refs/heads/main"]);
    upstream.write("web.yaml", "kind: Web\n");
    let after = upstream.commit("First");

    let output = pull(&checkout).run().exits(0);

    assert_eq!(output.stdout, format!("main new @ {} (1 commit, 1 file)\n", short(&after)));
    assert_clean_at(&checkout, &after);
    assert_eq!(git(&checkout, ["reflog", "show", "--format=%gs", "HEAD"]), "pull");
}

#[test]
fn a_linked_work_tree_is_a_checkout_of_its_own() {
    let upstream = Upstream::new();
    git(upstream.work(), ["switch", "--quiet", "--create", "other"]);
    upstream.write("web.yaml", "kind: Other\n");
    upstream.commit("Other");
    let checkout = upstream.clone("checkout");
    git(&checkout, ["switch", "--quiet", "other"]);
    let linked = upstream.folder().join("linked");
    git(&checkout, ["worktree", "add", "--quiet", "../linked", "main"]);
    git(upstream.work(), ["switch", "--quiet", "main"]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let after = upstream.commit("Second replica");

    pull(&linked).run().exits(0);

    assert_eq!(git(&linked, ["rev-parse", "HEAD"]), after);
    assert_eq!(git(&linked, ["status", "--porcelain"]), "");
    assert_eq!(git(&checkout, ["status", "--porcelain"]), "");
}

#[test]
fn a_change_that_the_index_is_too_young_to_notice_stays_noticed() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.write("envs/prod/db.yaml", "kind: Other\n");
    upstream.commit("Another file");
    // Same size, and no newer than the index that knows it.
    write(checkout.join("web.yaml"), "kind: Wob\n");
    git(&checkout, ["update-index", "--assume-unchanged", "envs/prod/db.yaml"]);
    git(&checkout, ["update-index", "--no-assume-unchanged", "envs/prod/db.yaml"]);

    pull(&checkout).run().exits(0);

    assert_eq!(git(&checkout, ["status", "--porcelain"]), " M web.yaml");
}

#[test]
fn pulled_files_have_the_modes_of_git() {
    for (shared, umask, unpack) in [
        ("umask", "022", "1"),
        ("umask", "077", "1"),
        ("group", "077", "1"),
        ("all", "027", "1"),
        ("umask", "077", "100"),
        ("group", "077", "100"),
    ] {
        let upstream = Upstream::new();
        let ours = upstream.clone("ours");
        let gits = upstream.clone("gits");
        for checkout in [&ours, &gits] {
            git(checkout, ["config", "core.sharedRepository", shared]);
            git(checkout, ["config", "fetch.unpackLimit", unpack]);
        }
        upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
        upstream.commit("Second replica");
        let with_umask = |command: &str| {
            let line = format!("umask {umask}; exec {command}");
            Cmd::new("sh").args(["-c", &line]).run().exits(0);
        };
        let trueup = env!("CARGO_BIN_EXE_trueup");
        with_umask(&format!("{trueup} -C '{}' pull", ours.display()));
        with_umask(&format!("git -C '{}' fetch --quiet", gits.display()));
        let modes = |checkout: &Path| {
            let pack = fs::read_dir(checkout.join(".git/objects/pack")).unwrap();
            let files = pack.map(|entry| entry.unwrap().path());
            let tip = git(checkout, ["rev-parse", "origin/main"]);
            let loose = checkout.join(".git/objects").join(&tip[..2]).join(&tip[2..]);
            let main = checkout.join(".git/refs/remotes/origin/main");
            let files = files.chain([main].into_iter().chain(loose.exists().then_some(loose)));
            let kinds = ["pack", "idx"];
            let wanted = |path: &PathBuf| {
                path.file_name().is_some_and(|name| name.len() == 38)
                    || path.ends_with("main")
                    || kinds.iter().any(|kind| path.extension() == Some(kind.as_ref()))
            };
            let mode = |path: PathBuf| {
                let mode = fs::metadata(&path).unwrap().mode() & 0o7777;
                (path.extension().map(std::ffi::OsStr::to_owned), mode)
            };
            files.filter(wanted).map(mode).collect::<BTreeSet<_>>()
        };
        let (ours, gits) = (modes(&ours), modes(&gits));
        assert!(ours.len() >= 2, "{ours:?}");
        assert_eq!(ours, gits, "{shared} {umask} {unpack}");
    }
}

#[test]
fn files_of_utf_16_are_written_as_git_writes_them() {
    let upstream = Upstream::new();
    let attributes = "*.le working-tree-encoding=UTF-16LE\n*.be working-tree-encoding=UTF-16BE\n\
                      *.bom working-tree-encoding=UTF-16 eol=crlf\n";
    upstream.write(".gitattributes", attributes);
    // What git makes of them is the same text as UTF-8.
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let commit = |text: &str| {
        let work = upstream.work();
        fs::write(work.join("a.le"), utf_16(text)).unwrap();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        fs::write(work.join("a.be"), big).unwrap();
        let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        fs::write(work.join("a.bom"), utf_16(&marked)).unwrap();
        upstream.commit("UTF-16")
    };
    commit("one\n");
    let gits = upstream.clone("gits");
    let ours = upstream.folder().join("ours");
    pull(&ours).args(["--url", &upstream.url()]).run().exits(0);
    for text in [None, Some("two\n")] {
        if let Some(text) = text {
            let tip = commit(text);
            pull(&ours).run().exits(0);
            git(&gits, ["pull", "--quiet", "--ff-only"]);
            assert_clean_at(&ours, &tip);
        }
        for name in ["a.le", "a.be", "a.bom"] {
            let [ours, gits] = [&ours, &gits].map(|at| fs::read(at.join(name)).unwrap());
            assert_eq!(ours, gits, "{name}");
        }
    }
}
