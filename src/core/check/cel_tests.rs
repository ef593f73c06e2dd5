//! Rules of definitions and admission policies: their findings, line by line.

use super::tests::findings;
use super::*;
use crate::core::manifest::read;

/// A definition whose rules start at line 16, and a resource of it.
fn ruled(rules: &str, spec: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\n\
         kind: CustomResourceDefinition\n\
         metadata: {{name: caches.example.com}}\n\
         spec:\n  group: example.com\n  names: {{kind: Cache, plural: caches}}\n  scope: Namespaced\n  \
         versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      \
         openAPIV3Schema:\n        type: object\n        properties:\n          spec: \
         {{type: object, properties: {{least: {{type: integer}}, most: {{type: integer}}}}, \
         x-kubernetes-validations: [{rules}]}}\n\
         ---\napiVersion: example.com/v1\nkind: Cache\nmetadata: {{name: main}}\nspec: {spec}\n"
    )
}

#[test]
fn rules_of_a_definition_have_a_message_and_a_place() {
    let row = |rules: &str, spec: &str| findings(&ruled(rules, spec));
    let spec = "{least: 3, most: 1}";
    assert_eq!(row("{rule: self.least <= self.most}", "{least: 1, most: 1}"), [""; 0]);
    for (rules, expected) in [
        (
            "{rule: self.least <= self.most}",
            "21:7 error `spec`: failed rule: self.least <= self.most",
        ),
        (
            "{rule: self.least <= self.most, message: least is more.}",
            "21:7 error `spec`: least is more",
        ),
        (
            "{rule: self.least <= self.most, fieldPath: .most}",
            "21:24 error `most`: failed rule: self.least <= self.most",
        ),
        (
            "{rule: self.least <= self.most, message: m, messageExpression: \"'most is ' + string(self.most)\"}",
            "21:7 error `spec`: most is 1",
        ),
        // A message that can't be made is left out.
        (
            "{rule: self.least <= self.most, message: m, messageExpression: \"string(1 / 0)\"}",
            "21:7 error `spec`: m",
        ),
    ] {
        assert_eq!(row(rules, spec), [expected], "{rules}");
    }
    assert_eq!(row("{rule: self.most == oldSelf.most}", spec), [""; 0]);
}

#[test]
fn rules_that_only_a_server_knows_are_no_errors() {
    let (rule, why) = ("lists.range(2000000).size() > 0", "it costs more than 1000000 units");
    let text = ruled(&format!("{{rule: \"{rule}\"}}"), "{least: 1}");
    let twice = format!(
        "{text}---\napiVersion: example.com/v1\nkind: Cache\nmetadata: {{name: b}}\nspec: {{least: 2}}\n"
    );
    let found = findings(&twice);
    assert_eq!(found.len(), 1, "{found:?}");
    let (place, message) = found[0].split_once(' ').unwrap();
    assert!(place.starts_with("16:"), "{place}");
    assert_eq!(message, format!("warning rule not evaluated: {why}: {rule}"));
}

#[test]
fn rules_that_no_server_compiles_are_errors_with_and_without_objects() {
    let definition = |rules: &str| {
        let text = ruled(rules, "{least: 1}");
        text.split("---\n").next().unwrap().to_owned()
    };
    for (rule, why) in [
        ("unheard(self)", "unknown function or wrong arguments: `unheard`"),
        ("self.least == 'a' + 1", "`+` is not defined for string and int"),
        ("self.other == 1", "undefined field `other`"),
        ("self.least", "it has to return a bool, not an int"),
        ("cel.bind(x, 1, x == 1)", "unknown function or wrong arguments: `cel.bind`"),
        ("params.a == 1", "unknown name `params`"),
    ] {
        let rules = format!("{{rule: \"{rule}\"}}");
        for text in [definition(&rules), ruled(&rules, "{least: 1}")] {
            let found = findings(&text);
            assert_eq!(found.len(), 1, "{found:?}");
            let (place, message) = found[0].split_once(' ').unwrap();
            assert!(place.starts_with("16:"), "{place}");
            assert_eq!(message, format!("error `rule` does not compile: {why}"));
        }
    }
    let message = "{rule: self.least == 1, messageExpression: self.least}";
    let why = "error `messageExpression` does not compile: it has to return a string, not an int";
    assert!(findings(&definition(message))[0].ends_with(why));
    // A function of another release may be known.
    assert_eq!(findings(&definition("{rule: \"isImage('a')\"}")), [""; 0]);
}

#[test]
fn a_schema_error_is_reported_without_rules() {
    let found = findings(&ruled("{rule: 'false'}", "{least: a}"));
    assert_eq!(found.len(), 1, "{found:?}");
}

const POLICY: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}]
";

fn policy(validation: &str, binding: &str) -> String {
    let binding = match binding {
        "" => String::new(),
        spec => format!(
            "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\n\
             metadata: {{name: few}}\nspec: {{policyName: few, {spec}}}\n"
        ),
    };
    format!(
        "{POLICY}  validations: [{{expression: \"{validation}\"}}]\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, labels: {{a: b}}}}\n\
         spec: {{replicas: 9, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, \
         spec: {{containers: [{{name: a, image: a}}]}}}}}}\n{binding}"
    )
}

#[test]
fn a_policy_of_the_set_counts_where_it_is_bound() {
    let few = "object.spec.replicas <= 5";
    let deny = "validationActions: [Deny]";
    let denied = "12:18 error policy few: failed expression: object.spec.replicas <= 5";
    assert_eq!(findings(&policy(few, "")), [""; 0]);
    assert_eq!(findings(&policy(few, deny)), [denied]);
    let warned = findings(&policy(few, "validationActions: [Warn, Audit]"));
    assert_eq!(warned, [denied.replace("error", "warning")]);
    for (expression, why) in [
        (
            "authorizer.group('').resource('pods').check('create').allowed()",
            "only a server knows what an authorizer allows",
        ),
        ("authorizer == null", "only a server knows what an authorizer allows"),
        ("request.userInfo.username == 'x'", "the API server may fill in `userInfo`"),
        ("has(object.spec.strategy)", "the API server may fill in `strategy`"),
        ("namespaceObject.metadata.name == 'x'", "the namespace is not in the set"),
    ] {
        let found = findings(&policy(expression, deny));
        assert_eq!(found.len(), 1, "{found:?}");
        let begin = format!("7:30 warning policy not evaluated for some objects: {why}");
        assert!(found[0].starts_with(&begin), "{found:?}");
    }
}

#[test]
fn a_policy_from_elsewhere_needs_a_binding() {
    let reading =
        read("p.yaml", format!("{POLICY}  validations: [{{expression: 'false'}}]\n").as_bytes());
    let set = Set {
        manifests: &[],
        problems: &[],
        unreferenced: &[],
        others: &[],
        warnings: &[],
        namespace: "shop",
        ignore: &[],
        redact: &[],
        inputs: &Inputs::default(),
    };
    let found = check_by(set, Schemas::of("1.36").unwrap(), &reading.manifests);
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found.level, found.place.line), (Level::Warning, 3));
    assert!(found.message.contains("has no ValidatingAdmissionPolicyBinding"), "{}", found.message);
}
