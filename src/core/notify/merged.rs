//! Messages of several targets as one, for people to read.

use super::key::key_digest;
use super::message::{Message, Transition};
use super::words::{OBJECTS, TEXT, dropped_of, named};

/// The most characters of all lines together: what is longer, some chats refuse.
const LINES: usize = 4000;

/// The targets that have the same to say.
struct Line<'a> {
    targets: Vec<&'a str>,
    text: &'a str,
}

/// Messages of one [group](super::GroupKey) as one, or the one that there is; `None` where there is none.
pub fn merged(messages: &[Message]) -> Option<Message> {
    let [first, others @ ..] = messages else { return None };
    if others.is_empty() {
        return Some(first.clone());
    }
    let mut lines: Vec<Line<'_>> = Vec::new();
    for message in messages {
        let text = news(message);
        match lines.iter_mut().find(|line| line.text == text) {
            Some(line) => line.targets.push(&message.target),
            None => lines.push(Line { targets: vec![&message.target], text }),
        }
    }
    let count = format!("{} targets", messages.len());
    let (title, details) = match lines.as_slice() {
        _ if first.transition == Transition::Dropped => (dropped_of(&count), Vec::new()),
        [all] => {
            let is_same = others.iter().all(|message| message.details == first.details);
            let details = first.details.iter().filter(|_| is_same).cloned();
            let names = listed(&all.targets);
            (format!("{count}: {}", all.text), [names].into_iter().chain(details).collect())
        }
        _ => {
            let headline = headline(first);
            (format!("{count}: {headline}"), lines_of(&lines, &headline))
        }
    };
    let mut ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    ids.sort_unstable();
    let mut objects: Vec<String> = Vec::new();
    for object in messages.iter().flat_map(|message| &message.objects) {
        if objects.len() < OBJECTS && !objects.contains(object) {
            objects.push(object.clone());
        }
    }
    let targets: Vec<&str> = messages.iter().map(|message| message.target.as_str()).collect();
    Some(Message {
        id: key_digest(&ids),
        target: if first.target.is_empty() { String::new() } else { listed(&targets) },
        title,
        details,
        objects,
        at: messages.iter().map(|message| message.at).max().unwrap_or(first.at),
        since: messages.iter().map(|message| message.since).min().unwrap_or(first.since),
        is_proven: messages.iter().all(|message| message.is_proven),
        stays_drifted: messages.iter().any(|message| message.stays_drifted),
        ..first.clone()
    })
}

/// The title without the target's name.
fn news(message: &Message) -> &str {
    let rest = message.title.strip_prefix(&message.target);
    rest.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&message.title)
}

