//! The cluster, reached through kubeconfig: the only user of kube's client.
//!
//! [`connect`](Cluster::connect) finds it, [`discover`](Cluster::discover) and
//! [`observe`](Cluster::observe) only read and dry-run, `execute` and `record` write, `wait` follows
//! what becomes of it. What the answers mean for the plan is decided in [`crate::core::plan`].

mod any_connection;
mod api_error;
mod api_request;
mod authentication;
mod authorization;
mod causes;
mod client;
mod connect;
mod credential;
mod credential_cache;
mod definitions;
mod delay;
mod diagnose;
mod discover;
mod dry_run_store;
mod emptied;
mod event;
mod everywhere;
mod exec_plugin;
mod execute;
mod fence;
mod history;
mod immutable;
mod in_cluster;
mod instances;
mod kubeconfig;
mod lease;
mod leftovers;
mod limits;
mod negotiate;
mod observe;
mod oidc;
mod parents;
mod path;
mod proxy;
mod record;
mod release;
mod request_tally;
mod retry_class;
mod retry_policy;
mod retyped;
mod send;
mod take_over;
mod tls;
mod touched;
mod transport;
mod wait;
mod whoami;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use crate::core::policy::run_options::Cascade;
pub use api_error::ApiError;
pub use causes::{is_of_limit, is_of_policy};
pub use connect::{Access, ConnectError, context_facts, way_digest};
pub use credential::NoCredential;
pub use credential_cache::CredentialCache;
pub use delay::{Delay, DelayEnd, Listener};
pub use event::RoundEvent;
pub use everywhere::ParentsRead;
pub use execute::{Apply, DeleteOutcome, WaitCondition};
pub use fence::WriteFence;
pub use history::{Append, HistoryError};
pub use kubeconfig::{PipeCache, context_names};
pub use limits::ResponseLimits;
pub use observe::{Members, ObserveOptions, SharedKind, SharedMembers, UnrecordedMembers};
pub use request_tally::RequestTally;
pub use retry_class::RetryClass;
pub use retry_policy::RetryPolicy;
pub use tls::{TlsFault, UnknownAuthority};
pub use touched::{TouchEnd, TouchEvent, TouchScope};
pub use wait::{FollowedKind, News, WatchScope};

use crate::core::right_cluster::ClusterFacts;
use crate::local::state_store::StateStore;

/// One API server. Clones share its connection, and each has a deadline of its own.
#[derive(Clone)]
pub struct Cluster {
    connection: Arc<Connection>,
    /// Until when passing faults are waited out; `None` for a few tries.
    patience: Option<RetryPolicy>,
    /// How many requests were sent through it and its clones.
    counted: Arc<AtomicUsize>,
    /// May forbid writes; `None` for one that never does.
    fence: Option<WriteFence>,
}

/// The way to an API server, with a count of the requests that were sent there.
struct Connection {
    client: client::RenewableClient,
    /// Its name for people: the kubeconfig's context, or `in-cluster`.
    name: String,
    /// Where it is, without what may be secret in that.
    url: String,
    /// A digest of the certificate authorities that the kubeconfig has for it.
    authorities: Option<String>,
    /// The namespace that the kubeconfig's context names.
    namespace: String,
    /// How many requests may be in flight at once.
    concurrency: usize,
    requests: AtomicUsize,
    /// How many there were of each verb and status code, over all connections.
    tally: RequestTally,
    /// How long an answer is waited for; `None` for ever.
    timeout: Option<Duration>,
    /// When the token expires that the kubeconfig has, where it says so.
    token_ends: Option<Timestamp>,
    /// How much of its answers is taken in.
    limits: ResponseLimits,
    /// Cached state from earlier runs.
    memory: StateStore,
    /// The parents of inventories that were seen.
    parents: parents::SeenParents,
    /// When it was last out of reach.
    outage: Mutex<Option<Instant>>,
    /// Receives what takes a while.
    delays: Mutex<delay::Delays>,
}

impl Cluster {
    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.connection.name
    }

    /// Where it is, without what may be secret in that.
    pub fn url(&self) -> &str {
        &self.connection.url
    }

    /// The host and port of its API server.
    pub fn host(&self) -> &str {
        let url = self.url();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Its marks among clusters, with its uid where that is known.
    pub fn facts(&self, uid: Option<&str>) -> ClusterFacts {
        ClusterFacts {
            context: self.name().to_owned(),
            server: self.url().to_owned(),
            authorities: self.connection.authorities.clone(),
            uid: uid.map(str::to_owned),
        }
    }

    /// The namespace that the kubeconfig's context names, else `default`.
    pub fn namespace(&self) -> &str {
        &self.connection.namespace
    }

    /// How many requests may be in flight at once.
    pub fn concurrency(&self) -> usize {
        self.connection.concurrency
    }

    /// How many requests were sent so far, retries included, by all that share the connection.
    pub fn requests(&self) -> usize {
        self.connection.requests.load(Ordering::Relaxed)
    }

    /// The same cluster, with a count of its own.
    pub fn counting(&self) -> Self {
        Self { counted: Arc::default(), ..self.clone() }
    }

    /// How many requests were sent since [`counting`](Self::counting) made it, or ever.
    pub fn counted(&self) -> usize {
        self.counted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
