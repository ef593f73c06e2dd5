//! The least rights that a target's runs need, as Roles and ClusterRoles.
//!
//! [`table`] says which request a run sends of which kind, and why; [`needs`] finds the objects of a
//! target that each row is about; this page joins equal rights, so that none is granted twice.

mod needs;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use needs::{DeclaredObject, TargetNeeds};
use table::{ROWS, Row};

use crate::core::json::{Value, json};
use crate::core::replicas::ReplicaGroup;

/// The group of roles and their bindings.
const GROUP: &str = "rbac.authorization.k8s.io";

/// The runs that a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Reads alone: diff, status and history.
    Read,
    /// Apply, watch and waiting.
    Write,
    /// Deletions.
    Prune,
}

/// The choices of whoever asks for the roles.
#[derive(Clone, Debug, Default)]
pub struct RoleOptions {
    /// Only what reads.
    pub read_only: bool,
    /// Without the role for deletions.
    pub no_prune: bool,
    /// Rights on all objects of a kind, not only on those of the commit.
    pub any_name: bool,
    /// The account that the roles are bound to.
    pub account: Option<Account>,
    /// The group of replicas that share the targets.
    pub group: Option<ReplicaGroup>,
}

/// A ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::str::FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |part: &str| {
            let is_inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !part.is_empty()
                && part.chars().all(|c| is_inside(c) || c == '.')
                && !part.starts_with(['-', '.'])
                && !part.ends_with(['-', '.'])
        };
        match text.split_once('/') {
            Some((namespace, name)) if is_name(namespace) && is_name(name) => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(format!("invalid account {text:?}: expected NAMESPACE/NAME")),
        }
    }
}

/// Rights on some resources of one API group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The API group; empty for the core group.
    pub group: String,
    /// The resources, such as `deployments` and `pods/log`.
    pub resources: Vec<String>,
    /// The objects; empty for all.
    pub names: Vec<String>,
    /// The verbs.
    pub verbs: Vec<String>,
    /// The purposes of the rights.
    pub purposes: Vec<&'static str>,
}

/// A Role, or a ClusterRole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` for a ClusterRole.
    pub namespace: Option<String>,
    /// Whether it is for deletions alone.
    pub is_prune: bool,
    /// Its rules.
    pub grants: Vec<Grant>,
}

/// The scope of a right: the order is that of the output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scope {
    is_prune: bool,
    namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Resource {
    group: String,
    name: String,
}

/// The objects of one right, and what it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reach {
    /// The objects; `None` for all of the kind.
    names: Option<BTreeSet<String>>,
    purposes: BTreeSet<&'static str>,
}

