//! Every field of a kustomization, and of what configures kustomize's generators and transformers,
//! that names a file: in which kustomize opens a URL, and trueup refuses it, however the key is
//! spelt.

use std::fmt::Write as _;

use super::{Listener, WEB, World};

/// A field that names a file, `NAME`. `KEY` is the field's own name, which comes first.
///
/// kustomize opens what stands there; the test asks kustomize itself.
pub const FIELDS: [(&str, &str); 18] = [
    ("resources", "KEY: [NAME]"),
    ("bases", "KEY: [NAME]"),
    ("crds", "KEY: [NAME]"),
    ("configurations", "KEY: [NAME]"),
    ("generators", "KEY: [NAME]"),
    ("transformers", "KEY: [NAME]"),
    ("validators", "KEY: [NAME]"),
    ("patchesStrategicMerge", "KEY: [NAME]"),
    ("patchesJson6902", "KEY: [{path: NAME, target: {version: v1, kind: ConfigMap, name: web}}]"),
    ("patches", "KEY: [{path: NAME}]"),
    ("path", "patches: [{KEY: NAME}]"),
    ("replacements", "KEY: [{path: NAME}]"),
    ("path", "replacements: [{KEY: NAME}]"),
    ("configMapGenerator", "KEY: [{name: made, files: [key=NAME]}]"),
    ("files", "configMapGenerator: [{name: made, KEY: [NAME]}]"),
    ("envs", "configMapGenerator: [{name: made, KEY: ['NAME?key=a.env']}]"),
    ("env", "secretGenerator: [{name: made, KEY: NAME}]"),
    ("secretGenerator", "KEY: [{name: made, files: [NAME]}]"),
];

/// What kustomize's own generators and transformers are configured with, in the same way.
pub const PLUGINS: [(&str, &str, &str); 10] = [
    ("generators", "files", "kind: ConfigMapGenerator, KEY: [key=NAME]"),
    ("generators", "envs", "kind: ConfigMapGenerator, KEY: [NAME]"),
    ("generators", "files", "kind: SecretGenerator, KEY: [NAME]"),
    ("generators", "envs", "kind: SecretGenerator, KEY: ['NAME?key=a.env']"),
    ("transformers", "path", "kind: PatchTransformer, KEY: NAME"),
    ("transformers", "path", "kind: PatchJson6902Transformer, KEY: NAME, target: {name: web}"),
    ("transformers", "paths", "kind: PatchStrategicMergeTransformer, KEY: [NAME]"),
    ("transformers", "replacements", "kind: ReplacementTransformer, KEY: [{path: NAME}]"),
    ("transformers", "targetFilePath", "kind: ValueAddTransformer, KEY: NAME"),
    ("validators", "path", "kind: PatchTransformer, KEY: NAME"),
];

/// What is said of a URL.
const NOT_FETCHED: &str = "is not in the checkout, and nothing is fetched while rendering";

/// One kustomization, the files beside it, and what trueup says of it.
struct Case {
    folder: String,
    files: Vec<(String, String)>,
    said: String,
}

/// The spellings of a key that kustomize takes for the same: the proper one first.
pub fn spellings(key: &str) -> Vec<String> {
    let mut first = key[..1].to_uppercase();
    first.push_str(&key[1..]);
    let folded = key.replacen('s', "\u{17f}", 1).replacen('k', "\u{212a}", 1);
    let mut all = vec![key.to_owned()];
    for spelt in [key.to_uppercase(), first, folded] {
        if !all.contains(&spelt) {
            all.push(spelt);
        }
    }
    all
}

fn said(key: &str, spelt: &str) -> String {
    match key == spelt {
        true => NOT_FETCHED.to_owned(),
        false => format!("kustomize reads `{spelt}` as `{key}`"),
    }
}

fn cases(url: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |text: String, mut files: Vec<(String, String)>, said: String| {
        let folder = format!("case-{}", cases.len());
        // Of two spellings in one file the last one counts.
        let web = if text.to_lowercase().contains("ources: [http") {
            ""
        } else {
            "resources: [web.yaml]\n"
        };
        files.push(("kustomization.yaml".to_owned(), format!("{web}{text}\n")));
        files.push(("web.yaml".to_owned(), WEB.to_owned()));
        cases.push(Case { folder, files, said });
    };
    for (key, text) in FIELDS {
        for spelt in spellings(key) {
            let text = text.replace("KEY", &spelt).replace("NAME", url);
            add(text, vec![], said(key, &spelt));
        }
    }
    add(format!("openapi: {{path: '{url}'}}"), vec![], said("", ""));
    for (list, key, text) in PLUGINS {
        for spelt in spellings(key) {
            let text = text.replace("KEY", &spelt).replace("NAME", url);
            let object = format!("{{apiVersion: builtin, metadata: {{name: a}}, {text}}}");
            let said = said(key, &spelt);
            // In the kustomization, in a file beside it, and in one that another kustomization lists.
            let inline = object.replace('\'', "''");
            add(format!("{list}: ['{inline}']"), vec![], said.clone());
            if spelt != key {
                continue;
            }
            let file = ("plugin.yaml".to_owned(), object.clone());
            add(format!("{list}: [plugin.yaml]"), vec![file], said.clone());
            let folder =
                [("made/kustomization.yaml", "resources: [a.yaml]\n"), ("made/a.yaml", &object)];
            let folder = folder.map(|(path, text)| (path.to_owned(), text.to_owned()));
            add(format!("{list}: [made]"), folder.into(), said);
        }
    }
    cases
}

#[test]
fn no_field_lets_kustomize_fetch() {
    let listener = Listener::start();
    let cases = cases(&listener.url());
    let mut files = Vec::new();
    for Case { folder, files: its, .. } in &cases {
        files.extend(its.iter().map(|(path, text)| (format!("{folder}/{path}"), text.as_str())));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let world = World::new(&files);

    let output = world.render(&[]).exits(1);
    let found = world.findings();
    let mut missing = String::new();
    for Case { folder, files, said } in &cases {
        let inside = format!("{folder}/");
        let is_it = |(path, message): &(String, String)| {
            path.starts_with(&inside) && message.contains(said)
        };
        if !found.iter().any(is_it) {
            writeln!(missing, "no {said:?} of {folder} in {files:?}").unwrap();
        }
    }
    assert!(missing.is_empty(), "{missing}\n{output}");
    assert_eq!(output.stdout, "");
    assert_eq!(listener.visits(), 0, "{output}");

    // The table is of fields that kustomize really opens, in each of these spellings.
    for Case { folder, files, .. } in &cases {
        let output = world.kustomize(folder);
        assert_ne!(listener.visits(), 0, "kustomize opens nothing for {files:?}\n{output}");
    }
}
