//! What does a watch of many targets cost? Memory, requests in a quiet minute, and how long commits and
//! drift take, for one process with all targets beside processes of their own. Prints a table; asserts
//! nothing.
//!
//! ```text
//! cargo bench --bench watch -- 1 10 100 200
//! TRUEUP_BUILDS=release=PATH cargo bench --profile dev --bench watch
//! ```
//!
//! needs git. Each target has 50 objects. Commits are told by a webhook, drift by the watches of the API.
//! `TRUEUP_BUILDS` measures other builds in place of this one. Each number of targets has a control plane
//! of its own. Up to 100 targets are watched by as many processes, too.
#![allow(clippy::disallowed_methods, reason = "a table of numbers, no answer of trueup's")]
#![allow(clippy::unwrap_used, reason = "a benchmark that can't go on should stop where it stands")]

mod fleet;

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::time::Duration;

use fleet::{Fleet, Mode};

#[path = "../../tests/support"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests' own")]
mod support {
    pub mod api;
    pub mod audit_log;
    pub mod command;
    pub mod http;
    pub mod objects;
    pub mod own_file;
    pub mod repo;
    pub mod sandbox;
    pub mod tls;
}

/// Up to how many targets are watched by processes of their own.
const PROCESSES: usize = 100;
/// How many times something is changed.
const CHANGES: usize = 5;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let sizes: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1, 10, 100, 200] } else { sizes };
    writeln!(
        stdout(),
        "{:28} {:>7} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}",
        "",
        "MB",
        "peak",
        "API/min",
        "git/min",
        "commit",
        "p99",
        "drift",
        "p99"
    )?;
    for (name, program) in builds() {
        for size in &sizes {
            row(&name, &program, *size, Mode::One)?;
            if *size <= PROCESSES {
                row(&name, &program, *size, Mode::Each)?;
            }
        }
    }
    Ok(())
}

fn row(name: &str, program: &std::path::Path, size: usize, mode: Mode) -> Outcome<()> {
    let plane = support::sandbox::own();
    let mut fleet = Fleet::start(&plane, program, size, mode);
    let quiet = fleet.quiet();
    let commits = fleet.commits(CHANGES);
    let drifts = fleet.drifts(CHANGES);
    let (resident, peak) = fleet.memory();
    let words = match mode {
        Mode::One => "one process",
        Mode::Each => "a process each",
    };
    let mb = |kib: usize| kib / 1024;
    writeln!(
        stdout(),
        "{:28} {:>7} {:>7} {:>8} {:>8} {:>7.2} s {:>7.2} s {:>7.2} s {:>7.2} s",
        format!("{name} {size} × 50, {words}"),
        mb(quiet.resident.max(resident)),
        mb(peak),
        quiet.api,
        quiet.git,
        percentile(&commits, 50).as_secs_f64(),
        percentile(&commits, 99).as_secs_f64(),
        percentile(&drifts, 50).as_secs_f64(),
        percentile(&drifts, 99).as_secs_f64(),
    )?;
    Ok(())
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(at).copied().unwrap_or_default()
}

/// The builds that `TRUEUP_BUILDS` names, else this one.
fn builds() -> Vec<(String, PathBuf)> {
    let named = std::env::var("TRUEUP_BUILDS").unwrap_or_default();
    let named = named.split(',').filter_map(|build| build.split_once('='));
    let builds: Vec<_> = named.map(|(name, path)| (name.to_owned(), PathBuf::from(path))).collect();
    match builds.is_empty() {
        true => vec![("this".to_owned(), env!("CARGO_BIN_EXE_trueup").into())],
        false => builds,
    }
}
