//! The page of `watch --html`: made beside the rounds, so that none waits for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};

use super::lasting_fault::LastingFault;
use crate::app::watch::WatchEvent;
use crate::cli::exit::Failure;
use crate::cli::status::{WatchedPage, write_page};

/// How long a page is kept where no round has told anything new.
const KEPT: Duration = Duration::from_secs(60);
/// The shortest time from one page to the next, where rounds follow each other closely.
const SHORTEST: Duration = Duration::from_secs(2);

/// A page that follows the rounds of a watch.
pub(super) struct PageWriter {
    page: WatchedPage,
    directory: PathBuf,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

/// The messages between the rounds and the task that writes.
#[derive(Default)]
struct Shared {
    /// Something new happened.
    news: Notify,
    /// No more pages are wanted.
    end: Notify,
    /// Why the last page could not be made, where that was not told yet.
    fault: Mutex<Option<String>>,
}

impl PageWriter {
    /// Begins to keep the page: it is made after the first round.
    pub(super) fn begin(page: WatchedPage, directory: &Path) -> Self {
        let (shared, directory) = (Arc::<Shared>::default(), directory.to_owned());
        let (runtime, told) = (Handle::current(), Arc::clone(&shared));
        let (its_page, its_directory) = (page.clone(), directory.clone());
        // A thread of its own, since reading git blocks.
        let task = spawn_blocking(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = keep(&its_page, &its_directory, &told) => {}
                    () = told.end.notified() => {}
                }
            });
        });
        Self { page, directory, shared, task: Some(task) }
    }

    /// Hears of a round, and makes a page of one that told something. Gives why an earlier page could not be
    /// made, once.
    pub(super) fn hear(&self, event: &WatchEvent) -> Option<String> {
        if matches!(event, WatchEvent::Ended { .. }) {
            self.shared.news.notify_one();
        }
        self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends, with a last page where that is wanted. Gives why it could not be made.
    pub(super) async fn end(mut self, is_wanted: bool) -> Option<String> {
        if let Some(task) = self.task.take() {
            // A page is replaced as a whole or not at all.
            self.shared.end.notify_one();
            let _ = task.await;
        }
        if !is_wanted {
            return None;
        }
        let made = Box::pin(write_page(&self.page, &self.directory)).await;
        made.err().map(|failure| words(&failure))
    }
}

/// Makes the page after each round that told something, and else once in a while.
async fn keep(page: &WatchedPage, directory: &Path, shared: &Shared) {
    shared.news.notified().await;
    let mut last = LastingFault::default();
    loop {
        let made = Box::pin(write_page(page, directory)).await;
        if let Some(text) = last.note(made.err().map(|failure| words(&failure))) {
            *shared.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
        tokio::time::sleep(SHORTEST).await;
        // Ages and health change without a round that does anything.
        let _ = tokio::time::timeout(KEPT, shared.news.notified()).await;
    }
}

fn words(failure: &Failure) -> String {
    format!("cannot make the page: {:#}", failure.error)
}
