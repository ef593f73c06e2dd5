//! The two folders that a diff program compares: each object as it is, and as it would be.
//!
//! Only their owner can read them, and they are gone once this is dropped.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::TempDir;

use crate::cli::present::PlanView;
use crate::core::masked_plan::MaskedChange;
use crate::core::plan::Action;
use crate::core::sanitize::is_harmless;

/// The longest name, in bytes, that is left as it is: file systems take 255.
const LONGEST: usize = 240;

/// The files of one diff.
pub(super) struct Files {
    live: TempDir,
    merged: TempDir,
    names: BTreeSet<String>,
}

impl Files {
    /// Writes those of every object that would change.
    ///
    /// # Errors
    ///
    /// When they can't be written; none is left behind then.
    pub(super) fn write(view: &PlanView<'_>) -> io::Result<Self> {
        let (live, merged) = (folder("LIVE-")?, folder("MERGED-")?);
        let mut files = Self { live, merged, names: BTreeSet::new() };
        for change in view.plan.changes() {
            let (before, after) = match change.action() {
                Action::Create | Action::Update | Action::Replace | Action::Abandon => {
                    let delta = view.plain_delta(change);
                    (delta.before_text, delta.after_text)
                }
                Action::Delete => (change.deleted_text(), String::new()),
                Action::Keep | Action::Refuse => continue,
            };
            let name = files.name(change);
            for (folder, text) in [(&files.live, before), (&files.merged, after)] {
                if !text.is_empty() {
                    write(&folder.path().join(&name), &text)?;
                }
            }
        }
        Ok(files)
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The folder with the objects as they are.
    pub(super) fn live(&self) -> &Path {
        self.live.path()
    }

    /// The folder with the objects as they would be.
    pub(super) fn merged(&self) -> &Path {
        self.merged.path()
    }

    /// A name of its own: `apps.v1.Deployment.shop.web`, as kubectl has it.
    fn name(&mut self, change: MaskedChange<'_>) -> String {
        let key = change.key();
        let group = if key.group.is_empty() { String::new() } else { format!("{}.", key.group) };
        let namespace = key.namespace.as_deref().unwrap_or_default();
        let whole = format!("{group}{}.{}.{namespace}.{}", change.version(), key.kind, key.name);
        // A declaration may say anything, and a name must not lead out of the folder.
        let inert = |c: char| if !is_harmless(c) || "/\\".contains(c) { '_' } else { c };
        let mut name: String = whole.chars().map(inert).collect();
        while name.len() > LONGEST {
            name.pop();
        }
        let first = name.clone();
        let mut count = 1;
        while !self.names.insert(name.clone()) {
            count += 1;
            name = format!("{first}~{count}");
        }
        name
    }
}

fn folder(prefix: &str) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix(prefix).tempdir()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
