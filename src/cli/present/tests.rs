//! Whole outputs, as a person or a script reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::inventory::PART_OF;
use crate::manifest::Origin;
use crate::object::Object;
use crate::plan::order::Step;
use crate::plan::{Reason, Wave};
use crate::problem::{Cause, Place};

const ESCAPE: char = '\u{1b}';

pub(super) fn object(value: Value) -> Object {
    Object(value.as_object().unwrap().clone())
}

pub(super) fn config(name: &str, data: Value) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": "shop" }, "data": data,
    }))
}

pub(super) fn change(action: Action, live: Option<Object>, merged: Option<Object>) -> Change {
    let object = merged.as_ref().or(live.as_ref()).unwrap();
    let origin = (action != Action::Delete).then(|| Origin {
        path: "envs/prod/web.yaml".to_owned(),
        line: 12,
        column: 1,
        document: 1,
    });
    Change {
        confidence: crate::plan::Confidence::Server,
        action,
        key: object.key(),
        version: object.version().to_owned(),
        origin,
        live,
        merged,
        send: None,
        reason: None,
    }
}

/// A refusal by the server that names fields.
fn caused(mut change: Change, causes: &[(usize, &str, &str)]) -> Change {
    let place = |line| Place { path: "envs/prod/web.yaml".to_owned(), line, column: 3 };
    let causes = causes.iter().map(|(line, field, message)| Cause {
        field: (*field).to_owned(),
        message: (*message).to_owned(),
        place: Some(place(*line)),
    });
    let message = "Deployment.apps \"web\" is invalid".to_owned();
    change.reason = Some(Reason { message, hint: None, causes: causes.collect() });
    change
}

#[test]
fn a_refusal_names_the_place_of_each_field() {
    let refused = caused(
        change(Action::Refuse, None, Some(web(2, "a:1"))),
        &[(20, "spec.replicas", "no"), (12, "", "two\nlines")],
    );
    assert_eq!(
        middle(vec![refused.clone()]),
        "! apps/v1 Deployment shop/web · refuse · envs/prod/web.yaml:12\n    \
         envs/prod/web.yaml:20:3: spec.replicas: no\n    \
         envs/prod/web.yaml:12:3: two\n    lines"
    );
    let json = told(vec![refused], &[], |out, view| json::write(out, view, None).unwrap());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["changes"][0]["reason"], "Deployment.apps \"web\" is invalid");
    let place = json!({ "path": "envs/prod/web.yaml", "line": 20, "column": 3 });
    let cause = json!({ "field": "spec.replicas", "message": "no", "place": place });
    assert_eq!(json["changes"][0]["causes"][0], cause);
}

pub(super) fn because(mut change: Change, message: &str, hint: Option<&str>) -> Change {
    let hint = hint.map(str::to_owned);
    change.reason = Some(Reason { message: message.to_owned(), hint, causes: Vec::new() });
    change
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan { waves: vec![Wave { step: Step::Apply { rank: 0 }, changes }] }
}