/// One verb on one resource in one scope, with its objects.
type Rights = BTreeMap<Scope, BTreeMap<(Resource, &'static str), Reach>>;

/// The roles of a target: ClusterRoles first, those for deletions last.
pub fn roles(target: &TargetNeeds, options: &RoleOptions) -> Vec<Role> {
    let mut rights = Rights::new();
    let is_wanted = |row: &&Row| match row.part {
        Part::Read => true,
        Part::Write => !options.read_only,
        Part::Prune => !options.read_only && !options.no_prune,
    };
    for row in ROWS.iter().filter(is_wanted) {
        for need in target.of(row.about) {
            let is_named = row.names.are_known() && !(options.any_name && need.is_declared);
            let names = is_named.then_some(need.names);
            let is_prune = row.part == Part::Prune;
            let scope = rights.entry(Scope { is_prune, namespace: need.namespace }).or_default();
            let resource = Resource { group: need.group, name: need.resource };
            for verb in row.verbs {
                let key = (resource.clone(), *verb);
                match scope.get_mut(&key) {
                    Some(reach) => reach.widen(names.as_ref(), row.why),
                    None => {
                        let purposes = BTreeSet::from([row.why]);
                        scope.insert(key, Reach { names: names.clone(), purposes });
                    }
                }
            }
        }
    }
    without_granted(&mut rights);
    let named = |(scope, rights): (Scope, _)| Role {
        name: role_name(target, &scope),
        grants: grants(rights),
        is_prune: scope.is_prune,
        namespace: scope.namespace,
    };
    rights.into_iter().filter(|(_, rights)| !rights.is_empty()).map(named).collect()
}

/// The role of the members of a group, whose Leases have names that no one knows before.
pub fn group_role(group: &ReplicaGroup) -> Role {
    let verbs = ["create", "delete", "get", "list", "update"].map(str::to_owned);
    let leases = Grant {
        group: "coordination.k8s.io".to_owned(),
        resources: vec!["leases".to_owned()],
        names: Vec::new(),
        verbs: verbs.to_vec(),
        purposes: vec!["the Leases of replicas"],
    };
    Role {
        name: format!("trueup-replicas-{}", group.name),
        namespace: Some(group.namespace.clone()),
        is_prune: false,
        grants: vec![leases],
    }
}

impl Reach {
    fn widen(&mut self, names: Option<&BTreeSet<String>>, why: &'static str) {
        self.purposes.insert(why);
        self.names = match (self.names.take(), names) {
            (Some(known), Some(more)) => Some(known.union(more).cloned().collect()),
            _ => None,
        };
    }
}

/// Takes out of the roles for deletions what the other roles grant.
fn without_granted(rights: &mut Rights) {
    let known = rights.clone();
    for (scope, rights) in rights.iter_mut().filter(|(scope, _)| scope.is_prune) {
        let beside = known.get(&Scope { is_prune: false, namespace: scope.namespace.clone() });
        rights.retain(|key, _| {
            let granted = beside.and_then(|beside| beside.get(key));
            granted.is_none_or(|granted| granted.names.is_some())
        });
    }
}

/// The name of a role: the inventory's, since no other target has one of that name there. A ClusterRole
/// needs the namespace besides.
fn role_name(target: &TargetNeeds, scope: &Scope) -> String {
    let inventory = &target.inventory;
    let place = match scope.namespace {
        Some(_) => inventory.name.clone(),
        None => format!("{}.{}", inventory.name, inventory.namespace),
    };
    if scope.is_prune { format!("{place}-prune") } else { place }
}

/// The rules of a role: verbs of one resource with the same objects make one, and resources of a group
/// with the same verbs and objects do, too.
fn grants(rights: BTreeMap<(Resource, &'static str), Reach>) -> Vec<Grant> {
    type Named = (Resource, Option<BTreeSet<String>>);
    let mut by_resource: BTreeMap<Named, (BTreeSet<&str>, BTreeSet<&'static str>)> =
        BTreeMap::new();
    for ((resource, verb), Reach { names, purposes }) in rights {
        let (verbs, whys) = by_resource.entry((resource, names)).or_default();
        verbs.insert(verb);
        whys.extend(purposes);
    }
    let mut grants: Vec<Grant> = Vec::new();
    for ((resource, names), (verbs, whys)) in by_resource {
        let verbs: Vec<String> = verbs.into_iter().map(str::to_owned).collect();
        let names: Vec<String> = names.into_iter().flatten().collect();
        let purposes: Vec<&str> = whys.into_iter().collect();
        let is_same = |grant: &&mut Grant| {
            (&grant.group, &grant.names, &grant.verbs, &grant.purposes)
                == (&resource.group, &names, &verbs, &purposes)
        };
        match grants.iter_mut().find(is_same) {
            Some(grant) => grant.resources.push(resource.name),
            None => grants.push(Grant {
                group: resource.group,
                resources: vec![resource.name],
                names,
                verbs,
                purposes,
            }),
        }
    }
    grants
}

impl Grant {
    /// The rule as the API has it.
    pub fn value(&self) -> Value {
        let Self { group, resources, names, verbs, .. } = self;
        match names.is_empty() {
            true => json!({ "apiGroups": [group], "resources": resources, "verbs": verbs }),
            false => json!({
                "apiGroups": [group],
                "resources": resources,
                "resourceNames": names,
                "verbs": verbs,
            }),
        }
    }
}

impl Role {
    /// Its kind.
    pub fn kind(&self) -> &'static str {
        if self.namespace.is_some() { "Role" } else { "ClusterRole" }
    }

    /// The role as the API has it.
    pub fn value(&self) -> Value {
        let rules: Vec<serde_json::Value> =
            self.grants.iter().map(|grant| grant.value().into()).collect();
        json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": self.kind(),
            "metadata": self.metadata(),
            "rules": rules,
        })
    }

    /// Its binding to an account.
    pub fn binding(&self, account: &Account) -> Value {
        let Account { namespace, name } = account;
        json!({
            "apiVersion": format!("{GROUP}/v1"),
            "kind": format!("{}Binding", self.kind()),
            "metadata": self.metadata(),
            "roleRef": { "apiGroup": GROUP, "kind": self.kind(), "name": self.name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": namespace }],
        })
    }

    fn metadata(&self) -> serde_json::Value {
        match &self.namespace {
            Some(namespace) => serde_json::json!({ "name": self.name, "namespace": namespace }),
            None => serde_json::json!({ "name": self.name }),
        }
    }
}
