//! Plans as names and as annotations.

use super::*;

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
        told(changes, &[], |out, view| out.extend(names(headings(&view.plan)).into_bytes())),
        "create namespace/shop\nupdate deployment.apps/web -n shop\ndelete configmap/old -n shop\n"
    );
}

#[test]
fn annotations_have_lines_and_escape_their_terminators() {
    let update = change(Action::Update, Some(web(2, "a")), Some(web(3, "a")));
    let gone = change(Action::Delete, Some(config("old", json!({}))), None);
    let refused = change(Action::Refuse, Some(config("r", json!({}))), None);
    let refused = because(refused, "100 % wrong\n::stop-commands::x", Some("ask: why, and who"));
    let named = caused(
        change(Action::Refuse, None, Some(web(2, "a:1"))),
        &[(20, "spec.replicas", "no"), (22, "spec", "neither")],
    );
    let problem = Problem {
        place: Location { path: "a,b:c.yaml".to_owned(), line: 2, column: 5 },
        message: "no".to_owned(),
        excerpt: None,
        hint: None,
    };
    let text = told(vec![update, gone, refused, named], &[problem], |out, view| {
        plan_as(out, view, OutputFormat::Github);
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
