//! Variables that Flux would put values for: `${name}`, and `${name:=default}` with its value where
//! nothing else is given.
//!
//! The rules are those of `github.com/fluxcd/pkg/envsubst` and of `kustomize/kustomize_varsub.go`
//! in github.com/fluxcd/pkg: the text of the whole document is substituted and read as YAML again,
//! so that a quoted variable becomes a number where its value is one.

use crate::core::json::Value;
use crate::core::manifest;
use crate::core::object::Object;

/// The label or annotation that keeps Flux from substituting.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// How deep defaults may hold variables of their own.
const DEEPEST: usize = 8;

/// Whether Flux substitutes variables in an object.
pub(super) fn are_substituted(object: &Object) -> bool {
    let is_off = |said: Option<&str>| said == Some("disabled");
    !is_off(object.annotation(SUBSTITUTE)) && !is_off(object.label(SUBSTITUTE))
}

/// A text with variables, once their defaults are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Substituted {
    /// The whole of it is known.
    Known(String),
    /// A variable has no default.
    Unknown,
}

impl Substituted {
    /// The value that is read from the text then; `None` where it is not known.
    pub(super) fn value(&self) -> Option<Value> {
        let Self::Known(text) = self else { return None };
        match manifest::value("", text.as_bytes()) {
            Ok(read) => Some(read.map_or(Value::Null, |(value, _)| value)),
            Err(_) => None,
        }
    }
}

/// The text with its defaults; `None` where it has no variable.
pub(super) fn substituted(text: &str) -> Option<Substituted> {
    if !text.contains("${") {
        return None;
    }
    let mut found = false;
    let replaced = replace(text, &mut found, DEEPEST);
    found.then(|| replaced.map_or(Substituted::Unknown, Substituted::Known))
}

/// The text with its defaults; `None` where something is not known.
fn replace(text: &str, found: &mut bool, depth: usize) -> Option<String> {
    let (mut all, mut rest, mut is_known) = (String::new(), text, true);
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        all.push_str(before);
        if let Some(behind) = from.strip_prefix("$$") {
            all.push('$');
            // Behind it there is no variable of Flux any more.
            let braced = behind.strip_prefix('{').and_then(end_of).map_or(0, |end| end + 2);
            all.push_str(&behind[..braced]);
            rest = &behind[braced..];
            continue;
        }
        let Some(inner) = from.strip_prefix("${") else {
            all.push('$');
            rest = &from[1..];
            continue;
        };
        let Some(end) = end_of(inner).filter(|end| is_variable(&inner[..*end])) else {
            all.push_str("${");
            rest = inner;
            continue;
        };
        *found = true;
        let default = default_of(&inner[..end]).filter(|_| depth > 0);
        match default.and_then(|default| replace(default, &mut false, depth - 1)) {
            Some(value) => all.push_str(&value),
            None => is_known = false,
        }
        rest = &inner[end + 1..];
    }
    all.push_str(rest);
    is_known.then_some(all)
}

/// Where the brace closes that was opened before the text.
fn end_of(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            '\n' => return None,
            _ => {}
        }
        before = c;
    }
    None
}

/// How long the name is that a text begins with.
fn name_of(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { end }
}

/// Whether this stands between the braces of a variable: a name, and maybe what to do with it.
fn is_variable(inner: &str) -> bool {
    let name = name_of(inner);
    let behind = &inner[name..];
    name > 0 && (behind.is_empty() || behind.starts_with([':', '=', '-', '/', '^', ',', '#', '%']))
}

fn default_of(inner: &str) -> Option<&str> {
    let behind = &inner[name_of(inner)..];
    [":=", ":-", "=", "-"].into_iter().find_map(|operator| behind.strip_prefix(operator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;

    #[track_caller]
    fn known(text: &str, value: Value) {
        assert_eq!(substituted(text).and_then(|it| it.value()), Some(value), "{text}");
    }

    #[test]
    fn a_default_is_read_as_yaml() {
        known("${n:=3}", 3.into());
        known("${n:-true}", true.into());
        known("${n=a}-${m:-b}", "a-b".into());
        known("${n:=\"3\"}", "3".into());
        known("${n:=[1, 2]}", json!([1, 2]));
        known("${n:=${m:=4}}0", 40.into());
        known("${n:=}", Value::Null);
    }

    #[test]
    fn a_variable_without_a_default_is_unknown() {
        for text in ["${n}", "a-${_n1}", "${a:=1}${b}", "${n:0:3}", "${n/a/b}", "${n:=${m}}"] {
            assert_eq!(substituted(text), Some(Substituted::Unknown), "{text}");
        }
    }

    #[test]
    fn other_texts_have_no_variable() {
        for text in ["$n", "$${n}", "$${n:=3}", "${1}", "${}", "${a.b}", "${{ a }}", "${n", "$(n)"]
        {
            assert_eq!(substituted(text), None, "{text}");
        }
    }
}
