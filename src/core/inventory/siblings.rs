//! The inventories of the other targets of a repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Inventory;

/// An inventory's target.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    target: String,
    /// The target and the inventory, as a person knows them.
    words: String,
}

/// The inventories that all targets of a repository may have, by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllInventories(BTreeMap<String, Vec<Owner>>);

impl AllInventories {
    /// Adds one.
    pub fn insert(&mut self, target: &str, inventory: &Inventory) {
        let Inventory { namespace, name } = inventory;
        let words = format!("{target} ({namespace}/{name})");
        let owner = Owner { target: target.to_owned(), words };
        let owners = self.0.entry(inventory.id()).or_default();
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
}

/// The inventories of the other targets of a repository: of all but the one that is called `own`. Targets
/// of the same settings share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Siblings {
    /// With the target itself, so that all have the same.
    pub all: Arc<AllInventories>,
    /// The target whose siblings they are, where it has a name.
    pub own: Option<String>,
}

impl Siblings {
    /// The target with the inventory of this id, in words.
    pub fn get(&self, id: &str) -> Option<&str> {
        let is_other = |owner: &&Owner| self.own.as_ref() != Some(&owner.target);
        let other = self.all.0.get(id)?.iter().rfind(is_other)?;
        Some(&other.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_none_of_its_own_siblings() {
        let inventory =
            |name: &str| Inventory { name: name.to_owned(), namespace: "shop".to_owned() };
        let mut all = AllInventories::default();
        for target in ["Prod", "prod", "test"] {
            all.insert(target, &inventory(&target.to_lowercase()));
            all.insert(target, &inventory(&target.to_lowercase()));
        }
        let all = Arc::new(all);
        let of =
            |own: Option<&str>| Siblings { all: Arc::clone(&all), own: own.map(str::to_owned) };
        let (prod, test) = (inventory("prod").id(), inventory("test").id());
        assert_eq!(of(Some("test")).get(&prod), Some("prod (shop/prod)"));
        assert_eq!(of(Some("test")).get(&test), None);
        assert_eq!(of(None).get(&test), Some("test (shop/test)"));
        assert_eq!(of(Some("prod")).get(&prod), Some("Prod (shop/prod)"), "both have the same");
        assert_eq!(Siblings::default().get(&prod), None);
    }
}
