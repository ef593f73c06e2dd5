//! The auth-provider `oidc`: a real API server takes the token of a service account, which a small
//! identity provider gives in place of an old one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{Span, Timestamp};
use serde_json::json;

use super::value;
use crate::support::canaries::Canaries;
use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::identity_provider::{CLIENT, Grant, IdentityProvider, Login};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::tls::Identity;
use crate::support::watching::Watching;

const DISCOVERY: &str = "GET /realm/.well-known/openid-configuration";
const TOKEN: &str = "POST /realm/token?of=realm";

/// A user who logs in by an identity provider.
struct Setting {
    repo: Repo<'static>,
    provider: IdentityProvider,
    /// What the kubeconfig says besides.
    config: Vec<(&'static str, String)>,
    /// A token that the cluster takes.
    good: String,
    /// One that has expired.
    expired: String,
    /// The refresh token before and after.
    refresh: [String; 2],
    secret: String,
    /// All of those.
    secrets: Canaries,
}

impl Setting {
    /// With an expired id-token, for a client that logs in like this.
    fn new(name: &str, login: Login) -> Self {
        let repo = Repo::new(name, sandbox::bare());
        repo.write_config("one", "1").commit("First");
        repo.kubectl(&["create", "serviceaccount", "me"]).exits(0);
        let account = format!("--serviceaccount={name}:me");
        let binding =
            ["create", "clusterrolebinding", name, "--clusterrole=cluster-admin", &account];
        repo.kubectl(&binding).exits(0);
        let good = repo.kubectl(&["create", "token", "me"]).exits(0).stdout.trim().to_owned();
        let Canaries(words) = Canaries::new(5);
        let [old, new, secret, signature, access] = words.try_into().unwrap();
        let expired = format!("{}.{signature}", unsigned(Timestamp::now() - Span::new().hours(1)));
        let gives = json!({ "access_token": access, "token_type": "Bearer", "id_token": good, "refresh_token": new });
        let grant = Grant { login, secret: secret.clone(), takes: old.clone(), gives };
        let provider = IdentityProvider::start(grant);
        let secrets = Canaries(vec![
            good.clone(),
            expired.clone(),
            old.clone(),
            new.clone(),
            secret.clone(),
            signature,
            access,
        ]);
        let mut config = vec![
            ("idp-issuer-url", provider.issuer.clone()),
            ("idp-certificate-authority-data", STANDARD.encode(&provider.authority)),
            ("client-id", CLIENT.to_owned()),
            ("id-token", expired.clone()),
            ("refresh-token", old.clone()),
        ];
        if login != Login::Public {
            config.push(("client-secret", secret.clone()));
        }
        Self { repo, provider, config, good, expired, refresh: [old, new], secret, secrets }
    }

    /// Another value for a key; none without a text.
    fn says(&mut self, key: &'static str, value: Option<&str>) -> &mut Self {
        self.config.retain(|(known, _)| *known != key);
        self.config.extend(value.map(|value| (key, value.to_owned())));
        self
    }

    fn file(&self) -> PathBuf {
        self.repo.outside().join("kubeconfig")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Writes the kubeconfig.
    fn written(&self) -> &Self {
        let of = |path: &str| {
            let view = ["config", "view", "--raw", "-o", path];
            sandbox::bare().kubectl(view).exits(0).stdout
        };
        let server = of("jsonpath={.clusters[0].cluster.server}");
        let authority = of("jsonpath={.clusters[0].cluster.certificate-authority-data}");
        let config =
            self.config.iter().map(|(key, value)| format!("        {key}: '{value}' # mine\n"));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             clusters: [{{name: here, cluster: {{server: '{server}', certificate-authority-data: {authority}}}}}]\n\
             users:\n- name: me\n  user:\n    auth-provider:\n      name: oidc\n      config:\n{}\
             contexts: [{{name: here, context: {{cluster: here, user: me}}}}]\n",
            config.collect::<String>()
        );
        fs::write(self.file(), text).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        let output = self.repo.trueup(args).env("KUBECONFIG", self.file()).run();
        self.secrets.assert_unseen(&output);
        output
    }

    /// Runs diff, which can't log in.
    #[track_caller]
    fn refused(&self) -> String {
        let before = self.written().text();
        let Output { stderr, .. } = self.run(&["diff"]).exits(2);
        assert!(self.text() == before, "the kubeconfig stays");
        stderr
    }

