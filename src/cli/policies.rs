//! Admission policies of a folder, for `trueup check --policy`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Failure;
use crate::core::manifest::{self, Manifest};
use crate::core::problem::Problem;
use crate::core::source::other_files::listed;
use crate::local::bounded_read;

/// The API group of policies and bindings.
const GROUP: &str = "admissionregistration.k8s.io";
/// The kinds that say what is admitted; every other object may be a parameter.
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// The most bytes of a file.
const FILE: u64 = 16 << 20;
/// The most files of all folders.
const FILES: usize = 10_000;
/// How deep folders may be nested.
const DEPTH: usize = 32;

/// Policies, bindings and parameters, and the documents that could not be read.
#[derive(Debug, Default)]
pub struct Policies {
    /// The objects.
    pub manifests: Vec<Manifest>,
    /// The faults of the files.
    pub problems: Vec<Problem>,
    /// The content of each path that has neither a policy nor a binding, nor a fault.
    without: Vec<PathWithout>,
}

/// A path without a policy or a binding.
#[derive(Debug)]
struct PathWithout {
    shown: String,
    /// How many files it has.
    files: usize,
    /// The apiVersions and kinds of its objects, with their number.
    kinds: BTreeMap<ParamKind, usize>,
}

/// The apiVersion and kind of an object, as a policy's `paramKind` names them.
pub type ParamKind = (String, String);

impl Policies {
    /// Reads every YAML and JSON file of folders, or files that are named.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or there are too many.
    pub fn read(paths: &[PathBuf], directory: &Path) -> Result<Self, Failure> {
        let mut policies = Self::default();
        let mut count = 0;
        for path in paths {
            let found = directory.join(path);
            let data = found.metadata();
            let data = data.with_context(|| format!("--policy: cannot read {}", path.display()))?;
            let mut files = Vec::new();
            match data.is_dir() {
                true => list(&found, path, DEPTH, &mut files)?,
                false => files.push((found, path.clone())),
            }
            count += files.len();
            if count > FILES {
                return Err(anyhow::anyhow!("--policy: more than {FILES} files").into());
            }
            policies.add(path, files)?;
        }
        Ok(policies)
    }

    /// Adds the files of a path.
    fn add(&mut self, path: &Path, files: Vec<(PathBuf, PathBuf)>) -> Result<(), Failure> {
        let mut without =
            PathWithout { shown: path.display().to_string(), files: files.len(), kinds: [].into() };
        let mut is_usable = false;
        for (file, shown) in files {
            let bytes = bounded_read::read_regular(&file, FILE);
            let bytes =
                bytes.with_context(|| format!("--policy: cannot read {}", shown.display()))?;
            let reading = manifest::read(&shown.to_string_lossy(), &bytes);
            is_usable |= !reading.problems.is_empty();
            for Manifest { object, .. } in &reading.manifests {
                is_usable |= object.group() == GROUP && [POLICY, BINDING].contains(&object.kind());
                let kind = (object.api_version().to_owned(), object.kind().to_owned());
                *without.kinds.entry(kind).or_default() += 1;
            }
            self.manifests.extend(reading.manifests);
            self.problems.extend(reading.problems);
        }
        if !is_usable {
            self.without.push(without);
        }
        Ok(())
    }

    /// Refuses a path that can do nothing: it has neither a policy nor a binding, nor parameters of a
    /// policy that is at another path, or that wants one of the kinds `of_targets`.
    ///
    /// # Errors
    ///
    /// When there is one, with what was found there.
    pub fn refuse_unusable(&self, of_targets: &BTreeSet<ParamKind>) -> Result<(), Failure> {
        let wanted: BTreeSet<ParamKind> = param_kinds(&self.manifests).collect();
        let is_wanted = |kind: &ParamKind| wanted.contains(kind) || of_targets.contains(kind);
        let mut without = self.without.iter();
        match without.find(|path| !path.kinds.keys().any(is_wanted)) {
            Some(path) => Err(path.failure()),
            None => Ok(()),
        }
    }
}

impl PathWithout {
    fn failure(&self) -> Failure {
        let Self { shown, files, kinds } = self;
        let found = match (files, kinds.is_empty()) {
            (0, _) => "it has no file that ends in .yaml, .yml or .json".to_owned(),
            (1, true) => "its only file has no object".to_owned(),
            (files, true) => format!("its {files} files have no object"),
            (_, false) => {
                let named = |((version, kind), count): (&ParamKind, &usize)| match count {
                    1 => format!("1 {kind} of {version}"),
                    count => format!("{count} {kind}s of {version}"),
                };
                format!("it has {}", listed(kinds.iter().map(named).collect()))
            }
        };
        let error = anyhow::anyhow!("--policy: no policy to evaluate in {shown}: {found}");
        let hint = format!(
            "name a file or folder with {POLICY} objects, their bindings or their parameters; \
             trueup evaluates no other policies"
        );
        Failure { error, hints: vec![hint] }
    }
}

/// The kinds of parameters that policies among these objects want.
pub fn param_kinds(manifests: &[Manifest]) -> impl Iterator<Item = ParamKind> {
    let policies = manifests.iter().map(|manifest| &manifest.object);
    let policies = policies.filter(|it| (it.group(), it.kind()) == (GROUP, POLICY));
    policies.filter_map(|policy| {
        let kind = policy.0.get("spec")?.get("paramKind")?;
        let text = |key: &str| Some(kind.get(key)?.as_str()?.to_owned());
        Some((text("apiVersion")?, text("kind")?))
    })
}

/// Lists the files of a folder, in order. A link to a folder is not followed.
fn list(
    folder: &Path,
    shown: &Path,
    depth: usize,
    files: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<(), Failure> {
    let attempt = || format!("--policy: cannot read {}", shown.display());
    let mut entries: Vec<_> = folder
        .read_dir()
        .and_then(Iterator::collect::<std::io::Result<_>>)
        .with_context(attempt)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, shown) = (entry.path(), shown.join(entry.file_name()));
        let is_wanted = path
            .extension()
            .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|wanted| end == *wanted));
        let kind = entry.file_type().with_context(attempt)?;
        if kind.is_dir() {
            let deeper = depth.checked_sub(1).with_context(|| {
                format!("--policy: {} is nested more than {DEPTH} folders deep", shown.display())
            })?;
            list(&path, &shown, deeper, files)?;
        } else if is_wanted {
            if files.len() == FILES {
                return Err(anyhow::anyhow!("--policy: more than {FILES} files").into());
            }
            files.push((path, shown));
        }
    }
    Ok(())
}
