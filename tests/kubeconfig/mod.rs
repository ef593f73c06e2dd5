//! Kubeconfigs as people have them: what is shown where one can't be used, and that no run goes to
//! a cluster that nobody chose.

mod cases;
mod oidc;
mod passwords;
mod proxies;
mod screens;
mod table;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use crate::support::canaries::Canaries;
use crate::support::command::Output;
use crate::support::eventually::eventually;
use crate::support::repo::Repo;
use crate::support::sandbox::{self, Plane};
use crate::support::watching::Watching;

/// A kubeconfig whose cluster, and whose user, are these.
fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{name: here, cluster: {{{cluster}}}}}]\n\
         users:\n- name: me\n  user:\n{user}\n\
         contexts: [{{name: here, context: {{cluster: here, user: me}}}}]\n"
    )
}

/// What the ConfigMap says.
fn value(repo: &Repo<'_>) -> String {
    repo.value("one")
}

/// Runs diff with this kubeconfig, which can't be used.
fn refused(repo: &Repo<'_>, kubeconfig: &str, canaries: &Canaries) -> Output {
    let file = repo.outside().join("kubeconfig");
    fs::write(&file, kubeconfig).unwrap();
    let output = repo.run(&["diff", "--kubeconfig", file.to_str().unwrap()]).exits(2);
    canaries.assert_unseen(&output);
    output
}

#[test]
fn errors_hold_no_credential() {
    let repo = Repo::new("kubeconfig-errors", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let canaries = Canaries::new(4);
    let [argument, environment, printed, password] = canaries.0.as_slice() else { unreachable!() };
    let program = repo.outside().join("log-in");
    let script = |text: &str| {
        fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let exec = |program: &str| {
        format!(
            "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      interactiveMode: Never\n      \
             command: {program}\n      args: [--password, {argument}]\n      \
             installHint: get it from example.com\n      \
             env: [{{name: PASSWORD, value: {environment}}}]"
        )
    };
    let server = "server: 'https://127.0.0.1:1'";
    let named = program.to_str().unwrap();

    script(&format!("echo {printed}; echo the session is over >&2; exit 7"));
    let said = refused(&repo, &kubeconfig(server, &exec(named)), &canaries);
    let ended = format!("the exec plugin {named} ended with status 7: the session is over");
    assert!(said.stderr.contains(&ended), "{said}");
    script(&format!("echo 'token: {printed}: x'"));
    let said = refused(&repo, &kubeconfig(server, &exec(named)), &canaries);
    let no_form = format!("the exec plugin {named} did not print an ExecCredential");
    assert!(said.stderr.contains(&no_form), "{said}");
    let said = refused(&repo, &kubeconfig(server, &exec("/nowhere/log-in")), &canaries);
    assert!(said.stderr.contains("the exec plugin /nowhere/log-in can't be run: "), "{said}");
    assert!(said.stderr.contains("get it from example.com"), "{said}");

    let token = format!("    token: {printed}: x");
    let said = refused(&repo, &kubeconfig(server, &token), &canaries);
    assert!(said.stderr.contains("kubeconfig: 8:"), "{said}");
    let token = format!("    token: [{printed}]");
    let said = refused(&repo, &kubeconfig(server, &token), &canaries);
    assert!(said.stderr.contains("users[0].user.token is a list"), "{said}");
    let token = format!("    token: \"{printed}\\n\"");
    let said = refused(&repo, &kubeconfig(server, &token), &canaries);
    assert!(said.stderr.contains("the user's token ends in a line break"), "{said}");
    script(&format!(
        "printf '%s' '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \
         \"status\": {{\"token\": \"{printed}\\nx\"}}}}'"
    ));
    let said = refused(&repo, &kubeconfig(server, &exec(named)), &canaries);
    assert!(
        said.stderr.contains("the exec plugin") && said.stderr.contains("line breaks"),
        "{said}"
    );

    for cluster in [
        format!("server: 'https://bob:{password}@127.0.0.1:1'"),
        format!("server: 'https://127.0.0.2:1', proxy-url: 'http://bob:{password}@127.0.0.1:1'"),
        format!("server: 'https://127.0.0.2:1', proxy-url: 'quic://bob:{password}@127.0.0.1:1'"),
        format!("server: 'https://bob:{password}@[::'"),
    ] {
        refused(&repo, &kubeconfig(&cluster, "    token: a"), &canaries);
    }
}

/// A program that prints what is in its first, second and later credential files, and counts its runs.
struct Plugin {
    folder: tempfile::TempDir,
    cluster: String,
}

impl Plugin {
    fn new(plane: &Plane) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\ncd {}\necho run >> runs\nn=$(wc -l < runs)\ncat $n 2>/dev/null || cat last\n",
            folder.path().display()
        );
        let program = folder.path().join("log-in");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let of = |path: &str| {
            let view = ["config", "view", "--raw", "-o", path];
            plane.kubectl(view).exits(0).stdout
        };
        let server = of("jsonpath={.clusters[0].cluster.server}");
        let authority = of("jsonpath={.clusters[0].cluster.certificate-authority-data}");
        let cluster = format!("server: '{server}', certificate-authority-data: {authority}");
        let plugin = Self { folder, cluster };
        let pem = |path: &str| {
            let decoded = STANDARD.decode(of(path)).unwrap();
            String::from_utf8(decoded).unwrap()
        };
        plugin.gives(
            "last",
            &json!({
                "clientCertificateData": pem("jsonpath={.users[0].user.client-certificate-data}"),
                "clientKeyData": pem("jsonpath={.users[0].user.client-key-data}"),
            }),
        );
        plugin
    }

    /// Sets what a run prints.
    fn gives(&self, run: &str, status: &Value) {
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": status,
        });
        fs::write(self.folder.path().join(run), credential.to_string()).unwrap();
    }

    fn kubeconfig(&self) -> String {
        let user = format!(
            "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      interactiveMode: Never\n      \
             command: {}",
            self.folder.path().join("log-in").display()
        );
        let file = self.folder.path().join("kubeconfig");
        fs::write(&file, kubeconfig(&self.cluster, &user)).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// How often it was run.
    fn runs(&self) -> usize {
        fs::read_to_string(self.folder.path().join("runs")).unwrap_or_default().lines().count()
    }
}

