//! The demands of a rule of the machine's file on a commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::glob;
use super::verdict::Signer;

/// Which commits have to be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The commit itself, which vouches for all of its files.
    #[default]
    Head,
    /// Every commit since the last that vouches for its ancestors.
    All,
    /// A tag of the commit.
    Tag,
}

/// The paths that each signer may sign for: patterns of signers, with the patterns of their paths. A signer that
/// none of them names may sign for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PathRules(pub BTreeMap<String, Vec<String>>);

impl PathRules {
    /// The patterns of the paths that a signer may sign for; `None` for all paths. The name and the
    /// fingerprint themselves count before any pattern.
    pub fn of(&self, signer: &Signer) -> Option<Vec<&str>> {
        let names = [signer.principal.as_str(), mail(&signer.principal), signer.key.as_str()];
        let exact: Vec<_> = names.iter().filter_map(|name| self.0.get(*name)).collect();
        let found = match exact.is_empty() {
            false => exact,
            true => {
                let is_it = |pattern: &str| names.iter().any(|name| glob::matches(pattern, name));
                self.0.iter().filter(|(name, _)| is_it(name)).map(|(_, paths)| paths).collect()
            }
        };
        let paths = found.iter().flat_map(|paths| paths.iter().map(String::as_str)).collect();
        (!found.is_empty()).then_some(paths)
    }

    /// The first of `paths` that a signer may not sign for.
    pub fn first_refused<'p>(
        &self,
        signer: &Signer,
        paths: impl IntoIterator<Item = &'p str>,
    ) -> Option<&'p str> {
        let allowed = self.of(signer)?;
        let is_allowed = |path: &str| allowed.iter().any(|pattern| glob::covers(pattern, path));
        paths.into_iter().find(|path| !is_allowed(path))
    }
}

/// The address in `Name <address>`.
fn mail(user: &str) -> &str {
    let inside = user.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
    inside.unwrap_or(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> PathRules {
        serde_yaml::from_str(text).unwrap()
    }

    fn signer(principal: &str) -> Signer {
        Signer { principal: principal.to_owned(), key: "SHA256:abc".to_owned() }
    }

    #[test]
    fn a_signer_that_is_not_named_signs_for_all_paths() {
        let rules = rules("{platform@shop.example: ['infra/**']}");
        assert_eq!(rules.first_refused(&signer("dev@shop.example"), ["infra/a"]), None);
        let platform = signer("platform@shop.example");
        assert_eq!(rules.first_refused(&platform, ["infra/a", "infra/b/c"]), None);
        assert_eq!(rules.first_refused(&platform, ["infra/a", "shop.yaml"]), Some("shop.yaml"));
        let openpgp = signer("The platform <platform@shop.example>");
        assert_eq!(rules.first_refused(&openpgp, ["shop.yaml"]), Some("shop.yaml"));
    }

    #[test]
    fn the_name_counts_before_patterns_and_the_fingerprint_as_a_name() {
        let named = rules("{'*': [], 'a@x': [apps]}");
        assert_eq!(named.first_refused(&signer("a@x"), ["apps/a"]), None);
        assert_eq!(named.first_refused(&signer("b@x"), ["apps/a"]), Some("apps/a"));
        let key = rules("{'SHA256:abc': [docs]}");
        assert_eq!(key.first_refused(&signer("b@x"), ["apps/a"]), Some("apps/a"));
        // A pattern of an allowed_signers file is no name that a rule could mean.
        assert_eq!(rules("{'a@x': [docs]}").of(&signer("*@x")), None);
    }
}
