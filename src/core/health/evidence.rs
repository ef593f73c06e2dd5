//! The evidence for something that does not become ready: the state of its pods, container by
//! container, and its events. Sorts and words it; [`crate::cluster`] reads it.

use anstream::adapter::strip_str;

use super::conditions::{condition, is_false, reason, words};
use super::pods::STUCK;
use super::{at, text};
use crate::core::json::{Key, Value};
use crate::core::object::Object;

/// How many kinds of trouble are shown of one object.
pub const FEW_TROUBLES: usize = 3;
/// How many events are shown.
const FEW_EVENTS: usize = 3;
/// How many lines of a log are shown.
pub const LOG_LINES: usize = 8;
/// Longer lines are cut.
const LONGEST: usize = 240;

/// The trouble of a pod, or of one of its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodProblem {
    /// The pod; the first one, where several have the same trouble.
    pub pod: String,
    /// Its uid.
    pub uid: String,
    /// How many others have the same.
    pub others: usize,
    /// The container; `None` of a pod that has none yet.
    pub container: Option<String>,
    /// Why, in one word.
    pub reason: String,
    /// The rest of the sentence.
    pub more: String,
    /// The message of the kubelet or the scheduler.
    pub message: String,
    /// The source of more evidence.
    pub next: MoreEvidence,
}

/// The source of more evidence about a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoreEvidence {
    /// No other source: it says all there is.
    Nowhere,
    /// The container's log; `previous` of the run before.
    Log {
        /// Of the run before the one that is there now.
        previous: bool,
    },
    /// The pod's events.
    Events,
}

impl PodProblem {
    /// Whether it will not end by itself.
    pub fn is_stuck(&self) -> bool {
        STUCK.contains(&self.reason.as_str())
    }

    /// `pod web-x2x and 2 others, container main: ImagePullBackOff, image web:1`
    pub fn headline(&self) -> String {
        let others = match self.others {
            0 => String::new(),
            1 => " and 1 other".to_owned(),
            n => format!(" and {n} others"),
        };
        let container = self.container.as_ref().map(|name| format!(", container {name}"));
        let container = container.unwrap_or_default();
        format!("pod {}{others}{container}: {}{}", self.pod, self.reason, self.more)
    }

    /// The headline, and what was said below it.
    pub fn lines(&self) -> Vec<String> {
        let said = self.message.lines().filter(|line| !line.trim().is_empty());
        std::iter::once(self.headline())
            .chain(said.map(|line| format!("  {}", short(line))))
            .collect()
    }
}

/// The troubles of these pods, the worst first. Pods with the same trouble count as one.
pub fn troubles(pods: &[Object]) -> Vec<PodProblem> {
    let mut troubles: Vec<PodProblem> = Vec::new();
    for trouble in pods.iter().filter_map(trouble) {
        let is_same = |it: &&mut PodProblem| {
            (&it.container, &it.reason) == (&trouble.container, &trouble.reason)
        };
        match troubles.iter_mut().find(is_same) {
            Some(same) => same.others += 1,
            None => troubles.push(trouble),
        }
    }
    troubles.sort_by_key(|trouble| (!trouble.is_stuck(), trouble.next == MoreEvidence::Events));
    troubles
}

