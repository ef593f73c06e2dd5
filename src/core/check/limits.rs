//! Limits on a value of the right type: its length, its size, the members of an enum, the form of a
//! quantity.

use std::cell::RefCell;
use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::dialect::Dialect;
use crate::core::json::Value;
use crate::core::kinds::schemas::Schema;
use crate::core::pattern::Pattern;
use crate::core::suggest::suggest;

/// As Go decodes it: the last bits beyond the last byte are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// How many bytes one pattern may take compiled.
const PATTERN: usize = 1 << 20;
/// How many bytes all patterns may take compiled, and how much work they may be; what is beyond is
/// for the API server to say.
const PATTERNS: PatternBudget = PatternBudget { bytes: 64 << 20, work: 1_000_000_000 };

/// The budget for patterns.
#[derive(Clone, Copy)]
struct PatternBudget {
    bytes: usize,
    work: u64,
}

/// Patterns, each compiled once; `None` for a text that is not a pattern here.
pub(super) struct Patterns(RefCell<(HashMap<String, Option<Pattern>>, PatternBudget)>);

impl Default for Patterns {
    fn default() -> Self {
        Self::within(PATTERNS)
    }
}

impl Patterns {
    fn within(patience: PatternBudget) -> Self {
        Self(RefCell::new((HashMap::new(), patience)))
    }

    /// Whether a pattern is found in a text, as far as that can be decided.
    fn matches(&self, pattern: &str, text: &str) -> bool {
        let (known, left) = &mut *self.0.borrow_mut();
        if !known.contains_key(pattern) {
            let compiled = Pattern::new(pattern, PATTERN.min(left.bytes)).ok();
            left.bytes -= compiled.as_ref().map_or(0, Pattern::size);
            known.insert(pattern.to_owned(), compiled);
        }
        let Some(Some(pattern)) = known.get(pattern) else { return true };
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let Some(work) = left.work.checked_sub(length.saturating_mul(pattern.weight())) else {
            return true;
        };
        left.work = work;
        pattern.is_in(text)
    }
}

/// The violation of a value.
pub(super) enum LimitViolation<'a> {
    /// The required form.
    MustBe(String),
    /// How much it must have, and how much it has.
    Amount(String),
    /// It is none of these.
    NoneOf(&'a [Value], Option<String>),
}

impl LimitViolation<'_> {
    /// In words; `shown` is the value as far as it may be shown.
    pub(super) fn text(&self, name: &str, shown: &str) -> String {
        match self {
            Self::MustBe(what) => format!("{name} must {what}, not {shown}"),
            Self::Amount(what) => format!("{name} must {what}"),
            Self::NoneOf(values, meant) => {
                let meant = match meant {
                    Some(meant) => format!(", did you mean {meant}?"),
                    None => String::new(),
                };
                let values: Vec<String> =
                    values.iter().filter(|value| *value != "").map(plain).collect();
                format!("{name} must be one of {}, not {shown}{meant}", values.join(", "))
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Everything that is wrong with a value of the right type.
pub(super) fn complaints<'s>(
    value: &Value,
    schema: &'s Schema,
    by: Dialect,
    patterns: &Patterns,
) -> Vec<LimitViolation<'s>> {
    let mut found = Vec::new();
    let is_release = matches!(by, Dialect::Release | Dialect::Status);
    if is_release {
        found.extend(form(value, schema));
    }
    let is_left_out = is_release && value == "";
    if by != Dialect::Status
        && !schema.values.is_empty()
        && !is_left_out
        && !schema.values.contains(value)
    {
        let names = schema.values.iter().filter_map(Value::as_str);
        let meant =
            value.as_str().and_then(|text| suggest(text, names).first().map(ToString::to_string));
        found.push(LimitViolation::NoneOf(&schema.values, meant));
    }
    let bounds = match value {
        Value::String(text) => text_bounds(text, schema, patterns),
        Value::Number(number) => number_bounds(number.as_f64().unwrap_or_default(), schema),
        Value::Array(list) => sizes(list.len(), "element", schema.min_items, schema.max_items),
        Value::Object(map) => {
            sizes(map.len(), "field", schema.min_properties, schema.max_properties)
        }
        _ => Vec::new(),
    };
    found.extend(bounds);
    found
}

/// The refusal of Go's own types of the release.
fn form<'s>(value: &Value, schema: &Schema) -> Option<LimitViolation<'s>> {
    let what = match (schema.format.as_deref()?, value) {
        ("int32", Value::Number(number)) => {
            // The server takes what it reads as a floating-point number, whatever its size.
            let fits = number.as_i64().is_none_or(|whole| i32::try_from(whole).is_ok());
            (!fits).then_some("fit into 32 bits")
        }
        ("byte", Value::String(text)) => {
            let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            BASE64.decode(text).is_err().then_some("be base64")
        }
        ("quantity", Value::String(text)) => {
            (!is_quantity(text)).then_some("be a quantity such as 500m, 2 or 1.5Gi")
        }
        ("quantity", Value::Number(_)) => None,
        ("quantity", _) => Some("be a quantity such as 500m, 2 or 1.5Gi"),
        _ => None,
    };
    what.map(|what| LimitViolation::MustBe(what.to_owned()))
}

/// Whether the API server reads text as an amount. What is on the edge is taken.
fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if digits.len() == unsigned.len() {
        return text.is_empty();
    }
    if unsigned[..unsigned.len() - digits.len()].matches('.').count() > 1 {
        return false;
    }
    let exponent = digits.strip_prefix(['e', 'E']).map(|e| e.trim_start_matches(['+', '-']));
    exponent.is_some_and(|exponent| exponent.bytes().all(|byte| byte.is_ascii_digit()))
        || ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
            .contains(&digits)
}

