//! Tables of small objects: `check` and an API server give each the same verdict.

use std::collections::BTreeMap;
use std::fs;

use trueup::core::manifest::{self, Manifest};

use super::{both, errors, fixture};
use crate::support::sandbox;

#[test]
fn check_and_the_server_agree_on_the_table() {
    let wrong = disagreements("table.txt");
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn check_and_the_server_agree_on_rows_held_back() {
    let wrong = disagreements("held_back.txt");
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

/// The rows on which the two disagree, or which say something else than the server does.
fn disagreements(table: &str) -> Vec<String> {
    let rows = rows(table);
    assert!(rows.len() > 50, "{} rows", rows.len());
    let manifests: Vec<Manifest> = rows.iter().map(|row| row.manifest.clone()).collect();
    let (findings, rehearsal) = both(&manifests, &[], &sandbox::own());
    let found: BTreeMap<_, _> = errors(&findings)
        .map(|(key, finding)| ((key.kind.as_str(), key.name.as_str()), finding.message.as_str()))
        .collect();
    let said: BTreeMap<_, _> = rehearsal
        .refusals
        .iter()
        .filter_map(|refusal| Some((refusal.object.as_ref()?, refusal.message.as_str())))
        .map(|(key, message)| ((key.kind.as_str(), key.name.as_str()), message))
        .collect();
    let wrong = |row: &Row| {
        let object = &row.manifest.object;
        let key = (object.kind(), object.name());
        let (found, said) = (found.get(&key), said.get(&key));
        let is_found = row.verdict == Verdict::Refused;
        let is_refused = row.verdict != Verdict::Accepted;
        let is_right = is_refused == said.is_some() && is_found == found.is_some();
        (!is_right).then(|| format!("{}\n  check:  {found:?}\n  server: {said:?}", row.text))
    };
    rows.iter().filter_map(wrong).collect()
}

/// What a row says of its object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
    /// The server refuses it, and check does not.
    Missed,
}

/// A row of a table.
struct Row {
    text: String,
    verdict: Verdict,
    manifest: Manifest,
}

fn rows(table: &str) -> Vec<Row> {
    let read = |name: &str| fs::read_to_string(fixture(&format!("validation/{name}"))).unwrap();
    let bases: Vec<String> = read("bases.txt").split("---\n").map(str::to_owned).collect();
    let mut base = "";
    let mut rows = Vec::new();
    for (line, number) in read(table).lines().zip(1..) {
        let kind = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        match (kind, line.chars().next()) {
            (Some(kind), _) => {
                let is_it = |base: &&String| base.contains(&format!("kind: {kind}\n"));
                base = bases.iter().find(is_it).unwrap();
            }
            (None, Some(verdict @ ('=' | '!' | '?'))) => rows.push(Row {
                text: format!("{table}:{number}: {line}"),
                verdict: match verdict {
                    '=' => Verdict::Accepted,
                    '!' => Verdict::Refused,
                    _ => Verdict::Missed,
                },
                manifest: changed(base, line[1..].trim(), &format!("row-{number}")),
            }),
            (None, Some('#')) => {}
            (None, _) => panic!("{table}:{number}: {line}"),
        }
    }
    rows
}

/// The object of a row.
fn changed(base: &str, changes: &str, row: &str) -> Manifest {
    let mut value: serde_json::Value = serde_yaml::from_str(&base.replace("ROW", row)).unwrap();
    for change in changes.split("; ").filter(|change| !change.is_empty()) {
        let (path, new) = change.split_once(' ').unwrap_or((change, ""));
        let (around, key) = path.rsplit_once('/').unwrap();
        let around = value.pointer_mut(around).unwrap_or_else(|| panic!("{change}"));
        if new.is_empty() {
            around.as_object_mut().unwrap().remove(key);
            continue;
        }
        let new: serde_json::Value = serde_yaml::from_str(&new.replace("ROW", row)).unwrap();
        match key.parse::<usize>() {
            Ok(index) => around[index] = new,
            Err(_) => around[key] = new,
        }
    }
    let read = manifest::read("row.yaml", value.to_string().as_bytes());
    let [manifest] = &read.manifests[..] else { panic!("{changes}: {:?}", read.problems) };
    manifest.clone()
}
