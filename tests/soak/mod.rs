//! One watch of many targets in a storm of commits, strangers and faults. In the end the cluster is what
//! git says, every transition was told once, and nothing has piled up.
//!
//! ```text
//! TRUEUP_SOAK=3600 cargo test --locked --test trueup soak:: -- --ignored --show-output
//! ```
//!
//! `TRUEUP_SOAK` sets how many seconds the storm takes, `TRUEUP_SEED` which one it is.

mod events;
mod objects;
mod state;
mod storm;
mod story;
mod vitals;
mod world;

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use self::state::differences;
use self::storm::Storm;
use self::vitals::{Kept, Vitals, slope};
use self::world::World;
use crate::support::mutate::number;
use crate::support::sandbox;

const TARGETS: usize = 20;
/// How long it takes at most until all is well again: longer than any back-off may have become.
const CALMS: Duration = Duration::from_secs(240);
/// A storm that is long enough to say anything about growth.
const LONG: Duration = Duration::from_secs(900);

#[test]
#[ignore = "takes minutes: run it with -- --ignored --show-output"]
#[allow(clippy::print_stdout, reason = "the report is what it is run for")]
fn watch_weathers_a_storm() {
    let seed = number("TRUEUP_SEED", 1);
    let time = Duration::from_secs(number("TRUEUP_SOAK", 60));
    println!("TRUEUP_SEED={seed}, {} s", time.as_secs());
    let begin = Instant::now();
    let plane = sandbox::own();
    let world = World::new(&plane, TARGETS);
    world.pull();
    let watch = world.watch();
    let mut storm = Storm::new(&world, watch, seed);
    let mut wrong = Vec::new();
    calms(&world, &mut storm, &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    thread::sleep(Duration::from_secs(15));
    let before = (Vitals::of(storm.watch.id()).unwrap(), Kept::of(&world));

    storm.blow(time);
    let calm = calms(&world, &mut storm, &mut wrong);
    let told = arrives(&world, &mut storm);
    thread::sleep(if time >= LONG { vitals::REST } else { Duration::from_secs(15) });
    storm.look();
    let now = || (Vitals::of(storm.watch.id()).unwrap(), Kept::of(&world));
    let mut after = now();
    let tokens = storm.events.get("tokens expired").copied().unwrap_or_default();
    // A round that is under way may have a file, a lock and a child.
    for _ in 0..10 {
        let mut more = Vec::new();
        grown(&before, &after, tokens, &mut more);
        if more.is_empty() {
            break;
        }
        thread::sleep(Duration::from_secs(1));
        after = now();
    }

    let verdict = storm.story.judge(&world);
    wrong.extend(verdict.wrong);
    grown(&before, &after, tokens, &mut wrong);
    let mut report = String::new();
    let _ = writeln!(report, "events: {:?}", storm.events);
    let _ = writeln!(report, "messages: {:?}", verdict.told);
    let [commits, drifts] = verdict.held;
    let _ = writeln!(report, "held against the messages: {commits} commits, {drifts} drifts");
    let (messages, namings) = (world.chat.taken().len(), world.namings().len());
    let _ = writeln!(report, "a chat was sent {messages} messages about {namings} transitions");
    let _ = writeln!(report, "calm after {calm:.0?}, all told after {told:.0?} more");
    let _ = writeln!(report, "before: {}\n        {}", before.0, before.1);
    let _ = writeln!(report, "after:  {}\n        {}", after.0, after.1);
    let _ = writeln!(report, "threads: {:?}", vitals::threads(storm.watch.id()));
    let late = &storm.vitals[storm.vitals.len() / 2..];
    let (resident, anonymous) = (slope(late, |it| it.resident), slope(late, |it| it.anonymous));
    let _ = writeln!(report, "second half: {resident:+.0} kB a minute, anonymous {anonymous:+.0}");
    if time >= LONG {
        let rows = storm.vitals.chunks(storm.vitals.len().div_ceil(20));
        rows.for_each(|row| report.push_str(&format!("  {}\n", row[0])));
    }
    if !World::jumps() {
        report.push_str("the clock did not jump: libfaketime is not installed\n");
    }
    println!("{report}");
    if !wrong.is_empty() {
        let folder = std::env::temp_dir();
        let (log, chronicle) = (folder.join("soak.log"), folder.join("soak.chronicle"));
        std::fs::write(&log, storm.log()).unwrap();
        std::fs::write(&chronicle, storm.story.chronicle(&world, begin)).unwrap();
        let files = format!("log: {}\nchronicle: {}", log.display(), chronicle.display());
        panic!("{report}{}\n{files}", wrong.join("\n"));
    }
}

/// Waits until the cluster is what git says.
fn calms(world: &World<'_>, storm: &mut Storm<'_, '_>, wrong: &mut Vec<String>) -> Duration {
    let begin = Instant::now();
    loop {
        storm.look();
        let differ = differences(world, &storm.api);
        if differ.is_empty() {
            return begin.elapsed();
        }
        if begin.elapsed() > CALMS {
            wrong.push(format!(
                "the cluster is not at the commit:\n{}",
                differ[..differ.len().min(40)].join("\n")
            ));
            return begin.elapsed();
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// Waits until every sink has what the first one has, and nothing more comes.
fn arrives(world: &World<'_>, storm: &mut Storm<'_, '_>) -> Duration {
    let begin = Instant::now();
    let counts = || {
        let hooks = world.sinks.iter().map(|sink| sink.taken().len());
        hooks.chain([world.namings().len()]).collect::<Vec<_>>()
    };
    let (mut known, mut since) = (counts(), Instant::now());
    loop {
        thread::sleep(Duration::from_secs(1));
        storm.look();
        let now = counts();
        if now != known {
            (known, since) = (now.clone(), Instant::now());
        }
        let is_even = now.iter().all(|count| *count == now[0]);
        let quiet = since.elapsed();
        if (is_even && quiet > Duration::from_secs(20)) || quiet > Duration::from_secs(330) {
            return begin.elapsed() - quiet;
        }
    }
}

/// Holds what there is after the storm against what there was before.
fn grown(before: &(Vitals, Kept), after: &(Vitals, Kept), tokens: usize, wrong: &mut Vec<String>) {
    let ((was, kept), (is, keeps)) = (before, after);
    let pairs = [
        ("open files", was.files, is.files, 12),
        ("sockets", was.sockets, is.sockets, 8),
        // Each target's round may hold one of tokio's for a while.
        ("threads", was.threads, is.threads, TARGETS),
        ("child processes", was.children, is.children, 0),
    ];
    let named = [
        "packs",
        "other files in the folder of packs",
        "loose objects",
        "locks",
        "temporary files",
        "files of state",
        "files of the cache",
    ];
    // What git keeps before it packs: see gc.auto and gc.autoPackLimit. Of each token its user is kept, in a
    // folder of 1,000 files at most.
    let bounds = [50, 4, 6_700, 0, 0, 40, 40 + tokens];
    let files = named
        .iter()
        .zip(bounds)
        .map(|(what, bound)| (*what, kept.number(what), keeps.number(what), bound));
    for (what, was, is, more) in pairs.into_iter().chain(files) {
        if is > was + more {
            wrong.push(format!(
                "{was} {what} before, {is} after: at most {more} more were to be there"
            ));
        }
    }
}
