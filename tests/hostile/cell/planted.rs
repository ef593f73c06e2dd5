//! A renderer of our own, and what the kernel said to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use trueup::core::source::formats::Formats;
use trueup::core::source::programs::{GuardMode, RenderProgram};
use trueup::core::source::snapshot::{Revision, Snapshot};
use trueup::render::kubernetes::KubernetesVersion;
use trueup::render::limits::ProgramLimits;
use trueup::render::sources::{RenderSource, SourceFormat};
use trueup::render::{Rendered, Setting};

/// Compiles a program of this folder, once.
macro_rules! compiled {
    ($name:literal) => {{
        static BUILT: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
            compile(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/cell/", $name, ".c"))
        });
        BUILT.1.clone()
    }};
}

/// A program that renders as its order says.
pub fn planted() -> PathBuf {
    compiled!("planted")
}

/// A program that runs another one on a kernel that lacks system calls.
pub fn without() -> PathBuf {
    compiled!("without")
}

fn compile(source: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join(Path::new(source).file_stem().unwrap());
    let compiled =
        Command::new("cc").args(["-o".as_ref(), program.as_os_str(), source.as_ref()]).output();
    let compiled = compiled.unwrap_or_else(|error| panic!("the tests need cc: {error}"));
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    (folder, program)
}

/// How planted programs are run.
pub fn setting(cache: &Path) -> Setting {
    Setting {
        programs: BTreeMap::from([
            (RenderProgram::Kustomize, planted()),
            (RenderProgram::Helm, planted()),
        ]),
        search: "".into(),
        cache: cache.to_owned(),
        reuse: true,
        launcher: Ok(env!("CARGO_BIN_EXE_trueup").into()),
        limits: ProgramLimits::default(),
        // Where this machine lacks a guard, the tests should not pass.
        cell: GuardMode::Require,
        readable: Vec::new(),
        formats: Formats::default(),
        namespace: "default".to_owned(),
        kubernetes: KubernetesVersion::of_release("1.36"),
    }
}

/// What comes of an order.
pub fn render(order: &str, change: impl FnOnce(&mut Setting)) -> Rendered {
    let cache = tempfile::tempdir().unwrap();
    let mut setting = setting(cache.path());
    change(&mut setting);
    let revision = Revision {
        commit: String::new(),
        named: String::new(),
        summary: String::new(),
        author: String::new(),
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
        dirty: false,
        tracked: None,
    };
    let files = [("k/kustomization.yaml", "configMapGenerator: [{name: a}]\n"), ("k/order", order)];
    let files = files.map(|(path, text)| (path.to_owned(), text.into())).into();
    let snapshot = Snapshot { revision, files, skipped: Vec::new(), barred: Vec::new() };
    let source = RenderSource {
        format: SourceFormat::Kustomize,
        path: "k".to_owned(),
        file: "k/kustomization.yaml".to_owned(),
        reads: ["k".to_owned()].into(),
        given: [].into(),
    };
    trueup::render::render(&setting, &[source], &snapshot)
}

/// What the kernel said to each line of an order.
#[track_caller]
pub fn said(order: &str, change: impl FnOnce(&mut Setting)) -> BTreeMap<String, String> {
    let rendered = render(order, change);
    assert_eq!(rendered.problems, []);
    let data = rendered.manifests[0].object.0["data"].as_object().unwrap();
    data.iter().map(|(line, said)| (line.to_string(), said.as_str().unwrap().to_owned())).collect()
}

/// Asserts what the kernel says to an order's lines.
#[track_caller]
pub fn expect(lines: &[(&str, &str)]) {
    expect_with(lines, |_| {});
}

/// The same in a setting that is changed.
#[track_caller]
pub fn expect_with(lines: &[(&str, &str)], change: impl FnOnce(&mut Setting)) {
    let order: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let said = said(&order, change);
    for (line, expected) in lines {
        assert_eq!(said[*line], *expected, "{line}");
    }
}
