//! Mutated files against the manifest reader: no panic, an end, and places that are in the file.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use trueup::manifest::read;
use trueup::problem::Problem;

use crate::support::mutate::{Mutator, number};

/// The one panic of the YAML parser that is known: a comma or bracket right behind a tag that
/// follows a quoted text without a space.
const KNOWN: &str = "TODO: What is expected here?";

/// Where a panic was and what it said; the reader catches the YAML parser's and calls the file
/// unreadable.
type Panic = Option<(String, String)>;

#[allow(clippy::print_stdout, reason = "who runs it wants to know what it found")]
#[test]
#[ignore = "takes about a minute: TRUEUP_MUTATIONS for more, TRUEUP_SEED for others"]
fn manifest_fuzz() {
    let (count, seed) = (number("TRUEUP_MUTATIONS", 200_000), number("TRUEUP_SEED", 1));
    println!("seed {seed}, {count} files");
    let seen: Arc<Mutex<Panic>> = Arc::default();
    let (hook, ours) = (Arc::clone(&seen), AtomicBool::new(true));
    let this = std::thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == this && ours.load(Ordering::Relaxed) {
            let at = info.location().map(ToString::to_string).unwrap_or_default();
            *hook.lock().unwrap() = Some((at, info.payload_as_str().unwrap_or_default().into()));
        }
    }));
    let mut mutator = Mutator::new(seed);
    let mut wrong = Vec::new();
    for _ in 0..count {
        let bytes = mutator.file();
        let reading = panic::catch_unwind(AssertUnwindSafe(|| read("a.yaml", &bytes)));
        let panic = seen.lock().unwrap().take();
        let found = match (reading, panic) {
            (Ok(reading), None) => {
                let told = reading.problems.iter().chain(&reading.warnings);
                told.filter_map(|problem| misplaced(problem, &bytes)).next()
            }
            (Ok(_), Some((_, said))) if said == KNOWN => None,
            (_, panic) => Some(format!("a panic {panic:?}")),
        };
        if let Some(found) = found {
            wrong.push(format!("{found}\n  in {:?}", String::from_utf8_lossy(&bytes)));
        }
    }
    panic::set_hook(before);
    let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {count}, seed {seed}:\n{}", wrong.len(), shown.join("\n"));
}

/// What is wrong with the place of a problem.
fn misplaced(problem: &Problem, bytes: &[u8]) -> Option<String> {
    let place = &problem.place;
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if utf16 && place.line > 0 && place.column > 0 {
        return None;
    }
    // The byte order mark is no part of the text.
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let line = place.line.checked_sub(1).and_then(|line| text.split('\n').nth(line));
    let Some(line) = line else { return Some(format!("no line {place}: {}", problem.message)) };
    // One behind the end is the line break, where much is missing.
    let columns = 1..=line.chars().count() + 2;
    if !columns.contains(&place.column) {
        return Some(format!("no column {place}: {}", problem.message));
    }
    let excerpt = problem.excerpt.as_deref();
    let is_that_line = excerpt.is_none_or(|excerpt| line.trim_end_matches('\r') == excerpt);
    (!is_that_line).then(|| format!("another line than {place}: {excerpt:?}"))
}
