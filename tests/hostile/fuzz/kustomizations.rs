//! Mutated kustomizations, and mutated configuration of generators and transformers, against what
//! looks for the files that they read.

use std::collections::BTreeMap;

use serde_json::Value;
use trueup::core::source::formats::Formats;
use trueup::render::file_index::FileIndex;
use trueup::render::sources::Sources;

use super::{fuzz, misplaced};
use crate::support::mutate::Mutator;

const SEEDS: [&str; 6] = [
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- web.yaml\n- ../base\nnamePrefix: a-\npatches:\n- path: patch.yaml\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: add, path: /data/a, value: b}\n",
    "resources: [web.yaml]\ncomponents: [../part]\nconfigMapGenerator:\n- name: made\n  files: [data.txt, key=data.txt]\n  envs: [a.env]\n  literals: [a=b]\nsecretGenerator: [{name: s, env: a.env}]\n",
    "resources: [web.yaml]\ngenerators: [plugin.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  path: patch.yaml\n- ../plugins\n",
    "bases: [../base]\npatchesStrategicMerge: [patch.yaml]\nreplacements: [{path: r.yaml}]\nopenapi: {path: s.json}\ncrds: [c.json]\nconfigurations: [c.yaml]\n",
    "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata:\n  name: plugin\nfiles: [data.txt]\nliterals: [a=b]\n---\napiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: s}\nenvs: [a.env]\n",
    "resources: [web.yaml]\npatches: [&x {path: patch.yaml}, *x, {<<: *x}]\n",
];

/// What kustomize gives a meaning to.
const WORDS: [&str; 24] = [
    "resources: [../../x]\n",
    "Resources: [../x]\n",
    "- http://127.0.0.1/x\n",
    "apiVersion: ''\n",
    "transformers: ['{apiVersion: builtin, kind: HashTransformer, metadata: {name: a}}']\n",
    "<<: {path: p.yaml}\n",
    "---\n",
    "resources",
    "re\u{17f}ources",
    "components",
    "generators",
    "validators",
    "configMapGenerator",
    "openapi",
    "path",
    "PATH",
    "files",
    "envs",
    "kind",
    "builtin",
    "PatchTransformer",
    "key=http://127.0.0.1",
    "{/../../../x",
    "../../..",
];

/// Takes in everything that may be mutated.
const APP: &str =
    "resources: [web.yaml, ../base]\ngenerators: [plugin.yaml]\ntransformers: [../plugins]\n";

/// The files around the one that is mutated.
pub fn others() -> BTreeMap<String, Vec<u8>> {
    let web = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {key: web}\n";
    let plugin = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: plugin}\nliterals: [a=b]\n";
    let files = [
        ("app/kustomization.yaml", APP),
        ("app/web.yaml", web),
        ("app/web2.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web2}\n"),
        ("app/patch.yaml", web),
        ("app/data.txt", "text"),
        ("app/a.env", "A=b\n"),
        ("app/r.yaml", "[]\n"),
        ("app/s.json", "{}\n"),
        ("app/c.json", "{}\n"),
        ("app/c.yaml", "{}\n"),
        ("app/plugin.yaml", plugin),
        ("base/kustomization.yaml", "configMapGenerator: [{name: base, literals: [a=b]}]\n"),
        ("part/kustomization.yaml", "kind: Component\n"),
        ("plugins/kustomization.yaml", "resources: [p.yaml]\n"),
        (
            "plugins/p.yaml",
            "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: p-\nfieldSpecs: [{path: metadata/name}]\n",
        ),
    ];
    files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into()
}

/// The files with these bytes in place of one of them, and which.
fn files(turn: usize, bytes: &[u8]) -> (String, BTreeMap<String, Vec<u8>>) {
    let places = match bytes.starts_with(b"apiVersion: b") {
        true => ["app/plugin.yaml", "plugins/p.yaml"],
        false => ["app/kustomization.yaml", "base/kustomization.yaml"],
    };
    // A kustomization of its own and one that another one takes in.
    let path = places[usize::from(turn.is_multiple_of(4))].to_owned();
    let mut files = others();
    files.insert(path.clone(), bytes.to_vec());
    (path, files)
}

pub fn look(files: &BTreeMap<String, Vec<u8>>) -> Sources {
    let shelf = FileIndex::new(files.keys().cloned().collect(), files.clone());
    Sources::find(&shelf, &Formats::default(), &|_| true)
}

#[test]
#[ignore = "takes about a minute"]
fn kustomizations() {
    let seeds = SEEDS.map(|seed| seed.as_bytes().to_vec()).to_vec();
    let mut turn = 0;
    fuzz(
        25_000,
        |seed| Mutator::over(seed, seeds, &WORDS),
        |bytes| {
            turn += 1;
            let (path, files) = files(turn, bytes);
            let found = look(&files);
            let given = found.sources.iter().flat_map(|source| source.given.values());
            // A file may hold several documents.
            let is_json = |given: &Vec<u8>| {
                let text = String::from_utf8_lossy(given);
                text.split("\n---\n")
                    .all(|text| text.is_empty() || serde_json::from_str::<Value>(text).is_ok())
            };
            if let Some(wrong) = given.clone().find(|given| !is_json(given)) {
                return Some(format!("{} is given", String::from_utf8_lossy(wrong)));
            }
            let its = found.problems.iter().filter(|problem| problem.place.path == path);
            its.filter_map(|problem| misplaced(&problem.place, bytes)).next()
        },
    );
}
