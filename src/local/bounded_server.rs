//! Takes in TCP connections, each with a bound for its time, and so many at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

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
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            // Such as no more file descriptors: a moment later there may be one.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let answered = answer(stream);
            tokio::spawn(async move {
                let _ = tokio::time::timeout(patience, answered).await;
                drop(place);
            });
        }
    });
    Ok(address)
}
