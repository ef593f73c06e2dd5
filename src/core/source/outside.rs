//! Manifests that belong to no target: a person who expects them in a cluster would look for them in
//! vain. A glance at a file decides whether it is one here, since nothing else is done with it.

use std::collections::{BTreeMap, BTreeSet};

use super::other_files::{ignore_line, listed};
use super::selection::IGNORE_FILE;
use crate::core::problem::{Location, Problem};

/// The part of a checkout that is known: what targets declare, and what is read for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Files, and folders with all of them.
    paths: BTreeSet<String>,
    /// Folders of which something is read: what stands right in them is known as well.
    folders: BTreeSet<String>,
    /// The folders that hold any of these.
    above: BTreeSet<String>,
}

impl Inside {
    /// Takes in a file, or a folder with everything below it.
    pub fn add(&mut self, path: &str) {
        self.above.extend(folders_above(path).map(str::to_owned));
        self.paths.insert(path.to_owned());
    }

    /// Takes in a file or a folder that is read from where no target is, such as a base.
    pub fn add_read(&mut self, path: &str, is_file: bool) {
        self.add(path);
        let folder = folder_of(path);
        if is_file && !folder.is_empty() {
            self.folders.insert(folder.to_owned());
        }
    }

    /// Whether all of the folder is known.
    pub fn holds_all(&self, folder: &str) -> bool {
        self.paths.contains(folder) || folders_above(folder).any(|at| self.paths.contains(at))
    }

    /// Whether the file is known.
    pub fn holds(&self, path: &str) -> bool {
        self.folders.contains(folder_of(path)) || self.holds_all(path)
    }

    /// Whether it is all of the checkout.
    pub fn is_everything(&self) -> bool {
        self.paths.contains("")
    }

    /// The folder furthest up that a file is in and nothing known is; `None` where there is none.
    fn top_of<'p>(&self, path: &'p str) -> Option<&'p str> {
        folders_above(path).filter(|folder| !self.above.contains(*folder)).last()
    }
}

/// The folders above a path, from the nearest to the root, which is empty.
fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    let first = (!path.is_empty()).then(|| folder_of(path));
    std::iter::successors(first, |at| (!at.is_empty()).then(|| folder_of(at)))
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a text has the lines that an object begins with.
pub fn looks_like_manifest(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut has = (false, false);
    lines.any(|line| {
        has.0 |= line.starts_with(b"apiVersion:");
        has.1 |= line.starts_with(b"kind:");
        has == (true, true)
    })
}

/// The warnings of manifests that are outside: one for each folder, the furthest up that has nothing
/// else.
pub fn warnings(inside: &Inside, paths: Vec<String>) -> Vec<Problem> {
    let mut tops: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut among: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in paths {
        let (group, folder) = match inside.top_of(&path) {
            Some(top) => (&mut tops, top.to_owned()),
            None => (&mut among, folder_of(&path).to_owned()),
        };
        group.entry(folder).or_default().push(path);
    }
    let whole = tops.into_iter().map(|(folder, paths)| {
        let line = format!("{}/", ignore_line(&folder));
        let hint = format!(
            "name the folder in trueup.yaml (`targets: {{NAME: {{paths: [{folder}]}}}}`), or add the \
             line `{line}` to {IGNORE_FILE}"
        );
        warning(&folder, paths, hint)
    });
    let parts = among.into_iter().map(|(folder, paths)| {
        let lines = listed(paths.iter().map(|path| format!("`{}`", ignore_line(path))).collect());
        let (them, line) = if paths.len() == 1 { ("it", "line") } else { ("them", "lines") };
        let hint = format!(
            "name {them} in the `paths` of a target of trueup.yaml, or add the {line} {lines} to \
             {IGNORE_FILE}"
        );
        warning(&folder, paths, hint)
    });
    whole.chain(parts).collect()
}

