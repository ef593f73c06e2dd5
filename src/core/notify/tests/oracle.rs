//! Any sequence of rounds, with restarts anywhere: each transition makes one message. The expected
//! ones are worked out of the whole history by rules that remember nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::super::rules::is_due;
use super::*;

const GRACE: i64 = 100;
const REMINDER: u32 = 3;

/// A round, in numbers.
#[derive(Clone, Debug)]
struct Fact {
    pause: i64,
    git: Option<bool>,
    cluster: Option<bool>,
    step: FactStep,
    /// Whether the process ended after it was noted, or before; the latter sees it again.
    restart: Option<bool>,
}

#[derive(Clone, Debug)]
enum FactStep {
    Unknown,
    Deploying(u8),
    /// By its key, and whether it ends soon.
    Suspended(u8, bool),
    Ended {
        culprits: BTreeSet<(u8, u8)>,
        /// Objects that were not waited for; their class is 0.
        unready: BTreeSet<u8>,
        taken: Option<u8>,
        refused: Option<(u8, u8)>,
        drifted: BTreeSet<u8>,
        put_back: BTreeSet<u8>,
        waits: Option<u8>,
    },
}

/// A message of a round: the transition and its objects.
type Told = (usize, Transition, BTreeSet<String>);

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let reach = || prop_oneof![1 => Just(None), 3 => Just(Some(true)), 3 => Just(Some(false))];
    let objects = || prop::collection::btree_set(0..3_u8, 0..3);
    let wrong = prop_oneof![
        2 => Just(BTreeSet::new()),
        3 => prop::collection::btree_set((0..3_u8, 0..2_u8), 1..3),
    ];
    let taken = prop::option::weighted(0.2, 0..3_u8);
    let refused = prop::option::weighted(0.2, (0..3_u8, 0..2_u8));
    let waits = prop::option::weighted(0.3, 0..3_u8);
    let end = (wrong, objects(), taken, refused, objects(), objects(), waits).prop_map(
        |(culprits, unready, taken, refused, drifted, put_back, waits)| {
            let drifted = drifted.difference(&put_back).copied().collect();
            FactStep::Ended { culprits, unready, taken, refused, drifted, put_back, waits }
        },
    );
    // Long runs of the same, so that reminders come.
    let step = prop_oneof![
        1 => Just(FactStep::Unknown),
        1 => (0..3_u8).prop_map(FactStep::Deploying),
        1 => (0..2_u8, any::<bool>()).prop_map(|(key, soon)| FactStep::Suspended(key, soon)),
        4 => end,
    ];
    let restart = prop::option::weighted(0.3, any::<bool>());
    let fact = (0..80_i64, reach(), reach(), step, restart, 1..9_usize).prop_map(
        |(pause, git, cluster, step, restart, times)| {
            vec![Fact { pause, git, cluster, step, restart }; times]
        },
    );
    prop::collection::vec(fact, 0..14).prop_map(|runs| runs.concat())
}

fn name(number: u8) -> String {
    format!("ConfigMap shop/o{number}")
}

/// The observation of a fact; texts are other ones in every round.
fn observation(fact: &Fact, index: usize, seconds: i64) -> Observation {
    let reach = |asked: Option<bool>| match asked {
        None => Reach::NotAsked,
        Some(true) => Reach::Reached,
        Some(false) => Reach::Lost(format!("no answer within {index} s")),
    };
    let step = match &fact.step {
        FactStep::Unknown => Step::Unknown,
        FactStep::Deploying(number) => Step::Deploying(commit(&number.to_string())),
        FactStep::Suspended(key, ends_soon) => Step::Suspended(SuspendedRound {
            key: key.to_string(),
            text: format!("until round {index}"),
            ends_soon: *ends_soon,
        }),
        FactStep::Ended { culprits, unready, taken, refused, drifted, put_back, waits } => {
            let text = format!("attempt {index} after {seconds} s");
            let culprits = culprits
                .iter()
                .map(|(object, class)| culprit(&name(*object), &class.to_string(), &text));
            let culprits: Vec<Culprit> = culprits.collect();
            // One that failed for another reason is named once.
            let others = unready.iter().filter(|object| {
                culprits.iter().all(|it| it.object != Some(name(**object)) || it.class != "0")
            });
            let unready = others.map(|object| culprit(&name(*object), "0", &text)).collect();
            let taken = taken
                .map(|number| Taken { failed: commit(&number.to_string()), to: commit("f").id });
            let is_failing = !culprits.is_empty() || taken.is_some();
            let failure = is_failing.then_some(Failure { culprits, taken });
            let refused = refused.map(|(number, class)| RefusedCommit {
                commit: commit(&number.to_string()),
                class: class.to_string(),
                text: text.clone(),
                stays: None,
            });
            let drift = |objects: &BTreeSet<u8>, is_put_back: bool| {
                let object = |object: &u8| Drift { object: name(*object), is_put_back };
                objects.iter().map(object).collect::<Vec<_>>()
            };
            let drift = [drift(drifted, false), drift(put_back, true)].concat();
            let waits = waits.map(|number| WaitingNews {
                commit: commit(&number.to_string()),
                text: text.clone(),
            });
            let end = RoundEnd { failure, unready, refused, drift, waits, ..good("a") };
            Step::Ended(Box::new(end))
        }
    };
    Observation { git: reach(fact.git), cluster: reach(fact.cluster), ..seen(seconds, step) }
}

