//! Holds what the server answered to a write against what the plan promised. What differs is
//! reported with its position. It is not recorded, so that the next run sees it, too.

use std::borrow::Cow;

use super::worker::Worker;
use crate::core::compare::{PathStep, Side, dropped, resolve};
use crate::core::diff::{Deviation, Expected, FieldDeviation};
use crate::core::json::Value;
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::leftovers::{Leftover, Removal};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::Object;
use crate::core::plan::{Change, Confidence, Reason, ReasonKind};
use crate::core::problem::{Cause, Location};

/// Longer values, in characters, are cut.
const LONGEST_VALUE: usize = 80;
/// The hint where something has changed a sent value.
const HINT: &str = "see which admission webhooks and policies change it on its way in (kubectl get \
    mutatingwebhookconfigurations,mutatingadmissionpolicies); a field that is theirs goes under \
    `ignore:` in trueup.yaml";
/// The hint where the server does not keep a field.
const DROPPED_HINT: &str = "remove it from the manifest, unless the server is about to support it";

/// An object that was written.
pub(super) struct WrittenObject<'c> {
    /// The change, with what was seen before the write.
    pub(super) change: Cow<'c, Change>,
    /// The object as it was sent.
    pub(super) send: Cow<'c, Object>,
    /// The server's answer.
    pub(super) answer: Object,
}

/// The differences between an answer and its promise.
struct Broken {
    /// Differing declared fields.
    declared: Vec<FieldDeviation>,
    /// Removed fields that stay.
    left: Vec<Leftover>,
}

impl Broken {
    fn is_empty(&self) -> bool {
        self.declared.is_empty() && self.left.is_empty()
    }
}

impl Worker<'_> {
    /// Why an object that was written is not as the plan said; `None` where it is.
    pub(super) async fn why_differs(
        self,
        served: &Served,
        written: &WrittenObject<'_>,
    ) -> Option<Reason> {
        let said = written.change.becomes();
        let said = said.filter(|_| *written.change.confidence() == Confidence::Server);
        let mut broken = self.broken(written, said);
        if broken.is_empty() {
            return None;
        }
        if said.is_none() {
            broken = self.confirmed(served, written, broken).await;
        }
        let Broken { mut declared, left } = broken;
        if !left.is_empty() {
            // Where that can't be written, this run reports it at least.
            let _ =
                self.cluster.keep_to_remove(served, &written.send, &written.answer, &left).await;
        }
        declared.extend(left.iter().map(FieldDeviation::staying));
        (!declared.is_empty()).then(|| self.reason_of(&declared, written))
    }

    /// The deviations from what was promised. Values are held against `said`, the server's own
    /// spelling of what the object becomes.
    fn broken(self, written: &WrittenObject<'_>, said: Option<&Object>) -> Broken {
        let WrittenObject { change, send, answer } = written;
        let before = change.live();
        let promise = Expected { sent: send, before, said };
        let removal = before.zip(change.becomes());
        let removal = removal.map(|(before, meant)| Removal { send, before, meant, after: answer });
        let mut broken = Broken {
            declared: promise.differences(answer),
            left: removal.map(|removal| removal.left_behind()).unwrap_or_default(),
        };
        if broken.is_empty() {
            return broken;
        }
        let (in_answer, in_send) =
            (self.ignored_fields(change, answer), self.ignored_fields(change, send));
        let is_in = |place: Vec<PathStep>, fields: &[Vec<PathStep>]| {
            fields.iter().any(|field| place.starts_with(field))
        };
        broken.declared.retain(|difference| {
            let place = |object| Some(steps(&resolve(object, &difference.steps, Side::After)?));
            !place(answer).is_some_and(|place| is_in(place, &in_answer))
                && !place(send).is_some_and(|place| is_in(place, &in_send))
        });
        broken.left.retain(|leftover| !is_in(steps(&leftover.place()), &in_answer));
        broken
    }

    /// The fields of `object` that are left as they are, whatever that is.
    fn ignored_fields(self, change: &Change, object: &Object) -> Vec<Vec<PathStep>> {
        let desired = &self.survey.found.desired;
        let manifest = desired.objects.get(&change.key);
        let fields = manifest.map(|manifest| desired.ignored_fields(&change.key, manifest));
        let fields = fields.unwrap_or_default().into_iter();
        let found = fields.flat_map(|field| {
            let paths = field.within(&object.0);
            let found = paths.iter().filter_map(|path| Some(steps(&path.find(&object.0)?)));
            found.collect::<Vec<_>>()
        });
        found.collect()
    }

    /// The deviations that remain of `broken` once the server has said how it writes the object
    /// down, where it has not said so yet.
    async fn confirmed(
        self,
        served: &Served,
        written: &WrittenObject<'_>,
        broken: Broken,
    ) -> Broken {
        let WrittenObject { send, answer, .. } = written;
        let Broken { mut declared, mut left } = broken;
        if !declared.is_empty()
            && let Ok(said) = self.cluster.would_become(served, send).await
        {
            let is_short = !dropped(send, &said).is_empty();
            declared.retain(|it| {
                let is_lacking = resolve(&said, &it.steps, Side::After).is_none();
                is_short && is_lacking && it.deviation == Deviation::Missing
            });
            declared.iter_mut().for_each(|it| it.deviation = Deviation::Dropped);
            declared.extend(self.broken(written, Some(&said)).declared);
        }
        if !left.is_empty() {
            left = self.cluster.removable(served, answer, left).await.unwrap_or_default();
        }
        Broken { declared, left }
    }

    /// The reason for differences: each with its position, and without values of Secrets.
    fn reason_of(self, differences: &[FieldDeviation], written: &WrittenObject<'_>) -> Reason {
        let WrittenObject { change, send, answer } = written;
        let redactor = self.survey.redactor();
        let (declared, live) = (redactor.object(send), redactor.object(answer));
        let manifest = self.survey.found.desired.objects.get(&change.key);
        let cause = |difference: &FieldDeviation| Cause {
            field: difference.path(),
            message: words(difference, &declared, &live),
            place: manifest.map(|manifest| place(manifest, &difference.steps)),
        };
        let causes: Vec<Cause> = differences.iter().map(cause).collect();
        let is_dropped = differences.iter().all(|it| it.deviation == Deviation::Dropped);
        let remedy = if is_dropped { DROPPED_HINT } else { HINT };
        Reason { causes, ..Reason::with_remedy(ReasonKind::NotAsPlanned, remedy) }
    }
}

