//! The limits of a program that renders.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

/// How long a program may take, how much it may print, and what it may use meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramLimits {
    /// Time by the clock on the wall.
    pub time: Duration,
    /// Bytes of output.
    pub output: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of each file that it writes.
    pub file: u64,
}

impl Default for ProgramLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(120), output: 64 << 20, memory: 2 << 30, file: 64 << 20 }
    }
}

impl ProgramLimits {
    /// Seconds of processor time: what all processors together have in that time. Should the
    /// watchdog be gone, this ends a program.
    pub fn processor(&self) -> u64 {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let processors = u64::try_from(processors).unwrap_or(1);
        self.time.as_secs().max(1).saturating_mul(processors)
    }
}
