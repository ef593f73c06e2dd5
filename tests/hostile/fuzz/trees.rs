//! Mutated tree objects, as a server that means ill may send them.

use std::io::Write as _;
use std::process::Stdio;

use trueup::git::Checkout;

use super::fuzz;
use crate::support::command::Cmd;
use crate::support::mutate::Mutator;

/// Parts of a tree's entries; those after the first four are names that git refuses.
const WORDS: [&str; 20] = [
    "100644 a\0",
    "40000 b\0",
    "120000 c\0",
    "160000 d\0",
    "..",
    ".",
    ".git",
    ".GIT",
    "git~1",
    ".g\u{200c}it",
    "/",
    "\\",
    "\0",
    "a/../b",
    "40000 ",
    "100644 ",
    "0",
    "999999999999 x\0",
    "100644 ..\0",
    "40000 ..\0",
];

/// A repository, and the ids of a file and of a folder in it.
struct Objects {
    folder: tempfile::TempDir,
    file: Vec<u8>,
    tree: Vec<u8>,
}

impl Objects {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Cmd::new("git").args(["init", "--quiet"]).dir(folder.path()).run().exits(0);
        let mut objects = Self { folder, file: Vec::new(), tree: Vec::new() };
        objects.file = binary(&objects.put("blob", b"text"));
        objects.tree = binary(&objects.put("tree", &entry("100644 x", &objects.file)));
        objects
    }

    /// Writes an object that nobody checks, and returns its id.
    fn put(&self, kind: &str, bytes: &[u8]) -> String {
        let mut command = Cmd::new("git")
            .args(["hash-object", "-t", kind, "-w", "--literally", "--stdin"])
            .dir(self.folder.path())
            .into_inner();
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A commit of a tree that holds these bytes.
    fn commit(&self, tree: &[u8]) -> String {
        let tree = self.put("tree", tree);
        let who = "A <a@example.com> 1772366400 +0000";
        let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nTree\n");
        self.put("commit", text.as_bytes())
    }
}

fn binary(id: &str) -> Vec<u8> {
    let digits = id.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
    digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
}

fn entry(head: &str, id: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\0", id].concat()
}

/// Whether every part of a path is the name of a file.
fn is_sound(path: &str) -> bool {
    let is_name = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.eq_ignore_ascii_case(".git")
            && !part.contains('\\')
    };
    path.split('/').all(is_name) && !path.contains('\0')
}

#[test]
#[ignore = "takes about a minute"]
fn trees() {
    let objects = Objects::new();
    let checkout = Checkout::discover(objects.folder.path()).unwrap();
    let (file, tree) = (&objects.file, &objects.tree);
    let seeds = vec![
        [entry("100644 a.yaml", file), entry("40000 b", tree)].concat(),
        [entry("100755 a", file), entry("120000 l", file), entry("160000 m", file)].concat(),
        [entry("40000 ..", tree), entry("100644 z", file)].concat(),
        [entry("40000 a", tree), entry("40000 .git", tree)].concat(),
    ];
    fuzz(
        3_000,
        |seed| Mutator::over(seed, seeds, &WORDS),
        |bytes| {
            let commit = objects.commit(bytes);
            // What can't be read is an error, and none of it is used.
            let revision = checkout.resolve(Some(&commit)).ok()?;
            let _ = checkout.read_file(&revision, "a.yaml");
            let _ = checkout.read_file(&revision, "../x");
            let snapshot = checkout.snapshot(&revision, &[String::new()], &|_| true).ok()?;
            let paths = snapshot.files.keys();
            paths.into_iter().find(|path| !is_sound(path)).map(|path| format!("reads {path:?}"))
        },
    );
}
