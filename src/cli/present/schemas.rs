//! The files that `trueup schemas pull` wrote: as text, and as JSON.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::Glyphs;
use super::json::text as json_text;
use super::text::{cost, joined};
use crate::app::{PulledFile, SchemaPull};
use crate::core::kinds::schemas::{LeftOut, WhyLeftOut};
use crate::local::schema_catalogue::WriteOutcome;

/// A pull and its cost.
pub struct SchemasView<'a> {
    /// The schemas.
    pub pull: &'a SchemaPull,
    /// The folder, as it was given.
    pub folder: &'a Path,
    /// The cluster's name for people.
    pub cluster: &'a str,
    /// How many requests were made.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// A pull in JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "schemas"))]
pub(super) struct SchemasDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    cluster: &'a str,
    server: Option<&'a str>,
    folder: String,
    definitions: usize,
    files: Vec<SchemaFileDocument<'a>>,
    left_out: Vec<LeftOutDocument<'a>>,
    gone: Vec<GoneDocument<'a>>,
    requests: usize,
    elapsed: f64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "schema_file"))]
struct SchemaFileDocument<'a> {
    path: &'a str,
    definition: &'a str,
    api_version: &'a str,
    kind: &'a str,
    outcome: OutcomeDocument,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "schema_outcome"))]
enum OutcomeDocument {
    Created,
    Updated,
    Unchanged,
    Kept,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "left_out"))]
struct LeftOutDocument<'a> {
    definition: &'a str,
    version: &'a str,
    code: LeftOutCode,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "left_out_code"))]
enum LeftOutCode {
    NoSchema,
    Name,
    SameFile,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "gone_schema"))]
struct GoneDocument<'a> {
    path: &'a str,
    definition: &'a str,
}

/// Writes the pull as one JSON document.
///
/// # Errors
///
/// When `out` does not take it.
pub fn json(out: &mut impl Write, view: &SchemasView<'_>) -> io::Result<()> {
    let pull = view.pull;
    let files = pull.files.iter().map(|PulledFile { file, outcome }| SchemaFileDocument {
        path: &file.path,
        definition: &file.definition,
        api_version: &file.api_version,
        kind: &file.kind,
        outcome: match outcome {
            WriteOutcome::Created => OutcomeDocument::Created,
            WriteOutcome::Updated => OutcomeDocument::Updated,
            WriteOutcome::Unchanged => OutcomeDocument::Unchanged,
            WriteOutcome::Kept => OutcomeDocument::Kept,
        },
    });
    let left_out = pull.left_out.iter().map(|it| LeftOutDocument {
        definition: &it.definition,
        version: &it.version,
        code: match it.why {
            WhyLeftOut::NoSchema => LeftOutCode::NoSchema,
            WhyLeftOut::Name(_) => LeftOutCode::Name,
            WhyLeftOut::SameFile(_) => LeftOutCode::SameFile,
        },
        message: message(it),
    });
    let gone =
        pull.gone.iter().map(|it| GoneDocument { path: &it.path, definition: &it.definition });
    let document = SchemasDocument {
        version: 1,
        cluster: view.cluster,
        server: pull.server.as_deref(),
        folder: view.folder.display().to_string(),
        definitions: pull.definitions,
        files: files.collect(),
        left_out: left_out.collect(),
        gone: gone.collect(),
        requests: view.requests,
        elapsed: view.elapsed.as_secs_f64(),
    };
    writeln!(out, "{}", json_text(&document)?)
}

/// Writes the files that changed, and the counts.
///
/// # Errors
///
/// When `out` does not take it.
pub fn text(out: &mut impl Write, view: &SchemasView<'_>, glyphs: Glyphs) -> io::Result<()> {
    let pull = view.pull;
    let server = pull.server.as_deref().map(|version| format!("Kubernetes {version}"));
    let mut place = vec![view.cluster.to_owned()];
    place.extend(server);
    place.push(view.folder.display().to_string());
    writeln!(out, "{}", joined(&place, glyphs))?;
    let words = [
        (WriteOutcome::Created, "created"),
        (WriteOutcome::Updated, "updated"),
        (WriteOutcome::Kept, "kept"),
        (WriteOutcome::Unchanged, "unchanged"),
    ];
    let mut counts = Vec::new();
    for (outcome, word) in words {
        let files = || pull.files.iter().filter(move |it| it.outcome == outcome);
        if files().count() > 0 {
            counts.push(format!("{} {word}", files().count()));
        }
    }
    for PulledFile { file, outcome } in &pull.files {
        if let Some((_, word)) = words[..2].iter().find(|(other, _)| other == outcome) {
            writeln!(out, "{word} {}", glyphs.inert(&file.path))?;
        }
    }
    let counts = match counts.as_slice() {
        [] => "nothing to write".to_owned(),
        [_] if pull.files.iter().all(|it| it.outcome == WriteOutcome::Unchanged) => {
            "nothing changed".to_owned()
        }
        counts => counts.join(", "),
    };
    let schemas = plural(pull.files.len(), "schema");
    let definitions = plural(pull.definitions, "CustomResourceDefinition");
    let mut parts = vec![format!("{schemas} of {definitions}"), counts];
    parts.extend(cost(view.requests, view.elapsed));
    writeln!(out, "{}", joined(&parts, glyphs))
}

/// Sentences about what has no file, stays or is gone.
pub fn warnings(view: &SchemasView<'_>) -> Vec<String> {
    let pull = view.pull;
    let path = |path: &str| view.folder.join(path).display().to_string();
    let kept = pull.files.iter().filter(|it| it.outcome == WriteOutcome::Kept).map(|it| {
        let path = path(&it.file.path);
        format!("{path} was not written by trueup and stays; remove it to get the cluster's")
    });
    let left_out = pull.left_out.iter().map(message);
    let gone = pull.gone.iter().map(|it| {
        let path = path(&it.path);
        format!("{path} stays, but the cluster no longer serves it ({:?})", it.definition)
    });
    left_out.chain(kept).chain(gone).collect()
}

/// Why a version has no file.
fn message(left_out: &LeftOut) -> String {
    let LeftOut { definition, version, why } = left_out;
    match why {
        WhyLeftOut::NoSchema => format!("{definition:?} has no schema for {version:?}: no file"),
        WhyLeftOut::Name(name) => {
            format!("{definition:?} defines {name:?}, which can't be the name of a file: no file")
        }
        WhyLeftOut::SameFile(other) => {
            format!("{definition:?} and {other:?} would have the same file: only {other:?} has it")
        }
    }
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
