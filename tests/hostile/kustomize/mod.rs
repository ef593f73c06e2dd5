//! Kustomizations that kustomize reads otherwise than trueup might: whatever kustomize itself would
//! open for one, trueup refuses where it is no part of the checkout, before kustomize runs.

mod folders;
pub mod names;
pub mod outside;
mod same;

use std::fs;
use std::path::PathBuf;

use outside::Listener;
use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::renderers;

/// A ConfigMap, so that there is something to build.
const WEB: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {key: web}\n";

/// What the folder outside the checkout would add to what is rendered.
const MARK: &str = "from-outside";

/// A checkout, and beside it a folder that is none of its own.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let outside = format!("configMapGenerator: [{{name: {MARK}, literals: [a=b]}}]\n");
        world.write("../outside/kustomization.yaml", &outside);
        world
            .write("../outside/part/kustomization.yaml", "kind: Component\ncommonLabels: {a: b}\n");
        world.git(&["init", "--quiet"]);
        for (path, content) in files {
            world.write(path, content);
        }
        world.git(&["add", "--all"]);
        world.git(&["commit", "--quiet", "--message", "Files"]);
        world
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        let folder = path.parent().unwrap();
        fs::create_dir_all(self.root()).unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::write(path, content).unwrap();
    }

    fn git(&self, args: &[&str]) -> Output {
        Cmd::new("git").args(args).dir(self.root()).run().exits(0)
    }

    /// trueup render of the whole checkout, with a cache in the folder around it.
    fn render(&self, args: &[&str]) -> Output {
        let cmd = Cmd::trueup().dir(self.root()).env("XDG_CACHE_HOME", self.folder.path());
        renderers::with(cmd).args(["render"]).args(args).run()
    }

    /// What trueup check finds in the whole checkout: each path with its message.
    fn findings(&self) -> Vec<(String, String)> {
        let cmd = Cmd::trueup().dir(self.root()).env("XDG_CACHE_HOME", self.folder.path());
        let output = renderers::with(cmd).args(["check", "-o", "json"]).run().exits(1);
        let document: Value = serde_json::from_str(&output.stdout).unwrap();
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let findings = document["findings"].as_array().unwrap().iter();
        findings.map(|finding| (text(finding, "path"), text(finding, "message"))).collect()
    }

    /// kustomize itself on one folder, as trueup calls it.
    fn kustomize(&self, folder: &str) -> Output {
        let program = renderers::folder().join("kustomize");
        let args = ["build", "--load-restrictor=LoadRestrictionsRootOnly", folder];
        Cmd::new(program).env("PATH", "").dir(self.root()).args(args).run()
    }
}

/// The problems that a render tells, one a line.
fn problems(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.starts_with("! ")).collect()
}
