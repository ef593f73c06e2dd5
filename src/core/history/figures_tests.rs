use jiff::Timestamp;

use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

/// A round of a commit that took a minute, two minutes after the commit.
fn round(began: i64, commit: &str, outcome: RunOutcome) -> Summary {
    Summary {
        id: record_id(at(began), 0),
        target: "prod".to_owned(),
        commit: commit.to_owned(),
        dirty: false,
        named: String::new(),
        subject: String::new(),
        author: String::new(),
        committed: at(began - 2),
        cause: Cause::Deployment,
        outcome,
        changed: 1,
        user: String::new(),
        host: String::new(),
        started: at(began),
        ended: at(began + 1),
        restored: (outcome == RunOutcome::RolledBack).then(|| "a".to_owned()),
        reason: None,
        bytes: 0,
    }
}

fn day() -> Window {
    Window { from: at(0), until: at(24 * 60) }
}

/// Deployments, failures, lead times, restores in minutes, and failures that last.
type Told = (usize, usize, Vec<u64>, Vec<u64>, usize);

fn told(rounds: &[Summary]) -> Told {
    let found = Deployments::of(rounds, day());
    let minutes = |it: Vec<u64>| it.into_iter().map(|it| it / 60).collect();
    (found.count, found.failed, minutes(found.leads), minutes(found.restores), found.unrestored)
}

#[test]
fn rounds_are_told_apart() {
    use RunOutcome::*;
    let drift = |began, outcome| Summary { cause: Cause::Drift, ..round(began, "a", outcome) };
    let removal = Summary { cause: Cause::Removal, ..round(70, "a", Healthy) };
    let cases: Vec<(&str, Vec<Summary>, Told)> = vec![
        ("nothing", vec![], (0, 0, vec![], vec![], 0)),
        ("one", vec![round(10, "a", Healthy)], (1, 0, vec![3], vec![], 0)),
        ("not waited for", vec![round(10, "a", Applied)], (1, 0, vec![3], vec![], 0)),
        (
            "a rollback restores, and the fix is the next deployment",
            vec![round(10, "a", Healthy), round(20, "b", RolledBack), round(60, "c", Healthy)],
            (3, 1, vec![3, 3], vec![1], 0),
        ),
        (
            "a rollback without an end is not one",
            vec![Summary { restored: None, ..round(20, "b", RolledBack) }, round(60, "c", Healthy)],
            (2, 1, vec![3], vec![41], 0),
        ),
        ("a failure that lasts", vec![round(20, "b", Failed)], (1, 1, vec![], vec![], 1)),
        (
            "tries of a commit are one deployment",
            vec![round(20, "b", Failed), round(25, "b", Unhealthy), round(30, "b", Healthy)],
            (1, 1, vec![3], vec![11], 0),
        ),
        (
            "two failures end with one success",
            vec![round(20, "b", Failed), round(30, "c", Failed), round(50, "d", Healthy)],
            (3, 2, vec![3], vec![31, 21], 0),
        ),
        (
            "drift is no deployment, and its repair ends a failure",
            vec![drift(5, Failed), round(20, "b", Unhealthy), drift(50, Healthy)],
            (1, 1, vec![], vec![31], 0),
        ),
        (
            "a removal ends no failure",
            vec![round(20, "b", Failed), removal],
            (1, 1, vec![], vec![], 1),
        ),
        (
            "refused, interrupted and killed are none",
            vec![round(20, "b", Refused), round(30, "b", Interrupted), round(40, "b", Killed)],
            (0, 0, vec![], vec![], 0),
        ),
        (
            "back to a commit is another deployment",
            vec![round(20, "a", Healthy), round(30, "b", Healthy), round(40, "a", Healthy)],
            (3, 0, vec![3, 3, 3], vec![], 0),
        ),
        ("outside of the window", vec![round(24 * 60, "a", Healthy)], (0, 0, vec![], vec![], 0)),
        (
            "restored after the window",
            vec![round(1438, "a", Failed), round(1500, "b", Healthy)],
            (1, 1, vec![], vec![63], 0),
        ),
    ];
    for (name, mut rounds, expected) in cases {
        assert_eq!(told(&rounds), expected, "{name}");
        rounds.reverse();
        assert_eq!(told(&rounds), expected, "{name}, the newest first");
    }
}

#[test]
fn a_commit_from_the_future_has_no_lead_time() {
    let skewed = Summary { committed: at(15), ..round(10, "a", RunOutcome::Healthy) };
    let found = Deployments::of([&skewed], day());
    assert_eq!((found.count, found.leads, found.skewed), (1, vec![], 1));
}

#[test]
fn absurd_times_are_borne() {
    let rounds = [
        Summary {
            started: Timestamp::MAX,
            ended: Timestamp::MIN,
            ..round(1, "a", RunOutcome::Failed)
        },
        Summary { committed: Timestamp::MIN, ..round(2, "b", RunOutcome::Healthy) },
        Summary { started: Timestamp::MIN, ..round(3, "c", RunOutcome::Failed) },
    ];
    let all = Window { from: Timestamp::MIN, until: Timestamp::MAX };
    let found = Deployments::of(&rounds, all);
    assert_eq!((found.count, found.failed, found.unrestored), (2, 1, 1));
    assert_eq!(found.figures(Window { from: at(1), until: at(0) }).per_day, 0.0);
}

#[test]
fn targets_are_added_and_few_samples_have_no_90th_percentile() {
    let rounds: Vec<Summary> = (1..=9)
        .map(|n: i64| Summary {
            committed: Timestamp::UNIX_EPOCH,
            ..round(n * 10, &n.to_string(), RunOutcome::Healthy)
        })
        .collect();
    let mut found = Deployments::of(&rounds, day());
    let figures = found.figures(day());
    assert_eq!((figures.deployments, figures.per_day), (9, 9.0));
    let minutes = |it: u64| it * 60;
    let lead = Spread { samples: 9, median: Some(minutes(51)), p90: None };
    assert_eq!((figures.lead, figures.failure_rate), (lead, Some(0.0)));
    assert_eq!(figures.restore, Spread::default());
    found.add(Deployments::of([&round(5, "x", RunOutcome::Failed)], day()));
    found.add(Deployments::of(
        [&Summary { committed: at(0), ..round(100, "y", RunOutcome::Healthy) }],
        day(),
    ));
    let figures = found.figures(day());
    assert_eq!((figures.deployments, figures.failed, found.unrestored), (11, 1, 1));
    let lead = Spread { samples: 10, median: Some(minutes(51)), p90: Some(minutes(91)) };
    assert_eq!(figures.lead, lead);
    assert_eq!(found.oldest, Some(at(5)));
    assert_eq!(Deployments::default().figures(day()).failure_rate, None);
}
