//! The decisions about tokens, without an identity provider.

use std::collections::HashMap;

use super::*;

fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

pub(super) fn provider(more: &[(&str, &str)]) -> Result<Provider, String> {
    let usual = [("idp-issuer-url", "https://idp.example"), ("client-id", "cli")];
    let config =
        usual.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config: HashMap<_, _> = config.collect();
    let said: AuthProviderConfig =
        crate::core::json::from_value(json!({ "name": "oidc", "config": config })).unwrap();
    Provider::new(&said, None)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

/// The decision at the time of these tests.
fn decided(more: &[(&str, &str)], before: Option<&Credential>) -> String {
    match provider(more).unwrap().decide(before, now()) {
        Ok(Decision::Use(credential)) => format!("use {}", credential.token.unwrap()),
        Ok(Decision::Refresh(token)) => format!("refresh {token}"),
        Err(error) => error.message,
    }
}

#[test]
fn a_token_is_used_until_ten_seconds_before_its_end() {
    for (claims, expected) in [
        (r#"{"exp":1700000011}"#, "use"),
        (r#"{"exp":1700000011.5}"#, "use"),
        (r#"{"exp":"1700000011"}"#, "use"),
        (r#"{"exp":1700000010}"#, "refresh R"),
        (r#"{"exp":1}"#, "refresh R"),
        ("{}", "refresh R"),
        (
            r#"{"exp":"soon"}"#,
            "the user's auth-provider oidc has an id-token whose exp is not a time",
        ),
        ("[]", "the user's auth-provider oidc has an id-token that is not a JSON Web Token"),
    ] {
        let token = jwt(claims);
        let found = decided(&[("id-token", &token), ("refresh-token", "R")], None);
        assert_eq!(found.replace(&format!("use {token}"), "use"), expected, "{claims}");
    }
    for token in ["abc", "a.b", "a.b.c.d", "e30.!.c", "e30..c"] {
        let found = decided(&[("id-token", token), ("refresh-token", "R")], None);
        assert!(found.ends_with("has an id-token that is not a JSON Web Token"), "{found}");
    }
}

#[test]
fn the_newest_refresh_token_counts() {
    assert_eq!(decided(&[("refresh-token", "R")], None), "refresh R");
    let valid = jwt(r#"{"exp":1700009999}"#);
    let said = [("id-token", valid.as_str()), ("refresh-token", "R")];
    let mut before = Credential {
        token: Some(valid.clone()),
        certificate: None,
        expires: None,
        refresh_token: Some("newer".to_owned()),
    };
    assert_eq!(decided(&said, Some(&before)), "refresh newer");
    before.refresh_token = None;
    assert_eq!(decided(&said, Some(&before)), "refresh R");
}

#[test]
fn without_a_refresh_token_the_error_says_what_there_is() {
    let none = "the user's auth-provider oidc has no id-token and no refresh-token";
    assert_eq!(decided(&[], None), none);
    assert_eq!(decided(&[("id-token", ""), ("refresh-token", "")], None), none);
    let found = decided(&[("id-token", &jwt(r#"{"exp":1600000000}"#))], None);
    assert!(
        found.contains("expired on 2020-09-13") && found.ends_with("no refresh-token"),
        "{found}"
    );
    let error = provider(&[]).unwrap().decide(None, now()).err().unwrap();
    assert!(error.hint.unwrap().contains("kubelogin"));
}

#[test]
fn missing_oidc_settings_are_named() {
    for key in ["idp-issuer-url", "client-id"] {
        let error = provider(&[(key, "")]).err().unwrap();
        assert_eq!(error, format!("the user's auth-provider oidc has no {key}"));
    }
    for (key, value, part) in [
        ("idp-certificate-authority-data", "a b", "idp-certificate-authority-data is not base64"),
        ("idp-certificate-authority-data", "bm9uZQ==", "has no certificate in it"),
        ("idp-certificate-authority", "/nowhere/ca", "cannot read the idp-certificate-authority"),
    ] {
        let error = provider(&[(key, value)]).err().unwrap();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn token_refreshed_by_another_run_is_used() {
    let (old, new) = (jwt(r#"{"exp":1}"#), jwt(r#"{"exp":1700009999}"#));
    let gone = jwt(r#"{"exp":2}"#);
    let said = [("id-token", old.as_str()), ("refresh-token", "R")];
    let provider = provider(&said).unwrap();
    let shown = |token: &str| Credential {
        token: Some(token.to_owned()),
        certificate: None,
        expires: None,
        refresh_token: Some("S".to_owned()),
    };
    let found = |id_token: &str, refresh_token: &str, before: Option<&Credential>| {
        let present =
            [id_token, refresh_token].map(|it| Some(it.to_owned()).filter(|it| !it.is_empty()));
        match provider.newer(present, before, now()) {
            Some(Decision::Use(it)) => {
                format!("use {}, then {}", it.token.unwrap(), it.refresh_token.unwrap())
            }
            Some(Decision::Refresh(token)) => format!("refresh {token}"),
            None => "nothing new".to_owned(),
        }
    };
    assert_eq!(found(&old, "R", None), "nothing new");
    assert_eq!(found("", "", None), "nothing new");
    assert_eq!(found(&new, "T", None), format!("use {new}, then T"));
    assert_eq!(found(&new, "R", None), format!("use {new}, then R"));
    assert_eq!(found(&new, "", None), format!("use {new}, then R"));
    assert_eq!(found(&new, "T", Some(&shown(&new))), "refresh T", "the server refused it");
    assert_eq!(found(&gone, "T", None), "refresh T");
    assert_eq!(found("none", "R", None), "nothing new");
    assert_eq!(found(&old, "R", Some(&shown(&old))), "nothing new", "S could not be written");
}

#[test]
fn the_identity_provider_is_shown_without_a_password() {
    for issuer in [
        "https://u:pass word@idp/realm?a#b",
        "https://u:pass/word@idp/realm",
        "https://u:pass#word?)@idp/realm",
        "https://u:pass@idp/realm#word",
    ] {
        let shown = provider(&[("idp-issuer-url", issuer)]).unwrap().shown();
        assert_eq!(shown, "the identity provider https://idp/realm");
    }
}
