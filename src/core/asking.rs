//! The line by which `trueup sync` asks a running watch for a round, and the line that comes back.

use serde::{Deserialize, Serialize};

/// The line that asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// The targets by name; all of the watch where there are none.
    pub targets: Vec<String>,
}

/// The line that comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAnswer {
    /// The rounds that were asked for.
    pub rounds: Vec<SyncedRound>,
}

/// A round that was asked for, at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncedRound {
    /// The target.
    pub target: String,
    /// How it ended.
    pub result: SyncResult,
    /// Its deeds, and all that is wrong.
    pub lines: Vec<String>,
}

/// How a round ended, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncResult {
    /// The cluster is at the commit.
    AtCommit,
    /// It is not.
    NotAtCommit,
    /// The round came to nothing.
    CouldNot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_json() {
        let request = SyncRequest { targets: vec!["shop".to_owned()] };
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(line, r#"{"targets":["shop"]}"#);
        assert_eq!(serde_json::from_str::<SyncRequest>(&line).unwrap(), request);
        let lines = vec!["1 changed".to_owned()];
        let round =
            SyncedRound { target: "shop".to_owned(), result: SyncResult::NotAtCommit, lines };
        let line = serde_json::to_string(&SyncAnswer { rounds: vec![round] }).unwrap();
        let expected =
            r#"{"rounds":[{"target":"shop","result":"not-at-commit","lines":["1 changed"]}]}"#;
        assert_eq!(line, expected);
        assert!(SyncResult::AtCommit < SyncResult::CouldNot);
    }
}
