//! Real repositories: an upstream that somebody pushes to, and checkouts of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use super::command::{Cmd, Output};

/// Runs git, which must work, and gives what it printed.
#[track_caller]
pub fn git<S: AsRef<std::ffi::OsStr>>(
    dir: impl AsRef<Path>,
    args: impl IntoIterator<Item = S>,
) -> String {
    let output = Cmd::new("git").dir(dir).args(args).run().exits(0);
    output.stdout.trim_end().to_owned()
}

/// Writes the tree object of exactly these entries (mode, name, id), sound or not, and gives its id.
pub fn tree(dir: impl AsRef<Path>, entries: &[(&str, &[u8], &str)]) -> String {
    let mut object = Vec::new();
    for (mode, name, id) in entries {
        object.extend_from_slice(mode.as_bytes());
        object.push(b' ');
        object.extend_from_slice(name);
        object.push(0);
        let digits = id.as_bytes().chunks(2);
        object.extend(
            digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()),
        );
    }
    write_object(dir, "tree", &object)
}

/// Writes a blob, and gives its id.
pub fn blob(dir: impl AsRef<Path>, content: &str) -> String {
    write_object(dir, "blob", content.as_bytes())
}

/// A commit of a tree, on top of another where there is one; gives its id.
pub fn commit_tree(dir: impl AsRef<Path>, tree: &str, parent: Option<&str>) -> String {
    let mut args = vec!["commit-tree", tree, "-m", "Made by hand"];
    args.extend(parent.into_iter().flat_map(|parent| ["-p", parent]));
    git(dir, args)
}

/// Writes a commit object, sound or not, and gives its id.
pub fn raw_commit(dir: impl AsRef<Path>, content: &str) -> String {
    write_object(dir, "commit", content.as_bytes())
}

fn write_object(dir: impl AsRef<Path>, kind: &str, object: &[u8]) -> String {
    let mut child = Cmd::new("git")
        .dir(dir)
        .args(["hash-object", "-w", "--literally", "--stdin", "-t", kind])
        .into_inner()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(object).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A bare repository that is pulled from, and the work tree it is pushed to from.
pub struct Upstream {
    folder: TempDir,
}

impl Upstream {
    /// A bare `shop.git` without any commit.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), ["init", "--quiet", "--bare", "--initial-branch=main", "shop.git"]);
        git(folder.path(), ["clone", "--quiet", "shop.git", "work"]);
        let upstream = Self { folder };
        git(upstream.work(), ["symbolic-ref", "HEAD", "refs/heads/main"]);
        upstream
    }

    /// One with a first commit that holds `web.yaml` and `envs/prod/db.yaml`.
    pub fn new() -> Self {
        let upstream = Self::empty();
        upstream.write("web.yaml", "kind: Web\n");
        upstream.write("envs/prod/db.yaml", "kind: Db\n");
        upstream.commit("First");
        upstream
    }

    /// A folder for checkouts and whatever else a test needs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it is pushed to.
    pub fn bare(&self) -> PathBuf {
        self.folder.path().join("shop.git")
    }

    /// Where its author works.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Its `file://` URL.
    pub fn url(&self) -> String {
        format!("file://{}", self.bare().display())
    }

    /// Writes a file of the author's.
    pub fn write(&self, path: &str, content: &str) {
        write(self.work().join(path), content);
    }

    /// Deletes a file or a folder of the author's.
    pub fn remove(&self, path: &str) {
        git(self.work(), ["rm", "-r", "--quiet", path]);
    }

    /// Commits everything and pushes it; gives the commit's id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        git(self.work(), ["add", "--all"]);
        git(self.work(), ["commit", "--quiet", "--allow-empty", "--message", message]);
        git(self.work(), ["push", "--quiet", "--force", "origin", "HEAD"]);
        self.tip()
    }

    /// The author's commit.
    pub fn tip(&self) -> String {
        git(self.work(), ["rev-parse", "HEAD"])
    }

    /// A checkout made by git itself.
    pub fn clone(&self, name: &str) -> PathBuf {
        git(self.folder(), ["clone", "--quiet", &self.url(), name]);
        self.folder().join(name)
    }
}

/// Writes a file and the folders above it.
pub fn write(path: impl AsRef<Path>, content: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What git and gix read of the environment about connections, each stronger than any file.
const CONNECTIONS: [&str; 19] = [
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_NO_VERIFY",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "NETRC",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
];

/// `trueup pull` in a checkout, with none of the user's ways to connect.
pub fn pull(checkout: &Path) -> Cmd {
    unconnected(Cmd::trueup().args(["pull", "-C"]).args([checkout]))
}

/// A command without any of the user's ways to connect.
pub fn unconnected(command: Cmd) -> Cmd {
    CONNECTIONS.into_iter().fold(command, Cmd::env_remove)
}

/// Asserts that the checkout is exactly at `commit`, in the eyes of git: nothing differs, nothing is
/// broken, nothing of a pull is left over.
#[track_caller]
pub fn assert_clean_at(checkout: &Path, commit: &str) {
    assert_eq!(git(checkout, ["rev-parse", "HEAD"]), commit);
    assert_eq!(git(checkout, ["status", "--porcelain", "--ignored"]), "");
    git(checkout, ["fsck", "--strict", "--no-dangling"]);
    // What status believes from times, this reads.
    git(checkout, ["update-index", "--really-refresh"]);
    assert_eq!(git(checkout, ["diff-index", "--cached", "HEAD"]), "");
    let left: Vec<_> = fs::read_dir(checkout.join(".git"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            name.ends_with(".lock") && name != "trueup.lock"
                || name.contains("staging")
                || name == "trueup-unfinished"
        })
        .collect();
    assert!(left.is_empty(), "{left:?} is left over");
}

/// What `trueup pull` says when it could not.
#[track_caller]
pub fn assert_refused(output: &Output, status: i32, says: &[&str]) {
    assert_eq!(output.status, Some(status), "\n{output}");
    assert_eq!(output.stdout, "", "\n{output}");
    for text in says {
        assert!(output.stderr.contains(text), "does not say {text:?}\n{output}");
    }
}
