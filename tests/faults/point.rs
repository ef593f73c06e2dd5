//! One point: a run in which something goes wrong, one that is left in peace, and what is held
//! against them.

use super::world::{State, World};
use crate::support::command::Output;
use crate::support::faults::{Fault, Run, Seen};

/// What is asked of the run in which something goes wrong. What the next one comes to is always
/// the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// It is killed.
    Dies,
    /// It comes to its end as if nothing had happened.
    Survives,
    /// It does, or it says that it could not.
    Tells,
    /// It says something; it was lied to.
    Ends,
}

/// What was done wrong at a point, or how many faults there were.
pub type Verdict = Result<usize, String>;

impl World {
    /// Applies the second commit over the first while things go wrong, then in peace.
    pub fn point(
        &self,
        args: &[&str],
        demand: Demand,
        script: impl FnMut(&Seen) -> Option<Fault> + Send + 'static,
    ) -> Verdict {
        self.peace(&["apply", "--rev", "HEAD~1"], &self.first)
            .map_err(|why| format!("the way back: {why}"))?;
        let Run { output, seen: _, struck } = self.disturbed(args, script);
        self.unlock();
        if struck == 0 {
            return Ok(0);
        }
        let middle = self.state();
        let told = || format!("the disturbed run said\n{output}");
        self.is_in_between(&middle).map_err(|why| format!("{why}; {}", told()))?;
        held(demand, &output, middle == self.second).map_err(|why| format!("{why}; {}", told()))?;

        let seen = self
            .peace(&["apply"], &self.second)
            .map_err(|why| format!("the next run: {why}; {}", told()))?;
        self.records_agree().map_err(|why| format!("{why}; {}", told()))?;
        let is_true = |path: &String| {
            middle.contains_key(path) == self.second.contains_key(path)
                && middle.get(path) == self.second.get(path)
        };
        let mut writes = seen.iter().filter(|seen| seen.is_write()).map(|seen| &seen.path);
        match writes.find(|path| is_true(path)) {
            Some(path) => Err(format!("{path} was true already and was written; {}", told())),
            None => Ok(struck),
        }
    }

    /// A run that is left in peace, which has to come to `state`.
    pub fn peace(&self, args: &[&str], state: &State) -> Result<Vec<Seen>, String> {
        let Run { output, seen, .. } = self.disturbed(args, |_| None);
        if output.status != Some(0) {
            return Err(format!("it failed\n{output}"));
        }
        match differences(&self.state(), state).as_slice() {
            [] if self.leaves_strangers_alone() => Ok(seen),
            [] => Err("it touched what is somebody else's".to_owned()),
            paths => Err(format!("{} differ: {}\n{output}", paths.len(), paths.join(", "))),
        }
    }

    /// Whether each object is as one of the two commits has it.
    pub fn is_in_between(&self, middle: &State) -> Result<(), String> {
        if !self.leaves_strangers_alone() {
            return Err("it touched what is somebody else's".to_owned());
        }
        let parent = self.parent();
        let paths = self.first.keys().chain(self.second.keys()).chain(middle.keys());
        for path in paths.filter(|path| **path != parent) {
            let now = middle.get(path);
            if now.is_none() && is_replaced(path) {
                continue; // Deleted, and not made anew yet.
            }
            if now != self.first.get(path) && now != self.second.get(path) {
                return Err(format!("{path} is as neither commit has it: {now:?}"));
            }
        }
        Ok(())
    }
}

/// Whether the disturbed run did what is asked of it.
fn held(demand: Demand, output: &Output, is_true: bool) -> Result<(), String> {
    let has_said_so = match output.status {
        Some(1) => output.stdout.contains(" is NOT at "),
        Some(2) => output.stderr.lines().any(|line| line.starts_with("error: ")),
        _ => false,
    };
    let is_clear = has_said_so && !output.stderr.contains("panicked");
    match (demand, output.status) {
        (Demand::Dies, None) | (Demand::Ends, Some(0)) => Ok(()),
        (Demand::Survives | Demand::Tells, Some(0)) if is_true => Ok(()),
        (Demand::Survives | Demand::Tells, Some(0)) => {
            Err("it says that all is well, and it is not".to_owned())
        }
        (Demand::Tells | Demand::Ends, Some(1 | 2)) if is_clear => Ok(()),
        (demand, _) => Err(format!("it should be one that {demand:?}")),
    }
}

/// Whether both commits have it and can't change it.
fn is_replaced(path: &str) -> bool {
    ["/r0", "/r1", "/r2"].iter().any(|end| path.ends_with(end))
}

fn differences(now: &State, wanted: &State) -> Vec<String> {
    let paths = now.keys().chain(wanted.keys()).filter(|path| now.get(*path) != wanted.get(*path));
    let mut paths: Vec<String> = paths.cloned().collect();
    paths.dedup();
    paths
}
