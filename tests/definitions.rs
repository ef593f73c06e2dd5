//! Custom resources and the definitions that they come with: a definition and an object that needs it
//! change in one commit, versions come and go, and rules keep fields from changing, on a real API
//! server.

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::objects::Definition;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A version of a definition: its name, whether it is the one that is stored, and what it says of
/// `spec`.
struct Version<'a> {
    name: &'a str,
    storage: bool,
    spec: &'a str,
}

/// The only version of a definition, with what it says of `spec`.
fn only(spec: &str) -> Version<'_> {
    Version { name: "v1", storage: true, spec }
}

/// The definition of the kind Thing of a group.
fn definition(group: &str, versions: &[Version<'_>]) -> String {
    let mut definition = Definition::new(group, "Thing");
    for Version { name, storage, spec } in versions {
        let schema = format!("{{type: object, properties: {{spec: {spec}}}}}");
        definition = definition.version(name, *storage, &schema);
    }
    definition.to_string()
}

fn thing(api_version: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: {api_version}\nkind: Thing\nmetadata:\n  name: {name}\nspec: {spec}\n")
}

/// Nothing differs any more, and nothing is written again.
#[track_caller]
fn is_in_sync(repo: &Repo<'_>) {
    repo.run(&["diff"]).exits(0);
    let writes = repo.writes();
    let again = repo.run(&["apply", "--yes"]).exits(0);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    assert_eq!(repo.writes(), writes, "{again}");
}

fn spec(repo: &Repo<'_>, group: &str, name: &str) -> Value {
    let get = ["get", &format!("things.{group}"), name, "-o", "json"];
    let live = repo.kubectl(&get).exits(0).stdout;
    serde_json::from_str::<Value>(&live).unwrap()["spec"].take()
}

/// What a definition says of `spec`, and a `spec` that it allows; then what the next one says, and
/// what only that allows.
const WIDENED: [(&str, &str, &str, &str); 6] = [
    (
        "{type: object, properties: {logs: {type: integer}}}",
        "{logs: 9}",
        "{type: object, properties: {logs: {type: integer}, sail: {type: object, properties: {area: {type: integer}, kind: {type: string, default: square}}}}}",
        "{logs: 9, sail: {area: 4}}",
    ),
    (
        "{type: object, properties: {mode: {type: string, enum: [a]}}}",
        "{mode: a}",
        "{type: object, properties: {mode: {type: string, enum: [a, b]}}}",
        "{mode: b}",
    ),
    (
        "{type: object, required: [must], properties: {must: {type: string}, may: {type: string}}}",
        "{must: a}",
        "{type: object, properties: {must: {type: string}, may: {type: string}}}",
        "{may: b}",
    ),
    (
        "{type: object, properties: {port: {type: integer, maximum: 10}}}",
        "{port: 9}",
        "{type: object, properties: {port: {x-kubernetes-int-or-string: true}}}",
        "{port: http}",
    ),
    (
        "{type: object, properties: {name: {type: string, pattern: '^a+$', maxLength: 3}}}",
        "{name: aa}",
        "{type: object, properties: {name: {type: string}, list: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [side], items: {type: object, required: [side], properties: {side: {type: string}, len: {type: integer}}}}}}",
        "{name: bbbbb, list: [{side: left, len: 2}, {side: right}]}",
    ),
    (
        "{type: object, properties: {rank: {type: integer, x-kubernetes-validations: [{rule: 'self >= oldSelf', message: rank only grows}, {rule: self < 5}]}}}",
        "{rank: 3}",
        "{type: object, properties: {rank: {type: integer}}}",
        "{rank: 2}",
    ),
];

#[test]
fn definition_and_newly_allowed_fields_apply_in_one_commit() {
    let repo = Repo::new("definitions-widened", sandbox::bare());
    let group = |at: usize| format!("w{at}.widened.example");
    for (at, (schema, spec, ..)) in WIDENED.iter().enumerate() {
        let (group, file) = (group(at), format!("{at}.yaml"));
        let yaml = thing(&format!("{group}/v1"), "old", spec);
        repo.write(&file, definition(&group, &[only(schema)]) + "---\n" + &yaml);
    }
    repo.commit("First").run(&["apply", "--yes"]).exits(0);
    is_in_sync(&repo);

    for (at, (.., schema, spec)) in WIDENED.iter().enumerate() {
        let (group, file) = (group(at), format!("{at}.yaml"));
        let api_version = format!("{group}/v1");
        let parts = [
            definition(&group, &[only(schema)]),
            thing(&api_version, "old", spec),
            thing(&api_version, "new", spec),
        ];
        repo.write(&file, parts.join("---\n"));
    }
    repo.commit("Second");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("6 to create, 12 to update, 0 to delete"), "{diff}");
    let applied = repo.run(&["apply", "--yes"]).exits(0);
    assert!(applied.stdout.contains("18 changed"), "{applied}");
    assert_eq!(spec(&repo, &group(0), "old")["sail"]["kind"], "square");
    assert_eq!(spec(&repo, &group(5), "old")["rank"], 2);
    is_in_sync(&repo);
}

