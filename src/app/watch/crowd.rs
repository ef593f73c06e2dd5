//! A thousand watches of one git server, by the pauses that a watch really makes: how many polls a second
//! come, also after the server was away. A simulation, which waits for nothing.

use std::time::{Duration, Instant};

use super::JITTER;
use super::backoff::Backoff;
use crate::git::pull::PullError;
use crate::local::jitter::jittered;

const WATCHES: usize = 1_000;
const INTERVAL: Duration = Duration::from_secs(30);
/// The bytes of a poll that brings nothing, in both directions, and its requests: see docs/benchmarks.md.
const BYTES: usize = 353;
const REQUESTS: usize = 2;

/// A server that does not answer for a while.
#[derive(Clone, Copy)]
struct Outage {
    begin: Duration,
    end: Duration,
    /// The pause that it asks for, of a server that answers and refuses.
    asks: Option<Duration>,
}

/// How many polls came in each second.
struct Polls(Vec<usize>);

impl Polls {
    /// Those of watches that began within so long.
    fn simulated(began: Duration, outage: Outage, time: Duration) -> Self {
        let seconds = |time: Duration| usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
        let (zero, mut polls) = (Instant::now(), vec![0; seconds(time)]);
        for number in 0..WATCHES {
            let (mut backoff, mut at) =
                (Backoff::default(), began.mul_f64(number as f64 / WATCHES as f64));
            while at < time {
                // As the loop of a remote does.
                if backoff.waiting(zero + at).is_none() {
                    polls[seconds(at)] += 1;
                    match (outage.begin..outage.end).contains(&at) {
                        true => {
                            backoff.failed(error(), INTERVAL, outage.asks, zero + at);
                        }
                        false => backoff.succeeded(),
                    }
                }
                at += jittered(INTERVAL, JITTER);
            }
        }
        Self(polls)
    }

    /// The most in a second.
    fn peak(&self, from: u64, to: u64) -> usize {
        self.span(from, to).iter().copied().max().unwrap_or_default()
    }

    fn mean(&self, from: u64, to: u64) -> f64 {
        let span = self.span(from, to);
        span.iter().sum::<usize>() as f64 / span.len() as f64
    }

    fn span(&self, from: u64, to: u64) -> &[usize] {
        &self.0[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()]
    }
}

fn error() -> PullError {
    PullError::TimedOut { url: "https://git.example/x".to_owned(), after: Duration::from_secs(1) }
}

const fn outage(begin: u64, end: u64) -> Outage {
    Outage { begin: Duration::from_secs(begin), end: Duration::from_secs(end), asks: None }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// The same share of the polls in each second, and what chance adds: five deviations.
const BOUND: usize = 33 + 29;

#[test]
fn quiet_watches_come_evenly() {
    let polls = Polls::simulated(INTERVAL, outage(0, 0), HOUR);
    let (mean, peak) = (polls.mean(60, 3_600), polls.peak(60, 3_600));
    assert!((32.0..35.0).contains(&mean), "{mean}");
    assert!(peak <= BOUND, "{peak}");
    let bytes = mean * BYTES as f64;
    assert!(bytes < 12_500.0, "{bytes} bytes a second in {} requests", mean * REQUESTS as f64);
}

#[test]
fn watches_that_began_at_once_drift_apart() {
    let polls = Polls::simulated(Duration::ZERO, outage(0, 0), HOUR * 2);
    assert_eq!(polls.peak(0, 1), WATCHES);
    let peaks = [(20, 60), (600, 700), (3_600, 7_200)].map(|(from, to)| polls.peak(from, to));
    assert!(peaks[0] <= 260 && peaks[1] <= 120 && peaks[2] <= 80, "{peaks:?}");
}

#[test]
fn no_herd_comes_back_after_an_outage() {
    // As long as the longest pauses, polls become fewer; a server that asks for a pause has none.
    for (end, asks, most) in [(660, 0, 24.0), (1_200, 0, 5.0), (4_200, 0, 3.0), (660, 600, 2.0)] {
        let asks = (asks > 0).then(|| Duration::from_secs(asks));
        let outage = Outage { asks, ..outage(600, end) };
        let polls = Polls::simulated(INTERVAL, outage, Duration::from_secs(end + 3_600));
        let during = polls.mean(end - 30, end);
        let (after, late) = (polls.peak(end, end + 1_200), polls.mean(end + 1_200, end + 3_600));
        assert!(during <= most, "{end}: {during}");
        assert!(after <= BOUND, "{end}, {asks:?}: {after} in a second");
        assert!((32.0..35.0).contains(&late), "{end}: all are back: {late}");
    }
}