/// When each fact was seen.
fn times(facts: &[Fact]) -> Vec<i64> {
    let add = |now: &mut i64, fact: &Fact| {
        *now += fact.pause;
        Some(*now)
    };
    facts.iter().scan(0, add).collect()
}

/// The messages about something that is away or not.
fn outages(
    facts: &[Fact],
    asked: impl Fn(&Fact) -> Option<bool>,
    names: [Transition; 2],
) -> Vec<Told> {
    let times = times(facts);
    let known: Vec<(usize, bool)> =
        (0..facts.len()).filter_map(|at| Some((at, asked(&facts[at])?))).collect();
    let mut told = Vec::new();
    for run in known.chunk_by(|one, other| one.1 == other.1) {
        let first = run[0].0;
        let late = run.iter().find(|(at, _)| times[*at] - times[first] >= GRACE);
        let Some((late, false)) = late else { continue };
        told.push((*late, names[0], BTreeSet::new()));
        let end = known.iter().find(|(at, is_there)| *at > *late && *is_there);
        told.extend(end.map(|(at, _)| (*at, names[1], BTreeSet::new())));
    }
    told
}

/// The messages about suspensions.
fn suspensions(facts: &[Fact]) -> Vec<Told> {
    let suspension = |at: usize| match facts[at].step {
        FactStep::Unknown => None,
        FactStep::Suspended(key, soon) => Some((at, Some((key, soon)))),
        _ => Some((at, None)),
    };
    let known: Vec<_> = (0..facts.len()).filter_map(suspension).collect();
    let is_one = |now: Option<(u8, bool)>| now.map(|(key, _)| key);
    let mut told = Vec::new();
    for (index, run) in known.chunk_by(|one, other| is_one(one.1) == is_one(other.1)).enumerate() {
        let mut tell = |at, transition| told.push((at, transition, BTreeSet::new()));
        match run[0].1 {
            None if index > 0 => tell(run[0].0, Transition::Resumed),
            None => {}
            Some(_) => tell(run[0].0, Transition::Suspended),
        }
        let soon = run.iter().find(|(_, now)| now.is_some_and(|(_, soon)| soon));
        soon.into_iter().for_each(|(at, _)| tell(*at, Transition::SuspensionEnding));
    }
    told
}

/// The rounds that told that a deployment began.
fn starts(facts: &[Fact]) -> Vec<usize> {
    let deploying = |at: usize| match facts[at].step {
        FactStep::Deploying(number) => Some((at, number)),
        _ => None,
    };
    let all: Vec<(usize, u8)> = (0..facts.len()).filter_map(deploying).collect();
    let is_new = |index: &usize| *index == 0 || all[index - 1].1 != all[*index].1;
    (0..all.len()).filter(is_new).map(|index| all[index].0).collect()
}

/// The names of what is wrong in each round.
fn all_keys(facts: &[Fact]) -> Vec<BTreeSet<String>> {
    let mut all: Vec<BTreeSet<String>> = Vec::new();
    // Those of the failure so far.
    let mut run = BTreeSet::new();
    for (at, fact) in facts.iter().enumerate() {
        let FactStep::Ended { culprits, unready, taken, refused, .. } = &fact.step else {
            all.push(BTreeSet::new());
            continue;
        };
        let started = facts[..at].iter().rev().find_map(|fact| match fact.step {
            FactStep::Deploying(number) => Some(number),
            _ => None,
        });
        let key = |culprit: (u8, u8)| format!("culprit {started:?} {culprit:?}");
        let lasts = unready.iter().map(|object| key((*object, 0))).filter(|key| run.contains(key));
        let taken = taken.iter().map(|number| format!("taken {number}"));
        let refused = refused.iter().map(|refused| format!("refused {refused:?}"));
        let wrong = culprits.iter().copied().map(key).chain(lasts).chain(taken).chain(refused);
        let wrong: BTreeSet<String> = wrong.collect();
        match wrong.is_empty() {
            true => run.clear(),
            false => run.extend(wrong.iter().cloned()),
        }
        all.push(wrong);
    }
    all
}

/// The objects in keys of culprits.
fn objects_of<'a>(keys: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    let of = |key: &String| {
        let number = key.strip_prefix("culprit ")?.rsplit_once(" (")?.1.split(',').next()?;
        Some(name(number.parse().ok()?))
    };
    keys.into_iter().filter_map(of).collect()
}

