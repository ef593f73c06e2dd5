//! The loops of several targets, side by side. A target that is new in the settings gets a loop, and that
//! of one that is gone ends. No loop waits for another, unless its target comes after that one.
//!
//! In a group of replicas only the targets of this one have a loop. One that is another's from now on ends
//! its round first. Where this replica may not write any more, all loops end at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::workers::{EndedLoop, Workers};
use super::{
    Events, Order, Remote, RoundError, SeenNews, SettingsError, Share, Told, Unlisted, Wakes,
    Watch, WatchEvent, watch,
};
use crate::app::{GroupView, Replica, Tenure};
use crate::core::replicas::TargetSet;
use crate::git::Checkout;
use crate::local::cancel::Interrupt;

/// The name under which the watch tells what is about no target.
const ALL: &str = "trueup";

/// Lists the targets of a checkout.
type ListTargets = dyn Fn(&Checkout) -> Result<TargetSet, SettingsError> + Send + Sync;
/// Makes the watch of a target.
type BeginTarget = dyn Fn(&str) -> Result<Watch, SettingsError> + Send + Sync;

/// Says which targets there are, and how each is watched.
pub struct Roster {
    /// The targets.
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
    /// The group of replicas that share the targets; `None` where there is but this process.
    pub replica: Option<Replica>,
}

/// The loops that run.
struct Fleet {
    options: FleetOptions,
    roster: Arc<Roster>,
    interrupt: Interrupt,
    hearer: mpsc::Sender<Told>,
    workers: Workers,
    /// The targets that have a loop.
    loops: BTreeMap<String, Loop>,
    /// The last list; `None` where there was none.
    listed: Option<TargetSet>,
    /// Why there is no list.
    failed: Option<String>,
    /// The share that was told last.
    shared: Option<Share>,
}

/// The loop of a target.
struct Loop {
    /// Ends it at its next safe point.
    stop: Interrupt,
    /// Ends it after its round.
    leaves: Interrupt,
    /// The tenure that it writes under.
    tenure: Option<Tenure>,
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
        loops: BTreeMap::new(),
        listed: None,
        failed: None,
        shared: None,
    };
    fleet.run().await;
    while !fleet.loops.is_empty() {
        let Some(ended) = fleet.workers.ended().await else { break };
        fleet.ended(ended).await;
    }
    // Not before, as others begin then.
    if let Some(replica) = fleet.options.replica.take() {
        replica.leave().await;
    }
}

