//! Mutated ApplySet parents, which anybody with the right to write ConfigMaps may have written.

use serde_json::json;
use trueup::core::inventory::{Inventory, InventorySource, Record};
use trueup::core::json::Map;
use trueup::core::object::{GroupKind, Object, ObjectKey};

use super::fuzz;
use crate::support::mutate::Mutator;

const WORDS: [&str; 10] = [
    "Deployment.apps",
    ",",
    ".",
    "",
    "trueup/",
    "kubectl/v1",
    "2026-01-01T00:00:00Z",
    "-1",
    "\u{0}",
    "é",
];

#[test]
#[ignore = "takes about a minute"]
fn parents() {
    let inventory = Inventory { name: "shop".to_owned(), namespace: "prod".to_owned() };
    let key = |kind: &str, namespace: &str| ObjectKey {
        group: GroupKind::parse(kind).group,
        kind: GroupKind::parse(kind).kind,
        namespace: Some(namespace.to_owned()),
        name: "web".to_owned(),
    };
    let source = InventorySource {
        repository: "4f2c1a9".to_owned(),
        target: None,
        paths: ["envs/prod", "charts"].map(str::to_owned).into(),
        revision: Some("8be01d3".to_owned()),
        tracked: Some("v1".to_owned()),
    };
    let members = [key("Deployment.apps", "prod"), key("ConfigMap", "other")];
    let mut parent = inventory.parent(&Record::of(source, &members));
    let past = json!({"trueup.dev/healthy-revision": "8be01d3", "trueup.dev/healthy-at": "2026-03-01T12:00:00Z", "trueup.dev/objects-before": "3", "trueup.dev/failed-revision": "1", "trueup.dev/ref": "v1", "trueup.dev/applied-by": "a", "trueup.dev/applied-at": "x"});
    let annotations =
        parent.metadata_mut().get_mut("annotations").and_then(|it| it.as_object_mut());
    annotations.unwrap().extend(serde_json::from_value::<Map>(past).unwrap());
    let read = |object: &Object| inventory.read(object).ok();
    assert!(read(&parent).is_some());
    fuzz(
        150_000,
        |seed| Mutator::json(seed, vec![serde_json::to_value(&parent).unwrap()], &WORDS),
        |bytes| {
            let object: Object = serde_json::from_slice(bytes).ok()?;
            // What was written down of what was read says the same when it is read.
            let once = inventory.parent(&read(&object)?);
            let twice = inventory.parent(&read(&once)?);
            (once != twice).then(|| format!("{once:?} becomes {twice:?}"))
        },
    );
}
