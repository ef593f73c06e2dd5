use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Values as `serde_json` has them.
fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,30}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::vec(("\\PC{0,30}", inner), 0..12)
                .prop_map(|fields| { serde_json::Value::Object(fields.into_iter().collect()) }),
        ]
    })
}

proptest! {
    #[test]
    fn text_is_what_serde_json_reads_and_writes(other in values()) {
        let value = Value::from(other.clone());
        prop_assert_eq!(value.to_string(), other.to_string());
        prop_assert_eq!(format!("{value:#}"), format!("{other:#}"));
        let text = other.to_string();
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
        prop_assert_eq!(&to_value(&other).unwrap(), &value);
        prop_assert_eq!(&serde_json::Value::from(value), &other);
    }

    #[test]
    fn map_is_as_a_tree(steps in prop::collection::vec(("[a-f]{1,2}", 0..4_u8), 0..60)) {
        let (mut map, mut tree) = (Map::new(), BTreeMap::new());
        for (at, (key, what)) in steps.iter().enumerate() {
            let value = Value::from(at);
            match what {
                0 => prop_assert_eq!(map.remove(key), tree.remove(key)),
                1 => {
                    let (own, other) =
                        (map.entry(key.as_str()), tree.entry(key.clone()).or_insert(value.clone()));
                    prop_assert_eq!(own.or_insert(value), other);
                }
                _ => prop_assert_eq!(
                    map.insert(key.as_str(), value.clone()),
                    tree.insert(key.clone(), value)
                ),
            }
            prop_assert_eq!(map.len(), tree.len());
            prop_assert_eq!(map.contains_key(key), tree.contains_key(key));
        }
        prop_assert!(map.iter().map(|(key, value)| (key.as_str(), value))
            .eq(tree.iter().map(|(key, value)| (key.as_str(), value))));
        let (mut extended, mut other) = (map.clone(), tree.clone());
        let more = || steps.iter().map(|(key, _)| (key.clone(), Value::Null));
        extended.extend(more());
        other.extend(more());
        prop_assert!(extended.keys().map(Key::as_str).eq(other.keys().map(String::as_str)));
        prop_assert!(extended.values().eq(other.values()));
    }
}

#[test]
fn last_of_two_fields_with_one_name_counts() {
    let value: Value = serde_json::from_str(r#"{"b":1,"a":2,"b":3,"a":4}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"a":4,"b":3}"#);
    let map: Map = [("b", 1), ("a", 2), ("b", 3)].map(|(key, value)| (key, value.into())).into();
    assert_eq!(Value::from(map), json!({ "a": 2, "b": 3 }));
}

#[test]
fn pointer_leads_where_serde_json_is_led() {
    let json = serde_json::json!({ "a/b": [{ "~c": 1 }, 2], "": { "x": null } });
    let value = Value::from(json.clone());
    for pointer in
        ["", "/", "//x", "/a~1b", "/a~1b/0/~0c", "/a~1b/01", "/a~1b/+1", "/a~1b/1", "a", "/a~1b/9"]
    {
        let (own, other) = (value.pointer(pointer).cloned(), json.pointer(pointer).cloned());
        assert_eq!(own, other.map(Value::from), "{pointer}");
    }
}

/// A small map costs what its fields cost.
#[test]
fn map_takes_little_memory() {
    assert_eq!(size_of::<Value>(), 32);
    assert_eq!(size_of::<(Key, Value)>(), 56);
    let read: Map = serde_json::from_str(r#"{"name":"web","namespace":"shop"}"#).unwrap();
    let mut built = Map::new();
    built.insert("name", "web".into());
    built.insert("namespace", "shop".into());
    assert_eq!((read.capacity(), built.capacity()), (2, 2));
    assert!(!Key::from("serviceAccountName").is_heap_allocated());
}

/// Manifests and answers that are read have no room for more.
#[test]
fn what_is_read_has_no_spare_room() {
    fn assert_full(value: &Value) {
        match value {
            Value::Array(items) => {
                assert_eq!(items.capacity(), items.len(), "{value}");
                items.iter().for_each(assert_full);
            }
            Value::Object(map) => {
                assert_eq!(map.capacity(), map.len(), "{value}");
                map.values().for_each(assert_full);
            }
            _ => {}
        }
    }
    let yaml = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\n\
        spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n\
        \x20       - {name: A, value: a}\n        - {name: B, value: b}\n        - {name: C}\n";
    let mut manifests = crate::core::manifest::read("a.yaml", yaml.as_bytes()).manifests;
    manifests[0].object.set_label("applyset.kubernetes.io/part-of", "x");
    let manifest = Value::from(manifests.remove(0).object);
    assert_full(&manifest);
    assert_full(&serde_json::from_str(&manifest.to_string()).unwrap());
    let json = format!("{manifest:#}");
    let manifest = crate::core::manifest::read("a.json", json.as_bytes()).manifests.remove(0);
    assert_full(&manifest.object.into());
}
