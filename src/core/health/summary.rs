//! The result of waiting: every object that was waited for, and how it is.

use std::time::Duration;

use serde::Serialize;

use super::{Health, HealthState};
use crate::core::object::ObjectKey;
use crate::core::policy::run_options::as_seconds;

/// One object and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectHealth {
    /// Which object.
    pub key: ObjectKey,
    /// How it is.
    pub health: Health,
    /// How long after waiting began it came to be so.
    #[serde(serialize_with = "as_seconds")]
    pub after: Duration,
    /// Evidence, line by line: pods, events, logs. Redacted before it is shown.
    pub details: Vec<String>,
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ended"))]
#[serde(rename_all = "kebab-case")]
pub enum WaitEnd {
    /// It has not.
    #[default]
    Waiting,
    /// Everything is ready.
    Ready,
    /// Something failed, and stayed so.
    Failed,
    /// The time was up.
    Timeout,
    /// A signal came.
    Interrupted,
    /// A newer commit has come.
    Superseded,
}

impl WaitEnd {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Superseded => "superseded",
        }
    }
}

/// How the desired objects are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HealthSummary {
    /// How many are ready.
    pub ready: usize,
    /// Those that are not, the failed ones first.
    pub others: Vec<ObjectHealth>,
    /// How many are not waited for: their annotation says so, or they could not be applied.
    pub unasked: usize,
    /// Obstacles to looking.
    pub notes: Vec<String>,
    /// Why waiting ended.
    pub ended: WaitEnd,
    /// How long it took.
    #[serde(serialize_with = "as_seconds")]
    pub elapsed: Duration,
}

impl HealthSummary {
    /// Whether all that was waited for is ready.
    pub fn is_ready(&self) -> bool {
        self.others.is_empty()
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.others.iter().filter(|it| it.health.state == HealthState::Failed).count()
    }

    /// How many are neither ready nor failed.
    pub fn progressing(&self) -> usize {
        self.others.len() - self.failed()
    }
}
