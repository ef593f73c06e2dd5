//! Every fault at every request: the points, the worlds that they are tried in, several at once,
//! and the table of how they ended.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use self::Trouble::Line;
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
    trouble: Trouble,
    args: &'static [&'static str],
    demand: Demand,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Something between trueup and the server.
    Line(Fault),
    /// The user's rights are taken away.
    NoRights,
    /// Somebody deletes the very object that is about to be written.
    Deleted,
}

impl Trouble {
    /// Whether it can happen at a request.
    fn is_at(self, seen: &Seen) -> bool {
        match self {
            Self::Line(Fault::Stale) => seen.is_list(),
            // What can't be had back in a moment is left alone.
            Self::Deleted => seen.is_write() && !is_lasting(&seen.path),
            _ => true,
        }
    }
}

/// Whether it is a namespace or a definition.
fn is_lasting(path: &str) -> bool {
    path.contains("/customresourcedefinitions/") || path.matches('/').count() == 4
}

/// What may go wrong with any request.
pub const ROWS: [Row; 16] = [
    row("kill -9 before the server acts, one request at a time", Line(Fault::KillBefore), ONE),
    row("kill -9 after the server acted, one request at a time", Line(Fault::KillAfter), ONE),
    row("kill -9 before the server acts, many at once", Line(Fault::KillBefore), MANY),
    row("kill -9 after the server acted, many at once", Line(Fault::KillAfter), MANY),
    row("429 with Retry-After", Line(Fault::Status(429)), MANY),
    row("500", Line(Fault::Status(500)), MANY),
    row("503", Line(Fault::Status(503)), MANY),
    row("reset before the server acts", Line(Fault::ResetBefore), MANY),
    row("reset after the server acted", Line(Fault::ResetAfter), MANY),
    row("a delay", Line(Fault::Delay), MANY),
    row("half an answer", Line(Fault::Truncated), MANY),
    row("401, an expired token", Line(Fault::Status(401)), MANY),
    row("200 from something that is no API server", Line(Fault::Garbled), MANY),
    row("a stale list", Line(Fault::Stale), MANY),
    row("the user's rights are taken away", Trouble::NoRights, MANY),
    row("somebody deletes the object first", Trouble::Deleted, MANY),
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

const fn row(name: &'static str, trouble: Trouble, args: &'static [&'static str]) -> Row {
    let demand = match trouble {
        Line(Fault::KillBefore | Fault::KillAfter) => Demand::Dies,
        Line(Fault::Status(401) | Fault::Garbled) | Trouble::NoRights => Demand::Tells,
        Line(Fault::Stale) => Demand::Ends,
        Line(_) | Trouble::Deleted => Demand::Survives,
    };
    Row { name, trouble, args, demand }
}

/// What to try.
#[derive(Clone, Copy)]
pub enum Point {
    /// A row's fault at the Nth request that it can happen to.
    At(usize, usize),
    /// Faults at random, from this seed.
    Random(u64),
}

/// Every so many points of every row, the kills and the others, beginning elsewhere in each; and
/// some seeds.
pub fn points(
    world: &World,
    (kills, others): (usize, usize),
    seeds: std::ops::Range<u64>,
) -> Vec<Point> {
    let mut points = Vec::new();
    for (at, row) in ROWS.iter().enumerate() {
        let all = world.undisturbed.iter().filter(|seen| row.trouble.is_at(seen)).count();
        let step = if row.demand == Demand::Dies { kills } else { others };
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

impl Point {
    fn name(self) -> String {
        match self {
            Self::At(row, nth) => format!("{}, at request {}", ROWS[row].name, nth + 1),
            Self::Random(seed) => format!("with TRUEUP_SEED={seed}"),
        }
    }
}

/// Tries points in a world, and goes on in another one after one that ended wrong.
#[allow(clippy::print_stderr, reason = "it takes minutes")]
fn work(mut world: Option<World>, queue: &Mutex<VecDeque<Point>>, verdicts: &Verdicts) {
    loop {
        let Some(point) = queue.lock().unwrap().pop_front() else { return };
        let tried = catch_unwind(AssertUnwindSafe(|| {
            let world = world.get_or_insert_with(|| World::new(sandbox::bare()));
            try_out(world, point)
        }));
        let verdict = tried.unwrap_or_else(|_| Err("the test itself failed".to_owned()));
        let mut verdicts = verdicts.lock().unwrap();
        if let Err(why) = &verdict {
            world = None;
            // Who waits for minutes wants to know at once.
            eprintln!("{}: {why}\n", point.name());
        }
        verdicts.push((point, verdict));
        if verdicts.len().is_multiple_of(100) {
            eprintln!("{} points so far", verdicts.len());
        }
    }
}

fn try_out(world: &World, point: Point) -> Verdict {
    match point {
        Point::At(row, nth) => {
            let Row { trouble, args, demand, .. } = ROWS[row];
            let mut count = 0;
            let is_now = move |seen: &Seen| {
                count += usize::from(trouble.is_at(seen));
                trouble.is_at(seen) && count == nth + 1
            };
            happen(world, trouble, (args, demand), is_now)
        }
        Point::Random(seed) => {
            let mut random = Random::new(seed);
            world.point(MANY, Demand::Tells, move |_| {
                (random.below(8) == 0).then(|| *random.one_of(&CHANCES))
            })
        }
    }
}

/// Lets it happen at the request that `is_now` knows.
fn happen(
    world: &World,
    trouble: Trouble,
    (args, demand): (&[&str], Demand),
    mut is_now: impl FnMut(&Seen) -> bool + Send + 'static,
) -> Verdict {
    match trouble {
        Line(fault) => world.point(args, demand, move |seen| is_now(seen).then_some(fault)),
        Trouble::NoRights => {
            let take_away = world.rights();
            let user = world.user();
            world.point(&[args, &["--as", &user]].concat(), demand, move |seen| {
                is_now(seen).then(&take_away).map(|()| Fault::Meddled)
            })
        }
        Trouble::Deleted => {
            let delete = world.deleting();
            world.point(args, demand, move |seen| {
                is_now(seen).then(|| delete(&seen.path)).map(|()| Fault::Meddled)
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
        Some(format!("{}: {why}", point.name()))
    });
    (table, wrong.collect())
}
