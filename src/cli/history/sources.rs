//! Where the rounds are read from: the histories in the clusters, and this machine's log.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use futures::stream::{self, StreamExt as _};

use super::sought::SoughtTarget;
use crate::cli::access::{AccessArgs, CONCURRENCY};
use crate::cli::exit::Failure;
use crate::cli::machine_file::history_folder;
use crate::cli::present::history::HistorySource;
use crate::cli::ui::Ui;
use crate::cluster::{ApiError, Cluster};
use crate::core::history::{KnownRun, RunRecord, merged};
use crate::core::inventory::Inventory;
use crate::local::history_log::HistoryLog;

/// In up to how many namespaces histories are listed by themselves, rather than in the whole cluster at once.
const FEW: usize = 3;

/// The error of a cluster whose history can't be read; its source says why.
const UNREAD: &str = "cannot read the history";

/// The rounds that are known, and where from.
#[derive(Debug, Default)]
pub(super) struct KnownRuns {
    /// The rounds, the newest first.
    pub(super) runs: Vec<KnownRun>,
    /// Where they are from.
    pub(super) sources: Vec<HistorySource>,
    /// How many requests were made.
    pub(super) requests: usize,
    /// Why the first cluster that could not be read could not be.
    pub(super) failure: Option<Failure>,
}

/// The rounds of a context's targets.
struct ContextRuns {
    context: String,
    runs: Vec<KnownRun>,
    requests: usize,
    failure: Option<Failure>,
}

/// The options of a reading.
#[derive(Clone, Copy)]
pub(super) struct SourceOptions<'a> {
    /// The targets.
    pub(super) targets: &'a [SoughtTarget],
    /// How to reach their clusters; `None` to ask none.
    pub(super) access: Option<&'a AccessArgs>,
    /// Whether whole records are needed, not only their summaries.
    pub(super) whole: bool,
    /// Whether a record of this machine's log is asked about.
    pub(super) takes: &'a dyn Fn(&RunRecord) -> bool,
}

/// Reads the rounds. A cluster that can't be read is a source with an error.
pub(super) async fn read(options: SourceOptions<'_>, ui: &mut Ui) -> KnownRuns {
    let SourceOptions { targets, access, whole, takes } = options;
    let mut known = KnownRuns::default();
    let mut in_clusters = Vec::new();
    if let Some(access) = access {
        let mut contexts: BTreeMap<Option<&str>, Vec<&SoughtTarget>> = BTreeMap::new();
        for target in targets {
            contexts.entry(target.context.as_deref()).or_default().push(target);
        }
        let waiting = ui.waiting("reading the history");
        let delays = ui.delays();
        let reads = contexts.into_iter().map(|(context, targets)| {
            let delays = delays.clone();
            async move {
                let mut access = access.access();
                access.context = context.map(str::to_owned);
                match Cluster::connect(&access).await {
                    Ok(cluster) => {
                        cluster.on_delay(delays);
                        of_cluster(&cluster, &targets, whole).await
                    }
                    Err(error) => ContextRuns {
                        context: context.unwrap_or("the current context").to_owned(),
                        runs: Vec::new(),
                        requests: 0,
                        failure: Some(error.into()),
                    },
                }
            }
        });
        let read = join_all(reads).await;
        waiting.finish_and_clear();
        for ContextRuns { context, runs, requests, failure } in read {
            known.sources.push(HistorySource {
                context: Some(context),
                records: runs.len(),
                error: failure.as_ref().map(why),
            });
            known.requests += requests;
            known.failure = known.failure.or(failure);
            in_clusters.extend(runs);
        }
    }
    let logged = match log().map(|log| log.records()) {
        None => Ok(Vec::new()),
        Some(Ok(records)) => Ok(records.into_iter().filter(|it| takes(it)).collect()),
        Some(Err(error)) => Err(error),
    };
    let (logged, error) = match logged {
        Ok(records) => (in_contexts(records), None),
        Err(error) => (Vec::new(), Some(format!("cannot read this machine's log: {error}"))),
    };
    let records = logged.len();
    known.sources.push(HistorySource { context: None, records, error });
    known.runs = merged(in_clusters, logged, |run| {
        let (inventory, context) = (&run.inventory, &run.context);
        let mut its = targets.iter().filter(|it| it.has(inventory, context));
        // The one that names the context, before one of the current context.
        let named = its.clone().find(|it| it.context.is_some());
        named.or_else(|| its.next()).map(|it| it.name.clone())
    });
    known
}

/// This user's log; `None` for a user without a home.
pub(super) fn log() -> Option<HistoryLog> {
    history_folder().map(HistoryLog::new)
}

/// Log records with the context that their cluster went by last.
fn in_contexts(records: Vec<RunRecord>) -> Vec<KnownRun> {
    let mut contexts: BTreeMap<String, String> = BTreeMap::new();
    for record in &records {
        if let Some(uid) = &record.cluster.uid {
            contexts.insert(uid.clone(), record.cluster.context.clone());
        }
    }
    let runs = records.into_iter().map(|record| {
        let last = record.cluster.uid.as_ref().and_then(|uid| contexts.get(uid));
        let context = last.unwrap_or(&record.cluster.context).clone();
        KnownRun::of(context, record)
    });
    runs.collect()
}

/// The rounds that a cluster has of some targets.
async fn of_cluster(cluster: &Cluster, targets: &[&SoughtTarget], whole: bool) -> ContextRuns {
    let context = cluster.name().to_owned();
    let inventory = |target: &SoughtTarget| {
        let namespace = target.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| cluster.namespace().to_owned());
        Inventory { name: target.inventory.clone(), namespace }
    };
    let inventories: Vec<Inventory> = targets.iter().map(|target| inventory(target)).collect();
    let (mut runs, mut failure) = (Vec::new(), None);
    if whole {
        let reads = inventories.iter().map(|inventory| cluster.history(inventory));
        let read: Vec<_> = stream::iter(reads).buffered(CONCURRENCY).collect().await;
        for (inventory, records) in inventories.iter().zip(read) {
            match records {
                Ok(records) => runs.extend(records.into_iter().map(|record| {
                    // The object says whose it is; a record may say anything.
                    let inventory = inventory.clone();
                    KnownRun { inventory, ..KnownRun::of(context.clone(), record) }
                })),
                Err(error) => failure = failure.or(Some(unread(error))),
            }
        }
    } else {
        let wanted: Vec<&Inventory> = inventories.iter().collect();
        let namespaces: BTreeSet<&str> = wanted.iter().map(|it| it.namespace.as_str()).collect();
        let found = match namespaces.len() > FEW {
            true => cluster.summaries_everywhere(&wanted).await,
            false => cluster.summaries(&wanted).await,
        };
        match found {
            Ok(mut found) => {
                for inventory in &inventories {
                    let summaries = found.remove(&inventory.id()).unwrap_or_default();
                    runs.extend(summaries.into_iter().map(|summary| {
                        KnownRun::in_short(context.clone(), inventory.clone(), summary)
                    }));
                }
            }
            Err(error) => failure = Some(unread(error)),
        }
    }
    ContextRuns { context, runs, requests: cluster.requests(), failure }
}

fn unread(error: ApiError) -> Failure {
    anyhow::Error::new(error).context(UNREAD).into()
}

/// Why a cluster could not be read, with its causes.
fn why(failure: &Failure) -> String {
    let causes = failure.error.chain().map(ToString::to_string);
    causes.filter(|cause| cause != UNREAD).collect::<Vec<_>>().join(": ")
}
