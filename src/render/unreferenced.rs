//! Files that are read by nothing: they stand below a folder that kustomize builds, and no kustomization
//! that is built refers to them. A person who expects them in the cluster would look for them in vain.

use std::collections::{BTreeMap, BTreeSet};

use super::file_index::{FileIndex, KUSTOMIZATIONS, folder_of};
use super::kustomization::Closure;
use crate::core::problem::{Location, Problem};

/// How many files a message names.
const NAMED: usize = 3;

/// The kustomizations of a target, all and those that are built.
pub(super) struct Kustomizations<'a> {
    /// Every one by its folder.
    pub(super) all: &'a BTreeMap<String, Closure>,
    /// The folders of those that are built for themselves.
    pub(super) built: &'a BTreeSet<String>,
}

/// Files of one folder that are not read.
#[derive(Default)]
struct Group {
    /// Whether the folder's kustomization itself is referred to by none.
    is_unreferenced: bool,
    files: Vec<String>,
}

impl Kustomizations<'_> {
    /// The files that `is_manifest` says are manifests, and that are neither read by a kustomization nor
    /// taken in by anything else: a warning for each folder that has a kustomization.
    pub(super) fn unread(
        &self,
        shelf: &FileIndex,
        is_manifest: &dyn Fn(&str) -> bool,
    ) -> Vec<Problem> {
        let built = self.built.iter().filter_map(|folder| self.all.get(folder));
        let (mut live, mut read) = (BTreeSet::new(), BTreeSet::new());
        for closure in built {
            live.extend(closure.folders.iter().map(String::as_str));
            read.extend(closure.files.iter().map(String::as_str));
        }
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        let is_owned = |folder: &str| live.contains(folder) || self.all.contains_key(folder);
        for path in shelf.paths().filter(|path| is_manifest(path) && !read.contains(path)) {
            let Some(owner) = above(folder_of(path)).find(|folder| is_owned(folder)) else {
                continue;
            };
            let is_kustomization = folder_of(path) == owner && is_kustomization(path);
            if live.contains(owner) {
                if !is_kustomization {
                    groups.entry(owner).or_default().files.push(path.to_owned());
                }
                continue;
            }
            let group = groups.entry(self.top_of(owner)).or_default();
            group.is_unreferenced = true;
            if !is_kustomization {
                group.files.push(path.to_owned());
            }
        }
        let problem = |(folder, group)| problem(shelf, folder, &group);
        groups.into_iter().filter_map(problem).collect()
    }

    /// The folder of the kustomization that would build this one, if it were built: the furthest up that
    /// takes it in, or itself.
    fn top_of<'b>(&'b self, folder: &'b str) -> &'b str {
        let takes = |(_, closure): &(&String, &Closure)| closure.folders.contains(folder);
        self.all.iter().find(takes).map_or(folder, |(top, _)| top)
    }
}

fn is_kustomization(path: &str) -> bool {
    KUSTOMIZATIONS.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// The folder and those above it, up to the root.
fn above(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |at| (!at.is_empty()).then(|| folder_of(at)))
}

