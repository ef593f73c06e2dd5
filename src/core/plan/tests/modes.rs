//! Objects that are only created, objects that are left alone, and invalid modes.

use super::*;

/// A ConfigMap that git annotates so.
fn annotated(annotations: crate::core::json::Value) -> Object {
    let mut object = object("ConfigMap", "a");
    object.metadata_mut().insert("annotations".to_owned(), annotations);
    object
}

/// The action and its reason, where this is live.
fn told(annotations: crate::core::json::Value, live: Option<&Object>, preview: Preview) -> String {
    let declared_one = annotated(annotations);
    let desired = declared(std::slice::from_ref(&declared_one));
    let observed = seen(&[(&declared_one, live, Some(preview))]);
    let plan = plan(&desired, &observed, &inventory(), &PlanContext::default());
    let change = plan.changes().next().unwrap();
    let is_sent = change.send().is_some();
    assert_eq!(is_sent, !matches!(change.action(), Action::Keep | Action::Abandon), "{change:?}");
    let joins = change.ends_in(Some(&inventory().id()));
    let why = change.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {joins} {why}", change.action().name()).trim_end().to_owned()
}

#[test]
fn create_only_object_is_created_or_kept() {
    let once = || json!({ "trueup.dev/mode": "create-only" });
    let (ours, theirs) = (ours("ConfigMap", "a"), object("ConfigMap", "a"));
    let mut going = ours.clone();
    going.metadata_mut().insert("deletionTimestamp".to_owned(), "2026-05-01T12:00:00Z".into());
    let mut helms = theirs.clone();
    helms.set_label("app.kubernetes.io/managed-by", "Helm");
    helms
        .metadata_mut()
        .insert("annotations".to_owned(), json!({ "meta.helm.sh/release-name": "a" }));
    let merged = || {
        let mut answer = ours.clone();
        answer.metadata_mut().insert("annotations".to_owned(), once());
        Preview::Merged(answer)
    };
    let kept = "keep true kept as it is, as trueup.dev/mode: create-only says";
    let left = "keep false it existed before: left unchanged, as trueup.dev/mode: create-only says";
    for (live, preview, expected) in [
        (None, merged(), "create true"),
        (Some(&ours), Preview::Same, "keep true"),
        (Some(&ours), Preview::Left, kept),
        (Some(&theirs), Preview::Left, left),
        (Some(&helms), Preview::Left, left),
        // It was created between two looks.
        (Some(&theirs), merged(), left),
        (Some(&going), merged(), "replace true terminating; will be recreated once it is gone"),
    ] {
        assert_eq!(told(once(), live, preview), expected);
    }
}

#[test]
fn ignored_object_is_kept_or_abandoned() {
    let ignored = || json!({ "trueup.dev/mode": "ignore" });
    let (ours, theirs) = (ours("ConfigMap", "a"), object("ConfigMap", "a"));
    let mut labelled = theirs.clone();
    labelled.set_label(PART_OF, &inventory().id());
    let free = "abandon false no longer managed by trueup, as trueup.dev/mode: ignore says";
    for (live, expected) in [
        (None, "keep false"),
        (Some(&theirs), "keep false"),
        // Another manager put the label there, so it is not ours to remove.
        (Some(&labelled), "keep true"),
        (Some(&ours), free),
    ] {
        assert_eq!(told(ignored(), live, Preview::Left), expected);
    }
    let unknown = annotated(ignored());
    let desired = declared(std::slice::from_ref(&unknown));
    let why = Observation::Unknown("away".to_owned());
    let observed = Observed { objects: [(unknown.key(), why)].into(), ..Observed::default() };
    let kept = [("ConfigMap shop/a".to_owned(), Action::Keep)];
    assert_eq!(actions(&desired, &observed, &PlanContext::default()), kept);
}

#[test]
fn invalid_annotation_value_is_refused() {
    let wrong = || json!({ "trueup.dev/mode": "once", "trueup.dev/wave": "soon" });
    let ours = ours("ConfigMap", "a");
    let why = "refuse false trueup.dev/mode: invalid value \"once\", trueup.dev/wave: invalid wave \"soon\": must be an integer";
    for (live, preview) in [(None, Preview::Merged(ours.clone())), (Some(&ours), Preview::Same)] {
        assert_eq!(told(wrong(), live, preview), why);
    }
}

#[test]
fn unlisted_kind_holds_back_pruning() {
    let gone = ours("ConfigMap", "gone");
    let stays = object("ConfigMap", "stays");
    let desired = declared(std::slice::from_ref(&stays));
    let mut observed = seen(&[
        (&stays, Some(&ours("ConfigMap", "stays")), Some(Preview::Same)),
        (&gone, Some(&gone), None),
    ]);
    let held_back = |observed: &Observed| {
        let plan = plan(&desired, observed, &inventory(), &PlanContext::default());
        (plan.held_back.len(), plan.unlisted, plan.is_true())
    };
    assert_eq!(held_back(&observed), (0, 0, false));
    let kind = GroupKind::new("", "Secret");
    observed.unlisted.push(Unlisted { kind, reason: "no".to_owned(), is_forbidden: true });
    assert_eq!(held_back(&observed), (1, 0, false));
    observed.objects.remove(&gone.key());
    assert_eq!(held_back(&observed), (0, 0, true));
    observed.unlisted[0].is_forbidden = false;
    assert_eq!(held_back(&observed), (0, 1, false));
}
