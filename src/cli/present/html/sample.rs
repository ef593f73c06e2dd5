//! A year of twenty targets, made up: for the tests, and for `examples/page.rs` to look at.

use jiff::{SignedDuration, Timestamp};

use crate::cli::present::html::{Page, PageTarget, UnreadContext, page};
use crate::core::history::{Cause, RunOutcome, Summary, record_id};
use crate::core::object::ObjectKey;
use crate::core::status::{
    GitCommit, HealthCounts, Held, ImageStatus, RunningCommit, RunningImage, SyncState,
    TargetStatus, UnhealthyObject,
};

/// When the page is made.
const MADE: &str = "2026-11-29T21:14:00Z";
const APPS: [&str; 4] = ["shop", "payments", "search", "mail"];
const STAGES: [&str; 5] = ["dev", "staging", "prod-eu", "prod-us", "edge"];
const CONTEXTS: [&str; 5] = ["dev", "staging", "eu.example", "us.example", "edge.example"];
const PEOPLE: [&str; 5] =
    ["web team", "équipe paiements", "search team", "release-bot", "platform"];
const SUBJECTS: [&str; 10] = [
    "Third replica for web",
    "Raise the memory limit of the worker",
    "Release 2.14.0",
    "Rotate the certificate of the gateway",
    "Roll the sidecar back to 1.8.2",
    "Probe the readiness of search by its own port, since the old one answers too early",
    "Add a NetworkPolicy",
    "Release 2.14.1",
    "Use the new ingress class",
    "Drop the old flags",
];

/// A target's status with its history.
pub struct Sample {
    pub status: TargetStatus,
    pub history: Vec<Summary>,
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// The page of the samples.
pub fn sample_page(samples: &[Sample]) -> String {
    let targets = samples.iter().map(|it| PageTarget { status: &it.status, history: &it.history });
    let targets: Vec<PageTarget<'_>> = targets.collect();
    let why = "no answer within 10 s";
    page(&Page {
        made: made(),
        targets: &targets,
        unread: &[UnreadContext { context: "lab", why }],
    })
}

/// Twenty targets, of which each had some `rounds` in a year.
pub fn year(rounds: u64) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (app_index, app) in APPS.iter().enumerate() {
        for (index, stage) in STAGES.iter().enumerate() {
            let place = app_index * STAGES.len() + index;
            let target = format!("{app}-{stage}");
            let mut numbers = Numbers(place as u64 * 7919 + 17);
            let history = history(&target, rounds * (5 - index as u64) / 3, &mut numbers);
            let status = status(&target, place, &history);
            samples.push(Sample { status, history });
        }
    }
    samples
}

fn made() -> Timestamp {
    MADE.parse().unwrap_or_default()
}

fn before(seconds: u64) -> Timestamp {
    made().saturating_sub(SignedDuration::from_secs(seconds.cast_signed())).unwrap_or_default()
}

/// The id of a made-up commit.
fn id(number: u64) -> String {
    let mut numbers = Numbers(number + 1);
    (0..5).map(|_| format!("{:08x}", numbers.below(1 << 32))).collect()
}

fn history(target: &str, rounds: u64, numbers: &mut Numbers) -> Vec<Summary> {
    const YEAR: u64 = 364 * 86_400;
    let step = YEAR / rounds.max(1);
    let mut history: Vec<Summary> = Vec::new();
    let mut healthy = id(0);
    for round in (0..rounds).rev() {
        // Less in summer, and nothing at night.
        let ago = round * step + 4000 + numbers.below(step);
        let began = before(ago);
        let chance = numbers.below(100);
        let outcome = match chance {
            0..2 => RunOutcome::RolledBack,
            2..4 => RunOutcome::Failed,
            4 => RunOutcome::Unhealthy,
            5..8 => RunOutcome::Refused,
            8 => RunOutcome::Interrupted,
            _ => RunOutcome::Healthy,
        };
        let cause = if (10..18).contains(&chance) { Cause::Drift } else { Cause::Deployment };
        let commit = match cause {
            Cause::Drift => healthy.clone(),
            _ => id(round * 3 + target.len() as u64),
        };
        let restored = (outcome == RunOutcome::RolledBack).then(|| healthy.clone());
        if outcome == RunOutcome::Healthy {
            healthy.clone_from(&commit);
        }
        let took = SignedDuration::from_secs(8 + numbers.below(200).cast_signed());
        let lead = SignedDuration::from_secs(300 + numbers.below(90_000).cast_signed());
        let person = PEOPLE[numbers.below(5) as usize];
        history.push(Summary {
            id: record_id(began, numbers.below(1 << 24) as u32),
            target: target.to_owned(),
            commit,
            dirty: false,
            named: "main".to_owned(),
            subject: SUBJECTS[numbers.below(10) as usize].to_owned(),
            author: person.to_owned(),
            committed: began.saturating_sub(lead).unwrap_or_default(),
            cause,
            outcome,
            changed: numbers.below(9) as usize + 1,
            user: "system:serviceaccount:trueup:watch".to_owned(),
            host: "watch-7d9f5c6b4-x2xkq".to_owned(),
            started: began,
            ended: began.saturating_add(took).unwrap_or_default(),
            restored,
            reason: match outcome {
                RunOutcome::Healthy | RunOutcome::Applied => None,
                _ => Some("Deployment shop/web: 1 of 3 ready; ImagePullBackOff".to_owned()),
            },
            bytes: 900,
        });
    }
    history
}

