//! Files that are read by nothing: they stand below a folder that kustomize builds, and no kustomization
//! that is built refers to them. A person who expects them in the cluster would look for them in vain.

use std::collections::{BTreeMap, BTreeSet};

use super::file_index::{FileIndex, KUSTOMIZATIONS, folder_of, is_within};
use super::flux::{self, FluxFolder};
use super::kustomization::Closure;
use crate::core::manifest::Manifest;
use crate::core::problem::{Location, Problem};
use crate::core::source::other_files::listed;

/// The kustomizations of a target, all and those that are built.
pub(super) struct Kustomizations<'a> {
    /// Every one by its folder.
    pub(super) all: &'a BTreeMap<String, Closure>,
    /// The folders of those that are built for themselves.
    pub(super) built: &'a BTreeSet<String>,
}

/// The folders with files that are not read.
#[derive(Clone, Debug, Default)]
pub struct UnreadFolders {
    /// Those files, by the kustomization's folder.
    groups: BTreeMap<String, Group>,
    /// The folders of all kustomizations.
    kustomizations: BTreeSet<String>,
}

/// Files of one folder that are not read.
#[derive(Clone, Debug, Default)]
struct Group {
    /// The folder's kustomization.
    kustomization: String,
    /// Whether the folder's kustomization itself is referred to by none.
    is_unreferenced: bool,
    files: Vec<String>,
}

impl Kustomizations<'_> {
    /// The files that `is_manifest` says are manifests, and that are neither read by a kustomization nor
    /// taken in by anything else.
    pub(super) fn unread(
        &self,
        shelf: &FileIndex,
        is_manifest: &dyn Fn(&str) -> bool,
    ) -> UnreadFolders {
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
        let groups = groups.into_iter().filter_map(|(folder, group)| {
            let kustomization = shelf.kustomization(folder)?;
            Some((folder.to_owned(), Group { kustomization, ..group }))
        });
        let kustomizations = self.all.keys().cloned().collect();
        UnreadFolders { groups: groups.collect(), kustomizations }
    }

    /// The folder of the kustomization that would build this one, if it were built: the furthest up that
    /// takes it in, or itself.
    fn top_of<'b>(&'b self, folder: &'b str) -> &'b str {
        let takes = |(_, closure): &(&String, &Closure)| closure.folders.contains(folder);
        self.all.iter().find(takes).map_or(folder, |(top, _)| top)
    }
}

impl UnreadFolders {
    /// A warning for each folder that has a kustomization, and one for each that Flux builds, as these
    /// objects say.
    pub fn warnings(&self, manifests: &[Manifest]) -> Vec<Problem> {
        if self.groups.is_empty() {
            return Vec::new();
        }
        let flux = flux::folders(manifests);
        let mut warnings = Vec::new();
        let mut of_flux: BTreeSet<&FluxFolder> = BTreeSet::new();
        for (folder, group) in &self.groups {
            if group.is_unreferenced {
                match flux.iter().find(|it| it.path == *folder || self.generates(it, folder)) {
                    Some(built) => drop(of_flux.insert(built)),
                    None => warnings.push(warning(folder, group)),
                }
                continue;
            }
            let mut group = group.clone();
            group.files.retain(|path| {
                let is_built = |it: &&FluxFolder| {
                    let folder = folder_of(path);
                    !self.kustomizations.contains(folder)
                        && (it.path == folder || self.generates(it, folder))
                };
                flux.iter().find(is_built).map(|built| of_flux.insert(built)).is_none()
            });
            if !group.files.is_empty() {
                warnings.push(warning(folder, &group));
            }
        }
        warnings.extend(of_flux.into_iter().map(|built| flux_warning(built.place.clone())));
        warnings
    }

    /// Whether Flux takes `folder` in where it makes a kustomization itself: for a path that has none,
    /// down to the first folders that have one.
    fn generates(&self, flux: &FluxFolder, folder: &str) -> bool {
        let between = above(folder).skip(1).take_while(|at| is_within(at, &flux.path));
        folder != flux.path
            && is_within(folder, &flux.path)
            && between.filter(|at| self.kustomizations.contains(*at)).count() == 0
    }
}

/// The warning about a folder that Flux builds, where one of its objects names it. The text is the same
/// for all, so that they are printed as one.
fn flux_warning(place: Location) -> Problem {
    Problem {
        place,
        message:
            "Flux builds the folder that this names, and trueup does not, so it is not applied"
                .to_owned(),
        excerpt: None,
        hint: Some(
            "make the folder a target of trueup.yaml, or name it in .trueupignore".to_owned(),
        ),
    }
}

fn is_kustomization(path: &str) -> bool {
    KUSTOMIZATIONS.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// The folder and those above it, up to the root.
fn above(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |at| (!at.is_empty()).then(|| folder_of(at)))
}

fn warning(folder: &str, group: &Group) -> Problem {
    let Group { kustomization, is_unreferenced, files } = group;
    let count = match files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let below = |path: &String| {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        path.strip_prefix(&prefix).unwrap_or(path).to_owned()
    };
    let names = listed(files.iter().map(below).collect());
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
                names
            ),
            "add its folder to the `resources` of another one, make it a target of trueup.yaml, or \
             name it in .trueupignore",
        ),
        (false, _) => (
            format!(
                "this kustomization does not refer to {count} below its folder, which {} not \
                 applied: {}",
                if files.len() == 1 { "is" } else { "are" },
                names
            ),
            "add them to its `resources`, or name them in .trueupignore",
        ),
    };
    let place = Location { path: kustomization.clone(), line: 1, column: 1 };
    Problem { place, message, excerpt: None, hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::manifest::read;
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
        let read = |(path, text): &(&str, &str)| read(path, text.as_bytes()).manifests;
        let manifests: Vec<Manifest> = files.iter().flat_map(read).collect();
        let found = found.unread_files(&shelf, &is_manifest).warnings(&manifests);
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
    fn folder_that_flux_builds_is_told_where_flux_names_it() {
        let flux = |path: &str| {
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                 metadata: {{name: a}}\nspec: {{path: {path}}}\n"
            )
        };
        let [whole, plex, data] = ["./apps", "./apps/plex/app", "apps/plex/data"].map(flux);
        let message =
            "Flux builds the folder that this names, and trueup does not, so it is not applied";
        let files = [
            ("apps/kustomization.yaml", "resources: [plex.yaml, data.yaml]"),
            ("apps/data.yaml", &data),
            ("apps/forgotten.yaml", ""),
            ("apps/other/kustomization.yaml", ""),
            ("apps/plex.yaml", &plex),
            ("apps/plex/app/kustomization.yaml", "resources: [a.yaml]"),
            ("apps/plex/app/a.yaml", ""),
            ("apps/plex/data/a.yaml", ""),
            ("apps/plex/data/more/b.yaml", ""),
            ("whole.yaml", &whole),
        ];
        expect(
            &files,
            &[
                (
                    "apps/kustomization.yaml",
                    "this kustomization does not refer to 1 file below its folder, which is not \
                     applied: forgotten.yaml",
                ),
                (
                    "apps/other/kustomization.yaml",
                    "no kustomization refers to this one, so it is not applied",
                ),
                ("apps/data.yaml", message),
                ("apps/plex.yaml", message),
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
