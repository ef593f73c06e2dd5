//! A version by semver.org.

use std::cmp::Ordering;

/// The most bytes that a version may have, as in the library.
const LONGEST: usize = 256;

/// A version. Build metadata is read, and counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub(super) numbers: [u64; 3],
    /// The identifiers of a pre-release; empty for a release.
    pub(super) pre: Vec<String>,
}

impl Version {
    /// The version that a tag is: with all three numbers, and maybe a `v` before them. A tag such as
    /// `v1` or `20240101` is a label that moves or a date, and not a version.
    pub fn of_tag(text: &str) -> Option<Self> {
        let version = text.strip_prefix('v').unwrap_or(text);
        let end = version.find(['-', '+']).unwrap_or(version.len());
        let numbers: Vec<&str> = version[..end].split('.').collect();
        let is_plain = |number: &&str| *number == "0" || !number.starts_with('0');
        (numbers.len() == 3 && numbers.iter().all(is_plain)).then(|| Self::read(text))?
    }

    /// A version whose last numbers may be missing, and count as 0.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        let (text, pre) = match text.split_once('-') {
            Some((text, pre)) => (text, Some(pre)),
            None => (text, None),
        };
        if !build.is_none_or(|build| build.split('.').all(is_identifier)) {
            return None;
        }
        let mut numbers = [0; 3];
        for (at, number) in text.split('.').enumerate() {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            *numbers.get_mut(at)? = digits.then(|| number.parse().ok())??;
        }
        let pre = pre.map(|pre| pre.split('.').map(str::to_owned).collect::<Vec<_>>());
        let pre = pre.unwrap_or_default();
        let is_sound = |part: &String| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            is_identifier(part) && !(is_number && part.len() > 1 && part.starts_with('0'))
        };
        pre.iter().all(is_sound).then_some(Self { numbers, pre })
    }

    /// Whether it comes before a release.
    pub fn is_pre_release(&self) -> bool {
        !self.pre.is_empty()
    }

    /// The pre-release of which release it is, or the release itself.
    pub(super) fn release(&self) -> [u64; 3] {
        self.numbers
    }
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let each = self.pre.iter().zip(&other.pre);
                let first = each.map(|(one, other)| compare(one, other)).find(|it| it.is_ne());
                first.unwrap_or_else(|| self.pre.len().cmp(&other.pre.len()))
            }
        };
        self.numbers.cmp(&other.numbers).then_with(pre)
    }
}

/// Numbers come before words, and go by their value, however long they are.
fn compare(one: &str, other: &str) -> Ordering {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number(one), is_number(other)) {
        (true, true) => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => one.cmp(other),
    }
}
