//! Plans as text, as a person reads them on a terminal.

use super::*;

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

#[test]
fn the_part_of_a_line_that_differs_stands_out() {
    let (one, other) = ("registry.example/web:1.4.1", "registry.example/web:1.4.0");
    let update = change(Action::Update, Some(web(2, one)), Some(web(3, other)));
    let coloured = told(vec![update], &[], |out, view| {
        text::write(out, view, Glyphs { utf8: true, width: None }).unwrap();
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
        text::write(out, view, Glyphs { utf8: true, width: None }).unwrap();
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
fn create_is_shown_in_full_without_the_inventory_label() {
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
fn kept_objects_are_listed_with_reason_and_many_are_grouped() {
    let keep = |name: &str, kind: ReasonKind| {
        let kept = change(Action::Keep, Some(config(name, json!({}))), None);
        Change { reason: Some(kind.into()), ..kept }
    };
    let not_pruned = |name: &str| keep(name, ReasonKind::NotPrunedProblems { count: 1 });
    let mut changes = vec![keep("copy", ReasonKind::NeverApplied), not_pruned("a")];
    changes[0].origin = None;
    changes.extend(["b", "c", "d", "e", "f"].map(not_pruned));
    changes.push(change(Action::Keep, Some(config("same", json!({}))), None));
    assert_eq!(
        middle(changes),
        "\
= v1 ConfigMap shop/copy · keep
    it carries the inventory's label, but trueup never applied it

= 6 objects not pruned: 1 problem in the manifests
    ConfigMap shop/a
    ConfigMap shop/b
    ConfigMap shop/c
    ConfigMap shop/d
    ConfigMap shop/e
    and 1 more"
    );
}

#[test]
fn deletions_of_an_empty_commit_are_grouped() {
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
fn ownership_only_update_is_described_in_words() {
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
fn control_characters_are_escaped_on_a_terminal() {
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
        text::write(out, view, Glyphs { utf8: true, width: None }).unwrap();
    });
    let only_colours = raw.split(ESCAPE).skip(1).all(|part| {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        part.starts_with('[') && part[end..].starts_with('m')
    });
    assert!(only_colours, "{raw:?}");
    let json = told(changes, &[], |out, view| json::write(out, view, None).unwrap());
    assert!(json.chars().all(|c| c == '\n' || crate::core::sanitize::is_harmless(c)), "{json:?}");
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
        place: Location { path: "envs/prod/web.yaml".to_owned(), line: 31, column },
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
        let object = || Some(config("c", json!({})));
        let changes = actions.iter().map(|action| change(*action, object(), object()));
        let elapsed = Duration::from_millis(millis);
        told(changes.collect(), &[], |out, view| {
            let charts_for = (requests == 9).then_some("1.34.2");
            let view = PlanView { requests, elapsed, charts_for, ..view.clone() };
            out.extend(text::summary_line(&view).join(" · ").bytes());
        })
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
    assert_eq!(
        line(&[Action::Abandon, keep], 1, 400),
        "2 objects · 0 to create, 0 to update, 0 to delete, 1 to abandon · 1 request · 0.4 s"
    );
    assert_eq!(
        line(&[keep], 9, 90),
        "1 object · charts for Kubernetes 1.34.2 · 9 requests · 0.09 s"
    );
}

#[test]
fn wide_header_wraps_to_the_next_line() {
    let parts = ["prod", "shop.example (cluster 3f2a9c)", "envs/prod @ 8be01d3"].map(String::from);
    assert_eq!(text::filled(&parts, 80, " · "), [parts.join(" · ")]);
    let wide = ["prod".to_owned(), "x".repeat(75), "envs/prod @ 8be01d3".to_owned()];
    let [_, x, at] = &wide;
    assert_eq!(
        text::filled(&wide, 80, " · "),
        ["prod".to_owned(), format!("    {x}"), format!("    {at}")]
    );
}