fn status(target: &str, place: usize, history: &[Summary]) -> TargetStatus {
    let stage = place % STAGES.len();
    let newest = GitCommit {
        commit: id(1000),
        named: "main".to_owned(),
        subject: "Release 2.15.0".to_owned(),
        author: "Ann Lee".to_owned(),
        time: before(5400),
    };
    let (version, subject) = match stage {
        0 | 1 => (1000, "Release 2.15.0"),
        2 | 3 => (1001, "Raise the memory limit of the worker"),
        _ => (1002, "Release 2.14.1"),
    };
    let runs = RunningCommit {
        is_dirty: false,
        commit: id(version),
        tracked: (stage == 4).then(|| "v2.14.1".to_owned()),
        subject: Some(subject.to_owned()),
        author: Some(PEOPLE[place % PEOPLE.len()].to_owned()),
        since: history.last().map(|it| it.ended),
        by: Some("watch-7d9f5c6b4-x2xkq".to_owned()),
    };
    let object = |kind: &str, name: &str| ObjectKey {
        group: "apps".to_owned(),
        kind: kind.to_owned(),
        namespace: Some(target.split('-').next().unwrap_or_default().to_owned()),
        name: name.to_owned(),
    };
    let git = match stage {
        4 => GitCommit {
            commit: runs.commit.clone(),
            named: "v2.14.1".to_owned(),
            subject: subject.to_owned(),
            time: before(900_000),
            ..newest
        },
        _ => newest,
    };
    let mut status = TargetStatus {
        context: CONTEXTS[stage].to_owned(),
        server: format!("https://{}:6443", CONTEXTS[stage]),
        cluster_uid: Some("3f2a9c51-7be0-4a7e-9f43-5f1f0c3b6a11".to_owned()),
        target: target.to_owned(),
        inventory: None,
        runs: Some(runs),
        git: Some(git),
        state: if stage == 2 || stage == 3 {
            SyncState::Behind(Some(2))
        } else {
            SyncState::InSync
        },
        drift: Vec::new(),
        health: HealthCounts { ready: 40 + place * 17 % 90, ..HealthCounts::default() },
        last: history.last().cloned(),
        history: Vec::new(),
        next_due: Some(before(0).saturating_add(SignedDuration::from_secs(24)).unwrap_or_default()),
        held: None,
        images: ["web", "api", "worker", "sidecar"]
            .map(|name| image(&object("Deployment", name), stage))
            .into(),
        is_unverified: false,
        former_name: None,
    };
    match place {
        1 => {
            status.state = SyncState::Drifted;
            status.drift = ["web", "api"].map(|name| object("Deployment", name)).into();
        }
        2 => {
            status.health.failed = 1;
            let why = "pod api-7d9f-x2x, container main: ImagePullBackOff".to_owned();
            status.health.first = Some(UnhealthyObject { key: object("Deployment", "api"), why });
            status.held = Some(Held::RolledBack { failed: id(1000) });
        }
        6 => status.health.progressing = 3,
        12 => status.held = Some(Held::Pinned { at: "v2.14.0".to_owned() }),
        13 => {
            let why = "by Dana Cruz until 2026-12-01: stock-taking".to_owned();
            status.held = Some(Held::Suspended { why });
        }
        19 => {
            let why = "https://edge.example:6443: connection refused".to_owned();
            (status.state, status.runs, status.git) = (SyncState::Unknown(why), None, None);
            (status.images, status.last, status.health) =
                (Vec::new(), None, HealthCounts::default());
        }
        _ => {}
    }
    status
}

fn image(key: &ObjectKey, stage: usize) -> ImageStatus {
    let tag = match (key.name.as_str(), stage) {
        ("sidecar", _) => "1.8.2",
        (_, 0 | 1) => "2.15.0",
        _ => "2.14.1",
    };
    let image = format!("registry.example/team/{}:{tag}", key.name);
    let digest = Some(format!("sha256:{}{}", id(stage as u64), "0".repeat(24)));
    let running = vec![RunningImage { image: image.clone(), digest, pods: 3 }];
    let declared = Some(image);
    ImageStatus { key: key.clone(), container: "main".to_owned(), declared, running }
}
