//! No Secret in any form.

use super::*;

#[test]
fn secret_values_are_masked_in_diff_and_server_message() {
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
            place: Location { path: "a.yaml".to_owned(), line: 1, column: 1 },
            message: message.clone(),
            excerpt: Some(format!("a: {before}")),
            hint: Some(message),
        };
        let problems = [problem];
        let text = text_of(changes.clone(), &problems, true);
        let others = [OutputFormat::Json, OutputFormat::Markdown, OutputFormat::Github, OutputFormat::Name].map(|format| {
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
