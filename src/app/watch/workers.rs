//! The threads that the loops of several targets run on. Each has many loops, and one that breaks takes no
//! other with it.

use std::pin::Pin;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinError, LocalSet, spawn_local};

/// How many threads there are at most. Most of the time a loop waits.
const MOST: usize = 4;
/// The stack of each, as large as that of a process.
const STACK: usize = 8 << 20;

type LoopFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Job {
    name: String,
    begin: Box<dyn FnOnce() -> LoopFuture + Send>,
}

/// A loop that ended.
pub(super) struct EndedLoop {
    pub(super) name: String,
    /// That it broke.
    pub(super) error: Option<JoinError>,
}

/// The threads.
pub(super) struct Workers {
    threads: Vec<mpsc::UnboundedSender<Job>>,
    next: usize,
    ended: mpsc::UnboundedReceiver<EndedLoop>,
}

impl Workers {
    /// Starts the threads, which use the runtime of the caller.
    pub(super) fn start() -> Self {
        let count = thread::available_parallelism().map_or(1, |count| count.get().min(MOST));
        let (tell, ended) = mpsc::unbounded_channel();
        let threads = (0..count).filter_map(|_| {
            let (begin, jobs) = mpsc::unbounded_channel();
            let (runtime, tell) = (Handle::current(), tell.clone());
            let thread = thread::Builder::new().name("targets".to_owned()).stack_size(STACK);
            let run = move || runtime.block_on(LocalSet::new().run_until(work(jobs, tell)));
            thread.spawn(run).ok().map(|_| begin)
        });
        Self { threads: threads.collect(), next: 0, ended }
    }

    /// Begins a loop on one of the threads.
    pub(super) fn begin<F: Future<Output = ()> + 'static>(
        &mut self,
        name: String,
        begin: impl FnOnce() -> F + Send + 'static,
    ) {
        let begin = Box::new(move || -> LoopFuture { Box::pin(begin()) });
        self.next = (self.next + 1) % self.threads.len().max(1);
        if let Some(thread) = self.threads.get(self.next) {
            // A thread ends with this.
            let _ = thread.send(Job { name, begin });
        }
    }

    /// The next loop that ended.
    pub(super) async fn ended(&mut self) -> Option<EndedLoop> {
        self.ended.recv().await
    }
}

/// Runs the loops of one thread, until no more can come and all have ended.
async fn work(mut jobs: mpsc::UnboundedReceiver<Job>, tell: mpsc::UnboundedSender<EndedLoop>) {
    let mut loops = Vec::new();
    while let Some(Job { name, begin }) = jobs.recv().await {
        let tell = tell.clone();
        loops.retain(|it: &tokio::task::JoinHandle<()>| !it.is_finished());
        loops.push(spawn_local(async move {
            let error = spawn_local(begin()).await.err();
            // Without a hearer all of it ends.
            let _ = tell.send(EndedLoop { name, error });
        }));
    }
    for ending in loops {
        // It breaks with none of the loops.
        let _ = ending.await;
    }
}
