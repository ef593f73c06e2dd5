//! What a plan and a first apply cost, beside kubectl, kapp and the floor: raw requests by a plain
//! client. Prints a table; asserts nothing.
//!
//! ```text
//! cargo build && target/debug/trueup sandbox -- cargo bench --bench plan -- 1000 5000
//! ```
//!
//! `TRUEUP_BUILDS=before=PATH,now=PATH` adds rows for other builds of trueup, such as a release build of
//! the commit before.
//!
//! needs git. kubectl comes with the sandbox; kapp is left out where it is not on PATH. The numbers
//! are how many objects there are, 1,000 where none is given. `targets` in place of a number measures a
//! hundred targets of a hundred objects; give it a sandbox of its own, as it lists all inventories.

mod relay;
mod world;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use relay::Relay;
use world::{Floor, LISTS_OF, Ran, World, run};

/// How often each is run, in turns; the median counts.
const ROUNDS: usize = 5;
/// The slowest, which take half a minute each, are run less often.
const FEW: usize = 2;
/// How many objects a small commit changes.
const CHANGED: usize = 50;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, id, ..] = args.as_slice()
        && verb == LISTS_OF
    {
        return Floor::new()?.lists_of(id).map(drop);
    }
    if args.iter().any(|arg| arg == "targets") {
        return many_targets(&Floor::new()?);
    }
    let sizes: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let floor = Floor::new()?;
    for size in if sizes.is_empty() { vec![1_000] } else { sizes } {
        // The API server looks through all objects of a kind, so the fewest come first.
        nothing_to_do(&floor, size)?;
        bytes_received(size)?;
        few_changes(size)?;
        first_apply(&floor, size)?;
    }
    Ok(())
}

/// Everything is new.
fn first_apply(floor: &Floor, size: usize) -> Outcome<()> {
    let mut table = Table::new(&format!("first apply, {size} objects"), "raw PATCHes, 16 at once");
    for round in 0..ROUNDS {
        let world = |name: &str| World::new(&format!("{name}{round}-{size}"), size);
        let raw = world("raw")?;
        floor.namespaces(&raw)?;
        table.add("raw PATCHes, 16 at once", floor.patches(&raw)?);
        table.add("trueup apply", run(&mut world("trueup")?.trueup(&["apply", "--yes"]), &[0])?);
        for Build { name, path } in &builds() {
            let ran = run(&mut world(name)?.build(path, &["apply", "--yes"]), &[0])?;
            table.add(&format!("trueup apply, {name}"), ran);
        }
        if round < FEW {
            // Each object is asked about by dry run where its namespace is there.
            let there = world("there")?;
            floor.namespaces(&there)?;
            let ran = run(&mut there.trueup(&["apply", "--yes"]), &[0])?;
            table.add("trueup apply, namespaces there", ran);
            let kubectl = world("kubectl")?;
            floor.namespaces(&kubectl)?;
            table.add("kubectl apply --server-side", run(&mut kubectl.kubectl_apply(), &[0])?);
        }
        if let Some(kapp) = world("kapp")?.kapp(&["deploy", "--yes"]) {
            table.add("kapp deploy", run(&mut { kapp }, &[0])?);
        }
    }
    table.print()
}

/// Everything is as it should be.
fn nothing_to_do(floor: &Floor, size: usize) -> Outcome<()> {
    let lists = "raw LISTs of the five kinds";
    let mut table = Table::new(&format!("diff, {size} objects, nothing to do"), lists);
    let world = World::new(&format!("noop-{size}"), size)?;
    let _ = run(&mut world.trueup(&["apply", "--yes"]), &[0])?;
    let _ = run(&mut world.trueup(&["diff"]), &[0])?;
    let kapp = match world.kapp(&["deploy", "--yes"]) {
        Some(mut deploy) => run(&mut deploy, &[0]).map(|_| true)?,
        None => false,
    };
    for round in 0..ROUNDS {
        table.add(lists, floor.lists(&world)?);
        table.add("the same, a process of its own", floor.lists_from_nothing(&world)?);
        table.add("trueup diff", run(&mut world.trueup(&["diff"]), &[0])?);
        for Build { name, path } in &builds() {
            table.add(
                &format!("trueup diff, {name}"),
                run(&mut world.build(path, &["diff"]), &[0])?,
            );
        }
        if round < FEW {
            let mut diff = world.kubectl(&["diff", "--server-side", "--concurrency=16"]);
            table.add("kubectl diff --concurrency=16", run(&mut diff, &[0, 1])?);
            let mut diff = world.kubectl(&["diff", "--server-side"]);
            table.add("kubectl diff", run(&mut diff, &[0, 1])?);
            table.add("kubectl apply, again", run(&mut world.kubectl_apply(), &[0])?);
        }
        if let Some(mut diff) = world.kapp(&["deploy", "--diff-run"]).filter(|_| kapp) {
            table.add("kapp deploy --diff-run", run(&mut diff, &[0])?);
        }
    }
    table.print()
}

/// How much the API server sends for a diff with nothing to do.
#[allow(clippy::disallowed_methods, reason = "a table of numbers, no answer of trueup's")]
fn bytes_received(size: usize) -> Outcome<()> {
    let (world, relay) = (World::new(&format!("bytes-{size}"), size)?, Relay::start()?);
    let _ = run(&mut world.trueup(&["apply", "--yes"]), &[0])?;
    let mut out = io::stdout();
    writeln!(out, "\nbytes received, {size} objects, nothing to do")?;
    let now = Build { name: "trueup diff".into(), path: env!("CARGO_BIN_EXE_trueup").into() };
    for Build { name, path } in std::iter::once(now).chain(builds()) {
        let mut received = Vec::new();
        for _ in 0..ROUNDS {
            let mut diff = world.build(&path, &["diff"]);
            let _ = run(diff.env("KUBECONFIG", relay.kubeconfig()), &[0])?;
            received.push(relay.take());
        }
        // The first ones learn what the others know.
        writeln!(out, "{name:32} first {:>9}, then {:>9}", received[0], received[ROUNDS - 1])?;
    }
    Ok(())
}