fn text_bounds<'s>(text: &str, schema: &Schema, patterns: &Patterns) -> Vec<LimitViolation<'s>> {
    let mut found = Vec::new();
    if let Some(pattern) = &schema.pattern
        && !patterns.matches(pattern, text)
    {
        found.push(LimitViolation::MustBe(format!("match {pattern}")));
    }
    if schema.min_length.is_some() || schema.max_length.is_some() {
        let length = text.chars().count();
        found.extend(sizes(length, "character", schema.min_length, schema.max_length));
    }
    found
}

fn sizes<'s>(
    size: usize,
    what: &str,
    least: Option<u64>,
    most: Option<u64>,
) -> Vec<LimitViolation<'s>> {
    let size = size as u64;
    let name = |count: u64| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let few = least.filter(|least| size < *least).map(|least| ("at least", least));
    let many = most.filter(|most| size > *most).map(|most| ("at most", most));
    let told = |(how, bound)| {
        LimitViolation::Amount(format!("have {how} {}, and has {size}", name(bound)))
    };
    few.into_iter().chain(many).map(told).collect()
}

fn number_bounds<'s>(number: f64, schema: &Schema) -> Vec<LimitViolation<'s>> {
    let mut found = Vec::new();
    if let Some(least) = schema.minimum
        && (number < least || schema.exclusive_minimum && number == least)
    {
        let than = if schema.exclusive_minimum { "more than" } else { "at least" };
        found.push(LimitViolation::MustBe(format!("be {than} {least}")));
    }
    if let Some(most) = schema.maximum
        && (number > most || schema.exclusive_maximum && number == most)
    {
        let than = if schema.exclusive_maximum { "less than" } else { "at most" };
        found.push(LimitViolation::MustBe(format!("be {than} {most}")));
    }
    if let Some(step) = schema.multiple_of.filter(|step| step.fract() == 0.0 && *step != 0.0)
        && number % step != 0.0
    {
        found.push(LimitViolation::MustBe(format!("be a multiple of {step}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_check_has_size_and_time_limits() {
        let patience = PatternBudget { bytes: 10 << 10, work: 100 };
        let patterns = Patterns::within(patience);
        assert!(!patterns.matches("^a$", "b"), "there is room for it");
        assert!(!patterns.matches("^a.$", "b"), "and for another one");
        assert!(patterns.matches("^a..$", "b"), "and for no third");
        assert!(!patterns.matches("^a$", &"b".repeat(23)), "there is time for it");
        assert!(patterns.matches("^a$", "b"), "and no more");
    }

    #[test]
    fn a_number_fits_into_the_bits_of_its_format() {
        let is_refused = |format: &str, number: &str| {
            let schema = Schema { format: Some(format.into()), ..Schema::default() };
            let value = Value::from(serde_json::from_str::<serde_json::Value>(number).unwrap());
            let has = |by| !complaints(&value, &schema, by, &Patterns::default()).is_empty();
            assert!(!has(Dialect::Custom), "{format} {number}: no definition's formats are held");
            has(Dialect::Release)
        };
        for number in ["0", "2147483647", "-2147483648", "3.0", "1e10", "9223372036854775808"] {
            assert!(!is_refused("int32", number), "{number}");
        }
        for number in ["2147483648", "-2147483649", "9223372036854775807"] {
            assert!(is_refused("int32", number), "{number}");
        }
    }

    #[test]
    fn a_quantity_is_a_number_with_a_unit_of_kubernetes() {
        for text in ["1", "0.5", "500m", "1.5Gi", "+1k", "-2", "1e3", "1E-3", ".5", "1.", "3Ei"] {
            assert!(is_quantity(text), "{text}");
        }
        for text in ["512MB", "1 Gi", "Gi", "1gi", "one", "1e3x", "2Kib", "1.5.2"] {
            assert!(!is_quantity(text), "{text}");
        }
    }
}
