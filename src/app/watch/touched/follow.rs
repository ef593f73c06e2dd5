//! Keeps the watch of one kind: across the cluster, or where that is forbidden in each namespace. One that
//! is lost is begun again, with longer and longer pauses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::{KindKey, Touched, Wanted};
use crate::cluster::{Access, Cluster, TouchEnd, TouchEvent, TouchScope};
use crate::core::kinds::catalog::Served;
use crate::core::touched::TouchedBook;
use crate::local::jitter::jittered;

/// How many inventories a selector names; with more, all objects that have the label are watched.
const MOST_NAMED: usize = 20;
/// How long targets are waited for that come at the same time.
const SETTLE: Duration = Duration::from_secs(1);
/// How often they are waited for.
const SETTLES: usize = 10;
/// The pause before a watch that was lost is begun again; it doubles.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const JITTER: f64 = 0.2;
/// After how many losses in a row there is a warning.
const LOSSES: u32 = 3;
/// A watch that lived so long was not lost at once.
const LIVED: Duration = Duration::from_secs(10);
/// When a right that was missing is tried again.
const FORBIDDEN: Duration = Duration::from_secs(600);
/// How many events are kept until they are looked at.
const EVENTS: usize = 64;

/// The way to a cluster, which all of its watches share.
pub(super) struct Door {
    access: Access,
    /// Where it leads.
    url: String,
    /// The connection; `None` where another one is to be made.
    open: Mutex<Option<Cluster>>,
}

impl Door {
    /// The way to the cluster that a round went to, and to no other one.
    pub(super) fn new(cluster: &Cluster, access: &Access) -> Self {
        let context = match access.context {
            None if cluster.name() != "in-cluster" => Some(cluster.name().to_owned()),
            _ => access.context.clone(),
        };
        let url = cluster.url().to_owned();
        Self { access: Access { context, ..access.clone() }, url, open: Mutex::new(None) }
    }

    /// Makes another connection next time: the credential may be another one.
    pub(super) fn close(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn cluster(&self) -> Result<Cluster, String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = &*open {
            return Ok(cluster.clone());
        }
        let cluster = Cluster::for_watches(&self.access).map_err(|error| error.to_string())?;
        if cluster.url() != self.url {
            return Err(format!("the kubeconfig now points to {}", cluster.url()));
        }
        Ok(open.insert(cluster).clone())
    }
}

/// Follows one kind of a cluster.
pub(super) struct KindFollower {
    pub(super) hub: Touched,
    pub(super) key: KindKey,
    pub(super) served: Served,
    pub(super) door: Arc<Door>,
}

/// The objects that were seen, by namespace; `None` for the whole cluster.
type Books = BTreeMap<Option<String>, TouchedBook>;

impl KindFollower {
    /// Follows it for as long as it is wanted.
    pub(super) async fn run(self, mut wanted: watch::Receiver<Wanted>) {
        let mut books = Books::new();
        loop {
            let now = wanted.borrow_and_update().clone();
            tokio::select! {
                () = self.follow(&now, &mut books) => {}
                is_wanted = settled(&mut wanted) => match is_wanted {
                    true => {}
                    false => return,
                }
            }
        }
    }

    /// Follows what is wanted now. Returns where a right is missing and should be tried again. Where it is
    /// dropped before, the books stay: what is touched until the next list is found there.
    async fn follow(&self, wanted: &Wanted, books: &mut Books) {
        let ids: BTreeSet<String> = wanted.inventories.keys().cloned().collect();
        let scope = Scope { namespace: None, ids };
        let why = self.follow_scope(&scope, books.entry(None).or_default()).await;
        let mut by_namespace: BTreeMap<&String, BTreeSet<String>> = BTreeMap::new();
        for (id, namespaces) in &wanted.inventories {
            for namespace in namespaces {
                by_namespace.entry(namespace).or_default().insert(id.clone());
            }
        }
        if by_namespace.is_empty() {
            self.hub.forbidden(&self.served.group_kind, &why);
        }
        let mut scopes: BTreeMap<Option<String>, BTreeSet<String>> =
            by_namespace.into_iter().map(|(name, ids)| (Some(name.clone()), ids)).collect();
        books.retain(|namespace, _| scopes.contains_key(namespace));
        for namespace in scopes.keys() {
            books.entry(namespace.clone()).or_default();
        }
        let followed = books.iter_mut().map(|(namespace, book)| {
            let (namespace, ids) =
                (namespace.clone(), scopes.remove(namespace).unwrap_or_default());
            (book, Scope { namespace, ids })
        });
        let followed: Vec<_> = followed.collect();
        let followed = followed.into_iter().map(|(book, scope)| async move {
            let why = self.follow_scope(&scope, book).await;
            self.hub.forbidden(&self.served.group_kind, &why);
            tokio::time::sleep(FORBIDDEN).await;
        });
        futures::future::join(futures::future::join_all(followed), async {
            tokio::time::sleep(FORBIDDEN).await;
        })
        .await;
    }

