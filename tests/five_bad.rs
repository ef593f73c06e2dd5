//! Five bad objects among five hundred, each bad in a way of its own: the others are applied, each
//! of the five is named with its place, and nothing is pruned.

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

const GOOD: usize = 495;

/// What is wrong, and how it is told.
const BAD: [(&str, &str); 5] = [
    // No YAML.
    (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: key: 1\n",
        "bad-0.yaml:4:10: mapping values are not allowed here",
    ),
    // A field that there is not.
    (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: bad\nspec:\n  ports: [{port: 80}]\n  selektor: {app: web}\n",
        "bad-1.yaml:7:3: spec.selektor: field not declared in schema",
    ),
    // What the server refuses.
    (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: bad-2\nspec:\n  ports:\n  - port: 123456\n",
        "bad-2.yaml:7:5: spec.ports[0].port: Invalid value: 123456",
    ),
    // A kind that nobody knows.
    (
        "apiVersion: v1\nkind: ConfigMop\nmetadata:\n  name: bad\n",
        "bad-3.yaml:1:1: the cluster has no kind ConfigMop in v1",
    ),
    // A namespace that is not there.
    (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bad\n  namespace: nowhere\n",
        "bad-4.yaml:5:3: metadata.namespace: namespaces \"nowhere\" not found",
    ),
];

#[test]
fn five_bad_objects_do_not_affect_the_others() {
    let repo = Repo::new("five-bad", sandbox::bare());
    repo.write_config("old", "1").commit("An old one");
    repo.run(&["apply"]).exits(0);
    repo.remove("old.yaml");
    for n in 0..GOOD {
        let name = format!("good-{n:03}");
        repo.write(&format!("good/{name}.yaml"), config(&name, "1"));
    }
    for (n, (text, _)) in BAD.iter().enumerate() {
        repo.write(&format!("bad-{n}.yaml"), text);
    }
    repo.commit("Five hundred");

    let apply = repo.run(&["apply"]).exits(1);
    let good = repo.members("configmap").iter().filter(|name| name.contains("good")).count();
    assert_eq!(good, GOOD, "{apply}");
    for (_, told) in BAD {
        assert!(apply.stdout.contains(told), "no {told:?} in\n{apply}");
    }
    assert!(repo.members("configmap").contains(&"configmap/old".to_owned()), "{apply}");
    let count = GOOD + 1;
    assert_eq!(repo.members("configmap,service").len(), count, "{apply}");

    // Once they are mended, all is well, and what was left out is pruned.
    for n in 0..BAD.len() {
        repo.write(&format!("bad-{n}.yaml"), config(&format!("good-{}", GOOD + n), "1"));
    }
    repo.commit("Mended");
    let mended = repo.run(&["apply"]).exits(0);
    assert!(mended.stdout.contains("old       deleted\n"), "{mended}");
    assert_eq!(repo.members("configmap,service").len(), 500);
}
