//! Mutated input for every parser of foreign bytes: none panics, each comes to an end, and what it
//! says is about a place that the input has.
//!
//! Each target is a test that takes about a minute, and so runs when asked for only:
//!
//! ```text
//! cargo test --locked --test trueup hostile::fuzz -- --ignored
//! ```
//!
//! `TRUEUP_MUTATIONS` sets how many inputs each gets, `TRUEUP_SEED` which.

mod answers;
mod composed;
mod imports;
mod kustomizations;
mod manifests;
mod parents;
mod plans;
mod settings;
mod trees;

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use trueup::core::problem::Location;

use crate::support::mutate::{Mutator, number};

/// The one panic of the YAML parser that is known: a comma or bracket right behind a tag that
/// follows a quoted text without a space. The reader catches it and calls the file unreadable.
const KNOWN: &str = "TODO: What is expected here?";

/// A panic: where it was and what it said.
type Panic = (String, String);

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// Where inputs come from.
trait Inputs {
    fn next(&mut self) -> Vec<u8>;
}

impl Inputs for Mutator {
    fn next(&mut self) -> Vec<u8> {
        self.file()
    }
}

/// Gives `look` one input after the other, `count` of them unless the caller says otherwise. It
/// returns what is wrong with how the input was read.
#[track_caller]
#[allow(clippy::print_stdout, reason = "who runs it wants to know what it did")]
fn fuzz<I: Inputs>(
    count: u64,
    inputs: impl FnOnce(u64) -> I,
    mut look: impl FnMut(&[u8]) -> Option<String>,
) {
    let (count, seed) = (number("TRUEUP_MUTATIONS", count), number("TRUEUP_SEED", 1));
    println!("seed {seed}, {count} inputs");
    let mut inputs = inputs(seed);
    let mut wrong = Vec::new();
    for _ in 0..count {
        let bytes = inputs.next();
        let found = match watched(|| look(&bytes)) {
            (Ok(found), None) => found,
            (Ok(found), Some((_, said))) if said == KNOWN => found,
            (_, panic) => Some(format!("a panic {panic:?}")),
        };
        if let Some(found) = found {
            wrong.push(format!("{found}\n  in {:?}", String::from_utf8_lossy(&bytes)));
        }
    }
    let shown: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} of {count}, seed {seed}:\n{}", wrong.len(), shown.join("\n"));
}

/// What came of it, and the last panic in it, even one that was caught.
fn watched<T>(run: impl FnOnce() -> T) -> (std::thread::Result<T>, Option<Panic>) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_WATCHED.get() {
                return before(info);
            }
            let at = info.location().map(ToString::to_string).unwrap_or_default();
            let said = info.payload();
            let said = said.downcast_ref::<&str>().copied().map(str::to_owned);
            let said = said.or_else(|| info.payload().downcast_ref::<String>().cloned());
            SEEN.set(Some((at, said.unwrap_or_default())));
        }));
    });
    IS_WATCHED.set(true);
    let came = panic::catch_unwind(AssertUnwindSafe(run));
    IS_WATCHED.set(false);
    (came, SEEN.take())
}

/// What is wrong with a place in a file with these bytes.
fn misplaced(place: &Location, bytes: &[u8]) -> Option<String> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if utf16 && place.line > 0 && place.column > 0 {
        return None;
    }
    let Some(line) = line(bytes, place) else { return Some(format!("no line {place}")) };
    // One behind the end is the line break, where much is missing.
    let columns = 1..=line.chars().count() + 2;
    (!columns.contains(&place.column)).then(|| format!("no column {place}"))
}

/// The line that a place is in.
fn line(bytes: &[u8], place: &Location) -> Option<String> {
    // The byte order mark is no part of the text.
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let line = place.line.checked_sub(1)?;
    text.split('\n').nth(line).map(str::to_owned)
}
