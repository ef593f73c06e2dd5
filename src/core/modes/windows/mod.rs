//! Windows of time in which changes are let through, or are not.

mod opening;
mod span;
#[cfg(test)]
mod tests;
mod zone;

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub use self::opening::{Closed, closed};
pub use self::span::Span;
pub use self::zone::Zone;
use crate::core::object::GroupKind;

/// The most spans of a target.
const SPANS: usize = 50;

/// One window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "window"))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Changes are let through only then: `Mon-Fri 09:00-17:00`.
    #[serde(default, deserialize_with = "spans")]
    #[cfg_attr(test, schemars(schema_with = "spans_schema"))]
    pub allow: Vec<Span>,
    /// Changes wait then: `Fri 15:00-24:00`, `2026-12-20..2027-01-02`.
    #[serde(default, deserialize_with = "spans")]
    #[cfg_attr(test, schemars(schema_with = "spans_schema"))]
    pub deny: Vec<Span>,
    /// The time zone, as `Europe/Berlin`; UTC when left out.
    #[serde(default, deserialize_with = "zone")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub zone: Zone,
    /// The kinds that it is about; all when left out. A commit that changes an object of one of them waits
    /// as a whole.
    #[serde(default)]
    pub kinds: BTreeSet<String>,
    /// Whether drift is put back all the same.
    #[serde(default)]
    pub drift: DriftRule,
}

/// The treatment of drift outside a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum DriftRule {
    /// It is put back.
    #[default]
    Heal,
    /// It waits, too.
    Hold,
}

impl Window {
    /// Whether it is about a change of these kinds; where they are unknown, only one about all kinds is.
    fn is_about(&self, kinds: Option<&BTreeSet<GroupKind>>) -> bool {
        let is_named = |kind: &GroupKind| {
            self.kinds.contains(&kind.kind) || self.kinds.contains(&kind.to_string())
        };
        match kinds {
            None => self.kinds.is_empty(),
            Some(kinds) if self.kinds.is_empty() => !kinds.is_empty(),
            Some(kinds) => kinds.iter().any(is_named),
        }
    }

    fn spans(&self) -> &[Span] {
        if self.allow.is_empty() { &self.deny } else { &self.allow }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = if self.allow.is_empty() { "deny" } else { "allow" };
        let spans: Vec<String> = self.spans().iter().map(ToString::to_string).collect();
        write!(f, "{rule} {}, {}", spans.join(", "), self.zone)?;
        match self.kinds.is_empty() {
            true => Ok(()),
            false => {
                let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
                write!(f, ", of {}", kinds.join(", "))
            }
        }
    }
}

/// The first window that can't be meant, by its place, and what is wrong with it.
pub fn first_fault(windows: &[Window]) -> Option<(usize, String)> {
    let spans: usize = windows.iter().map(|window| window.allow.len() + window.deny.len()).sum();
    if spans > SPANS {
        return Some((0, format!("there are {spans} spans; more than {SPANS} are not read")));
    }
    windows.iter().enumerate().find_map(|(place, window)| {
        let wrong = match (window.allow.is_empty(), window.deny.is_empty()) {
            (true, true) => "a key is missing: allow or deny",
            (false, false) => "allow and deny exclude each other: write two windows",
            _ if window.kinds.iter().any(String::is_empty) => "kinds: a name is missing",
            _ => return None,
        };
        Some((place, wrong.to_owned()))
    })
}

/// Reads one span, or a list of them.
fn spans<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Span>, D::Error> {
    struct Spans;

    impl<'de> Visitor<'de> for Spans {
        type Value = Vec<Span>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a span of time, or a list of them")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<Span>, E> {
            Ok(vec![Span::read(text).map_err(E::custom)?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Span>, A::Error> {
            let mut spans = Vec::new();
            while let Some(text) = list.next_element::<String>()? {
                spans.push(Span::read(&text).map_err(A::Error::custom)?);
            }
            Ok(spans)
        }
    }
    from.deserialize_any(Spans)
}

fn zone<'de, D: Deserializer<'de>>(from: D) -> Result<Zone, D::Error> {
    Zone::read(&String::deserialize(from)?).map_err(D::Error::custom)
}

#[cfg(test)]
fn spans_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "anyOf": [
            { "type": "string", "minLength": 1 },
            { "type": "array", "items": { "type": "string", "minLength": 1 } },
        ],
    })
}
