//! Which program renders a source, and with which arguments. What would let a program reach the
//! network, a cluster or another program is never among them, and neither is a value: those are in
//! files, since every user of the machine can read the arguments of a process.

use std::ffi::OsString;
use std::path::PathBuf;

use super::file_index::CHART;
use super::private_copy::GIVEN;
use super::sources::{RenderSource, SourceFormat};
use crate::core::json::{Map, Value};
use crate::core::manifest;
use crate::core::problem::Problem;
use crate::core::source::formats::set::{SetPath, json, merge};
use crate::core::source::formats::{Helm, Jsonnet};
use crate::core::source::programs::RenderProgram;
use crate::core::source::snapshot::Snapshot;
use crate::local::search::{self, ProgramSearch};
use crate::render::Setting;

/// The command line of a program.
#[derive(Debug)]
pub struct Command {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Files that its arguments name, beside the private copy.
    pub given: Vec<GivenFile>,
}

/// A file for a program alone.
#[derive(Debug, PartialEq, Eq)]
pub struct GivenFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: String,
}

/// A program for a format, as it may be missing.
struct RequiredProgram {
    programs: &'static [RenderProgram],
    /// The missing program, and its use.
    message: &'static str,
    /// How to get it.
    hint: &'static str,
}

const KUSTOMIZE: RequiredProgram = RequiredProgram {
    programs: &[RenderProgram::Kustomize, RenderProgram::Kubectl],
    message: "this is for kustomize, and neither kustomize nor kubectl is on PATH",
    hint: "install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize) or \
        kubectl, or set render: plain in trueup.yaml",
};
const HELM: RequiredProgram = RequiredProgram {
    programs: &[RenderProgram::Helm],
    message: "this is a Helm chart, and helm is not on PATH",
    hint: "install Helm 3 or 4 (https://helm.sh/docs/intro/install), or set render: plain in \
        trueup.yaml",
};
// They take the same arguments.
const JSONNET: RequiredProgram = RequiredProgram {
    programs: &[RenderProgram::Jsonnet, RenderProgram::Jrsonnet],
    message: "this is Jsonnet, and neither jsonnet nor jrsonnet is on PATH",
    hint: "install one (go install github.com/google/go-jsonnet/cmd/jsonnet@latest), or set \
        render: plain in trueup.yaml",
};

/// How to render `source`, which is among `files`.
///
/// # Errors
///
/// When no program for it is named or on the search path, or an option can't be set.
pub fn command(
    setting: &Setting,
    source: &RenderSource,
    files: &Snapshot,
) -> Result<Command, Box<Problem>> {
    match source.format {
        SourceFormat::Kustomize => {
            let (which, program) = find(setting, source, &KUSTOMIZE)?;
            let verb = if which == RenderProgram::Kubectl { "kustomize" } else { "build" };
            let only_below = "--load-restrictor=LoadRestrictionsRootOnly".to_owned();
            // A path that begins with a dash would be taken for a flag.
            let args = vec![verb.to_owned(), only_below, format!("./{}", source.path)];
            Ok(Command { program, args, given: Vec::new() })
        }
        SourceFormat::Helm => {
            let (_, program) = find(setting, source, &HELM)?;
            let options = setting.formats.helm.clone().unwrap_or_default();
            let (args, given) = helm(&options, setting, source, files)?;
            Ok(Command { program, args, given })
        }
        SourceFormat::Jsonnet => {
            let (_, program) = find(setting, source, &JSONNET)?;
            let options = setting.formats.jsonnet.clone().unwrap_or_default();
            let (args, given) = jsonnet(&options, &source.path);
            Ok(Command { program, args, given })
        }
    }
}

/// The first of the programs that is named or on the search path.
fn find(
    setting: &Setting,
    source: &RenderSource,
    wanted: &RequiredProgram,
) -> Result<(RenderProgram, PathBuf), Box<Problem>> {
    let mut note = None;
    for &program in wanted.programs {
        if let Some(named) = setting.programs.get(&program) {
            return Ok((program, named.clone()));
        }
        match search::find(program.name(), &setting.search) {
            ProgramSearch::Found(path) => return Ok((program, path)),
            skipped => note = note.or_else(|| skipped.note(program.name())),
        }
    }
    let (message, hint) = match note {
        Some(note) => {
            let hint = "make it an absolute path in PATH, if its programs are to be trusted";
            (format!("{}: {note}", wanted.message), hint)
        }
        None => (wanted.message.to_owned(), wanted.hint),
    };
    Err(Box::new(source.problem(message, Some(hint.to_owned()))))
}

/// A program's arguments, and the files that they name.
type Arguments = (Vec<String>, Vec<GivenFile>);

