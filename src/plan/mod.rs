//! The decision: for every object of desired ∪ inventory one action, in the order in which they
//! are carried out. Pure, total and deterministic.
//!
//! What is printed by diff and carried out by apply is the same [`Plan`].

mod guards;
pub mod order;

use std::collections::BTreeMap;

pub use guards::Allowed;
use guards::Undesired;
use order::Step;
use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::inventory::{Inventory, PART_OF};
use crate::manifest::{Manifest, Origin};
use crate::object::{Object, ObjectKey};
use crate::observed::{Observation, Observed, Prerequisite, Preview, Refusal};
use crate::ownership::foresight::foresee;
use crate::problem::Cause;

/// What to do with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It does not exist: make it.
    Create,
    /// It differs: change it.
    Update,
    /// It differs in a way that no update can make true: delete it and make it anew. Only ever
    /// planned on request.
    Replace,
    /// It is in the inventory and no longer desired: delete it.
    Delete,
    /// Leave it as it is.
    Keep,
    /// It should be otherwise, and trueup or the API server refuses to make it so.
    Refuse,
}

impl Action {
    /// Every action, in the order of the summary.
    pub const ALL: [Self; 6] =
        [Self::Create, Self::Update, Self::Replace, Self::Delete, Self::Keep, Self::Refuse];

    /// The action's name, as in output and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Keep => "keep",
            Self::Refuse => "refuse",
        }
    }
}

/// What happens to one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// Which object.
    pub key: ObjectKey,
    /// The version in which it is declared, or in which it was seen.
    pub version: String,
    /// Where it is declared; `None` when it no longer is.
    pub origin: Option<Origin>,
    /// The object as the cluster has it.
    pub live: Option<Object>,
    /// The object as it will be: the server's own answer, or our declaration where the server
    /// could not be asked yet.
    pub merged: Option<Object>,
    /// The object to send.
    pub send: Option<Object>,
    /// Who says what it will be.
    pub confidence: Confidence,
    /// Why it is refused, or why it is kept though not desired.
    pub reason: Option<Reason>,
}

/// Who says what an object will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// The API server: its own answer, or one that is proven.
    Server,
    /// Nobody but trueup, for lack of something: defaults, conversions and admission are not part
    /// of it.
    Local(Lack),
}

/// Why the server could not say what an object will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Something that the commit also brings is not there yet.
    Prerequisite(Prerequisite),
    /// It can't be asked without carrying it out: its own words.
    DryRun(String),
}

/// Why something is as it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A phrase without a final full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The message field by field, with the place of each in its file.
    pub causes: Vec<Cause>,
}

impl Reason {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, causes: Vec::new() }
    }

    fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::new(message) }
    }
}

/// Objects that are worked on at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    /// What the wave is for.
    pub step: Step,
    /// Its changes, in the order of their keys.
    pub changes: Vec<Change>,
}

/// One action for every object, wave by wave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The waves in the order in which they are carried out: first what is desired, then what is
    /// to go.
    pub waves: Vec<Wave>,
}

impl Plan {
    /// Every change, in the order in which they are carried out.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.waves.iter().flat_map(|wave| &wave.changes)
    }

    /// How many objects have this action.
    pub fn count(&self, action: Action) -> usize {
        self.changes().filter(|change| change.action == action).count()
    }

    /// Whether there is nothing to carry out and nothing refused.
    pub fn is_noop(&self) -> bool {
        self.changes().all(|change| change.action == Action::Keep)
    }

    /// Whether anything would be written.
    pub fn writes(&self) -> bool {
        self.changes().any(|change| !matches!(change.action, Action::Keep | Action::Refuse))
    }
}

