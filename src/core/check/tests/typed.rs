//! One finding for a value that looks like another one, and misspelt fields of every object.

use super::findings;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

#[test]
fn a_value_has_one_hint_and_it_is_right_for_the_fields_type() {
    for (written, told) in [
        ("0644", "the number 420, which Kubernetes reads `0644` as: write \"0644\" in quotes"),
        ("yes", "the boolean true, which Kubernetes reads `yes` as: write \"yes\" in quotes"),
        ("1e3", "the number 1000, which Kubernetes reads `1e3` as: write \"1e3\" in quotes"),
        ("1.10", "the number 1.1: write \"1.10\" in quotes"),
        ("True", "the boolean true: write \"True\" in quotes"),
        ("0x1F", "the number 31: write \"0x1F\" in quotes"),
        ("8080", "the number 8080: write \"8080\" in quotes"),
    ] {
        let expected = format!("4:11 error `v` must be text, not {told}");
        assert_eq!(findings(&format!("{MAP}data: {{v: {written}}}\n")), [expected], "{written}");
    }
    // A mode is meant in octal, and is text here all the same.
    let expected = "4:14 error `mode` must be text, not the number 420: write \"0644\" in quotes";
    assert_eq!(findings(&format!("{MAP}data: {{mode: 0644}}\n")), [expected]);

    let expected = "4:12 warning Kubernetes reads `no` as `false`; write `false`";
    assert_eq!(findings(&format!("{MAP}immutable: no\n")), [expected]);
    let expected = "4:12 error `immutable` must be true or false, not the number 8, which Kubernetes reads `010` as";
    assert_eq!(findings(&format!("{MAP}immutable: 010\n")), [expected]);
}

#[test]
fn a_number_that_looks_like_another_is_to_be_written_as_it_is_read() {
    let autoscaler = |least: &str| {
        findings(&format!(
            "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\nspec:\n  maxReplicas: {least}\n  scaleTargetRef: {{apiVersion: example.com/v1, kind: A, name: a}}\n---\napiVersion: example.com/v1\nkind: A\nmetadata: {{name: a}}\n"
        ))
    };
    let expected = "5:16 warning Kubernetes reads `010` as `8` (octal); write `8`";
    assert_eq!(autoscaler("010")[0], expected);
    assert!(!autoscaler("10")[0].contains("Kubernetes reads"));
}

#[test]
fn where_no_schema_knows_the_type_both_ways_are_told() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nspec: {v: yes}\n";
    let expected = [
        "2:1 warning no schema for example.com/v1/Widget: not validated",
        "4:11 warning Kubernetes reads `yes` as `true`; write `true`, or `\"yes\"` if you mean text",
    ];
    assert_eq!(findings(widget), expected);
}

#[test]
fn misspelt_fields_of_every_object_name_what_was_meant() {
    for (text, expected) in [
        (
            "apiVersion: v1\nkind: ConfigMap\nmetaddata: {name: a}\n",
            "3:1 error unknown field `metaddata`; did you mean metadata?",
        ),
        (
            "aplVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
            "1:1 error unknown field `aplVersion`; did you mean apiVersion?",
        ),
        (
            "apiVersion: v1\nKind: ConfigMap\nmetadata: {name: a}\n",
            "2:1 error unknown field `Kind`; did you mean kind?",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspeec: {ports: [{port: 80}]}\n",
            "4:1 error unknown field `speec`, did you mean `spec`?",
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetdata: {name: a}\n",
            "3:1 error unknown field `…`; did you mean metadata?",
        ),
        // Nothing that is near, and what may be no object at all.
        ("apiVersion: v1\nkind: ConfigMap\ndata: {}\n", "1:1 error metadata.name is missing"),
        ("kinds: [a]\nversion: 1\n", "1:1 error apiVersion is missing"),
    ] {
        assert_eq!(findings(text), [expected], "{text}");
    }
}

#[test]
fn rules_beside_an_aggregation_rule_are_told_even_when_empty() {
    let role = |rules: &str| {
        findings(&format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: a}}\n{rules}aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{a: b}}}}]}}\n"
        ))
    };
    let says = "4:1 warning /rules is left as it is: the ClusterRole aggregation controller fills it from the aggregationRule; remove it from the manifest";
    assert_eq!(role("rules: []\n"), [says]);
    assert_eq!(role("rules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]\n"), [says]);
    assert_eq!(role(""), Vec::<String>::new());
}
