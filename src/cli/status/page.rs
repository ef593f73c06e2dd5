//! The page of `--html`.

use std::path::Path;

use anyhow::Context as _;

use crate::cli::exit::Failure;
use crate::cli::present::html::{Page, PageTarget, UnreadContext, page};
use crate::cli::present::status::StatusView;
use crate::local::replaced_file::{remove_left_behind, replace_file};

/// Refuses a name that means stdout to other programs, and removes what was left beside the page.
///
/// # Errors
///
/// When it is one.
pub(in crate::cli) fn prepare(file: &Path) -> Result<(), Failure> {
    if file.as_os_str() != "-" {
        remove_left_behind(file);
        return Ok(());
    }
    let error = anyhow::anyhow!("--html writes a file, not stdout");
    Err(Failure { error, hints: vec!["name a file, or ./- for one of that name".to_owned()] })
}

/// Writes the page of a status.
///
/// # Errors
///
/// When the file can't be written. An older page stays as it is.
pub(super) fn write(file: &Path, view: &StatusView<'_>) -> Result<(), Failure> {
    let targets = view.rows.iter().map(|row| PageTarget { status: row, history: &row.history });
    let targets: Vec<PageTarget<'_>> = targets.collect();
    let unread = view.contexts.iter().filter_map(|context| {
        let why = context.error.as_deref()?;
        Some(UnreadContext { context: &context.context, why })
    });
    let unread: Vec<UnreadContext<'_>> = unread.collect();
    let text = page(&Page { made: view.now, targets: &targets, unread: &unread });
    replace_file(file, text.as_bytes())
        .with_context(|| format!("cannot write the page {}", file.display()))?;
    Ok(())
}
