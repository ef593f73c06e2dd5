//! The names of inventories and paths, from what a person wrote.

use std::collections::BTreeMap;

use crate::app::trust::Trust;
use crate::app::{ClusterChoice, OtherRevision, OtherTarget, Pool};
use crate::config::TargetConfig;
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::core::inventory::{AllInventories, Inventory, Siblings};

/// An inventory's name from the checkout's folder and the paths: `shop` and `envs/prod` make
/// `shop-envs-prod`.
pub(super) fn derived(folder: &str, paths: &[String]) -> String {
    let parts = std::iter::once(folder).chain(paths.iter().map(String::as_str));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// A name as Kubernetes allows it (RFC 1123 subdomain), as near to `name` as can be.
pub(super) fn sanitized(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let name: String =
        name.to_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let name: String = name.chars().take(200).collect();
    match name.trim_matches(['-', '.']) {
        "" => "checkout".to_owned(),
        name => name.to_owned(),
    }
}

/// The name of an inventory: that which a person or trueup.yaml gives it, else one from the checkout's
/// folder and the paths.
pub(super) fn inventory_name(known: Option<&str>, folder: &str, paths: &[String]) -> String {
    let name = known.map_or_else(|| derived(folder, paths), str::to_owned);
    format!("{NAME_PREFIX}{}", sanitized(&name))
}

/// The inventories that all targets may have, of each repository.
static KNOWN: Pool<AllInventories> = Pool::new();

/// The inventories of the targets that are not called `own`. They are where they say, or in one of the
/// namespaces that this run would use for a target that names none.
pub(super) fn siblings(
    targets: &BTreeMap<String, TargetConfig>,
    own: Option<&str>,
    homes: &[Option<&str>],
) -> Siblings {
    let mut all = AllInventories::default();
    for (target, config) in targets {
        let name = sanitized(config.name.as_ref().unwrap_or(target));
        let name = format!("{NAME_PREFIX}{name}");
        let namespaces = homes.iter().copied().chain([config.namespace.as_deref()]).flatten();
        for namespace in namespaces {
            all.insert(target, &Inventory { name: name.clone(), namespace: namespace.to_owned() });
        }
    }
    Siblings { all: KNOWN.share(all), own: own.map(str::to_owned) }
}

/// Where the objects of targets are. Those that track no ref are at the commit of this target,
/// or `at_head` where this one tracks another. `cluster` says which cluster each belongs to.
pub(super) fn plain_files(
    targets: BTreeMap<String, TargetConfig>,
    at_head: bool,
    cluster: impl Fn(&str) -> ClusterChoice,
) -> BTreeMap<String, OtherTarget> {
    let files = |(name, declared): (String, TargetConfig)| {
        let at = match declared.tracks.clone() {
            Some(tracked) => OtherRevision::Tracked(tracked),
            None if at_head => OtherRevision::Head,
            None => OtherRevision::Same,
        };
        let (paths, namespace) = (declared.plain_paths(), declared.namespace);
        let (formats, trust, cluster) = (declared.render, Trust::default(), cluster(&name));
        (name, OtherTarget { paths, namespace, formats, at, trust, cluster })
    };
    targets.into_iter().map(files).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::plain;

    #[test]
    fn a_path_of_the_settings_may_be_written_in_many_ways() {
        for (path, expected) in [(".", ""), ("/", ""), ("./envs//prod/", "envs/prod"), ("a", "a")] {
            assert_eq!(plain(path), expected, "{path}");
        }
    }

    #[test]
    fn an_inventory_is_named_after_folder_and_paths() {
        for (folder, paths, name) in [
            ("shop", &[""][..], "shop"),
            ("shop", &["envs/prod"], "shop-envs-prod"),
            ("My Shop", &["a_b", "c"], "my-shop-a-b-c"),
            ("___", &[""], "checkout"),
        ] {
            let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
            assert_eq!(sanitized(&derived(folder, &paths)), name);
        }
    }

    #[test]
    fn an_inventory_of_another_target_is_known_by_its_id() {
        let config = TargetConfig { namespace: Some("own".to_owned()), ..TargetConfig::default() };
        let others = BTreeMap::from([("Staging".to_owned(), config)]);
        let found = siblings(&others, None, &[None, Some("default")]);
        for namespace in ["own", "default"] {
            let inventory =
                Inventory { name: "trueup-staging".to_owned(), namespace: namespace.to_owned() };
            let words = format!("Staging ({namespace}/trueup-staging)");
            assert_eq!(found.get(&inventory.id()), Some(words.as_str()));
        }
        let own = siblings(&others, Some("Staging"), &[None, Some("default")]);
        assert!(Arc::ptr_eq(&own.all, &found.all), "those of one file are one");
        let elsewhere =
            Inventory { name: "trueup-staging".to_owned(), namespace: "other".to_owned() };
        assert_eq!(found.get(&elsewhere.id()), None);
    }
}
