//! Maps that git empties, of which the API server makes `null` where it applies them.

use serde_json::{Value, json};

use crate::support::repo::Repo;
use crate::support::sandbox;

/// A kind with maps of every sort: `need` has to be there, and of `open` the server knows nothing.
fn definition(group: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: boxes.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Box, plural: boxes}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              map: *map
              need: *map
              struct: {{type: object, properties: {{a: {{type: string}}}}}}
              list: {{type: array, items: {{type: string}}}}
              set: {{type: array, x-kubernetes-list-type: set, items: {{type: string}}}}
              byKey:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [id]
                items:
                  type: object
                  required: [id]
                  properties: {{id: {{type: string}}, map: *map}}
              open: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
"
    )
    .replace("*map", "{type: object, additionalProperties: {type: string}}")
}

fn object(group: &str, spec: &Value) -> String {
    let object = json!({
        "apiVersion": format!("{group}/v1"), "kind": "Box", "metadata": { "name": "box" },
        "spec": spec,
    });
    object.to_string()
}

fn live(repo: &Repo<'_>, group: &str) -> Value {
    let found = repo.kubectl(&["get", &format!("boxes.{group}"), "box", "-o", "json"]).exits(0);
    serde_json::from_str::<Value>(&found.stdout).unwrap()["spec"].clone()
}

#[test]
fn a_map_that_is_emptied_is_empty_after_one_run() {
    let (repo, group) = (Repo::new("emptied", sandbox::bare()), "emptied.example.com");
    let full = json!({
        "map": { "a": "b" }, "struct": { "a": "b" }, "list": ["a"], "set": ["a"],
        "byKey": [{ "id": "a", "map": { "a": "b" } }, { "id": "b", "map": { "a": "b" } }],
        "open": { "map": { "a": { "b": "c" } }, "list": ["a"], "in": [{ "map": { "a": "b" } }] },
    });
    repo.write("definition.yaml", definition(group));
    repo.write("box.json", object(group, &full)).commit("Full");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), full);

    let empty = json!({
        "map": {}, "struct": {}, "list": [], "set": [],
        "byKey": [{ "id": "a", "map": { "a": "b" } }, { "id": "b", "map": {} }],
        "open": { "map": {}, "list": [], "in": [{ "map": {} }] },
    });
    repo.write("box.json", object(group, &empty)).commit("Empty");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(!diff.stdout.contains("null"), "{diff}");
    assert!(diff.stdout.contains("+   map: {}"), "{diff}");
    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), empty, "{apply}");
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);

    // And as a plan that was approved.
    repo.write("box.json", object(group, &full)).commit("Full again");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("box.json", object(group, &empty)).commit("Empty again");
    let plan = repo.outside().join("plan");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--out", plan]).exits(1);
    let apply = repo.run(&["apply", "--plan", plan]).exits(0);
    assert_eq!(live(&repo, group), empty, "{apply}");
    repo.run(&["diff"]).exits(0);
}

#[test]
fn keys_of_other_managers_stay_in_an_emptied_map() {
    let (repo, group) = (Repo::new("emptied-shared", sandbox::bare()), "shared.example.com");
    repo.write("definition.yaml", definition(group));
    let full = json!({ "map": { "a": "b" }, "open": { "map": { "a": "b" } } });
    repo.write("box.json", object(group, &full)).commit("Full");
    repo.run(&["apply", "--yes"]).exits(0);
    let theirs = "{\"spec\":{\"map\":{\"c\":\"d\"},\"open\":{\"map\":{\"c\":\"d\"}}}}";
    let patch = ["patch", &format!("boxes.{group}"), "box", "--type=merge", "-p", theirs];
    repo.kubectl(&patch).exits(0);

    let empty = json!({ "map": {}, "open": { "map": {} } });
    repo.write("box.json", object(group, &empty)).commit("Empty");
    repo.run(&["apply", "--yes"]).exits(0);
    let rest = json!({ "map": { "c": "d" }, "open": { "map": { "c": "d" } } });
    assert_eq!(live(&repo, group), rest);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn removal_of_a_required_map_is_refused_with_a_hint() {
    let (repo, group) = (Repo::new("emptied-need", sandbox::bare()), "need.example.com");
    let properties = "            properties:\n              map";
    let needed = definition(group);
    assert!(needed.contains(properties));
    let needed = needed.replace(properties, &format!("            required: [need]\n{properties}"));
    repo.write("definition.yaml", needed);
    repo.write("box.json", object(group, &json!({ "need": { "a": "b" } }))).commit("Full");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("box.json", object(group, &json!({ "need": {} }))).commit("Empty");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("must be of type object: \"null\""), "{diff}");
    assert!(diff.stdout.contains("keep a field in it"), "{diff}");
    repo.run(&["apply", "--yes"]).exits(1);
    assert_eq!(live(&repo, group), json!({ "need": { "a": "b" } }));
}

#[test]
fn a_map_is_emptied_where_the_kind_has_rules() {
    let (repo, group) = (Repo::new("emptied-rules", sandbox::bare()), "rules.example.com");
    let properties = "            properties:\n              map";
    let rule = "            x-kubernetes-validations: [{rule: \"!has(self.list) || size(self.list) < 9\"}]\n";
    let definition = definition(group).replace(properties, &format!("{rule}{properties}"));
    repo.write(
        "definition.yaml",
        definition.replace("items: {type: string}", "maxItems: 9, items: {type: string}"),
    );
    let full = json!({ "map": { "a": "b" }, "struct": { "a": "b" }, "list": ["a"] });
    repo.write("box.json", object(group, &full)).commit("Full");
    repo.run(&["apply", "--yes"]).exits(0);
    let empty = json!({ "map": {}, "struct": {}, "list": ["a"] });
    repo.write("box.json", object(group, &empty)).commit("Empty");
    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), empty, "{apply}");
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);
}
