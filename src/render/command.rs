//! Which program renders a source, and with which arguments. What would let a program reach the
//! network, a cluster or another program is never among them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::shelf::CHART;
use super::sources::{Format, Source};
use crate::formats::{Helm, Jsonnet};
use crate::machine::Program;
use crate::manifest;
use crate::render::Setting;

/// What a program is called with.
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// A program that is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, and for what.
    pub message: &'static str,
    /// How to get it.
    pub hint: &'static str,
}

/// How to render `source`, whose own file is `content`.
///
/// # Errors
///
/// When no program for it is named or on the search path.
pub fn command(setting: &Setting, source: &Source, content: &[u8]) -> Result<Command, Missing> {
    let find = |program: Program| {
        let named = setting.programs.get(&program).cloned();
        named.or_else(|| find(program.name(), &setting.search))
    };
    match source.format {
        Format::Kustomize => {
            // What begins with a dash would be taken for a flag.
            let folder = format!("./{}", source.path);
            let only_below = "--load-restrictor=LoadRestrictionsRootOnly".to_owned();
            if let Some(program) = find(Program::Kustomize) {
                Ok(Command { program, args: vec!["build".to_owned(), only_below, folder] })
            } else if let Some(program) = find(Program::Kubectl) {
                Ok(Command { program, args: vec!["kustomize".to_owned(), only_below, folder] })
            } else {
                Err(Missing {
                    message: "this is for kustomize, and neither kustomize nor kubectl is on PATH",
                    hint: "install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize) or kubectl, or say render: plain in trueup.yaml",
                })
            }
        }
        Format::Helm => match find(Program::Helm) {
            Some(program) => {
                let options = setting.formats.helm.clone().unwrap_or_default();
                let args = helm(&options, &setting.namespace, (&source.path, content));
                Ok(Command { program, args })
            }
            None => Err(Missing {
                message: "this is a Helm chart, and helm is not on PATH",
                hint: "install Helm 3 or 4 (https://helm.sh/docs/intro/install), or say render: plain in trueup.yaml",
            }),
        },
        // They take the same arguments.
        Format::Jsonnet => match find(Program::Jsonnet).or_else(|| find(Program::Jrsonnet)) {
            Some(program) => {
                let options = setting.formats.jsonnet.clone().unwrap_or_default();
                Ok(Command { program, args: jsonnet(&options, &source.path) })
            }
            None => Err(Missing {
                message: "this is Jsonnet, and neither jsonnet nor jrsonnet is on PATH",
                hint: "install one (go install github.com/google/go-jsonnet/cmd/jsonnet@latest), or say render: plain in trueup.yaml",
            }),
        },
    }
}

fn helm(options: &Helm, namespace: &str, (folder, chart): (&str, &[u8])) -> Vec<String> {
    let release = options.release.clone().or_else(|| chart_name(folder, chart));
    let release = release.unwrap_or_else(|| "release".to_owned());
    let namespace = options.namespace.as_deref().unwrap_or(namespace);
    let mut args = vec!["template".to_owned()];
    args.extend(["--include-crds", "--skip-tests"].map(str::to_owned));
    args.push(format!("--namespace={namespace}"));
    args.extend(options.values.iter().map(|path| format!("--values=./{}", path.trim_matches('/'))));
    args.extend(options.set.iter().map(|(path, value)| format!("--set-json={path}={value}")));
    args.extend(options.api_versions.iter().map(|version| format!("--api-versions={version}")));
    args.extend(options.kube_version.iter().map(|version| format!("--kube-version={version}")));
    args.extend(["--".to_owned(), release, format!("./{folder}")]);
    args
}

/// The name that a chart gives itself.
pub fn chart_name(folder: &str, chart: &[u8]) -> Option<String> {
    let file = super::shelf::join(folder, CHART);
    let (value, _) = manifest::value(&file, chart).ok()??;
    value.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn jsonnet(options: &Jsonnet, path: &str) -> Vec<String> {
    let mut args = Vec::new();
    // Of several, the program looks in the last one first.
    for folder in options.library.iter().rev() {
        args.extend(["--jpath".to_owned(), format!("./{}", folder.trim_matches('/'))]);
    }
    for (kind, values) in [("ext", &options.ext), ("tla", &options.tla)] {
        for (name, value) in values {
            args.extend(match value {
                Value::String(text) => [format!("--{kind}-str"), format!("{name}={text}")],
                // JSON is Jsonnet.
                value => [format!("--{kind}-code"), format!("{name}={value}")],
            });
        }
    }
    args.extend(["--".to_owned(), format!("./{path}")]);
    args
}

/// The first program of that name on the search path.
fn find(name: &str, search: &OsStr) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let found = std::env::split_paths(search).map(|folder| folder.join(&name));
    std::path::absolute(found.into_iter().find(|path| is_program(path))?).ok()
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

impl Command {
    /// The arguments as the system takes them.
    pub fn os_args(&self) -> Vec<OsString> {
        self.args.iter().map(OsString::from).collect()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::formats::Formats;
    use crate::render::program::Limits;

    #[test]
    fn either_jsonnet_will_do_and_the_first_one_is_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let setting = Setting {
            programs: std::collections::BTreeMap::new(),
            search: folder.path().into(),
            cache: folder.path().to_owned(),
            launcher: None,
            limits: Limits::default(),
            formats: Formats::default(),
            namespace: "default".to_owned(),
        };
        let path = "a.jsonnet".to_owned();
        let reads = [path.clone()].into();
        let source = Source { format: Format::Jsonnet, path: path.clone(), file: path, reads };
        let found = || command(&setting, &source, b"").map(|command| command.program);
        assert!(found().is_err());
        for name in ["jrsonnet", "jsonnet"] {
            let program = folder.path().join(name);
            std::fs::write(&program, "").unwrap();
            assert_ne!(found().ok().as_ref(), Some(&program), "it is no program yet");
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(found().ok(), Some(program));
        }
    }
}
