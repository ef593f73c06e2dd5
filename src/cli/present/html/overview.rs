//! The answer before the details: how many targets need attention, and which for what.

use std::collections::BTreeMap;

use super::markup::{Element, element};
use super::words::{self, Tone};
use super::{Content, Shown, section, small};
use crate::core::source::snapshot::short;
use crate::core::status::{Held, SyncState};

/// Why a target needs attention; empty where it does not.
pub(super) fn complaints(target: &Shown<'_>) -> Vec<String> {
    let status = target.status;
    let mut found = Vec::new();
    match &status.state {
        SyncState::Unknown(why) => found.push(format!("could not be read: {why}")),
        SyncState::Diverged => found.push("what runs and what git has have diverged".to_owned()),
        _ => {}
    }
    if let Some(first) = status.drift.first() {
        let count = words::objects(status.drift.len());
        found.push(format!("{count} changed in the cluster, first {first}"));
    }
    match &status.held {
        Some(Held::RolledBack { failed }) => {
            found.push(format!("{} failed; rolled back", short(failed)))
        }
        Some(Held::NotTrusted { why }) => found.push(format!("git's commit is not trusted: {why}")),
        _ => {}
    }
    if status.health.failed > 0 {
        let first = status.health.first.as_ref();
        let first = first.map(|it| format!(": {}: {}", it.key, it.why)).unwrap_or_default();
        found.push(format!("{} failing{first}", words::objects(status.health.failed)));
    }
    let failed = status.last.as_ref().filter(|last| last.outcome.is_failure());
    if let Some(last) = failed.filter(|_| found.is_empty()) {
        found.push(format!("the last round {}: {}", words::outcome(last).words, last.short()));
    }
    if status.is_unverified {
        found.push("an unverified commit runs".to_owned());
    }
    found
}

/// The answer in one sentence.
fn verdict(content: &Content<'_>) -> String {
    let targets = &content.targets;
    let all = targets.len();
    let bad = targets.iter().filter(|it| !complaints(it).is_empty()).count();
    let behind = |it: &&Shown<'_>| {
        let is_settled = it.status.state == SyncState::InSync && it.status.health.progressing == 0;
        complaints(it).is_empty() && !is_settled
    };
    let unread = match content.unread.len() {
        0 => String::new(),
        count => format!(", {} not reached", words::counted(count, "context")),
    };
    let of_targets = match (all, bad, targets.iter().filter(behind).count()) {
        (0, ..) => "No target".to_owned(),
        (1, 0, 0) => "In sync and healthy".to_owned(),
        (_, 0, 0) => format!("All {all} targets are in sync and healthy"),
        (_, 0, 1) => format!("1 of {} is not at git's commit", words::counted(all, "target")),
        (_, 0, n) => format!("{n} of {all} targets are not at git's commit"),
        (_, 1, _) => format!("1 of {} needs attention", words::counted(all, "target")),
        (_, n, _) => format!("{n} of {all} targets need attention"),
    };
    of_targets + &unread
}

/// The page's title: what a tab or a list of files shows.
pub(super) fn title(content: &Content<'_>) -> String {
    format!("{} · trueup · {} UTC", verdict(content), words::minute(content.made))
}

/// The top of the page: the answer, the time of the data, and the way to the sections.
pub(super) fn header(content: &Content<'_>) -> Element {
    let contexts = words::counted(content.contexts, "context");
    let scope = format!(" UTC · {} in {contexts}", words::counted(content.targets.len(), "target"));
    let made =
        element("p").class("made").text("Read ").child(words::time(content.made)).text(&scope);
    let mut states: BTreeMap<(std::cmp::Reverse<Tone>, String), (words::Said, usize)> =
        BTreeMap::new();
    for target in &content.targets {
        let mut said = words::state(target.status);
        said.words = match (&target.status.held, &target.status.state) {
            (Some(Held::RolledBack { .. }), _) => "rolled back".to_owned(),
            (Some(Held::NotTrusted { .. }), _) => "not trusted".to_owned(),
            (Some(Held::Pinned { .. }), _) => "pinned".to_owned(),
            (Some(Held::Suspended { .. }), _) => "suspended".to_owned(),
            (Some(Held::Waits { on, .. }), _) => on.words().to_owned(),
            (None, SyncState::Behind(_)) => "behind git".to_owned(),
            (None, SyncState::Ahead(_)) => "ahead of git".to_owned(),
            (None, SyncState::Drifted) => "drifted".to_owned(),
            _ => said.words,
        };
        if let Some(held) = &target.status.held {
            let held = words::held(held);
            (said.tone, said.mark) = (held.tone, held.mark);
        }
        let key = (std::cmp::Reverse(said.tone), said.words.clone());
        states.entry(key).or_insert((said, 0)).1 += 1;
    }
    let counts = states.into_values().map(|(mut said, count)| {
        said.words = format!("{count} {}", said.words);
        element("li").child(said.element())
    });
    let counts =
        element("ul").class("counts").with("aria-label", "Targets by state").children(counts);
    let links = [
        ("#now", "Now"),
        ("#versions", "Versions"),
        ("#year", "Deployments"),
        ("#details", "Each target"),
    ];
    let links =
        links.map(|(href, words)| element("li").child(element("a").with("href", href).text(words)));
    let nav = element("nav").with("aria-label", "Sections").child(element("ul").children(links));
    let verdict = element("h1").text(&verdict(content));
    element("header").child(nav).child(verdict).child(made).child(counts)
}

/// The targets that need attention and the contexts that were not reached, and why. None where there is
/// neither.
pub(super) fn attention(content: &Content<'_>) -> Option<Element> {
    let targets = content.targets.iter().filter_map(|target| {
        let complaints = complaints(target);
        let context = small(&target.status.context);
        let name = element("span").class("who").child(target.link()).text(" ").child(context);
        (!complaints.is_empty()).then(|| entry(name, "!", &complaints.join(" · ")))
    });
    let contexts = content.unread.iter().map(|unread| {
        let name = element("span").class("who").text("context ").text(unread.context);
        entry(name, "?", unread.why)
    });
    let entries: Vec<Element> = targets.chain(contexts).collect();
    if entries.is_empty() {
        return None;
    }
    let list = element("ul").children(entries);
    Some(section("attention", "Needs attention").class("attention").child(list))
}

fn entry(name: Element, mark: &str, why: &str) -> Element {
    let mark = element("span").with("aria-hidden", "true").class("mark").text(mark);
    let why = element("span").class("why").text(why);
    element("li").child(mark).text(" ").child(name).text(" ").child(why)
}

/// The end of the page.
pub(super) fn footer(content: &Content<'_>) -> Element {
    let words = format!(
        " UTC by trueup {}. Times are in UTC, ages as of then. Nothing on this page is read again.",
        env!("CARGO_PKG_VERSION")
    );
    let made = element("p").text("Made ").child(words::time(content.made)).text(&words);
    element("footer").child(made)
}
