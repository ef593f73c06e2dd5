//! The names of inventories and paths, from what a person wrote.

use std::collections::BTreeMap;

use crate::app::trust::Trust;
use crate::app::{ClusterChoice, OtherRevision, OtherTarget};
use crate::config::TargetConfig;
use crate::core::inventory::Inventory;
use crate::core::inventory::reserved::NAME_PREFIX;

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

/// The inventories of the targets that are not called `own` by their ids, each as a person knows it. They
/// are where they say, or in one of the namespaces that this run would use for a target that names none.
pub(super) fn siblings(
    targets: &BTreeMap<String, TargetConfig>,
    own: Option<&str>,
    homes: &[Option<&str>],
) -> BTreeMap<String, String> {
    let mut siblings = BTreeMap::new();
    for (target, config) in targets.iter().filter(|(name, _)| own != Some(name.as_str())) {
        let name = sanitized(config.name.as_ref().unwrap_or(target));
        let namespaces = homes.iter().copied().chain([config.namespace.as_deref()]).flatten();
        for namespace in namespaces {
            let name = format!("{NAME_PREFIX}{name}");
            let inventory = Inventory { name, namespace: namespace.to_owned() };
            let words = format!("{target} ({namespace}/{})", inventory.name);
            let mut texts = [inventory.id(), words];
            // Each of many targets has those of all others.
            texts.iter_mut().for_each(String::shrink_to_fit);
            let [id, words] = texts;
            siblings.insert(id, words);
        }
    }
    siblings
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
            assert_eq!(found.get(&inventory.id()), Some(&words));
        }
        assert_eq!(found.len(), 2);
    }
}
