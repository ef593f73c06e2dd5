//! Numbers as they are on Kubernetes' wire: JSON that Go has written and read once more.

use crate::core::json::{Number, Value};

/// A float as a JSON value: an integer if Go writes it as one. `None` for infinities and NaN, which
/// JSON does not have.
pub(super) fn wire(float: f64) -> Option<Value> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    if float.trunc() != float {
        return Number::from_f64(float).map(Value::Number);
    }
    if float.abs() < EXACT {
        return Some(Value::from(float as i64));
    }
    // Go writes the fewest digits that distinguish the float from its neighbours and fills up with
    // zeros; the integer read back from that is not always the float's own value.
    let written = float.to_string();
    let integer = written.parse::<i64>().map(Value::from);
    integer
        .or_else(|_| written.parse::<u64>().map(Value::from))
        .ok()
        .or_else(|| Number::from_f64(float).map(Value::Number))
}

/// A float as a key: as Go's `%g` writes it with 32 bits.
pub(super) fn key(float: f64) -> String {
    let float = float as f32;
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => float.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_without_a_fraction_is_an_integer_on_the_wire() {
        for (float, json) in [
            (1.0, "1"),
            (-0.0, "0"),
            (1e3, "1000"),
            (0.5, "0.5"),
            (-2e15, "-2000000000000000"),
            (1234567890123456789.0, "1234567890123456800"),
            (1e19, "10000000000000000000"),
            (9223372036854775808.0, "9223372036854776000"),
        ] {
            assert_eq!(wire(float).map(|value| value.to_string()).as_deref(), Some(json));
        }
        assert_eq!(wire(f64::NAN), None);
        assert_eq!(wire(f64::NEG_INFINITY), None);
    }

    #[test]
    fn a_float_as_a_key_has_32_bits() {
        for (float, text) in [
            (1.5, "1.5"),
            (1000.0, "1000"),
            (123456789.5, "1.2345679e+08"),
            (0.00001, "1e-05"),
            (1e30, "1e+30"),
            (1e300, ".inf"),
            (f64::NEG_INFINITY, "-.inf"),
        ] {
            assert_eq!(key(float), text);
        }
    }
}
