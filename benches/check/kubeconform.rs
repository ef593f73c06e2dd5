//! kubeconform beside `trueup check`: both hold the same files against the schemas that the API
//! server publishes. The schemas are written once, before anything is timed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Outcome, kubectl, make, say};

/// How many manifests both read.
const FILES: usize = 10_000;
/// How often each runs, in turns; the median counts.
const ROUNDS: usize = 7;
/// The groups of the manifests, as `/openapi/v3` names them.
const GROUPS: [&str; 2] = ["api/v1", "apis/apps/v1"];
/// How often the memory of a program is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// Prints how long both take and how much memory they need at most.
pub fn beside(folder: &Path) -> Outcome<()> {
    let (tree, cache) = (folder.join("beside"), folder.join("beside-cache"));
    make(&tree, FILES)?;
    let schemas = folder.join("schemas");
    GROUPS.iter().try_for_each(|group| write_schemas(group, &schemas))?;

    let mut uses: BTreeMap<&str, Vec<Use>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let mut trueup = Command::new(env!("CARGO_BIN_EXE_trueup"));
        trueup.arg("-C").arg(&tree).args(["check", "--no-cache"]).env("XDG_CACHE_HOME", &cache);
        uses.entry("trueup check --no-cache").or_default().push(measure(trueup)?);
        let mut kubeconform = Command::new("kubeconform");
        let location = schemas.join("{{.ResourceKind}}{{.KindSuffix}}.json");
        kubeconform.args(["-strict", "-schema-location"]).arg(location).arg(&tree);
        uses.entry("kubeconform -strict").or_default().push(measure(kubeconform)?);
    }
    for (name, uses) in uses {
        let memory = uses.iter().map(|it| it.memory).max().unwrap_or_default() / 1024;
        say(&format!("{FILES}: {name}, {memory} MB"), uses.iter().map(|it| it.time).collect())?;
    }
    Ok(())
}

/// What a run takes: its time, and its resident memory at most, in KiB.
struct Use {
    time: Duration,
    memory: u64,
}

/// Runs a command, and looks at its memory while it runs.
fn measure(mut command: Command) -> Outcome<Use> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let mut memory = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        memory = memory.max(peak(child.id()).unwrap_or_default());
        std::thread::sleep(LOOK);
    };
    let time = begin.elapsed();
    if !status.success() {
        let mut wrong = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut wrong)?;
        }
        return Err(format!("{command:?} ended with {status}\n{wrong}").into());
    }
    Ok(Use { time, memory })
}

/// The resident memory of a process at most, in KiB; Linux only.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Writes the schema of each kind of a group into a file of its own, with unknown fields refused,
/// as the server's field validation refuses them.
fn write_schemas(group: &str, folder: &Path) -> Outcome<()> {
    let path = format!("/openapi/v3/{group}");
    let output = kubectl(&["get", "--raw", &path]).output()?;
    let mut document: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{path}: {error}; is this run by `trueup sandbox --`?"))?;
    let mut components = document["components"]["schemas"].take();
    let all = components.as_object_mut().ok_or("no schemas")?;
    all.values_mut().for_each(refuse_unknown);
    let files: Vec<(PathBuf, Value)> = all
        .iter()
        .flat_map(|(name, schema)| {
            let kinds = schema["x-kubernetes-group-version-kind"].as_array();
            kinds.into_iter().flatten().map(move |kind| (name, kind))
        })
        .map(|(name, kind)| {
            let text = |key: &str| kind[key].as_str().unwrap_or_default().to_lowercase();
            let group = text("group");
            let first = group.split('.').next().unwrap_or_default();
            let suffix: String = [first, &text("version")]
                .iter()
                .filter(|part| !part.is_empty())
                .map(|part| format!("-{part}"))
                .collect();
            let file = folder.join(format!("{}{suffix}.json", text("kind")));
            (file, json!({"$ref": format!("#/components/schemas/{name}")}))
        })
        .collect();
    fs::create_dir_all(folder)?;
    for (file, mut schema) in files {
        schema["components"] = json!({ "schemas": components });
        fs::write(file, serde_json::to_vec(&schema)?)?;
    }
    Ok(())
}

/// Refuses fields that an object's schema does not name.
fn refuse_unknown(schema: &mut Value) {
    let preserves = schema["x-kubernetes-preserve-unknown-fields"] == json!(true);
    if let Some(schema) = schema.as_object_mut()
        && schema.contains_key("properties")
        && !preserves
    {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}