#[test]
fn an_approved_plan_and_a_watch_bring_both_at_once() {
    let group = "way.widened.example";
    let repo = Repo::new("definitions-way", sandbox::bare());
    let yaml = |fields: &str, value: &str| {
        let schema = format!("{{type: object, properties: {{{fields}}}}}");
        let object = thing(&format!("{group}/v1"), "one", value);
        definition(group, &[only(&schema)]) + "---\n" + &object
    };
    let (a, b, c) = ("a: {type: integer}", ", b: {type: integer}", ", c: {type: integer}");
    repo.write("all.yaml", yaml(a, "{a: 1}")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);

    repo.write("all.yaml", yaml(&format!("{a}{b}"), "{a: 1, b: 2}")).commit("Second");
    let plan = repo.outside().join("plan.json");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--out", plan]).exits(1);
    let applied = repo.run(&["apply", "--plan", plan]).exits(0);
    assert!(applied.stdout.contains("2 objects, 2 changed"), "{applied}");
    is_in_sync(&repo);

    repo.write("all.yaml", yaml(&format!("{a}{b}{c}"), "{a: 1, c: 3}")).commit("Third");
    repo.run(&["watch", "--once"]).exits(0);
    assert_eq!(spec(&repo, group, "one"), serde_json::json!({ "a": 1, "c": 3 }));
    is_in_sync(&repo);
}

#[test]
fn field_removed_by_the_next_definition_is_refused_early() {
    let group = "narrow.example";
    let repo = Repo::new("definitions-narrow", sandbox::bare());
    let yaml = |fields: &str, one: &str, two: &str| {
        let schema = format!("{{type: object, properties: {{{fields}}}}}");
        let api_version = format!("{group}/v1");
        let parts = [
            definition(group, &[only(&schema)]),
            thing(&api_version, "one", one),
            thing(&api_version, "two", two),
        ];
        parts.join("---\n")
    };
    let (a, b, c) = ("a: {type: integer}", ", b: {type: integer}", ", c: {type: integer}");
    let first = yaml(&format!("{a}{b}"), "{a: 1, b: 2}", "{a: 1, b: 2}");
    repo.write("all.yaml", first).commit("First").run(&["apply", "--yes"]).exits(0);
    // One declares a field that goes, the other one that neither has.
    let next = yaml(&format!("{a}{c}"), "{a: 2, b: 2}", "{a: 1, d: 2}");
    repo.write("all.yaml", next).commit("Second");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("2 refused"), "{diff}");
    for field in ["b", "d"] {
        assert!(diff.stdout.contains(&format!("unknown field `{field}`")), "{diff}");
    }
    let applied = repo.run(&["apply", "--yes"]).exits(1);
    assert!(applied.stdout.contains("2 refused, 1 done"), "{applied}");
}

