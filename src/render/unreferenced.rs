//! Files that are read by nothing: they stand below a folder that kustomize builds, and no kustomization
//! that is built refers to them. A person who expects them in the cluster would look for them in vain.

use std::collections::{BTreeMap, BTreeSet};

use super::file_index::{CHART, FileIndex, KUSTOMIZATIONS, folder_of, is_within, join};
use super::flux::{self, FluxFolder};
use super::kustomization::Closure;
use crate::core::manifest::Manifest;
use crate::core::problem::{Location, Problem};
use crate::core::source::other_files::listed;

/// The end of the names of programs.
const PROGRAM: &str = ".jsonnet";

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
    /// Charts and programs below the folder of a kustomization that is built, which does not render them:
    /// the file of each, and the kustomization.
    unrendered: BTreeMap<String, String>,
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
        let mut unrendered = BTreeMap::new();
        let is_owned = |folder: &str| live.contains(folder) || self.all.contains_key(folder);
        for path in shelf.paths().filter(|path| is_manifest(path) && !read.contains(path)) {
            let Some(owner) = above(folder_of(path)).find(|folder| is_owned(folder)) else {
                continue;
            };
            let is_kustomization = folder_of(path) == owner && is_kustomization(path);
            let is_program = path.ends_with(PROGRAM);
            if live.contains(owner) {
                let maker = match is_program {
                    true => Some(path.to_owned()),
                    false => chart_of(shelf, path, owner),
                };
                if let (Some(maker), Some(file)) = (maker, shelf.kustomization(owner)) {
                    unrendered.insert(maker, file);
                } else if !is_kustomization {
                    groups.entry(owner).or_default().files.push(path.to_owned());
                }
                continue;
            }
            if is_program {
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
        UnreadFolders { groups: groups.collect(), kustomizations, unrendered }
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
        let unrendered = self.unrendered.iter().map(|(maker, file)| unrendered(maker, file));
        if self.groups.is_empty() {
            return unrendered.collect();
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
        warnings.extend(unrendered);
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

/// The `Chart.yaml` of the chart that a file is of, below the folder of a kustomization.
fn chart_of(shelf: &FileIndex, path: &str, owner: &str) -> Option<String> {
    let below = above(folder_of(path)).take_while(|folder| *folder != owner);
    below.map(|folder| join(folder, CHART)).filter(|file| shelf.has_file(file)).last()
}

/// The warning about a chart or program that a kustomization keeps from being rendered.
fn unrendered(maker: &str, kustomization: &str) -> Problem {
    let (what, target) = match maker.ends_with(PROGRAM) {
        true => ("program", "it"),
        false => ("chart", "its folder"),
    };
    Problem {
        place: Location { path: maker.to_owned(), line: 1, column: 1 },
        message: format!(
            "this {what} is not applied: it is below the folder of {kustomization}, and kustomize does \
             not render it"
        ),
        excerpt: None,
        hint: Some(format!("make {target} a target of trueup.yaml, or name it in .trueupignore")),
    }
}

/// The remedy for files that nothing refers to. Values of a chart are no resource.
fn remedy(files: &[String]) -> &'static str {
    let values = files.iter().filter(|path| is_values(path)).count();
    match values {
        0 => "add them to its `resources`, or name them in .trueupignore",
        all if all == files.len() => {
            "values are read where a generator of the kustomization or `helm.values` of trueup.yaml \
             names them; or name them in .trueupignore"
        }
        _ => {
            "add manifests to its `resources`, and values to a generator or to `helm.values` of \
             trueup.yaml, or name them in .trueupignore"
        }
    }
}

/// Whether a file has values of a chart, by its name: `values.yaml`, `values-prod.yaml`, `web.values.yaml`.
fn is_values(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut words = stem.split(['-', '.', '_']);
    words.next() == Some("values") || words.next_back() == Some("values")
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
            remedy(files),
        ),
    };
    let place = Location { path: kustomization.clone(), line: 1, column: 1 };
    Problem { place, message, excerpt: None, hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests;
