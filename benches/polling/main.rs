//! What does it cost to ask a remote again and again? Checkouts that have everything pull from
//! remotes with few and with many branches, over smart HTTP and from a folder, beside git, and
//! requests, bytes of bodies in both directions, and the median time are printed; asserts nothing.
//!
//! ```text
//! TRUEUP_BEFORE=/path/to/former/trueup cargo bench --bench polling
//! ```
//!
//! needs git. Without `TRUEUP_BEFORE`, this build is measured alone; with `-- tracked`, only the large
//! repository whose targets track refs. `--profile dev` measures a debug build, whose requests and bytes
//! are the same. From a folder the same is said as over HTTP, so that only the time is of interest there.
#![allow(clippy::disallowed_methods, reason = "where things are, is the machine's")]

use std::error::Error;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use support::http::GitServer;

#[path = "../../tests/support"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests' own")]
mod support {
    pub mod http;
    pub mod tls;
}

/// How many branches the remote has, and whether it is a repository of [`FILES`] and [`COMMITS`]
/// whose targets track a branch and a range of versions besides.
const REMOTES: [(usize, bool); 4] = [(10, false), (1_000, false), (5_000, false), (5_000, true)];
const FILES: usize = 10_000;
const COMMITS: usize = 3_000;
/// How many tags the range of versions has.
const TAGS: usize = 50;
const TARGETS: &str = "targets:
  staging: {paths: [folder-1]}
  prod: {paths: [folder-2], ref: team-1/topic-with-a-name-0001}
  shop: {paths: [folder-3], ref: {semver: \">=1 <2\", tag-prefix: shop-}}
";
/// How often each is run; the median counts.
const ROUNDS: usize = 7;

/// What a checkout is asked to do, by whom.
struct Contender {
    name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
    /// Whether it takes the checkout that this build cloned, and not git's.
    ours: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let this = PathBuf::from(env!("CARGO_BIN_EXE_trueup"));
    let pull = &["pull"][..];
    let mut contenders = vec![
        Contender { name: "trueup pull", program: this.clone(), arguments: pull, ours: true },
        Contender {
            name: "trueup pull, git's clone",
            program: this.clone(),
            arguments: pull,
            ours: false,
        },
    ];
    if let Some(before) = std::env::var_os("TRUEUP_BEFORE") {
        let program = before.into();
        contenders.push(Contender { name: "before", program, arguments: pull, ours: false });
    }
    for (name, arguments) in [
        ("git fetch", &["fetch", "--quiet"][..]),
        ("git ls-remote", &["ls-remote", "--quiet"]),
        ("git ls-remote origin main", &["ls-remote", "--quiet", "origin", "main"]),
    ] {
        contenders.push(Contender { name, program: "git".into(), arguments, ours: false });
    }
    writeln!(
        stdout(),
        "{:6} {:6} {:26} {:>8} {:>9} {:>10}",
        "refs",
        "over",
        "",
        "requests",
        "bytes",
        "median"
    )?;
    let all = !std::env::args().any(|argument| argument == "tracked");
    for (refs, is_large) in REMOTES.into_iter().filter(|(_, is_large)| all || *is_large) {
        let folder = tempfile::tempdir()?;
        let bare = remote(folder.path(), refs, is_large)?;
        if is_large {
            writeln!(stdout(), "{FILES} files, {COMMITS} commits, tracked refs:")?;
        }
        let server = GitServer::http(folder.path());
        let file = format!("file://{}", bare.display());
        for (over, url) in [("http", server.url("shop.git")), ("file", file)] {
            let clones = [folder.path().join(format!("{over}-git")), folder.path().join(over)];
            git(folder.path(), &["clone", "--quiet", &url, &clones[0].to_string_lossy()])?;
            run(Command::new(&this).args(["pull", "--url", &url, "-C"]).arg(&clones[1]))?;
            for contender in &contenders {
                let clone = &clones[usize::from(contender.ours)];
                let before = (server.requests(), server.bytes());
                let mut times = Vec::new();
                for _ in 0..ROUNDS {
                    let mut command = Command::new(&contender.program);
                    command.args(contender.arguments).current_dir(clone);
                    let start = Instant::now();
                    run(&mut command)?;
                    times.push(start.elapsed());
                    // What takes long needs no median.
                    if start.elapsed().as_secs() >= 5 {
                        break;
                    }
                }
                times.sort();
                let rounds = times.len();
                let requests = (server.requests() - before.0) / rounds;
                let bytes = (server.bytes() - before.1) / rounds;
                let median = times[rounds / 2].as_millis();
                let Contender { name, .. } = contender;
                writeln!(
                    stdout(),
                    "{refs:6} {over:6} {name:26} {requests:>8} {bytes:>9} {median:>7} ms"
                )?;
            }
        }
    }
    Ok(())
}

/// A bare repository whose commit has this many branches.
fn remote(folder: &Path, refs: usize, is_large: bool) -> Result<PathBuf, Box<dyn Error>> {
    let bare = folder.join("shop.git");
    let work = folder.join("work");
    fs::create_dir(&work)?;
    git(&work, &["init", "--quiet", "--initial-branch=main"])?;
    if is_large {
        import(&work)?;
    } else {
        fs::write(work.join("web.yaml"), "kind: Web\n")?;
        git(&work, &["add", "--all"])?;
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        git(&work, &[&who[..], &["commit", "--quiet", "-m", "Web"]].concat())?;
    }
    git(folder, &["clone", "--quiet", "--bare", "work", "shop.git"])?;
    let head = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(&work).output()?;
    let head = String::from_utf8(head.stdout)?;
    let head = head.trim_end();
    let mut names = vec!["refs/heads/main".to_owned()];
    let tags = if is_large { TAGS } else { 0 };
    let branches = 1..refs - tags;
    names.extend(branches.map(|n| format!("refs/heads/team-{}/topic-with-a-name-{n:04}", n % 7)));
    names.extend((0..tags).map(|n| format!("refs/tags/shop-v1.0.{n}")));
    names.sort();
    let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    names.iter().for_each(|name| packed.push_str(&format!("{head} {name}\n")));
    fs::write(bare.join("packed-refs"), packed)?;
    Ok(bare)
}

/// Commits by the thousand, on top of thousands of files.
fn import(work: &Path) -> Result<(), Box<dyn Error>> {
    let mut stream = String::new();
    for number in 0..COMMITS {
        let time = 1_700_000_000 + number;
        stream.push_str(&format!(
            "commit refs/heads/main\ncommitter a <a@b> {time} +0000\ndata 1\nx\n"
        ));
        let mut file = |path: &str, text: &str| {
            let length = text.len();
            stream.push_str(&format!("M 100644 inline {path}\ndata {length}\n{text}\n"));
        };
        if number == 0 {
            file("trueup.yaml", TARGETS);
            for n in 0..FILES {
                file(&format!("folder-{}/file-{n}.yaml", n % 100), &format!("kind: K{n}\n"));
            }
        } else {
            file("folder-1/file-1.yaml", &format!("kind: K{number}\n"));
        }
    }
    let mut command = Command::new("git");
    command.args(["fast-import", "--quiet"]).current_dir(work).stdin(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().ok_or("no stdin")?.write_all(stream.as_bytes())?;
    match child.wait()?.success() {
        true => git(work, &["reset", "--quiet", "--hard"]),
        false => Err("git fast-import failed".into()),
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    run(Command::new("git").args(arguments).current_dir(folder))
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
