//! Two charts and a Jsonnet program, of the size and with the idioms of those that people publish,
//! rendered and applied to a real API server: kept by the second apply, and a changed value changes
//! what it should and nothing else.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

/// The repository in `fixtures/rendered`, and one of its targets.
struct Target {
    repo: Repo<'static>,
    name: &'static str,
}

impl Target {
    fn new(name: &'static str) -> Self {
        let repo = Repo::new(&format!("rendered-{name}"), sandbox::bare());
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rendered"), &repo.path());
        repo.commit("Charts and a program");
        Self { repo, name }
    }

    fn run(&self, args: &[&str]) -> Output {
        renderers::with(self.repo.trueup(args)).args(["--target", self.name]).run()
    }

    /// What diff would do, line by line.
    #[track_caller]
    fn changes(&self) -> Vec<String> {
        let output = self.run(&["diff", "-o", "name"]);
        assert!(output.status == Some(0) || output.status == Some(1), "\n{output}");
        let namespace = format!(" -n rendered-{}", self.name);
        output.stdout.lines().map(|line| line.replace(&namespace, "")).collect()
    }

    /// Applies, and again: the second time nothing is left to do, and nothing is written, be it in
    /// the target's namespace or beside it.
    #[track_caller]
    fn apply_and_keep(&self, objects: usize) {
        self.run(&["apply", "--yes"]).exits(0);
        let before = self.writes();
        let again = self.run(&["apply", "--yes", "-o", "json"]).exits(0);
        let again: Value = serde_json::from_str(&again.stdout).unwrap();
        assert_eq!(again["summary"]["keep"], objects, "\n{again:#}");
        assert_eq!(again["changes"].as_array().unwrap().len(), 0, "\n{again:#}");
        assert_eq!(self.writes() - before, 0, "the second apply wrote");
    }

    /// How many requests the API server had that could change something of this target.
    fn writes(&self) -> usize {
        let namespace = format!("rendered-{}", self.name);
        sandbox::bare().audit_log.count_of(|request| {
            let is_ours = request.namespace() == namespace
                || request.namespace().is_empty() && request.name().contains(self.name);
            is_ours && request.is_write()
        })
    }

    /// Replaces text in a file, once, and commits.
    #[track_caller]
    fn change(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.repo.path().join(path)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{old:?} in {path}");
        self.repo.write(path, text.replace(old, new)).commit(&format!("{old} becomes {new}"));
    }

    /// What kubectl finds at a path of an object.
    #[track_caller]
    fn live(&self, object: &str, path: &str) -> String {
        let path = format!("jsonpath={{{path}}}");
        self.repo.kubectl(&["get", object, "-o", &path]).exits(0).stdout
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => fs::write(to, fs::read(entry.path()).unwrap()).unwrap(),
        }
    }
}

#[test]
fn a_chart_with_a_dependency_hooks_and_a_kind_of_its_own() {
    let target = Target::new("storefront");
    assert_eq!(
        target.changes(),
        [
            "create customresourcedefinition.apiextensions.k8s.io/banners.storefront.example",
            "create serviceaccount/shop-storefront",
            "create configmap/shop-storefront",
            "create secret/shop-storefront",
            "create service/shop-sessions",
            "create service/shop-storefront",
            "create deployment.apps/shop-storefront",
            "create statefulset.apps/shop-sessions",
            "create poddisruptionbudget.policy/shop-storefront",
            "create job.batch/shop-storefront-migrate-1-20-0",
            "create ingress.networking.k8s.io/shop-storefront",
            "create banner.storefront.example/free-shipping",
            "create banner.storefront.example/spring",
        ]
    );
    target.apply_and_keep(13);
    assert_eq!(
        target.live("configmap/shop-storefront", ".data.BASE_URL"),
        "https://www.shop.example"
    );
    assert_eq!(target.live("banner/spring", ".spec.text"), "Spring in shop");
    assert_eq!(
        target.live(
            "statefulset/shop-sessions",
            ".spec.template.spec.containers[0].resources.limits.memory"
        ),
        "80Mi"
    );

    let render = target.run(&["render"]).exits(0);
    let template = "# charts/storefront/charts/cache/templates/statefulset.yaml:1\n";
    assert!(render.stdout.contains(template), "the dependency has an alias\n{render}");

    // Another version: the Deployment, and the Job that goes with the version.
    target.change("envs/prod/storefront.yaml", "tag: 1.20.0", "tag: 1.21.0");
    assert_eq!(
        target.changes(),
        [
            "update deployment.apps/shop-storefront",
            "create job.batch/shop-storefront-migrate-1-21-0",
            "delete job.batch/shop-storefront-migrate-1-20-0",
        ]
    );
    target.apply_and_keep(13);
    assert_eq!(
        target.live("deployment/shop-storefront", ".spec.template.spec.containers[0].image"),
        "registry.example.com/shop/storefront:1.21.0"
    );

    // What a value leaves out is pruned: the dependency, by its condition.
    target.change(
        "envs/prod/storefront.yaml",
        "sessions:\n",
        "cache:\n  enabled: false\nsessions:\n",
    );
    assert_eq!(
        target.changes(),
        ["delete statefulset.apps/shop-sessions", "delete service/shop-sessions"]
    );
    target.apply_and_keep(11);
}