#[test]
fn an_exec_plugin_runs_once_and_again_where_what_it_gave_is_not_taken() {
    let repo = Repo::new("kubeconfig-plugin", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let plugin = Plugin::new(sandbox::bare());
    let kubeconfig = plugin.kubeconfig();
    let run = |args: &[&str]| repo.trueup(args).env("KUBECONFIG", &kubeconfig).run();
    run(&["apply"]).exits(0);
    assert_eq!(plugin.runs(), 1, "one command");

    let path = repo.path();
    let args = ["-C", path.to_str().unwrap(), "watch", "--interval", "0.2"];
    repo.write_config("one", "2").commit("Second");
    let watching = Watching::running(&repo, repo.trueup(&args).env("KUBECONFIG", &kubeconfig));
    watching.says("1 changed");
    repo.write_config("one", "3").commit("Third");
    eventually("another round writes", || value(&repo) == "3");
    assert_eq!(watching.stop(), Some(0));
    assert_eq!(plugin.runs(), 2, "one watch");

    // What the server does not take is asked for again, once.
    plugin.gives("3", &json!({"token": "of-nobody"}));
    run(&["diff"]).exits(0);
    assert_eq!(plugin.runs(), 4);
    for n in 5..=6 {
        plugin.gives(&n.to_string(), &json!({"token": "of-nobody"}));
    }
    let refused = run(&["diff"]).exits(2);
    assert!(refused.stderr.contains("log in again"), "{refused}");
    assert!(!refused.stderr.contains("of-nobody"), "{refused}");
    assert_eq!(plugin.runs(), 6);

    // One that comes expired, as by a clock that is behind, is used while the server takes it.
    let file = plugin.folder.path().join("last");
    let last: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let mut status = last["status"].clone();
    status["expirationTimestamp"] = "2020-01-01T00:00:00Z".into();
    plugin.gives("7", &status);
    run(&["diff"]).exits(0);
    assert_eq!(plugin.runs(), 7);

    // No credential is an error, and never anonymous.
    plugin.gives("8", &json!({}));
    let refused = run(&["diff"]).exits(2);
    assert!(refused.stderr.contains("gave neither a token nor a certificate"), "{refused}");
}

#[test]
fn a_credential_is_renewed_when_it_ends_while_objects_are_waited_for() {
    let repo = Repo::new("kubeconfig-expiry", sandbox::bare());
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: errand}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}\n";
    repo.write("job.yaml", job).commit("Waits for ever");
    let plugin = Plugin::new(sandbox::bare());
    let last = fs::read_to_string(plugin.folder.path().join("last")).unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    let mut status = last["status"].clone();
    status["expirationTimestamp"] = (Timestamp::now() + Span::new().seconds(3)).to_string().into();
    plugin.gives("1", &status);
    let apply = repo.trueup(&["apply", "--wait", "--timeout", "5"]);
    let waited = apply.env("KUBECONFIG", plugin.kubeconfig()).run().exits(1);
    assert!(waited.stdout.contains("not ready"), "{waited}");
    assert_eq!(plugin.runs(), 2);
    let lock =
        repo.kubectl(&["get", "lease", &repo.parent(), "-o", "jsonpath={.spec.holderIdentity}"]);
    assert_eq!(lock.stdout, "", "it is given back");
}

