//! Waits until the kinds are served that a target brings: others that come after it may declare objects
//! of them.

use std::time::{Duration, Instant};

use super::Survey;
use crate::cluster::Cluster;
use crate::core::kinds::catalog::definition;
use crate::core::object::GroupKind;

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// Waits until the kinds that were surveyed as declared are served, for no longer than `timeout`.
pub async fn served_definitions(survey: &Survey, cluster: &Cluster, timeout: Duration) {
    let declared = survey.found.desired.objects.values();
    let kinds: Vec<GroupKind> = declared
        .filter_map(|manifest| definition(&manifest.object).map(|(kind, _)| kind))
        .collect();
    let end = Instant::now() + timeout;
    while !kinds.is_empty() && Instant::now() < end {
        let catalog = cluster.discover().await;
        let is_served = |kind: &GroupKind| {
            catalog.as_ref().is_ok_and(|catalog| catalog.preferred(kind).is_some())
        };
        if kinds.iter().all(is_served) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