/// What `tell` makes of a plan with these changes.
pub(super) fn told(
    changes: Vec<Change>,
    problems: &[Problem],
    tell: impl Fn(&mut Vec<u8>, &PlanView<'_>),
) -> String {
    let plan = plan(changes);
    let redactor = Redactor::of_plan(&plan, []);
    let view = PlanView {
        explained: &Explained::default(),
        now: Timestamp::UNIX_EPOCH,
        plan: &plan,
        problems,
        redactor: &redactor,
        target: TargetView {
            name: "prod",
            cluster: "shop.example",
            cluster_id: "3f2a9c",
            paths: &["envs/prod".to_owned()],
            inventory: ("default", "trueup-prod"),
        },
        revision: RevisionView {
            commit: "8be01d3aa0c8b6c9b4e4a6d4b1a5c4c1a9e0f7d2",
            named: "main",
            summary: "Third replica for web",
            author: "A. Author",
            dirty: false,
        },
        requests: 14,
        elapsed: Duration::from_millis(110),
    };
    let mut out = Vec::new();
    tell(&mut out, &view);
    String::from_utf8(out).unwrap()
}

fn text_of(changes: Vec<Change>, problems: &[Problem], utf8: bool) -> String {
    let coloured = told(changes, problems, |out, view| {
        text::write(out, view, Glyphs { utf8 }).unwrap();
    });
    anstream::adapter::strip_str(&coloured).to_string()
}

/// What stands between the header and the closing line.
fn middle(changes: Vec<Change>) -> String {
    let text = text_of(changes, &[], true);
    let (_, rest) = text.split_once("\n\n").unwrap();
    rest.rsplit_once("\n\n").unwrap().0.to_owned()
}

pub(super) fn web(replicas: u32, image: &str) -> Object {
    object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "shop", "generation": replicas },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": { "type": "Recreate" },
            "template": { "spec": {
                "containers": [{
                    "name": "main", "args": ["-a", "-b", "-c"], "image": image,
                    "resources": { "limits": { "cpu": "100m" } },
                }],
            } },
        },
        "status": { "replicas": replicas },
    }))
}

#[test]
fn the_part_of_a_line_that_differs_stands_out() {
    let (one, other) = ("registry.example/web:1.4.1", "registry.example/web:1.4.0");
    let update = change(Action::Update, Some(web(2, one)), Some(web(3, other)));
    let coloured = told(vec![update], &[], |out, view| {
        text::write(out, view, Glyphs { utf8: true }).unwrap();
    });
    let strong =
        |colour: u8, part: &str| format!("\u{1b}[1m\u{1b}[4m\u{1b}[{colour}m{part}\u{1b}[0m");
    for part in [strong(31, "2"), strong(32, "3"), strong(31, "1"), strong(32, "0")] {
        assert!(coloured.contains(&part), "{part:?} is not in {coloured:?}");
    }
    // Nothing replaces a line that only comes or goes, and many lines at once are no pairs.
    let lines = |word: &str| (0..200).map(|n| format!("{word} {n}\n")).collect::<String>();
    let config = |text: String| config("long", json!({ "text": text }));
    let long = change(Action::Update, Some(config(lines("old"))), Some(config(lines("new"))));
    let coloured = told(vec![long], &[], |out, view| {
        text::write(out, view, Glyphs { utf8: true }).unwrap();
    });
    assert!(!coloured.contains("\u{1b}[4m"), "{coloured:?}");
}

#[test]
fn an_update_is_a_diff_that_says_where_each_line_belongs() {
    let update = change(
        Action::Update,
        Some(web(2, "registry.example/web:1.4.1")),
        Some(web(3, "registry.example/web:1.4.0")),
    );
    let gone = change(Action::Delete, Some(config("old-flags", json!({}))), None);
    assert_eq!(
        text_of(vec![update, gone], &[], true),
        r#"prod · shop.example (cluster 3f2a9c) · envs/prod @ 8be01d3
    "Third replica for web"

~ apps/v1 Deployment shop/web · update · envs/prod/web.yaml:12
    metadata:
      name: web
      namespace: shop
    spec:
  -   replicas: 2
  +   replicas: 3
      selector:
        matchLabels:
          app: web
    …
      template:
        spec:
          containers:
          - name: main
            args:
            - -a
            - -b
            - -c
  -         image: registry.example/web:1.4.1
  +         image: registry.example/web:1.4.0
            resources:
              limits:
                cpu: 100m

- v1 ConfigMap shop/old-flags · delete

2 objects · 0 to create, 1 to update, 1 to delete · 14 requests · 0.1 s
"#
    );
}