/// Decides what to do with every object of desired ∪ inventory.
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    inventory: &Inventory,
    allowed: &Allowed,
) -> Plan {
    let mut waves: BTreeMap<Step, Vec<Change>> = BTreeMap::new();
    let mut put = |step: Step, change: Change| waves.entry(step).or_default().push(change);

    let mut refused = 0;
    for (key, manifest) in &desired.objects {
        let observation = observed.objects.get(key);
        let live = observation.and_then(Observation::live);
        let send = desired.sent(key, manifest, live);
        let decision = decide_desired((key, manifest), &send, observation, inventory);
        refused += usize::from(decision.action == Action::Refuse);
        put(
            Step::apply(key),
            Change {
                action: decision.action,
                key: key.clone(),
                version: manifest.object.version().to_owned(),
                origin: Some(manifest.origin.clone()),
                live: decision.live,
                merged: decision.merged.or_else(|| {
                    (decision.action == Action::Create).then(|| send.clone().into_owned())
                }),
                send: (decision.action != Action::Keep).then(|| send.into_owned()),
                confidence: decision.confidence,
                reason: decision.reason,
            },
        );
    }

    let undesired = Undesired {
        inventory,
        is_last: desired.objects.is_empty(),
        blocked: guards::why_not_prune(desired, observed, refused, allowed),
        allowed,
    };
    for (key, observation) in &observed.objects {
        if desired.objects.contains_key(key) {
            continue;
        }
        let (action, live, reason) = match observation {
            Observation::Unknown(why) => (Action::Keep, None, Some(Reason::new(why.clone()))),
            Observation::Seen { live: None, .. } => continue,
            Observation::Seen { live: Some(live), .. } => {
                let (action, reason) = undesired.decide(key, live);
                (action, Some(live.clone()), reason)
            }
        };
        put(
            Step::delete(key),
            Change {
                action,
                key: key.clone(),
                version: live.as_ref().map_or_else(String::new, |live| live.version().to_owned()),
                origin: None,
                live,
                merged: None,
                send: None,
                confidence: Confidence::Server,
                reason,
            },
        );
    }
    Plan { waves: waves.into_iter().map(|(step, changes)| Wave { step, changes }).collect() }
}

/// What [`plan`] decides about a desired object.
struct Decision {
    action: Action,
    live: Option<Object>,
    merged: Option<Object>,
    confidence: Confidence,
    reason: Option<Reason>,
}

fn decide_desired(
    (key, manifest): (&ObjectKey, &Manifest),
    send: &Object,
    observation: Option<&Observation>,
    inventory: &Inventory,
) -> Decision {
    let refuse = |live: Option<&Object>, reason: Reason| Decision {
        action: Action::Refuse,
        live: live.cloned(),
        merged: None,
        confidence: Confidence::Server,
        reason: Some(reason),
    };
    let (live, preview) = match observation {
        Some(Observation::Seen { live, preview }) => (live.as_ref(), preview.as_ref()),
        Some(Observation::Unknown(why)) => return refuse(None, Reason::new(why.clone())),
        None => return refuse(None, Reason::new("it was not looked up")),
    };
    if *key == inventory.key() {
        return refuse(
            live,
            Reason::with_hint(
                "this ConfigMap is the inventory itself",
                "choose another inventory with --name NAME",
            ),
        );
    }
    let other_set = live.and_then(|live| live.label(PART_OF)).filter(|id| *id != inventory.id());
    if let Some(id) = other_set {
        return refuse(
            live,
            Reason::with_hint(
                format!("it is a member of another ApplySet, {id}"),
                "take it out of the other set first, or name its file in .trueupignore",
            ),
        );
    }
    let decided = |action, merged: Option<&Object>| Decision {
        action,
        live: live.cloned(),
        merged: merged.cloned(),
        confidence: Confidence::Server,
        reason: None,
    };
    let locally = |lack: Lack, decision: Decision| Decision {
        confidence: Confidence::Local(lack),
        ..decision
    };
    match (live, preview) {
        (Some(_), Some(Preview::Same)) => decided(Action::Keep, None),
        (Some(_), Some(Preview::Merged(merged))) => decided(Action::Update, Some(merged)),
        (None, Some(Preview::Merged(merged))) => decided(Action::Create, Some(merged)),
        (None, Some(Preview::Deferred(prerequisite))) => {
            locally(Lack::Prerequisite(prerequisite.clone()), decided(Action::Create, None))
        }
        (None, Some(Preview::Unasked(why))) => {
            locally(Lack::DryRun(why.clone()), decided(Action::Create, None))
        }
        (Some(live), Some(Preview::Unasked(why))) => {
            let foreseen = foresee(send, live);
            let action = if foreseen == *live { Action::Keep } else { Action::Update };
            locally(Lack::DryRun(why.clone()), decided(action, Some(&foreseen)))
        }
        (_, Some(Preview::Refused(refusal))) => {
            let Refusal { message, hint, causes } = refusal.clone();
            refuse(live, Reason { message, hint, causes: manifest.located(causes) })
        }
        (Some(_), Some(Preview::Deferred(_))) => {
            refuse(live, Reason::new("its kind is not served yet, so it can't be compared"))
        }
        (None, Some(Preview::Same)) | (_, None) => {
            refuse(live, Reason::new("the API server was not asked about it"))
        }
    }
}

#[cfg(test)]
mod tests;
