//! How a plan is carried out, as `trueup.yaml` says it: for how long what is waited for, what becomes
//! of what deleted objects own, and of a commit that fails. Flags count first, and defaults last;
//! both are the command line's.

use std::time::Duration;

use serde::Deserialize;

/// Options for carrying a plan out; `None` where one is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Whether to wait until everything is healthy.
    pub wait: Option<bool>,
    /// For how long.
    pub timeout: Option<Duration>,
    /// How long another run on the same inventory is waited for.
    pub lock_timeout: Option<Duration>,
    /// The deletion propagation to dependents.
    pub cascade: Option<Cascade>,
    /// The action on a commit that fails.
    pub on_failure: Option<OnFailure>,
}

impl RunOptions {
    /// The same for a throwaway cluster, where nothing runs to wait for, nor to go back to.
    pub fn of_a_throwaway(self) -> Self {
        Self { wait: None, on_failure: None, ..self }
    }
}

/// The deletion propagation to the objects that a deleted one owns, such as a Deployment's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Cascade {
    /// They go after it.
    #[default]
    Background,
    /// They go before it: it is gone once they are.
    Foreground,
    /// They stay.
    Orphan,
}

/// The action on a commit that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Everything is left as it is.
    #[default]
    Stop,
    /// The last commit that was healthy is applied again.
    Rollback,
}

/// Reads a time such as `90s`, `5m` or `1h30m`; a plain number counts seconds.
///
/// # Errors
///
/// When it is not a time, or not such a time.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("invalid duration {text:?}: expected 90s, 5m or 1h30m");
    let (mut total, mut number) = (Duration::ZERO, String::new());
    let mut add = |number: &mut String, seconds: f64| {
        let count: f64 = std::mem::take(number).parse().map_err(|_| wrong())?;
        let part = Duration::try_from_secs_f64(count * seconds).map_err(|_| wrong())?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        Ok::<(), String>(())
    };
    for c in text.chars() {
        match c {
            '0'..='9' | '.' => number.push(c),
            's' => add(&mut number, 1.0)?,
            'm' => add(&mut number, 60.0)?,
            'h' => add(&mut number, 3600.0)?,
            _ => return Err(wrong()),
        }
    }
    if !number.is_empty() {
        add(&mut number, 1.0)?;
    }
    // No one waits for a year; a sum of instants must not overflow either.
    match total {
        Duration::ZERO => Err("must be more than 0".to_owned()),
        total if total > Duration::from_secs(366 * 86_400) => Err(wrong()),
        total => Ok(total),
    }
}

/// Reads a time, which may be none at all.
///
/// # Errors
///
/// As of [`duration`], except for 0.
pub fn duration_or_none(text: &str) -> Result<Duration, String> {
    match text.trim_end_matches(['s', 'm', 'h']) {
        "0" => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

/// Serialises a time as seconds.
///
/// # Errors
///
/// As the serialiser's.
pub fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        for (text, seconds) in
            [("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("7", 7.0), ("0.5s", 0.5)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "0", "0s", "m", "5d", "-5", "1m5x", "1.2.3", "99999999h", "1e9"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(duration_or_none("0s"), Ok(Duration::ZERO));
        assert!(duration_or_none("0x").is_err());
    }
}