#[test]
fn a_create_is_shown_in_full_without_our_own_label() {
    let mut new = config("flags", json!({ "flags.ini": "[a]\nb=1\n\n[c]\n", "on": "yes" }));
    new.set_label(PART_OF, "applyset-x-v1");
    assert_eq!(
        middle(vec![change(Action::Create, None, Some(new))]),
        r#"+ v1 ConfigMap shop/flags · create · envs/prod/web.yaml:12
  + apiVersion: v1
  + kind: ConfigMap
  + metadata:
  +   name: flags
  +   namespace: shop
  + data:
  +   flags.ini: |
  +     [a]
  +     b=1
  +
  +     [c]
  +   "on": "yes""#
    );
}

#[test]
fn a_refusal_says_why_and_what_to_do_and_a_long_path_gets_its_own_line() {
    let mut refused = because(
        change(Action::Refuse, Some(web(1, "a")), None),
        "field is immutable:\n  spec.selector",
        Some("annotate it with trueup.dev/replace: \"true\""),
    );
    refused.origin.as_mut().unwrap().path = "environments/production/shop/web.yaml".to_owned();
    assert_eq!(
        middle(vec![refused]),
        r#"! apps/v1 Deployment shop/web · refuse
    environments/production/shop/web.yaml:12
    field is immutable:
      spec.selector
    do this: annotate it with trueup.dev/replace: "true""#
    );
}

#[test]
fn what_is_kept_for_a_reason_is_told_and_many_in_one_place() {
    let keep = |name: &str, reason: &str| {
        because(change(Action::Keep, Some(config(name, json!({}))), None), reason, None)
    };
    let mut changes =
        vec![keep("copy", "it carries the label"), keep("a", "not pruned: 1 problem")];
    changes[0].origin = None;
    changes.extend(["b", "c", "d", "e", "f"].map(|name| keep(name, "not pruned: 1 problem")));
    changes.push(change(Action::Keep, Some(config("same", json!({}))), None));
    assert_eq!(
        middle(changes),
        "\
= v1 ConfigMap shop/copy · keep
    it carries the label

= 6 objects not pruned: 1 problem
    ConfigMap shop/a
    ConfigMap shop/b
    ConfigMap shop/c
    ConfigMap shop/d
    ConfigMap shop/e
    and 1 more"
    );
}

#[test]
fn what_an_empty_commit_would_delete_is_told_in_one_place() {
    let refused = |n: usize| {
        let live = config(&format!("c{n}"), json!({}));
        let mut change = change(Action::Refuse, Some(live), None);
        change.origin = None;
        because(change, "everything would go", Some("say --allow-empty"))
    };
    assert_eq!(
        middle((0..7).map(refused).collect()),
        "! 7 objects not deleted: everything would go\n    \
         ConfigMap shop/c0\n    ConfigMap shop/c1\n    ConfigMap shop/c2\n    \
         ConfigMap shop/c3\n    ConfigMap shop/c4\n    and 2 more\n    \
         do this: say --allow-empty"
    );
}

#[test]
fn a_secret_is_told_without_its_values_and_so_is_the_servers_answer_about_it() {
    let secret = |password: &str| {
        object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db", "namespace": "shop" },
            "data": { "password": password, "user": "YWRtaW4=" },
        }))
    };
    // correct-horse, battery-staple
    let update = change(
        Action::Update,
        Some(secret("Y29ycmVjdC1ob3JzZQ==")),
        Some(secret("YmF0dGVyeS1zdGFwbGU=")),
    );
    let mut refused = because(
        change(Action::Refuse, Some(secret("Y29ycmVjdC1ob3JzZQ==")), None),
        r#"data[user]: Invalid value: "admin": not "correct-horse", Y29ycmVjdC1ob3JzZQ=="#,
        None,
    );
    refused.origin = None;
    let env = config("env", json!({ "url": "db://admin:battery-staple@db" }));
    let changes = vec![update, refused, change(Action::Create, None, Some(env))];
    assert_eq!(
        middle(changes.clone()),
        r#"~ v1 Secret shop/db · update · envs/prod/web.yaml:12
    metadata:
      name: db
      namespace: shop
    data:
  -   password: ‹secret 1›
  +   password: ‹secret 3›
      user: ‹secret 2›

+ v1 ConfigMap shop/env · create · envs/prod/web.yaml:12
  + apiVersion: v1
  + kind: ConfigMap
  + metadata:
  +   name: env
  +   namespace: shop
  + data:
  +   url: db://admin:‹secret 3›@db

! v1 Secret shop/db · refuse
    data[user]: Invalid value: "‹secret 2›": not "‹secret 1›", ‹secret 1›"#
    );
    let json = told(changes, &[], |out, view| json::write(out, view, None).unwrap());
    for canary in ["correct-horse", "battery-staple", "Y29ycmVjdC1ob3JzZQ", "YmF0dGVyeS1zdGFwbGU"] {
        assert!(!json.contains(canary), "{canary}: {json}");
    }
}

