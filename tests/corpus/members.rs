//! The members of an inventory, as kubectl finds them: by the kinds that the parent names and by
//! label, and without trueup's help.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Key;
use crate::support::eventually::eventually;
use crate::support::repo::Repo;

/// A kind, and its group.
type Kind = (String, String);

/// What it takes to find the members: the parent may go with them.
pub struct Members<'r> {
    repo: &'r Repo<'r>,
    id: String,
    /// The kinds that the parent names.
    kinds: BTreeSet<String>,
    /// The kind that each definition of the cluster defines.
    pub definitions: BTreeMap<String, Kind>,
}

impl<'r> Members<'r> {
    /// The members that the parent speaks of now.
    pub fn of(repo: &'r Repo<'r>) -> Self {
        let annotation =
            r"jsonpath={.metadata.annotations.applyset\.kubernetes\.io/contains-group-kinds}";
        let parent = ["get", "configmap", &repo.parent(), "-o", annotation];
        let kinds = repo.kubectl(&parent).exits(0).stdout.split(',').map(str::to_owned).collect();
        Self { repo, id: repo.applyset(), kinds, definitions: definitions(repo) }
    }

    /// Those that there are.
    pub fn find(&self) -> BTreeSet<Key> {
        let kinds = self.kinds.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let selector = format!("applyset.kubernetes.io/part-of={}", self.id);
        let columns = r#"jsonpath={range .items[*]}{.apiVersion}|{.kind}|{.metadata.namespace}|{.metadata.name}{"\n"}{end}"#;
        let get = ["get", &kinds, "-A", "-l", &selector, "-o", columns];
        self.repo.kubectl(&get).exits(0).stdout.lines().map(key).collect()
    }

    /// Waits until what is left is among `stays`, and returns it. A kind whose definition is among
    /// what goes can't be asked for any more.
    pub fn once_gone(&mut self, goes: &BTreeSet<Key>, stays: &BTreeSet<Key>) -> BTreeSet<Key> {
        for definition in goes.iter().filter(|key| key.kind == "CustomResourceDefinition") {
            let (group, kind) = &self.definitions[&definition.name];
            self.kinds.remove(&format!("{kind}.{group}"));
        }
        eventually("what left git is gone", || self.find().is_subset(stays));
        self.find()
    }
}

fn definitions(repo: &Repo<'_>) -> BTreeMap<String, Kind> {
    let columns =
        r#"jsonpath={range .items[*]}{.metadata.name} {.spec.group} {.spec.names.kind}{"\n"}{end}"#;
    let found = repo.kubectl(&["get", "customresourcedefinitions", "-o", columns]).exits(0);
    let definition = |line: &str| {
        let parts: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let [name, group, kind] = <[String; 3]>::try_from(parts).unwrap();
        (name, (group, kind))
    };
    found.stdout.lines().map(definition).collect()
}

fn key(line: &str) -> Key {
    let [api_version, kind, namespace, name] =
        <[&str; 4]>::try_from(line.split('|').collect::<Vec<_>>()).unwrap();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    Key {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
        name: name.to_owned(),
    }
}
