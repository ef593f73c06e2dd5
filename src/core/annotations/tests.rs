use super::*;

use crate::core::json::json;

fn object(annotations: crate::core::json::Value, labels: crate::core::json::Value) -> Object {
    let object = json!({ "metadata": { "annotations": annotations, "labels": labels } });
    Object::from(object.as_object().cloned().unwrap_or_default())
}

fn told(annotations: crate::core::json::Value) -> Vec<String> {
    let faults = faults(&object(annotations, json!({}))).into_iter();
    let words = |hint: &Remedy| match hint {
        Remedy::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    faults.map(|it| format!("{}: {}; {}", it.annotation, it.message, words(&it.hint))).collect()
}

#[test]
fn every_switch_has_values_that_are_known() {
    for (name, good, wrong) in [
        (WAVE, &["-3", "0", " 7 "][..], "invalid wave \"soon\": must be an integer"),
        (MODE, &["create-only", "ignore"], "invalid value \"soon\""),
        (ON_CONFLICT, &["force", "fail", "yield"], "invalid value \"soon\""),
        (PRUNE, &["true", "False"], "\"soon\" is neither true nor false"),
        (REPLACE, &["TRUE", "false"], "\"soon\" is neither true nor false"),
        (WAIT, &["true", "false"], "\"soon\" is neither true nor false"),
    ] {
        for value in good {
            assert_eq!(told(json!({ name: value })), [""; 0], "{name}: {value}");
        }
        let told = told(json!({ name: "soon" }));
        assert!(told[0].starts_with(&format!("{name}: {wrong}; ")), "{told:?}");
    }
    assert_eq!(told(json!({ WAVE: 7, "example.com/wave": "soon" })), [""; 0]);
}

#[test]
fn unknown_annotation_suggests_a_similar_one() {
    let said = told(json!({ "trueup.dev/on-conflicts": "fail", "trueup.dev/Prune": "false" }));
    assert_eq!(
        said,
        [
            "trueup.dev/Prune: trueup has no such annotation; did you mean trueup.dev/prune?",
            "trueup.dev/on-conflicts: trueup has no such annotation; did you mean trueup.dev/on-conflict?",
        ]
    );
    let said = told(json!({ "trueup.dev/comment": "x" }));
    assert!(said[0].ends_with("there are trueup.dev/mode, trueup.dev/on-conflict, trueup.dev/prune, trueup.dev/replace, trueup.dev/wait, trueup.dev/wave"), "{said:?}");
}

#[test]
fn a_manifest_does_not_approve_that_its_object_is_deleted() {
    for value in [json!("2999-01-01T00:00:00Z"), json!("true"), json!(""), json!(null), json!(7)] {
        let said = told(json!({ APPROVED: value }));
        let begins = format!("{APPROVED}: a manifest can't approve that its object is deleted; ");
        assert!(said.len() == 1 && said[0].starts_with(&begins), "{said:?}");
    }
}

#[test]
fn mode_annotations_of_trueup_and_flux_are_read() {
    let ssa = "kustomize.toolkit.fluxcd.io/ssa";
    for (annotations, labels, mode, words) in [
        (
            json!({ MODE: "create-only" }),
            json!({}),
            Some(Mode::CreateOnly),
            "trueup.dev/mode: create-only",
        ),
        (
            json!({ MODE: "ignore", ssa: "IfNotPresent" }),
            json!({}),
            Some(Mode::Ignore),
            "trueup.dev/mode: ignore",
        ),
        (
            json!({ ssa: "ifnotpresent" }),
            json!({}),
            Some(Mode::CreateOnly),
            "kustomize.toolkit.fluxcd.io/ssa: ifnotpresent",
        ),
        (
            json!({}),
            json!({ ssa: "Ignore" }),
            Some(Mode::Ignore),
            "kustomize.toolkit.fluxcd.io/ssa: Ignore",
        ),
        (
            json!({ "kustomize.toolkit.fluxcd.io/reconcile": "disabled" }),
            json!({}),
            Some(Mode::Ignore),
            "kustomize.toolkit.fluxcd.io/reconcile: disabled",
        ),
        (json!({ ssa: "Merge" }), json!({}), None, ""),
        (json!({ ssa: "Override" }), json!({}), None, ""),
        (json!({ MODE: "Ignore" }), json!({}), None, ""),
    ] {
        let said = Mode::treatment_of(&object(annotations, labels));
        let (found, text) = said.map_or((None, String::new()), |it| (Some(it.mode), it.said));
        assert_eq!((found, text.as_str()), (mode, words));
    }
}
