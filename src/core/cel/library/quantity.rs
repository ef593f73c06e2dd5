//! Amounts: k8s.io/apiserver, `pkg/cel/library/quantity.go`; k8s.io/apimachinery,
//! `pkg/api/resource/quantity.go`.

use std::cmp::Ordering;

use super::{Entry, Special, found, global, method, mismatch, special, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::EvaluationResult;
use crate::core::cel::value::ExpressionValue;

/// An amount, in billionths. Less than that is rounded up, and more than 2^63-1 is cut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

const ONE: i128 = 1_000_000_000;
const MOST: i128 = i64::MAX as i128 * ONE;

pub(super) const FUNCTIONS: &[Entry] = &[
    global("quantity", 1, 1, |_, a| match read(text(&a[0])?)? {
        Some(quantity) => Ok(found(Special::Quantity(quantity))),
        None => Err(EvaluationError::stopped("quantity(): a text is not a quantity")),
    }),
    global("isQuantity", 1, 1, |_, a| Ok(ExpressionValue::Bool(read(text(&a[0])?)?.is_some()))),
    method("isInteger", 1, 1, |_, a| {
        let amount = amount(&a[0])?;
        Ok(ExpressionValue::Bool(amount % ONE == 0))
    }),
    method("asInteger", 1, 1, |_, a| {
        let amount = amount(&a[0])?;
        match i64::try_from(amount / ONE) {
            Ok(whole) if amount % ONE == 0 => Ok(ExpressionValue::Int(whole)),
            _ => Err(EvaluationError::stopped("asInteger(): the quantity is not an integer")),
        }
    }),
    #[allow(clippy::cast_precision_loss, reason = "approximate, as it says")]
    method("asApproximateFloat", 1, 1, |_, a| {
        Ok(ExpressionValue::Double(amount(&a[0])? as f64 / 1e9))
    }),
    method("add", 2, 2, |_, a| sum(&a[0], &a[1], 1)),
    method("sub", 2, 2, |_, a| sum(&a[0], &a[1], -1)),
    method("isGreaterThan", 2, 2, |_, a| Ok(ExpressionValue::Bool(order(&a[0], &a[1])?.is_gt()))),
    method("isLessThan", 2, 2, |_, a| Ok(ExpressionValue::Bool(order(&a[0], &a[1])?.is_lt()))),
    method("compareTo", 2, 2, |_, a| {
        Ok(ExpressionValue::Int(match order(&a[0], &a[1])? {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }))
    }),
];

/// The quantity of a text. The server takes some that have no digit.
fn read(text: &str) -> Result<Option<Quantity>, EvaluationError> {
    match !text.is_empty() && Scale::of(text).is_some() {
        true => Err(EvaluationError::unsupported("a quantity without digits")),
        false => Ok(Quantity::read(text)),
    }
}

fn amount(value: &ExpressionValue<'_>) -> Result<i128, EvaluationError> {
    match special(value)? {
        Special::Quantity(quantity) => Ok(quantity.0),
        _ => Err(mismatch()),
    }
}

fn sum<'o>(
    one: &ExpressionValue<'o>,
    two: &ExpressionValue<'o>,
    sign: i128,
) -> EvaluationResult<'o> {
    let other = match two {
        ExpressionValue::Int(value) => i128::from(*value) * ONE,
        other => amount(other)?,
    };
    let total = amount(one)?.checked_add(other * sign);
    total.map(|total| found(Special::Quantity(Quantity(total)))).ok_or_else(mismatch)
}

/// The order of two quantities, or of two versions.
fn order(
    one: &ExpressionValue<'_>,
    two: &ExpressionValue<'_>,
) -> Result<Ordering, EvaluationError> {
    match (special(one)?, special(two)?) {
        (Special::Quantity(one), Special::Quantity(two)) => Ok(one.cmp(two)),
        (Special::Semver(one), Special::Semver(two)) => Ok(one.order(two)),
        _ => Err(mismatch()),
    }
}

impl Quantity {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (is_negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || number.is_empty() && !suffix.is_empty() {
            return None;
        }
        let scale = Scale::of(suffix)?;
        let mut digits: i128 = 0;
        let mut is_cut = false;
        let mut power = scale.tens + 9 - i32::try_from(fraction.len()).ok()?;
        let all = format!("{whole}{fraction}");
        for digit in all.trim_start_matches('0').bytes() {
            match digits.checked_mul(10).and_then(|it| it.checked_add(i128::from(digit - b'0'))) {
                Some(more) if more < i128::MAX >> 62 => digits = more,
                // Beyond so many digits only the size counts.
                _ => {
                    is_cut |= digit != b'0';
                    power += 1;
                }
            }
        }
        let mut amount = digits;
        let mut is_beyond = false;
        match amount.checked_mul(scale.binary) {
            Some(more) => amount = more,
            None => is_beyond = true,
        }
        while power > 0 && amount != 0 && !is_beyond {
            match amount.checked_mul(10) {
                Some(more) if more <= MOST * 10 => amount = more,
                _ => is_beyond = true,
            }
            power -= 1;
        }
        while power < 0 && amount != 0 {
            is_cut |= amount % 10 != 0;
            amount /= 10;
            power += 1;
            if amount == 0 {
                is_cut = true;
            }
        }
        if is_cut && digits != 0 {
            amount += 1;
        }
        let amount = if is_beyond { MOST } else { amount.min(MOST) };
        Some(Self(if is_negative { -amount } else { amount }))
    }
}

/// The factor of a number: a power of ten, and one of two.
struct Scale {
    tens: i32,
    binary: i128,
}

impl Scale {
    fn of(suffix: &str) -> Option<Self> {
        let tens = |tens| Some(Self { tens, binary: 1 });
        match suffix {
            "n" => tens(-9),
            "u" => tens(-6),
            "m" => tens(-3),
            "" => tens(0),
            "k" => tens(3),
            "M" => tens(6),
            "G" => tens(9),
            "T" => tens(12),
            "P" => tens(15),
            "E" => tens(18),
            _ => match ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|it| *it == suffix) {
                Some(at) => Some(Self { tens: 0, binary: 1 << (10 * (at + 1)) }),
                None => {
                    let exponent = suffix.strip_prefix(['e', 'E'])?;
                    exponent.parse().ok().filter(|tens: &i32| tens.abs() < 100_000).and_then(tens)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_server_reads_them() {
        for (text, billionths) in [
            ("1", 1_000_000_000),
            ("500m", 500_000_000),
            ("-1.5", -1_500_000_000),
            ("1Ki", 1_024_000_000_000),
            ("0.5Gi", 536_870_912_000_000_000),
            ("1e3", 1_000_000_000_000),
            ("1E-3", 1_000_000),
            (".5", 500_000_000),
            ("5.", 5_000_000_000),
            ("0.0000000001", 1),
            ("100E", MOST),
            ("1e90", MOST),
            ("0", 0),
            (".", 0),
            ("-", 0),
        ] {
            assert_eq!(Quantity::read(text), Some(Quantity(billionths)), "{text}");
        }
        for text in ["", "1.2.3", "512MB", "1 Gi", "1ki", "K", "1e", "1e3Ki", "٣"] {
            assert_eq!(Quantity::read(text), None, "{text}");
        }
    }
}