fn helm(
    options: &Helm,
    setting: &Setting,
    source: &RenderSource,
    files: &Snapshot,
) -> Result<Arguments, Box<Problem>> {
    let chart = files.files.get(&source.file).map_or(&[][..], Vec::as_slice);
    let release = options.release.clone().or_else(|| chart_name(&source.path, chart));
    let release = release.unwrap_or_else(|| "release".to_owned());
    let namespace = options.namespace.as_deref().unwrap_or(&setting.namespace);
    let mut args = vec!["template".to_owned()];
    args.extend(["--include-crds", "--skip-tests"].map(str::to_owned));
    args.push(format!("--namespace={namespace}"));
    let ChartValues { files, own } = values(options, source, files)?;
    args.extend(files.iter().map(|path| format!("--values=./{path}")));
    let mut given = Vec::new();
    if let Some(own) = own {
        let name = "values.json".to_owned();
        args.push(format!("--values=../{GIVEN}/{name}"));
        given.push(GivenFile { name, content: json(&Value::Object(own)) });
    }
    args.extend(options.api_versions.iter().map(|version| format!("--api-versions={version}")));
    let version = options.kube_version.clone().unwrap_or_else(|| setting.kubernetes.version());
    args.push(format!("--kube-version={version}"));
    args.extend(["--".to_owned(), release, format!("./{}", source.path)]);
    Ok((args, given))
}

/// A chart's values.
struct ChartValues {
    /// Values files of the checkout.
    files: Vec<String>,
    /// The values that are merged into them.
    own: Option<Map>,
}

/// The values files for `set:`: merged into them it comes to the same, except where it depends on
/// what they say; there it is merged with them here.
fn values(
    options: &Helm,
    source: &RenderSource,
    files: &Snapshot,
) -> Result<ChartValues, Box<Problem>> {
    let paths: Vec<String> =
        options.values.iter().map(|path| path.trim_matches('/').to_owned()).collect();
    if options.set.is_empty() {
        return Ok(ChartValues { files: paths, own: None });
    }
    let wrong = |path: &str, why: String| {
        let message = format!("`{path}` under render: helm: set: in trueup.yaml: {why}");
        Box::new(source.problem(message, None))
    };
    let mut set = Vec::new();
    for (path, value) in &options.set {
        let parsed = SetPath::parse(path).map_err(|why| wrong(path, why))?;
        set.push((path, parsed, value));
    }
    let depends = set.iter().any(|(_, parsed, value)| parsed.depends_on_others(value));
    let mut own = Map::new();
    if depends {
        for path in &paths {
            for document in documents(path, files)? {
                merge(&mut own, document);
            }
        }
    }
    for (path, parsed, value) in set {
        parsed.set(&mut own, value.clone()).map_err(|why| wrong(path, why))?;
    }
    Ok(ChartValues { files: if depends { Vec::new() } else { paths }, own: Some(own) })
}

/// The documents of a values file.
fn documents(path: &str, files: &Snapshot) -> Result<Vec<Map>, Box<Problem>> {
    let content = files.files.get(path).map_or(&[][..], Vec::as_slice);
    let documents = manifest::values(path, content).map_err(Box::new)?;
    let maps = documents.into_iter().filter_map(|document| match document {
        Value::Object(map) => Some(map),
        _ => None,
    });
    Ok(maps.collect())
}

