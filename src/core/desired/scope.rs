//! Whether a manifest's kind is namespaced, or why its object can't be wanted.

use crate::core::annotations::Mode;
use crate::core::kinds::catalog::{AnnouncedKind, Catalog, DefinedElsewhere, Lookup, silence};
use crate::core::kinds::lifecycle::absence;
use crate::core::manifest::Manifest;
use crate::core::problem::Problem;

/// Whether it says that nothing is to be done with it, and nothing of its kind can be there.
pub(super) fn is_of_no_concern(manifest: &Manifest, catalog: &Catalog) -> bool {
    let object = &manifest.object;
    let kind = || catalog.lookup(&object.group_kind(), object.version());
    Mode::ignores(object) && matches!(kind(), Lookup::Nowhere(_))
}

/// Whether the manifest's kind is namespaced, or why it can't be wanted.
pub(super) fn scope(manifest: &Manifest, catalog: &Catalog) -> Result<bool, Problem> {
    let object = &manifest.object;
    let problem = |message: String, hint: Option<String>| Problem {
        place: manifest.location(),
        message,
        excerpt: None,
        hint,
    };
    let (api_version, kind) = (object.api_version(), object.kind());
    let found = catalog.lookup(&object.group_kind(), object.version());
    if let (Lookup::Nowhere(_), Some(by)) = (&found, catalog.promised_by(api_version)) {
        return Err(problem(
            format!("the server behind {by} has no kind {kind} in {api_version}"),
            Some(format!("see `kubectl api-resources --api-group {}`", object.group())),
        ));
    }
    if let Lookup::Nowhere(_) = found
        && let Some((which, hint)) =
            elsewhere(&catalog.elsewhere(&object.group_kind(), object.version()))
    {
        let message = format!(
            "the cluster has no kind {kind} in {api_version}, and this target does not define it; {which}"
        );
        return Err(problem(message, Some(hint)));
    }
    match found {
        Lookup::Served(served) => Ok(served.namespaced),
        Lookup::Defined(defined) => Ok(defined.namespaced),
        // Where that is unknown, an object that names a namespace is taken to be in it.
        Lookup::Promised(AnnouncedKind { known, .. }) => {
            let known = known.or_else(|| catalog.preferred(&object.group_kind()));
            Ok(known.map_or(object.namespace().is_some(), |served| served.namespaced))
        }
        Lookup::OtherVersions(versions) => Err(problem(
            format!("the cluster has no {kind} in {api_version}"),
            Some(format!("it serves this kind in {}", versions.join(", "))),
        )),
        Lookup::Unknown(why) => {
            let silence = silence(why);
            Err(problem(
                format!("unknown whether the cluster has {kind} in {api_version}: {silence}"),
                Some(format!("see `kubectl get apiservices` for the group {}", object.group())),
            ))
        }
        Lookup::Nowhere(near) if near.is_empty() => Err(problem(
            format!(
                "the cluster has no kind {kind} in {api_version}, and no CustomResourceDefinition of this commit defines it"
            ),
            absence(api_version, kind).or_else(|| {
                Some(
                    "add its CustomResourceDefinition to the commit, or list the file in .trueupignore"
                        .to_owned(),
                )
            }),
        )),
        Lookup::Nowhere(near) => Err(problem(
            format!("the cluster has no kind {kind} in {api_version}"),
            absence(api_version, kind)
                .or_else(|| Some(format!("did you mean {}?", near.join(" or ")))),
        )),
    }
}

/// The definitions of other targets in words, and the command that applies one; `None` without any.
fn elsewhere(definitions: &[&DefinedElsewhere]) -> Option<(String, String)> {
    let first = definitions.first()?;
    let names: Vec<String> =
        definitions.iter().map(|it| format!("{} (target {})", it.path, it.target)).collect();
    let (verb, which) = match definitions.len() {
        1 => ("does", "that"),
        _ => ("do", "one of them"),
    };
    let hint = format!("apply {which} first: trueup apply --target {}", first.target);
    Some((format!("{} {verb}", names.join(" and ")), hint))
}