#[test]
fn what_only_changes_hands_is_said_in_words() {
    let with = |manager: &str| {
        let mut object = config("c", json!({}));
        object.metadata_mut().insert("managedFields".to_owned(), json!([{ "manager": manager }]));
        object
    };
    let mut joined = with("b");
    joined.set_label(PART_OF, "applyset-x-v1");
    assert_eq!(
        middle(vec![
            change(Action::Update, Some(with("a")), Some(with("b"))),
            change(Action::Update, Some(with("a")), Some(joined)),
        ]),
        "\
~ v1 ConfigMap shop/c · update · envs/prod/web.yaml:12
    only who owns which field changes

~ v1 ConfigMap shop/c · update · envs/prod/web.yaml:12
    joins the inventory"
    );
}

#[test]
fn text_that_would_act_on_a_terminal_does_not() {
    let live = config("c", json!({ "crlf": "one\r\ntwo\r\n", "名": "猫\tx", "file": "a\tb\n" }));
    let merged = config(
        "c",
        json!({ "crlf": "one\r\nthree\r\n", "名": "\u{1b}]0;title\u{7}\u{202e}", "file": "a\tc\n" }),
    );
    let refused = because(
        change(Action::Refuse, Some(web(1, "a")), None),
        "no \u{1b}[2J\u{9b}31m way\r\u{200b}",
        None,
    );
    let changes = vec![change(Action::Update, Some(live), Some(merged)), refused];
    let text = middle(changes.clone());
    assert_eq!(
        text,
        "\
~ v1 ConfigMap shop/c · update · envs/prod/web.yaml:12
    metadata:
      namespace: shop
    data:
      crlf: \"one\\r\\n\\
  -     two\\r\\n\"
  +     three\\r\\n\"
      file: |
  -     a\tb
  -   名: \"猫\\tx\"
  +     a\tc
  +   名: \"\\x1b]0;title\\x07\\u202e\"

! apps/v1 Deployment shop/web · refuse · envs/prod/web.yaml:12
    no \\x1b[2J\\x9b31m way\\r\\u200b"
    );
    let raw = told(changes.clone(), &[], |out, view| {
        text::write(out, view, Glyphs { utf8: true }).unwrap();
    });
    let only_colours = raw.split(ESCAPE).skip(1).all(|part| {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        part.starts_with('[') && part[end..].starts_with('m')
    });
    assert!(only_colours, "{raw:?}");
    let json = told(changes, &[], |out, view| json::write(out, view, None).unwrap());
    assert!(json.chars().all(|c| c == '\n' || crate::delta::yaml::is_harmless(c)), "{json:?}");
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["changes"][1]["reason"], "no \u{1b}[2J\u{9b}31m way\r\u{200b}");
}

#[test]
fn a_terminal_without_utf_8_gets_ascii() {
    let secret = object(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "é" }, "stringData": { "a": "é" },
    }));
    let text = text_of(vec![change(Action::Replace, Some(web(1, "é")), Some(secret))], &[], false);
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("* v1 Secret \\xe9 - replace - envs/prod/web.yaml:12\n"), "{text}");
    assert!(text.contains("  +   a: <secret 1>\n"), "{text}");
}

