//! Versions: k8s.io/apiserver, `pkg/cel/library/semverlib.go`.

use std::cmp::Ordering;

use super::{Entry, Special, found, global, method, mismatch, special, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::value::ExpressionValue;

/// A version by semver.org; what stands after `+` counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Semver {
    numbers: [u64; 3],
    before: Vec<String>,
}

pub(super) const FUNCTIONS: &[Entry] = &[
    global("semver", 1, 2, |_, a| match read(a)? {
        Some(version) => Ok(found(Special::Semver(version))),
        None => Err(EvaluationError::stopped("semver(): a text is not a version")),
    }),
    global("isSemver", 1, 2, |_, a| Ok(ExpressionValue::Bool(read(a)?.is_some()))),
    method("major", 1, 1, |_, a| part(&a[0], 0)),
    method("minor", 1, 1, |_, a| part(&a[0], 1)),
    method("patch", 1, 1, |_, a| part(&a[0], 2)),
];

fn part<'o>(
    value: &ExpressionValue<'o>,
    at: usize,
) -> Result<ExpressionValue<'o>, EvaluationError> {
    match special(value)? {
        Special::Semver(version) => {
            Ok(ExpressionValue::Int(i64::try_from(version.numbers[at]).unwrap_or(i64::MAX)))
        }
        _ => Err(mismatch()),
    }
}

fn read(a: &[ExpressionValue<'_>]) -> Result<Option<Semver>, EvaluationError> {
    let text = text(&a[0])?;
    match a.get(1) {
        None | Some(ExpressionValue::Bool(false)) => Ok(Semver::read(text)),
        Some(ExpressionValue::Bool(true)) => Ok(Semver::read(&normal(text))),
        Some(_) => Err(mismatch()),
    }
}

/// A version without the `v` before it and without zeros before numbers, and with all numbers.
fn normal(text: &str) -> String {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let mut numbers: Vec<&str> = numbers
        .splitn(3, '.')
        .map(|number| match number.trim_start_matches('0') {
            "" if !number.is_empty() => "0",
            trimmed if trimmed.starts_with(|c: char| c.is_ascii_digit()) => trimmed,
            _ => number,
        })
        .collect();
    if rest.is_empty() {
        numbers.resize(3, "0");
    }
    format!("{}{rest}", numbers.join("."))
}

impl Semver {
    fn read(text: &str) -> Option<Self> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_word)) {
            return None;
        }
        let (numbers, before) = match text.split_once('-') {
            Some((numbers, before)) => (numbers, before.split('.').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let is_number = |text: &str| {
            text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
        };
        let is_sound = |word: &String| {
            is_word(word) && (!word.bytes().all(|b| b.is_ascii_digit()) || is_number(word))
        };
        if !before.iter().all(is_sound) {
            return None;
        }
        let mut parts = numbers.split('.');
        let mut numbers = [0; 3];
        for number in &mut numbers {
            let text = parts.next()?;
            *number = text.parse().ok().filter(|_| is_number(text))?;
        }
        parts.next().is_none().then_some(Self { numbers, before })
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then_with(|| match (self.before.is_empty(), other.before.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let words = self.before.iter().zip(&other.before).map(|(one, two)| {
                    match (one.parse::<u64>(), two.parse::<u64>()) {
                        (Ok(one), Ok(two)) => one.cmp(&two),
                        (Ok(_), Err(_)) => Ordering::Less,
                        (Err(_), Ok(_)) => Ordering::Greater,
                        (Err(_), Err(_)) => one.cmp(two),
                    }
                });
                let first = words.into_iter().find(|order| order.is_ne());
                first.unwrap_or_else(|| self.before.len().cmp(&other.before.len()))
            }
        })
    }
}
