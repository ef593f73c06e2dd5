//! Rules of `trueup.yaml` about fields: which objects they are about, and which of their fields.
//! `ignore:` and `redact:` are lists of them.
//!
//! [`controllers`] has the fields that are always left to others.
//!
//! What comes of a field that is ignored is [`settle`]'s; what is masked is [`crate::redact`]'s.

mod controllers;
mod pointer;
mod settle;

use serde::Deserialize;

pub use controllers::{Controlled, controlled, declared_in_vain};
pub use pointer::{Pointer, PointerError};
pub use settle::{carry_over, leave, paths_in, settle};

use crate::config;
use crate::desired::Desired;
use crate::object::{Object, ObjectKey};
use crate::plan::{Change, Plan};
use crate::problem::{Place, Problem};

/// Some fields of some objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The objects' kind; any when left out. In this and the others `*` stands for any text and
    /// `?` for one character.
    pub kind: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their namespace.
    pub namespace: Option<String>,
    /// Their API group; the empty text is the core group.
    pub group: Option<String>,
    /// Their fields.
    pub paths: Vec<Pointer>,
    /// Line and column of the rule, from 1; `None` of another target's, about which nobody is to
    /// be warned.
    #[serde(skip)]
    pub at: Option<(usize, usize)>,
}

impl Rule {
    /// Whether it is about this object.
    pub fn is_about(&self, key: &ObjectKey) -> bool {
        let namespace = key.namespace.as_deref().unwrap_or_default();
        [
            (&self.kind, key.kind.as_str()),
            (&self.name, &key.name),
            (&self.namespace, namespace),
            (&self.group, &key.group),
        ]
        .into_iter()
        .all(|(pattern, text)| pattern.as_ref().is_none_or(|pattern| is_like(pattern, text)))
    }
}

/// The fields of an object that `rules` name.
pub fn fields_of<'a>(rules: &'a [Rule], key: &ObjectKey) -> Vec<&'a Pointer> {
    let rules = rules.iter().filter(|rule| rule.is_about(key));
    rules.flat_map(|rule| &rule.paths).collect()
}

/// Rules that are about nothing, and fields that no object has: most likely slips.
pub fn idle(rules: &[Rule], (desired, plan): (&Desired, &Plan)) -> Vec<Problem> {
    let warn = |(line, column): (usize, usize), message: String| Problem {
        place: Place { path: config::FILE.to_owned(), line, column },
        message,
        excerpt: None,
        hint: None,
    };
    let mut warnings = Vec::new();
    for rule in rules {
        let Some(at) = rule.at else { continue };
        let about: Vec<_> = plan.changes().filter(|change| rule.is_about(&change.key)).collect();
        if about.is_empty() {
            warnings.push(warn(at, "this rule is about no object of the target".to_owned()));
            continue;
        }
        for path in &rule.paths {
            let has = |object: &Object| {
                let paths = path.within(&object.0);
                paths.iter().any(|path| path.value(&object.0).is_some())
            };
            let may_have = |change: &&Change| {
                let declared = desired.objects.get(&change.key);
                declared.is_some_and(|manifest| has(&manifest.object))
                    || change.merged.as_ref().is_some_and(has)
                    || change.live.as_ref().is_some_and(|live| has(live) || is_outline(live))
            };
            if !about.iter().any(may_have) {
                warnings.push(warn(at, format!("no object that this rule is about has {path}")));
            }
        }
    }
    warnings
}

/// Whether this is the little that is kept of an object that stays as it is.
fn is_outline(live: &Object) -> bool {
    live.metadata().is_none_or(|metadata| !metadata.contains_key("managedFields"))
}

/// Whether a text is like a pattern, in which `*` stands for any text and `?` for one character.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None; // the last one, and where its text ends so far
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, end)) => {
                    star = Some((at, end + 1));
                    (p, t) = (at + 1, end + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
