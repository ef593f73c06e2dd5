//! The programs that a sandbox needs, by name, and the places to look for them.

use std::ffi::OsString;
use std::path::PathBuf;

/// The programs of every sandbox.
pub const ALWAYS: [&str; 3] = ["etcd", "kube-apiserver", "kubectl"];
/// The programs that `controllers` adds.
pub const CONTROLLERS: [&str; 3] = ["kube-controller-manager", "kube-scheduler", "kwok"];

/// Where to look, in this order.
#[derive(Clone, Debug)]
pub struct ProgramPlaces {
    /// The folder that `KUBEBUILDER_ASSETS` names.
    pub assets: Option<PathBuf>,
    /// The folder that `setup-envtest` fills, with one folder a version.
    pub envtest: Option<PathBuf>,
    /// The search path, for the programs and for Go; elements that are not absolute are skipped.
    pub path: OsString,
    /// trueup's own cache, where the programs are built.
    pub cache: PathBuf,
}
