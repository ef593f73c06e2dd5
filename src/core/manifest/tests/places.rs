//! Where a field stands in its file.

use super::*;

#[test]
fn a_field_is_found_in_the_file() {
    let text = "# c\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {x.y/z: é, \"w\": 1, x.y: 2}\nspec:\n  containers:\n  - name: b\n    image: c\n  - image: d\n    name: 'e,=]'\n    ports: [{containerPort: 1}, {protocol: UDP, containerPort: 1}]\n  set: [a, b]\n";
    let manifest = &read_text(text).manifests[0];
    for (field, line, column) in [
        ("spec.containers[0].image", 11, 5),
        ("spec.containers[1].image", 12, 5),
        ("spec.containers[1]", 12, 5),
        ("spec.containers[2].image", 9, 3),
        ("spec.containers[1].ports[0].containerPort", 14, 14),
        ("spec.containers[1].ports[0].hostPort", 14, 13),
        (r#".spec.containers[name="e,=]"].image"#, 12, 5),
        (r#".spec.containers[name="f"].image"#, 9, 3),
        (
            r#"spec.containers[name="e,=]"].ports[containerPort=1,protocol="UDP"].containerPort"#,
            14,
            49,
        ),
        (
            r#"spec.containers[name="e,=]"].ports[containerPort=1,protocol="TCP"].containerPort"#,
            14,
            14,
        ),
        (r#"spec.set[="b"]"#, 15, 12),
        ("metadata.annotations[x.y/z]", 7, 17),
        ("metadata.annotations.x.y/z", 7, 17),
        ("metadata.annotations.x.y", 7, 35),
        ("metadata.annotations[w]", 7, 27),
        (r#"metadata.annotations["w"]"#, 7, 27),
        ("metadata.annotation", 5, 1),
        ("metadata.namespace", 5, 1),
        ("status.phase", 3, 1),
        ("spec.containers[name=", 9, 3),
        ("<nil>", 3, 1),
        ("", 3, 1),
    ] {
        let place = manifest.place_of(field);
        assert_eq!((place.line, place.column), (line, column), "{field}");
    }
    let positions = &manifest.positions;
    let path = ["spec".into(), "containers".into(), 0.into(), "image".into()];
    assert_eq!(positions.of(&path), Some((11, 5)));
    assert_eq!(positions.of_value(&path), Some((11, 12)));
    assert_eq!(positions.of(&["spec".into(), "nothing".into()]), None);
    assert_eq!(Positions::default().of(&["spec".into()]), None);
    let json = "{\"apiVersion\": \"v1\", \"kind\": \"A\",\n  \"metadata\": {\"name\":\n  \"a\"}}";
    let manifest = &read_text(json).manifests[0];
    assert_eq!(manifest.place_of("metadata.name").to_string(), "a.yaml:2:16");
    assert_eq!(manifest.positions.of_value(&["metadata".into(), "name".into()]), Some((3, 3)));
}

#[test]
fn a_field_that_was_made_from_another_is_found_there() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  p: a\n";
    let mut manifest = read_text(text).manifests.remove(0);
    let data = manifest.object.fields_mut().remove("stringData").unwrap();
    manifest.object.fields_mut().insert("data".to_owned(), data);
    for (field, line, column) in [("data[p]", 5, 3), (".data", 4, 1), ("type", 1, 1)] {
        let place = manifest.place_of(field);
        assert_eq!((place.line, place.column), (line, column), "{field}");
    }
}

#[test]
fn each_of_many_fields_is_found_where_it_stands() {
    let fields: String =
        (0..1000).map(|number| format!("  k{number}: {{v: {number}}}\n")).collect();
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{fields}\
         ---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: b}}\n  data: {{k: 1}}\n"
    );
    let manifests = read_text(&text).manifests;
    for number in [0, 1, 63, 64, 65, 500, 999] {
        let key = format!("k{number}");
        let path = ["data".into(), key.as_str().into(), "v".into()];
        let column = key.len() + 6;
        assert_eq!(manifests[0].positions.of(&path), Some((number + 5, column)), "{key}");
    }
    assert_eq!(manifests[0].positions.of(&["data".into(), "k1000".into()]), None);
    assert_eq!(manifests[1].positions.of(&["data".into(), "k".into()]), Some((1012, 10)));
}
