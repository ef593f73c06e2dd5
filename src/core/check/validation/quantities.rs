//! Quantities, and what containers ask for.
//!
//! Source of the rules: k8s.io/apimachinery `pkg/api/resource/quantity.go`, and
//! `validateResourceRequirements` in Kubernetes' `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, map};
use super::names;
use crate::core::json::{Map, Value};

/// Quantities are compared in units of a billionth, the finest that there is.
pub(super) const ONE: i128 = 1_000_000_000;

/// The amount in billionths; `None` where it is not a quantity, or not one that is surely exact.
pub(super) fn amount(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => i128::from(whole).checked_mul(ONE),
            None => parse(&number.to_string()),
        },
        _ => None,
    }
}

fn parse(text: &str) -> Option<i128> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || whole.len() + fraction.len() == 0 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (times, by) = factor(suffix)?;
    let scale = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(by)?;
    let scaled = digits.checked_mul(times)?.checked_mul(ONE)?;
    (scaled % scale == 0).then(|| sign * (scaled / scale))
}

/// The factor and the divisor of a suffix.
fn factor(suffix: &str) -> Option<(i128, i128)> {
    let decimal = |power: u32| Some((10i128.pow(power), 1));
    let binary = |power: u32| Some((1i128 << power, 1));
    match suffix {
        "n" => Some((1, ONE)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1_000)),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10i128.checked_pow(exponent.unsigned_abs())?;
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }
}

/// A quantity that must not be negative.
pub(super) fn not_negative<'v>(faults: &mut Faults<'v>, value: Option<&'v Value>) {
    if let Some(value) = value.filter(|value| amount(value).is_some_and(|amount| amount < 0)) {
        faults.must(value, "be at least 0");
    }
}

/// A quantity that must be more than nothing.
pub(super) fn positive<'v>(faults: &mut Faults<'v>, value: Option<&'v Value>) {
    if let Some(value) = value.filter(|value| amount(value).is_some_and(|amount| amount <= 0)) {
        faults.must(value, "be more than 0");
    }
}

/// A resource that comes in whole pieces.
pub(super) fn whole<'v>(faults: &mut Faults<'v>, value: &'v Value) {
    if amount(value).is_some_and(|amount| amount % ONE != 0) {
        faults.must(value, "be an integer");
    }
}

/// The requests and the limits of a container.
pub(super) fn resources<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    let Some(resources) = map(container, "resources") else { return };
    let limits = map(resources, "limits");
    let requests = map(resources, "requests");
    for (name, value) in limits.into_iter().flatten() {
        resource(faults, limits.unwrap_or(resources), name, value);
    }
    for (name, value) in requests.into_iter().flatten() {
        resource(faults, requests.unwrap_or(resources), name, value);
        let limit = limits.and_then(|limits| limits.get(name.as_str()));
        let shares = is_shared(name);
        let Some(limit) = limit.filter(|limit| !limit.is_null()) else {
            if !shares {
                let what = "needs a limit of the same amount";
                faults.clash(requests.unwrap_or(resources), name, what);
            }
            continue;
        };
        let (Some(wanted), Some(most)) = (amount(value), amount(limit)) else { continue };
        if !shares && wanted != most {
            faults.says(value, format!("must be equal to its limit of {}", plain(limit)));
        } else if wanted > most {
            faults.says(
                value,
                format!("is {}, more than its limit of {}", plain(value), plain(limit)),
            );
        }
    }
    pages(faults, resources, [limits, requests]);
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Huge pages, which are for who has memory or processors too.
fn pages<'v>(faults: &mut Faults<'v>, resources: &'v Map, both: [Option<&'v Map>; 2]) {
    let has = |is_it: fn(&str) -> bool| {
        both.iter().flatten().any(|map| map.keys().any(|name| is_it(name.as_str())))
    };
    if has(|name| name.starts_with("hugepages-")) && !has(|name| matches!(name, "cpu" | "memory")) {
        let field = if both[0].is_some() { "limits" } else { "requests" };
        faults.clash(resources, field, "with huge pages must have cpu or memory too");
    }
}

fn resource<'v>(faults: &mut Faults<'v>, map: &'v Map, name: &'v str, value: &'v Value) {
    if !is_resource(name) {
        let what =
            "be cpu, memory, ephemeral-storage, hugepages-SIZE or a name such as example.com/gpu";
        faults.key(map, name, what);
    }
    not_negative(faults, Some(value));
    if is_extended(name) {
        whole(faults, value);
    }
    let page = name.strip_prefix("hugepages-").and_then(parse).filter(|page| *page > 0);
    if let (Some(page), Some(amount)) = (page, amount(value))
        && amount % page != 0
    {
        faults.must(value, format!("be a multiple of {}", &name["hugepages-".len()..]));
    }
}

/// Whether a container may ask for a resource of this name.
pub(super) fn is_resource(name: &str) -> bool {
    if names::qualified(name).is_some() {
        return false;
    }
    match name.contains('/') {
        false => {
            matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
        }
        true => is_native(name) || is_extended(name),
    }
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// A resource of a device, say, which comes in whole pieces.
pub(super) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_none()
}

/// Whether more of it may be given out than there is.
pub(super) fn is_shared(name: &str) -> bool {
    is_native(name) && !name.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_exactly() {
        for (text, amount) in [
            ("1", ONE),
            ("0.1", ONE / 10),
            ("100m", ONE / 10),
            ("1e3", 1000 * ONE),
            ("1E-3", ONE / 1000),
            ("-1.5k", -1500 * ONE),
            ("1Ki", 1024 * ONE),
            (".5", ONE / 2),
            ("2.", 2 * ONE),
            ("5n", 5),
            ("1E", ONE * 10i128.pow(18)),
        ] {
            assert_eq!(parse(text), Some(amount), "{text}");
        }
        for text in ["", ".", "1.2.3", "1x", "0.0000000001", "99999999999999999999999999999999E"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_of_resources_are_known_or_have_a_domain() {
        for name in ["cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu"] {
            assert!(is_resource(name), "{name}");
        }
        for name in ["gpu", "CPU", "storage", "a/b/c", "requests.a.b/c", ""] {
            assert!(!is_resource(name), "{name}");
        }
    }
}
