//! What the plan shows of an object that is taken over is what comes of it, for every shape of
//! field.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::mutate::number;
use crate::support::random::Random;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Objects by the name of their file.
type Objects = BTreeMap<String, Value>;

#[test]
fn predicted_takeover_matches_the_result() {
    foresee("takeover-shapes", 2, 3);
}

/// The same at length.
#[test]
#[ignore = "takes minutes; .ci/run has it"]
fn predicted_takeover_at_length() {
    foresee("takeover-length", number("TRUEUP_SEED", 5), number("TRUEUP_TAKEOVER_ROUNDS", 30));
}

/// Objects of every shape that others applied, of which git declares less each round.
fn foresee(name: &str, seed: u64, rounds: u64) {
    let shapes = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/every-shape/");
    let plane = sandbox::bare();
    let repo = Repo::new(name, plane);
    plane.kubectl(["apply", "-f", &format!("{shapes}definition.yaml")]).exits(0);
    let established = ["wait", "--for", "condition=Established", "crd/shapes.shapes.example.com"];
    plane.kubectl(established).exits(0);
    let all = fs::read_to_string(format!("{shapes}objects.yaml")).unwrap();
    repo.write("all.yaml", all).commit("Every shape");
    let all = repo.run(&["render", "--show-secrets", "-o", "json"]).exits(0).stdout;
    let all: Value = serde_json::from_str(&all).unwrap();
    repo.remove("all.yaml");
    // What is masked can't be compared.
    let shapes = all["items"].as_array().unwrap().iter().filter(|it| it["kind"] != "Secret");
    let shapes: Vec<&Value> = shapes.collect();

    let mut random = Random::new(seed);
    let mut compared = 0;
    for round in 0..rounds {
        let mut theirs: [Vec<Value>; 3] = Default::default();
        for (at, shape) in shapes.iter().enumerate() {
            let mut object = (*shape).clone();
            object["metadata"]["name"] = format!("o{at}-{round}").into();
            theirs[random.below(3)].push(object.clone());
            let more = object.clone();
            thin(&mut object, &mut random);
            object["metadata"]["name"] = more["metadata"]["name"].clone();
            repo.write(&format!("o{at}.json"), object.to_string());
        }
        repo.commit("Less");
        let tools: [&[&str]; 3] = [
            &["apply"],
            &["create", "--field-manager", "helm"],
            &["apply", "--server-side", "--field-manager", "kustomize-controller"],
        ];
        for (tool, objects) in tools.into_iter().zip(&theirs) {
            super::by(&repo, tool, &list(objects).to_string());
        }
        let foreseen = merged(&repo);
        let apply = repo.run(&["apply", "--yes"]);
        assert!(matches!(apply.status, Some(0 | 1)), "{apply}");
        let names: Vec<Value> = theirs.concat();
        let file = repo.outside().join("all.json");
        fs::write(&file, list(&names).to_string()).unwrap();
        let came = repo.kubectl(&["get", "-o", "json", "-f", file.to_str().unwrap()]).exits(0);
        let came: Value = serde_json::from_str(&came.stdout).unwrap();
        for came in came["items"].as_array().unwrap() {
            let text = |pointer: &str| came.pointer(pointer).unwrap().as_str().unwrap();
            let (version, kind) = (text("/apiVersion").replace('/', "."), text("/kind"));
            let file = format!("{version}.{kind}.{name}.{}", text("/metadata/name"));
            let place = format!("{name}/{} ", text("/metadata/name"));
            let is_done = |line: &str| line.starts_with('✓') && line.contains(&place);
            let Some(foreseen) = foreseen.get(&file) else { continue };
            if !apply.stdout.lines().any(is_done) {
                continue;
            }
            assert_eq!(quiet(foreseen), quiet(came), "seed {seed}, round {round}: {file}\n{apply}");
            compared += 1;
        }
        let writes = repo.writes();
        let again = repo.run(&["apply", "--yes"]);
        assert_eq!(repo.writes(), writes, "seed {seed}, round {round}\n{apply}{again}");
    }
    let tried = shapes.len() * usize::try_from(rounds).unwrap();
    assert!(compared * 3 > tried * 2, "{compared} of {tried} could be compared");
}

fn list(objects: &[Value]) -> Value {
    serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": objects })
}

/// What a diff says will be there, as a program of the user's own gets it.
fn merged(repo: &Repo<'_>) -> Objects {
    let (program, folder) = (repo.outside().join("keep"), repo.outside().join("merged"));
    let _ = fs::remove_dir_all(&folder);
    let script = format!("#!/bin/sh\ncp -r \"$2\" {}\n", folder.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let diff = repo.trueup(&["diff"]).env("KUBECTL_EXTERNAL_DIFF", &program).run();
    assert_eq!(diff.status, Some(1), "{diff}");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let read = |file: fs::DirEntry| {
        let text = fs::read_to_string(file.path()).unwrap();
        (file.file_name().into_string().unwrap(), serde_yaml::from_str(&text).unwrap())
    };
    files.map(read).collect()
}

/// An object without what is the server's, and without the label that makes it a member.
fn quiet(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"] {
        metadata.remove(field);
    }
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        labels.remove("applyset.kubernetes.io/part-of");
        if labels.is_empty() {
            metadata.remove("labels");
        }
    }
    object
}

/// Takes parts out, but not what things are told by, nor what they can't be without.
fn thin(value: &mut Value, random: &mut Random) {
    const KEPT: [&str; 24] = [
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "spec",
        "template",
        "selector",
        "containers",
        "image",
        "containerPort",
        "port",
        "key",
        "topologyKey",
        "whenUnsatisfiable",
        "maxSkew",
        "mountPath",
        "id",
        "host",
        "roleRef",
        "schedule",
        "jobTemplate",
        "restartPolicy",
        "scaleTargetRef",
        "accessModes",
    ];
    match value {
        Value::Object(map) => {
            let gone = |key: &&String| !KEPT.contains(&key.as_str()) && random.below(5) == 0;
            let gone: Vec<String> = map.keys().filter(gone).cloned().collect();
            // What is empty is often refused, and then there is nothing to compare.
            let most = map.len().saturating_sub(usize::from(random.below(5) > 0));
            gone.iter().take(most).for_each(|key| drop(map.remove(key)));
            map.values_mut().for_each(|value| thin(value, random));
        }
        Value::Array(list) => {
            for at in (1..list.len()).rev() {
                if random.below(3) == 0 {
                    list.remove(at);
                }
            }
            list.iter_mut().for_each(|value| thin(value, random));
        }
        _ => {}
    }
}
