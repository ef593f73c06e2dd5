//! Which kind a person means: `deploy`, `Deployments`, `deployments.apps`, `deployments.v1.apps` or
//! `apps/v1/Deployment`, each with the way to a field behind it.

use std::cmp::Reverse;

use super::error::ManualError;
use super::node::Node;
use super::{Known, Manual};
use crate::core::kinds::lifecycle;
use crate::core::object::GroupKind;
use crate::core::suggest::suggest;

/// A kind, and the way to a field of it.
pub(super) struct Found<'a> {
    pub(super) known: &'a Known,
    /// The other versions that the kind has.
    pub(super) others: Vec<&'a str>,
    pub(super) path: Vec<&'a str>,
}

/// The word that names the kind, in lower case.
pub fn word(text: &str) -> String {
    let (_, rest) = split_version(text);
    rest.split('.').next().unwrap_or_default().to_lowercase()
}

/// The API version that stands before the kind, and the rest.
fn split_version(text: &str) -> (Option<&str>, &str) {
    match text.rsplit_once('/') {
        Some((api_version, rest)) => (Some(api_version), rest),
        None => (None, text),
    }
}

/// The plural that Kubernetes itself guesses where nothing says it.
pub fn guessed_plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    if kind.ends_with(['s', 'x']) || kind.ends_with("ch") || kind.ends_with("sh") {
        return format!("{kind}es");
    }
    let vowel = |c: char| "aeiou".contains(c);
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(vowel) => format!("{stem}ies"),
        _ => format!("{kind}s"),
    }
}

impl Known {
    /// Whether a word in lower case is one of its names.
    fn is_called(&self, word: &str) -> bool {
        let is = |name: &str| name.eq_ignore_ascii_case(word);
        let names = self.short.iter().chain(&self.singular);
        is(&self.kind) || is(&self.plural) || names.into_iter().any(|name| is(name))
    }

    /// Where it stands among the versions of its kind: stable ones first, the newest of them first.
    fn rank(&self) -> impl Ord + use<> {
        let stage = match &self.version {
            version if version.contains("alpha") => 2,
            version if version.contains("beta") => 1,
            _ => 0,
        };
        let numbers = self.version.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
        (stage, Reverse(numbers), self.version.clone())
    }

    fn name(&self) -> String {
        format!("{}/{}", self.api_version(), self.kind)
    }
}

