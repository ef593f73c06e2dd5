//! Entries of `managedFields` in another version of the kind than the declared one.
//!
//! To find out whose fields change, server-side apply converts the object to the version of every
//! entry (sigs.k8s.io/structured-merge-diff, `merge/update.go`). It gives up where the definition
//! no longer has that version. It also does where the version has no place for a field of the
//! object, such as one that a newer version fills in by itself. Then our entry is named in the
//! declared version before the object is applied. The entries of others are theirs: they are named,
//! with a way to do the same.

use std::collections::BTreeSet;

use super::managers::{self, Manager};
use crate::core::json::json;
use crate::core::object::Object;
use crate::core::problem::Refusal;

/// Whether an entry of `live` is named in another version than that of `send`.
pub fn are_mixed(live: &Object, send: &Object) -> bool {
    managers::of(live).any(|manager| manager.api_version != send.api_version())
}

/// `live` with our entry named in the version of `send`; `None` where it is, or there is none.
pub fn redeclared(live: &Object, send: &Object) -> Option<Object> {
    let mut entries: Vec<_> = managers::entries(live).cloned().collect();
    let ours = entries.iter_mut().find(|entry| {
        managers::read(entry).is_some_and(|it| it.is_ours() && it.api_version != send.api_version())
    })?;
    ours["apiVersion"] = send.api_version().into();
    let mut redeclared = live.clone();
    redeclared.metadata_mut().insert("managedFields".to_owned(), entries.into());
    Some(redeclared)
}

/// Why `send` can't be applied to `live`, of which the server says `message`: the entries of others
/// keep it from that. `None` where it is ours alone.
pub fn hindered(live: &Object, send: &Object, message: &str) -> Option<Refusal> {
    let mut ours = managers::of(live).filter(Manager::is_ours);
    let ours = ours.next().map(|ours| ours.api_version);
    let others: BTreeSet<&str> = others(live, send).map(|(_, it)| it.api_version).collect();
    let is_named = |version: &&str| message.ends_with(&format!(": {version}"));
    // The server names a version that it does not know. One that it knows and that has no place for a
    // field, it does not: then it is ours, as long as ours is another than the declared one.
    let guilty = |version: &str| match others.iter().any(is_named) {
        true => is_named(&version),
        false => ours.is_none_or(|ours| ours == send.api_version() || ours == version),
    };
    refusal(live, send, &guilty)
}

/// Why `send` can't be applied to `live` once only `versions` of the kind are left; `None` where
/// nothing of others stands in the way.
pub fn left_behind(live: &Object, send: &Object, versions: &BTreeSet<String>) -> Option<Refusal> {
    let is_gone = |api_version: &str| {
        let version = api_version.rsplit('/').next().unwrap_or(api_version);
        !versions.contains(version)
    };
    refusal(live, send, &is_gone)
}

/// Why the owners of `live` can't be written: the entries of others, in whatever other version.
pub fn unconverted(live: &Object, send: &Object) -> Option<Refusal> {
    refusal(live, send, &|_| true)
}

/// The entries of others in another version of the kind than the declared one, with their numbers.
fn others<'a>(live: &'a Object, send: &Object) -> impl Iterator<Item = (usize, Manager<'a>)> {
    let entries = managers::entries(live).enumerate();
    let read = entries.filter_map(|(at, entry)| Some((at, managers::read(entry)?)));
    read.filter(|(_, it)| !it.is_ours() && it.api_version != send.api_version())
}

