//! When each version of an image came and went, and when an object changed: questions that the bodies of
//! the records answer.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::query::{KnownRun, TargetPlace};
use super::record::{Cause, ImageChange, RecordedObject, RunOutcome, RunRecord};
use crate::core::kinds::manual::guessed_plural;
use crate::core::object::{GroupKind, ObjectKey};

/// A version of an image in a container, from when to when.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageSpan<'a> {
    /// The target.
    pub place: TargetPlace<'a>,
    /// The object with the container.
    pub key: &'a ObjectKey,
    /// The container.
    pub container: &'a str,
    /// The image.
    pub image: &'a str,
    /// When it came, and the round that brought it; `None` where that is before the history.
    pub from: Option<(Timestamp, &'a KnownRun)>,
    /// When it went, and the round that took it; `None` where it is still there.
    pub until: Option<(Timestamp, &'a KnownRun)>,
}

/// A change of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectChange<'a> {
    /// The round.
    pub run: &'a KnownRun,
    /// The object that was to change, and how that ended.
    pub object: &'a RecordedObject,
}

/// The object of a question: `KIND/NAME` or `KIND/NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPattern {
    /// In lower case; a group may follow, as in `deployment.apps`.
    kind: String,
    /// The kinds that are called so.
    called: Vec<GroupKind>,
    namespace: Option<String>,
    name: String,
}

impl ObjectPattern {
    /// Reads one; `None` where it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let (kind, namespace, name) = match parts[..] {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some(namespace.to_owned()), name),
            _ => return None,
        };
        let (kind, name) = (kind.to_lowercase(), name.to_owned());
        Some(Self { kind, called: Vec::new(), namespace, name })
    }

    /// The word for the kind, without a group.
    pub fn word(&self) -> &str {
        self.kind.split('.').next().unwrap_or_default()
    }

    /// The same, where these are the kinds that are called by its word: by a plural or a short name.
    pub fn of_kinds(self, called: Vec<GroupKind>) -> Self {
        Self { called, ..self }
    }

    /// Whether an object is of the kind that is meant.
    pub fn is_kind(&self, key: &ObjectKey) -> bool {
        let ObjectKey { group, kind, .. } = key;
        let word = self.word();
        let is_called = self.called.iter().any(|it| it.group == *group && it.kind == *kind);
        let is_kind = is_called || kind.eq_ignore_ascii_case(word) || guessed_plural(kind) == word;
        is_kind && self.kind.split_once('.').is_none_or(|(_, asked)| asked == group)
    }

    /// Whether an object is the one that is meant.
    pub fn is(&self, key: &ObjectKey) -> bool {
        let ObjectKey { namespace, name, .. } = key;
        self.is_kind(key)
            && self.name == *name
            && (self.namespace.is_none() || self.namespace == *namespace)
    }
}

/// Each change of an object, in the order of the rounds.
pub fn object_changes<'a>(runs: &'a [KnownRun], asked: &ObjectPattern) -> Vec<ObjectChange<'a>> {
    let changes = runs.iter().flat_map(|run| {
        let objects = run.record.iter().flat_map(|record| &record.objects);
        let objects = objects.filter(|object| asked.is(&object.key));
        objects.map(move |object| ObjectChange { run, object })
    });
    changes.collect()
}

/// How many rounds changed more objects or images than their records name, or have no body: what they did
/// to the one in question can't be told.
pub fn silent(runs: &[KnownRun], has_more: impl Fn(&RunRecord) -> bool) -> usize {
    runs.iter().filter(|run| run.record.as_ref().is_none_or(|record| has_more(record))).count()
}

/// An image's name without tag and digest, and these: the tag, or else the digest.
pub fn image_version(image: &str) -> (&str, &str) {
    let (tagged, digest) = image.split_once('@').unwrap_or((image, ""));
    match tagged.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (tagged, digest),
    }
}

/// Whether an image is of this name: all of it, the part before its tag and digest, or the end of that
/// from a slash on.
pub fn is_image(image: &str, name: &str) -> bool {
    let (bare, _) = image_version(image);
    let is_end = bare.strip_suffix(name).is_some_and(|front| front.ends_with('/'));
    !name.is_empty() && (image == name || bare == name || is_end)
}

/// A container of an object of a target.
type Container<'a> = (TargetPlace<'a>, &'a ObjectKey, &'a str);

/// When each version of an image came and went, the newest first. `runs` are sorted, the newest first.
pub fn image_spans<'a>(runs: &'a [KnownRun], name: &str) -> Vec<ImageSpan<'a>> {
    let mut done: Vec<ImageSpan<'a>> = Vec::new();
    let mut open: BTreeMap<Container<'a>, ImageSpan<'a>> = BTreeMap::new();
    for run in runs.iter().rev() {
        let Some(record) = &run.record else { continue };
        let place = run.place();
        for change in &record.images {
            if !took_effect(record, &change.key) {
                continue;
            }
            let ImageChange { key, container, before, after } = change;
            let at: Container<'a> = (place, key, container);
            let span = |image, from| ImageSpan { place, key, container, image, from, until: None };
            let came = run.summary.started;
            let was = open.remove(&at).or_else(|| before.as_deref().map(|it| span(it, None)));
            if let Some(was) = was {
                done.push(ImageSpan { until: Some((came, run)), ..was });
            }
            let is = after.as_deref().map(|image| span(image, Some((came, run))));
            let is = match run.summary.outcome {
                RunOutcome::RolledBack => {
                    let went = run.summary.ended;
                    done.extend(is.map(|is| ImageSpan { until: Some((went, run)), ..is }));
                    before.as_deref().map(|image| span(image, Some((went, run))))
                }
                _ => is,
            };
            open.extend(is.map(|is| (at, is)));
        }
        if record.cause == Cause::Removal && record.outcome.is_success() {
            let (gone, left) = open.into_iter().partition(|(at, _)| at.0 == place);
            let gone: BTreeMap<Container<'a>, ImageSpan<'a>> = gone;
            open = left;
            let until = Some((run.summary.ended, run));
            done.extend(gone.into_values().map(|span| ImageSpan { until, ..span }));
        }
    }
    done.extend(open.into_values());
    done.retain(|span| is_image(span.image, name));
    let begin = |span: &ImageSpan<'_>| span.from.map(|(at, _)| at);
    done.sort_by(|one, other| (begin(other), one.place).cmp(&(begin(one), other.place)));
    done
}

/// Whether a change of an object was carried out.
fn took_effect(record: &RunRecord, key: &ObjectKey) -> bool {
    match record.outcome {
        RunOutcome::Refused => false,
        RunOutcome::Failed | RunOutcome::Interrupted | RunOutcome::Killed => {
            record.objects.iter().any(|object| object.key == *key && object.outcome == "done")
        }
        _ => true,
    }
}
