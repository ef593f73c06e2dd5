//! Kustomizations that are composed of fields and names, many of which lead out: whatever trueup
//! lets pass, kustomize itself stays in the checkout with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use trueup::render::sources::RenderSource;

use super::kustomizations::{look, others};
use super::{Inputs, fuzz};
use crate::hostile::kustomize::names::{FIELDS, PLUGINS, spellings};
use crate::hostile::kustomize::outside::Listener;
use crate::support::command::Cmd;
use crate::support::random::Random;
use crate::support::renderers;

/// Names that lead nowhere else; most files have several of them.
const INSIDE: [&str; 6] = ["patch.yaml", "data.txt", "a.env", "web2.yaml", "../base", "../part"];

/// Names that lead out, if anything does: `URL` and `OUT` are put in their places.
const OUTSIDE: [&str; 9] =
    ["URL", "OUT", "./OUT", "{/../OUT", "OUT/x\n/..", "URL?a=a.env", "k=URL", "OUT/", "./x/../OUT"];

/// How a kustomization may begin.
const HEADS: [&str; 6] = [
    "",
    "apiVersion: ''\n",
    "kind: ''\n",
    "apiVersion: example.com/v1\napiversion: kustomize.config.k8s.io/v1beta1\n",
    "apiVersion: kustomize.config.k8s.io/v1beta1\n",
    "Kind: Component\n",
];

/// Composes the files of a checkout, as JSON.
struct Composer {
    random: Random,
    url: String,
}

impl Composer {
    fn is_one_in(&mut self, many: usize) -> bool {
        self.random.below(many) == 0
    }

    /// A name as a text of YAML.
    fn name(&mut self) -> String {
        let name = match self.is_one_in(3) {
            true => self.random.one_of(&OUTSIDE),
            false => self.random.one_of(&INSIDE),
        };
        name.replace("URL", &self.url).replace("OUT", "../../outside")
    }

    /// A text with a key and a name in it, each in one of many spellings.
    fn fill(&mut self, key: &str, text: &str) -> String {
        let spelt = match self.is_one_in(4) {
            true => self.random.one_of(&spellings(key)).clone(),
            false => key.to_owned(),
        };
        let name = self.name();
        let (plain, keyed) = (json!(name).to_string(), json!(format!("key={name}")).to_string());
        let text = text.replace("'NAME?key=a.env'", "NAME").replace("KEY", &spelt);
        text.replace("key=NAME", &keyed).replace("NAME", &plain)
    }

    /// An object that configures a generator or transformer, and the list that it is for.
    fn plugin(&mut self) -> (&'static str, String) {
        let (list, key, text) = *self.random.one_of(&PLUGINS);
        let text = self.fill(key, text);
        (list, format!("{{apiVersion: builtin, metadata: {{name: a}}, {text}}}\n"))
    }

    fn kustomization(&mut self) -> String {
        let mut text = match self.is_one_in(2) {
            true => String::new(),
            false => (*self.random.one_of(&HEADS)).to_owned(),
        };
        for _ in 0..self.random.below(2) + 1 {
            let line = match self.is_one_in(4) {
                true => {
                    let (list, object) = self.plugin();
                    format!("{list}: [{}]", json!(object))
                }
                false => {
                    let (key, line) = *self.random.one_of(&FIELDS);
                    self.fill(key, line)
                }
            };
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

impl Inputs for Composer {
    fn next(&mut self) -> Vec<u8> {
        let mut files = serde_json::Map::new();
        let mut put = |path: &str, text: String| drop(files.insert(path.to_owned(), text.into()));
        match self.random.below(4) {
            0 | 1 => put("app/kustomization.yaml", self.kustomization()),
            2 => {
                put("app/kustomization.yaml", "resources: [../base, web.yaml]\n".to_owned());
                put("base/kustomization.yaml", self.kustomization());
            }
            _ => {
                let (list, object) = self.plugin();
                let entry = *self.random.one_of(&["plugin.yaml", "../plugins"]);
                put(
                    "app/kustomization.yaml",
                    format!("resources: [web.yaml]\n{list}: [{entry}]\n"),
                );
                put("app/plugin.yaml", object.clone());
                put("plugins/p.yaml", object);
            }
        }
        Value::Object(files).to_string().into_bytes()
    }
}

#[test]
#[ignore = "takes about a minute"]
fn kustomizations_beside_kustomize() {
    let listener = Listener::start();
    let place = tempfile::tempdir().unwrap();
    let outside = "configMapGenerator: [{name: from-outside, literals: [a=b]}]\n";
    fs::create_dir(place.path().join("outside")).unwrap();
    fs::write(place.path().join("outside/kustomization.yaml"), outside).unwrap();
    let program = renderers::folder().join("kustomize");
    let mut built = 0;
    fuzz(
        5_000,
        |seed| Composer { random: Random::new(seed), url: listener.url() },
        |bytes| {
            let mut files = others();
            let composed: BTreeMap<String, String> = serde_json::from_slice(bytes).unwrap();
            files.extend(composed.into_iter().map(|(path, text)| (path, text.into_bytes())));
            let sources = look(&files).sources;
            let source = sources.iter().find(|source| source.path == "app")?;
            let tree = place.path().join("tree");
            write(&tree, source, &files);
            let args = ["build", "--load-restrictor=LoadRestrictionsRootOnly", "./app"];
            let output = Cmd::new(&program).env("PATH", "").dir(&tree).args(args).run();
            fs::remove_dir_all(&tree).unwrap();
            built += usize::from(output.status == Some(0));
            let is_out = output.stdout.contains("from-outside") || listener.visits() > 0;
            is_out.then(|| format!("kustomize went out: {output}"))
        },
    );
    assert!(built > 0, "nothing was let pass that kustomize builds");
}

/// Writes what kustomize is given to read.
fn write(tree: &Path, source: &RenderSource, files: &BTreeMap<String, Vec<u8>>) {
    for (path, content) in files.iter().filter(|(path, _)| source.reads(path)) {
        let file = tree.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, source.given.get(path).unwrap_or(content)).unwrap();
    }
}
