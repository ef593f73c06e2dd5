//! Roles of small commits.

use std::collections::BTreeMap;

use super::*;
use crate::core::desired::Desired;
use crate::core::health::HealthAssessor;
use crate::core::inventory::Inventory;
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::manifest;
use crate::core::object::GroupKind;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {app: web}}, template: {spec: {containers: [{name: main}]}}}\n";
const FAST: &str = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\n";
const COUPONS: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: coupons.shop.example}\nspec: {group: shop.example, scope: Namespaced, names: {kind: Coupon, plural: coupons}, versions: [{name: v1, served: true}]}\n";
const SPRING: &str =
    "apiVersion: shop.example/v1\nkind: Coupon\nmetadata: {name: spring, namespace: other}\n";

fn served(group: &str, kind: &str, plural: &str, namespaced: bool) -> Served {
    Served {
        group_kind: GroupKind::new(group, kind),
        version: "v1".to_owned(),
        plural: plural.to_owned(),
        namespaced,
        verbs: Vec::new(),
    }
}

fn needs(yaml: &[&str]) -> TargetNeeds {
    let catalog = Catalog::new(
        vec![
            served("", "ConfigMap", "configmaps", true),
            served("apps", "Deployment", "deployments", true),
            served("storage.k8s.io", "StorageClass", "storageclasses", false),
            served("shop.example", "Coupon", "coupons", true),
            served(
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                "customresourcedefinitions",
                false,
            ),
        ],
        BTreeMap::new(),
    );
    let read = manifest::read("all.yaml", yaml.join("---\n").as_bytes());
    let desired = Desired::new(read.manifests, &catalog, "shop");
    assert_eq!(desired.problems, []);
    let inventory = Inventory { name: "trueup-prod".into(), namespace: "shop".into() };
    TargetNeeds::new(inventory, &desired, &catalog, &HealthAssessor::default())
}

/// Each right as `namespace group/resource verb names`.
fn lines(roles: &[Role]) -> Vec<String> {
    let mut lines = Vec::new();
    for role in roles {
        let part = if role.is_prune { "prune " } else { "" };
        let place = role.namespace.as_deref().unwrap_or("*");
        for Grant { group, resources, names, verbs, .. } in &role.grants {
            for (resource, verb) in
                resources.iter().flat_map(|it| verbs.iter().map(move |verb| (it, verb)))
            {
                let right = format!("{part}{place} {group}/{resource} {verb} {}", names.join(","));
                lines.push(right.trim_end().to_owned());
            }
        }
    }
    lines.sort();
    lines
}

fn all(yaml: &[&str], options: &RoleOptions) -> Vec<String> {
    lines(&roles(&needs(yaml), options))
}

#[test]
fn a_config_map_needs_itself_the_record_and_the_lock() {
    let lines = all(&[CONFIG], &RoleOptions::default());
    assert_eq!(
        lines,
        [
            "* /namespaces get kube-system",
            "prune shop /configmaps delete a,trueup-prod,trueup-prod.history",
            "shop /configmaps create",
            "shop /configmaps get a,trueup-prod,trueup-prod.history",
            "shop /configmaps list",
            "shop /configmaps patch a,trueup-prod,trueup-prod.history",
            "shop /configmaps watch",
            "shop /events create",
            "shop coordination.k8s.io/leases create",
            "shop coordination.k8s.io/leases get trueup-prod",
            "shop coordination.k8s.io/leases update trueup-prod",
        ]
    );
}

#[test]
fn diff_needs_no_write() {
    let options = RoleOptions { read_only: true, ..RoleOptions::default() };
    let lines = all(&[CONFIG, WEB, FAST], &options);
    assert!(
        lines.iter().all(|line| line.contains(" get ") || line.ends_with(" list")),
        "{lines:?}"
    );
    assert!(lines.contains(&"* storage.k8s.io/storageclasses list".to_owned()), "{lines:?}");
    let pods: Vec<&String> = lines.iter().filter(|line| line.contains("pods")).collect();
    assert_eq!(pods, ["shop /pods list"], "status shows them, and no log");
}

