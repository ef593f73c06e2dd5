//! The messages over the pipes between this process and its keeper: one JSON value a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// From us to the keeper.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum KeeperCommand {
    /// Start a program.
    Start(ProgramStart),
    /// At the end, kill this process as well.
    TakeAlong(u32),
    /// That process ended; its id may be another's by now.
    Release(u32),
}

/// A program to be started.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ProgramStart {
    /// Its name when it ends.
    pub name: String,
    /// The file to run.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Whether it sees the search path alone of our environment.
    pub shielded: bool,
    /// Environment variables to set, or to take out.
    pub env: Vec<(String, Option<String>)>,
    /// Its working directory.
    pub folder: PathBuf,
    /// The file that takes everything that it prints.
    pub log: PathBuf,
}

/// From the keeper to us.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum KeeperNotice {
    /// The private folder is there.
    Folder(PathBuf),
    /// It can't be made, and why.
    NoFolder(String),
    /// A program ended, or never started.
    Ended(ProgramEnded),
}

/// The end of a program.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ProgramEnded {
    /// Which program.
    pub name: String,
    /// Whether it says that all went well.
    pub success: bool,
    /// How it ended, in words.
    pub how: String,
}
