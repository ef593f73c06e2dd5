//! Values that people write as a text or as a number: `60%` and `12`, `5m` and `90`.

use std::fmt;
use std::time::Duration;

use serde::Deserializer;
use serde::de::{Error, Visitor};

use crate::core::policy::MaxPrune;
use crate::core::policy::run_options::{duration, duration_or_none};

/// So many objects, or a share of them.
pub(super) fn share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<MaxPrune>, D::Error> {
    from.deserialize_any(Scalar(|text| text.parse())).map(Some)
}

/// A time.
pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    from.deserialize_any(Scalar(duration)).map(Some)
}

/// A time, which may be none at all.
pub(super) fn time_or_none<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    from.deserialize_any(Scalar(duration_or_none)).map(Some)
}

/// Reads what is written, whatever YAML takes it for.
pub(crate) struct Scalar<T>(pub(crate) fn(&str) -> Result<T, String>);

impl<T> Visitor<'_> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.0(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}
