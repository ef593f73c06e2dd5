//! The cluster, reached through kubeconfig: the only user of kube's client.
//!
//! [`connect`](Cluster::connect) finds it, [`discover`](Cluster::discover) and
//! [`observe`](Cluster::observe) only read and dry-run, `execute` and `record` write, `wait` follows
//! what becomes of it. What the answers mean for the plan is decided in [`crate::core::plan`].

mod api_error;
mod authentication;
mod causes;
mod client;
mod connect;
mod credential;
mod delay;
mod diagnose;
mod discover;
mod emptied;
mod exec_plugin;
mod execute;
mod faults;
mod immutable;
mod in_cluster;
mod instances;
mod kubeconfig;
mod lease;
mod leftovers;
mod limits;
mod observe;
mod oidc;
mod path;
mod patience;
mod proxy;
mod recall;
mod record;
mod release;
mod retyped;
mod send;
mod take_over;
mod tls;
mod transport;
mod wait;
mod wire;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub use crate::core::policy::run_options::Cascade;
pub use api_error::ApiError;
pub use causes::{is_of_limit, is_of_policy};
pub use connect::{Access, ConnectError};
pub use credential::{CredentialCache, NoCredential};
pub use delay::{Delay, Listener, Next};
pub use execute::{Apply, Condition, Deleted};
pub use faults::Fault;
pub use kubeconfig::{PipeCache, context_names};
pub use limits::Limits;
pub use observe::{Members, Question, Strange};
pub use patience::Patience;
pub use tls::{TlsFault, UnknownAuthority};
pub use wait::{Followed, News, Scope};

use crate::local::state_store::Memory;

/// One API server. Clones share its connection, and each has a deadline of its own.
#[derive(Clone)]
pub struct Cluster {
    connection: Arc<Connection>,
    /// Until when passing faults are waited out; `None` for a few tries.
    patience: Option<Patience>,
}

/// The way to an API server, with a count of the requests that were sent there.
struct Connection {
    client: client::RenewableClient,
    /// What a person calls it: the kubeconfig's context, or `in-cluster`.
    name: String,
    /// Where it is, without what may be secret in that.
    url: String,
    /// The namespace that the kubeconfig's context names.
    namespace: String,
    /// How many requests may be in flight at once.
    concurrency: usize,
    requests: AtomicUsize,
    /// How long an answer is waited for; `None` for ever.
    timeout: Option<Duration>,
    /// When the token expires that the kubeconfig has, where it says so.
    token_ends: Option<Timestamp>,
    /// How much of its answers is taken in.
    limits: Limits,
    /// What was learnt of it in earlier runs.
    memory: Memory,
    /// When it was last out of reach.
    outage: Mutex<Option<Instant>>,
    /// Who is told what takes a while.
    delays: Mutex<delay::Delays>,
}

impl Cluster {
    /// What a person calls it.
    pub fn name(&self) -> &str {
        &self.connection.name
    }

    /// Where it is, without what may be secret in that.
    pub fn url(&self) -> &str {
        &self.connection.url
    }

    /// The namespace that the kubeconfig's context names, else `default`.
    pub fn namespace(&self) -> &str {
        &self.connection.namespace
    }

    /// How many requests may be in flight at once.
    pub fn concurrency(&self) -> usize {
        self.connection.concurrency
    }

    /// How many requests were sent so far, retries included.
    pub fn requests(&self) -> usize {
        self.connection.requests.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
