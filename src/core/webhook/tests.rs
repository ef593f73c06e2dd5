//! Requests as the forges send them, and what is wrong with others.

use super::*;

const SECRET: &str = "a secret of some length";

fn secret() -> WebhookSecret {
    WebhookSecret::new(SECRET).unwrap()
}

fn signature(body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn headers(all: &[(&str, &str)]) -> Headers {
    all.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn github() -> String {
    r#"{"ref": "refs/heads/main", "after": "4f2c1a9", "repository": {"full_name": "shop/deploy",
        "clone_url": "https://git.example/shop/deploy.git", "ssh_url": "git@git.example:shop/deploy.git",
        "html_url": "https://git.example/shop/deploy"}}"#
        .to_owned()
}

const GITLAB: &str = r#"{"object_kind": "push", "ref": "refs/heads/main", "project": {
    "git_http_url": "https://git.example/shop/deploy.git", "git_ssh_url": "git@git.example:shop/deploy.git",
    "web_url": "https://git.example/shop/deploy"}}"#;
const BITBUCKET: &str = r#"{"eventKey": "repo:refs_changed", "repository": {"slug": "deploy", "links": {"clone": [
    {"href": "https://git.example/scm/shop/deploy.git", "name": "http"},
    {"href": "ssh://git@git.example:7999/shop/deploy.git", "name": "ssh"}]}},
    "changes": [{"ref": {"id": "refs/heads/main"}, "refId": "refs/heads/main", "type": "UPDATE"}]}"#;

/// Each forge's request: its body, and its headers.
fn requests() -> Vec<(String, Headers)> {
    let github = github();
    let signed = signature(&github);
    let prefixed = format!("sha256={signed}");
    let bitbucket = format!("sha256={}", signature(BITBUCKET));
    let of_github = [("x-github-event", "push"), ("x-hub-signature-256", prefixed.as_str())];
    let of_gogs = [("x-gogs-event", "push"), ("x-gogs-signature", signed.as_str())];
    let of_gitea = [("x-gitea-event", "push"), ("x-gitea-signature", signed.as_str())];
    let of_gitea = [&of_gitea[..], &of_gogs, &of_github].concat();
    let of_gitlab = [("x-gitlab-event", "Push Hook"), ("x-gitlab-token", SECRET)];
    let of_bitbucket =
        [("x-event-key", "repo:refs_changed"), ("x-hub-signature", bitbucket.as_str())];
    vec![
        (github.clone(), headers(&of_github)),
        (github.clone(), headers(&of_gitea)),
        (github, headers(&of_gogs)),
        (GITLAB.to_owned(), headers(&of_gitlab)),
        (BITBUCKET.to_owned(), headers(&of_bitbucket)),
    ]
}

#[test]
fn pushes_of_each_forge_are_read() {
    for (body, headers) in requests() {
        let told = read(&headers, body.as_bytes(), &secret());
        let Ok(Told::Push(push)) = told else { panic!("{headers:?}: {told:?}") };
        let id = RepositoryId::of("https://git.example/shop/deploy").unwrap();
        assert_eq!(push, Push { repositories: vec![id], refs: vec!["refs/heads/main".to_owned()] });
    }
}

#[test]
fn what_the_secret_does_not_prove_is_refused() {
    let own = secret();
    let other = WebhookSecret::new("another secret of that length").unwrap();
    for (body, headers) in requests() {
        let refused =
            |headers: &Headers, body: &str, secret| read(headers, body.as_bytes(), secret);
        assert_eq!(refused(&headers, &body, &other), Err(Refusal::Unproven), "another secret");
        let is_signed = !headers.contains_key("x-gitlab-token");
        let changed = format!("{body} ");
        let altered = refused(&headers, &changed, &own);
        assert_eq!(altered == Err(Refusal::Unproven), is_signed, "{headers:?}: another body");
        let proofs = headers.keys().filter(|name| name.contains("sign") || name.contains("token"));
        for proof in proofs.cloned().collect::<Vec<_>>() {
            for wrong in ["", "sha256=", "sha256=00", "zz", &SECRET[1..]] {
                let mut headers: Headers = headers.clone();
                headers.retain(|name, _| !name.contains("sign") && !name.contains("token"));
                assert_eq!(refused(&headers, &body, &own), Err(Refusal::Unproven), "none");
                headers.insert(proof.clone(), wrong.to_owned());
                assert_eq!(refused(&headers, &body, &own), Err(Refusal::Unproven), "{wrong}");
            }
        }
    }
    assert_eq!(read(&Headers::new(), b"{}", &own), Err(Refusal::UnknownForge));
}

#[test]
fn a_header_of_one_forge_does_not_stand_in_for_that_of_another() {
    let token = [("x-github-event", "push"), ("x-gitlab-token", SECRET)];
    let unproven = Err(Refusal::Unproven);
    assert_eq!(read(&headers(&token), github().as_bytes(), &secret()), unproven);
    let signed = signature(&github());
    let gitlab = [("x-gitlab-event", "Push Hook"), ("x-gogs-signature", signed.as_str())];
    assert_eq!(read(&headers(&gitlab), github().as_bytes(), &secret()), unproven);
}

#[test]
fn other_events_and_other_bodies_wake_none() {
    let signed = |event: &str, body: &str| {
        let signature = format!("sha256={}", signature(body));
        let headers = headers(&[("x-github-event", event), ("x-hub-signature-256", &signature)]);
        read(&headers, body.as_bytes(), &secret())
    };
    assert_eq!(signed("ping", "{}"), Ok(Told::Other));
    assert_eq!(signed("issues", &github()), Ok(Told::Other));
    for garbled in ["", "null", "[]", "{}", r#"{"ref": 1, "repository": {}}"#, "\u{0}"] {
        assert_eq!(signed("push", garbled), Err(Refusal::Garbled), "{garbled:?}");
    }
    let nameless = r#"{"ref": "refs/heads/main", "repository": {"clone_url": "nothing"}}"#;
    let Ok(Told::Push(push)) = signed("push", nameless) else { panic!("it is a push") };
    assert_eq!(push.repositories, []);
    let tag = github().replace("\"refs/heads/main\"", "\"v1\", \"ref_type\": \"tag\"");
    let Ok(Told::Push(push)) = signed("create", &tag) else { panic!("it is a tag") };
    assert_eq!(push.refs, ["refs/tags/v1"]);
}

#[test]
fn short_secrets_are_none() {
    assert!(WebhookSecret::new("short\n").is_none());
    assert!(WebhookSecret::new("").is_none());
    let with_line = WebhookSecret::new(&format!("{SECRET}\n")).unwrap();
    assert!(with_line.is(SECRET));
}
