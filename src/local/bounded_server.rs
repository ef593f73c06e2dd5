//! Takes in connections, each with a bound for its time, and so many at once. One more ends the oldest.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// How many connections are answered at once.
pub(super) const AT_ONCE: usize = 16;
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
        // Whoever fills all places is to hold up no probe.
        let mut running = FewTasks::lasting(Duration::ZERO);
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
pub(super) struct FewTasks {
    running: VecDeque<RunningTask>,
    shortest: Duration,
}

struct RunningTask {
    since: Instant,
    task: AbortHandle,
}

impl FewTasks {
    /// Those that each have so much time at least: of many that come together, all may have something to say.
    pub(super) const fn lasting(shortest: Duration) -> Self {
        Self { running: VecDeque::new(), shortest }
    }

    /// Begins a task that ends within `patience`. One too many ends the oldest: it has been silent for longest,
    /// and is to hold up no other.
    pub(super) async fn spawn<F>(&mut self, patience: Duration, task: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.make_room().await;
        let task = tokio::spawn(tokio::time::timeout(patience, task)).abort_handle();
        self.running.push_back(RunningTask { since: Instant::now(), task });
    }

    async fn make_room(&mut self) {
        loop {
            self.running.retain(|running| !running.task.is_finished());
            let is_full = self.running.len() >= AT_ONCE;
            let Some(oldest) = self.running.front().filter(|_| is_full) else { return };
            if oldest.since.elapsed() >= self.shortest {
                oldest.task.abort();
                self.running.pop_front();
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
