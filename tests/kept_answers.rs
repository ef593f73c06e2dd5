//! Answers of check and render that are kept on this machine: whatever changes, a run that may use
//! them says the same as one that may not, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::support::command::{Cmd, Output};
use crate::support::random::Random;

/// How often something changes.
const CHANGES: usize = 50;
/// What is asked after every change, so that an answer that is too old is found.
const ALWAYS: [&[&str]; 3] =
    [&["check", "--worktree"], &["render", "--worktree"], &["check", "-o", "github"]];
/// One of these besides.
const SOMETIMES: [&[&str]; 12] = [
    &["check", "a"],
    &["check", "b", "--worktree", "-W"],
    &["check", "--exit-zero", "-o", "json"],
    &["check", "--worktree", "-o", "sarif"],
    &["check", "--worktree", "--namespace", "other"],
    &["check", "--target", "shop", "--worktree"],
    &["render", "-o", "json"],
    &["render", "a", "--worktree"],
    &["render", "--worktree", "--namespace", "other"],
    &["render", "--target", "shop", "--worktree"],
    &["render", "--worktree", "--show-secrets"],
    &["render", "--rev", "HEAD"],
];

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n\
    stringData: {password: correct-horse-battery}\n";

/// A checkout, and a cache folder beside it.
struct Beside {
    folder: tempfile::TempDir,
}

/// The answers that there are, and when each was used last.
type Answers = BTreeMap<PathBuf, SystemTime>;

impl Beside {
    fn new() -> Self {
        let beside = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(beside.tree()).unwrap();
        beside.git(&["init", "--quiet", "--initial-branch", "main"]);
        beside
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn answers_folder(&self) -> PathBuf {
        self.folder.path().join("cache/trueup/answers")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.tree().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> Output {
        Cmd::new("git").args(args).dir(self.tree()).run().exits(0)
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    fn command(&self, args: &[&str]) -> Cmd {
        let cache = self.folder.path().join("cache");
        Cmd::trueup().dir(self.tree()).env("XDG_CACHE_HOME", cache).args(args)
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).run()
    }

    fn answers(&self) -> Answers {
        let entries = self.answers_folder().read_dir().into_iter().flatten().flatten();
        entries.map(|it| (it.path(), it.metadata().unwrap().modified().unwrap())).collect()
    }

    /// Every file of the tree that is a manifest by its name, in one order.
    fn manifests(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for folder in ["a", "b"] {
            let entries = self.tree().join(folder).read_dir().into_iter().flatten().flatten();
            found.extend(entries.map(|entry| entry.path()).filter(|path| !path.is_symlink()));
        }
        found.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
        found.sort();
        found
    }
}

/// Everything that was said, without how long it took.
fn said(output: Output) -> (Option<i32>, String, String) {
    let is_time = |word: &str| word.parse::<f64>().is_ok();
    let timeless = |line: &str| match line.rsplit_once(" · ") {
        Some((head, time)) if time.strip_suffix(" s").is_some_and(is_time) => head.to_owned(),
        _ if line.starts_with("  \"elapsed\": ") => String::new(),
        _ => line.to_owned(),
    };
    let stdout: Vec<String> = output.stdout.split('\n').map(timeless).collect();
    (output.status, stdout.join("\n"), output.stderr)
}

/// How often an answer was used, made, or not to be kept; and how often there was none.
#[derive(Debug, Default)]
struct Counts {
    used: usize,
    made: usize,
    not_kept: usize,
    none: usize,
}

impl Counts {
    /// Asks with the answers of earlier runs and without, and compares.
    #[track_caller]
    fn ask(&mut self, beside: &Beside, args: &[&str], change: &str) {
        let without: Vec<&str> = args.iter().copied().chain(["--no-cache"]).collect();
        let expected = said(beside.run(&without));
        for turn in ["first", "second"] {
            let before = beside.answers();
            let got = said(beside.run(args));
            assert_eq!(got, expected, "{turn} run of {args:?} after: {change}");
            let after = beside.answers();
            match (after.len() > before.len(), after == before) {
                (true, _) => self.made += 1,
                (false, false) => self.used += 1,
                (false, true) if expected.0 == Some(2) => self.none += 1,
                (false, true) => self.not_kept += 1,
            }
        }
    }
}

fn deployment(name: &str, replicas: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  \
         replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      \
         - {{name: main, image: example.com/app, envFrom: [{{secretRef: {{name: key}}}}]}}\n"
    )
}

fn definition(kind: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
         metadata: {{name: widgets.example.com}}\nspec:\n  group: example.com\n  \
         scope: Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  versions:\n  \
         - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        \
         type: object\n        properties: {{size: {{type: {kind}}}}}\n"
    )
}