/// What a definition says of `spec` and what it allows, what the next one says, a `spec` that changes
/// and is no longer allowed, and what is said of it.
const NARROWED: [(&str, &str, &str, &str, &str); 4] = [
    (
        "{type: object, properties: {mode: {type: string, enum: [a, b, c]}}}",
        "{mode: a}",
        "{type: object, properties: {mode: {type: string, enum: [a, b]}}}",
        "{mode: c}",
        "`mode` must be",
    ),
    (
        "{type: object, properties: {may: {type: string}}}",
        "{may: a}",
        "{type: object, required: [must], properties: {may: {type: string}, must: {type: string}}}",
        "{may: b}",
        "`must` is missing in `spec`",
    ),
    (
        "{type: object, properties: {port: {type: integer}}}",
        "{port: 1}",
        "{type: object, properties: {port: {type: integer, maximum: 10}}}",
        "{port: 11}",
        "`port` must be",
    ),
    (
        "{type: object, properties: {name: {type: string}}}",
        "{name: a}",
        "{type: object, properties: {name: {type: string, pattern: '^a+$'}}}",
        "{name: b}",
        "`name` must",
    ),
];

#[test]
fn value_invalid_in_the_next_definition_is_refused_early() {
    let repo = Repo::new("definitions-narrowed", sandbox::bare());
    for (at, (schema, spec, ..)) in NARROWED.iter().enumerate() {
        let group = format!("n{at}.narrowed.example");
        let parts = [
            definition(&group, &[only(schema)]),
            thing(&format!("{group}/v1"), "old", spec),
            // What is there and stays as it is, the server takes for what it is.
            thing(&format!("{group}/v1"), "kept", NARROWED[at].3),
        ];
        repo.write(&format!("{at}.yaml"), parts.join("---\n"));
    }
    repo.commit("First").run(&["apply", "--yes"]).exits(0);
    for (at, (.., schema, spec, _)) in NARROWED.iter().enumerate() {
        let group = format!("n{at}.narrowed.example");
        let kept = thing(&format!("{group}/v1"), "kept", spec);
        let parts = [
            definition(&group, &[only(schema)]),
            thing(&format!("{group}/v1"), "old", spec),
            thing(&format!("{group}/v1"), "new", spec),
            kept.replace("  name: kept", "  name: kept\n  labels: {a: b}"),
        ];
        repo.write(&format!("{at}.yaml"), parts.join("---\n"));
    }
    repo.commit("Second");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("0 to create, 8 to update, 0 to delete, 8 refused"), "{diff}");
    for (.., said) in NARROWED {
        assert_eq!(diff.stdout.matches(said).count(), 2, "{said}: {diff}");
    }
    let applied = repo.run(&["apply", "--yes"]).exits(1);
    assert!(applied.stdout.contains("8 refused, 8 done"), "{applied}");
    // The server says the same once it has the definitions.
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("8 refused"), "{diff}");
}

/// A version that fills in a field which the one before does not have.
const FILLED: &str =
    "{type: object, properties: {hinge: {type: string}, policy: {type: string, default: deny}}}";
const HINGE: &str = "{type: object, properties: {hinge: {type: string}}}";

fn doors(group: &str) -> String {
    let versions = [
        Version { name: "v1beta1", storage: false, spec: HINGE },
        Version { name: "v1beta3", storage: true, spec: FILLED },
    ];
    definition(group, &versions) + "---\n"
}

#[test]
fn an_object_moves_to_a_version_that_fills_in_more() {
    let group = "doors.example";
    let repo = Repo::new("definitions-doors", sandbox::bare());
    let door = |version: &str, spec: &str| {
        doors(group) + &thing(&format!("{group}/{version}"), "front", spec)
    };
    repo.write("all.yaml", door("v1beta1", "{hinge: left}")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    is_in_sync(&repo);
    repo.write("all.yaml", door("v1beta3", "{hinge: left}")).commit("Another version");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("1 to update"), "{diff}");
    repo.run(&["apply", "--yes"]).exits(0);
    is_in_sync(&repo);
    let next = door("v1beta3", "{hinge: right, policy: allow}");
    repo.write("all.yaml", next).commit("Declared").run(&["apply", "--yes"]).exits(0);
    let live = spec(&repo, group, "front");
    assert_eq!(live, serde_json::json!({ "hinge": "right", "policy": "allow" }));
    is_in_sync(&repo);
}

