//! Whole screens, as a terminal of 80 and one of 140 columns shows them, compared with the files of
//! `fixtures/screens/terminal`.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::core::attribution::{attributions, handovers};
use crate::core::diff::FieldOrder;
use crate::core::manifest::{self, Manifest};
use crate::core::observed::Prerequisite;
use crate::core::plan::{Confidence, NoPreview};
use crate::core::source::snapshot::Authorship;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web}
spec:
  replicas: 3
  minReadySeconds: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: registry.example/web:1.4.0
        env:
        - {name: MODE, value: safe}
        - {name: COLOUR, value: green}
        - {name: REGION, value: eu}
        ports:
        - containerPort: 8080
";

const SETTINGS: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  flags.json: '{"checkout":{"express":true,"limit":100},"languages":["de","en"],"theme":"light"}'
  motd: |
    Welcome.
    We are open.
"#;

const DATABASE: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
stringData:
  password: correct-horse-battery
";

/// The manifest of a file.
fn read(path: &str, text: &str) -> Manifest {
    manifest::read(path, text.as_bytes()).manifests.remove(0)
}

/// A manifest with some of its text replaced, as the cluster has it: with what the server adds.
fn live(text: &str, replaced: &[(&str, &str)]) -> Object {
    let text = replaced.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    });
    let mut object = read("live.yaml", &text).object;
    let metadata = object.metadata_mut();
    metadata.insert("uid".to_owned(), "1f0c".into());
    metadata.insert("annotations".to_owned(), json!({ "deployment.kubernetes.io/revision": "4" }));
    if let Some(spec) = object.fields_mut().get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("progressDeadlineSeconds".to_owned(), 600.into());
        spec.insert("revisionHistoryLimit".to_owned(), 10.into());
    }
    object
}

/// With these entries among its managers: who, how and when, and the fields.
fn owned(mut object: Object, entries: &[(&str, &str, &str, Value)]) -> Object {
    let entry = |(manager, operation, time, fields): &(&str, &str, &str, Value)| json!({ "manager": manager, "operation": operation, "time": time, "fieldsV1": fields });
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    object.metadata_mut().insert("managedFields".to_owned(), entries.into());
    object
}

/// An update to what the manifest says.
fn update(manifest: &Manifest, live: Object, merged: Object) -> Change {
    let mut change = change(Action::Update, Some(live), Some(merged));
    change.origin = Some(manifest.origin.clone());
    change.effect.write_mut().send = manifest.object.clone();
    change
}

fn create(manifest: &Manifest) -> Change {
    let mut change = change(Action::Create, None, Some(manifest.object.clone()));
    change.origin = Some(manifest.origin.clone());
    change
}

fn by(commit: &str, time: &str) -> Authorship {
    let author = "A. Author".to_owned();
    Authorship { commit: commit.to_owned(), author, time: time.parse().unwrap() }
}

/// Compares the change with its two screens.
fn shows(
    name: &str,
    changes: Vec<Change>,
    problems: Vec<Problem>,
    manifests: Vec<Manifest>,
    removed: &[&str],
) {
    let plan = plan(changes);
    let redactor = Redactor::of_plan(&plan, []);
    let mut explained = Explained::default();
    for change in plan.changes() {
        let manifest = manifests.iter().find(|manifest| manifest.object.key() == change.key);
        let Some(manifest) = manifest else { continue };
        let order = FieldOrder::new(manifest);
        if change.action() == Action::Update {
            let delta = Delta::in_order(change, &redactor, &order);
            let mut fields = attributions(change, &delta, Some(manifest));
            for field in &mut fields {
                let declared = by("8be01d3aa0c8", "2026-11-21T11:40:00Z");
                field.declared = field.place.is_some().then_some(declared);
            }
            explained.fields.insert(change.key.clone(), fields);
            let handovers = handovers(change, &redactor);
            explained.handovers.insert(change.key.clone(), handovers);
        }
        explained.orders.insert(change.key.clone(), order);
    }
    for change in plan.changes().filter(|change| removed.contains(&change.key.name.as_str())) {
        let removal = by("8be01d3aa0c8", "2026-11-21T11:40:00Z");
        explained.removed.insert(change.key.clone(), removal);
    }
    for columns in [80, 140] {
        let glyphs = Glyphs { utf8: true, width: Some(columns) };
        let coloured = told_with(plan.clone(), &problems, &explained, |out, view| {
            text::write(out, view, glyphs).unwrap();
        });
        let screen = anstream::adapter::strip_str(&coloured).to_string();
        let mut settings = insta::Settings::clone_current();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/screens/terminal");
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("{name}-{columns}"), screen));
        // The comparison leaves the end of the text out.
        assert!(screen.ends_with('\n') && !screen.ends_with("\n\n"), "{screen:?}");
        for line in screen.lines() {
            let is_value = line.split_whitespace().any(|word| word.width() > columns / 2);
            assert!(line.width() <= columns || is_value, "wide: {line}");
        }
    }
}

#[test]
fn a_small_change() {
    let manifest = read("envs/prod/web.yaml", WEB);
    let ours = |fields: Value| ("trueup", "Apply", "2026-11-20T09:00:00Z", fields);
    let entries = [ours(json!({ "f:spec": { "f:replicas": {} } }))];
    let change = update(
        &manifest,
        owned(live(WEB, &[("replicas: 3", "replicas: 2")]), &entries),
        owned(live(WEB, &[]), &entries),
    );
    shows("small", vec![change], Vec::new(), vec![manifest], &[]);
}

