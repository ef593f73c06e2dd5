//! What trueup says with `-o json`, as far as these tests look at it.

use serde::Deserialize;

use crate::support::repo::Repo;

/// A plan, and what came of it.
#[derive(Debug, Deserialize)]
pub struct Answer {
    /// The exit status.
    #[serde(skip)]
    pub status: i32,
    pub changes: Vec<Change>,
    pub problems: Vec<Problem>,
    pub report: Option<Report>,
    pub requests: usize,
    pub elapsed: f64,
}

#[derive(Debug, Deserialize)]
pub struct Change {
    pub action: String,
    pub object: Key,
    pub origin: Option<Origin>,
    pub reason: Option<String>,
}

/// Which object; its version does not matter.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub group: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    pub path: String,
    pub line: usize,
}

#[derive(Debug, Deserialize)]
pub struct Problem {
    pub path: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub struct Report {
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub struct Step {
    pub object: Key,
    pub outcome: String,
    pub reason: Option<String>,
}

/// Runs a trueup command that could tell what there is to do.
#[track_caller]
pub fn answer(repo: &Repo<'_>, args: &[&str]) -> Answer {
    let output = repo.run(&[args, &["--output", "json"]].concat());
    let Ok(answer) = serde_json::from_str::<Answer>(&output.stdout) else {
        panic!("no plan from {args:?}\n{output}");
    };
    Answer { status: output.status.unwrap(), ..answer }
}