#[test]
fn a_problem_points_at_its_place() {
    let problem = |column: usize, excerpt: Option<&str>, hint: Option<&str>| Problem {
        place: Place { path: "envs/prod/web.yaml".to_owned(), line: 31, column },
        message: "mapping values are not allowed here".to_owned(),
        excerpt: excerpt.map(str::to_owned),
        hint: hint.map(str::to_owned),
    };
    let long = "a hint that is longer than what is left of the line, and so gets its own";
    let problems = [
        problem(18, Some("    metadata: labels: app: web"), Some("a line break is missing")),
        problem(8, Some("  猫\ta: é: b"), Some(long)),
        problem(1, None, None),
    ];
    let same = change(Action::Keep, Some(config("same", json!({}))), None);
    assert_eq!(
        text_of(vec![same], &problems, true),
        r#"prod · shop.example (cluster 3f2a9c) · envs/prod @ 8be01d3
    "Third replica for web"

! envs/prod/web.yaml:31:18: mapping values are not allowed here
     31 |     metadata: labels: app: web
        |                  ^ a line break is missing

! envs/prod/web.yaml:31:8: mapping values are not allowed here
     31 |   猫\ta: é: b
        |          ^
    do this: a hint that is longer than what is left of the line, and so gets its own

! envs/prod/web.yaml:31:1: mapping values are not allowed here
? 3 documents can't be used: nothing is pruned until they are mended

1 object · 14 requests · 0.1 s
"#
    );
}

#[test]
fn nothing_to_do_is_two_lines() {
    let same = change(Action::Keep, Some(config("same", json!({}))), None);
    assert_eq!(
        text_of(vec![same], &[], true),
        "prod · shop.example (cluster 3f2a9c) · envs/prod @ 8be01d3 · in sync\n\
         1 object · 14 requests · 0.1 s\n"
    );
}

#[test]
fn the_closing_line_counts() {
    let line = |actions: &[Action], requests, millis| {
        let changes = actions.iter().map(|a| change(*a, Some(config("c", json!({}))), None));
        let elapsed = Duration::from_millis(millis);
        text::summary_line(&plan(changes.collect()), requests, elapsed)
    };
    let (update, keep) = (Action::Update, Action::Keep);
    assert_eq!(
        line(&[update, keep], 61, 400),
        "2 objects · 0 to create, 1 to update, 0 to delete · 61 requests · 0.4 s"
    );
    assert_eq!(
        line(&[Action::Refuse, Action::Replace], 1, 11_800),
        "2 objects · 0 to create, 0 to update, 0 to delete, 1 to replace, 1 refused · 1 request · 11.8 s"
    );
    assert_eq!(line(&[keep], 9, 90), "1 object · 9 requests · 0.09 s");
}

#[test]
fn names_are_arguments_for_kubectl() {
    let namespace = object(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" },
    }));
    let changes = vec![
        change(Action::Create, None, Some(namespace)),
        change(Action::Update, Some(web(1, "a")), Some(web(2, "a"))),
        change(Action::Keep, Some(config("same", json!({}))), None),
        change(Action::Delete, Some(config("old", json!({}))), None),
    ];
    assert_eq!(
        names(&plan(changes)),
        "create namespace/shop\nupdate deployment.apps/web -n shop\ndelete configmap/old -n shop\n"
    );
}

