//! The answer of `trueup verify`: a line of commits with their verdicts.

use std::io::{self, Write};

use serde::Serialize;

use super::{Glyphs, json};
use crate::app::trust::JudgedCommit;
use crate::cli::exit::Exit;
use crate::core::source::snapshot::Revision;
use crate::core::verification::{Fault, Standing};

/// The answer of `trueup verify`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "verification"))]
pub(super) struct VerificationDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    /// The commits, the newest first.
    commits: Vec<CommitDocument<'a>>,
}

/// A commit with its verdict.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "verified_commit"))]
pub(super) struct CommitDocument<'a> {
    commit: &'a str,
    summary: &'a str,
    author: &'a str,
    trusted: bool,
    /// Why not, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Why not, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The signer that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<&'a str>,
    /// The fingerprint of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// The signed tag that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    /// Whether it vouches for its ancestors.
    seal: bool,
}

impl<'a> CommitDocument<'a> {
    fn of(JudgedCommit { revision, standing }: &'a JudgedCommit) -> Self {
        let Revision { commit, summary, author, .. } = revision;
        let bare = Self {
            commit,
            summary,
            author,
            trusted: false,
            reason: None,
            message: None,
            hint: None,
            signer: None,
            key: None,
            tag: None,
            seal: false,
        };
        match standing {
            Standing::Trusted { signer, tag, seal, until: _ } => Self {
                trusted: true,
                signer: Some(&signer.principal),
                key: Some(&signer.key),
                tag: tag.as_deref(),
                seal: *seal,
                ..bare
            },
            Standing::Refused { fault, key } => Self {
                reason: Some(fault.word()),
                message: Some(fault.message()),
                hint: Some(fault.hint()),
                key: key.as_deref(),
                ..bare
            },
        }
    }
}

/// Writes the line of commits as JSON.
///
/// # Errors
///
/// When `out` does not take it.
pub fn line_json(out: &mut impl Write, line: &[JudgedCommit]) -> io::Result<()> {
    let commits = line.iter().map(CommitDocument::of).collect();
    writeln!(out, "{}", json::text(&VerificationDocument { version: 1, commits })?)
}

/// The most characters of a subject line.
const SUBJECT: usize = 44;

/// Writes the line of commits as text: for each what it is, and below it who vouches for it, or why it
/// is not trusted.
///
/// # Errors
///
/// When `out` does not take it.
pub fn line_text(out: &mut impl Write, line: &[JudgedCommit], glyphs: Glyphs) -> io::Result<()> {
    for JudgedCommit { revision, standing } in line {
        let subject = match revision.summary.char_indices().nth(SUBJECT) {
            Some((end, _)) => format!("{}{}", &revision.summary[..end], glyphs.gap()),
            None => revision.summary.clone(),
        };
        let (mark, below) = match standing {
            Standing::Trusted { signer, tag, seal, .. } => {
                let by = tag.as_ref().map(|tag| format!(" by tag {tag}")).unwrap_or_default();
                let seal = if *seal { ", seals its ancestors" } else { "" };
                let key = format!("key {}", signer.key);
                ("trusted", [format!("signed{by}: {}{seal}", signer.principal), key])
            }
            Standing::Refused { fault, key } => {
                let key = key.as_ref().map(|key| format!("key {key}")).unwrap_or_default();
                ("REFUSED", [fault.message(), key])
            }
        };
        let head = format!("{} {mark}  {subject} ({})", revision.short(), revision.author);
        writeln!(out, "{}", glyphs.inert(&head))?;
        for text in below.iter().filter(|text| !text.is_empty()) {
            writeln!(out, "                 {}", glyphs.inert(text))?;
        }
    }
    Ok(())
}

/// The exit status of a line: 0 where every commit is trusted, 2 where one can't be told.
pub fn exit(line: &[JudgedCommit]) -> Exit {
    let faults = line.iter().filter_map(|commit| match &commit.standing {
        Standing::Refused { fault, .. } => Some(fault),
        Standing::Trusted { .. } => None,
    });
    let faults: Vec<&Fault> = faults.collect();
    match faults.iter().any(|fault| matches!(fault, Fault::Unknown(_))) {
        true => Exit::CouldNot,
        false if faults.is_empty() => Exit::AtCommit,
        false => Exit::NotAtCommit,
    }
}