/// The trouble of a pod; `None` where there is none.
fn trouble(pod: &Object) -> Option<PodProblem> {
    let phase = text(pod, "/status/phase").unwrap_or_default();
    let ready = condition(pod, "Ready").is_some_and(super::conditions::is_true);
    if phase == "Succeeded" || (ready && phase == "Running") {
        return None;
    }
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let statuses = lists.into_iter().filter_map(|list| at(pod, list)?.as_array()).flatten();
    let of_containers: Vec<PodProblem> =
        statuses.filter_map(|status| of_container(pod, status)).collect();
    let worst = of_containers.iter().find(|it| it.is_stuck()).or(of_containers.first()).cloned();
    let general = |reason: &str, message: String, next: MoreEvidence| PodProblem {
        pod: pod.name().to_owned(),
        uid: pod.uid().unwrap_or_default().to_owned(),
        others: 0,
        container: None,
        reason: reason.to_owned(),
        more: String::new(),
        message,
        next,
    };
    let unscheduled = || {
        let it = condition(pod, "PodScheduled").filter(|it| is_false(it))?;
        Some(general(reason(it), words(it, ""), MoreEvidence::Nowhere))
    };
    let evicted = || {
        let why = text(pod, "/status/reason")?;
        let message = text(pod, "/status/message").unwrap_or_default();
        Some(general(why, message.to_owned(), MoreEvidence::Nowhere))
    };
    let other = || {
        let word = if phase.is_empty() { "Pending" } else { phase };
        Some(general(word, String::new(), MoreEvidence::Events))
    };
    worst.or_else(unscheduled).or_else(evicted).or_else(other)
}

fn of_container(pod: &Object, status: &Value) -> Option<PodProblem> {
    let string =
        |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let state = |of: &str, kind: &str| status.get(of).and_then(|state| state.get(kind));
    let name = string(status.get("name"));
    let restarts = status.get("restartCount").and_then(Value::as_i64).unwrap_or(0);
    let trouble = |reason: String, more: String, message: String, next: MoreEvidence| PodProblem {
        pod: pod.name().to_owned(),
        uid: pod.uid().unwrap_or_default().to_owned(),
        others: 0,
        container: Some(name.clone()),
        reason,
        more,
        message,
        next,
    };
    let ended = |ended: &Value| {
        let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or(0);
        let why = string(ended.get("reason")).replace("Error", "");
        let why = if why.is_empty() { why } else { format!(" ({why})") };
        (code, format!("exit code {code}{why}"))
    };
    if let Some(waiting) = state("state", "waiting") {
        let (why, message) = (string(waiting.get("reason")), string(waiting.get("message")));
        return Some(match why.as_str() {
            "CrashLoopBackOff" => {
                let last = state("lastState", "terminated").map(|it| format!(", {}", ended(it).1));
                let s = if restarts == 1 { "" } else { "s" };
                let more = format!("{}, {restarts} restart{s}", last.unwrap_or_default());
                trouble(why, more, String::new(), MoreEvidence::Log { previous: true })
            }
            _ if why.contains("Image") => {
                let image = image(pod, &name).unwrap_or_else(|| string(status.get("image")));
                trouble(why, format!(", image {image}"), message, MoreEvidence::Nowhere)
            }
            "" | "ContainerCreating" | "PodInitializing" => {
                let why = if why.is_empty() { "waiting".to_owned() } else { why };
                trouble(why, String::new(), message, MoreEvidence::Events)
            }
            _ => trouble(why, String::new(), message, MoreEvidence::Nowhere),
        });
    }
    if let Some(terminated) = state("state", "terminated") {
        let (code, what) = ended(terminated);
        let message = string(terminated.get("message"));
        return (code != 0)
            .then(|| trouble(what, String::new(), message, MoreEvidence::Log { previous: false }));
    }
    let is_ready = status.get("ready").and_then(Value::as_bool).unwrap_or(false);
    (!is_ready && state("state", "running").is_some()).then(|| {
        trouble("running, not ready".to_owned(), String::new(), String::new(), MoreEvidence::Events)
    })
}

/// The image that the pod asks for; its status may name another spelling of it.
fn image(pod: &Object, container: &str) -> Option<String> {
    let lists = ["/spec/containers", "/spec/initContainers"];
    let all = lists.into_iter().filter_map(|list| at(pod, list)?.as_array()).flatten();
    let mut named = all.filter(|it| it.get("name").and_then(Value::as_str) == Some(container));
    named.find_map(|it| it.get("image")?.as_str().map(str::to_owned))
}

