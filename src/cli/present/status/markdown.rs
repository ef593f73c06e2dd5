//! The status as a table for a comment or a page: dates in place of `3 min ago`, and no costs.

use super::words;
use super::{StatusView, is_removed};
use crate::cli::present::markdown::escape::words as escaped;
use crate::cli::present::story::TimeStyle;

/// The table, and below it what is wrong.
pub(super) fn table(view: &StatusView<'_>) -> String {
    let mut page = format!("{}\n", view.counts().join(": "));
    let has_contexts = view.has_several_contexts();
    if !view.rows.is_empty() {
        let context = if has_contexts { " context |" } else { "" };
        let rule = if has_contexts { "---|" } else { "" };
        page.push_str(&format!(
            "\n| target |{context} runs | since | git | state | health |\n|---|{rule}---|---|---|---|---|\n"
        ));
    }
    for row in view.rows {
        let since = row.runs.as_ref().and_then(|runs| runs.since);
        let since = since.map(|since| since.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let git = if is_removed(row) { "-".to_owned() } else { words::git(row.git.as_ref()) };
        let mut cells = vec![
            row.target.clone(),
            words::runs(row.runs.as_ref()),
            since.unwrap_or_else(|| "-".to_owned()),
            git,
            words::state(row),
            words::health(&row.health),
        ];
        if has_contexts {
            cells.insert(1, row.context.clone());
        }
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    let mut below = Vec::new();
    for row in view.rows {
        for detail in words::details(row, TimeStyle::Dates) {
            below.push(format!("- **{}**: {}\n", escaped(&row.target), escaped(&detail.text)));
        }
        let images = row.images.iter().filter(|_| view.has_images);
        for image in images {
            let declared = image.declared.as_deref().unwrap_or("not declared");
            let differs = if image.differs() { " **differs**" } else { "" };
            let running = words::running(image).join("; ");
            let text = format!("{} {}: {declared}", image.key, image.container);
            below.push(format!(
                "- **{}**: {}, runs {}{differs}\n",
                escaped(&row.target),
                escaped(&text),
                escaped(if running.is_empty() { "nothing" } else { &running }),
            ));
        }
    }
    for context in view.contexts {
        if let Some(error) = &context.error {
            let name = escaped(&context.context);
            below.push(format!("- context **{name}** was not reached: {}\n", escaped(error)));
        }
    }
    if !below.is_empty() {
        page.push('\n');
        below.iter().for_each(|line| page.push_str(line));
    }
    page
}
