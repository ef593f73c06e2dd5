//! Every fault at every request: the points, the worlds that they are tried in, several at once,
//! and the table of how they ended.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use super::point::{Demand, Verdict};
use super::world::World;
use crate::support::faults::{Fault, Seen};
use crate::support::random::Random;
use crate::support::sandbox;

/// How many worlds there are at once.
const WORLDS: usize = 4;
/// How many points are worth another world.
const FEW: usize = 12;
/// One request at a time: the same request is the Nth in every run.
const ONE: &[&str] = &["apply", "--concurrency", "1"];
const MANY: &[&str] = &["apply"];

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Row {
    name: &'static str,
    fault: Fault,
    args: &'static [&'static str],
    demand: Demand,
}

/// What may go wrong with any request.
pub const ROWS: [Row; 14] = [
    row("kill -9 before the server acts, one request at a time", Fault::KillBefore, ONE),
    row("kill -9 after the server acted, one request at a time", Fault::KillAfter, ONE),
    row("kill -9 before the server acts, many at once", Fault::KillBefore, MANY),
    row("kill -9 after the server acted, many at once", Fault::KillAfter, MANY),
    row("429 with Retry-After", Fault::Status(429), MANY),
    row("500", Fault::Status(500), MANY),
    row("503", Fault::Status(503), MANY),
    row("reset before the server acts", Fault::ResetBefore, MANY),
    row("reset after the server acted", Fault::ResetAfter, MANY),
    row("a delay", Fault::Delay, MANY),
    row("half an answer", Fault::Truncated, MANY),
    row("401, an expired token", Fault::Status(401), MANY),
    row("200 from something that is no API server", Fault::Garbled, MANY),
    row("a stale list", Fault::Stale, MANY),
];

/// What goes wrong where chance decides.
const CHANCES: [Fault; 7] = [
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::Truncated,
    Fault::Garbled,
];

const fn row(name: &'static str, fault: Fault, args: &'static [&'static str]) -> Row {
    let demand = match fault {
        Fault::KillBefore | Fault::KillAfter => Demand::Dies,
        Fault::Status(401) | Fault::Garbled => Demand::Tells,
        Fault::Stale => Demand::Ends,
        _ => Demand::Survives,
    };
    Row { name, fault, args, demand }
}

/// What to try.
#[derive(Clone, Copy)]
pub enum Point {
    /// A row's fault at the Nth request that it can happen to.
    At(usize, usize),
    /// Faults at random, from this seed.
    Random(u64),
}

/// Every `step`th point of every row, beginning elsewhere in each; and some seeds.
pub fn points(world: &World, step: usize, seeds: std::ops::Range<u64>) -> Vec<Point> {
    let lists = world.undisturbed.iter().filter(|seen| seen.is_list()).count();
    let mut points = Vec::new();
    for (at, row) in ROWS.iter().enumerate() {
        let all = if row.fault == Fault::Stale { lists } else { world.undisturbed.len() };
        points.extend((at * 3 % step.min(all)..all).step_by(step).map(|nth| Point::At(at, nth)));
    }
    points.extend(seeds.map(Point::Random));
    points
}

/// Tries all points, the first of them in `world`, and gives the table and what was wrong.
pub fn sweep(world: World, points: Vec<Point>) -> (String, Vec<String>) {
    let mut world = Some(world);
    let queue = Mutex::new(VecDeque::from(points.clone()));
    let verdicts = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORLDS.min(1 + points.len() / FEW) {
            let world = world.take();
            scope.spawn(|| work(world, &queue, &verdicts));
        }
    });
    table(&points, &verdicts.into_inner().unwrap())
}

type Verdicts = Mutex<Vec<(Point, Verdict)>>;

/// Tries points in a world, and goes on in another one after one that ended wrong.
fn work(mut world: Option<World>, queue: &Mutex<VecDeque<Point>>, verdicts: &Verdicts) {
    loop {
        let Some(point) = queue.lock().unwrap().pop_front() else { return };
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let world = world.get_or_insert_with(|| World::new(sandbox::bare()));
            try_out(world, point)
        }));
        let verdict = tried.unwrap_or_else(|_| Err("the test itself failed".to_owned()));
        if verdict.is_err() {
            world = None;
        }
        verdicts.lock().unwrap().push((point, verdict));
    }
}

fn try_out(world: &World, point: Point) -> Verdict {
    match point {
        Point::At(row, nth) => {
            let Row { fault, args, demand, .. } = ROWS[row];
            let mut count = 0;
            world.point(args, demand, move |seen: &Seen| {
                if fault == Fault::Stale && !seen.is_list() {
                    return None;
                }
                count += 1;
                (count == nth + 1).then_some(fault)
            })
        }
        Point::Random(seed) => {
            let mut random = Random::new(seed);
            world.point(MANY, Demand::Tells, move |_| {
                (random.below(8) == 0).then(|| *random.one_of(&CHANCES))
            })
        }
    }
}

fn table(points: &[Point], verdicts: &[(Point, Verdict)]) -> (String, Vec<String>) {
    let row_of = |point: &Point| match point {
        Point::At(row, _) => *row,
        Point::Random(_) => ROWS.len(),
    };
    let names = ROWS.iter().map(|row| row.name).chain(["at random, one request in eight"]);
    let mut table = "| fault | points | runs | ended wrong |\n|---|---|---|---|\n".to_owned();
    for (at, name) in names.enumerate() {
        let tried: Vec<_> = verdicts.iter().filter(|(point, _)| row_of(point) == at).collect();
        let all = points.iter().filter(|point| row_of(point) == at).count();
        // Each is the way back, the run with the fault, and the one after it.
        let runs = 3 * tried.iter().filter(|(_, verdict)| *verdict != Ok(0)).count();
        let wrong = tried.iter().filter(|(_, verdict)| verdict.is_err()).count();
        writeln!(table, "| {name} | {all} | {runs} | {wrong} |").unwrap();
    }
    let wrong = verdicts.iter().filter_map(|(point, verdict)| {
        let why = verdict.as_ref().err()?;
        Some(match point {
            Point::At(row, nth) => format!("{}, at request {}: {why}", ROWS[*row].name, nth + 1),
            Point::Random(seed) => format!("with TRUEUP_SEED={seed}: {why}"),
        })
    });
    (table, wrong.collect())
}
