//! Rules of `trueup.yaml` about fields: which objects they are about, and which of their fields.
//! `ignore:` and `redact:` are lists of them.
//!
//! [`controllers`] has the fields that are always left to others.
//!
//! Fields that are ignored are [`settle`]'s; those that are masked are [`crate::core::redact`]'s.

mod controllers;
mod pointer;
mod settle;

use serde::Deserialize;

pub use controllers::{Controlled, controlled, declared_in_vain};
pub use pointer::{Pointer, PointerError};
pub use settle::{carry_over, leave, paths_in, settle};

use crate::core::object::ObjectKey;

/// Fields of some objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "rule"))]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The objects' kind, any when left out; `*` stands for any text, `?` for one character.
    pub kind: Option<String>,
    /// Their name, any when left out; with `*` and `?`.
    pub name: Option<String>,
    /// Their namespace, any when left out; with `*` and `?`.
    pub namespace: Option<String>,
    /// Their API group, any when left out, empty for the core group; with `*` and `?`.
    pub group: Option<String>,
    /// Their fields as JSON pointers; `[KEY=VALUE]` for an element of a list, `*` for every one.
    #[cfg_attr(test, schemars(with = "Vec<String>", inner(regex(pattern = "^/([^~]|~[01])+$"))))]
    pub paths: Vec<Pointer>,
    /// Line and column of the rule, from 1; `None` for another target's, which causes no warning.
    #[serde(skip)]
    pub at: Option<(usize, usize)>,
}

impl FieldRule {
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
pub fn fields_of<'a>(rules: &'a [FieldRule], key: &ObjectKey) -> Vec<&'a Pointer> {
    let rules = rules.iter().filter(|rule| rule.is_about(key));
    rules.flat_map(|rule| &rule.paths).collect()
}

/// Whether a text is like a pattern, in which `*` stands for any text and `?` for one character.
pub fn is_like(pattern: &str, text: &str) -> bool {
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
