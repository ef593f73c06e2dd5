//! Tabs between the parts of a document: the reader that Kubernetes uses takes some of them for
//! spaces, other readers of YAML refuse them, and they are invisible. Those within a text are its
//! own.

use std::collections::BTreeSet;

use super::fault::{ManifestFault, Spot};
use super::tree::Tree;

/// A warning for the first such tab of every line; `text` is what `tree` was read from and begins
/// at the file's line `first`.
pub(super) fn warnings(text: &str, first: u32, tree: &Tree) -> Vec<ManifestFault> {
    if !text.contains('\t') {
        return Vec::new();
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let mut tabs = BTreeSet::new();
    for Spot { line, column } in tree.nodes.iter().map(|node| node.spot) {
        let Some(text) = lines.get(line.saturating_sub(first) as usize) else { continue };
        let before: Vec<char> = text.chars().take((column as usize).saturating_sub(1)).collect();
        let gap = before.iter().rev().take_while(|char| matches!(char, ' ' | '\t')).count();
        let start = before.len() - gap;
        if let Some(tab) = before[start..].iter().position(|char| *char == '\t') {
            tabs.insert((line, (start + tab) as u32 + 1));
        }
    }
    let mut last = 0;
    tabs.retain(|(line, _)| std::mem::replace(&mut last, *line) != *line);
    let warning = |(line, column)| {
        ManifestFault::new(Spot { line, column }, "not every YAML parser accepts the tab here")
            .hint("write spaces")
    };
    tabs.into_iter().map(warning).collect()
}
