//! Which changes count as a touch, and of which inventory.

use super::*;
use crate::core::inventory::PART_OF;
use crate::core::json::{Value, json};

fn mark(metadata: &Value) -> ObjectMark {
    let object = json!({ "metadata": metadata });
    ObjectMark::of(&Object::from(object.as_object().unwrap().clone()), PART_OF).unwrap()
}

fn deployment() -> Value {
    json!({
        "name": "web", "uid": "u1", "resourceVersion": "7", "generation": 2,
        "labels": { PART_OF: "a" },
        "managedFields": [
            { "manager": "trueup", "operation": "Apply", "time": "t1", "fieldsV1": {} },
            { "manager": "kcm", "operation": "Update", "subresource": "status", "time": "t1", "fieldsV1": {} },
        ],
    })
}

fn with(metadata: &Value, change: impl Fn(&mut Value)) -> ObjectMark {
    let mut metadata = metadata.clone();
    metadata["resourceVersion"] = json!("8");
    change(&mut metadata);
    mark(&metadata)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn book(marks: Vec<ObjectMark>) -> TouchedBook {
    let mut book = TouchedBook::default();
    assert_eq!(book.listed(&set(&["a", "b"]), marks), set(&[]), "all is new");
    book
}

#[test]
fn a_status_alone_is_no_touch() {
    let touches = |change: &dyn Fn(&mut Value)| {
        let now = with(&deployment(), change);
        !book(vec![mark(&deployment())]).seen(now).is_empty()
    };
    assert!(!touches(&|_| {}), "the version alone");
    assert!(!touches(&|it| it["managedFields"][1]["time"] = json!("t2")), "the status");
    assert!(touches(&|it| it["generation"] = json!(3)));
    assert!(touches(&|it| it["labels"]["more"] = json!("x")));
    assert!(touches(&|it| it["annotations"] = json!({ "more": "x" })));
    assert!(touches(&|it| it["finalizers"] = json!(["x"])));
    assert!(touches(&|it| it["deletionTimestamp"] = json!("t2")));
    assert!(touches(&|it| it["managedFields"][0]["time"] = json!("t2")), "another apply");
}

#[test]
fn without_a_generation_each_version_counts_but_that_of_a_status() {
    let mut config = deployment();
    config.as_object_mut().unwrap().remove("generation");
    let touches = |change: &dyn Fn(&mut Value)| {
        !book(vec![mark(&config)]).seen(with(&config, change)).is_empty()
    };
    assert!(touches(&|_| {}), "two changes in one second");
    assert!(!touches(&|it| it["managedFields"][1]["time"] = json!("t2")), "a claim's status");
    assert!(!touches(&|it| it["resourceVersion"] = json!("7")), "told twice");
}

#[test]
fn labels_say_whose_an_object_is() {
    let mut book = book(vec![mark(&deployment())]);
    let moved = with(&deployment(), |it| it["labels"][PART_OF] = json!("b"));
    assert_eq!(book.seen(moved.clone()), set(&["a", "b"]));
    assert_eq!(book.gone(&moved), set(&["b"]));
    let of_others = with(&deployment(), |it| it["labels"][PART_OF] = json!("c"));
    assert_eq!(book.seen(of_others), set(&[]), "it is of an inventory that is not watched");
    let unlabelled = with(&deployment(), |it| it["labels"] = json!({}));
    assert_eq!(book.seen(mark(&deployment())), set(&["a"]), "it is there again");
    assert_eq!(book.gone(&unlabelled), set(&["a"]), "its label was taken away");
    assert_eq!(book.gone(&unlabelled), set(&[]));
}

#[test]
fn another_list_tells_what_changed_meanwhile() {
    let other = |version: &str| {
        let other = json!({ "uid": "u2", "resourceVersion": version, "labels": { PART_OF: "b" } });
        mark(&other)
    };
    let both = set(&["a", "b"]);
    let first = || vec![mark(&deployment()), other("1")];
    assert_eq!(book(first()).listed(&both, first()), set(&[]));
    assert_eq!(book(first()).listed(&both, vec![mark(&deployment()), other("2")]), set(&["b"]));
    assert_eq!(book(first()).listed(&both, vec![other("1")]), set(&["a"]), "it is gone");
    let mut book = book(first());
    assert_eq!(book.listed(&set(&["a"]), first()), set(&[]), "b is watched no longer");
    assert_eq!(book.listed(&both, first()), set(&[]), "nor was it watched in between");
}