/// All that is to be told, in any order.
fn expected(facts: &[Fact]) -> Vec<Told> {
    let names = [Transition::GitUnreachable, Transition::GitReachable];
    let mut told = outages(facts, |fact| fact.git, names);
    let names = [Transition::ClusterUnreachable, Transition::ClusterReachable];
    told.extend(outages(facts, |fact| fact.cluster, names));
    told.extend(suspensions(facts));
    let starts = starts(facts);
    told.extend(starts.iter().map(|at| (*at, Transition::Started, BTreeSet::new())));

    let is_end = |at: &usize| matches!(facts[*at].step, FactStep::Ended { .. });
    let ends: Vec<usize> = (0..facts.len()).filter(is_end).collect();
    let (none, all) = (BTreeSet::new(), all_keys(facts));
    let keys = |at: usize| &all[at];
    for (index, &at) in ends.iter().enumerate() {
        let FactStep::Ended { drifted, put_back, .. } = &facts[at].step else {
            continue;
        };
        let last = index.checked_sub(1).map(|index| ends[index]);
        let (before, back) = match last.map(|last| &facts[last].step) {
            Some(FactStep::Ended { drifted, put_back, .. }) => (drifted, put_back),
            _ => (&none, &none),
        };
        let mut tell = |transition: Transition, objects: Vec<u8>| {
            let objects: BTreeSet<String> = objects.into_iter().map(name).collect();
            told.extend((!objects.is_empty()).then_some((at, transition, objects)));
        };
        let is_back = |object: &&u8| before.contains(object) || !back.contains(object);
        let is_gone = |object: &&u8| !drifted.contains(object) && !put_back.contains(object);
        tell(Transition::Drift, drifted.difference(before).copied().collect());
        tell(Transition::DriftPutBack, put_back.iter().filter(is_back).copied().collect());
        tell(Transition::DriftGone, before.iter().filter(is_gone).copied().collect());

        let waits = |at: usize| match facts[at].step {
            FactStep::Ended { waits, .. } => waits,
            _ => None,
        };
        if waits(at).is_some() && waits(at) != last.and_then(waits) {
            told.push((at, Transition::Waiting, BTreeSet::new()));
        }

        // The rounds of this failure up to this one.
        let run: Vec<usize> =
            ends[..=index].iter().rev().copied().take_while(|at| !keys(*at).is_empty()).collect();
        let was_wrong = last.is_some_and(|last| !keys(last).is_empty());
        let news = |of: usize| -> BTreeSet<String> {
            let mut new = keys(of).clone();
            for earlier in run.iter().filter(|earlier| **earlier < of) {
                new = new.difference(keys(*earlier)).cloned().collect();
            }
            new
        };
        let pending =
            starts.iter().any(|start| last.is_none_or(|last| *start > last) && *start < at);
        let is_failing = keys(at).iter().any(|key| !key.starts_with("refused"));
        if run.is_empty() && was_wrong {
            told.push((at, Transition::Recovered, BTreeSet::new()));
        } else if pending && !is_failing {
            told.push((at, Transition::Healthy, BTreeSet::new()));
        }
        if run.is_empty() {
            continue;
        }
        let new = news(at);
        let is_new = |kind: &str| new.iter().any(|key| key.starts_with(kind));
        if is_new("refused") {
            told.push((at, Transition::Refused, BTreeSet::new()));
        }
        if is_new("taken") {
            told.push((at, Transition::RolledBack, objects_of(keys(at))));
        } else if is_new("culprit") {
            told.push((at, Transition::Failed, objects_of(&new)));
        }
        let quiet = run.iter().position(|at| !news(*at).is_empty()).unwrap_or_default() + 1;
        if new.is_empty() && is_due(REMINDER, u32::try_from(quiet).unwrap_or(u32::MAX)) {
            told.push((at, Transition::StillFailing, objects_of(keys(at))));
        }
    }
    told.sort();
    told
}

fn again(state: &TargetState) -> TargetState {
    let text = serde_json::to_string(state).expect("it is plain data");
    serde_json::from_str(&text).expect("it was written by us")
}

fn rules() -> Rules {
    let grace = Duration::from_secs(GRACE.unsigned_abs());
    Rules { grace, reminders: BTreeSet::from([REMINDER]) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn each_transition_is_told_once_whatever_happens(facts in facts()) {
        let (mut state, rules) = (TargetState::default(), rules());
        let (mut told, mut ids) = (Vec::new(), BTreeSet::new());
        for (index, (fact, seconds)) in facts.iter().zip(times(&facts)).enumerate() {
            let seen = observation(fact, index, seconds);
            if fact.restart == Some(false) {
                // The process ended before it was stored: neither is the state.
                again(&state).advance(&seen, &rules);
            }
            for message in state.advance(&seen, &rules) {
                prop_assert!(ids.insert(message.id.clone()), "twice: {message:?}");
                let objects = message.objects.iter().cloned().collect();
                told.push((index, message.transition, objects));
            }
            if fact.restart.is_some() {
                state = again(&state);
            }
        }
        told.sort();
        prop_assert_eq!(told, expected(&facts));
    }
}
