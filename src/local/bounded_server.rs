//! Takes in connections, each with a bound for its time, and so many at once. One more ends the oldest.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// How many connections are answered at once.
pub(super) const AT_ONCE: usize = 16;
/// The time that each has at least: of many that come together, all may have something to say.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long to wait before looking again whether one has ended.
const PAUSE: Duration = Duration::from_millis(5);

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
        let mut running = FewTasks::default();
        loop {
            // Such as no more file descriptors: a moment later there may be one.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            running.spawn(patience, answer(stream)).await;
        }
    });
    Ok(address)
}

/// Tasks that hear clients, the oldest first.
#[derive(Default)]
pub(super) struct FewTasks(VecDeque<RunningTask>);

struct RunningTask {
    since: Instant,
    task: AbortHandle,
}

impl FewTasks {
    /// Begins a task that ends within `patience`. One too many ends the oldest: it has been silent for longest,
    /// and is to hold up no other.
    pub(super) async fn spawn<F>(&mut self, patience: Duration, task: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.make_room().await;
        let task = tokio::spawn(tokio::time::timeout(patience, task)).abort_handle();
        self.0.push_back(RunningTask { since: Instant::now(), task });
    }

    async fn make_room(&mut self) {
        loop {
            self.0.retain(|running| !running.task.is_finished());
            let Some(oldest) = self.0.front().filter(|_| self.0.len() >= AT_ONCE) else { return };
            if oldest.since.elapsed() >= SHORTEST {
                oldest.task.abort();
                self.0.pop_front();
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