/// A line for each text, without the headline, as far as there is room, and the names of the others.
fn lines_of(lines: &[Line<'_>], headline: &str) -> Vec<String> {
    let (mut texts, mut length, mut left) = (Vec::new(), 0, Vec::new());
    for Line { targets, text } in lines {
        let rest = text.strip_prefix(headline).and_then(|rest| rest.strip_prefix(": "));
        let line = format!("{}: {}", listed(targets), rest.unwrap_or(text));
        length += line.chars().count();
        match left.is_empty() && texts.len() < OBJECTS && length <= LINES {
            true => texts.push(line),
            false => left.extend(targets),
        }
    }
    if !left.is_empty() {
        texts.push(format!("and {} more: {}", left.len(), listed(&left)));
    }
    texts
}

/// As many names as a text may be long, and how many others there are.
fn listed(targets: &[&str]) -> String {
    let mut text = String::new();
    for (index, target) in targets.iter().enumerate() {
        if index > 0 && text.chars().count() + target.chars().count() > TEXT {
            return format!("{text} and {} more", targets.len() - index);
        }
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(target);
    }
    text
}

/// The news that several targets have in common that differ in the rest.
fn headline(message: &Message) -> String {
    let commit = message.commit.as_ref().map_or_else(|| "the target".to_owned(), named);
    match message.transition {
        Transition::Started => format!("deploying {commit}"),
        Transition::Healthy => format!("{commit} is applied"),
        Transition::Failed => format!("{commit} failed"),
        Transition::RolledBack => format!("{commit} failed and was rolled back"),
        Transition::StillFailing => "still failing".to_owned(),
        Transition::Recovered => format!("recovered at {commit}"),
        Transition::Refused => format!("{commit} is refused"),
        Transition::Drift => "drift".to_owned(),
        Transition::DriftPutBack => "drift put back".to_owned(),
        Transition::DriftGone => "drift gone".to_owned(),
        Transition::GitUnreachable => "git is unreachable".to_owned(),
        Transition::GitReachable => "git is reachable again".to_owned(),
        Transition::ClusterUnreachable => "the cluster is unreachable".to_owned(),
        Transition::ClusterReachable => "the cluster is reachable again".to_owned(),
        Transition::Waiting => format!("{commit} waits"),
        Transition::Suspended => "suspended".to_owned(),
        Transition::SuspensionEnding => "the suspension ends soon".to_owned(),
        Transition::Resumed => "resumed".to_owned(),
        Transition::Dropped => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::words;
    use super::*;
    use crate::core::notify::{
        Commit, Culprit, Failure, Observation, Reach, RoundEnd, Rules, Step, TargetState,
    };

    fn seen(target: &str, seconds: i64, step: Step) -> Observation {
        let at = Timestamp::from_second(1_800_000_000 + seconds).expect("it is in range");
        let (git, cluster) = (Reach::Reached, Reach::Reached);
        Observation { target: target.to_owned(), at, git, cluster, step }
    }

    fn commit() -> Commit {
        let (id, author) = ("b".repeat(40), "Ada Lovelace".to_owned());
        Commit { id, subject: "Third replica".to_owned(), author }
    }

    fn told(seen: &Observation) -> Message {
        TargetState::default().advance(seen, &Rules::default()).remove(0)
    }

    fn failed(target: &str, object: &str) -> Message {
        let (class, text) = ("health".to_owned(), "0 of 3 ready".to_owned());
        let culprits = vec![Culprit { object: Some(object.to_owned()), class, text }];
        let failure = Some(Failure { culprits, taken: None });
        let end = RoundEnd { commit: Some(commit()), failure, ..RoundEnd::default() };
        told(&seen(target, 60, Step::Ended(Box::new(end))))
    }

    #[test]
    fn what_all_say_is_the_title() {
        let targets = ["prod-eu", "prod-us", "test"];
        let all = targets.map(|target| told(&seen(target, 0, Step::Deploying(commit()))));
        let message = merged(&all).expect("there are some");
        assert_eq!(message.title, "3 targets: deploying bbbbbbb \"Third replica\" by Ada Lovelace");
        assert_eq!(message.details, ["prod-eu, prod-us, test"]);
        assert_eq!(message.target, "prod-eu, prod-us, test");
        assert_eq!(message.commit, Some(commit()));
        let mut others = all.clone();
        others.reverse();
        assert_eq!(merged(&others).expect("there are some").id, message.id);
        assert!(all.iter().all(|one| one.id != message.id));
        assert_eq!(merged(&all[..1]).as_ref(), Some(&all[0]));
        assert_eq!(merged(&[]), None);
    }

    #[test]
    fn what_some_say_is_a_line_with_their_names() {
        let web = ["a", "b"].map(|target| failed(target, "Deployment shop/web"));
        let all = [&web[..], &[failed("c", "Job shop/migrate")]].concat();
        let message = merged(&all).expect("there are some");
        let commit = "bbbbbbb \"Third replica\" by Ada Lovelace failed";
        assert_eq!(message.title, format!("3 targets: {commit}"));
        let lines =
            ["a, b: Deployment shop/web: 0 of 3 ready", "c: Job shop/migrate: 0 of 3 ready"];
        assert_eq!(message.details, lines);
        assert_eq!(message.objects, ["Deployment shop/web", "Job shop/migrate"]);
    }

    #[test]
    fn a_message_of_very_many_targets_is_bounded() {
        let same: Vec<Message> = (0..500)
            .map(|number| failed(&format!("target-{number}"), "Job shop/migrate"))
            .collect();
        let message = merged(&same).expect("there are some");
        assert!(message.title.starts_with("500 targets: "), "{}", message.title);
        let [line] = message.details.as_slice() else { panic!("{:?}", message.details) };
        assert!(line.starts_with("target-0, target-1, ") && line.ends_with(" more"), "{line}");
        assert!(line.chars().count() < TEXT + 20, "{line}");
        let objects: Vec<Message> =
            (0..500).map(|number| failed(&number.to_string(), &format!("Job {number}"))).collect();
        let message = merged(&objects).expect("there are some");
        assert_eq!((message.details.len(), message.objects.len()), (OBJECTS + 1, OBJECTS));
        let last = message.details.last().map(String::as_str).unwrap_or_default();
        assert!(
            last.starts_with("and 480 more: 20, 21, 22, ") && last.ends_with(" more"),
            "{last}"
        );
        let long = |number: usize| {
            failed(&number.to_string(), &format!("Job {}{number}", "é".repeat(290)))
        };
        let message = merged(&(0..30).map(long).collect::<Vec<_>>()).expect("there are some");
        let length: usize = message.details.iter().map(|line| line.chars().count()).sum();
        assert!(message.details.len() > 5 && length < LINES + TEXT, "{length}");
    }

    #[test]
    fn dropped_messages_are_told_without_a_target() {
        let dropped = |id: &str| words::dropped(id.to_owned(), 2, Timestamp::UNIX_EPOCH);
        let message = merged(&[dropped("1"), dropped("2")]).expect("there are some");
        let title =
            "trueup: older messages of 2 targets were dropped, as this receiver did not take them";
        assert_eq!((message.title.as_str(), message.details.len()), (title, 0));
    }
}