/// With another version and another value at once, by a plan that was approved.
#[test]
fn an_approved_plan_moves_an_object_to_another_version() {
    let group = "approved-doors.example";
    let repo = Repo::new("definitions-approved", sandbox::bare());
    let door = |version: &str, spec: &str| {
        doors(group) + &thing(&format!("{group}/{version}"), "front", spec)
    };
    repo.write("all.yaml", door("v1beta1", "{hinge: left}")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("all.yaml", door("v1beta3", "{hinge: right}")).commit("Another version");
    let plan = repo.outside().join("plan.json");
    let plan = plan.to_str().unwrap();
    let diff = repo.run(&["diff", "--out", plan]).exits(1);
    assert!(diff.stdout.contains("hinge: right") && !diff.stdout.contains("+   policy"), "{diff}");
    repo.run(&["apply", "--plan", plan]).exits(0);
    assert_eq!(spec(&repo, group, "front")["hinge"], "right");
    is_in_sync(&repo);
}

const LAMP: &str = "{type: object, properties: {watts: {type: integer}, warm: {type: boolean}}}";

/// A definition with two versions, and with the newer one alone.
fn lamps(group: &str) -> [String; 2] {
    let old = || Version { name: "v1alpha1", storage: false, spec: LAMP };
    let new = || Version { name: "v1", storage: true, spec: LAMP };
    [definition(group, &[old(), new()]) + "---\n", definition(group, &[new()]) + "---\n"]
}

#[test]
fn version_is_removed_in_the_commit_that_moves_its_objects() {
    let group = "lamps.example";
    let repo = Repo::new("definitions-lamps", sandbox::bare());
    let [both, newer] = lamps(group);
    let lamp = |version: &str, name: &str, watts: u8| {
        let spec = format!("{{watts: {watts}}}");
        thing(&format!("{group}/{version}"), name, &spec) + "---\n"
    };
    // One changes, the other only moves.
    let first = both + &lamp("v1alpha1", "desk", 40) + &lamp("v1alpha1", "hall", 40);
    repo.write("all.yaml", first).commit("First").run(&["apply", "--yes"]).exits(0);
    let next = newer + &lamp("v1", "desk", 60) + &lamp("v1", "hall", 40);
    repo.write("all.yaml", next).commit("Second").run(&["apply", "--yes"]).exits(0);
    assert_eq!(spec(&repo, group, "desk")["watts"], 60);
    is_in_sync(&repo);
}

/// Runs what trueup says is to be done about the only object that it refuses.
#[track_caller]
fn do_this(diff: &Output) {
    let json: Value = serde_json::from_str(&diff.stdout).unwrap();
    let refused = json["changes"].as_array().unwrap().iter().find(|it| it["action"] == "refuse");
    let hint = refused.unwrap()["hint"].as_str().unwrap();
    let command = &hint[hint.find("kubectl ").unwrap()..];
    let plane = sandbox::bare();
    let command = command.replacen("kubectl", &plane.kubectl.display().to_string(), 1);
    let sh = plane.command(Cmd::new("sh")).args(["-c", &command]);
    sh.run().exits(0);
}

#[test]
fn manager_with_fields_in_a_removed_version_is_named_with_a_hint() {
    let group = "others.example";
    let repo = Repo::new("definitions-others", sandbox::bare());
    let [both, newer] = lamps(group);
    let lamp = |version: &str, spec: &str| thing(&format!("{group}/{version}"), "desk", spec);
    repo.write("all.yaml", both + &lamp("v1alpha1", "{watts: 40}")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    let patch = [
        "patch",
        &format!("things.v1alpha1.{group}"),
        "desk",
        "--field-manager=lighter",
        "--type=merge",
        "-p",
        r#"{"spec": {"warm": true}}"#,
    ];
    repo.kubectl(&patch).exits(0);
    repo.write("all.yaml", newer + &lamp("v1", "{watts: 60}")).commit("Second");
    let named = format!("fields of it belong to lighter in {group}/v1alpha1");
    // Before the version goes, and once it is gone.
    for _ in 0..2 {
        let refused = repo.run(&["apply", "--yes"]).exits(1);
        assert!(refused.stdout.contains(&named), "{refused}");
    }
    let diff = repo.run(&["diff", "-o", "json"]).exits(1);
    do_this(&diff);
    repo.run(&["apply", "--yes"]).exits(0);
    let live = spec(&repo, group, "desk");
    assert_eq!(live, serde_json::json!({ "warm": true, "watts": 60 }), "theirs stays");
    is_in_sync(&repo);
}

#[test]
fn manager_with_fields_outside_its_version_is_named_with_a_hint() {
    let group = "other-doors.example";
    let repo = Repo::new("definitions-other-doors", sandbox::bare());
    let door = |version: &str, spec: &str| {
        doors(group) + &thing(&format!("{group}/{version}"), "front", spec)
    };
    repo.write("all.yaml", door("v1beta1", "{}")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    let patch = [
        "patch",
        &format!("things.v1beta1.{group}"),
        "front",
        "--field-manager=joiner",
        "--type=merge",
        "-p",
        r#"{"spec": {"hinge": "left"}}"#,
    ];
    repo.kubectl(&patch).exits(0);
    repo.write("all.yaml", door("v1beta3", "{policy: allow}")).commit("Second");
    let diff = repo.run(&["diff", "-o", "json"]).exits(1);
    assert!(diff.stdout.contains("fields of it belong to joiner"), "{diff}");
    do_this(&diff);
    repo.run(&["apply", "--yes"]).exits(0);
    let live = spec(&repo, group, "front");
    assert_eq!(live, serde_json::json!({ "hinge": "left", "policy": "allow" }));
    is_in_sync(&repo);
}

/// Fields that can't change, each by a rule of its own: the name of the object that changes it, its
/// `spec` before and after, and what the server says.
const FIXED: [(&str, &str, &str, &str); 9] = [
    ("plain", "{plain: a}", "{plain: b}", "failed rule"),
    ("worded", "{worded: a}", "{worded: b}", "set once and for all"),
    ("forbidden", "{forbidden: a}", "{forbidden: b}", "not yours to touch"),
    ("told", "{told: a}", "{told: b}", "it was a"),
    ("grows", "{grows: 3}", "{grows: 2}", "only ever grows"),
    ("parent", "{parent: {x: a}}", "{parent: {x: b}}", "the pair stays"),
    ("map", "{map: {k.k/k: a}}", "{map: {k.k/k: b}}", "an entry stays"),
    ("list", "{list: [{id: a, v: a}]}", "{list: [{id: a, v: b}]}", "an element stays"),
    ("pointed", "{pointed: a}", "{pointed: b}", "pointed at from above"),
];

fn fixed() -> String {
    let text = |rule: &str| {
        format!("{{type: string, maxLength: 9, x-kubernetes-validations: [{{{rule}}}]}}")
    };
    let same = "rule: self == oldSelf";
    let fields = [
        ("plain", text(same)),
        ("worded", text(&format!("{same}, message: it is set once and for all"))),
        (
            "forbidden",
            text(&format!("{same}, message: not yours to touch, reason: FieldValueForbidden")),
        ),
        ("told", text(&format!("{same}, messageExpression: \"'it was ' + oldSelf\""))),
        (
            "grows",
            "{type: integer, x-kubernetes-validations: [{rule: self >= oldSelf, message: it only ever grows}]}"
                .to_owned(),
        ),
        (
            "parent",
            format!(
                "{{type: object, properties: {{x: {{type: string, maxLength: 9}}}}, x-kubernetes-validations: [{{{same}, message: the pair stays}}]}}"
            ),
        ),
        (
            "map",
            format!(
                "{{type: object, maxProperties: 3, additionalProperties: {}}}",
                text(&format!("{same}, message: an entry stays"))
            ),
        ),
        (
            "list",
            format!(
                "{{type: array, maxItems: 3, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [id], items: {{type: object, required: [id], properties: {{id: {{type: string, maxLength: 9}}, v: {}}}}}}}",
                text(&format!("{same}, message: an element stays"))
            ),
        ),
        ("pointed", "{type: string, maxLength: 9}".to_owned()),
        ("own", text("rule: self != 'bad', message: what is immutable is never bad")),
    ];
    let fields: Vec<String> =
        fields.iter().map(|(name, schema)| format!("{name}: {schema}")).collect();
    let above = "{rule: '!has(self.pointed) || self.pointed == oldSelf.pointed', message: pointed at from above, fieldPath: .pointed}";
    format!(
        "{{type: object, properties: {{{}}}, x-kubernetes-validations: [{above}]}}",
        fields.join(", ")
    )
}

/// The definition is only in the cluster.
#[test]
fn transition_rule_is_recognised_without_its_message() {
    let group = "fixed.example";
    let repo = Repo::new("definitions-fixed", sandbox::bare());
    sandbox::bare().create("definitions-fixed", &definition(group, &[only(&fixed())]));
    let established = ["wait", "--for=condition=established", "crd", &format!("things.{group}")];
    repo.kubectl(&established).exits(0);
    let all = |pick: fn((&'static str, &'static str)) -> &'static str| {
        let things = FIXED.iter().map(|(name, before, after, _)| {
            thing(&format!("{group}/v1"), name, pick((*before, *after)))
        });
        things.collect::<Vec<_>>().join("---\n")
    };
    repo.write("all.yaml", all(|(before, _)| before)).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("all.yaml", all(|(_, after)| after)).commit("Each in what can't change");

    let writes = repo.writes();
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    assert_eq!(repo.writes(), writes, "{refused}");
    let shown = refused.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let hint = "annotate it with trueup.dev/replace: \"true\", or use --replace Thing";
    assert_eq!(shown.matches(hint).count(), FIXED.len(), "{refused}");
    for (.., said) in FIXED {
        assert!(shown.contains(said), "no {said:?} in\n{refused}");
    }

    let allowed = all(|(_, after)| after)
        .replace("metadata:\n", "metadata:\n  annotations: {trueup.dev/replace: \"true\"}\n");
    repo.write("all.yaml", allowed).commit("It may be replaced");
    let replaced = repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(replaced.stdout.matches("  replaced\n").count(), FIXED.len(), "{replaced}");
    is_in_sync(&repo);
}

/// A rule that says "immutable" and is about the value alone.
#[test]
fn invalid_value_does_not_cause_a_replace() {
    let group = "wrong.example";
    let repo = Repo::new("definitions-wrong", sandbox::bare());
    let all = |spec: &str| {
        let object = thing(&format!("{group}/v1"), "own", spec)
            .replace("metadata:\n", "metadata:\n  annotations: {trueup.dev/replace: \"true\"}\n");
        definition(group, &[only(&fixed())]) + "---\n" + &object
    };
    repo.write("all.yaml", all("{own: good}")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("all.yaml", all("{own: bad}")).commit("Second");
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    assert!(refused.stdout.contains("what is immutable is never bad"), "{refused}");
    assert!(!refused.stdout.contains("can't be changed"), "{refused}");
}

/// A rule at the root of the definition, of which the server names no field.
#[test]
fn a_rule_about_the_whole_object_counts_too() {
    let group = "whole.example";
    let repo = Repo::new("definitions-whole", sandbox::bare());
    let root = "type: object, x-kubernetes-validations: [{rule: self.spec == oldSelf.spec, message: all of it stays}], ";
    let crd = definition(group, &[only("{type: object, properties: {a: {type: string}}}")])
        .replacen("{openAPIV3Schema: {type: object, ", &format!("{{openAPIV3Schema: {{{root}"), 1);
    let all = |a: &str| {
        crd.clone() + "---\n" + &thing(&format!("{group}/v1"), "one", &format!("{{a: {a}}}"))
    };
    repo.write("all.yaml", all("red")).commit("First").run(&["apply", "--yes"]).exits(0);
    repo.write("all.yaml", all("blue")).commit("Second");
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    assert!(refused.stdout.contains("all of it stays"), "{refused}");
    assert!(refused.stdout.contains("--replace Thing"), "{refused}");
    let replaced = repo.run(&["apply", "--yes", "--replace", "Thing"]).exits(0);
    assert!(replaced.stdout.contains("  replaced\n"), "{replaced}");
    is_in_sync(&repo);
}

/// Fields that are the server's own, and that many generators write.
const SERVERS_OWN: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: own, selfLink: /api/v1/x, uid: \"\", resourceVersion: \"\", generation: 4, clusterName: x, creationTimestamp: \"2020-01-01T00:00:00Z\", deletionTimestamp: \"2020-01-01T00:00:00Z\", deletionGracePeriodSeconds: 30}
data: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own, creationTimestamp: null, selfLink: \"\"}
spec:
  selector: {matchLabels: {app: own}}
  strategy: {}
  template:
    metadata: {creationTimestamp: null, labels: {app: own}}
    spec: {containers: [{name: own, image: x, resources: {}}]}
status: {replicas: 7}
---
apiVersion: v1
kind: Service
metadata: {name: own, selfLink: /x, creationTimestamp: null}
spec: {ports: [{port: 80}]}
status: {loadBalancer: {}}
";

#[test]
fn server_owned_fields_are_not_written_again() {
    let repo = Repo::new("definitions-own", sandbox::bare());
    let crd = definition("own.example", &[only(LAMP)])
        + "status: {acceptedNames: {kind: \"\", plural: \"\"}, conditions: [], storedVersions: []}\n---\n";
    let lamp = thing("own.example/v1", "own", "{watts: 1}").replace(
        "metadata:\n",
        "metadata:\n  selfLink: /x\n  uid: \"\"\n  creationTimestamp: null\n",
    );
    repo.write("own.yaml", SERVERS_OWN).write("lamp.yaml", crd + &lamp).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    is_in_sync(&repo);
}

/// The status of these is applied by a controller: who applied last stands last, and so the order of
/// the entries moves with every write.
#[test]
fn order_of_managed_fields_is_not_a_difference() {
    let plane = sandbox::with_controllers();
    let repo = Repo::new("definitions-order", plane);
    let policy = |name: &str, param: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {name}}}\nspec:\n  {param}\n  \
             matchConstraints: {{resourceRules: [{{apiGroups: [none.example], apiVersions: [v1], operations: [CREATE], resources: [nones]}}]}}\n  \
             validations: [{{expression: 'true'}}]\n"
        )
    };
    let param = "paramKind: {apiVersion: v1, kind: ConfigMap}";
    let both = [policy("definitions-order-a", ""), policy("definitions-order-b", param)];
    repo.write("all.yaml", both.join("---\n")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    let managers = "jsonpath={.items[*].metadata.managedFields[*].manager}";
    let get = ["get", "validatingadmissionpolicy", "-o", managers, "--show-managed-fields"];
    eventually("the controller has looked at both", || {
        repo.kubectl(&get).exits(0).stdout.split(' ').filter(|it| *it != "trueup").count() >= 2
    });
    // The times have whole seconds.
    std::thread::sleep(std::time::Duration::from_secs(2));
    is_in_sync(&repo);
}
