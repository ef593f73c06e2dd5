//! The proof that a target was in sync, which holds as long as nothing that it is made of moves: the
//! commit, the target's settings, the kinds of the cluster, the inventory's record, and the uid and
//! resourceVersion of every member. Then neither a manifest nor an object has to be read again. It says
//! nothing of health.
//!
//! Data only; [`crate::app`] keeps it on this machine, where nothing of an object but a digest is
//! written.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::core::inventory::{PART_OF, Record};
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::mask::Masked;
use crate::core::object::{GroupKind, Object, ObjectKey};

/// The form of the proof; another one is not understood.
const FORM: u32 = 2;

/// The state that is compared before the members of the inventory are listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncInputs {
    /// The commit's id.
    pub commit: String,
    /// The target with all its settings.
    pub target: Fingerprint,
    /// The identity of the cluster, its kinds and the inventory's record; empty before they are
    /// known.
    pub cluster: Fingerprint,
}

/// A digest of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The digest of a value as its type shows it: two values that differ are shown differently.
    pub fn of(value: &impl fmt::Debug) -> Self {
        let mut digest = Sha256::new();
        digest.update(format!("{value:?}"));
        Self(URL_SAFE_NO_PAD.encode(digest.finalize()))
    }
}

/// The version of one member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberVersion {
    /// Which object.
    pub key: ObjectKey,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: String,
}

impl MemberVersion {
    /// That of a live object; `None` where it is no member of the inventory `id`, or not the
    /// server's.
    pub fn of(key: &ObjectKey, live: &Object, id: &str) -> Option<Self> {
        let is_member = live.label(PART_OF) == Some(id) && !live.is_terminating();
        let (uid, version) = (live.uid()?.to_owned(), live.resource_version()?.to_owned());
        is_member.then(|| Self { key: key.clone(), uid, version })
    }
}

/// A kind that an inventory's members are of, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberKind {
    /// Where it is served.
    pub served: Served,
    /// How many members are of it.
    pub objects: usize,
}

/// The kinds that an inventory's members are of; `None` where the server of one does not answer, so
/// that its members can't be known.
pub fn member_kinds(
    record: &Record,
    catalog: &Catalog,
    members: &[MemberVersion],
) -> Option<Vec<MemberKind>> {
    let mut counts: BTreeMap<GroupKind, usize> = BTreeMap::new();
    for member in members {
        *counts.entry(member.key.group_kind()).or_default() += 1;
    }
    let mut kinds = Vec::new();
    for kind in &record.kinds {
        let objects = counts.get(kind).copied().unwrap_or_default();
        match catalog.preferred(kind) {
            Some(kind) => kinds.push(MemberKind { served: kind.clone(), objects }),
            None if catalog.silence(&kind.group).is_none() => {}
            None => return None,
        }
    }
    Some(kinds)
}

/// The proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncProof {
    form: u32,
    inputs: SyncInputs,
    /// The kinds of the members, so that these can be listed while the inputs are still asked for:
    /// equal inputs have equal kinds.
    kinds: Vec<MemberKind>,
    members: Fingerprint,
    objects: usize,
    /// The first line of the commit's message, masked: the Secrets are not read again.
    summary: String,
    /// Whether the members are the ones that the look before found, as far as there was one: else it
    /// would be in vain most times to ask whether they are the same.
    is_calm: bool,
}

/// The statement of a proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InSync {
    /// How many objects are as declared.
    pub objects: usize,
    /// The first line of the commit's message.
    pub summary: Masked<String>,
}

impl SyncProof {
    /// The proof that `members`, which are of these kinds, are as declared, in place of `last`.
    pub fn new(
        inputs: SyncInputs,
        kinds: Vec<MemberKind>,
        members: Vec<MemberVersion>,
        summary: &Masked<String>,
        last: Option<&Self>,
    ) -> Self {
        let objects = members.len();
        let (members, summary) = (fingerprint(members), String::clone(summary));
        let last = last.filter(|last| last.inputs == inputs);
        let is_calm = last.is_none_or(|last| last.members == members);
        Self { form: FORM, inputs, kinds, members, objects, summary, is_calm }
    }

    /// The kinds of the members.
    pub fn kinds(&self) -> &[MemberKind] {
        &self.kinds
    }

    /// Whether it is worth a LIST of the members: nothing that is known before has moved, and the
    /// members did not move lately.
    pub fn is_worth_a_try(&self, inputs: &SyncInputs) -> bool {
        self.may_hold_of(&inputs.commit, &inputs.target) && self.inputs == *inputs
    }

    /// The same as far as it is known without the cluster.
    pub fn may_hold_of(&self, commit: &str, target: &Fingerprint) -> bool {
        let SyncInputs { commit: known, target: settings, .. } = &self.inputs;
        self.form == FORM && self.is_calm && known == commit && settings == target
    }