#[test]
fn a_workload_needs_what_says_why_it_is_not_ready() {
    let without = all(&[CONFIG], &RoleOptions::default());
    let with = all(&[CONFIG, WEB], &RoleOptions::default());
    let more: Vec<&String> = with.iter().filter(|line| !without.contains(line)).collect();
    assert_eq!(
        more,
        [
            "prune shop apps/deployments delete web",
            "shop /events list",
            "shop /pods list",
            "shop /pods/log get",
            "shop apps/deployments create",
            "shop apps/deployments get web",
            "shop apps/deployments list",
            "shop apps/deployments patch web",
            "shop apps/deployments watch",
            "shop apps/replicasets list",
        ]
    );
    let waits = WEB.replace("{name: web}", "{name: web, annotations: {trueup.dev/wait: 'false'}}");
    let unwaited = all(&[CONFIG, &waits], &RoleOptions::default());
    for line in ["shop /events list", "shop /pods/log get", "shop apps/replicasets list"] {
        assert!(!unwaited.contains(&line.to_owned()), "{line} in {unwaited:?}");
    }
    assert!(
        unwaited.contains(&"shop /pods list".to_owned()),
        "status shows its images: {unwaited:?}"
    );
}

/// A member may be in any namespace that the record names, and its kind is listed in each.
#[test]
fn kinds_are_listed_in_every_namespace_of_the_record() {
    let lines = all(&[CONFIG, SPRING], &RoleOptions::default());
    for line in ["other /configmaps list", "shop shop.example/coupons list"] {
        assert!(lines.contains(&line.to_owned()), "no {line} in {lines:?}");
    }
    for line in ["other /configmaps create", "shop shop.example/coupons create"] {
        assert!(!lines.contains(&line.to_owned()), "{line} in {lines:?}");
    }
}

/// Only a deletion of the definition looks at the objects of all namespaces.
#[test]
fn objects_of_a_definition_are_counted_before_it_is_deleted() {
    let lines = all(&[COUPONS, SPRING], &RoleOptions::default());
    assert!(lines.contains(&"prune * shop.example/coupons list".to_owned()), "{lines:?}");
    assert!(!lines.contains(&"* shop.example/coupons list".to_owned()), "{lines:?}");
    let kept = RoleOptions { no_prune: true, ..RoleOptions::default() };
    let lines = all(&[COUPONS, SPRING], &kept);
    assert!(!lines.iter().any(|line| line.starts_with("prune") || line.contains("delete")));
}

#[test]
fn any_name_leaves_record_lock_and_identity_as_they_are() {
    let options = RoleOptions { any_name: true, ..RoleOptions::default() };
    let lines = all(&[CONFIG, WEB], &options);
    let named: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .filter(|it| it.contains("kube-system") || it.contains("trueup-prod"))
        .collect();
    assert_eq!(
        named,
        [
            "* /namespaces get kube-system",
            "shop coordination.k8s.io/leases get trueup-prod",
            "shop coordination.k8s.io/leases update trueup-prod",
        ]
    );
    assert!(lines.contains(&"shop /configmaps patch".to_owned()), "{lines:?}");
}

#[test]
fn no_right_is_granted_twice() {
    for options in
        [RoleOptions::default(), RoleOptions { any_name: true, ..RoleOptions::default() }]
    {
        let lines = all(&[CONFIG, WEB, FAST, COUPONS, SPRING], &options);
        let what = |line: &String| {
            let line = line.trim_start_matches("prune ");
            line.split(' ').take(3).collect::<Vec<_>>().join(" ")
        };
        let mut rights: Vec<String> = lines.iter().map(what).collect();
        rights.sort();
        let count = rights.len();
        rights.dedup();
        assert_eq!(rights.len(), count, "{lines:?}");
    }
}

#[test]
fn roles_are_named_after_the_inventory() {
    let roles = roles(&needs(&[CONFIG]), &RoleOptions::default());
    let names: Vec<(&str, Option<&str>)> =
        roles.iter().map(|role| (role.name.as_str(), role.namespace.as_deref())).collect();
    assert_eq!(
        names,
        [
            ("trueup-prod.shop", None),
            ("trueup-prod", Some("shop")),
            ("trueup-prod-prune", Some("shop")),
        ]
    );
}

#[test]
fn an_account_is_a_namespace_and_a_name() {
    let account = Account { namespace: "shop".into(), name: "trueup".into() };
    assert_eq!("shop/trueup".parse(), Ok(account));
    for wrong in ["", "trueup", "/trueup", "shop/", "a/b/c", "Shop/x", "shop/-x", "shop/x y"] {
        assert!(wrong.parse::<Account>().is_err(), "{wrong}");
    }
}
