//! An object's annotations about its order: a wave, and dependencies.

use std::fmt;

use crate::core::annotations::{AnnotationFault, WAVE, read_wave};
use crate::core::object::{Object, ObjectKey};
use crate::core::suggest::suggest;

/// The wave, and the annotation of Argo CD's that means the same.
const WAVES: [&str; 2] = [WAVE, "argocd.argoproj.io/sync-wave"];
/// The annotation for dependencies.
pub const DEPENDS_ON: &str = "config.kubernetes.io/depends-on";

/// An object's annotations about its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderSwitches {
    /// The wave, and the annotation that says so.
    pub wave: Option<(i64, &'static str)>,
    /// Its dependencies.
    pub depends_on: Vec<ObjectKey>,
}

impl OrderSwitches {
    /// Reads an object's annotations.
    ///
    /// # Errors
    ///
    /// When one of them can't be understood that is another tool's; those of trueup's own are
    /// reported with the other [switches](crate::core::annotations::faults).
    pub fn of(object: &Object) -> Result<Self, AnnotationFault> {
        let mut said = Self::default();
        for annotation in WAVES {
            let Some(text) = object.annotation(annotation) else { continue };
            match read_wave(text) {
                Some(wave) => drop(said.wave.get_or_insert((wave, annotation))),
                None if annotation == WAVE => {}
                None => {
                    return Err(AnnotationFault {
                        annotation: annotation.to_owned(),
                        message: format!("invalid wave {text:?}: must be an integer"),
                        hint: "a wave is a whole number, such as \"-1\" or \"2\"".into(),
                    });
                }
            }
        }
        let list = object.annotation(DEPENDS_ON).into_iter().flat_map(|text| text.split(','));
        for text in list.map(str::trim) {
            let key = reference(text).ok_or_else(|| AnnotationFault {
                annotation: DEPENDS_ON.to_owned(),
                message: format!("{text:?} does not name an object"),
                hint: "write GROUP/KIND/NAME or GROUP/namespaces/NAMESPACE/KIND/NAME, with \
                       nothing before the first slash for the core group, and commas between"
                    .into(),
            })?;
            said.depends_on.push(key);
        }
        Ok(said)
    }
}

/// Reads `group/kind/name` or `group/namespaces/namespace/kind/name`.
fn reference(text: &str) -> Option<ObjectKey> {
    let parts: Vec<&str> = text.split('/').collect();
    let (group, namespace, kind, name) = match parts.as_slice() {
        [group, kind, name] => (*group, None, *kind, *name),
        [group, "namespaces", namespace, kind, name] => (*group, Some(*namespace), *kind, *name),
        _ => return None,
    };
    let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    let is_whole = is_word(kind) && is_word(name) && namespace.is_none_or(is_word);
    is_whole.then(|| ObjectKey {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    })
}

/// The message for a dependency that is not declared.
pub(super) fn stranger<'a>(
    wanted: &ObjectKey,
    all: impl Iterator<Item = &'a ObjectKey> + Clone,
) -> AnnotationFault {
    let same_kind = all.filter(|key| key.group_kind() == wanted.group_kind());
    // The same name elsewhere, or nearly the same name there.
    let meant = same_kind.clone().find(|key| key.name == wanted.name).or_else(|| {
        let there = same_kind.filter(|key| key.namespace == wanted.namespace);
        let names: Vec<&str> = there.clone().map(|key| key.name.as_str()).collect();
        let name = suggest(&wanted.name, &names).first().map(ToString::to_string)?;
        there.into_iter().find(|key| key.name == name)
    });
    let hint = match meant {
        Some(key) => format!("did you mean {}?", AnnotationKey(key)),
        None => "declare it in the same commit, or take the dependency out".to_owned(),
    };
    let message = format!("it depends on {wanted}, which the commit does not declare");
    AnnotationFault { annotation: DEPENDS_ON.to_owned(), message, hint: hint.into() }
}

/// A key as the annotation writes it.
struct AnnotationKey<'a>(&'a ObjectKey);

impl fmt::Display for AnnotationKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObjectKey { group, kind, namespace, name } = self.0;
        match namespace {
            Some(namespace) => write!(f, "{group}/namespaces/{namespace}/{kind}/{name}"),
            None => write!(f, "{group}/{kind}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn said(annotations: crate::core::json::Value) -> Result<OrderSwitches, String> {
        let object = json!({ "metadata": { "annotations": annotations } });
        OrderSwitches::of(&Object::from(object.as_object().unwrap().clone()))
            .map_err(|fault| fault.message)
    }

    fn written(text: &str) -> Result<Vec<String>, String> {
        let said = said(json!({ DEPENDS_ON: text }))?;
        Ok(said.depends_on.iter().map(|key| format!("{key} {}", AnnotationKey(key))).collect())
    }

    #[test]
    fn waves_are_whole_numbers_and_the_own_annotation_counts_first() {
        let wave = |annotations| said(annotations).map(|said| said.wave.map(|(wave, _)| wave));
        assert_eq!(wave(json!({})), Ok(None));
        assert_eq!(wave(json!({ "argocd.argoproj.io/sync-wave": "-5" })), Ok(Some(-5)));
        let both = json!({ "argocd.argoproj.io/sync-wave": "1", "trueup.dev/wave": "2" });
        assert_eq!(wave(both), Ok(Some(2)));
        for text in ["", "first", "1.5", "0x1"] {
            let error = Err(format!("invalid wave {text:?}: must be an integer"));
            assert_eq!(wave(json!({ "argocd.argoproj.io/sync-wave": text })), error);
            assert_eq!(wave(json!({ "trueup.dev/wave": text })), Ok(None));
        }
    }

    #[test]
    fn dependencies_are_written_in_two_ways() {
        let list = "apps/namespaces/shop/Deployment/db , /Namespace/shop,/namespaces/a/Secret/b";
        assert_eq!(
            written(list).unwrap(),
            [
                "Deployment shop/db apps/namespaces/shop/Deployment/db",
                "Namespace shop /Namespace/shop",
                "Secret a/b /namespaces/a/Secret/b"
            ]
        );
        for wrong in ["", "web", "Deployment/web", "apps/namespaces/shop/Deployment", "a/b/c/d"] {
            assert_eq!(written(wrong), Err(format!("{wrong:?} does not name an object")));
        }
        assert_eq!(written("/Namespace/a,").unwrap_err(), "\"\" does not name an object");
        assert_eq!(written("apps//x").unwrap_err(), "\"apps//x\" does not name an object");
    }
}
