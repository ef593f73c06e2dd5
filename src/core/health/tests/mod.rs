//! One row a rule: what it says, an object, its state, and what it waits for.

mod generic;
mod network;
mod others;
mod pods;
mod workloads;

use super::*;

/// The row's description, the object without the fields that every object has, the state, and why.
type Row = (&'static str, &'static str, HealthState, &'static str);

const READY: HealthState = HealthState::Ready;
const PROGRESSING: HealthState = HealthState::Progressing;
const FAILED: HealthState = HealthState::Failed;

fn object(yaml: &str) -> Object {
    serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error} in\n{yaml}"))
}

/// Holds every row against the assessor; `head` is what all its objects begin with.
#[track_caller]
fn check(assessor: &HealthAssessor, head: &str, rows: &[Row]) {
    for (says, yaml, state, why) in rows {
        let health = assessor.health(&object(&format!("{head}\n{yaml}")));
        let expected = Health { state: *state, why: (*why).to_owned() };
        assert_eq!(health, expected, "{says}");
    }
}