/// The messages of warnings, the latest last, each once.
pub fn warnings(events: &[Object]) -> Vec<String> {
    let mut warnings: Vec<&Object> =
        events.iter().filter(|event| text(event, "/type") == Some("Warning")).collect();
    let time = |event: &&Object| {
        let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"];
        let stated = times.into_iter().find_map(|name| text(event, name));
        stated.or(text(event, "/metadata/creationTimestamp")).unwrap_or_default().to_owned()
    };
    warnings.sort_by_key(time);
    let mut lines: Vec<String> = Vec::new();
    for event in warnings {
        let why = text(event, "/reason").unwrap_or("Warning");
        let message = text(event, "/message").unwrap_or_default();
        let line = short(&format!("{why}: {}", message.lines().next().unwrap_or_default()));
        lines.retain(|said| *said != line);
        lines.push(line);
    }
    lines.split_off(lines.len().saturating_sub(FEW_EVENTS))
}

/// The end of a log, as lines below a headline, without what colours it on a terminal.
pub fn log_lines(log: &str) -> Vec<String> {
    let log = strip_str(log).to_string();
    let lines = log.lines().filter(|line| !line.trim().is_empty());
    let mut lines: Vec<String> = lines.map(|line| format!("  log: {}", short(line))).collect();
    match lines.len() {
        0 => vec!["  its log is empty".to_owned()],
        count => lines.split_off(count.saturating_sub(LOG_LINES)),
    }
}

/// The newest of a Deployment's ReplicaSets, by the revision that its controller writes down.
pub fn newest<'a>(sets: &'a [Object], owner: &str) -> Option<&'a Object> {
    let revision = |set: &&Object| {
        let revision = set.annotation("deployment.kubernetes.io/revision");
        revision.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
    };
    sets.iter().filter(|set| is_owned(set, owner)).max_by_key(revision)
}

/// Whether an object belongs to the object with this uid.
pub fn is_owned(object: &Object, owner: &str) -> bool {
    let owners = at(object, "/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|it| it.get("uid").and_then(Value::as_str) == Some(owner))
}

/// The labels that select an object's pods, as a query; `None` where it has none.
pub fn selector(object: &Object) -> Option<String> {
    let labels = at(object, "/spec/selector/matchLabels").or_else(|| {
        let is_old = object.kind() == "ReplicationController";
        at(object, "/spec/selector").filter(|_| is_old)
    })?;
    let labels = labels.as_object().filter(|labels| !labels.is_empty())?;
    let pair = |(key, value): (&Key, &Value)| Some(format!("{key}={}", value.as_str()?));
    labels.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.join(","))
}