    /// Its statement, where the inventory has exactly these members.
    pub fn holds(&self, members: Vec<MemberVersion>) -> Option<InSync> {
        (fingerprint(members) == self.members)
            .then(|| InSync { objects: self.objects, summary: Masked::new(self.summary.clone()) })
    }

    /// The same proof once the members were found to be others.
    pub fn missed(self) -> Self {
        Self { is_calm: false, ..self }
    }
}

fn fingerprint(mut members: Vec<MemberVersion>) -> Fingerprint {
    members.sort();
    Fingerprint::of(&members)
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    const ID: &str = "applyset-a-v1";

    fn member(name: &str, uid: &str, version: &str) -> MemberVersion {
        let key = ObjectKey {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
        };
        MemberVersion { key, uid: uid.to_owned(), version: version.to_owned() }
    }

    fn inputs(commit: &str, target: &str, cluster: &str) -> SyncInputs {
        let (target, cluster) = (Fingerprint::of(&target), Fingerprint::of(&cluster));
        SyncInputs { commit: commit.to_owned(), target, cluster }
    }

    fn proof(members: Vec<MemberVersion>) -> SyncProof {
        SyncProof::new(
            inputs("a", "b", "c"),
            vec![],
            members,
            &Masked::new("First".to_owned()),
            None,
        )
    }

    #[test]
    fn proof_holds_until_a_member_moves() {
        let (one, two) = (member("one", "u1", "7"), member("two", "u2", "8"));
        let proof = proof(vec![one.clone(), two.clone()]);
        let in_sync = InSync { objects: 2, summary: Masked::new("First".to_owned()) };
        assert_eq!(proof.holds(vec![two.clone(), one.clone()]), Some(in_sync), "in any order");
        for others in [
            vec![one.clone()],
            vec![one.clone(), two.clone(), member("three", "u3", "9")],
            vec![one.clone(), member("two", "u2", "9")],
            vec![one.clone(), member("two", "u9", "8")],
            vec![one.clone(), member("too", "u2", "8")],
            vec![one.clone(), one.clone(), two.clone()],
            vec![],
        ] {
            assert_eq!(proof.holds(others.clone()), None, "{others:?}");
        }
    }

    #[test]
    fn proof_is_tried_for_what_it_was_made_of() {
        let members = || vec![member("one", "u1", "7")];
        let proof = proof(members());
        for (commit, target, cluster, is_same) in [
            ("a", "b", "c", true),
            ("x", "b", "c", false),
            ("a", "x", "c", false),
            ("a", "b", "x", false),
        ] {
            assert_eq!(proof.is_worth_a_try(&inputs(commit, target, cluster)), is_same);
        }
        let other = SyncProof { form: FORM + 1, ..proof };
        assert!(!other.is_worth_a_try(&inputs("a", "b", "c")), "another version wrote it");
    }

    #[test]
    fn proof_is_tried_again_once_two_looks_see_the_same_members() {
        let summary = Masked::new(String::new());
        let now = || inputs("a", "b", "c");
        let look = |version: &str, last: &SyncProof| {
            SyncProof::new(now(), vec![], vec![member("one", "u1", version)], &summary, Some(last))
        };
        let first = proof(vec![member("one", "u1", "7")]);
        assert!(first.is_worth_a_try(&now()));
        let moved = look("8", &first.missed());
        assert!(!moved.is_worth_a_try(&now()), "it moves");
        let moved = look("9", &moved);
        assert!(!moved.is_worth_a_try(&now()), "it still moves");
        assert!(look("9", &moved).is_worth_a_try(&now()), "it is calm again");
        let other = SyncProof::new(inputs("x", "b", "c"), vec![], vec![], &summary, Some(&moved));
        assert!(other.is_worth_a_try(&inputs("x", "b", "c")), "another commit is another proof");
    }

    #[test]
    fn only_members_that_stay_have_a_version() {
        let object = |metadata: crate::core::json::Value| {
            let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata });
            Object::from(object.as_object().unwrap().clone())
        };
        let of = |metadata| {
            let live = object(metadata);
            MemberVersion::of(&live.key(), &live, ID).map(|it| (it.uid, it.version))
        };
        let labels = json!({ PART_OF: ID });
        let whole = json!({ "name": "a", "uid": "u", "resourceVersion": "7", "labels": labels });
        assert_eq!(of(whole.clone()), Some(("u".to_owned(), "7".to_owned())));
        for (key, value) in [
            ("labels", json!({ PART_OF: "applyset-b-v1" })),
            ("labels", json!({})),
            ("uid", json!(null)),
            ("resourceVersion", json!(null)),
            ("deletionTimestamp", json!("2026-03-01T12:00:00Z")),
        ] {
            let mut other = whole.clone();
            other[key] = value;
            assert_eq!(of(other), None, "{key}");
        }
    }
}
