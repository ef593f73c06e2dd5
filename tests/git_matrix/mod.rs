//! Checkouts, remotes and configurations as people have them: what `trueup pull` does in each, beside
//! what git does. The cases are shell scripts in `*.cases`, made of a name, the script, and what is
//! expected; `prologue.sh` has the words that they use.
//!
//! A case begins with `= NAME`. Its lines `git:` and `trueup:` say `lands` where the checkout ends at
//! the upstream's commit, or `refused` and a part of the message; without one both land, and without
//! `trueup:` it is as git. What the commit holds can be read afterwards, with `trueup check`, unless
//! `check: refused` says so. `since 2.45` names the git that a case takes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Where the cases are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/git_matrix");
const FILES: [&str; 5] = ["remotes", "repositories", "states", "histories", "tracked"];

/// What comes of a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The checkout is at the upstream's commit.
    Lands,
    /// An error, which has this text.
    Refused(String),
    /// No error, and the checkout is elsewhere.
    Stays,
}

impl Outcome {
    fn parse(text: &str) -> Self {
        match text.split_once(' ') {
            Some(("refused", part)) => Self::Refused(part.to_owned()),
            _ if text == "lands" => Self::Lands,
            _ if text == "stays" => Self::Stays,
            _ if text == "refused" => Self::Refused(String::new()),
            _ => panic!("{text:?} is none of lands, refused, stays"),
        }
    }

    fn is_met_by(&self, seen: &Self) -> bool {
        match (self, seen) {
            (Self::Refused(part), Self::Refused(message)) => message.contains(part),
            (expected, seen) => expected == seen,
        }
    }

    /// The word for it in a table of counts.
    fn kind(&self) -> &'static str {
        match self {
            Self::Lands => "lands",
            Self::Refused(_) => "refused",
            Self::Stays => "stays",
        }
    }
}

/// One set-up.
struct Case {
    name: String,
    script: String,
    git: Outcome,
    trueup: Outcome,
    /// What comes of `trueup check` afterwards.
    check: Outcome,
    /// The first git that can make it, as major and minor.
    since: Option<String>,
}

impl Case {
    fn all() -> Vec<Self> {
        FILES.iter().flat_map(|file| Self::of(&read(&format!("{file}.cases")))).collect()
    }

    fn of(text: &str) -> Vec<Self> {
        // What comes before the first name describes the file.
        text.split("\n= ").skip(1).map(Self::parse).collect()
    }

    fn parse(text: &str) -> Self {
        let (name, lines) = text.split_once('\n').unwrap();
        let (mut git, mut check) = (Outcome::Lands, Outcome::Lands);
        let (mut trueup, mut since) = (None, None);
        let mut script = String::new();
        for line in lines.lines() {
            if let Some(outcome) = line.strip_prefix("git: ") {
                git = Outcome::parse(outcome);
            } else if let Some(outcome) = line.strip_prefix("trueup: ") {
                trueup = Some(Outcome::parse(outcome));
            } else if let Some(outcome) = line.strip_prefix("check: ") {
                check = Outcome::parse(outcome);
            } else if let Some(version) = line.strip_prefix("since ") {
                since = Some(version.to_owned());
            } else {
                script.push_str(line);
                script.push('\n');
            }
        }
        let trueup = trueup.unwrap_or_else(|| git.clone());
        Self { name: name.to_owned(), script, git, trueup, check, since }
    }
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(FOLDER).join(name)).unwrap()
}

/// What a command did in one set-up.
struct Run {
    outcome: Outcome,
    stderr: String,
    /// What came of reading the commit afterwards.
    read: Outcome,
    /// The state and the files of the checkout.
    state: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.outcome.kind(), self.stderr.trim_end())
    }
}

/// What is run in a set-up.
struct Commands {
    pull: String,
    read: String,
}

impl Commands {
    fn of_git() -> Self {
        let (pull, read) = ("git pull --quiet --ff-only", "git ls-tree -r HEAD");
        Self { pull: pull.to_owned(), read: read.to_owned() }
    }

    fn of_trueup(program: &Path) -> Self {
        let program = program.display();
        Self { pull: format!("'{program}' pull"), read: format!("'{program}' check") }
    }
}

