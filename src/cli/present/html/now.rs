//! The table of what runs where, since when, what git has, and how the objects are.

use super::markup::{Element, element};
use super::words::{self, age};
use super::{Content, Shown, cell, column, section as section_of, small};
use crate::core::status::{RunningCommit, SyncState};

/// The section.
pub(super) fn section(content: &Content<'_>) -> Element {
    let columns = ["Target", "Runs", "Since", "Git", "Health", "Last round"].map(column);
    let head = element("thead").child(element("tr").children(columns));
    let rows = content.targets.iter().map(|target| row(content, target));
    let unread = content.unread.iter().map(|unread| {
        let name = element("th").with("scope", "row").text("context ").text(unread.context);
        let told = words::unread().element();
        let told = cell("State").with("colspan", "5").child(told).text(" ").text(unread.why);
        element("tr").child(name).child(told)
    });
    let body = element("tbody").children(rows).children(unread);
    let caption = element("caption").class("unseen").text("What runs on each target");
    let table = element("table").class("stacked now").child(caption).child(head).child(body);
    section_of("now", "What runs where").child(table)
}

fn row(content: &Content<'_>, target: &Shown<'_>) -> Element {
    let status = target.status;
    let name =
        element("th").with("scope", "row").child(target.link()).child(small(&status.context));
    let row = element("tr").child(name);
    if let SyncState::Unknown(why) = &status.state {
        let told = words::state(status).element();
        let why = element("span").class("why").text(why);
        let runs = status
            .runs
            .as_ref()
            .map(|runs| element("p").text("Last known: ").child(words::commit(&runs.commit)));
        return row.child(
            cell("State").with("colspan", "5").child(told).text(" ").child(why).children(runs),
        );
    }
    row.child(runs(status.runs.as_ref()))
        .child(since(content, status.runs.as_ref()))
        .child(git(target))
        .child(health(target))
        .child(last(content, target))
}

fn runs(runs: Option<&RunningCommit>) -> Element {
    let cell = cell("Runs");
    let Some(runs) = runs else { return cell.text("nothing yet") };
    let tracked = runs.tracked.as_ref().map(|it| element("b").class("ref").text(it));
    let dirty = runs.is_dirty.then(|| small("with uncommitted changes"));
    let subject = runs.subject.as_ref().map(|it| element("span").class("subject").text(it));
    let author = runs.author.as_ref().map(|it| small(&format!("by {it}")));
    let parts = tracked
        .into_iter()
        .chain([words::commit(&runs.commit)])
        .chain(subject)
        .chain(dirty)
        .chain(author);
    parts.fold(cell, |cell, part| cell.child(part).text(" "))
}

fn since(content: &Content<'_>, runs: Option<&RunningCommit>) -> Element {
    let cell = cell("Since");
    let Some(since) = runs.and_then(|runs| runs.since) else { return cell.text("–") };
    let long = element("b").text(&age(since, content.made));
    cell.child(long).text(" ").child(small("").child(words::time(since)))
}

fn git(target: &Shown<'_>) -> Element {
    let status = target.status;
    let said = words::state(status);
    let parts = match &status.held {
        Some(held) => vec![words::held(held).element(), small(&said.words)],
        None => vec![said.element()],
    };
    let unverified = status.is_unverified.then(|| small("unverified commit"));
    let runs = status.runs.as_ref().map(|runs| runs.commit.as_str());
    let other = status.git.as_ref().filter(|git| Some(git.commit.as_str()) != runs);
    let other = other.map(|git| {
        small("git has ").child(words::commit(&git.commit)).text(" ").text(&git.subject)
    });
    let first = status.drift.first().map(|key| match (&status.held, &status.state) {
        (None, SyncState::Drifted) => small(&format!("first {key}")),
        _ => small(&format!("drift: {}, first {key}", words::objects(status.drift.len()))),
    });
    let parts = parts.into_iter().chain(first).chain(unverified).chain(other);
    parts.fold(cell("Git"), |cell, part| cell.child(part).text(" "))
}

fn health(target: &Shown<'_>) -> Element {
    let health = &target.status.health;
    let first = health.first.as_ref().map(|it| small(&format!("{}: {}", it.key, it.why)));
    cell("Health").child(words::health(health).element()).text(" ").children(first)
}

fn last(content: &Content<'_>, target: &Shown<'_>) -> Element {
    let last = target.status.last.as_ref().or(target.rounds.first().copied());
    let cell = cell("Last round");
    let Some(last) = last else { return cell.text("none known") };
    let words = format!("{} ago by {}", age(last.ended, content.made), words::user(&last.user));
    cell.child(words::outcome(last).element()).text(" ").child(small(&words))
}