/// The name that a chart gives itself.
pub fn chart_name(folder: &str, chart: &[u8]) -> Option<String> {
    let file = super::file_index::join(folder, CHART);
    let (value, _) = manifest::value(&file, chart).ok()??;
    value.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn jsonnet(options: &Jsonnet, path: &str) -> Arguments {
    let (mut args, mut given) = (Vec::new(), Vec::new());
    // Of several, the program looks in the last one first.
    for folder in options.library.iter().rev() {
        args.extend(["--jpath".to_owned(), format!("./{}", folder.trim_matches('/'))]);
    }
    for (kind, values) in [("ext", &options.ext), ("tla", &options.tla)] {
        for (at, (name, value)) in values.iter().enumerate() {
            let (flag, end, content) = match value {
                Value::String(text) => ("str", "txt", text.clone()),
                // JSON is Jsonnet.
                value => ("code", "jsonnet", value.to_string()),
            };
            let file = format!("{kind}-{at}.{end}");
            args.push(format!("--{kind}-{flag}-file"));
            args.push(format!("{name}=../{GIVEN}/{file}"));
            given.push(GivenFile { name: file, content });
        }
    }
    args.extend(["--".to_owned(), format!("./{path}")]);
    (args, given)
}

impl Command {
    /// The arguments as the system takes them.
    pub fn os_args(&self) -> Vec<OsString> {
        self.args.iter().map(OsString::from).collect()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::collections::BTreeMap;

    use crate::core::json::json;

    use super::*;
    use crate::core::source::formats::Formats;
    use crate::core::source::programs::GuardMode;
    use crate::core::source::snapshot::Revision;
    use crate::render::kubernetes::KubernetesVersion;
    use crate::render::limits::ProgramLimits;

    fn setting(search: &str) -> Setting {
        Setting {
            programs: BTreeMap::new(),
            search: search.into(),
            cache: "/".into(),
            reuse: true,
            launcher: Err("it is not needed".to_owned()),
            limits: ProgramLimits::default(),
            cell: GuardMode::default(),
            readable: Vec::new(),
            formats: Formats::default(),
            namespace: "default".to_owned(),
            kubernetes: KubernetesVersion::of_release("1.36"),
        }
    }

    fn source(format: SourceFormat, path: &str, file: &str) -> RenderSource {
        RenderSource {
            format,
            path: path.to_owned(),
            file: file.to_owned(),
            reads: [].into(),
            given: [].into(),
        }
    }

    fn files(files: &[(&str, &str)]) -> Snapshot {
        let revision = Revision {
            commit: String::new(),
            named: String::new(),
            summary: String::new(),
            author: String::new(),
            time: jiff::Timestamp::default(),
            dirty: false,
            tracked: None,
        };
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        Snapshot { revision, files: files.collect(), skipped: Vec::new(), barred: Vec::new() }
    }

    #[test]
    fn either_jsonnet_will_do_and_the_first_one_is_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let setting = setting(folder.path().to_str().unwrap());
        let source = source(SourceFormat::Jsonnet, "a.jsonnet", "a.jsonnet");
        let found = || command(&setting, &source, &files(&[])).map(|command| command.program);
        assert!(found().is_err());
        for name in ["jrsonnet", "jsonnet"] {
            let program = folder.path().join(name);
            std::fs::write(&program, "").unwrap();
            assert_ne!(found().ok().as_ref(), Some(&program), "it is not a program yet");
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(found().ok(), Some(program));
        }
    }

    #[test]
    fn no_value_is_among_the_arguments() {
        let canary = "c4n4ry";
        let value = json!({"a": canary, "b": [canary]});
        let set = BTreeMap::from([
            ("plain".to_owned(), json!(canary)),
            ("a.b[0]".to_owned(), value.clone()),
        ]);
        let options = Helm { values: vec!["/v.yaml".to_owned()], set, ..Helm::default() };
        let chart = source(SourceFormat::Helm, "web", "web/Chart.yaml");
        let files = files(&[("v.yaml", "a: {b: [1, 2], c: 3}"), ("web/Chart.yaml", "name: web")]);
        let (args, given) = helm(&options, &setting(""), &chart, &files).unwrap();
        assert!(!args.concat().contains(canary), "{args:?}");
        // An element of a list depends on the file's.
        assert!(args.iter().all(|arg| arg != "--values=./v.yaml"), "{args:?}");
        let content: Value = serde_json::from_str(&given[0].content).unwrap();
        let expected = json!({"plain": canary, "a": {"b": [value.clone(), 2], "c": 3}});
        assert_eq!(content, expected);

        let values = BTreeMap::from([("x".to_owned(), json!(canary)), ("y".to_owned(), value)]);
        let options = Jsonnet { tla: values.clone(), ext: values, ..Jsonnet::default() };
        let (args, given) = jsonnet(&options, "a.jsonnet");
        assert!(!args.concat().contains(canary), "{args:?}");
        assert_eq!(given.len(), 4);
        assert!(args.contains(&"x=../given/ext-0.txt".to_owned()), "{args:?}");
    }

    #[test]
    fn a_values_file_stays_one_where_nothing_depends_on_it() {
        let set = BTreeMap::from([("a.b".to_owned(), json!([1]))]);
        let options = Helm { values: vec!["v.yaml".to_owned()], set, ..Helm::default() };
        let chart = source(SourceFormat::Helm, "web", "web/Chart.yaml");
        let (args, _) = helm(&options, &setting(""), &chart, &files(&[])).unwrap();
        assert_eq!(args[4..6], ["--values=./v.yaml", "--values=../given/values.json"]);
        let set = BTreeMap::from([("a.b".to_owned(), json!({}))]);
        let wrong = files(&[("v.yaml", "a: 1")]);
        let problem = helm(&Helm { set, ..options }, &setting(""), &chart, &wrong).unwrap_err();
        assert!(problem.message.contains("what should hold `b` is not a map"), "{problem:?}");
    }
}