fn refusal(live: &Object, send: &Object, guilty: &dyn Fn(&str) -> bool) -> Option<Refusal> {
    let guilty: Vec<_> =
        others(live, send).filter(|(_, manager)| guilty(manager.api_version)).collect();
    let (_, first) = guilty.first()?;
    let names: BTreeSet<&str> = guilty.iter().map(|(_, manager)| manager.name).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let declared = send.api_version();
    let message = format!(
        "fields of it belong to {names} in {}, and the API server can't convert it to that version",
        first.api_version
    );
    // One entry that stays behind keeps the others from being written: the server drops all of them, or
    // leaves them as they were (k8s.io/apimachinery, `pkg/util/managedfields/internal/fieldmanager.go`,
    // `UpdateNoErrors`).
    let all = managers::entries(live).enumerate();
    let all = all.filter_map(|(at, entry)| Some((at, managers::read(entry)?)));
    let all = all.filter(|(_, manager)| match manager.is_ours() {
        true => manager.api_version != declared,
        false => guilty.iter().any(|(_, one)| std::ptr::eq(one.fields, manager.fields)),
    });
    let patch = all.flat_map(|(at, manager)| {
        let path = format!("/metadata/managedFields/{at}");
        let test =
            json!({ "op": "test", "path": format!("{path}/manager"), "value": manager.name });
        [test, json!({ "op": "replace", "path": format!("{path}/apiVersion"), "value": declared })]
    });
    let patch: Vec<_> = patch.collect();
    let namespace = live.namespace().map(|name| format!(" --namespace {name}")).unwrap_or_default();
    // `KIND.VERSION.GROUP`, which kubectl reads as such.
    let (kind, group) = (live.kind(), live.group());
    let kind = format!("{kind}.{}.{group}", send.version());
    let hint = format!(
        "have their entries named in {declared}: kubectl patch {} {}{namespace} --type=json -p '{}'",
        kind.trim_end_matches('.'),
        live.name(),
        json!(patch),
    );
    Some(Refusal { message, hint: Some(hint.into()), causes: Vec::new(), may_pass: false })
}

#[cfg(test)]
mod tests {
    use crate::core::json::Value;

    use super::*;
    use crate::core::remedy::Remedy;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    fn live(entries: &[(&str, &str, &str)]) -> Object {
        let entries = entries.iter().map(|(manager, operation, version)| {
            json!({ "manager": manager, "operation": operation,
                "apiVersion": format!("x.example/{version}"), "fieldsV1": {} })
        });
        object(json!({ "apiVersion": "x.example/v1", "kind": "X", "metadata": { "name": "a",
            "namespace": "n", "managedFields": entries.collect::<Vec<_>>() } }))
    }

    fn sent() -> Object {
        object(json!({ "apiVersion": "x.example/v1", "kind": "X" }))
    }

    #[test]
    fn only_our_entry_is_named_in_the_declared_version() {
        let theirs = ("edit", "Update", "v1alpha1");
        let old = live(&[("trueup", "Apply", "v1alpha1"), theirs]);
        assert_eq!(redeclared(&old, &sent()), Some(live(&[("trueup", "Apply", "v1"), theirs])));
        assert_eq!(redeclared(&live(&[("trueup", "Apply", "v1"), theirs]), &sent()), None);
        assert_eq!(redeclared(&live(&[theirs]), &sent()), None);
    }

    #[test]
    fn other_managers_of_a_removed_version_are_named() {
        let (old, new) = (("trueup", "Apply", "v1alpha1"), ("trueup", "Apply", "v1"));
        let unknown = "request to convert CR to an invalid group/version: x.example/v1alpha1";
        let no_place = ".spec.a: field not declared in schema";
        for (ours, theirs, message, is_hindered) in [
            (old, "v1alpha1", unknown, true),
            (new, "v1alpha1", unknown, true),
            (old, "v1", unknown, false),
            (old, "v1alpha1", no_place, true),
            (new, "v1beta1", no_place, true),
            (old, "v1beta1", no_place, false),
            (old, "v1", no_place, false),
        ] {
            let live = live(&[ours, ("edit", "Update", theirs)]);
            let refusal = hindered(&live, &sent(), message);
            assert_eq!(refusal.is_some(), is_hindered, "{ours:?} {theirs} {message}");
            let named = refusal.is_none_or(|it| {
                let hint = it.hint.as_ref().and_then(Remedy::text).unwrap_or_default();
                assert_eq!(hint.contains("managedFields/0/apiVersion"), ours == old, "{hint}");
                it.message.contains("edit")
                    && hint.contains("kubectl patch X.v1.x.example a")
                    && hint.contains("managedFields/1/apiVersion")
            });
            assert!(named);
        }
        let live = live(&[new, ("edit", "Update", "v1alpha1")]);
        let versions = |names: [&str; 2]| names.map(str::to_owned).into();
        assert!(left_behind(&live, &sent(), &versions(["v1", "v2"])).is_some());
        assert!(left_behind(&live, &sent(), &versions(["v1", "v1alpha1"])).is_none());
    }
}