    /// The kubeconfig after a refresh.
    fn renewed(&self, text: &str) -> String {
        let [old, new] = &self.refresh;
        text.replace(&self.expired, &self.good).replace(old, new)
    }
}

/// A JSON Web Token that ends then, as far as its signature.
fn unsigned(end: Timestamp) -> String {
    let claims = json!({ "iss": "https://idp.example", "exp": end.as_second() });
    format!("e30.{}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn an_id_token_is_used_while_it_is_valid() {
    let mut setting = Setting::new("oidc-valid", Login::Header);
    let good = setting.good.clone();
    let before = setting.says("id-token", Some(&good)).written().text();
    setting.run(&["apply"]).exits(0);
    assert!(setting.provider.heard().is_empty());
    assert!(setting.text() == before);
}

#[test]
fn an_expired_id_token_is_refreshed_once_and_written_back() {
    let setting = Setting::new("oidc-refresh", Login::Header);
    let before = setting.written().text();
    let applied = setting.run(&["apply"]).exits(0);
    assert!(!applied.stderr.contains("warning"), "{applied}");
    assert_eq!(setting.provider.heard(), [DISCOVERY, TOKEN]);
    assert!(setting.text() == setting.renewed(&before), "two values alone are new");
    assert_eq!(fs::metadata(setting.file()).unwrap().permissions().mode() & 0o777, 0o600);
    setting.run(&["diff"]).exits(0);
    let kubectl = Cmd::new(&sandbox::bare().kubectl).env("KUBECONFIG", setting.file());
    kubectl.args(["get", "--raw", "/api/v1/namespaces"]).run().exits(0);
    assert_eq!(setting.provider.heard().len(), 2, "neither needs another one");
}

#[test]
fn a_client_says_who_it_is_as_the_identity_provider_wants_it() {
    let public = Setting::new("oidc-public", Login::Public);
    public.written().run(&["diff"]).exits(1);
    assert_eq!(public.provider.heard(), [DISCOVERY, TOKEN]);
    let body = Setting::new("oidc-body", Login::Body);
    body.written().run(&["diff"]).exits(1);
    assert_eq!(body.provider.heard(), [DISCOVERY, TOKEN, TOKEN]);
    let mut wrong = Setting::new("oidc-wrong-secret", Login::Header);
    let other = format!("not-{}", wrong.secret);
    let said = wrong.says("client-secret", Some(&other)).refused();
    assert!(said.contains("does not refresh the id-token: invalid_client"), "{said}");
    assert!(said.contains("do this: correct client-id and client-secret"), "{said}");
}

#[test]
fn missing_id_token_is_obtained_with_the_refresh_token() {
    let mut setting = Setting::new("oidc-missing", Login::Header);
    setting.says("id-token", None).written();
    setting.run(&["diff"]).exits(1);
    setting.run(&["diff"]).exits(1);
    assert_eq!(setting.provider.heard(), [DISCOVERY, TOKEN]);
    assert!(setting.text().contains(&setting.good));
}

#[test]
fn the_identity_provider_has_to_be_trusted() {
    let mut setting = Setting::new("oidc-authority", Login::Header);
    let key = "idp-certificate-authority-data";
    let other = STANDARD.encode(Identity::authority("Another").pem());
    let said = setting.says(key, Some(&other)).refused();
    assert!(said.contains("cannot refresh the id-token: the identity provider"), "{said}");
    assert!(said.contains("An authority of this test"), "{said}");
    assert!(said.contains("do this: put the authority"), "{said}");
    let said = setting.says(key, None).refused();
    assert!(said.contains("this machine does not trust"), "{said}");
    assert!(setting.provider.heard().is_empty(), "nothing was sent");
    let file = setting.repo.outside().join("idp.pem");
    fs::write(&file, &setting.provider.authority).unwrap();
    let named = file.to_str().unwrap();
    let _ =
        setting.says("idp-certificate-authority", Some(named)).written().run(&["diff"]).exits(1);
}

#[test]
fn refused_oidc_refresh_is_an_error_with_a_hint() {
    let mut setting = Setting::new("oidc-refused", Login::Header);
    let Canaries(mut gone) = Canaries::new(1);
    let gone = gone.remove(0);
    setting.secrets.0.push(gone.clone());
    let said = setting.says("refresh-token", Some(&gone)).refused();
    assert!(said.contains("error: cannot log in to the cluster"), "{said}");
    let why = "does not refresh the id-token: invalid_grant: the session is over;";
    assert!(said.replace("\n  ", " ").contains(why), "{said}");
    assert!(said.contains("do this: log in again"), "{said}");

    let said = setting.says("refresh-token", None).refused();
    assert!(said.contains("an id-token that expired on "), "{said}");
    assert!(said.contains("no refresh-token") && said.contains("kubelogin"), "{said}");
    let said = setting.says("id-token", None).refused();
    assert!(said.contains("has no id-token and no refresh-token"), "{said}");
    let said = setting.says("id-token", Some("one")).refused();
    assert!(said.contains("an id-token that is not a JSON Web Token"), "{said}");
}

#[test]
fn a_kubeconfig_that_cant_be_written_is_a_warning() {
    let setting = Setting::new("oidc-read-only", Login::Header);
    let before = setting.written().text();
    fs::set_permissions(setting.file(), fs::Permissions::from_mode(0o400)).unwrap();
    let file = setting.file();
    let warning =
        format!("the refreshed token was not written back to {}: it is read-only", file.display());
    let applied = setting.run(&["apply"]).exits(0);
    assert_eq!(applied.stderr.matches(&warning).count(), 1, "{applied}");
    assert!(setting.text() == before);

    let path = setting.repo.path();
    let args = ["-C", path.to_str().unwrap(), "watch", "--interval", "0.2"];
    setting.repo.write_config("one", "2").commit("Second");
    let watch = setting.repo.trueup(&args).env("KUBECONFIG", &file);
    let watching = Watching::running(&setting.repo, watch);
    watching.says("1 changed");
    setting.repo.write_config("one", "3").commit("Third");
    eventually("another round writes", || value(&setting.repo) == "3");
    assert_eq!(watching.times("not written back"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
    assert_eq!(setting.provider.heard().len(), 4, "the rounds share it");
}

#[test]
fn an_id_token_that_the_cluster_refuses_is_refreshed() {
    let mut setting = Setting::new("oidc-unknown", Login::Header);
    let unknown = format!("{}.unknown", unsigned(Timestamp::now() + Span::new().hours(1)));
    setting.says("id-token", Some(&unknown)).written();
    setting.run(&["diff"]).exits(1);
    assert_eq!(setting.provider.heard(), [DISCOVERY, TOKEN]);
    assert!(setting.text().contains(&setting.good));

    setting.says("refresh-token", None);
    let said = setting.refused();
    assert!(said.contains("log in again"), "{said}");
    assert_eq!(setting.provider.heard().len(), 2);
}

#[test]
fn a_folded_id_token_is_written_back() {
    let setting = Setting::new("oidc-folded", Login::Header);
    let before = setting.written().text();
    let [old, new] = &setting.refresh;
    let styles = [(">-", "id-token", &setting.expired), ("|-", "refresh-token", old)];
    let folded = styles.iter().fold(before.clone(), |text, (style, key, value)| {
        let line = format!("{key}: '{value}' # mine");
        assert!(text.contains(&line));
        text.replace(&line, &format!("{key}: {style}\n          {value}"))
    });
    fs::write(setting.file(), &folded).unwrap();
    let applied = setting.run(&["apply"]).exits(0);
    assert!(!applied.stderr.contains("warning"), "{applied}");
    let expected = folded.replace(&format!(">-\n          {}", setting.expired), &setting.good);
    let expected = expected.replace(&format!("|-\n          {old}"), new);
    assert!(setting.text() == expected, "two values alone are new");
    let kubectl = Cmd::new(&sandbox::bare().kubectl).env("KUBECONFIG", setting.file());
    kubectl.args(["get", "--raw", "/api/v1/namespaces"]).run().exits(0);
    assert_eq!(setting.provider.heard(), [DISCOVERY, TOKEN]);
}

#[test]
fn a_kubeconfig_with_two_names_is_written_in_place() {
    let setting = Setting::new("oidc-two-names", Login::Header);
    let before = setting.written().text();
    let other = setting.repo.outside().join("other-name");
    fs::hard_link(setting.file(), &other).unwrap();
    let diffed = setting.run(&["diff"]).exits(1);
    assert!(!diffed.stderr.contains("warning"), "{diffed}");
    assert!(setting.text() == setting.renewed(&before));
    assert!(fs::read_to_string(&other).unwrap() == setting.text());
}

#[test]
fn runs_at_the_same_time_refresh_once() {
    let setting = Setting::new("oidc-both", Login::Header);
    let before = setting.written().text();
    setting.provider.is_strict();
    let runs: Vec<Output> = thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| setting.run(&["diff"]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for run in runs {
        let run = run.exits(1);
        assert!(!run.stderr.contains("warning"), "{run}");
    }
    assert_eq!(setting.provider.heard(), [DISCOVERY, TOKEN]);
    assert!(setting.text() == setting.renewed(&before));
}

#[test]
fn tokens_that_another_program_was_given_meanwhile_are_used() {
    let setting = Setting::new("oidc-meanwhile", Login::Header);
    let before = setting.written().text();
    let renewed = setting.renewed(&before);
    setting.provider.answers("POST", "400 Bad Request", r#"{"error":"invalid_grant"}"#);
    // A lock that is there is waited for; meanwhile the other program writes.
    let lock = setting.repo.outside().join("kubeconfig.lock");
    fs::write(&lock, "").unwrap();
    let diffed = thread::scope(|scope| {
        let run = scope.spawn(|| setting.run(&["diff"]));
        thread::sleep(std::time::Duration::from_millis(500));
        fs::write(setting.file(), &renewed).unwrap();
        fs::remove_file(&lock).unwrap();
        run.join().unwrap()
    });
    let diffed = diffed.exits(1);
    assert!(!diffed.stderr.contains("warning"), "{diffed}");
    assert!(setting.text() == renewed);
}

#[test]
fn each_identity_provider_fault_has_its_own_message() {
    let setting = Setting::new("oidc-trouble", Login::Public);
    let large = format!("{{\"a\":\"{}\"}}", "a".repeat(1 << 20));
    let here = "302 Found\r\nLocation: /realm/.well-known/openid-configuration";
    let (get, post) = ("GET", "POST");
    let later = "do this: try again later";
    for (request, status, body, part, hint) in [
        (get, "503 Service Unavailable", "{}", "no discovery document: HTTP status 503", later),
        (get, "404 Not Found", "{}", "no discovery document: HTTP status 404", ""),
        (get, "200 OK", large.as_str(), "its answer is too large (more than 1 MiB)", ""),
        (get, here, "{}", "redirects more than 10 times", ""),
        (post, "200 OK", &large, "its answer is too large (more than 1 MiB)", ""),
        (post, "502 Bad Gateway", "<html>", "HTTP status 502", later),
        (post, "429 Too Many Requests", "{}", "HTTP status 429", later),
        (post, "400 Bad Request", r#"{"error":"temporarily_unavailable"}"#, "unavailable", later),
        (
            post,
            "307 Temporary Redirect\r\nLocation: /realm/token?of=realm",
            "{}",
            "its token endpoint redirects (HTTP status 307), which is not followed",
            "",
        ),
    ] {
        setting.provider.answers(request, status, body);
        let said = setting.refused().replace("\n  ", " ");
        assert!(said.contains(part), "{status}: {said}");
        assert!(said.contains(hint) && !said.contains("log in again"), "{status}: {said}");
        assert_eq!(said.contains("do this"), !hint.is_empty(), "{status}: {said}");
    }
}

#[test]
fn a_discovery_document_may_be_elsewhere() {
    let setting = Setting::new("oidc-elsewhere", Login::Header);
    let place = "openid-configuration";
    let issuer = setting.provider.issuer.replace("https:", "").replace("/realm/", "/other/");
    let status = format!("302 Found\r\nLocation: {issuer}{place}");
    setting.provider.answers(DISCOVERY, &status, "{}");
    let said = setting.refused();
    assert!(said.contains("no discovery document: HTTP status 404"), "{said}");
    let [first, second] = setting.provider.heard().try_into().unwrap();
    assert_eq!([first.as_str(), second.as_str()], [DISCOVERY, "GET /other/openid-configuration"]);
}

#[test]
fn a_watch_waits_for_an_identity_provider_that_is_down() {
    let setting = Setting::new("oidc-watch", Login::Header);
    setting.written();
    setting.provider.answers("GET", "503 Service Unavailable", "{}");
    let path = setting.repo.path();
    let args = ["-C", path.to_str().unwrap(), "watch", "--interval", "0.2"];
    let watch = setting.repo.trueup(&args).env("KUBECONFIG", setting.file());
    let watching = Watching::running(&setting.repo, watch);
    watching.says("cannot log in to the cluster");
    setting.provider.recovers();
    watching.says("1 changed");
    assert_eq!(watching.stop(), Some(0));
}
