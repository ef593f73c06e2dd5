//! Which cluster a target belongs to: the machine's file says it, or the first apply did, and every
//! other one is refused before anything is written.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox::{self, Plane};

/// A repository with a target, and a kubeconfig with the contexts `here` and `there`.
struct TwoClusters {
    repo: Repo<'static>,
    there: &'static Plane,
    kubeconfig: String,
    settings: PathBuf,
}

impl TwoClusters {
    fn new(name: &str, targets: &[&str]) -> Self {
        let (here, there) = (sandbox::bare(), sandbox::with_controllers());
        let repo = Repo::new(name, here);
        there.create_namespace(name);
        let mut declared = "targets:\n".to_owned();
        for target in targets {
            declared.push_str(&format!("  {target}: {{paths: [{target}]}}\n"));
            repo.write(&format!("{target}/one.yaml"), config(target, "1"));
        }
        repo.write("trueup.yaml", declared).commit("First");
        let files = [("here", here), ("there", there)].map(|(context, plane)| {
            let text = fs::read_to_string(&plane.kubeconfig).unwrap();
            let file = repo.outside().join(context);
            fs::write(&file, text.replace("trueup-sandbox", context)).unwrap();
            file.display().to_string()
        });
        let settings = repo.outside().join("settings");
        Self { repo, there, kubeconfig: files.join(":"), settings }
    }

    fn trueup(&self, args: &[&str]) -> Cmd {
        let trueup = self.repo.trueup(args).env("KUBECONFIG", &self.kubeconfig);
        trueup.env("XDG_CONFIG_HOME", &self.settings)
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        self.trueup(args).run()
    }

    /// Writes the machine's own file.
    fn says(&self, text: &str) {
        fs::create_dir_all(self.settings.join("trueup")).unwrap();
        fs::write(self.settings.join("trueup/config.yaml"), text).unwrap();
    }

    /// The names of what is in the namespace of the other cluster.
    fn there(&self) -> String {
        let name = self.repo.namespace();
        let objects =
            self.there.kubectl(["get", "configmap,lease", "-n", name, "-o", "name"]).exits(0);
        objects.stdout.lines().filter(|line| !line.contains("kube-root-ca")).collect()
    }
}

fn uid(plane: &Plane) -> String {
    let path = "jsonpath={.metadata.uid}";
    plane.kubectl(["get", "namespace", "kube-system", "-o", path]).exits(0).stdout
}

#[test]
fn cluster_of_the_first_apply_is_remembered_and_another_one_refused() {
    let two = TwoClusters::new("right-remembered", &["prod"]);
    // A diff remembers nothing.
    two.run(&["diff", "--context", "there"]).exits(1);
    two.run(&["apply", "--context", "here"]).exits(0);
    for args in
        [&["diff"][..], &["apply"], &["watch", "--once", "--no-pull"], &["diff", "--all-targets"]]
    {
        let refused = two.run(&[args, &["--context", "there"]].concat()).exits(2);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        for part in [
            "context there leads to another cluster than target prod belongs to; nothing was written",
            "expected: context here, server https://",
            &uid(sandbox::bare()),
            "remembered on 20",
            &uid(two.there),
            "--new-cluster",
        ] {
            assert!(said.contains(part), "{part}: {refused}");
        }
        assert!(!said.contains("\\n"), "{refused}");
    }
    assert_eq!(two.there(), "");
    // The same cluster by another name, in sync or not.
    let file = two.repo.outside().join("here");
    let renamed = fs::read_to_string(&file).unwrap().replace("here", "elsewhere");
    fs::write(two.repo.outside().join("renamed"), renamed).unwrap();
    let other_name = two.repo.outside().join("renamed");
    two.trueup(&["diff"]).env("KUBECONFIG", other_name.to_str().unwrap()).run().exits(0);

    two.run(&["diff", "--context", "there", "--new-cluster"]).exits(1);
    two.run(&["diff", "--context", "there"]).exits(2);
    two.run(&["apply", "--context", "there", "--new-cluster"]).exits(0);
    two.run(&["apply", "--context", "there"]).exits(0);
    let back = two.run(&["diff", "--context", "here"]).exits(2);
    assert!(back.stderr.contains("expected: context there"), "{back}");
    assert!(two.there().contains("configmap/prod"), "{}", two.there());
}

#[test]
fn machine_file_says_which_cluster_a_target_belongs_to_and_by_which_context() {
    let two = TwoClusters::new("right-ruled", &["prod", "staging"]);
    let (here, there) = (uid(sandbox::bare()), uid(two.there));
    two.says(&format!(
        "clusters:\n- targets: [prod]\n  cluster: {there}\n  context: there\n\
        - targets: [\"stag*\"]\n  cluster: {here}\n"
    ));
    // The kubeconfig's current context is `here`.
    two.run(&["apply", "--target", "prod"]).exits(0);
    assert!(two.there().contains("configmap/prod"), "{}", two.there());
    let refused = two.run(&["apply", "--target", "prod", "--context", "here"]).exits(2);
    let place = two.settings.join("trueup/config.yaml:3:12");
    let expected = format!("expected: uid {there}, by {}", place.display());
    assert!(refused.stderr.contains(&expected), "{refused}");
    two.run(&["apply", "--target", "prod", "--context", "here", "--new-cluster"]).exits(2);
    two.run(&["diff", "--target", "staging", "--context", "there"]).exits(2);

    // One run reaches both, and tells them apart.
    let all = two.run(&["diff", "--all-targets"]).exits(1);
    let lines: Vec<&str> = all.stdout.lines().collect();
    let line = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap();
    assert!(line("prod").contains("there at 127.0.0.1:"), "{all}");
    assert!(line("staging").contains("here at 127.0.0.1:"), "{all}");
    let json = two.run(&["diff", "--all-targets", "-o", "json"]).exits(1);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let servers = [0, 1].map(|at| json["targets"][at]["target"]["server"].as_str().unwrap());
    assert_ne!(servers[0], servers[1]);

    // One that can't be reached does not hide the other.
    two.says("clusters:\n- targets: [prod]\n  context: nowhere\n");
    let one = two.run(&["diff", "--all-targets"]).exits(2);
    assert!(one.stderr.contains("cannot tell target prod"), "{one}");
    assert!(one.stdout.contains("1 differs, 1 unknown"), "{one}");
    two.says("clusters:\n- targets: [prod]\n  cluster: https://nowhere:*\n  context: there\n");
    let refused = two.run(&["diff", "--target", "prod"]).exits(2);
    assert!(refused.stderr.contains("expected: server https://nowhere:*, by "), "{refused}");
    two.says("clusters:\n- targets: [prod]\n  cluster: https://127.0.0.*\n  context: there\n");
    two.run(&["diff", "--target", "prod"]).exits(0);
}