/// The way to a field, each element of a list by its place.
fn steps(path: &[PathPart<'_>]) -> Vec<PathStep> {
    let step = |part: &PathPart<'_>| match part {
        PathPart::Key(key) => PathStep::Key((*key).to_owned()),
        PathPart::Index(at) => PathStep::item(*at),
    };
    path.iter().map(step).collect()
}

/// Where a field is declared, or else the innermost one around it.
fn place(manifest: &Manifest, steps: &[PathStep]) -> Location {
    let around = (1..=steps.len()).rev().map(|length| &steps[..length]);
    let mut found = around
        .filter_map(|steps| manifest.place_at(&resolve(&manifest.object, steps, Side::After)?));
    found.next().unwrap_or_else(|| manifest.location())
}

/// How a field is, of an object as it is `declared` and `live`, with what may be seen of both.
fn words(difference: &FieldDeviation, declared: &Object, live: &Object) -> String {
    let value = |object| value_at(object, &difference.steps);
    match (difference.deviation, value(declared), value(live)) {
        (Deviation::Dropped, ..) => "declared, and dropped by the server".to_owned(),
        (Deviation::Missing, Some(declared), _) => {
            format!("declared {}, missing in the cluster", plain(declared))
        }
        (Deviation::Changed, Some(declared), Some(live)) => match (plain(declared), plain(live)) {
            (one, other) if one == other => {
                format!("declared {}, live {}", cut(&declared.to_string()), cut(&live.to_string()))
            }
            (declared, live) => format!("declared {declared}, live {live}"),
        },
        (Deviation::Undeclared, _, Some(live)) => format!("not declared, live {}", plain(live)),
        (Deviation::Staying, _, Some(live)) => {
            format!("no longer declared, but still live: {}", plain(live))
        }
        (Deviation::Missing, None, _) => "declared, but missing in the cluster".to_owned(),
        (Deviation::Changed, ..) => "declared otherwise".to_owned(),
        (Deviation::Undeclared, ..) => "not declared".to_owned(),
        (Deviation::Staying, ..) => "no longer declared, but still live".to_owned(),
    }
}

/// The value at the end of `steps`; `None` where the object has none.
fn value_at<'a>(object: &'a Object, steps: &[PathStep]) -> Option<&'a Value> {
    let path = resolve(object, steps, Side::After)?;
    let (PathPart::Key(first), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(object.0.get(first)?, |value, part| match part {
        PathPart::Key(key) => value.get(*key),
        PathPart::Index(at) => value.get(*at),
    })
}

/// A value on one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains(['\n', '\r']) => cut(text),
        value => cut(&value.to_string()),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