    /// Follows a scope until a right is missing, and says which.
    async fn follow_scope(&self, scope: &Scope, book: &mut TouchedBook) -> String {
        let (mut known, mut losses) = (None, 0);
        loop {
            let begin = Instant::now();
            let why = match self.door.cluster() {
                Ok(cluster) => match self.follow_once(&cluster, scope, &mut known, book).await {
                    TouchEnd::Forbidden(why) => {
                        self.hub.set_up(&self.key, scope.namespace.as_deref(), None);
                        return why;
                    }
                    TouchEnd::Lost(why) => why,
                },
                Err(why) => why,
            };
            self.hub.set_up(&self.key, scope.namespace.as_deref(), None);
            self.door.close();
            losses = if begin.elapsed() > LIVED { 1 } else { losses + 1 };
            if losses == LOSSES {
                self.hub.lost(&self.served.group_kind, &why);
            }
            let pause = PAUSE.saturating_mul(1 << (losses - 1).min(6)).min(LONGEST_PAUSE);
            tokio::time::sleep(jittered(pause, JITTER)).await;
        }
    }

    /// Follows a scope until its watch ends.
    async fn follow_once(
        &self,
        cluster: &Cluster,
        scope: &Scope,
        known: &mut Option<String>,
        book: &mut TouchedBook,
    ) -> TouchEnd {
        let Scope { namespace, ids } = scope;
        let label = self.key.label;
        let named = || ids.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let selector = match ids.len() {
            ..=MOST_NAMED => format!("{label} in ({})", named()),
            _ => label.to_owned(),
        };
        let (served, namespace) = (self.served.clone(), namespace.clone());
        let asked = TouchScope { served, namespace: namespace.clone(), label, selector };
        let (tell, mut hear) = mpsc::channel(EVENTS);
        let hearing = async {
            while let Some(event) = hear.recv().await {
                let touched = match event {
                    TouchEvent::Listed(marks) => book.listed(ids, marks),
                    TouchEvent::Seen(mark) => book.seen(mark),
                    TouchEvent::Gone(mark) => book.gone(&mark),
                    TouchEvent::Up => {
                        let ids = Some(ids.clone());
                        self.hub.set_up(&self.key, namespace.as_deref(), ids);
                        continue;
                    }
                };
                if !touched.is_empty() {
                    self.hub.touch(&self.key.cluster, &touched);
                }
            }
        };
        let following = async {
            let end = cluster.touches(&asked, known, &tell).await;
            drop(tell);
            end
        };
        futures::future::join(following, hearing).await.0
    }
}

/// Returns once something else is wanted, and for a while nothing more; `false` where nothing is wanted any
/// more. Meanwhile the watches go on.
async fn settled(wanted: &mut watch::Receiver<Wanted>) -> bool {
    for _ in 0..SETTLES {
        if wanted.changed().await.is_err() {
            return false;
        }
        tokio::time::sleep(SETTLE).await;
        if wanted.has_changed().is_ok_and(|is_other| !is_other) {
            break;
        }
    }
    true
}

/// The inventories that are watched in a namespace, or in the whole cluster.
struct Scope {
    namespace: Option<String>,
    ids: BTreeSet<String>,
}
