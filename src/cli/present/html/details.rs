//! All that is known of each target, folded: where it is, what differs and why, its images, and its last
//! rounds.

use jiff::Timestamp;

use super::markup::{Element, element};
use super::words::{self, span};
use super::{Content, Shown, column, section as section_of};
use crate::cli::present::history::took;
use crate::core::history::Summary;
use crate::core::status::{ImageStatus, SyncState, TargetStatus};

/// The most rounds of a target that are shown.
const ROUNDS: usize = 10;
/// The most objects and images that are named.
const OBJECTS: usize = 20;

/// The section.
pub(super) fn section(content: &Content<'_>) -> Element {
    section_of("details", "Each target").children(content.targets.iter().map(one))
}

fn one(target: &Shown<'_>) -> Element {
    let status = target.status;
    let heading = element("h3").text(&target.label);
    let said = words::state(status).element();
    let health = (!matches!(status.state, SyncState::Unknown(_)))
        .then(|| words::health(&status.health).element());
    let summary =
        element("summary").child(heading).text(" ").child(said).text(" ").children(health);
    let details = element("details").with("id", &target.id).child(summary).child(facts(status));
    details.children(drift(status)).children(images(status)).children(rounds(target))
}

/// Its facts, name by name.
fn facts(status: &TargetStatus) -> Element {
    let runs = status.runs.as_ref();
    let named = |commit: &str, words: &str| {
        element("dd").child(element("code").text(commit)).text(" ").text(words)
    };
    let plain = |text: &str| element("dd").text(text);
    let at = |time: Timestamp| element("dd").child(words::time(time)).text(" UTC");
    let unknown = match &status.state {
        SyncState::Unknown(why) => Some(plain(why)),
        _ => None,
    };
    let first = status.health.first.as_ref().map(|it| plain(&format!("{}: {}", it.key, it.why)));
    let facts = [
        ("Could not be read", unknown),
        ("Context", Some(plain(&status.context))),
        ("API server", Some(plain(&status.server))),
        ("Cluster", status.cluster_uid.as_deref().map(plain)),
        ("Runs", runs.map(|it| named(&it.commit, it.subject.as_deref().unwrap_or_default()))),
        ("Tracks", runs.and_then(|it| it.tracked.as_deref()).map(plain)),
        ("Since", runs.and_then(|it| it.since).map(at)),
        ("Applied by", runs.and_then(|it| it.by.as_deref()).map(plain)),
        ("Git has", status.git.as_ref().map(|it| named(&it.commit, &it.subject))),
        ("Git's ref", status.git.as_ref().map(|it| plain(&it.named))),
        ("Held", status.held.as_ref().map(|it| element("dd").child(words::held(it).element()))),
        ("Not ready", first),
        ("Next look", status.next_due.map(at)),
    ];
    let facts = facts.into_iter().filter_map(|(name, value)| {
        Some(element("div").child(element("dt").text(name)).child(value?))
    });
    element("dl").class("facts").children(facts)
}

/// The objects that differ.
fn drift(status: &TargetStatus) -> Option<Element> {
    let keys = status.drift.iter().take(OBJECTS);
    let keys = keys.map(|key| element("li").text(&key.to_string()));
    let more = status.drift.len().saturating_sub(OBJECTS);
    let more = (more > 0).then(|| element("li").text(&format!("and {more} more")));
    let heading = element("h4").text("Changed in the cluster");
    let list = element("ul").children(keys).children(more);
    (!status.drift.is_empty()).then(|| element("div").child(heading).child(list))
}

/// The images that are declared and that run, those where the two differ first.
fn images(status: &TargetStatus) -> Option<Element> {
    let all = status.images.len();
    let (same, differ): (Vec<_>, Vec<_>) = status.images.iter().partition(|it| is_same(it));
    let rows = differ.into_iter().chain(same).take(OBJECTS).map(image);
    let head = ["Object", "Container", "Image", "Runs"].map(column);
    let table = element("table").class("stacked small");
    let caption = element("caption").text(&match all > OBJECTS {
        true => format!("Images: {OBJECTS} of {all} containers"),
        false => "Images".to_owned(),
    });
    let head = element("thead").child(element("tr").children(head));
    let table = table.child(caption).child(head).child(element("tbody").children(rows));
    (all > 0).then_some(table)
}

/// Whether the declared image runs, and no other.
fn is_same(image: &ImageStatus) -> bool {
    image.running.iter().all(|it| image.declared.as_ref() == Some(&it.image))
}

fn image(image: &ImageStatus) -> Element {
    let ImageStatus { key, container, declared, running } = image;
    let runs = running.iter().map(|it| {
        let digest =
            it.digest.as_deref().map(|digest| digest.strip_prefix("sha256:").unwrap_or(digest));
        let digest = digest.map(|digest| {
            element("code").with("title", digest).text(digest.get(..12).unwrap_or(digest))
        });
        let other = (declared.as_ref() != Some(&it.image))
            .then(|| element("b").text("≠ ").text(&it.image).text(" "));
        let pods = format!(" on {}", words::counted(it.pods, "pod"));
        element("p").children(other).children(digest).text(&pods)
    });
    let none = running.is_empty().then(|| element("p").text("no pod"));
    element("tr")
        .child(element("th").with("scope", "row").text(&key.to_string()))
        .child(element("td").text(container))
        .child(element("td").text(declared.as_deref().unwrap_or("not declared")))
        .child(element("td").children(runs).children(none))
}

/// Its last rounds, the newest first.
fn rounds(target: &Shown<'_>) -> Option<Element> {
    let all = target.rounds.len();
    let rows = target.rounds.iter().take(ROUNDS).map(|round| row(round));
    let head = ["Began", "Outcome", "Commit", "Changes", "By", "Took"].map(column);
    let caption = match all > ROUNDS {
        true => format!("The last {ROUNDS} of {all} rounds"),
        false => "Rounds".to_owned(),
    };
    let table = element("table").class("stacked small").child(element("caption").text(&caption));
    let head = element("thead").child(element("tr").children(head));
    (all > 0).then(|| table.child(head).child(element("tbody").children(rows)))
}

fn row(round: &Summary) -> Element {
    let subject = element("span").class("subject").text(&round.subject);
    let by = format!("{} on {}", words::user(&round.user), round.host);
    let reason = round.reason.as_deref().map(|why| element("p").text(why));
    let took = took(round).map_or_else(|| "?".to_owned(), span);
    element("tr")
        .child(element("th").with("scope", "row").child(words::time(round.started)))
        .child(element("td").child(words::outcome(round).element()).children(reason))
        .child(element("td").child(words::commit(&round.commit)).text(" ").child(subject))
        .child(element("td").text(&words::counted(round.changed, "change")))
        .child(element("td").text(&by))
        .child(element("td").text(&took))
}
