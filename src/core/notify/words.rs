//! Messages in words.

use std::time::Duration;

use jiff::Timestamp;

use super::message::{Message, Transition};
use super::observation::{Commit, Culprit, Observation};
use crate::core::sanitize::{is_harmless, spelled};
use crate::core::source::snapshot::short;

/// The most objects that a message lists.
pub(super) const OBJECTS: usize = 20;
/// The most characters of a text from outside.
pub(super) const TEXT: usize = 300;

/// The subject of a message.
#[derive(Default)]
pub(super) struct Facts<'a> {
    pub(super) commit: Option<&'a Commit>,
    pub(super) culprits: Vec<&'a Culprit>,
    pub(super) objects: Vec<&'a str>,
    pub(super) cause: &'a str,
    pub(super) since: Option<Timestamp>,
    /// How many rounds a failure lasts.
    pub(super) rounds: u32,
    /// How many rounds came after its last news.
    pub(super) quiet: u32,
    /// The commit that stays or was restored.
    pub(super) stays: Option<&'a str>,
    pub(super) is_proven: bool,
    pub(super) stays_drifted: bool,
}

/// The message about a transition.
pub(super) fn message(
    id: String,
    seen: &Observation,
    transition: Transition,
    facts: Facts<'_>,
) -> Message {
    let commit = facts.commit.map(inert_commit);
    let objects = match facts.objects.is_empty() {
        true => facts.culprits.iter().filter_map(|it| it.object.as_deref()).collect(),
        false => facts.objects.clone(),
    };
    let since = facts.since.unwrap_or(seen.at);
    let target = inert(&seen.target);
    Message {
        id,
        title: format!("{target}: {}", headline(transition, commit.as_ref(), &facts, seen.at)),
        details: details(&facts),
        target,
        transition,
        commit,
        objects: objects.iter().take(OBJECTS).map(|object| inert(object)).collect(),
        at: seen.at,
        since,
        reminder: (transition == Transition::StillFailing).then_some(facts.quiet),
        is_proven: facts.is_proven,
        stays_drifted: facts.stays_drifted,
    }
}

/// The message that tells how many older ones were dropped.
pub(super) fn dropped(id: String, count: u64, at: Timestamp) -> Message {
    let messages = if count == 1 { "message was" } else { "messages were" };
    let title =
        format!("trueup: {count} older {messages} dropped, as this receiver did not take them");
    Message { title, ..bare(id, Transition::Dropped, at) }
}

/// The same of so many targets at once.
pub(super) fn dropped_of(targets: &str) -> String {
    format!("trueup: older messages of {targets} were dropped, as this receiver did not take them")
}

fn bare(id: String, transition: Transition, at: Timestamp) -> Message {
    Message {
        id,
        target: String::new(),
        transition,
        title: String::new(),
        details: Vec::new(),
        commit: None,
        objects: Vec::new(),
        at,
        since: at,
        reminder: None,
        is_proven: false,
        stays_drifted: false,
    }
}

fn headline(
    transition: Transition,
    commit: Option<&Commit>,
    facts: &Facts<'_>,
    at: Timestamp,
) -> String {
    let named = || commit.map_or_else(|| "the target".to_owned(), named);
    let brief = || commit.map_or("it", |commit| short(&commit.id)).to_owned();
    let lasted = || span(at.duration_since(facts.since.unwrap_or(at)).unsigned_abs());
    let objects = || several(&facts.objects);
    let stays = facts.stays.map(short);
    match transition {
        Transition::Started => format!("deploying {}", named()),
        Transition::Healthy if facts.is_proven => format!("{} is healthy", named()),
        Transition::Healthy => format!("{} is applied", named()),
        Transition::Failed => format!("{} failed: {}", named(), culprit(facts)),
        Transition::RolledBack => {
            let to = stays.unwrap_or("an older commit");
            let why = match facts.culprits.is_empty() {
                true => String::new(),
                false => format!(": {}", culprit(facts)),
            };
            format!("{} failed and was rolled back to {to}{why}", named())
        }
        Transition::StillFailing => {
            let why = match (facts.culprits.is_empty(), facts.cause, stays) {
                (false, _, _) => culprit(facts),
                (true, "", Some(to)) => format!("{} was rolled back to {to}", brief()),
                (true, cause, _) => format!("{} is refused: {}", brief(), inert(cause)),
            };
            format!("still failing after {} rounds, {}: {why}", facts.rounds, lasted())
        }
        Transition::Recovered => {
            let rounds = if facts.rounds == 1 { "round" } else { "rounds" };
            format!("recovered at {} after {} {rounds}, {}", named(), facts.rounds, lasted())
        }
        Transition::Refused => {
            let stays = stays.map(|stays| format!("; stays at {stays}")).unwrap_or_default();
            format!("{} is refused: {}{stays}", named(), inert(facts.cause))
        }
        Transition::Drift => format!("drift: {}", objects()),
        Transition::DriftPutBack => format!("drift put back: {}", objects()),
        Transition::DriftGone => format!("drift gone: {}", objects()),
        Transition::GitUnreachable => {
            format!("git has been unreachable for {}: {}", lasted(), inert(facts.cause))
        }
        Transition::GitReachable => format!("git is reachable again after {}", lasted()),
        Transition::ClusterUnreachable => {
            format!("the cluster has been unreachable for {}: {}", lasted(), inert(facts.cause))
        }
        Transition::ClusterReachable => {
            format!("the cluster is reachable again after {}", lasted())
        }
        Transition::Waiting => format!("{} waits: {}", named(), inert(facts.cause)),
        Transition::Suspended => format!("suspended {}", inert(facts.cause)),
        Transition::SuspensionEnding => {
            format!("the suspension ends soon: {}", inert(facts.cause))
        }
        Transition::Resumed => format!("resumed after {}", lasted()),
        Transition::Dropped => String::new(),
    }
}

