//! Takes in TCP connections, each with a bound for its time, and so many at once. One more ends the oldest.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// How many connections are answered at once.
pub(super) const AT_ONCE: usize = 16;

/// Listens at `address` from now on, and has each connection answered within `patience`.
///
/// # Errors
///
/// When another program listens there, or the address is not of this machine.
pub(super) async fn listen<F>(
    address: SocketAddr,
    patience: Duration,
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> io::Result<SocketAddr>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let mut running = VecDeque::new();
        loop {
            // Such as no more file descriptors: a moment later there may be one.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            running.retain(|task: &AbortHandle| !task.is_finished());
            if running.len() >= AT_ONCE {
                // One that has been silent for longest, so that none of them holds up the others.
                running.pop_front().inspect(AbortHandle::abort);
            }
            let answered = tokio::time::timeout(patience, answer(stream));
            running.push_back(tokio::spawn(answered).abort_handle());
        }
    });
    Ok(address)
}
