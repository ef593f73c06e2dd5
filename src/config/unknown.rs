//! Keys and values that trueup does not know, in words: serde lists every name that it expects,
//! and a person who mistyped one wants to read that one alone.

use crate::core::suggest::suggest;

/// Message of an unknown key, as serde opens it.
const FIELD: &str = "unknown field `";

/// Message of an unknown value, as serde opens it.
const VARIANT: &str = "unknown variant `";

/// The text between the unknown name and the known ones.
const EXPECTED: &str = "`, expected ";

/// serde's error about a file, with the name that was meant in place of all the known ones. Other
/// messages stay as they are, without the position at their end: the place says it already.
pub fn reworded(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    let opens = |what: &str| message.find(what).map(|at| (at, at + what.len()));
    let (Some((at, begin)), noun) = (match (opens(FIELD), opens(VARIANT)) {
        (Some(field), _) => (Some(field), "key"),
        (None, variant) => (variant, "value"),
    }) else {
        return message.to_owned();
    };
    let (path, rest) = (&message[..at], &message[begin..]);
    let Some((unknown, expected)) = rest.rsplit_once(EXPECTED) else { return message.to_owned() };
    // Known names stand between backticks: `a`, `b`, or `a` or `b`.
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let meant = suggest(unknown, known.iter().copied());
    let advice = match (meant.first(), known.as_slice()) {
        (Some(meant), _) => format!(", did you mean {meant:?}?"),
        (None, []) => String::new(),
        (None, [only]) => format!("; allowed here: {only}"),
        (None, [first @ .., last]) => format!("; allowed here: {} and {last}", first.join(", ")),
    };
    format!("{path}unknown {noun} {unknown:?}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_has_the_nearest_known_one_or_all_of_them() {
        for (message, expected) in [
            (
                "targets.a: unknown field `pahts`, expected one of `paths`, `name`, `wait` at line 3 column 5",
                "targets.a: unknown key \"pahts\", did you mean \"paths\"?",
            ),
            (
                "unknown field `trust`, expected `programs` or `render`",
                "unknown key \"trust\"; allowed here: programs and render",
            ),
            (
                "a.wait: unknown field `x`, expected `paths`",
                "a.wait: unknown key \"x\"; allowed here: paths",
            ),
            ("unknown field `x`, there are no fields", "unknown field `x`, there are no fields"),
            (
                "a: unknown variant `orphna`, expected one of `background`, `foreground`, `orphan`",
                "a: unknown value \"orphna\", did you mean \"orphan\"?",
            ),
            (
                "unknown field `a`, expected `b`, expected one of `c`, `d`",
                "unknown key \"a`, expected `b\"; allowed here: c and d",
            ),
            ("missing field `paths` at line 1 column 2", "missing field `paths`"),
        ] {
            assert_eq!(reworded(message), expected, "{message}");
        }
    }
}
