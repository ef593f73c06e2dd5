//! Keeps the schemas of a cluster's custom resources in a folder, so that `check` and `explain` know them
//! without the cluster.

use std::path::Path;

use super::Error;
use crate::cluster::Cluster;
use crate::core::kinds::schemas::{LeftOut, SchemaFile, pulled};
use crate::local::schema_catalogue::{self, GoneSchema, WriteOutcome};

/// The schemas of a cluster, and what became of their files.
#[derive(Debug)]
pub struct SchemaPull {
    /// The version of the API server; `None` where it does not tell.
    pub server: Option<String>,
    /// How many definitions the cluster has.
    pub definitions: usize,
    /// The files with their outcomes, by path.
    pub files: Vec<PulledFile>,
    /// The versions without a file.
    pub left_out: Vec<LeftOut>,
    /// The files of earlier runs whose definitions are gone.
    pub gone: Vec<GoneSchema>,
}

/// A file and its outcome.
#[derive(Debug)]
pub struct PulledFile {
    /// The file.
    pub file: SchemaFile,
    /// Its outcome.
    pub outcome: WriteOutcome,
}

/// Writes the schemas of the cluster's definitions into the folder.
///
/// # Errors
///
/// When the definitions can't be listed, or a file can't be written.
pub async fn pull_schemas(cluster: &Cluster, folder: &Path) -> Result<SchemaPull, Error> {
    let definitions = cluster.definitions().await.map_err(|source| Error::Api {
        attempt: "list the cluster's CustomResourceDefinitions",
        source,
    })?;
    let server = cluster.version().await;
    let found = pulled(&definitions, server.as_deref());
    let outcomes = schema_catalogue::write(folder, &found.files)?;
    let gone = schema_catalogue::gone(folder, &found.files)?;
    let files = found.files.into_iter().zip(outcomes);
    let files = files.map(|(file, outcome)| PulledFile { file, outcome }).collect();
    let definitions = definitions.len();
    Ok(SchemaPull { server, definitions, files, left_out: found.left_out, gone })
}