/// Changes something and says what.
fn change(beside: &Beside, random: &mut Random, number: usize) -> String {
    let manifests = beside.manifests();
    let any = random.one_of(&manifests).clone();
    let name = any.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(&any).unwrap_or_default();
    let what = random.below(17);
    // An ignore file that is none ends every run: once is enough.
    if fs::read_to_string(beside.tree().join(".trueupignore")).is_ok_and(|it| it.starts_with('[')) {
        beside.write(".trueupignore", "");
    }
    match what {
        0 => fs::write(&any, format!("{text}# {number}\n")).unwrap(),
        1 => fs::write(&any, text.replace("replicas: ", "replicas: 1")).unwrap(),
        2 | 3 => {
            // The same length and the same time: only the time of the change tells.
            let modified = any.metadata().unwrap().modified().unwrap();
            let other = if text.contains("app}") { "app}" } else { "main" };
            let new = if text.contains("zap}") {
                text.replace("zap}", "app}")
            } else {
                text.replace(other, if other == "app}" { "zap}" } else { "mane" })
            };
            fs::write(&any, new).unwrap();
            fs::File::options().append(true).open(&any).unwrap().set_modified(modified).unwrap();
        }
        4 => beside.write(&format!("a/new-{number}.yaml"), &deployment(&format!("n{number}"), 1)),
        5 if manifests.len() > 5 => fs::remove_file(&any).unwrap(),
        6 => fs::rename(&any, any.with_file_name(format!("moved-{number}.yaml"))).unwrap(),
        7 => mode(&any, number),
        8 => beside.write(
            ".trueupignore",
            random.one_of::<&str>(&["", "", "b/\n", "*-1*.yaml\n", "[z-a]\n"]),
        ),
        9 => {
            let namespace = random.one_of::<&str>(&["shop", "stage"]);
            let mask = "redact: [{kind: Deployment, paths: [/spec/replicas]}]";
            let more = [mask, "strict: false"][random.below(2)];
            let target = format!("{{paths: [a, b], namespace: {namespace}, {more}}}");
            let config = format!("targets:\n  shop: {target}\n");
            beside.write("trueup.yaml", &config);
        }
        10 => {
            beside.write("b/crd.yaml", &definition(random.one_of::<&str>(&["integer", "string"])))
        }
        11 => beside.write("b/broken.yaml", random.one_of::<&str>(&["a: b: c\n", "a: 1\n", ""])),
        12 => beside.write("a/secret.yaml", &SECRET.replace("horse", &format!("horse-{number}"))),
        13 => beside.commit(&format!("Change {number}")),
        14 => drop(beside.git(&["add", "--all"])),
        15 => link(beside, number),
        _ => fs::File::options()
            .append(true)
            .open(&any)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .unwrap(),
    }
    format!("{number}: change {what} of {name}")
}