#[test]
fn a_drift() {
    let web = read("envs/prod/web.yaml", WEB);
    let (ours, image) =
        (json!({ "f:replicas": {}, "f:minReadySeconds": {} }), json!({ "f:image": {} }));
    let main = |fields: &Value| json!({ "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"main\"}": fields } } } });
    let mut both = ours.clone();
    both["f:template"] = main(&image)["f:template"].clone();
    let spec = |fields: Value| json!({ "f:spec": fields });
    let kubectl = |fields: Value| ("kubectl-set", "Update", "2026-11-21T11:48:00Z", fields);
    let other =
        |fields: Value| ("platform-defaults-controller", "Apply", "2026-11-19T12:00:00Z", fields);
    let before = [
        ("trueup", "Apply", "2026-11-20T09:00:00Z", spec(json!({ "f:replicas": {} }))),
        kubectl(spec(main(&image))),
        other(spec(json!({ "f:minReadySeconds": {} }))),
    ];
    let after = [
        ("trueup", "Apply", "2026-11-20T09:00:00Z", spec(both)),
        other(spec(json!({ "f:minReadySeconds": {} }))),
    ];
    let env = "        - {name: COLOUR, value: green}\n        - {name: REGION, value: eu}\n";
    let moved = "        - {name: REGION, value: eu}\n        - {name: COLOUR, value: green}\n";
    let web_change = update(
        &web,
        owned(live(WEB, &[("web:1.4.0", "web:1.4.1"), (env, moved)]), &before),
        owned(live(WEB, &[]), &after),
    );

    let settings = read("envs/prod/settings.yaml", SETTINGS);
    let edited = [("\"limit\":100", "\"limit\":5000"), ("We are open.", "We are closed today.")];
    let edit = |fields: Value| {
        [("kubectl-edit", "Update", "2026-11-21T11:59:20Z", json!({ "f:data": fields }))]
    };
    let settings_change = update(
        &settings,
        owned(live(SETTINGS, &edited), &edit(json!({ "f:flags.json": {}, "f:motd": {} }))),
        owned(
            live(SETTINGS, &[]),
            &[(
                "trueup",
                "Apply",
                "2026-11-20T09:00:00Z",
                json!({ "f:data": { "f:flags.json": {}, "f:motd": {} } }),
            )],
        ),
    );
    let database = read("envs/prod/db.yaml", DATABASE);
    let database_change = update(
        &database,
        live(DATABASE, &[("correct-horse", "staple-battery")]),
        live(DATABASE, &[]),
    );
    let refused = because(
        change(Action::Refuse, Some(config("frozen", json!({ "mode": "a" }))), None),
        "admission webhook \"policy.example\" denied the request: the object is frozen until the migration of the region is over, and may only be changed by the team that owns it",
        Some(
            "ask the API server's administrators to let the service account do so, or take the field out of the manifest and leave it to whoever owns it",
        ),
    );
    let manifests = vec![web, settings, database];
    shows(
        "drift",
        vec![web_change, settings_change, database_change, refused],
        Vec::new(),
        manifests,
        &[],
    );
}

#[test]
fn a_first_install() {
    let web = read("envs/prod/web.yaml", WEB);
    let settings = read("envs/prod/settings.yaml", SETTINGS);
    let database =
        read("envs/prod/a-folder-with-a-long-name/and-another-one/database.yaml", DATABASE);
    let mut deferred = create(&web);
    deferred.effect.write_mut().confidence =
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Namespace("shop".to_owned())));
    let mut unasked = create(&settings);
    unasked.effect.write_mut().confidence = Confidence::Local(NoPreview::DryRun(
        "admission webhook \"policy.example\" does not support dry run, so it is unknown what it would do".to_owned(),
    ));
    let problem = Problem {
        place: Location { path: "envs/prod/ingress.yaml".to_owned(), line: 31, column: 23 },
        message: "mapping values are not allowed here".to_owned(),
        excerpt: Some("    metadata: labels: app: web".to_owned()),
        hint: Some(
            "put `labels:` on a line of its own, two spaces further right than `metadata:`"
                .to_owned(),
        ),
    };
    let changes = vec![deferred, unasked, create(&database)];
    shows("first-install", changes, vec![problem], vec![web, settings, database], &[]);
}

#[test]
fn a_pruning() {
    let gone = |action, name: &str, hint: Option<&str>, why: Option<&str>| {
        let mut change = change(action, Some(config(name, json!({ "a": "b" }))), None);
        change.origin = None;
        match why {
            Some(why) => because(change, why, hint),
            None => change,
        }
    };
    let mut changes: Vec<Change> =
        ["old-flags", "old-settings"].map(|name| gone(Action::Delete, name, None, None)).into();
    let kept = "it carries the inventory's label, but trueup never applied it";
    changes.push(gone(Action::Keep, "copy", None, Some(kept)));
    let guard = "it still holds 3 objects that no commit declares, which would go with it, whoever made them";
    for n in 1..=7 {
        let name = format!("archive-of-2026-{n:02}");
        changes.push(gone(
            Action::Refuse,
            &name,
            Some("if that is meant, say --allow-delete ConfigMap"),
            Some(guard),
        ));
    }
    shows("pruning", changes, Vec::new(), Vec::new(), &["old-flags", "old-settings"]);
}