/// A commit with its subject and author.
pub(super) fn named(commit: &Commit) -> String {
    let mut text = short(&commit.id).to_owned();
    if !commit.subject.is_empty() {
        text.push_str(&format!(" \"{}\"", commit.subject));
    }
    if !commit.author.is_empty() {
        text.push_str(&format!(" by {}", commit.author));
    }
    text
}

/// The one culprit, and how many others there are.
fn culprit(facts: &Facts<'_>) -> String {
    let Some(first) = facts.culprits.first() else { return "unknown".to_owned() };
    let text = match &first.object {
        Some(object) => format!("{}: {}", inert(object), inert(&first.text)),
        None => inert(&first.text),
    };
    match facts.culprits.len() - 1 {
        0 => text,
        1 => format!("{text}; and 1 other"),
        others => format!("{text}; and {others} others"),
    }
}

/// The culprits besides the first, or the objects besides the first.
fn details(facts: &Facts<'_>) -> Vec<String> {
    let culprits = facts.culprits.iter().skip(1).map(|it| match &it.object {
        Some(object) => format!("{}: {}", inert(object), inert(&it.text)),
        None => inert(&it.text),
    });
    let objects = facts.objects.iter().skip(1).map(|object| inert(object));
    let count = culprits.len() + objects.len();
    let mut lines: Vec<String> = culprits.chain(objects).take(OBJECTS).collect();
    if count > OBJECTS {
        lines.push(format!("and {} more", count - OBJECTS));
    }
    lines
}

/// The first object, and how many others there are.
fn several(objects: &[&str]) -> String {
    match objects {
        [] => String::new(),
        [one] => inert(one),
        [one, _] => format!("{} and 1 other", inert(one)),
        [one, others @ ..] => format!("{} and {} others", inert(one), others.len()),
    }
}

fn inert_commit(commit: &Commit) -> Commit {
    let Commit { id, subject, author } = commit;
    Commit { id: inert(id), subject: inert(subject), author: inert(author) }
}

/// A text from outside on one line, bounded, and with nothing in it that is not seen.
pub(super) fn inert(text: &str) -> String {
    let words = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = words.collect::<Vec<_>>().join("; ");
    let mut short = String::new();
    for (index, c) in line.chars().enumerate() {
        if index == TEXT {
            short.push('…');
            break;
        }
        match is_harmless(c) {
            true => short.push(c),
            false => short.push_str(&spelled(c)),
        }
    }
    short
}

/// A time as people say it.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min"),
        3600..172_800 => format!("{hours} h {minutes} min"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_are_one_bounded_line() {
        assert_eq!(inert("a\n\n  b\x1b[0m\u{202e}"), "a; b\\x1b[0m\\u202e");
        let long = inert(&"é".repeat(1000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (TEXT + 1, true));
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let spans = [0, 59, 60, 3599, 3600, 90_000, 172_800, 864_000];
        let said = spans.map(|seconds| span(Duration::from_secs(seconds)));
        let expected =
            ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "25 h 0 min", "2 days", "10 days"];
        assert_eq!(said, expected);
    }
}
