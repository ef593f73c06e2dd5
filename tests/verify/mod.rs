//! What is proven without asking the server is what the server says: `diff` and `diff --verify`
//! give the same answer, whatever happened to the objects and to their declarations.

mod drift;
mod world;

use serde_json::Value;

use crate::support::mutate::number;
use crate::support::random::Random;
use crate::support::sandbox;
use drift::Drift;
use world::World;

#[test]
fn noop_proof_agrees_with_the_server() {
    let count = agree("verify-some", 2, 6, 1);
    assert!(count.drifted > 40 && count.redeclared > 10 && count.proven > 60, "{count:?}");
}

/// The same at length: `TRUEUP_VERIFY_ROUNDS` and `TRUEUP_SEED` say how long and which.
#[test]
#[ignore = "takes minutes; .ci/run has it"]
#[allow(clippy::print_stdout, reason = "who runs it wants to know what was tried")]
fn verify_at_length() {
    let (rounds, seed) = (number("TRUEUP_VERIFY_ROUNDS", 60), number("TRUEUP_SEED", 7));
    let count = agree("verify-length", 4, rounds, seed);
    println!("{rounds} rounds, seed {seed}: {count:?}, 0 differences");
}

/// What was tried.
#[derive(Debug, Default)]
struct Count {
    /// Objects that were looked at, once a round.
    looked: usize,
    /// Objects that somebody changed in the cluster.
    drifted: usize,
    /// Objects whose declaration was changed.
    redeclared: usize,
    /// Objects that the server was not asked about.
    proven: usize,
}

/// Rounds of drift in copies of every kind of object.
fn agree(name: &str, copies: usize, rounds: u64, seed: u64) -> Count {
    let mut random = Random::new(seed);
    let mut world = World::new(name, sandbox::bare(), copies);
    let mut count = Count::default();
    for round in 0..rounds {
        let mut said = Vec::new();
        for at in 0..world.objects.len() {
            match random.below(4) {
                0 => continue,
                1 => {
                    let redeclared = world.redeclare(at, &mut random);
                    count.redeclared += usize::from(redeclared.is_some());
                    said.extend(redeclared);
                }
                _ => {
                    let drifted = Drift::random(&mut random).happen(&world, at, &mut random);
                    count.drifted += usize::from(drifted.is_some());
                    said.extend(drifted);
                }
            }
        }
        world.commit();
        let (proof, server) = (world.diff(&[]), world.diff(&["--verify"]));
        let place = |said: &[String]| format!("seed {seed}, round {round}:\n{}", said.join("\n"));
        for (ours, theirs) in both(&proof, &server) {
            assert_eq!(ours, theirs, "{}", place(&said));
        }
        count.looked += world.objects.len();
        let asked = |diff: &Value| diff["requests"].as_u64().unwrap();
        count.proven += usize::try_from(asked(&server) - asked(&proof)).unwrap();
        world.make_true();
    }
    count
}

/// The changes of two diffs, object by object.
fn both(ours: &Value, theirs: &Value) -> Vec<(Value, Value)> {
    let list = |diff: &Value| diff["changes"].as_array().unwrap().clone();
    let (ours, mut theirs) = (list(ours), list(theirs));
    let mut pairs = Vec::new();
    for change in ours {
        let same = theirs.iter().position(|other| other["object"] == change["object"]);
        let other = same.map_or(Value::Null, |at| theirs.remove(at));
        pairs.push((change, other));
    }
    pairs.extend(theirs.into_iter().map(|other| (Value::Null, other)));
    pairs
}