#[test]
fn without_the_right_to_read_the_uid_address_and_authority_count() {
    let two = TwoClusters::new("right-by-address", &["prod"]);
    let name = two.repo.namespace();
    for (context, plane) in [("here", sandbox::bare()), ("there", two.there)] {
        let role = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
            metadata: {{name: ops, namespace: {name}}}\n\
            rules: [{{apiGroups: ['*'], resources: ['*'], verbs: ['*']}}]\n---\n\
            apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
            metadata: {{name: ops, namespace: {name}}}\n\
            roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: ops}}\n\
            subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}-{context}}}]\n"
        );
        plane.create(name, &role);
    }
    let run = |args: &[&str], context: &str| {
        let user = format!("{name}-{context}");
        two.run(&[args, &["--context", context, "--as", &user]].concat())
    };
    let applied = run(&["apply"], "here").exits(0);
    let said = "no right to read Namespace kube-system: the target's cluster is remembered by its";
    assert!(applied.stderr.contains(said), "{applied}");
    let again = run(&["apply"], "here").exits(0);
    assert!(!again.stderr.contains(said), "{again}");
    let refused = run(&["apply"], "there").exits(2);
    assert!(
        refused.stderr.contains("uid not readable, certificate authority sha256 "),
        "{refused}"
    );
    assert!(!two.there().contains("configmap/prod"));
    // Who may read it adds it.
    two.run(&["apply", "--context", "here"]).exits(0);
    let refused = two.run(&["diff", "--context", "there"]).exits(2);
    assert!(
        refused.stderr.contains(&format!("uid {}, remembered", uid(sandbox::bare()))),
        "{refused}"
    );
}

#[test]
fn object_that_moves_to_a_target_of_another_cluster_is_pruned_here() {
    for (name, has_rules) in [("moves-ruled", true), ("moves-remembered", false)] {
        let two = TwoClusters::new(name, &["eu", "us"]);
        two.repo.write("eu/moved.yaml", config("moved", "1")).commit("Second");
        two.run(&["apply", "--target", "eu", "--context", "here"]).exits(0);
        // An old inventory here is none to wait for.
        two.run(&["apply", "--target", "us", "--context", "here"]).exits(0);
        two.run(&["apply", "--target", "us", "--context", "there", "--new-cluster"]).exits(0);
        if has_rules {
            let (here, there) = (uid(sandbox::bare()), uid(two.there));
            two.says(&format!(
                "clusters:\n- targets: [eu]\n  cluster: {here}\n- targets: [us]\n  cluster: {there}\n"
            ));
        }
        two.repo.git(&["mv", "eu/moved.yaml", "us/moved.yaml"]);
        two.repo.commit("Moved");
        let diff = two.run(&["diff", "--target", "eu", "--context", "here"]).exits(1);
        assert!(diff.stdout.contains("1 to delete"), "{diff}");
        assert!(!diff.stdout.contains("moves to"), "{diff}");
        two.run(&["apply", "--target", "eu", "--context", "here"]).exits(0);
        assert!(two.repo.config_map("moved").is_none(), "{name}");
        two.run(&["apply", "--target", "us", "--context", "there"]).exits(0);
        assert!(two.there().contains("configmap/moved"), "{}", two.there());
    }
}

#[test]
fn object_that_moves_to_a_target_by_another_context_is_pruned_before_that_is_applied() {
    let two = TwoClusters::new("moves-by-context", &["eu", "us"]);
    two.repo.write("eu/moved.yaml", config("moved", "1")).commit("Second");
    two.run(&["apply", "--target", "eu", "--context", "here"]).exits(0);
    two.repo.git(&["mv", "eu/moved.yaml", "us/moved.yaml"]);
    two.repo.commit("Moved");
    let diff = || two.run(&["diff", "--target", "eu", "--context", "here"]).stdout;
    // Of a target that was never applied, no more is known than the machine's file says.
    assert!(diff().contains("moves to"), "{}", diff());
    two.says("clusters:\n- targets: [us]\n  context: here\n");
    assert!(diff().contains("moves to"), "{}", diff());
    two.says("clusters:\n- targets: [us]\n  context: nowhere\n");
    assert!(diff().contains("moves to"), "{}", diff());
    two.says("clusters:\n- targets: [us]\n  context: there\n");
    assert!(diff().contains("1 to delete"), "{}", diff());
    two.run(&["apply", "--target", "eu", "--context", "here"]).exits(0);
    assert!(two.repo.config_map("moved").is_none());
    two.run(&["apply", "--target", "us"]).exits(0);
    assert!(two.there().contains("configmap/moved"), "{}", two.there());
}