/// Returns once the group looks otherwise.
async fn changed(replica: &mut Option<Replica>) {
    match replica {
        Some(replica) => replica.changed().await,
        None => std::future::pending().await,
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
                () = changed(&mut self.options.replica) => {}
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
        let mut is_whole = true;
        match self.list().await {
            Ok(targets) => {
                let was_failed = self.failed.take().is_some();
                if was_failed || self.listed.as_ref() != Some(&targets) {
                    let names = targets.names.clone();
                    self.listed = Some(targets);
                    self.tell(ALL, WatchEvent::Listed(names)).await;
                }
            }
            Err(unlisted) => {
                is_whole = false;
                let message = &unlisted.error.message;
                if self.failed.replace(message.clone()).as_ref() != Some(message) {
                    self.tell(ALL, WatchEvent::Unlisted(unlisted)).await;
                }
            }
        }
        let Some(targets) = self.listed.clone() else { return false };
        let view = self.options.replica.as_ref().map(Replica::view);
        let names = match &view {
            Some(view) => self.share(view, &targets).await,
            None => targets.names,
        };
        let missing: Vec<&String> =
            names.iter().filter(|name| !self.loops.contains_key(*name)).collect();
        // Those that come after others are to find these.
        missing.iter().for_each(|name| self.options.order.add(name));
        for name in missing {
            let tenure = view.as_ref().and_then(|view| view.tenure().cloned());
            if let Err(error) = self.begin_loop(name, tenure) {
                is_whole = false;
                if self.options.once {
                    self.options.order.end(name);
                }
                let round = Box::new(Err(error.into()));
                let pause = (!self.options.once).then_some(self.options.interval);
                let git = Box::default();
                self.tell(name, WatchEvent::Ended { round, commit: None, git, pause }).await;
            }
        }
        is_whole
    }

    fn begin_loop(&mut self, name: &str, tenure: Option<Tenure>) -> Result<(), SettingsError> {
        let mut watched = (self.roster.begin)(name)?;
        let (stop, leaves) = (self.interrupt.child(), Interrupt::default());
        if let Some(tenure) = &tenure {
            watched.who = tenure.who().clone();
        }
        (watched.tenure, watched.leaves) = (tenure.clone(), leaves.clone());
        let (events, interrupt) = (Events::new(name, self.hearer.clone()), stop.clone());
        self.loops.insert(name.to_owned(), Loop { stop, leaves, tenure });
        self.workers.begin(name.to_owned(), move || async move {
            Box::pin(watch(&watched, &interrupt, &events)).await;
            if let Some(touched) = &watched.touched {
                touched.touched.forget(&touched.name);
            }
        });
        Ok(())
    }

    /// The targets of this replica. The loops of others' end; where this process is no member any more,
    /// or is one again, all of those before do.
    async fn share(&mut self, view: &GroupView, targets: &TargetSet) -> Vec<String> {
        let share = Share::of(view, targets);
        for (name, running) in &self.loops {
            // One that is gone from the settings says so itself.
            let is_others = targets.names.contains(name) && !share.owned.contains(name);
            let is_void = running.tenure.as_ref() != view.tenure();
            if is_others || is_void {
                running.leaves.request();
            }
            if is_void {
                running.stop.request();
            }
        }
        if share.is_news(self.shared.as_ref()) {
            self.shared = Some(share.clone());
            self.tell(ALL, WatchEvent::Shared(share.clone())).await;
        }
        share.owned
    }

    async fn list(&self) -> Result<TargetSet, Unlisted> {
        let (roster, directory) = (Arc::clone(&self.roster), self.options.directory.clone());
        let listed = spawn_blocking(move || {
            let checkout = Checkout::discover(&directory).map_err(|error| SettingsError {
                message: error.to_string(),
                hint: error.hint(),
                is_refusal: false,
                is_of_commit: false,
                is_gone: false,
            })?;
            // A commit that comes meanwhile is not to blame.
            let checkout = checkout.steady();
            (roster.list)(&checkout).map_err(|error| {
                let commit = checkout.resolve(None).ok().filter(|_| error.is_of_commit);
                Unlisted { error, commit: commit.map(Box::new) }
            })
        });
        match listed.await {
            Ok(listed) => listed,
            Err(error) => Err(Unlisted::from(SettingsError {
                message: format!("cannot read the settings: {error}"),
                hint: None,
                is_refusal: false,
                is_of_commit: false,
                is_gone: false,
            })),
        }
    }

    /// A loop ended. One that broke is reported, and begun again with the next list.
    async fn ended(&mut self, ended: EndedLoop) {
        let EndedLoop { name, error } = ended;
        let has_left = self.loops.remove(&name).is_some_and(|it| it.leaves.is_requested());
        if self.options.once {
            // However it ended: those after it wait for nothing more.
            self.options.order.end(&name);
        }
        if let Some(error) = error {
            let round = Box::new(Err(RoundError::Task(error)));
            let pause = (!self.options.once).then_some(self.options.interval);
            let git = Box::default();
            self.tell(&name, WatchEvent::Ended { round, commit: None, git, pause }).await;
            return;
        }
        // The targets after it still have to know how it ended.
        if self.options.once {
            return;
        }
        self.options.order.remove(&name);
        self.options.remote.forget(&name);
        self.options.wakes.remove(&name);
        if has_left {
            self.tell(&name, WatchEvent::Left).await;
        }
    }

    async fn tell(&self, name: &str, event: WatchEvent) {
        Events::new(name, self.hearer.clone()).send(event).await;
    }
}
