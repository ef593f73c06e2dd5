//! The size of the program, and the time that a start of it takes, beside a program that does nothing.
//! Prints a table; asserts nothing.
//!
//! ```text
//! TRUEUP_BUILDS=before=PATH,now=PATH cargo bench --bench start
//! ```
//!
//! A build of `cargo bench` is larger than a release, since it is linked without optimising the
//! whole. So the builds to compare are named, in `TRUEUP_BUILDS`; without it that build is shown.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often each is run, in turns.
const ROUNDS: usize = 300;
/// The commands: one that needs nothing, and one that comes as far as looking for a repository, in a
/// folder that is in none.
const COMMANDS: [&str; 2] = ["--version", "diff"];

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A program, and how long its runs took.
struct Row {
    name: String,
    program: String,
    command: &'static str,
    times: Vec<Duration>,
}

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut rows = vec![row("true", "true", "")];
    for command in COMMANDS {
        rows.extend(builds().iter().map(|(name, path)| row(name, path, command)));
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            let time = time(row, folder.path())?;
            row.times.push(time);
        }
    }
    print(&mut rows)
}

fn row(name: &str, program: &str, command: &'static str) -> Row {
    Row { name: name.to_owned(), program: program.to_owned(), command, times: Vec::new() }
}

/// The builds that `TRUEUP_BUILDS` names, each with its path.
fn builds() -> Vec<(String, String)> {
    #[allow(clippy::disallowed_methods, reason = "a benchmark has no configuration")]
    let named = std::env::var("TRUEUP_BUILDS").unwrap_or_default();
    let named = named.split(',').filter_map(|build| build.split_once('='));
    let named: Vec<_> = named.map(|(name, path)| (name.to_owned(), path.to_owned())).collect();
    match named.is_empty() {
        true => vec![("of cargo bench".to_owned(), env!("CARGO_BIN_EXE_trueup").to_owned())],
        false => named,
    }
}

/// How long a run takes, from before the process is made until it has ended.
fn time(row: &Row, folder: &Path) -> Outcome<Duration> {
    let mut command = Command::new(&row.program);
    if !row.command.is_empty() {
        command.arg(row.command);
    }
    // No repository above the folder counts.
    command.current_dir(folder).env("GIT_CEILING_DIRECTORIES", folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = command.status().map_err(|error| format!("{}: {error}", row.program))?;
    let elapsed = begin.elapsed();
    match (row.command, status.code()) {
        ("diff", Some(2)) | (_, Some(0)) => Ok(elapsed),
        _ => Err(format!("{} {} ended with {status}", row.program, row.command).into()),
    }
}

/// The size, the median, and the lowest tenth, which other programs on the machine disturb least.
#[allow(clippy::disallowed_methods, reason = "a table of numbers, no answer of trueup's")]
fn print(rows: &mut [Row]) -> Outcome<()> {
    let mut out = io::stdout();
    writeln!(out, "{:28} {:>8} {:>10} {:>10}", "", "MB", "median ms", "lowest 10%")?;
    for Row { name, program, command, times } in rows {
        times.sort();
        let milliseconds = |at: usize| times[at].as_secs_f64() * 1_000.0;
        let size = std::fs::metadata(&*program).map(|file| file.len() as f64 / 1e6);
        let size = size.map(|size| format!("{size:.1}")).unwrap_or_default();
        let (median, low) = (milliseconds(times.len() / 2), milliseconds(times.len() / 10));
        let name = format!("{name} {command}");
        writeln!(out, "{name:28} {size:>8} {median:10.2} {low:10.2}")?;
    }
    Ok(())
}
