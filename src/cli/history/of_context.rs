//! Which records of this machine's log are of the context that is asked about.

use std::collections::BTreeSet;

use super::{HistoryArgs, sources};
use crate::core::history::RunRecord;

/// The context that is asked about, as this machine's log knows it.
#[derive(Default)]
pub(super) struct OfContext {
    /// Its name; `None` where all are asked about.
    context: Option<String>,
    /// The clusters that went by that name.
    clusters: BTreeSet<String>,
    /// The contexts that the log has in this repository.
    known: BTreeSet<String>,
}

impl OfContext {
    /// The context of the arguments, and what the log has of a repository.
    pub(super) fn of(args: &HistoryArgs, repository: Option<&str>) -> Self {
        let context = args.access.context.clone().filter(|context| !context.is_empty());
        let Some(context) = context else { return Self::default() };
        let records = sources::log().and_then(|log| log.records().ok()).unwrap_or_default();
        Self::among(context, &records, repository)
    }

    fn among(context: String, records: &[RunRecord], repository: Option<&str>) -> Self {
        let its = records.iter().filter(|it| it.cluster.context == context);
        let clusters = its.filter_map(|it| it.cluster.uid.clone()).collect();
        let ours = records.iter().filter(|it| repository.is_none_or(|id| id == it.repository));
        let known = ours.map(|it| it.cluster.context.clone()).filter(|it| !it.is_empty());
        Self { context: Some(context), clusters, known: known.collect() }
    }

    /// Whether a record is of it, by that name or of a cluster that went by that name.
    pub(super) fn has(&self, record: &RunRecord) -> bool {
        let Some(context) = &self.context else { return true };
        let uid = record.cluster.uid.as_ref();
        record.cluster.context == *context || uid.is_some_and(|uid| self.clusters.contains(uid))
    }

    /// That the log has rounds in other contexts alone; `None` where that is not so.
    pub(super) fn elsewhere(&self) -> Option<String> {
        let context = self.context.as_ref()?;
        if self.known.contains(context) || self.known.is_empty() {
            return None;
        }
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let known = known.join(", ");
        Some(format!(
            "this machine's log has no round in the context {context}; it has some in {known}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::history::RecordedCluster;
    use crate::local::history_log::tests::record;

    #[test]
    fn a_cluster_counts_by_any_of_its_names() {
        let of = |context: &str, uid: Option<&str>| {
            let (context, uid) = (context.to_owned(), uid.map(str::to_owned));
            RunRecord {
                cluster: RecordedCluster { uid, context, ..Default::default() },
                ..record(1)
            }
        };
        let records = [of("old", Some("a")), of("new", Some("a")), of("other", None)];
        let asked = |context: &str| OfContext::among(context.to_owned(), &records, None);
        let new = asked("new");
        assert_eq!(records.each_ref().map(|it| new.has(it)), [true, true, false]);
        assert_eq!(new.elsewhere(), None);
        let dead = asked("dead");
        assert!(records.iter().all(|it| !dead.has(it)));
        let told = dead.elsewhere().unwrap();
        assert!(
            told.ends_with("no round in the context dead; it has some in new, old, other"),
            "{told}"
        );
    }
}