#[test]
fn context_without_a_kubeconfig_does_not_fall_back_to_in_cluster() {
    let repo = Repo::new("kubeconfig-none", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let home = repo.outside().to_str().unwrap().to_owned();
    let run = |args: &[&str], context: &str| {
        let trueup = repo.trueup(args).env("KUBECONFIG", "").env("HOME", &home);
        trueup.env("TRUEUP_CONTEXT", context).run().exits(2)
    };
    for said in [run(&["diff", "--context", "prod"], ""), run(&["apply"], "prod")] {
        let none = "no kubeconfig was found, so there is no context \"prod\"";
        assert!(said.stderr.contains(none), "{said}");
    }
    let said = run(&["apply"], "");
    assert!(said.stderr.contains("no kubeconfig was found\n"), "{said}");
}

#[test]
fn a_watch_stays_on_the_cluster_that_it_began_on() {
    let (here, there) = (sandbox::bare(), sandbox::with_controllers());
    let repo = Repo::new("kubeconfig-watch", here);
    let name = repo.namespace();
    there.create_namespace(name);
    repo.write_config("one", "1").commit("First");
    let file = repo.outside().join("kubeconfig");
    fs::copy(&here.kubeconfig, &file).unwrap();
    let path = repo.path();
    // The cluster that it began on counts, whatever is remembered.
    let args = ["-C", path.to_str().unwrap(), "watch", "--interval", "0.2", "--new-cluster"];
    let watch = repo.trueup(&args);
    let watching = Watching::running(&repo, watch.env("KUBECONFIG", file.to_str().unwrap()));
    watching.says("1 changed");

    // Another file of that name, in one step.
    let place = |from: &std::path::Path| {
        let new = repo.outside().join("kubeconfig.new");
        fs::copy(from, &new).unwrap();
        fs::rename(&new, &file).unwrap();
    };
    place(&there.kubeconfig);
    watching.says("the kubeconfig now points to ");
    repo.write_config("one", "2").commit("Second");
    // A few rounds, each of which would write.
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(watching.times("now points to"), 1, "{:#?}", watching.said());
    let objects = there.kubectl(["get", "configmap,lease", "-n", name, "-o", "name"]).exits(0);
    assert!(!objects.stdout.contains("one") && !objects.stdout.contains("trueup"), "{objects}");
    fs::remove_file(&file).unwrap();
    watching.says("which KUBECONFIG names, does not exist");
    place(&here.kubeconfig);
    watching.says("recovered @");
    eventually("it goes on where it began", || value(&repo) == "2");
    assert_eq!(watching.stop(), Some(0));
}
