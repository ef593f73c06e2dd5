//! Where the programs of a sandbox are: a place counts only when it holds all that are needed, so
//! that no two of them come from different releases.

use std::path::{Path, PathBuf};

use super::build::{self, Module};
use super::places::{ALWAYS, CONTROLLERS, ProgramPlaces};
use super::{Error, Listener, SandboxEvent, SandboxOptions};
use crate::local::search;

/// The name of the place that is many folders.
const PATH: &str = "PATH";

/// The programs, all from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Where they are from, in words.
    pub place: String,
    /// The store.
    pub etcd: PathBuf,
    /// The API.
    pub kube_apiserver: PathBuf,
    /// The client, for the user.
    pub kubectl: PathBuf,
    /// The controllers.
    pub controllers: Option<Controllers>,
}

/// The programs that make things happen in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controllers {
    /// The controllers.
    pub kube_controller_manager: PathBuf,
    /// The scheduler.
    pub kube_scheduler: PathBuf,
    /// The nodes.
    pub kwok: PathBuf,
}

/// Finds the programs, or builds them.
///
/// # Errors
///
/// When programs are missing and can't be built.
pub async fn obtain(options: &SandboxOptions, events: Listener<'_>) -> Result<Programs, Error> {
    let ProgramPlaces { assets, envtest, path, cache: _ } = &options.places;
    let envtest = envtest.as_deref().and_then(newest_envtest);
    let search = path;
    let path = search::folders(search);
    for (place, folders) in [
        ("KUBEBUILDER_ASSETS", assets.as_slice()),
        ("the folder of setup-envtest", envtest.as_slice()),
        (PATH, &path),
    ] {
        match gather(place, folders, options.controllers) {
            Ok(programs) => return Ok(programs),
            Err(_) if folders.is_empty() => {}
            // A kubectl is on many a search path, and is not meant as a control plane.
            Err(missing) if place == PATH && missing.contains(&"kube-apiserver") => {}
            Err(missing) => events(SandboxEvent::Lacking { place: place.to_owned(), missing }),
        }
    }
    if let Some(note) = search::find("kube-apiserver", search).note("kube-apiserver") {
        events(SandboxEvent::Skipped(note));
    }
    let folder = build::built(&Module::CONTROL_PLANE, options, events).await?;
    gather("trueup's cache", &[folder], options.controllers).map_err(Error::Missing)
}

/// The programs in these folders, or the names of those that are not there.
///
/// # Errors
///
/// The names of the missing programs.
pub fn gather(
    place: &str,
    folders: &[PathBuf],
    controllers: bool,
) -> Result<Programs, Vec<&'static str>> {
    let mut missing = Vec::new();
    let mut find = |name: &'static str| {
        let found = search::find_in(name, folders);
        if found.is_none() {
            missing.push(name);
        }
        found.unwrap_or_default()
    };
    let [etcd, kube_apiserver, kubectl] = ALWAYS.map(&mut find);
    let controllers = controllers.then(|| {
        let [kube_controller_manager, kube_scheduler, kwok] = CONTROLLERS.map(&mut find);
        Controllers { kube_controller_manager, kube_scheduler, kwok }
    });
    if missing.is_empty() {
        Ok(Programs { place: place.to_owned(), etcd, kube_apiserver, kubectl, controllers })
    } else {
        Err(missing)
    }
}

/// The newest of the folders that `setup-envtest` names `<version>-<os>-<arch>`.
fn newest_envtest(folder: &Path) -> Option<PathBuf> {
    let platform = format!("-{}-{}", go_os(), go_arch());
    let versions = folder.join("k8s").read_dir().ok()?;
    versions
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let numbers = name.strip_suffix(&platform)?.split('.');
            Some((numbers.map(|n| n.parse().ok()).collect::<Option<Vec<u32>>>()?, name))
        })
        .max()
        .map(|(_, name)| folder.join("k8s").join(name))
}

fn go_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        arch => arch,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn a_place_that_lacks_one_program_does_not_count() {
        let folder = folder_with(&["etcd", "kubectl"]);
        let folders = [folder.path().to_owned()];
        assert_eq!(gather("here", &folders, false), Err(vec!["kube-apiserver"]));
    }

    #[test]
    fn the_three_programs_are_enough_without_controllers() {
        let folder = folder_with(&ALWAYS);
        let folders = [folder.path().to_owned()];
        assert_eq!(gather("here", &folders, false).unwrap().etcd, folder.path().join("etcd"));
        assert_eq!(gather("here", &folders, true), Err(CONTROLLERS.to_vec()));
    }

    #[test]
    fn file_without_execute_permission_is_not_a_program() {
        let folder = folder_with(&ALWAYS);
        let etcd = folder.path().join("etcd");
        fs::set_permissions(etcd, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(gather("here", &[folder.path().to_owned()], false), Err(vec!["etcd"]));
    }

    #[test]
    fn the_newest_of_setup_envtest_s_versions_is_taken_and_not_the_last_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let platform = format!("{}-{}", go_os(), go_arch());
        for name in ["1.9.0", "1.31.10", "1.31.9"] {
            fs::create_dir_all(folder.path().join(format!("k8s/{name}-{platform}"))).unwrap();
        }
        fs::create_dir_all(folder.path().join("k8s/1.40.0-plan9-mips")).unwrap();
        let newest = newest_envtest(folder.path()).unwrap();
        assert_eq!(newest, folder.path().join(format!("k8s/1.31.10-{platform}")));
    }
}
