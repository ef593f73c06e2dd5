//! SIGINT and SIGTERM: the first lets what is in flight finish, the second ends the process. So does
//! the first where the verb's own thread is held up, by a computation or by a file that no process
//! writes to, and could not hear of it. Elsewhere than on Unix there is Ctrl-C alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::local::cancel::Interrupt;

/// How long a verb's thread may take to answer whether it is held up. A machine with too much to do
/// leaves a thread without the processor for a second and longer, and what is in flight would be cut
/// off; a person who does not want to wait presses Ctrl-C once more.
const GRACE: Duration = Duration::from_secs(5);

/// Asks the verb's thread whether it is held up.
static ASKED: Notify = Notify::const_new();
/// How often it answered that it is not.
static ANSWERS: AtomicU64 = AtomicU64::new(0);

/// Runs a verb whose thread answers, whenever it is asked, that it is not held up.
pub async fn answering<T>(verb: impl Future<Output = T>) -> T {
    let mut verb = std::pin::pin!(verb);
    loop {
        tokio::select! {
            biased;
            ended = &mut verb => return ended,
            () = ASKED.notified() => {
                ANSWERS.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Returns once the verb's thread is held up.
async fn held_up() {
    loop {
        let before = ANSWERS.load(Ordering::Relaxed);
        ASKED.notify_one();
        tokio::time::sleep(GRACE).await;
        if ANSWERS.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// Requests `interrupt` at the first signal. Ends the process with the status of an interrupted run
/// at the second, or when the verb's thread does not hear of the first. It is for verbs that are
/// [`answering`].
///
/// # Errors
///
/// When the signals can't be listened to.
pub fn listen(interrupt: &Interrupt) -> std::io::Result<()> {
    let (interrupt, mut signals) = (interrupt.clone(), UnixSignals::new()?);
    tokio::spawn(async move {
        signals.next().await;
        interrupt.request();
        tokio::select! {
            () = signals.next() => {}
            () = held_up() => {}
        }
        #[allow(clippy::disallowed_methods, reason = "asked twice, or the thread is held up")]
        std::process::exit(130);
    });
    Ok(())
}

/// Ends when a signal asks the program to stop; from now on that no longer ends the process.
///
/// # Errors
///
/// When the signals can't be listened to.
pub fn next() -> std::io::Result<impl Future<Output = ()>> {
    let mut signals = UnixSignals::new()?;
    Ok(async move { signals.next().await })
}

/// A signal to a watch that does not ask it to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchSignal {
    /// SIGHUP: the settings are to be read again.
    Reload,
    /// SIGUSR1: a round is to begin.
    Sync,
}

/// Calls `heard` for each SIGHUP and SIGUSR1 from now on. The SIGHUP of a terminal that is closed still
/// ends a watch that writes to it.
///
/// # Errors
///
/// When the signals can't be listened to.
#[cfg(unix)]
pub fn for_watch(
    has_terminal: bool,
    heard: impl Fn(WatchSignal) + Send + 'static,
) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut user = signal(SignalKind::user_defined1())?;
    let mut hangup = (!has_terminal).then(|| signal(SignalKind::hangup())).transpose()?;
    tokio::spawn(async move {
        loop {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = user.recv() => heard(WatchSignal::Sync),
                _ = hung_up => heard(WatchSignal::Reload),
            }
        }
    });
    Ok(())
}

/// Elsewhere there are no such signals.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn for_watch(_: bool, _: impl Fn(WatchSignal) + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

/// Waits until a signal asks the program to stop.
pub async fn wanted_to_stop() {
    match UnixSignals::new() {
        Ok(mut signals) => signals.next().await,
        // Where signals can't be heard they end the process, as they always did.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(unix)]
struct UnixSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl UnixSignals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct UnixSignals;

#[cfg(not(unix))]
impl UnixSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Where there is no console to press Ctrl-C on, nothing ever comes.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
