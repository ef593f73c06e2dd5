//! One change folded away: its difference in a block of code, and below it who changed what.

use super::{GLYPHS, code, cut, fenced, length, words};
use crate::cli::present::explanation;
use crate::cli::present::hunks::{self, Line};
use crate::cli::present::story::{Explanation, TimeStyle};
use crate::cli::present::{PlanView, brief, handovers, text};
use crate::core::diff::Delta;
use crate::core::masked_plan::MaskedChange;
use crate::core::plan::Action;

/// More characters than this of one object's difference are left out, so that one large object
/// leaves room for others.
const MOST: usize = 12_000;
/// More characters than this of one line are left out.
const LINE: usize = 1_000;

/// The part of a change that is folded away; `None` where the table says it all.
pub(super) fn of(change: MaskedChange<'_>, view: &PlanView<'_>) -> Option<String> {
    let delta = view.delta(change);
    let mut inside = String::new();
    if let Some(reason) = change.reason().filter(|_| change.action() == Action::Refuse) {
        let lines = brief::reasons(&reason);
        let lines: Vec<String> =
            lines.iter().map(|line| shortened(&text::body(line, GLYPHS))).collect();
        inside.push_str(&block("text", &lines));
    }
    let lines = lines(change, &delta);
    if !lines.is_empty() {
        inside.push_str(&block("diff", &lines));
    }
    let stories = stories(change, view);
    if !stories.is_empty() {
        inside.push_str(&format!("\n{stories}"));
    }
    if inside.is_empty() {
        return None;
    }
    let (action, object) = (change.action().name(), code(&cut(&change.key().to_string())));
    Some(format!("<details><summary>{action} {object}</summary>\n\n{inside}\n</details>\n"))
}

/// The lines of the difference, as `diff -u` marks them.
fn lines(change: MaskedChange<'_>, delta: &Delta) -> Vec<String> {
    let line = |mark: &str, line: &str| {
        shortened(format!("{mark}{}", text::body(line, GLYPHS)).trim_end())
    };
    if change.action() == Action::Create {
        return delta.after_text.lines().map(|text| line("+", text)).collect();
    }
    let lines = hunks::of(delta);
    let lines = lines.into_iter().map(|one| match one {
        Line::Gap => "@@ @@".to_owned(),
        Line::Above(text) | Line::Equal(text) => line(" ", text),
        Line::Removed(text) => line("-", text),
        Line::Added(text) => line("+", text),
    });
    lines.collect()
}

/// The lines in a fence, as many as one object may have, and how many there are more.
fn block(language: &str, lines: &[String]) -> String {
    let mut sum = 0;
    let fitting = lines.iter().take_while(|line| {
        sum += length(line) + 1;
        sum <= MOST
    });
    let fitting = fitting.count();
    let mut block = fenced(language, &lines[..fitting]);
    match lines.len() - fitting {
        0 => {}
        1 => block.push_str("\nand 1 more line\n"),
        more => block.push_str(&format!("\nand {more} more lines\n")),
    }
    block
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => {
            let more = line[end..].chars().count();
            format!("{}… ({more} more characters)", &line[..end])
        }
        None => line.to_owned(),
    }
}

/// A list: who changed each field, and which commit says otherwise.
fn stories(change: MaskedChange<'_>, view: &PlanView<'_>) -> String {
    let (stories, more) = explanation::stories(change, view, TimeStyle::Dates);
    let mut list: String = stories.into_iter().map(item).collect();
    if more > 0 {
        list.push_str(&format!("- and {more} more\n"));
    }
    list.extend(handovers::stories(change, view, TimeStyle::Dates).into_iter().map(item));
    list
}

fn item(Explanation { what, then, also }: Explanation) -> String {
    let mut parts = vec![words(&cut(&what))];
    if !then.is_empty() {
        parts[0].push_str(&format!(" {}", words(&cut(&then))));
    }
    parts.extend(also.iter().map(|also| words(&cut(also.trim_start()))));
    format!("- {}\n", parts.join("; "))
}