/// Makes set-ups and runs commands in them.
struct Bench {
    template: PathBuf,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        fs::create_dir(&made).unwrap();
        let bench = Self { template: folder.path().join("template"), _folder: folder };
        let output = bench.script(&made, &read("prologue.sh"), None);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::rename(made, &bench.template).unwrap();
        bench
    }

    #[allow(clippy::disallowed_methods, reason = "git is on the user's search path")]
    fn script(&self, folder: &Path, script: &str, run: Option<&Commands>) -> Output {
        let (pull, read) = run.map_or((":", ":"), |run| (run.pull.as_str(), run.read.as_str()));
        Command::new("sh")
            .args(["-c", script])
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TEMPLATE", &self.template)
            .env("NO_COLOR", "1")
            .env("RUN", pull)
            .env("READ", read)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn run(&self, case: &Case, commands: &Commands) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let script = [&read("prologue.sh"), case.script.as_str(), &read("epilogue.sh")].concat();
        let output = self.script(folder.path(), &script, Some(commands));
        let seen = |name: &str| {
            let text = fs::read(folder.path().join(name)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.replace(folder.path().to_str().unwrap(), "$top")
        };
        let (status, state, stderr) = (seen("status"), seen("state"), seen("stderr"));
        assert!(!state.is_empty(), "{}: {}", case.name, String::from_utf8_lossy(&output.stderr));
        let outcome = match status.trim() {
            "0" if state.starts_with("lands") => Outcome::Lands,
            "0" => Outcome::Stays,
            _ => Outcome::Refused(stderr.clone()),
        };
        let read = match seen("read").trim() {
            "0" => Outcome::Lands,
            _ => Outcome::Refused(seen("read-stderr")),
        };
        Run { outcome, stderr, read, state }
    }
}

/// Does this for every case that the git here can make, on all processors. Gives what it finds wrong.
fn each(check: impl Fn(&Bench, &Case) -> Vec<String> + Sync) -> Vec<String> {
    let (bench, cases, next) = (Bench::new(), Case::all(), AtomicUsize::new(0));
    let (wrong, version) = (Mutex::new(Vec::new()), git_version());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if case.since.as_deref().is_none_or(|since| numbers(since) <= version) {
                        wrong.lock().unwrap().extend(check(&bench, case));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The major and minor version of git.
fn git_version() -> Vec<u32> {
    let output = Command::new("git").arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    numbers(text.split_whitespace().nth(2).unwrap())
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').take(2).map(|part| part.parse().unwrap()).collect()
}

/// What is wrong about what one of the two did.
fn differs(case: &Case, who: &str, expected: &Outcome, seen: &Run) -> Option<String> {
    let is_met = expected.is_met_by(&seen.outcome);
    (!is_met).then(|| format!("{}: {who} should be {expected:?}, and is {seen}", case.name))
}

#[test]
fn pull_in_every_set_up() {
    let trueup = Commands::of_trueup(Path::new(env!("CARGO_BIN_EXE_trueup")));
    let wrong = each(|bench, case| {
        let seen = bench.run(case, &trueup);
        let is_read = case.check.is_met_by(&seen.read);
        let unread = (!is_read).then(|| {
            format!("{}: check should be {:?}, and is {:?}", case.name, case.check, seen.read)
        });
        differs(case, "trueup", &case.trueup, &seen).into_iter().chain(unread).collect()
    });
    assert_none(&wrong);
}

/// With git beside, whose every answer is held against the table, and the files that both leave.
/// `TRUEUP_BEFORE` names a former build, which is counted, too.
#[test]
#[ignore = "takes minutes: run it with -- --ignored --nocapture"]
fn pull_in_every_set_up_beside_git() {
    let trueup = Commands::of_trueup(Path::new(env!("CARGO_BIN_EXE_trueup")));
    #[allow(clippy::disallowed_methods, reason = "chosen by who runs this test")]
    let before =
        std::env::var_os("TRUEUP_BEFORE").map(|path| Commands::of_trueup(Path::new(&path)));
    let counts = Mutex::new(BTreeMap::<String, usize>::new());
    let count = |what: &str, git: &Run, other: &Run| {
        let row = format!("{what:7} git {:8} trueup {}", git.outcome.kind(), other.outcome.kind());
        *counts.lock().unwrap().entry(row).or_default() += 1;
    };
    let wrong = each(|bench, case| {
        let git = bench.run(case, &Commands::of_git());
        let ours = bench.run(case, &trueup);
        count("now", &git, &ours);
        if let Some(before) = &before {
            count("before", &git, &bench.run(case, before));
        }
        let both = git.outcome == Outcome::Lands && ours.outcome == Outcome::Lands;
        let other_files = (both && git.state != ours.state)
            .then(|| format!("{}: git leaves\n{}and trueup\n{}", case.name, git.state, ours.state));
        let checks = [
            differs(case, "git", &case.git, &git),
            differs(case, "trueup", &case.trueup, &ours),
            other_files,
        ];
        checks.into_iter().flatten().collect()
    });
    #[allow(clippy::print_stdout, reason = "what it is run for")]
    for (row, count) in counts.into_inner().unwrap() {
        println!("{count:4} {row}");
    }
    assert_none(&wrong);
}