fn short(line: &str) -> String {
    let line = line.trim_end();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, status: &str) -> Object {
        let yaml = format!(
            "metadata: {{name: {name}, uid: {name}}}\nspec: {{containers: [{{name: main, image: web:1}}]}}\nstatus: {{{status}}}"
        );
        serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error} in\n{yaml}"))
    }

    /// One row a trouble: the pod's status, the lines, who knows more.
    #[test]
    fn pod_failures_are_described_with_reason_and_message() {
        let rows: &[(&str, &[&str], MoreEvidence)] = &[
            (
                "phase: Pending, containerStatuses: [{name: main, image: other, state: {waiting: {reason: ErrImagePull, message: \"not found\\n\\nat all\"}}}]",
                &["pod a, container main: ErrImagePull, image web:1", "  not found", "  at all"],
                MoreEvidence::Nowhere,
            ),
            (
                "phase: Running, containerStatuses: [{name: main, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff, message: back-off}}, lastState: {terminated: {exitCode: 2, reason: Error}}}]",
                &["pod a, container main: CrashLoopBackOff, exit code 2, 1 restart"],
                MoreEvidence::Log { previous: true },
            ),
            (
                "phase: Running, containerStatuses: [{name: main, restartCount: 5, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]",
                &["pod a, container main: CrashLoopBackOff, exit code 137 (OOMKilled), 5 restarts"],
                MoreEvidence::Log { previous: true },
            ),
            (
                "phase: Failed, containerStatuses: [{name: main, state: {terminated: {exitCode: 1, reason: Error}}}]",
                &["pod a, container main: exit code 1"],
                MoreEvidence::Log { previous: false },
            ),
            (
                "phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: CreateContainerConfigError, message: secret db not found}}}]",
                &["pod a, container main: CreateContainerConfigError", "  secret db not found"],
                MoreEvidence::Nowhere,
            ),
            (
                "phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]",
                &["pod a, container main: ContainerCreating"],
                MoreEvidence::Events,
            ),
            (
                "phase: Running, containerStatuses: [{name: main, ready: false, state: {running: {}}}]",
                &["pod a, container main: running, not ready"],
                MoreEvidence::Events,
            ),
            (
                "phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: 0/3 nodes}]",
                &["pod a: Unschedulable", "  0/3 nodes"],
                MoreEvidence::Nowhere,
            ),
            (
                "phase: Failed, reason: Evicted, message: low on memory",
                &["pod a: Evicted", "  low on memory"],
                MoreEvidence::Nowhere,
            ),
            ("phase: Pending", &["pod a: Pending"], MoreEvidence::Events),
        ];
        for (status, lines, next) in rows {
            let troubles = troubles(&[pod("a", status)]);
            assert_eq!(troubles[0].lines(), *lines, "{status}");
            assert_eq!(troubles[0].next, *next, "{status}");
        }
        let fine = [
            pod("a", "phase: Running, conditions: [{type: Ready, status: 'True'}]"),
            pod("b", "phase: Succeeded"),
        ];
        assert_eq!(troubles(&fine), []);
    }

    #[test]
    fn pods_with_the_same_trouble_are_one_and_those_that_are_stuck_come_first() {
        let slow = "phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]";
        let stuck = "phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: ImagePullBackOff}}}]";
        let pods = [pod("a", slow), pod("b", stuck), pod("c", stuck), pod("d", stuck)];
        let headlines: Vec<String> = troubles(&pods).iter().map(PodProblem::headline).collect();
        assert_eq!(
            headlines,
            [
                "pod b and 2 others, container main: ImagePullBackOff, image web:1",
                "pod a, container main: ContainerCreating"
            ]
        );
    }

    #[test]
    fn latest_warning_events_are_listed_once() {
        let event = |kind: &str, time: u32, message: &str| -> Object {
            let yaml = format!(
                "{{type: {kind}, reason: FailedCreate, message: {message}, lastTimestamp: '2026-01-01T00:00:{time:02}Z'}}"
            );
            serde_yaml::from_str(&yaml).unwrap()
        };
        let events = [
            event("Warning", 5, "e"),
            event("Warning", 1, "a"),
            event("Warning", 3, "c"),
            event("Normal", 9, "x"),
            event("Warning", 4, "a"),
            event("Warning", 2, "b"),
        ];
        let told = ["FailedCreate: c", "FailedCreate: a", "FailedCreate: e"];
        assert_eq!(warnings(&events), told);
    }

    #[test]
    fn the_newest_replica_set_is_that_of_the_highest_revision_of_the_same_owner() {
        let set = |name: &str, revision: u32, owner: &str| -> Object {
            let yaml = format!(
                "metadata: {{name: {name}, ownerReferences: [{{uid: {owner}}}], annotations: {{deployment.kubernetes.io/revision: '{revision}'}}}}"
            );
            serde_yaml::from_str(&yaml).unwrap()
        };
        let sets = [set("a", 9, "us"), set("b", 10, "us"), set("c", 11, "them")];
        assert_eq!(newest(&sets, "us").map(Object::name), Some("b"));
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let long = "ä".repeat(LONGEST + 1);
        assert_eq!(short(&long).chars().count(), LONGEST + 1);
        assert_eq!(log_lines("\n"), ["  its log is empty"]);
    }
}
