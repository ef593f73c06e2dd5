//! What is meant to be a URL and is none is quoted without the password in it.

use std::fs;

use crate::support::canaries::Canaries;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Passwords around a canary, with what ends the name of a server in a URL.
const SHAPES: [&str; 5] = ["PX/*", "a *", "a/)*", "a\"*'*", "*#*/?*"];

#[test]
fn a_url_that_is_none_is_shown_without_its_password() {
    let repo = Repo::new("kubeconfig-passwords", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let secrets = Canaries::new(1);
    let file = repo.outside().join("kubeconfig");
    let (server, proxy) = ("https://127.0.0.1:1", "http://127.0.0.1:1");
    for shape in SHAPES {
        let login = format!("u:{}", shape.replace('*', &secrets.0[0]));
        let (server_with, proxy_with) = (
            server.replace("//", &format!("//{login}@")),
            proxy.replace("//", &format!("//{login}@")),
        );
        let odd_proxy = proxy_with.replace("http:", "quic:");
        for (server, proxy, issuer, expected) in [
            (server_with.as_str(), "", "", "cluster's server"),
            (server, odd_proxy.as_str(), "", "cluster's proxy-url"),
            (server, "", server_with.as_str(), "the identity provider https://127.0.0.1:1"),
        ] {
            let quoted = |text: &str| serde_json::Value::from(text).to_string();
            let user = match issuer {
                "" => "{}".to_owned(),
                _ => format!(
                    "{{auth-provider: {{name: oidc, config: {{client-id: a, refresh-token: b, \
                     idp-issuer-url: {}}}}}}}",
                    quoted(issuer)
                ),
            };
            let text = format!(
                "current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\n\
                 clusters: [{{name: c, cluster: {{server: {}, proxy-url: {}}}}}]\n\
                 users: [{{name: u, user: {user}}}]\n",
                quoted(server),
                quoted(proxy)
            );
            fs::write(&file, text).unwrap();
            let output = repo.trueup(&["diff"]).env("KUBECONFIG", &file).run().exits(2);
            secrets.assert_unseen(&output);
            let said = output.stderr.replace("\n  ", " ");
            assert!(said.contains(expected), "{output}");
        }
    }
}

#[test]
fn a_pull_shows_no_password_of_a_url_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Canaries::new(1);
    let new = folder.path().join("new");
    let pull = |url: &str| {
        let args = ["-C", new.to_str().unwrap(), "pull", "--url", url];
        crate::support::command::Cmd::trueup().args(args)
    };
    for shape in SHAPES {
        let login = format!("u:{}", shape.replace('*', &secrets.0[0]));
        let url = format!("http://{login}@127.0.0.1:1/x");
        let output = pull(&url).run();
        assert_ne!(output.status, Some(0), "{output}");
        secrets.assert_unseen(&output);
        let output = pull("http://127.0.0.1:1/x").env("http_proxy", &url).run();
        assert_ne!(output.status, Some(0), "{output}");
        secrets.assert_unseen(&output);
        let _ = fs::remove_dir_all(&new);
    }
}
