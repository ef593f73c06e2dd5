//! Work trees in which folders became links and files became pipes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::command::{Cmd, Output};
use crate::support::git::git;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A checkout with `apps/web/one.yaml` and `two.yaml`.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("shop");
    fs::create_dir_all(dir.join("apps/web")).unwrap();
    git(&dir, ["init", "--quiet", "--initial-branch=main"]);
    fs::write(dir.join("apps/web/one.yaml"), config("one", "1")).unwrap();
    fs::write(dir.join("two.yaml"), config("two", "1")).unwrap();
    git(&dir, ["add", "--all"]);
    git(&dir, ["commit", "--quiet", "--message", "Two"]);
    folder
}

/// Runs trueup; one that waits for a pipe is ended, and then has no status of its own.
fn trueup(dir: &Path, args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_trueup");
    Cmd::new("timeout").args(["120", program]).args(args).dir(dir).run()
}

/// Some verbs answer with the problems, others have them beside the answer.
fn says(output: &Output, text: &str) -> bool {
    output.stdout.contains(text) || output.stderr.contains(text)
}

#[test]
fn a_folder_that_became_a_link_is_not_read_through() {
    for link in ["apps", "apps/web"] {
        let folder = checkout();
        let dir = folder.path().join("shop");
        let outside = folder.path().join("outside");
        let below = outside.join("web");
        fs::create_dir_all(&below).unwrap();
        fs::write(below.join("one.yaml"), config("outside", "secret")).unwrap();
        fs::write(below.join("other.yaml"), config("outside-too", "secret")).unwrap();
        fs::remove_dir_all(dir.join(link)).unwrap();
        let to = if link == "apps" { &outside } else { &below };
        symlink(to, dir.join(link)).unwrap();

        for args in [
            &["render", "--worktree"][..],
            &["check", "--worktree"],
            &["render", "--worktree", "apps"],
            &["render", "--worktree", "apps/web"],
            &["render", "--worktree", "apps/web/one.yaml"],
        ] {
            let output = trueup(&dir, args);
            assert!(!output.stdout.contains("outside"), "{link} {args:?}\n{output}");
            assert!(!output.stderr.contains("secret"), "{link} {args:?}\n{output}");
            assert_ne!(output.status, Some(0), "{link} {args:?}\n{output}");
            assert!(says(&output, "symbolic link"), "{link} {args:?}\n{output}");
        }
    }
}

#[test]
fn objects_of_a_folder_replaced_by_a_symlink_are_not_pruned() {
    let repo = Repo::new("tree-behind-link", sandbox::bare());
    repo.write("apps/one.yaml", config("one", "1")).write_config("two", "1").commit("Two");
    repo.run(&["apply", "--yes"]).exits(0);
    let members = repo.members("configmaps");
    fs::rename(repo.path().join("apps"), repo.outside().join("apps")).unwrap();
    symlink(repo.outside().join("apps"), repo.path().join("apps")).unwrap();

    let output = repo.run(&["apply", "--yes", "--worktree"]);

    assert_ne!(output.status, Some(0), "\n{output}");
    assert!(says(&output, "symbolic link"), "\n{output}");
    assert_eq!(repo.members("configmaps"), members);
}

#[test]
fn pipes_sockets_and_devices_are_reported_and_not_read() {
    for (path, named) in [
        ("two.yaml", "pipe"),
        ("two.yaml", "socket"),
        ("trueup.yaml", "pipe"),
        (".trueupignore", "pipe"),
        ("apps/.trueupignore", "pipe"),
    ] {
        let folder = checkout();
        let dir = folder.path().join("shop");
        if path != "two.yaml" {
            fs::write(dir.join(path), "").unwrap();
            git(&dir, ["add", "--all"]);
            git(&dir, ["commit", "--quiet", "--message", "One more"]);
        }
        fs::remove_file(dir.join(path)).unwrap();
        let _socket = match named {
            "socket" => Some(std::os::unix::net::UnixListener::bind(dir.join(path)).unwrap()),
            _ => {
                Cmd::new("mkfifo").args([dir.join(path)]).run().exits(0);
                None
            }
        };

        for args in [
            &["render", "--worktree"][..],
            &["check", "--worktree", "apps", "two.yaml"],
            // The commit is whole; the work tree is only compared with it.
            &["check"],
        ] {
            let output = trueup(&dir, args);
            let status = output.status.unwrap();
            assert!(status < 100, "{path} {args:?} waits\n{output}");
            if args.contains(&"--worktree") && path != "apps/.trueupignore" {
                assert_ne!(status, 0, "{path} {args:?}\n{output}");
                let wanted = "is a device, a pipe or a socket";
                assert!(says(&output, wanted), "{path} {args:?}\n{output}");
            }
        }
    }
}

#[test]
fn a_pull_does_not_wait_for_a_pipe() {
    use crate::support::git::{Upstream, pull};
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "");
    upstream.write("new.yaml", "");
    upstream.commit("Empty one, add one");
    fs::remove_file(checkout.join("web.yaml")).unwrap();
    for pipe in ["web.yaml", "new.yaml"] {
        Cmd::new("mkfifo").args([checkout.join(pipe)]).run().exits(0);
    }
    let mut command = pull(&checkout).into_inner();
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut waited = 0;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if waited > 1200 => {
                child.kill().unwrap();
                panic!("the pull waits for a pipe");
            }
            None => std::thread::sleep(std::time::Duration::from_millis(100)),
        }
        waited += 1;
    };
    assert_eq!(status, Some(1), "refused: local work is in the way");
}
