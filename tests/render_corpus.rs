//! Other people's kustomizations: what trueup makes of them is what kubectl makes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trueup::core::json::{Map, Value};

use crate::support::command::Cmd;
use crate::support::renderers;

/// A kustomization that is broken where it comes from.
const BROKEN: &str = "kustomize-examples/transformerconfigs/images";

#[test]
#[allow(clippy::disallowed_methods, reason = "where the corpus is, is the machine's")]
#[ignore = "needs TRUEUP_CORPUS, a folder with other people's repositories"]
fn corpus_kustomizations_come_out_as_kubectl_has_them() {
    let corpus = std::env::var_os("TRUEUP_CORPUS").expect("TRUEUP_CORPUS names no folder");
    let (_folder, root) = checkout(Path::new(&corpus));
    let mut files = Vec::new();
    kustomizations(&root, &mut files);
    assert!(files.len() > 80, "{} kustomizations", files.len());
    let (mut same, mut refused) = (0, Vec::new());
    for file in files {
        let folder = file.parent().unwrap();
        let name = folder.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let kubectl = Cmd::new(kubectl()).args(["kustomize"]).args([folder]).run();
        let trueup = renderers::with(Cmd::trueup())
            .dir(&root)
            .env("XDG_CACHE_HOME", root.join(".git"))
            .args(["render", "--show-secrets", "--output", "json"])
            .args([&file])
            .run();
        if kubectl.status != Some(0) || trueup.status != Some(0) {
            refused.push((name, kubectl.status, trueup.status, trueup.stderr));
            continue;
        }
        let list: Value = serde_json::from_str(&trueup.stdout).unwrap();
        let rendered = list["items"].as_array().unwrap();
        let expected = trueup::core::manifest::read(&name, kubectl.stdout.as_bytes());
        assert_eq!(expected.problems, [], "{name}");
        let expected = expected.manifests.into_iter().map(|manifest| Map::from(manifest.object));
        let rendered = rendered.iter().map(|object| object.as_object().unwrap().clone());
        assert_eq!(by_identity(rendered), by_identity(expected), "{name}");
        same += 1;
    }
    assert!(same > 75, "{same}");
    assert!(refused.iter().any(|(name, ..)| name == BROKEN), "{BROKEN} was built");
    for (name, kubectl, trueup, said) in refused {
        // What trueup can't build, kubectl can't either; and kustomize itself says why.
        assert_ne!(kubectl, Some(0), "{name}: {said}");
        assert_eq!(trueup, Some(1), "{name}: {said}");
        assert!(said.contains("kustomization.yaml:1:1: kustomize says: "), "{name}: {said}");
    }
}

/// A checkout of the repositories of the corpus that have kustomizations, and its folder.
pub fn checkout(corpus: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("corpus");
    let copied = Cmd::new("cp").args(["-r"]).args([&corpus.join("kustomize"), &root]);
    copied.run().exits(0);
    let git = |args: &[&str]| Cmd::new("git").args(args).dir(&root).run().exits(0);
    git(&["init", "--quiet"]);
    git(&["add", "--all", "--force"]);
    git(&["commit", "--quiet", "--message", "Other people's"]);
    (folder, root)
}

fn kubectl() -> PathBuf {
    crate::support::sandbox::bare().kubectl.clone()
}

fn by_identity(objects: impl Iterator<Item = Map>) -> BTreeMap<String, Value> {
    let identity = |object: &Map| {
        let metadata = &object["metadata"];
        format!(
            "{} {} {} {}",
            object["apiVersion"], object["kind"], metadata["namespace"], metadata["name"]
        )
    };
    objects.map(|object| (identity(&object), Value::Object(object))).collect()
}

/// The files that say what to build, in `folder` and below.
pub fn kustomizations(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap();
        if path.is_dir() && name != ".git" {
            kustomizations(&path, found);
        } else if ["kustomization.yaml", "kustomization.yml", "Kustomization"]
            .iter()
            .any(|k| name == *k)
        {
            let text = std::fs::read_to_string(&path).unwrap();
            // A part for others to take in is not built by itself, and Flux has a kind by this name.
            let is_part =
                text.contains("kind: Component") || text.contains("kustomize.toolkit.fluxcd.io");
            if !is_part {
                found.push(path);
            }
        }
    }
}