#[cfg(unix)]
fn mode(path: &Path, number: usize) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if number.is_multiple_of(2) { 0o755 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn mode(_: &Path, _: usize) {}

#[cfg(unix)]
fn link(beside: &Beside, number: usize) {
    let target = ["secret.yaml", "../b", "nowhere"][number % 3];
    let _ = fs::remove_file(beside.tree().join("a/link.yaml"));
    std::os::unix::fs::symlink(target, beside.tree().join("a/link.yaml")).unwrap();
}

#[cfg(not(unix))]
fn link(_: &Beside, _: usize) {}

/// A checkout with some of everything.
fn world() -> Beside {
    let beside = Beside::new();
    beside.write("a/web.yaml", &deployment("web", 1));
    beside.write("a/api.yaml", &deployment("api", 2));
    beside.write("a/secret.yaml", SECRET);
    beside.write("b/crd.yaml", &definition("integer"));
    beside.write(
        "b/widget.yaml",
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nsize: 1\n",
    );
    beside.write("b/db.yaml", &deployment("db", 1));
    beside.write("trueup.yaml", "targets:\n  shop: {paths: [a, b]}\n");
    beside.commit("First");
    beside
}

#[test]
#[allow(clippy::print_stdout, reason = "the counts are for who runs it")]
fn whatever_changes_a_kept_answer_is_the_one_that_is_made() {
    let beside = world();
    let mut random = Random::new(20);
    let mut counts = Counts::default();
    for number in 0..CHANGES {
        let change = match number {
            0 => "nothing".to_owned(),
            number => change(&beside, &mut random, number),
        };
        let besides = random.one_of(&SOMETIMES);
        for args in ALWAYS.iter().chain([besides]) {
            counts.ask(&beside, args, &change);
        }
    }
    println!("{CHANGES} changes, answers: {counts:?}");
    let Counts { used, made, not_kept, none: _ } = counts;
    assert!(used > made && made > CHANGES / 2 && not_kept > 0, "{used} {made} {not_kept}");
}

#[test]
fn the_same_files_in_another_commit_have_the_same_answer() {
    let beside = world();
    beside.run(&["check"]).exits(0);
    let first = beside.answers();
    assert_eq!(first.len(), 1);
    beside.write("README.md", "Nothing that is a manifest.\n");
    beside.commit("Second");
    beside.run(&["check"]).exits(0);
    beside.run(&["check", "--worktree"]).exits(0);
    let second = beside.answers();
    assert!(second.keys().eq(first.keys()) && second != first, "{second:?}");
    beside.run(&["check", "--kubernetes-version", "1.36", "a"]).exits(0);
    assert_eq!(beside.answers().len(), 2);
}

#[test]
fn damaged_answers_are_made_again() {
    let beside = world();
    let expected = said(beside.run(&["render", "--no-cache"]));
    assert!(!beside.answers_folder().exists(), "nothing is kept");
    assert_eq!(said(beside.run(&["render"])), expected);
    let (path, _) = beside.answers().pop_first().unwrap();
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for damaged in [&changed, &whole[..whole.len() / 2], &whole[..5], &[][..], b"kind: List\n"] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(said(beside.run(&["render"])), expected);
        let mended = fs::read(&path).unwrap();
        assert_eq!(mended.len(), whole.len());
        assert_ne!(mended, damaged);
        assert_eq!(said(beside.run(&["render"])), expected);
    }
}

#[test]
fn two_runs_at_once_say_the_same() {
    let beside = world();
    let expected = said(beside.run(&["check", "--no-cache"]));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(said(beside.run(&["check"])), expected);
                }
            });
        }
    });
    assert_eq!(beside.answers().len(), 1);
}

#[test]
fn nothing_is_kept_of_secrets_that_are_shown_nor_within_the_checkout() {
    let beside = world();
    let shown = beside.run(&["render", "--show-secrets"]).exits(0);
    assert!(shown.stdout.contains("correct-horse-battery"), "{shown}");
    assert_eq!(beside.answers().len(), 0);
    for within in ["", "a", ".git"] {
        let cache = beside.tree().join(within);
        let output = beside.command(&["check"]).env("XDG_CACHE_HOME", &cache).run().exits(0);
        assert_eq!(output.stderr, "", "{output}");
        assert!(!cache.join("trueup").exists());
    }
}

#[cfg(unix)]
#[test]
fn answers_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let beside = world();
    beside.run(&["check"]).exits(0);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&beside.answers_folder()), 0o700);
    let (path, _) = beside.answers().pop_first().unwrap();
    assert_eq!(mode(&path), 0o600);
    let kept = fs::read(path).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("objects"), "it is sealed");
}

/// git can say that an object has another content than its id (`git replace`). An id would tell nothing
/// then, and neither would a signature.
#[test]
fn replaced_objects_are_read_as_they_were() {
    let beside = world();
    beside.run(&["render"]).exits(0);
    let other = beside.folder.path().join("other.yaml");
    fs::write(&other, deployment("other", 7)).unwrap();
    let id = |args: &[&str]| beside.git(args).stdout.trim().to_owned();
    let new = id(&["hash-object", "-w", other.to_str().unwrap()]);
    let old = id(&["rev-parse", "HEAD:a/web.yaml"]);
    beside.git(&["replace", &old, &new]);
    let args = ["render", "--rev", "HEAD"];
    let expected = said(beside.run(&["render", "--rev", "HEAD", "--no-cache"]));
    assert!(!expected.1.contains("name: other"), "{expected:?}");
    assert_eq!(said(beside.run(&args)), expected);
}
