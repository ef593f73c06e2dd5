//! The ref that a target tracks: `ref:` of `trueup.yaml`, a branch, a tag, a commit, or the newest tag in a
//! range of versions.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::semver::{Version, VersionRange};
use super::suggest::suggest;

/// The keys of a range.
const KEYS: [&str; 2] = ["semver", "tag-prefix"];

/// The ref that a target tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackedRef {
    /// A branch or a tag by its short or full name, or the full id of a commit.
    Name(String),
    /// The tag with the newest version of a range.
    Newest {
        /// The range.
        range: VersionRange,
        /// The beginning of the tags, before the version.
        prefix: String,
    },
}

/// A tag that may be the newest, and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagCandidate {
    /// The short name of the tag.
    pub name: String,
    /// When its commit was made, in seconds of Unix time.
    pub seconds: i64,
}

/// The choice among the tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagChoice {
    /// The tag with the newest version that is in the range.
    pub tag: Option<String>,
    /// The newest version that the range leaves out and that Flux and Argo CD take.
    pub taken_elsewhere: Option<String>,
}

impl TrackedRef {
    /// Reads the name of a ref.
    ///
    /// # Errors
    ///
    /// When git does not know such names.
    pub fn named(text: &str) -> Result<Self, String> {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.ends_with(".lock")
        };
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
        let is_name = text.split('/').all(is_part)
            && !text.contains(is_odd)
            && !text.contains("..")
            && !text.contains("@{")
            && !text.starts_with('-')
            && !["@", "HEAD"].contains(&text);
        let is_known = !text.starts_with("refs/")
            || ["refs/heads/", "refs/tags/"].iter().any(|kind| text.starts_with(kind));
        match (is_name, is_known) {
            (true, true) => Ok(Self::Name(text.to_owned())),
            (true, false) => Err(format!("{text:?} is neither a branch nor a tag")),
            (false, _) if VersionRange::read(text).is_ok() => {
                Err(format!("{text:?} is a range of versions; write it as `semver: {text:?}`"))
            }
            (false, _) => Err(format!("{text:?} is not the name of a branch, a tag or a commit")),
        }
    }

    /// The full id of the commit, where it is one.
    pub fn commit(&self) -> Option<&str> {
        let Self::Name(name) = self else { return None };
        let is_hex =
            name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (is_hex && matches!(name.len(), 40 | 64)).then_some(name)
    }

    /// Chooses among the tags that begin with the prefix. Tags that are not versions are skipped. Of
    /// equal versions that differ in their build metadata, the one of the newer commit counts, then
    /// the one whose name is greater.
    pub fn choose<'t>(
        range: &VersionRange,
        prefix: &str,
        tags: impl IntoIterator<Item = &'t TagCandidate>,
    ) -> TagChoice {
        let (mut best, mut elsewhere) = (None, None);
        for TagCandidate { name, seconds } in tags {
            let Some(version) = name.strip_prefix(prefix).and_then(Version::of_tag) else {
                continue;
            };
            if range.contains(&version) {
                best = best.max(Some((version, *seconds, name)));
            } else if range.is_taken_elsewhere(&version) {
                elsewhere = elsewhere.max(Some((version, *seconds, name)));
            }
        }
        let taken_elsewhere = elsewhere.filter(|it| Some(it) > best.as_ref());
        let name = |found: Option<(Version, i64, &String)>| found.map(|(_, _, name)| name.clone());
        TagChoice { tag: name(best), taken_elsewhere: name(taken_elsewhere) }
    }
}

impl fmt::Display for TrackedRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Newest { range, prefix } if prefix.is_empty() => write!(f, "semver {range}"),
            Self::Newest { range, prefix } => write!(f, "semver {prefix}{range}"),
        }
    }
}

impl<'de> Deserialize<'de> for TrackedRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RefVisitor)
    }
}

struct RefVisitor;

impl<'de> Visitor<'de> for RefVisitor {
    type Value = TrackedRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a branch, a tag or a commit, or `semver: RANGE`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TrackedRef, E> {
        TrackedRef::named(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<TrackedRef, E> {
        Err(E::custom(format!("a name that looks like a number needs quotes: \"{number}\"")))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<TrackedRef, E> {
        Err(E::custom("a name that looks like a number needs quotes, such as \"1.10\""))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TrackedRef, A::Error> {
        let (mut range, mut prefix) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "semver" if range.is_none() => range = Some(map.next_value::<WrittenRange>()?.0),
                "tag-prefix" if prefix.is_none() => {
                    prefix = Some(map.next_value::<WrittenPrefix>()?.0);
                }
                "semver" | "tag-prefix" => {
                    return Err(A::Error::custom(format!("duplicate key {key:?}")));
                }
                key => {
                    let near = suggest(key, KEYS);
                    let near = near.first().map(|it| format!(", did you mean {it:?}?"));
                    let near = near.unwrap_or_default();
                    return Err(A::Error::custom(format!(
                        "unknown key {key:?}{near}; allowed here: semver, tag-prefix"
                    )));
                }
            }
        }
        let range = range.ok_or_else(|| A::Error::custom("the key \"semver\" is missing"))?;
        Ok(TrackedRef::Newest { range, prefix: prefix.unwrap_or_default() })
    }
}

/// A range, read where it stands, so that a fault has its line.
struct WrittenRange(VersionRange);

impl<'de> Deserialize<'de> for WrittenRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor).map(Self)
    }
}

