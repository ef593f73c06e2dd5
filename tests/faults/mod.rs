//! What goes wrong between trueup and the API server, at every single request: whatever it is, the
//! next run comes to what an undisturbed one comes to. Nothing is orphaned, nothing extra is
//! deleted, and nothing is written that is true already.

mod around;
mod commits;
mod deleted_first;
mod first;
#[cfg(target_os = "linux")]
mod outage;
mod point;
mod sweep;
mod unlisted;
mod world;

use std::ops::Range;

use self::sweep::{points, sweep};
use self::world::World;
use crate::support::sandbox;

#[track_caller]
#[allow(clippy::print_stdout, reason = "the table is what it is run for")]
fn hold(steps: (usize, usize), seeds: Range<u64>) {
    let world = World::new(sandbox::bare());
    let points = points(&world, steps, seeds);
    let (table, wrong) = sweep(world, points);
    println!("{table}");
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n\n"));
}

/// A number that somebody may set.
#[allow(clippy::disallowed_methods, reason = "how much a test does is no setting of trueup's")]
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

#[test]
fn next_run_recovers_from_faults() {
    hold((73, 73), 0..2);
}

/// Every fault at every request. `TRUEUP_POINTS=7` tries those that are no kill at every seventh
/// only, `TRUEUP_KILLS=5` kills at every fifth and tries a fifth of the seeds, and `TRUEUP_SEED=5`
/// begins with that seed.
#[test]
#[ignore = "takes many minutes; .ci/run has some of it"]
fn next_run_recovers_from_a_fault_at_any_request() {
    let number = |name, default| usize::try_from(number(name, default)).unwrap();
    let (kills, others) = (number("TRUEUP_KILLS", 1), number("TRUEUP_POINTS", 1));
    let seed = u64::try_from(number("TRUEUP_SEED", 0)).unwrap();
    hold((kills, others), seed..seed + u64::try_from(50 / kills).unwrap());
}
