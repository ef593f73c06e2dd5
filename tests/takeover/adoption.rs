//! An object that exists is adopted unless somebody else claims it; then it takes `--adopt`, and the
//! plan says whose it is.

use serde_json::{Value, json};

use super::{by, get};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Objects as four tools leave them behind, and who claims each.
const CLAIMED: [(&str, &str, &[&str], &str); 4] = [
    (
        "labels: {app.kubernetes.io/managed-by: Helm}, annotations: \
         {meta.helm.sh/release-name: web, meta.helm.sh/release-namespace: shop}",
        "helm",
        &["create", "--field-manager", "helm"],
        "it belongs to Helm release shop/web",
    ),
    (
        "labels: {kustomize.toolkit.fluxcd.io/name: shop, \
         kustomize.toolkit.fluxcd.io/namespace: flux-system}",
        "flux",
        &["apply", "--server-side", "--field-manager", "kustomize-controller"],
        "it belongs to Flux Kustomization flux-system/shop",
    ),
    (
        "annotations: {argocd.argoproj.io/tracking-id: 'shop:/ConfigMap:NAMESPACE/argo'}",
        "argo",
        &["apply", "--field-manager", "argocd-controller"],
        "it belongs to Argo CD application shop",
    ),
    (
        "labels: {applyset.kubernetes.io/part-of: applyset-other-v1}",
        "set",
        &["apply", "--server-side"],
        "it is a member of another ApplySet, applyset-other-v1",
    ),
];

/// A repository with a ConfigMap for each, and one that kubectl applied and nobody claims.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let config = |name: &str, more: &str, data: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, {more}}}\ndata: {{{data}}}\n"
        )
    };
    for (marks, tool, kubectl, _) in CLAIMED {
        let marks = marks.replace("NAMESPACE", name);
        by(&repo, kubectl, &config(tool, &marks, "kept: a, gone: b"));
    }
    by(&repo, &["apply"], &config("nobodys", "", "kept: a, gone: b"));
    for tool in CLAIMED.map(|(_, tool, ..)| tool).into_iter().chain(["nobodys"]) {
        repo.write(&format!("{tool}.yaml"), config(tool, "", "kept: a"));
    }
    repo.commit("All of them");
    repo
}

#[test]
fn unclaimed_objects_are_adopted_and_claimed_ones_need_adopt() {
    let repo = repo("adoption");
    let diff = repo.run(&["diff"]).exits(1);
    for (_, tool, _, whose) in CLAIMED {
        let told = format!("ConfigMap adoption/{tool} · refuse · {tool}.yaml:1\n    {whose}\n");
        assert!(diff.stdout.contains(&told), "{told}\n{diff}");
    }
    let hint = "    do this: use --adopt to take it over, or list its file in .trueupignore\n";
    assert_eq!(diff.stdout.matches(hint).count(), CLAIMED.len(), "{diff}");
    let nobodys = "ConfigMap adoption/nobodys · update · nobodys.yaml:1\n    joins the inventory\n";
    assert!(diff.stdout.contains(nobodys), "{diff}");

    repo.run(&["apply", "--yes"]).exits(1);
    assert_eq!(get(&repo, "configmap", "nobodys")["data"], json!({ "kept": "a" }));
    for (_, tool, ..) in CLAIMED {
        let config = get(&repo, "configmap", tool);
        assert_eq!(config["data"], json!({ "kept": "a", "gone": "b" }), "{tool} is as it was");
    }

    let diff = repo.run(&["diff", "--adopt"]).exits(1);
    assert!(diff.stdout.contains("    is adopted from Helm release shop/web\n"), "{diff}");
    assert!(diff.stdout.contains("    is adopted from ApplySet applyset-other-v1\n"), "{diff}");
    let diff = repo.run(&["diff", "--adopt", "-o", "json"]).exits(1).stdout;
    let diff: Value = serde_json::from_str(&diff).unwrap();
    let changes = diff["changes"].as_array().unwrap();
    let flux = changes.iter().find(|change| change["object"]["name"] == "flux").unwrap();
    assert_eq!(flux["adopted_from"], "Flux Kustomization flux-system/shop");
    assert_eq!(flux["takes_over_from"], json!(["kustomize-controller"]));

    repo.run(&["apply", "--yes", "--adopt"]).exits(0);
    for (_, tool, ..) in CLAIMED {
        let config = get(&repo, "configmap", tool);
        assert_eq!(config["data"], json!({ "kept": "a" }), "{tool}");
        let mark = json!({ "applyset.kubernetes.io/part-of": repo.applyset() });
        assert_eq!(config["metadata"]["labels"], mark, "{tool}: its marks went with its fields");
        assert_eq!(config["metadata"].get("annotations"), None, "{tool}");
    }
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes, "nobody has to say it twice");
}

#[test]
fn a_plan_file_knows_whether_it_may_adopt() {
    let repo = repo("adoption-approved");
    let plan = repo.outside().join("plan.json");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--adopt", "--out", plan]).exits(1);
    repo.run(&["apply", "--plan", plan]).exits(0);
    repo.run(&["diff"]).exits(0);
}
