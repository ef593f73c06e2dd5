//! The context of one change: the survey, the cluster and the servers that were asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::app::Survey;
use crate::cluster::{Cascade, Cluster, RetryPolicy};
use crate::core::approval::Approval;
use crate::core::inventory::Inventory;
use crate::core::kinds::catalog::Served;
use crate::core::plan::Change;

/// The context of one change.
#[derive(Clone, Copy)]
pub(super) struct Worker<'a> {
    pub(super) survey: &'a Survey,
    pub(super) cluster: &'a Cluster,
    pub(super) inventory: &'a Inventory,
    pub(super) approval: Option<&'a Approval>,
    /// How long what passes by itself is waited for.
    pub(super) patience: &'a RetryPolicy,
    /// How objects are deleted that own others.
    pub(super) cascade: Cascade,
    /// Servers that come up in this run.
    pub(super) servers: &'a Servers,
}

/// The kinds of a server, or why it did not answer.
pub(super) type ServedResult = Result<Vec<Served>, String>;

/// The servers that were asked, by group and version such as `metrics.k8s.io/v1`.
#[derive(Default)]
pub(super) struct Servers(Mutex<BTreeMap<String, Arc<OnceCell<ServedResult>>>>);

impl Servers {
    /// Every kind that became known.
    pub(super) fn kinds(&self) -> Vec<Served> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = asked.values().filter_map(|answer| answer.get()?.as_ref().ok());
        answers.flatten().cloned().collect()
    }

    pub(super) fn answer(&self, api_version: &str) -> Arc<OnceCell<ServedResult>> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(asked.entry(api_version.to_owned()).or_default())
    }
}

/// Where an object of the plan is served.
pub(super) fn endpoint(survey: &Survey, change: &Change) -> Option<Served> {
    survey.found.catalog.endpoint(&change.key.group_kind(), &change.version)
}
