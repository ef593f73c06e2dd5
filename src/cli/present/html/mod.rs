//! The page of what runs where: a file of HTML that needs no script and fetches nothing, so that it can be
//! kept by a CI job, sent, or served from anywhere.
//!
//! | module | what it makes |
//! |---|---|
//! | `markup` | elements; all texts are escaped there |
//! | `words` | marks and words of states, outcomes and times |
//! | `overview` | the answer: how many targets need attention, and which |
//! | `now` | the table of what runs where, since when, and how it is |
//! | `versions` | commits and images by target |
//! | `year` | the time line of each target, with DORA's figures |
//! | `timeline`, `chart` | its counts and its drawing |
//! | `details` | all that is known of each target, folded |
//!
//! The same input makes the same page.

mod chart;
mod details;
mod markup;
mod now;
mod overview;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
mod timeline;
mod versions;
mod words;
mod year;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use self::markup::{Element, element, style_sheet};
use self::timeline::Scale;
use crate::core::history::Summary;
use crate::core::status::TargetStatus;

/// The style sheet.
const STYLE: &str = include_str!("page.css");

/// The content of a page. All texts in it have been through a redactor.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// When its data were read.
    pub made: Timestamp,
    /// The targets, in the order that they are shown in.
    pub targets: &'a [PageTarget<'a>],
    /// The contexts of which nothing could be read.
    pub unread: &'a [UnreadContext<'a>],
}

/// A context of which nothing could be read.
#[derive(Clone, Copy, Debug)]
pub struct UnreadContext<'a> {
    /// Its name.
    pub context: &'a str,
    /// Why.
    pub why: &'a str,
}

/// One target of a page.
#[derive(Clone, Copy, Debug)]
pub struct PageTarget<'a> {
    /// Its state.
    pub status: &'a TargetStatus,
    /// Its rounds as far as they are known, in any order.
    pub history: &'a [Summary],
}

/// A target with what several parts of the page need of it.
struct Shown<'a> {
    /// The id of its details in the page.
    id: String,
    /// Its name, with the context where another target has the same one.
    label: String,
    status: &'a TargetStatus,
    /// The newest first.
    rounds: Vec<&'a Summary>,
}

/// All that the parts of the page are made of.
struct Content<'a> {
    made: Timestamp,
    targets: Vec<Shown<'a>>,
    unread: &'a [UnreadContext<'a>],
    scale: Scale,
    /// How many contexts there are.
    contexts: usize,
}

/// The page.
pub fn page(page: &Page<'_>) -> String {
    let content = Content::of(page);
    let title = overview::title(&content);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(STYLE))
    );
    let meta =
        |name: &str, content: &str| element("meta").with("name", name).with("content", content);
    let head = element("head")
        .child(element("meta").with("charset", "utf-8"))
        .child(
            element("meta").with("http-equiv", "Content-Security-Policy").with("content", &policy),
        )
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(meta("robots", "noindex"))
        .child(meta("generator", concat!("trueup ", env!("CARGO_PKG_VERSION"))))
        .child(element("title").text(&title))
        .child(style_sheet(STYLE));
    let main = element("main")
        .with("id", "main")
        .children(overview::attention(&content))
        .child(now::section(&content))
        .child(versions::section(&content))
        .child(year::section(&content))
        .child(details::section(&content));
    let skip = element("a").class("skip").with("href", "#main").text("Skip to the content");
    let body = element("body")
        .child(skip)
        .child(chart::shapes())
        .child(overview::header(&content))
        .child(main)
        .child(overview::footer(&content));
    let html = element("html").with("lang", "en").child(head).child(body);
    format!("<!DOCTYPE html>\n{}\n", html.markup())
}

impl<'a> Content<'a> {
    fn of(page: &Page<'a>) -> Self {
        let Page { made, targets, unread } = *page;
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let mut contexts: BTreeMap<&str, usize> = BTreeMap::new();
        for target in targets {
            *names.entry(target.status.target.as_str()).or_default() += 1;
            *contexts.entry(target.status.context.as_str()).or_default() += 1;
        }
        let shown = targets.iter().enumerate().map(|(index, target)| {
            let PageTarget { status, history } = *target;
            let name = match status.target.as_str() {
                "" => "all targets",
                name => name,
            };
            let label = match names.get(status.target.as_str()) {
                Some(2..) => format!("{name} · {}", status.context),
                _ => name.to_owned(),
            };
            let mut rounds: Vec<&Summary> = history.iter().collect();
            rounds.sort_by(|one, other| (other.started, &other.id).cmp(&(one.started, &one.id)));
            Shown { id: format!("target-{}", index + 1), label, status, rounds }
        });
        let oldest = targets.iter().flat_map(|it| it.history).map(|it| it.started).min();
        let (targets, contexts) = (shown.collect(), contexts.len() + unread.len());
        Self { made, targets, unread, scale: Scale::of(oldest, made), contexts }
    }
}

impl Shown<'_> {
    /// Its name as a link to its details.
    fn link(&self) -> Element {
        element("a").with("href", &format!("#{}", self.id)).text(&self.label)
    }
}

/// A section with its headline.
fn section(id: &'static str, headline: &str) -> Element {
    let heading = element("h2").with("id", id).text(headline);
    element("section").with("aria-labelledby", id).child(heading)
}

/// The head of a table's column.
fn column(text: &str) -> Element {
    element("th").with("scope", "col").text(text)
}

/// A cell that names its column itself where the table is too narrow to have columns.
fn cell(column: &str) -> Element {
    element("td").with("data-label", column)
}

/// Text that is heard and not seen.
fn unseen(text: &str) -> Element {
    element("span").class("unseen").text(text)
}

/// A note in small letters.
fn small(text: &str) -> Element {
    element("small").text(text)
}