#[test]
fn json_has_the_documented_keys() {
    let gone = because(
        change(Action::Keep, Some(config("gone", json!({}))), None),
        "not pruned: 1 problem in the manifests",
        Some("mend it"),
    );
    let changes = vec![
        change(Action::Update, Some(web(2, "a:1")), Some(web(3, "a:1"))),
        change(Action::Delete, Some(config("old", json!({}))), None),
        change(Action::Keep, Some(config("same", json!({}))), None),
        gone,
    ];
    let problem = Problem {
        place: Place { path: "a.yaml".to_owned(), line: 3, column: 7 },
        message: "no".to_owned(),
        excerpt: Some("x".to_owned()),
        hint: None,
    };
    let json = told(changes, &[problem], |out, view| json::write(out, view, None).unwrap());
    let value: Value = serde_json::from_str(&json).unwrap();
    let config = |name: &str| {
        json!({
            "group": "", "version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": name,
        })
    };
    let expected = json!({
        "version": 1,
        "target": {
            "name": "prod", "cluster": "shop.example", "cluster_id": "3f2a9c",
            "paths": ["envs/prod"],
            "inventory": { "namespace": "default", "name": "trueup-prod" },
        },
        "revision": {
            "commit": "8be01d3aa0c8b6c9b4e4a6d4b1a5c4c1a9e0f7d2", "named": "main",
            "summary": "Third replica for web", "author": "A. Author", "dirty": false,
        },
        "summary": { "create": 0, "update": 1, "replace": 0, "delete": 1, "keep": 2, "refuse": 0 },
        "changes": [
            {
                "action": "update",
                "object": {
                    "group": "apps", "version": "v1", "kind": "Deployment",
                    "namespace": "shop", "name": "web",
                },
                "origin": { "path": "envs/prod/web.yaml", "line": 12 },
                "confidence": "server", "joins": false, "only_ownership": false, "only_masked": false,
                "fields": [{ "path": "spec.replicas", "before": 2, "after": 3 }],
            },
            {
                "action": "delete", "object": config("old"), "origin": null,
                "confidence": "server", "joins": false, "only_ownership": false, "only_masked": false, "fields": [],
            },
            {
                "action": "keep", "object": config("gone"),
                "origin": { "path": "envs/prod/web.yaml", "line": 12 },
                "reason": "not pruned: 1 problem in the manifests", "hint": "mend it",
                "confidence": "server", "joins": false, "only_ownership": false, "only_masked": false, "fields": [],
            },
        ],
        "problems": [{ "path": "a.yaml", "line": 3, "column": 7, "message": "no", "hint": null }],
        "requests": 14,
        "elapsed": 0.11,
    });
    assert_eq!(value, expected);
}

#[test]
fn the_documentation_names_every_key_of_the_json() {
    let source = include_str!("json.rs");
    let (documentation, code) = source.split_once("\nuse ").unwrap();
    let structs = code.split("#[derive(Serialize)]").skip(1);
    let fields =
        structs.flat_map(|s| s.split('}').next().unwrap().split(",\n")).filter_map(|field| {
            let (name, _) = field.lines().last()?.trim().split_once(": ")?;
            // What is flattened has no key of its own.
            (!name.contains(['#', ' ']) && !field.contains("flatten")).then_some(name)
        });
    for field in fields {
        let named = ["", ".", "changes[].", "changes[].fields[].", "report."]
            .iter()
            .any(|prefix| documentation.contains(&format!("`{prefix}{field}`")));
        assert!(named, "{field} is not in the table");
    }
}

