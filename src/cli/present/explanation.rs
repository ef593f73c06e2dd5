//! Lines under a change: who changed each field, and which commit says otherwise.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::ink::Ink;
use super::story::{Explanation, INDENT, TimeStyle, names};
use super::wrap::wrapped;
use super::{Glyphs, PlanView, brief, handovers};
use crate::core::attribution::{Attribution, FieldHistory};
use crate::core::masked_plan::MaskedChange;
use crate::core::object::ObjectKey;
use crate::core::problem::Location;
use crate::core::source::snapshot::{Authorship, short};

/// How many groups of fields are told of one object.
const MOST: usize = 8;

/// Writes why a change is as it is, as far as it is known.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write(
    out: &mut impl Write,
    change: MaskedChange<'_>,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let dim = Ink::DIM;
    let mut line = |mark: &str, line: &str, hang: usize| {
        let lines = wrapped(&glyphs.inert(line), glyphs.limit(), 4 + mark.width(), hang);
        let (first, others) = lines.split_first().map_or(("", &[][..]), |(a, b)| (a, b));
        writeln!(out, "    {dim}{mark}{first}{dim:#}")?;
        others.iter().try_for_each(|line| writeln!(out, "{dim}{line}{dim:#}"))
    };
    let times = TimeStyle::Ago(view.now);
    if let Some(removal) = removal(change, view, times) {
        line("", &removal, INDENT)?;
    }
    let (mut stories, more) = stories(change, view, times);
    if let Some(last) = stories.last_mut().filter(|_| more > 0) {
        last.also.push(format!("and {more} more"));
    }
    let mark = if glyphs.utf8 { "▲ " } else { "^ " };
    let mut tell = |told: Explanation| {
        let lines = told.lines(glyphs.columns());
        let mut marks = std::iter::once(mark).chain(std::iter::repeat("  "));
        lines.iter().zip(&mut marks).try_for_each(|(told, mark)| line(mark, told, INDENT + 2))
    };
    stories.into_iter().try_for_each(&mut tell)?;
    handovers::stories(change, view, times).into_iter().try_for_each(&mut tell)
}

/// Which commit took the object out: `removed by 4f2c1a9, AUTHOR, 3 days ago`.
pub(super) fn removal(
    change: MaskedChange<'_>,
    view: &PlanView<'_>,
    times: TimeStyle,
) -> Option<String> {
    let removal = view.explained.removed.get(change.key())?;
    Some(format!("removed by {}", authorship(removal, times)))
}

/// Why the fields of a change are as they are, and how many stories are left out.
pub(super) fn stories(
    change: MaskedChange<'_>,
    view: &PlanView<'_>,
    times: TimeStyle,
) -> (Vec<Explanation>, usize) {
    let groups = groups(change.key(), view);
    let stories = groups.iter().take(MOST).map(|group| explain_group(group, times)).collect();
    (stories, groups.len().saturating_sub(MOST))
}

/// The fields of an object that have one story.
fn groups<'a>(key: &ObjectKey, view: &PlanView<'a>) -> Vec<Vec<&'a Attribution>> {
    let mut groups: Vec<Vec<&Attribution>> = Vec::new();
    for field in view.explained.fields.get(key).into_iter().flatten() {
        let is_alike = |group: &&mut Vec<&Attribution>| {
            let told = |field: &Attribution| {
                let is_released = matches!(field.story, FieldHistory::Released(_));
                let after = field.after.clone().filter(|_| is_released);
                let goes = field.after.is_none();
                let from = field.taken_from.clone();
                (field.story.clone(), field.declared.clone(), from, after, goes)
            };
            told(group[0]) == told(field)
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(field),
            None => groups.push(vec![field]),
        }
    }
    groups
}

/// One story.
fn explain_group(group: &[&Attribution], times: TimeStyle) -> Explanation {
    let Attribution { path, story, taken_from, after, place, declared } = group[0];
    let (what, is) = match group.len() - 1 {
        0 => (path.clone(), "is"),
        1 => (format!("{path} and 1 more field"), "are"),
        more => (format!("{path} and {more} more fields"), "are"),
    };
    let declared = declaration(declared.as_ref(), place.as_ref(), times);
    let commit = |verb: &str| declared.map(|declared| format!("{verb} {declared}"));
    let taken = format!("taken from {}", names(taken_from, times));
    let also_taken = (!taken_from.is_empty()).then(|| taken.clone());
    match story {
        FieldHistory::Drift(writers) if after.is_none() => Explanation {
            what: format!("{what} {is}"),
            then: format!("set by {}", names(writers, times)),
            also: vec![format!(
                "not declared, and in the way of what is: {} {}",
                it(is),
                removed_verb(is)
            )],
        },
        FieldHistory::Drift(writers) if writers == taken_from => Explanation {
            what: format!("{what} {is}"),
            then: taken,
            also: commit("declared").into_iter().collect(),
        },
        FieldHistory::Drift(writers) => Explanation {
            what: format!("{what} {is}"),
            then: format!("set by {}", names(writers, times)),
            also: also_taken.into_iter().chain(commit("declared")).collect(),
        },
        FieldHistory::Changed => {
            let then = commit("changed").unwrap_or_else(|| "changed".to_owned());
            Explanation { what, then, also: also_taken.into_iter().collect() }
        }
        FieldHistory::Declared => {
            let then = commit("declared").unwrap_or_else(|| "declared".to_owned());
            Explanation { what, then, also: also_taken.into_iter().collect() }
        }
        FieldHistory::Released(writers) => {
            let then = match (after, writers.as_slice()) {
                (None, _) => format!("no longer declared, and {}", removed_verb(is)),
                (Some(after), []) => format!(
                    "no longer declared, and {} back to {}",
                    falls(is),
                    brief::short(Some(after))
                        .map_or("the server's default".to_owned(), |value| format!(
                            "the server's default, {value}"
                        ))
                ),
                (Some(_), writers) => {
                    format!(
                        "no longer declared, and {} with {}",
                        kept_verb(is),
                        names(writers, times)
                    )
                }
            };
            Explanation {
                what: format!("{what} {is}"),
                then,
                also: also_taken.into_iter().collect(),
            }
        }
    }
}

fn it(is: &str) -> &'static str {
    if is == "is" { "it" } else { "they" }
}

fn removed_verb(is: &str) -> &'static str {
    if is == "is" { "goes" } else { "go" }
}

fn falls(is: &str) -> &'static str {
    if is == "is" { "falls" } else { "fall" }
}

fn kept_verb(is: &str) -> &'static str {
    if is == "is" { "stays" } else { "stay" }
}

/// `in 4f2c1a9, AUTHOR, 3 days ago · web.yaml:14`.
fn declaration(
    declared: Option<&Authorship>,
    place: Option<&Location>,
    times: TimeStyle,
) -> Option<String> {
    let place = place.map(|place| format!("{}:{}", place.path, place.line));
    let written = declared.map(|declared| format!("in {}", authorship(declared, times)));
    match (written, place) {
        (Some(written), Some(place)) => Some(format!("{written}, {place}")),
        (None, Some(place)) => Some(format!("at {place}")),
        (written, None) => written,
    }
}

/// `4f2c1a9, AUTHOR, 3 days ago`.
fn authorship(by: &Authorship, times: TimeStyle) -> String {
    format!("{}, {}, {}", short(&by.commit), by.author, times.format(by.time))
}