/// A hundred targets of a hundred objects each, and nothing to do.
fn many_targets(floor: &Floor) -> Outcome<()> {
    let lists = "raw LISTs of the five kinds";
    let mut table = Table::new("diff of 100 targets of 100 objects, nothing to do", lists);
    let world = World::of_teams("targets", 10_000, 100)?;
    let names: Vec<String> = (0..100).map(|number| format!("team-{number}")).collect();
    for name in &names {
        let _ = run(&mut world.trueup(&["apply", "--yes", "--target", name]), &[0])?;
    }
    let _ = run(&mut world.trueup(&["diff", "--all-targets"]), &[0])?;
    for round in 0..ROUNDS {
        table.add(lists, floor.lists_of_all()?);
        table.add(
            "trueup diff --all-targets",
            run(&mut world.trueup(&["diff", "--all-targets"]), &[0])?,
        );
        // Without controllers some objects are not ready.
        table.add("trueup status", run(&mut world.trueup(&["status"]), &[0, 1])?);
        for Build { name, path } in builds().iter().filter(|_| round < FEW) {
            let begin = Instant::now();
            let (mut peak, mut requests) = (0, 0);
            for target in &names {
                let ran = run(&mut world.build(path, &["diff", "--target", target]), &[0])?;
                peak = peak.max(ran.peak);
                requests += ran.requests.unwrap_or_default();
            }
            let (time, requests) = (begin.elapsed(), Some(requests));
            table.add(&format!("{name}, 100 runs"), Ran { time, peak, requests });
        }
    }
    table.print()
}

/// A commit changes a few objects of many.
fn few_changes(size: usize) -> Outcome<()> {
    let mut table = Table::new(&format!("{CHANGED} of {size} objects changed"), "trueup diff");
    let world = World::new(&format!("few-{size}"), size)?;
    let _ = run(&mut world.trueup(&["apply", "--yes"]), &[0])?;
    for round in 0..ROUNDS {
        world.change(CHANGED, round)?;
        table.add("trueup diff", run(&mut world.trueup(&["diff"]), &[1])?);
        for Build { name, path } in &builds() {
            table.add(
                &format!("trueup diff, {name}"),
                run(&mut world.build(path, &["diff"]), &[1])?,
            );
        }
        table.add("trueup apply", run(&mut world.trueup(&["apply", "--yes"]), &[0])?);
    }
    table.print()
}

/// Another build of trueup.
struct Build {
    name: String,
    path: String,
}

/// The builds that `TRUEUP_BUILDS` names.
fn builds() -> Vec<Build> {
    #[allow(clippy::disallowed_methods, reason = "a benchmark has no configuration")]
    let named = std::env::var("TRUEUP_BUILDS").unwrap_or_default();
    let named = named.split(',').filter_map(|build| build.split_once('='));
    let build = |(name, path): (&str, &str)| Build { name: name.to_owned(), path: path.to_owned() };
    named.map(build).collect()
}

/// Times by name, in the order of their first run.
struct Table {
    title: String,
    floor: String,
    names: Vec<String>,
    runs: BTreeMap<String, Vec<Ran>>,
}

impl Table {
    fn new(title: &str, floor: &str) -> Self {
        let (title, floor) = (title.to_owned(), floor.to_owned());
        Self { title, floor, names: Vec::new(), runs: BTreeMap::new() }
    }

    fn add(&mut self, name: &str, ran: Ran) {
        if !self.runs.contains_key(name) {
            self.names.push(name.to_owned());
        }
        self.runs.entry(name.to_owned()).or_default().push(ran);
    }

    /// Medians, how many times the floor, the most memory, and what trueup said of its requests.
    #[allow(clippy::disallowed_methods, reason = "a table of numbers, no answer of trueup's")]
    fn print(&self) -> Outcome<()> {
        let mut out = io::stdout();
        writeln!(out, "\n{}", self.title)?;
        writeln!(
            out,
            "{:32} {:>5} {:>10} {:>8} {:>9}  requests",
            "", "runs", "median s", "× floor", "peak MB"
        )?;
        let floor = self.runs.get(&self.floor).map(|runs| median(runs));
        for name in &self.names {
            let runs = &self.runs[name];
            let (median, peak) = (median(runs), runs.iter().map(|ran| ran.peak).max());
            let times = floor.map_or(0.0, |floor| median.as_secs_f64() / floor.as_secs_f64());
            let peak = match peak {
                Some(kib) if kib > 0 => (kib / 1024).to_string(),
                _ => String::new(),
            };
            let requests = runs[0].requests.map(|n| n.to_string()).unwrap_or_default();
            writeln!(
                out,
                "{name:32} {:5} {:10.3} {times:8.1} {peak:>9}  {requests}",
                runs.len(),
                median.as_secs_f64(),
            )?;
        }
        if !self.names.iter().any(|name| name.contains("kapp")) && which("kapp").is_none() {
            writeln!(out, "kapp: left out, not on PATH")?;
        }
        Ok(())
    }
}

fn median(runs: &[Ran]) -> Duration {
    let mut times: Vec<Duration> = runs.iter().map(|ran| ran.time).collect();
    times.sort();
    times[times.len() / 2]
}

/// Whether a program is on PATH.
fn which(program: &str) -> Option<()> {
    Command::new(program).arg("version").output().ok().map(|_| ())
}