proptest::proptest! {
    #[test]
    fn no_planted_secret_is_in_any_output(
        values in proptest::collection::vec("[a-zA-Z0-9]{3}[0-9][ -~\n\"é]{4,30}[a-z0-9]{3}", 2),
    ) {
        let [before, after] = values.as_slice() else { unreachable!() };
        let secret = |value: &str| object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" },
            "data": { "a": STANDARD.encode(value) }, "stringData": { "b": value },
        }));
        let user = |value: &str| config(
            "c",
            json!({ "plain": value, "file": format!("x\n{value}\ny"), "base64": STANDARD.encode(value) }),
        );
        let message = format!("Invalid value: {after:?}: {before}");
        let changes = vec![
            change(Action::Update, Some(secret(before)), Some(secret(after))),
            change(Action::Update, Some(user(before)), Some(user(after))),
            change(Action::Create, None, Some(user(after))),
            because(change(Action::Refuse, Some(web(1, before)), None), &message, Some(after)),
            because(change(Action::Refuse, Some(web(2, before)), None), &message, None),
        ];
        let cause = |field: &str| Cause {
            field: field.to_owned(), message: message.clone(), place: None,
        };
        let mut changes = changes;
        changes[4].reason.as_mut().unwrap().causes = vec![cause(""), cause(&format!("data[{after}]"))];
        let problem = Problem {
            place: Place { path: "a.yaml".to_owned(), line: 1, column: 1 },
            message: message.clone(),
            excerpt: Some(format!("a: {before}")),
            hint: Some(message),
        };
        let problems = [problem];
        let text = text_of(changes.clone(), &problems, true);
        let others = [Format::Json, Format::Markdown, Format::Github, Format::Name].map(|format| {
            told(changes.clone(), &problems, |out, view| plan_as(out, view, format))
        });
        for value in &values {
            let (base64, quoted) = (STANDARD.encode(value), format!("{value:?}"));
            let mut spellings = vec![base64.as_str(), &quoted[1..quoted.len() - 1]];
            spellings.extend(value.lines().filter(|line| line.len() > 8));
            for spelling in spellings {
                proptest::prop_assert!(!text.contains(spelling), "{spelling:?} in {text}");
                for other in &others {
                    proptest::prop_assert!(!other.contains(spelling), "{spelling:?} in {other}");
                }
            }
        }
    }
}

#[test]
fn a_header_too_wide_for_a_terminal_goes_on_below() {
    let parts = ["prod", "shop.example (cluster 3f2a9c)", "envs/prod @ 8be01d3"].map(String::from);
    assert_eq!(text::filled(&parts), parts.join(" · "));
    let wide = ["prod".to_owned(), "x".repeat(75), "envs/prod @ 8be01d3".to_owned()];
    let [_, x, at] = &wide;
    assert_eq!(text::filled(&wide), format!("prod\n    {x}\n    {at}"));
}

#[test]
fn annotations_stand_at_their_lines_and_hold_nothing_that_ends_them() {
    let update = change(Action::Update, Some(web(2, "a")), Some(web(3, "a")));
    let gone = change(Action::Delete, Some(config("old", json!({}))), None);
    let refused = change(Action::Refuse, Some(config("r", json!({}))), None);
    let refused = because(refused, "100 % wrong\n::stop-commands::x", Some("ask: why, and who"));
    let named = caused(
        change(Action::Refuse, None, Some(web(2, "a:1"))),
        &[(20, "spec.replicas", "no"), (22, "spec", "neither")],
    );
    let problem = Problem {
        place: Place { path: "a,b:c.yaml".to_owned(), line: 2, column: 5 },
        message: "no".to_owned(),
        excerpt: None,
        hint: None,
    };
    let text = told(vec![update, gone, refused, named], &[problem], |out, view| {
        plan_as(out, view, Format::Github);
    });
    assert_eq!(
        text,
        "::warning file=envs/prod/web.yaml,line=12,title=update Deployment shop/web::spec.replicas 2 → 3\n\
         ::warning title=delete ConfigMap shop/old::it is no longer declared\n\
         ::error file=envs/prod/web.yaml,line=12,title=refuse ConfigMap shop/r::100 %25 wrong%0A::stop-commands::x%0Ado this: ask: why, and who\n\
         ::error file=envs/prod/web.yaml,line=20,col=3,title=refuse Deployment shop/web::envs/prod/web.yaml:20:3: spec.replicas: no%0Aenvs/prod/web.yaml:22:3: spec: neither\n\
         ::error file=a%2Cb%3Ac.yaml,line=2,col=5::no\n\
         4 objects · 0 to create, 1 to update, 1 to delete, 2 refused · 14 requests · 0.1 s\n"
    );
}

fn plan_as(out: &mut Vec<u8>, view: &PlanView<'_>, format: Format) {
    super::plan(out, view, format, Glyphs { utf8: true }).unwrap();
}
