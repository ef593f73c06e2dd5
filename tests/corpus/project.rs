//! The projects, and the folder that their manifests are in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repo::Repo;
use crate::support::sandbox::Plane;

/// A project of the corpus.
pub struct Project {
    /// Its folder in the corpus.
    pub folder: &'static str,
    /// Its name: of the checkout, the inventory and the namespace.
    pub name: &'static str,
    /// How many of its files can't stand in one cluster together.
    pub left_out: usize,
}

const fn project(folder: &'static str, name: &'static str, left_out: usize) -> Project {
    Project { folder, name, left_out }
}

/// Every project, with the number of files that are left out.
pub const PROJECTS: [Project; 8] = [
    project("plain/kube-prometheus", "kube-prometheus", 0),
    project("plain/cert-manager", "cert-manager", 1),
    project("plain/argo-cd/manifests", "argo-cd", 0),
    project("plain/microservices-demo", "microservices-demo", 4),
    project("plain/istio", "istio", 93),
    project("plain/metallb", "metallb", 12),
    project("plain/calico", "calico", 1),
    project("plain/ingress-nginx", "ingress-nginx", 23),
];

/// Where the published manifests are.
pub struct Corpus(PathBuf);

impl Corpus {
    /// The folder that the user names.
    #[allow(clippy::disallowed_methods, reason = "a test has no configuration but this")]
    pub fn find() -> Self {
        let folder = std::env::var_os("TRUEUP_CORPUS").unwrap_or_else(|| {
            panic!(
                "set TRUEUP_CORPUS to the folder of published manifests, the one that has plain/{} \
                 and so on in it",
                PROJECTS[0].name
            )
        });
        Self(folder.into())
    }

    /// The project's files, by their paths from its own folder.
    pub fn files(&self, project: &Project) -> Vec<String> {
        let folder = self.0.join(project.folder);
        let mut files = Vec::new();
        collect(&folder, &folder, &mut files);
        files.sort();
        assert!(!files.is_empty(), "no files in {}", folder.display());
        files
    }

    /// A repository of the project's files, all committed.
    pub fn check_out<'p>(&self, project: &Project, plane: &'p Plane) -> Repo<'p> {
        let repo = Repo::new(project.name, plane);
        for path in self.files(project) {
            repo.write(&path, fs::read(self.0.join(project.folder).join(&path)).unwrap());
        }
        repo.commit("As published");
        repo
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}
