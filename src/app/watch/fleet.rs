//! The loops of several targets, side by side. A target that is new in the settings gets a loop, and that
//! of one that is gone ends. No loop waits for another, unless its target comes after that one.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::workers::{EndedLoop, Workers};
use super::{
    Events, Order, Remote, RoundError, SeenNews, SettingsError, Told, Wakes, Watch, WatchEvent,
    watch,
};
use crate::git::Checkout;
use crate::local::cancel::Interrupt;

/// The name under which the watch tells what is about no target.
const ALL: &str = "trueup";

/// Lists the targets of a checkout.
type ListTargets = dyn Fn(&Checkout) -> Result<Vec<String>, SettingsError> + Send + Sync;
/// Makes the watch of a target.
type BeginTarget = dyn Fn(&str) -> Result<Watch, SettingsError> + Send + Sync;

/// Says which targets there are, and how each is watched.
pub struct Roster {
    /// The names of the targets, those that others come after first.
    pub list: Box<ListTargets>,
    /// How a target is watched.
    pub begin: Box<BeginTarget>,
}

/// The things that all loops share.
pub struct FleetOptions {
    /// Where the checkout is.
    pub directory: PathBuf,
    /// The commits that come there.
    pub remote: Remote,
    /// The bells of the targets.
    pub wakes: Wakes,
    /// How the targets stand.
    pub order: Order,
    /// Whether one round of each is enough.
    pub once: bool,
    /// How long until settings that can't be used are read again.
    pub interval: Duration,
}

/// The loops that run.
struct Fleet {
    options: FleetOptions,
    roster: Arc<Roster>,
    interrupt: Interrupt,
    hearer: mpsc::Sender<Told>,
    workers: Workers,
    /// The targets that have a loop.
    names: BTreeSet<String>,
    /// The names of the last list; `None` where there was none.
    listed: Option<Vec<String>>,
    /// Why there is no list.
    failed: Option<String>,
}

/// Watches all targets until cancelled, and sends what comes of it to `hearer`.
pub async fn watch_all(
    roster: Roster,
    options: FleetOptions,
    interrupt: Interrupt,
    hearer: mpsc::Sender<Told>,
) {
    let mut fleet = Fleet {
        options,
        roster: Arc::new(roster),
        interrupt,
        hearer,
        workers: Workers::start(),
        names: BTreeSet::new(),
        listed: None,
        failed: None,
    };
    fleet.run().await;
    while !fleet.names.is_empty() {
        let Some(ended) = fleet.workers.ended().await else { return };
        fleet.ended(ended).await;
    }
}

impl Fleet {
    async fn run(&mut self) {
        let (interrupt, mut seen) = (self.interrupt.clone(), SeenNews::default());
        loop {
            tokio::select! {
                _ = self.options.remote.next(&mut seen, false) => {}
                () = interrupt.requested() => return,
            }
            let is_whole = self.begin().await;
            if self.options.once {
                return;
            }
            let again = async {
                match is_whole {
                    true => std::future::pending().await,
                    false => tokio::time::sleep(self.options.interval).await,
                }
            };
            tokio::select! {
                _ = self.options.remote.moved_since(seen.moves) => {}
                () = again => {}
                () = interrupt.requested() => return,
                Some(ended) = self.workers.ended() => {
                    let is_broken = ended.error.is_some();
                    self.ended(ended).await;
                    if is_broken {
                        // Whatever broke it may be there still.
                        interrupt.sleep(self.options.interval).await;
                    }
                }
            }
        }
    }

    /// Begins the loops of targets that have none; whether all have one then.
    async fn begin(&mut self) -> bool {
        let names = match self.list().await {
            Ok(names) => names,
            Err(error) => {
                if self.failed.replace(error.message.clone()).as_ref() != Some(&error.message) {
                    self.tell(ALL, WatchEvent::Unlisted(error)).await;
                }
                return false;
            }
        };
        let was_failed = self.failed.take().is_some();
        if was_failed || self.listed.as_ref() != Some(&names) {
            self.listed = Some(names.clone());
            self.tell(ALL, WatchEvent::Listed(names.clone())).await;
        }
        let missing: Vec<&String> =
            names.iter().filter(|name| !self.names.contains(*name)).collect();
        // Those that come after others are to find these.
        missing.iter().for_each(|name| self.options.order.add(name));
        let mut is_whole = true;
        for name in missing {
            match (self.roster.begin)(name) {
                Ok(watched) => {
                    let (interrupt, name) = (self.interrupt.clone(), name.clone());
                    let events = Events::new(&name, self.hearer.clone());
                    self.names.insert(name.clone());
                    self.workers.begin(name, move || async move {
                        Box::pin(watch(&watched, &interrupt, &events)).await;
                    });
                }
                Err(error) => {
                    is_whole = false;
                    if self.options.once {
                        self.options.order.end(name);
                    }
                    let round = Box::new(Err(error.into()));
                    let pause = (!self.options.once).then_some(self.options.interval);
                    self.tell(name, WatchEvent::Ended { round, commit: None, pause }).await;
                }
            }
        }
        is_whole
    }

    async fn list(&self) -> Result<Vec<String>, SettingsError> {
        let (roster, directory) = (Arc::clone(&self.roster), self.options.directory.clone());
        let listed = spawn_blocking(move || {
            let checkout = Checkout::discover(&directory).map_err(|error| SettingsError {
                message: error.to_string(),
                hint: error.hint(),
                is_refusal: false,
                is_of_commit: false,
                is_gone: false,
            })?;
            (roster.list)(&checkout)
        });
        match listed.await {
            Ok(listed) => listed,
            Err(error) => Err(SettingsError {
                message: format!("cannot read the settings: {error}"),
                hint: None,
                is_refusal: false,
                is_of_commit: false,
                is_gone: false,
            }),
        }
    }

    /// A loop ended. One that broke is reported, and begun again with the next list.
    async fn ended(&mut self, ended: EndedLoop) {
        let EndedLoop { name, error } = ended;
        self.names.remove(&name);
        if self.options.once {
            // However it ended: those after it wait for nothing more.
            self.options.order.end(&name);
        }
        if let Some(error) = error {
            let round = Box::new(Err(RoundError::Task(error)));
            let pause = (!self.options.once).then_some(self.options.interval);
            self.tell(&name, WatchEvent::Ended { round, commit: None, pause }).await;
            return;
        }
        // The targets after it still have to know how it ended.
        if self.options.once {
            return;
        }
        self.options.order.remove(&name);
        self.options.remote.forget(&name);
        self.options.wakes.remove(&name);
    }

    async fn tell(&self, name: &str, event: WatchEvent) {
        Events::new(name, self.hearer.clone()).send(event).await;
    }
}