fn problem(shelf: &FileIndex, folder: &str, group: &Group) -> Option<Problem> {
    let path = shelf.kustomization(folder)?;
    let Group { is_unreferenced, files } = group;
    let count = match files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let below = |path: &String| {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        path.strip_prefix(&prefix).unwrap_or(path).to_owned()
    };
    let mut names: Vec<String> = files.iter().take(NAMED).map(below).collect();
    if files.len() > NAMED {
        names.push(format!("and {} more", files.len() - NAMED));
    }
    let (message, hint) = match (is_unreferenced, files.is_empty()) {
        (true, true) => (
            "no kustomization refers to this one, so it is not applied".to_owned(),
            "add its folder to the `resources` of another one, make it a target of trueup.yaml, or \
             name it in .trueupignore",
        ),
        (true, false) => (
            format!(
                "no kustomization refers to this one, so {count} of it {} not applied: {}",
                if files.len() == 1 { "is" } else { "are" },
                names.join(", ")
            ),
            "add its folder to the `resources` of another one, make it a target of trueup.yaml, or \
             name it in .trueupignore",
        ),
        (false, _) => (
            format!(
                "this kustomization does not refer to {count} below its folder, which {} not \
                 applied: {}",
                if files.len() == 1 { "is" } else { "are" },
                names.join(", ")
            ),
            "add them to its `resources`, or name them in .trueupignore",
        ),
    };
    let place = Location { path, line: 1, column: 1 };
    Some(Problem { place, message, excerpt: None, hint: Some(hint.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::source::formats::Formats;
    use crate::render::sources::Sources;

    /// The warnings of a checkout, as place and message.
    #[track_caller]
    fn expect(files: &[(&str, &str)], warnings: &[(&str, &str)]) {
        let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let contents = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        let shelf = FileIndex::new(paths, contents.collect());
        let all = |_: &str| true;
        let is_manifest = |path: &str| path.ends_with(".yaml") || path.ends_with(".json");
        let found = Sources::find(&shelf, &Formats::default(), &all);
        let found = found.unread_files(&shelf, &is_manifest);
        let found: Vec<(&str, &str)> =
            found.iter().map(|it| (it.place.path.as_str(), it.message.as_str())).collect();
        assert_eq!(found, warnings);
    }

    #[test]
    fn files_that_are_referred_to_are_read() {
        expect(
            &[
                ("app/base/kustomization.yaml", "resources: [web.yaml]"),
                ("app/base/web.yaml", ""),
                (
                    "app/envs/prod/kustomization.yaml",
                    "resources: [../../base]\npatches: [{path: patch.yaml}]\n\
                     configMapGenerator: [{name: a, files: [key=data/a.json]}]",
                ),
                ("app/envs/prod/patch.yaml", ""),
                ("app/envs/prod/data/a.json", ""),
                ("app/envs/prod/README.md", ""),
                ("plain.yaml", ""),
            ],
            &[],
        );
    }

    #[test]
    fn file_of_a_built_folder_that_nothing_refers_to_is_named() {
        expect(
            &[
                ("app/kustomization.yaml", "resources: [a.yaml]"),
                ("app/a.yaml", ""),
                ("app/b.yaml", ""),
                ("app/more/c.yaml", ""),
                ("app/more/d.json", ""),
                ("app/more/e.yaml", ""),
            ],
            &[(
                "app/kustomization.yaml",
                "this kustomization does not refer to 4 files below its folder, which are not \
                 applied: b.yaml, more/c.yaml, more/d.json, and 1 more",
            )],
        );
    }

    #[test]
    fn nested_kustomization_that_nothing_refers_to_is_named_with_all_of_it() {
        expect(
            &[
                ("apps/kustomization.yaml", "resources: [plex/ks.yaml]"),
                ("apps/plex/ks.yaml", ""),
                ("apps/plex/app/kustomization.yaml", "resources: [a.yaml, ../data]"),
                ("apps/plex/app/a.yaml", ""),
                ("apps/plex/data/kustomization.yaml", "resources: [b.yaml]"),
                ("apps/plex/data/b.yaml", ""),
                ("apps/tls/kustomization.yaml", "kind: Component"),
            ],
            &[
                (
                    "apps/plex/app/kustomization.yaml",
                    "no kustomization refers to this one, so 2 files of it are not applied: a.yaml, \
                     apps/plex/data/b.yaml",
                ),
                (
                    "apps/tls/kustomization.yaml",
                    "no kustomization refers to this one, so it is not applied",
                ),
            ],
        );
    }

    #[test]
    fn charts_and_manifests_of_others_are_no_such_files() {
        expect(
            &[
                ("chart/Chart.yaml", ""),
                ("chart/templates/kustomization.yaml", ""),
                ("chart/values.yaml", ""),
                (
                    "flux/kustomization.yaml",
                    "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization",
                ),
                ("flux/a.yaml", ""),
            ],
            &[],
        );
    }
}