impl Manual {
    /// Whether Kubernetes itself has a kind of this name, so that no other source need be read. In
    /// `services.example.com`, the words behind it are the group of a custom resource, as its field
    /// `example` is not there.
    pub fn is_builtin(&self, text: &str, api_version: Option<&str>) -> bool {
        let Ok(Found { known, path, .. }) = self.find(text, api_version) else { return false };
        known.file.is_none()
            && match path.as_slice() {
                [first, _, ..] => self.root(known).is_some_and(|root| {
                    let fields = Node::new(self, root, root).fields();
                    fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(first))
                }),
                _ => true,
            }
    }

    /// The kinds that are called so: by their kind, plural, singular or a short name.
    pub fn called(&self, word: &str) -> Vec<GroupKind> {
        let kinds = self.kinds.iter().filter(|known| known.is_called(word));
        kinds.map(|known| GroupKind::new(&known.group, &known.kind)).collect()
    }

    /// Whether a kind is called so, by a word in lower case.
    pub fn has(&self, word: &str) -> bool {
        self.kinds.iter().any(|known| known.is_called(word))
    }

    /// Finds the kind that is meant. Kubernetes' own comes first: a custom resource of the same name needs
    /// its group.
    pub(super) fn find<'a>(
        &'a self,
        text: &'a str,
        api_version: Option<&'a str>,
    ) -> Result<Found<'a>, ManualError> {
        let (before, rest) = split_version(text);
        let wanted = api_version.or(before);
        let (name, tail) = rest.split_once('.').unwrap_or((rest, ""));
        let mut found: Vec<&Known> = self.kinds.iter().filter(|it| it.is_called(name)).collect();
        let (group, tail) = named_group(&found, tail);
        if let Some(NamedGroup { group, version }) = group {
            found.retain(|it| it.group == group && version.is_none_or(|v| it.version == v));
        } else if wanted.is_none() && found.iter().any(|it| it.file.is_none()) {
            found.retain(|it| it.file.is_none());
        }
        if let Some(wanted) = wanted {
            self.in_version(name, wanted, &mut found)?;
        }
        found.sort_by_key(|it| it.rank());
        let Some((known, others)) = found.split_first() else { return Err(self.unknown(name)) };
        if others.iter().any(|it| it.group != known.group || it.kind != known.kind) {
            let mut choices: Vec<String> = found.iter().map(|it| it.name()).collect();
            choices.sort();
            return Err(ManualError::Ambiguous { name: name.to_owned(), choices });
        }
        let is_same = |it: &&Known| {
            it.group == known.group && it.kind == known.kind && it.version != known.version
        };
        let mut others: Vec<&Known> = self.kinds.iter().filter(is_same).collect();
        others.sort_by_key(|it| it.rank());
        let others = others.into_iter().map(|it| it.version.as_str()).collect();
        let path = tail.split('.').filter(|field| !field.is_empty());
        let path = path.map(|field| field.split('[').next().unwrap_or(field)).collect();
        Ok(Found { known, others, path })
    }

    /// Keeps the kinds of one version.
    fn in_version(
        &self,
        name: &str,
        wanted: &str,
        found: &mut Vec<&Known>,
    ) -> Result<(), ManualError> {
        let before = found.clone();
        found.retain(|it| it.api_version() == wanted);
        if !found.is_empty() {
            return Ok(());
        }
        // Of a kind that is gone, its own name is the only one that is known.
        let kinds = before.iter().map(|it| it.kind.as_str());
        for kind in kinds.chain(versions_of(name).iter().map(|it| last(it))) {
            if let Some(notice) = lifecycle::unserved(wanted, kind, self.release) {
                return Err(ManualError::Unserved(notice));
            }
        }
        let Some(first) = before.first() else { return Err(self.unknown(name)) };
        let mut known: Vec<String> = before.iter().map(|it| it.name()).collect();
        known.sort();
        let (kind, api_version) = (first.kind.clone(), wanted.to_owned());
        Err(ManualError::OtherVersions { kind, api_version, known })
    }

    /// No kind has the name: the release may not serve it, or it is a slip.
    fn unknown(&self, name: &str) -> ManualError {
        let mut gone = versions_of(name).into_iter().filter_map(|it| {
            let (api_version, kind) = it.rsplit_once('/')?;
            lifecycle::unserved(api_version, kind, self.release)
        });
        // The last one is the version that it had last.
        if let Some(notice) = gone.next_back() {
            return ManualError::Unserved(notice);
        }
        let mut names: Vec<&str> = self.seen.iter().map(String::as_str).collect();
        for known in &self.kinds {
            names.extend([known.kind.as_str(), known.plural.as_str()]);
            names.extend(known.short.iter().map(String::as_str));
        }
        // Everything short is like an empty name.
        let names = names.into_iter().filter(|_| !name.is_empty());
        let near = suggest(name, names).into_iter().map(str::to_owned).collect();
        ManualError::Unknown { name: name.to_owned(), near }
    }
}

struct NamedGroup<'a> {
    group: &'a str,
    version: Option<&'a str>,
}

/// The group that the words behind a kind's name begin with, and what follows it. The longest counts.
fn named_group<'a>(kinds: &[&'a Known], tail: &'a str) -> (Option<NamedGroup<'a>>, &'a str) {
    let mut named: Option<(NamedGroup<'a>, &str)> = None;
    for known in kinds.iter().filter(|it| !it.group.is_empty()) {
        let (group, version) = (known.group.as_str(), known.version.as_str());
        let plain = (Some(tail), None);
        let versioned =
            (tail.strip_prefix(version).and_then(|rest| rest.strip_prefix('.')), Some(version));
        for (rest, version) in [plain, versioned] {
            let Some(rest) = rest.and_then(|rest| rest.strip_prefix(group)) else { continue };
            let is_longer = named.as_ref().is_none_or(|(other, _)| other.group.len() < group.len());
            if is_longer && (rest.is_empty() || rest.starts_with('.')) {
                named = Some((NamedGroup { group, version }, rest));
            }
        }
    }
    named.map_or((None, tail), |(named, rest)| (Some(named), rest))
}

/// The `apiVersion/Kind` of every version that a kind of this name or plural had or has.
fn versions_of(name: &str) -> Vec<&'static str> {
    lifecycle::versions_of(|kind| {
        kind.eq_ignore_ascii_case(name) || guessed_plural(kind).eq_ignore_ascii_case(name)
    })
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