#[test]
fn a_chart_with_rights_a_webhook_and_a_library() {
    let target = Target::new("courier");
    assert_eq!(
        target.changes(),
        [
            "create customresourcedefinition.apiextensions.k8s.io/depots.courier.example",
            "create clusterrole.rbac.authorization.k8s.io/courier",
            "create clusterrole.rbac.authorization.k8s.io/courier-view",
            "create serviceaccount/courier-controller",
            "create clusterrolebinding.rbac.authorization.k8s.io/courier",
            "create configmap/courier",
            "create configmap/courier-announce",
            "create secret/courier",
            "create service/courier-webhook",
            "create deployment.apps/courier-controller",
            "create cronjob.batch/courier-sweep",
            "create cronjob.batch/courier-tidy",
            "create depot.courier.example/north",
            "create depot.courier.example/south",
            "create validatingwebhookconfiguration.admissionregistration.k8s.io/courier",
        ]
    );
    target.apply_and_keep(15);
    assert_eq!(target.live("depot/south", ".spec.gates"), "4", "the definition's default");
    assert_eq!(
        target.live("deployment/courier-controller", ".spec.template.spec.containers[0].args"),
        r#"["--log-level=warn","--leader-elect","--dry-run","--max-parcels=250"]"#
    );

    target.change("envs/prod/courier.yaml", "gates: 12", "gates: 14");
    assert_eq!(target.changes(), ["update depot.courier.example/north"]);
    target.change("charts/courier/files/templates/sent.txt", "on its way", "under way");
    target.change("trueup.yaml", "webhook.failurePolicy: Ignore", "webhook.failurePolicy: Fail");
    assert_eq!(
        target.changes(),
        [
            "update configmap/courier",
            "update deployment.apps/courier-controller",
            "update depot.courier.example/north",
            "update validatingwebhookconfiguration.admissionregistration.k8s.io/courier",
        ]
    );
    target.apply_and_keep(15);
    assert_eq!(target.live("depot/north", ".spec.gates"), "14");

    // What the chart itself refuses: nothing is known of what it would declare, so nothing goes.
    target.change("envs/prod/courier.yaml", "name: south", "name: north");
    let refused = target.run(&["apply", "--yes"]).exits(2);
    let why = "charts/courier/templates/rbac.yaml:1:5: helm says: execution error at (courier/templates/rbac.yaml:1:4): depot north is there twice";
    assert!(refused.stderr.contains(why), "{refused}");
    assert_eq!(target.live("depot/south", ".spec.gates"), "4");
}

#[test]
fn a_program_with_a_library_and_arguments() {
    let target = Target::new("alerts");
    assert_eq!(
        target.changes(),
        [
            "create configmap/alert-rules",
            "create configmap/dashboard-orders",
            "create configmap/dashboard-parcels",
            "create service/alert-sender",
            "create deployment.apps/alert-sender",
        ]
    );
    target.apply_and_keep(5);
    assert!(target.live("configmap/alert-rules", ".data").contains("NobodyBuys"));

    target.change("trueup.yaml", "replicas: 2", "replicas: 3");
    assert_eq!(target.changes(), ["update deployment.apps/alert-sender"]);
    target.change("jobs/alerts/dashboard.json", "courier_queue", "sum(courier_queue)");
    assert_eq!(
        target.changes(),
        ["update configmap/dashboard-parcels", "update deployment.apps/alert-sender"]
    );
    target.apply_and_keep(5);
    assert_eq!(target.live("deployment/alert-sender", ".spec.replicas"), "3");

    target.change("trueup.yaml", "env: prod", "env: test");
    assert_eq!(target.changes(), ["create configmap/alert-debug", "update configmap/alert-rules"]);
    target.change("trueup.yaml", "env: test", "env: prod");
    assert_eq!(target.changes(), [""; 0]);
}

#[test]
fn a_chart_is_rendered_as_helm_renders_it() {
    let target = Target::new("as-helm");
    let values = |name: &str| format!("--values=envs/prod/{name}.yaml");
    for (helm, name, release, set) in [
        ("helm3", "storefront", "shop", &[][..]),
        ("helm4", "storefront", "shop", &[]),
        ("helm3", "courier", "courier", &["--set=webhook.failurePolicy=Ignore"]),
        ("helm4", "courier", "courier", &["--set=webhook.failurePolicy=Ignore"]),
    ] {
        let by_hand = Cmd::new("helm")
            .dir(target.repo.path())
            .env("PATH", renderers::path(helm))
            .args(["template", release, &format!("charts/{name}"), "--include-crds"])
            .args(["--namespace=rendered-as-helm", "--skip-tests", "--kube-version=1.34.0"])
            .args([values(name)])
            .args(set)
            .run()
            .exits(0);
        let mut by_hand = as_kubectl_reads(&target, &by_hand.stdout);
        // For helm uninstall.
        by_hand.retain(|object| !object.contains("\"helm.sh/hook\": \"pre-delete\""));
        let render = target.repo.trueup(&["render", "--show-secrets", "--target", name]);
        let render = render.env("PATH", renderers::path(helm)).run().exits(0);
        assert!(by_hand.len() > 10, "{by_hand:?}");
        assert_eq!(as_kubectl_reads(&target, &render.stdout), by_hand, "{helm} {name}");
    }
}

/// The objects of a YAML stream as kubectl reads them, of unknown kinds too, sorted.
fn as_kubectl_reads(target: &Target, yaml: &str) -> Vec<String> {
    let file = target.repo.outside().join("objects.yaml");
    fs::write(&file, yaml).unwrap();
    let args = ["annotate", "--local", "read=yes", "-o", "json", "-f", file.to_str().unwrap()];
    let output = target.repo.kubectl(&args).exits(0);
    let objects = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
    let mut objects: Vec<_> = objects.map(|object| format!("{:#}", object.unwrap())).collect();
    objects.sort();
    objects
}
