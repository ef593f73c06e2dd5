//! Names of kinds, hostile schemas, and that everything of a release can be explained.

use super::*;
use crate::core::kinds::schemas::releases;

fn manual() -> Manual {
    Manual::of("1.36").unwrap()
}

fn added(schema: &Value) -> Manual {
    let mut manual = manual();
    let name = FileName {
        group: "example.com".to_owned(),
        kind: "thing".to_owned(),
        version: "v1".to_owned(),
        file: "thing.json".to_owned(),
    };
    manual.add_json(&name, schema.to_string().as_bytes()).unwrap();
    manual
}

#[test]
fn every_kind_of_every_release_has_descriptions_and_its_own_names() {
    for release in releases() {
        let manual = Manual::of(release).unwrap();
        assert!(manual.kinds.len() > 60, "{release}");
        for known in &manual.kinds {
            let name = format!("{}/{}", known.api_version(), known.kind);
            let page = manual.page(&name, None, true).unwrap();
            assert!(!page.field.description.is_empty(), "{release} {name}");
            assert!(!page.field.fields.is_empty() && !page.is_cut, "{release} {name}");
            for field in &page.field.fields {
                assert!(!field.description.is_empty(), "{release} {name}.{}", field.name);
            }
            let plural = format!("{}.{}.{}", known.plural, known.version, known.group);
            let plural = if known.group.is_empty() { name.clone() } else { plural };
            let same = manual.page(&plural, None, false).unwrap();
            assert_eq!(same.known.api_version(), known.api_version(), "{plural}");
        }
    }
}

#[test]
fn kinds_have_the_names_that_kubectl_knows() {
    let manual = manual();
    for (name, kind, api_version) in [
        ("po", "Pod", "v1"),
        ("PODS", "Pod", "v1"),
        ("deploy", "Deployment", "apps/v1"),
        ("deployments.apps", "Deployment", "apps/v1"),
        ("deployments.v1.apps", "Deployment", "apps/v1"),
        ("apps/v1/Deployment", "Deployment", "apps/v1"),
        ("hpa", "HorizontalPodAutoscaler", "autoscaling/v2"),
        ("horizontalpodautoscalers.v1.autoscaling", "HorizontalPodAutoscaler", "autoscaling/v1"),
        ("netpol", "NetworkPolicy", "networking.k8s.io/v1"),
        ("ing", "Ingress", "networking.k8s.io/v1"),
        ("crd", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
        ("pvc", "PersistentVolumeClaim", "v1"),
        ("ev.events.k8s.io", "Event", "events.k8s.io/v1"),
    ] {
        let page = manual.page(name, None, false).ok().unwrap();
        assert_eq!(
            (page.known.kind.as_str(), page.known.api_version().as_str()),
            (kind, api_version)
        );
    }
    let page = manual.page("deployments.apps.spec.template.spec.containers[0].name", None, false);
    assert_eq!(page.unwrap().field.type_word, "string");
}

#[test]
fn errors_say_what_there_is() {
    let manual = manual();
    let error = |name: &str, version: Option<&str>| {
        let error = manual.page(name, version, false).err().unwrap();
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    for (name, version, expected) in [
        ("deplyo", None, "unknown kind \"deplyo\"; did you mean deploy?"),
        ("", None, "unknown kind \"\"; name a kind, as in trueup explain deployment"),
        ("pod.Spec", None, "v1 Pod has no field \"Spec\"; did you mean spec?"),
        ("pod.spec.nodeName.x", None, "spec.nodeName has no fields: it is <string>; "),
        (
            "hpa",
            Some("autoscaling/v3"),
            "no HorizontalPodAutoscaler in autoscaling/v3; there is \
            autoscaling/v1/HorizontalPodAutoscaler, autoscaling/v2/HorizontalPodAutoscaler",
        ),
        (
            "cronjob",
            Some("batch/v1beta1"),
            "Kubernetes 1.36 does not serve batch/v1beta1/CronJob: removed in 1.25; use \
            batch/v1/CronJob instead",
        ),
    ] {
        assert_eq!(error(name, version), expected);
    }
    let ambiguous = error("event", None);
    assert!(ambiguous.contains("events.k8s.io/v1/Event, v1/Event"), "{ambiguous}");
}

#[test]
fn a_schema_that_leads_back_to_itself_or_grows_comes_to_an_end() {
    let manual = added(&json!({ "$ref": "#" }));
    assert!(manual.page("thing", None, true).unwrap().field.fields.is_empty());
    let within = json!({ "properties": { "a": { "$ref": "#/properties/a" },
        "b": { "items": { "$ref": "#/properties/b" } } } });
    assert_eq!(added(&within).page("thing", None, true).unwrap().field.fields.len(), 5);
    let nowhere = json!({ "properties": { "a": { "$ref": "#/nowhere" }, "b": { "$ref": "x" } } });
    let manual = added(&nowhere);
    assert_eq!(manual.page("thing.a", None, true).unwrap().field.type_word, "nowhere");
    // Each level has the next one twice.
    let mut definitions = Map::new();
    for level in 0..200 {
        let next = json!({ "$ref": (format!("#/definitions/{}", level + 1)) });
        let fields = json!({ "a": (next.clone()), "b": next });
        definitions.insert(level.to_string(), json!({ "properties": fields }));
    }
    let definitions = Value::from(definitions);
    let manual = added(&json!({ "definitions": definitions, "properties": { "a":
        { "$ref": "#/definitions/0" } } }));
    assert!(manual.page("thing", None, true).unwrap().is_cut);
}

#[test]
fn a_kind_is_spelt_as_its_schema_spells_it() {
    let kind =
        |schema: Value| added(&schema).page("thing", None, false).unwrap().known.kind.clone();
    for schema in [
        json!({"x-kubernetes-group-version-kind": [{"kind": "Thing"}]}),
        json!({"properties": {"kind": {"enum": ["Thing"]}}}),
        json!({"properties": {"kind": {"const": "Thing"}}}),
        json!({"properties": {"kind": {"default": "Thing"}}}),
        json!({"title": "Thing"}),
        json!({"description": "Thing is a thing."}),
        json!({"description": "A Thing, which is one."}),
        json!({"description": "thing is a Thing."}),
    ] {
        assert_eq!(kind(schema.clone()), "Thing", "{schema}");
    }
    for schema in [json!({}), json!({"title": "Other"}), json!({"description": "Things are many"})]
    {
        assert_eq!(kind(schema), "thing");
    }
}

#[test]
fn a_file_that_is_no_schema_is_refused() {
    let name = FileName {
        group: "example.com".to_owned(),
        kind: "thing".to_owned(),
        version: "v1".to_owned(),
        file: String::new(),
    };
    for text in ["[]", "{", "1", ""] {
        assert!(manual().add_json(&name, text.as_bytes()).is_err(), "{text}");
    }
    let deep = format!("{}{}", "{\"items\":".repeat(500), "}".repeat(500));
    assert!(manual().add_json(&name, deep.as_bytes()).is_err());
}
