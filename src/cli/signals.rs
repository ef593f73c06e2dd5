//! SIGINT and SIGTERM: the first lets what is in flight finish, the second ends the process.
//! Elsewhere than on Unix there is Ctrl-C alone.

use std::sync::Arc;

use crate::watch::Stop;

/// Tells `stop` at the first signal, and ends the process with the status of an interrupted run at
/// the second.
///
/// # Errors
///
/// When the signals can't be listened to.
pub fn listen(stop: &Arc<Stop>) -> std::io::Result<()> {
    let (stop, mut signals) = (Arc::clone(stop), Signals::new()?);
    tokio::spawn(async move {
        signals.next().await;
        stop.tell();
        signals.next().await;
        #[allow(clippy::disallowed_methods, reason = "asked twice, whatever is under way")]
        std::process::exit(130);
    });
    Ok(())
}

/// Ends when somebody wants the program to stop; from now on that no longer ends the process.
///
/// # Errors
///
/// When the signals can't be listened to.
pub fn next() -> std::io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new()?;
    Ok(async move { signals.next().await })
}

/// Waits until somebody wants the program to stop.
pub async fn wanted_to_stop() {
    match Signals::new() {
        Ok(mut signals) => signals.next().await,
        // Where signals can't be heard they end the process, as they always did.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
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
struct Signals;

#[cfg(not(unix))]
impl Signals {
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
