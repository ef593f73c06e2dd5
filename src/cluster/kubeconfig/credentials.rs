//! A user's credentials: which of the fields count, with the files that they name read. The order
//! is client-go's (`tools/clientcmd/client_config.go`, `transport/round_trippers.go`).

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::AuthInfo;
use secrecy::{ExposeSecret as _, SecretString};

use super::{LARGEST, pem};
use crate::cluster::oidc::Provider;
use crate::local::bounded_read;

/// The user with what counts of the credentials.
///
/// # Errors
///
/// When a file of them can't be read, or there is no such thing in it; as text without what is secret.
pub(super) fn settled(mut user: AuthInfo) -> Result<AuthInfo, String> {
    if let Some(said) = &user.auth_provider {
        Provider::new(said, None)?;
    }
    certificate(&mut user)?;
    token(&mut user)?;
    // A password alone is shown to no server.
    match user.username.is_some() {
        true => user.password.get_or_insert_with(|| "".to_owned().into()),
        false => return Ok(without_plugin(AuthInfo { password: None, ..user })),
    };
    if user.token.is_some() || user.token_file.is_some() {
        return Err("the user has both a token and a name with a password".to_owned());
    }
    Ok(without_plugin(user))
}

/// The user without an exec plugin where there is a credential already, and without an auth-provider
/// where there is another one to show in its place.
fn without_plugin(mut user: AuthInfo) -> AuthInfo {
    let has_token = user.token.is_some() || user.token_file.is_some();
    if has_token || user.username.is_some() {
        user.auth_provider = None;
    }
    if has_token || user.username.is_some() || user.client_certificate_data.is_some() {
        user.exec = None;
    }
    user
}

/// A key without a certificate is for nothing.
fn certificate(user: &mut AuthInfo) -> Result<(), String> {
    let (certificate, key) = (user.client_certificate.take(), user.client_key.take());
    let key_data = user.client_key_data.take();
    let data = user.client_certificate_data.take();
    if certificate.is_none() && data.is_none() {
        return Ok(());
    }
    let chain = bytes(data.as_deref(), certificate.as_deref(), "client-certificate")?;
    let key_data = key_data.as_ref().map(|data| data.expose_secret());
    let key = bytes(key_data, key.as_deref(), "client-key")?;
    let chain = pem::chain(&chain)
        .ok_or("the user's client-certificate has no certificate in it (as PEM)")?;
    let key = pem::key(&key).ok_or("the user's client-key has no private key in it (as PEM)")?;
    user.client_certificate_data = Some(STANDARD.encode(chain));
    user.client_key_data = Some(SecretString::from(STANDARD.encode(key)));
    Ok(())
}

/// The data in the kubeconfig, or else in the file that it names.
///
/// # Errors
///
/// When that can't be read.
pub(in crate::cluster) fn bytes(
    data: Option<&str>,
    file: Option<&str>,
    what: &str,
) -> Result<Vec<u8>, String> {
    match (data, file) {
        (Some(data), _) => STANDARD.decode(data).map_err(|_| format!("{what}-data is not base64")),
        (None, Some(path)) => bounded_read::read(Path::new(path), LARGEST)
            .map_err(|error| format!("cannot read the {what} {path}: {error}")),
        (None, None) => Ok(Vec::new()),
    }
}

/// The token of a file counts, whatever else is said, as long as it can be read; white space around it is
/// none of it.
fn token(user: &mut AuthInfo) -> Result<(), String> {
    if let Some(path) = user.token_file.clone() {
        let read = bounded_read::read(Path::new(&path), LARGEST);
        let read = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match read {
            Ok(token) if !token.trim().is_empty() => {
                user.token = None;
                // One without is read again by kube from time to time, as a pod's own has to be.
                if token.trim() != token {
                    user.token_file = None;
                    user.token = Some(token.trim().to_owned().into());
                }
                return is_header(token.trim(), &format!("the token of {path}"));
            }
            _ if user.token.is_some() => user.token_file = None,
            Ok(_) => return Err(format!("the tokenFile {path} is empty")),
            Err(error) => return Err(format!("cannot read the tokenFile {path}: {error}")),
        }
    }
    match &user.token {
        Some(token) => is_header(token.expose_secret(), "the user's token"),
        None => Ok(()),
    }
}

/// Whether a token can be sent.
fn is_header(token: &str, what: &str) -> Result<(), String> {
    let is_control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 127;
    match token.bytes().any(is_control) {
        true if token.trim_end().bytes().any(is_control) => {
            Err(format!("{what} has line breaks or other control characters in it"))
        }
        true => Err(format!("{what} ends in a line break; in YAML, `token: |-` leaves that out")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> AuthInfo {
        serde_yaml::from_str(&format!("{{{text}}}")).unwrap()
    }

    fn shown(user: &AuthInfo) -> crate::core::json::Value {
        crate::core::json::to_value(user).unwrap()
    }

    #[test]
    fn the_token_of_a_file_counts_without_its_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "of-the-file\n").unwrap();
        let file = format!("token: other, tokenFile: {}", path.display());
        let found = settled(user(&file)).unwrap();
        assert_eq!(shown(&found), crate::core::json::json!({"token": "of-the-file"}));
        std::fs::write(&path, "of-the-file").unwrap();
        let found = settled(user(&file)).unwrap();
        assert_eq!(shown(&found), crate::core::json::json!({"tokenFile": path}));
        let gone = "token: other, tokenFile: /nowhere/token";
        let found = settled(user(gone)).unwrap();
        assert_eq!(shown(&found), crate::core::json::json!({"token": "other"}));
        let gone = settled(user("tokenFile: /nowhere/token")).unwrap_err();
        assert!(gone.starts_with("cannot read the tokenFile /nowhere/token"), "{gone}");
    }

    #[test]
    fn a_token_that_cant_be_sent_is_an_error() {
        for token in ["abc\\n", "a\\nb", "a\\0b", "\\x7f"] {
            let error = settled(user(&format!("token: \"{token}\""))).unwrap_err();
            assert!(error.contains("the user's token") && !error.contains("abc"), "{error}");
        }
        assert!(settled(user("token: ' a b '")).is_ok());
    }

    #[test]
    fn a_plugin_is_not_asked_where_there_is_a_credential() {
        let exec = "exec: {command: log-in}";
        assert!(settled(user(exec)).unwrap().exec.is_some());
        assert!(settled(user(&format!("{exec}, password: a"))).unwrap().exec.is_some());
        for other in ["token: a", "username: a", "username: a, password: b"] {
            assert!(settled(user(&format!("{exec}, {other}"))).unwrap().exec.is_none(), "{other}");
        }
    }
}
