//! Mutated plan files.

use serde_json::{Value, json};
use trueup::core::approval::Approval;

use super::fuzz;
use crate::support::mutate::Mutator;

const WORDS: [&str; 8] = ["delete", "create", "1", "version", "checksum", "null", "{", "\u{0}"];

/// An approval as trueup writes it.
fn written() -> String {
    let digest = "0f".repeat(32);
    let object = json!({"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web"});
    let approval = json!({
        "purpose": {
            "target": "prod", "declared": true, "paths": ["envs/prod"], "namespace": "shop",
            "inventory": {"name": "shop", "namespace": "shop"},
            "cluster": {"name": "kind", "uid": "3f2a9c"},
            "commit": "8be01d3", "repository": "4f2c1a9",
            "permissions": {
                "allow_delete": ["Namespace"], "allow_empty": false, "max_prune": null,
                "replace": [], "on_conflict": "fail", "adopt": false, "moved": false,
            },
        },
        "desired": digest,
        "changes": [{
            "action": "delete", "object": object, "version": "v1", "uid": "7a", "live": digest,
            "becomes": null,
        }],
    });
    let approval: Approval = serde_json::from_value(approval).unwrap();
    approval.to_text().unwrap()
}

#[test]
#[ignore = "takes about a minute"]
fn plans() {
    let text = written();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(Approval::from_text(text.as_bytes()).is_ok());
    fuzz(
        150_000,
        |seed| Mutator::json(seed, vec![value.clone()], &WORDS),
        |bytes| {
            let read = Approval::from_text(bytes).ok()?;
            let (read, given) = (read.to_text().ok()?, serde_json::from_slice::<Value>(bytes).ok());
            // What is accepted says what trueup wrote, word for word.
            let same = serde_json::from_str::<Value>(&read).ok() == given;
            (!same || given.as_ref() != Some(&value)).then(|| format!("accepted as {read}"))
        },
    );
}