fn warning(folder: &str, mut paths: Vec<String>, hint: String) -> Problem {
    paths.sort();
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let name = |path: &String| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
    let names = listed(paths.iter().map(name).collect());
    let place = if folder.is_empty() { "the root" } else { folder };
    let message = match paths.len() {
        1 => format!(
            "1 manifest in {place} belongs to no target of trueup.yaml, so it is neither checked nor \
             applied: {names}"
        ),
        count => format!(
            "{count} manifests in {place} belong to no target of trueup.yaml, so they are neither \
             checked nor applied: {names}"
        ),
    };
    let path = paths.into_iter().next().unwrap_or_default();
    Problem {
        place: Location { path, line: 1, column: 1 },
        message,
        excerpt: None,
        hint: Some(hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(paths: &[&str], reads: &[(&str, bool)]) -> Inside {
        let mut inside = Inside::default();
        paths.iter().for_each(|path| inside.add(path));
        reads.iter().for_each(|(path, is_file)| inside.add_read(path, *is_file));
        inside
    }

    #[test]
    fn targets_and_what_is_read_for_them_are_inside() {
        let inside = inside(
            &["envs/prod", "one.yaml"],
            &[("base/kustomization.yaml", true), ("charts/web", false), ("values.yaml", true)],
        );
        for path in [
            "envs/prod/a.yaml",
            "envs/prod",
            "one.yaml",
            "base/other.yaml",
            "charts/web/templates/a.yaml",
            "values.yaml",
        ] {
            assert!(inside.holds(path), "{path}");
        }
        for path in
            ["envs/product/a.yaml", "envs/a.yaml", "two.yaml", "base/more/a.yaml", "charts/a.yaml"]
        {
            assert!(!inside.holds(path), "{path}");
        }
        assert!(!inside.is_everything());
        assert!(super::tests::inside(&[""], &[]).holds("a/b.yaml"));
        assert!(super::tests::inside(&[""], &[]).is_everything());
    }

    #[test]
    fn manifest_is_known_at_a_glance() {
        for (text, looks) in [
            ("apiVersion: v1\nkind: A\n", true),
            ("# a\n---\nkind: A\nmetadata: {}\napiVersion: v1", true),
            ("apiVersion: v1\n", false),
            ("a:\n  apiVersion: v1\n  kind: A\n", false),
            ("kinds: a\napiVersions: b\n", false),
            ("", false),
        ] {
            assert_eq!(looks_like_manifest(text.as_bytes()), looks, "{text:?}");
        }
    }

    #[test]
    fn one_warning_for_each_folder_that_has_nothing_else() {
        let inside = inside(&["envs/prod"], &[("base/kustomization.yaml", true)]);
        let paths = [
            "old/b/c.yaml",
            "old/a.yaml",
            "old/b/d.yaml",
            "old/b/e.yaml",
            "envs/test/a.yaml",
            "envs/x.yaml",
            "envs/y.yaml",
            "base/sub/a.yaml",
            "ns.yaml",
        ];
        let warnings = warnings(&inside, paths.map(str::to_owned).into());
        let texts: Vec<String> = warnings
            .into_iter()
            .map(|it| format!("{}: {}; {}", it.place, it.message, it.hint.unwrap()))
            .collect();
        let none = "belongs to no target of trueup.yaml, so it is neither checked nor applied";
        let many = "belong to no target of trueup.yaml, so they are neither checked nor applied";
        assert_eq!(
            texts,
            [
                format!(
                    "base/sub/a.yaml:1:1: 1 manifest in base/sub {none}: a.yaml; name the folder in \
                     trueup.yaml (`targets: {{NAME: {{paths: [base/sub]}}}}`), or add the line \
                     `/base/sub/` to .trueupignore"
                ),
                format!(
                    "envs/test/a.yaml:1:1: 1 manifest in envs/test {none}: a.yaml; name the folder in \
                     trueup.yaml (`targets: {{NAME: {{paths: [envs/test]}}}}`), or add the line \
                     `/envs/test/` to .trueupignore"
                ),
                format!(
                    "old/a.yaml:1:1: 4 manifests in old {many}: a.yaml, b/c.yaml, b/d.yaml, and 1 \
                     more; name the folder in trueup.yaml (`targets: {{NAME: {{paths: [old]}}}}`), or \
                     add the line `/old/` to .trueupignore"
                ),
                format!(
                    "ns.yaml:1:1: 1 manifest in the root {none}: ns.yaml; name it in the `paths` of a \
                     target of trueup.yaml, or add the line `/ns.yaml` to .trueupignore"
                ),
                format!(
                    "envs/x.yaml:1:1: 2 manifests in envs {many}: x.yaml, y.yaml; name them in the \
                     `paths` of a target of trueup.yaml, or add the lines `/envs/x.yaml`, \
                     `/envs/y.yaml` to .trueupignore"
                ),
            ]
        );
    }
}