struct RangeVisitor;

impl Visitor<'_> for RangeVisitor {
    type Value = VersionRange;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a range of versions such as \">=1.2 <2\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<VersionRange, E> {
        VersionRange::read(text)
            .map_err(|error| E::custom(format!("invalid range {:?}: {error}", shortened(text))))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<VersionRange, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<VersionRange, E> {
        Err(E::custom("a range that looks like a number needs quotes, such as \"1.10\""))
    }
}

/// The beginning of a tag.
struct WrittenPrefix(String);

impl<'de> Deserialize<'de> for WrittenPrefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The rest of the name is a version, so the whole is a name where this is.
        match TrackedRef::named(&format!("refs/tags/{text}1.0.0")) {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(D::Error::custom(format!("{text:?} is not the beginning of a tag"))),
        }
    }
}

/// As much of a text as a message holds.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(range: &str, prefix: &str, tags: &[(&str, i64)]) -> TagChoice {
        let candidate = |(name, seconds): &(&str, i64)| TagCandidate {
            name: (*name).to_owned(),
            seconds: *seconds,
        };
        let tags: Vec<TagCandidate> = tags.iter().map(candidate).collect();
        TrackedRef::choose(&VersionRange::read(range).unwrap(), prefix, &tags)
    }

    #[test]
    fn newest_version_of_a_range_is_chosen() {
        for (range, prefix, tags, expected) in [
            (">=1.2 <2", "", &[("v1.2.0", 9), ("v1.10.0", 1), ("v2.0.0", 9)][..], Some("v1.10.0")),
            (">=1.2", "", &[("latest", 1), ("v9", 1), ("20240101", 1)], None),
            (
                "1.x",
                "app-",
                &[("v1.9.0", 1), ("app-1.2.0", 1), ("app-v1.3.0", 1)],
                Some("app-v1.3.0"),
            ),
            ("1.x", "", &[("1.2.0+b", 1), ("1.2.0+a", 2)], Some("1.2.0+a")),
            ("1.x", "", &[("1.2.0+b", 2), ("1.2.0+a", 2)], Some("1.2.0+b")),
            ("1.x", "", &[("1.2.0", 1), ("1.3.0-rc.1", 2)], Some("1.2.0")),
            ("1.x-0", "", &[("1.2.0", 1), ("1.3.0-rc.1", 2)], Some("1.3.0-rc.1")),
        ] {
            assert_eq!(choose(range, prefix, tags).tag.as_deref(), expected, "{range} {tags:?}");
        }
    }

    #[test]
    fn a_tag_that_flux_takes_is_told_where_it_is_newer() {
        let tags = [("v1.9.0", 1), ("v2.0.0-rc.1", 2)];
        let choice = choose(">=1.2.0-0 <2.0.0", "", &tags);
        assert_eq!(choice.tag.as_deref(), Some("v1.9.0"));
        assert_eq!(choice.taken_elsewhere.as_deref(), Some("v2.0.0-rc.1"));
        assert_eq!(choose(">=1.2.0 <2.0.0", "", &tags).taken_elsewhere, None);
    }

    #[test]
    fn refs_are_read_with_their_faults() {
        let read = |text: &str| serde_yaml::from_str::<TrackedRef>(text).map_err(|e| e.to_string());
        for name in ["main", "team/x", "refs/heads/x", "refs/tags/v1.2", "v1.4.2", "\"1.10\""] {
            assert_eq!(read(name), Ok(TrackedRef::Name(name.trim_matches('"').to_owned())));
        }
        for (text, message) in [
            ("\">=1.2 <2\"", "\">=1.2 <2\" is a range of versions"),
            ("a..b", "\"a..b\" is not the name"),
            ("-x", "\"-x\" is not the name"),
            ("\"\"", "\"\" is not the name"),
            ("HEAD", "\"HEAD\" is not the name"),
            ("main~1", "\"main~1\" is not the name"),
            ("refs/notes/x", "\"refs/notes/x\" is neither"),
            ("1.10", "a name that looks like a number needs quotes"),
            ("12", "a name that looks like a number needs quotes"),
            ("{semver: 1.10}", "semver: a range that looks like a number"),
            ("{semver: \">=1 <\"}", "semver: invalid range \">=1 <\": the range ends"),
            ("{semvr: x}", "unknown key \"semvr\", did you mean \"semver\"?"),
            ("{tag-prefix: v}", "the key \"semver\" is missing"),
            ("{semver: 1.x, tag-prefix: \"a b\"}", "\"a b\" is not the beginning"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(message), "{text}: {error}");
        }
        let newest = read("{semver: \"^1\", tag-prefix: app-}").unwrap();
        assert_eq!(newest.to_string(), "semver app-^1");
    }
}
