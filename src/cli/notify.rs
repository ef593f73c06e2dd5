//! Tells people what a watch comes to: the sinks of the machine's file, and the outbox of the target.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::exit::Failure;
use super::machine_file;
use crate::app::watch::{WatchEvent, Watched};
use crate::config::notify::variable;
use crate::core::notify::{Sink, key_digest};
use crate::git::Checkout;
use crate::local::cancel::Interrupt;
use crate::local::outbox_store::OutboxStore;
use crate::local::secrets::Secrets;
use crate::local::trusted_file;
use crate::notify::{Couriers, DeliveryDeadline, Notifier, NotifierOptions, Sender};

/// The folder of the outboxes, in that for state.
const FOLDER: &str = "notify";
/// How long a run of one round waits for its messages to be sent.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same at the end of a watch.
const SHORT: Duration = Duration::from_secs(5);

/// Tells people of one target.
pub(super) struct Telling {
    notifier: Notifier,
    target: String,
    pulls: bool,
}

impl Telling {
    /// That of a target; `None` where no sink wants to hear of it.
    ///
    /// # Errors
    ///
    /// When the machine's file can't be used.
    pub(super) fn of(
        target: &str,
        checkout: &Checkout,
        pulls: bool,
        couriers: &Couriers,
    ) -> Result<Option<Self>, Failure> {
        let settings = machine_file::machine()?.notify;
        let sinks: Vec<Sink> =
            settings.sinks().into_iter().filter(|sink| sink.filter.is_about(target)).collect();
        let Some(state) = machine_file::state_folder().filter(|_| !sinks.is_empty()) else {
            return Ok(None);
        };
        // Whoever may write it chooses who gets messages, and which program runs.
        if let Some(file) = machine_file::path() {
            trusted_file::read(&file, &checkout.folders())?;
        }
        let root = checkout.root();
        let place = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let name = key_digest(&[&place.to_string_lossy(), target]);
        let store = OutboxStore::new(state.join(FOLDER).join(name));
        let sender = Sender::new(Secrets { variable, checkout: checkout.folders() });
        let options = NotifierOptions { store, sinks, rules: settings.rules(), sender };
        let notifier = Notifier::start(options, couriers);
        Ok(Some(Self { notifier, target: target.to_owned(), pulls }))
    }

    /// Notes an event, and gives the warnings since the last one.
    pub(super) fn hear(&self, event: &WatchEvent, directory: &Path) -> Vec<String> {
        let head = || Checkout::discover(directory).ok()?.resolve(None).ok();
        let (target, at, pulls) = (self.target.as_str(), Timestamp::now(), self.pulls);
        let watched = Watched { target, at, pulls, head: &head };
        if let Some(seen) = event.observation(&watched) {
            self.notifier.observe(&seen);
        }
        self.notifier.take_warnings()
    }

    /// Has what waits sent now: there will be nothing more.
    pub(super) fn close(&self) {
        self.notifier.close();
    }

    /// Blocks until what waits is sent, as far as its sinks take it until `end`, and gives the last
    /// warnings.
    pub(super) fn finish(self, end: &DeliveryDeadline) -> Vec<String> {
        self.notifier.finish(end)
    }

    /// Until when the last messages of a run that ends now should be sent.
    pub(super) fn end(once: bool, interrupt: &Interrupt) -> DeliveryDeadline {
        if !once {
            return DeliveryDeadline::after(SHORT);
        }
        let end = DeliveryDeadline::after(PATIENCE);
        let (interrupt, nearer) = (interrupt.clone(), end.clone());
        tokio::spawn(async move {
            if tokio::time::timeout(PATIENCE, interrupt.requested()).await.is_ok() {
                nearer.bring_forward(SHORT);
            }
        });
        end
    }
}
