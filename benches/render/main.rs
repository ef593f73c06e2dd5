//! What does the cell cost? Renders every kustomization of the corpus, each time with nothing kept,
//! in turns with this build and with a former one, and prints the median time and the most memory
//! that one of the processes had; asserts nothing.
//!
//! ```text
//! TRUEUP_CORPUS=../shared/corpus TRUEUP_BEFORE=/path/to/former/trueup \
//!   PATH=$(fixtures/renderers/build):$PATH cargo bench --bench render
//! ```
//!
//! needs git, cc and kustomize. Without TRUEUP_BEFORE, this build is measured alone.
#![allow(clippy::disallowed_methods, reason = "where things are, is the machine's")]

use std::error::Error;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How often each is run; the median counts.
const ROUNDS: usize = 9;

/// One run.
struct Run {
    /// In microseconds.
    time: u64,
    /// In KiB.
    memory: u64,
    /// What it printed.
    output: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::var_os("TRUEUP_CORPUS").ok_or("TRUEUP_CORPUS names no folder")?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let root = folder.join("corpus");
    run(Command::new("cp").arg("-r").arg(Path::new(&corpus).join("kustomize")).arg(&root))?;
    for args in [
        &["init", "--quiet"][..],
        &["add", "--all", "--force"],
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "Corpus"],
    ] {
        run(Command::new("git").args(args).current_dir(&root))?;
    }
    let measure = folder.join("measure");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/render/measure.c");
    run(Command::new("cc").arg("-O2").arg("-o").arg(&measure).arg(source))?;

    let mut builds = vec![("this build", PathBuf::from(env!("CARGO_BIN_EXE_trueup")))];
    if let Some(before) = std::env::var_os("TRUEUP_BEFORE") {
        builds.push(("a former build", before.into()));
    }
    let mut runs: Vec<Vec<Run>> = builds.iter().map(|_| Vec::new()).collect();
    for round in 0..=ROUNDS {
        for ((_, program), runs) in builds.iter().zip(&mut runs) {
            let run = render(&measure, program, folder)?;
            // The first one warms the machine's own caches.
            if round > 0 {
                runs.push(run);
            }
        }
    }
    if let [this, before] = &runs[..]
        && this[0].output != before[0].output
    {
        writeln!(stdout(), "the two builds print something else")?;
    }
    writeln!(stdout(), "{:16} {:>10} {:>10} {:>12}", "", "median", "fastest", "memory")?;
    let mut medians = Vec::new();
    for ((name, _), mut runs) in builds.iter().zip(runs) {
        runs.sort_by_key(|run| run.time);
        let ms = |time: u64| format!("{}.{} ms", time / 1000, time / 100 % 10);
        let (median, fastest) = (runs[runs.len() / 2].time, runs[0].time);
        let memory = runs.iter().map(|run| run.memory).max().unwrap_or_default() / 1024;
        writeln!(
            stdout(),
            "{name:16} {:>10} {:>10} {:>12}",
            ms(median),
            ms(fastest),
            format!("{memory} MiB")
        )?;
        medians.push(median);
    }
    if let [this, before] = medians[..] {
        let percent = this * 100 / before.max(1);
        writeln!(stdout(), "ratio {}.{:02}", percent / 100, percent % 100)?;
    }
    Ok(())
}

/// Renders the whole corpus once, with nothing kept of earlier runs.
fn render(measure: &Path, program: &Path, folder: &Path) -> Result<Run, Box<dyn Error>> {
    let (cache, times) = (folder.join("cache"), folder.join("times"));
    let _ = fs::remove_dir_all(&cache);
    // The measuring program writes beside the answer.
    let output = Command::new("sh")
        .args(["-c", "exec \"$@\" 3>\"$TIMES\"", "sh"])
        .arg(measure)
        .arg(program)
        .args(["render", "--show-secrets"])
        .current_dir(folder.join("corpus"))
        .env("XDG_CACHE_HOME", &cache)
        .env("TIMES", &times)
        .stderr(Stdio::null())
        .output()?;
    let said = fs::read_to_string(&times)?;
    let mut numbers = said.split_whitespace().map(str::parse::<u64>);
    let mut next = || numbers.next().ok_or("nothing was measured")?.map_err(Box::<dyn Error>::from);
    let (time, memory, status) = (next()?, next()?, next()?);
    // Some of the corpus can't be rendered.
    if status > 1 {
        return Err(format!("{} ended with {status}", program.display()).into());
    }
    Ok(Run { time, memory, output: output.stdout })
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
