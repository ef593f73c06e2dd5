//! Kubeconfigs as client-go reads them, where kube differs: files of a list that are missing, values
//! that are empty, base64 over several lines, tokens with a line break
//! (k8s.io/client-go, `tools/clientcmd/loader.go` and `client_config.go`).

use std::io;
use std::path::{Path, PathBuf};

use kube::config::{Kubeconfig, KubeconfigError};
use serde_json::{Map, Value};

use crate::bounded;

/// How many bytes a kubeconfig may have.
const LARGEST: u64 = 16 << 20;

/// The files that `KUBECONFIG` names; none where it is empty or not set.
#[allow(clippy::disallowed_methods, reason = "a convention of kubectl's, which kube reads, too")]
pub(super) fn listed() -> Vec<PathBuf> {
    let paths = std::env::var_os("KUBECONFIG").unwrap_or_default();
    std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// The kubeconfig of one file, or else of those that are `listed`, or else the usual one.
///
/// # Errors
///
/// When a file can't be read or is no kubeconfig, or when none of those is there.
pub(super) fn read(file: Option<&Path>, listed: &[PathBuf]) -> Result<Kubeconfig, KubeconfigError> {
    let kubeconfig = match (file, listed) {
        (Some(file), _) => one(file)?,
        (None, []) => Kubeconfig::read()?,
        (None, listed) => merged(listed)?,
    };
    Ok(plain(&kubeconfig))
}

/// What the files say together, the first one that says something. Those that are missing say nothing.
fn merged(paths: &[PathBuf]) -> Result<Kubeconfig, KubeconfigError> {
    let mut merged: Option<Kubeconfig> = None;
    let mut missing = None;
    for path in paths {
        match one(path) {
            Ok(next) => {
                let before = merged.take().unwrap_or_default();
                merged = Some(before.merge(next)?);
            }
            Err(KubeconfigError::ReadConfig(error, path))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                missing.get_or_insert(KubeconfigError::ReadConfig(error, path));
            }
            Err(error) => return Err(error),
        }
    }
    match (merged, missing) {
        (Some(merged), _) => Ok(merged),
        (None, missing) => Err(missing.unwrap_or(KubeconfigError::FindPath)),
    }
}

/// Reads a file, which may be a pipe, as one that a shell makes of `<(…)`.
fn one(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    let failed = |error| KubeconfigError::ReadConfig(error, path.to_owned());
    let text = bounded::read(path, LARGEST).map_err(failed)?;
    let mut kubeconfig = if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        // Its paths are relative to where it is.
        Kubeconfig::read_from(path)?
    } else {
        let text = String::from_utf8(text);
        let text = text.map_err(|_| failed(io::Error::other("it is not UTF-8 text")))?;
        Kubeconfig::from_yaml(&text)?
    };
    // An empty one leaves the choice to the next file.
    kubeconfig.current_context = kubeconfig.current_context.filter(|name| !name.is_empty());
    Ok(kubeconfig)
}

/// The same without what is empty, and so as good as not said, and as client-go reads the rest.
fn plain(kubeconfig: &Kubeconfig) -> Kubeconfig {
    let mut value = serde_json::to_value(kubeconfig).unwrap_or_default();
    for (list, part) in [("contexts", "context"), ("clusters", "cluster"), ("users", "user")] {
        let named = value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for fields in named.filter_map(|named| named.get_mut(part)?.as_object_mut()) {
            fields.retain(|_, value| value != "");
            for (_, value) in fields.iter_mut().filter(|(key, _)| key.ends_with("-data")) {
                if let Some(text) = value.as_str().filter(|text| text.contains(char::is_whitespace))
                {
                    *value = text.split_whitespace().collect::<String>().into();
                }
            }
            if part == "user" {
                token(fields);
            }
        }
    }
    // It was one before.
    serde_json::from_value(value).unwrap_or_else(|_| kubeconfig.clone())
}

/// The token of a file counts, whatever else is said; white space around it is none of it. A file that
/// can't be read is told of where that user is the one.
fn token(user: &mut Map<String, Value>) {
    let Some(path) = user.get("tokenFile").and_then(Value::as_str).map(PathBuf::from) else {
        return;
    };
    user.remove("token");
    let Ok(token) = bounded::read(&path, LARGEST) else { return };
    let token = String::from_utf8_lossy(&token);
    // One without is read again by kube from time to time, as a pod's own has to be.
    if token.trim() != token {
        user.remove("tokenFile");
        user.insert("token".to_owned(), token.trim().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Value {
        let text = format!("users: [{{name: me, user: {{{text}}}}}]");
        let kubeconfig = plain(&Kubeconfig::from_yaml(&text).unwrap());
        serde_json::to_value(&kubeconfig).unwrap()["users"][0]["user"].take()
    }

    #[test]
    fn what_is_empty_is_not_said() {
        let text = "contexts: [{name: a, context: {cluster: a, user: '', namespace: ''}}]\n\
                    clusters: [{name: a, cluster: {server: x, tls-server-name: '', proxy-url: ''}}]";
        let plain = plain(&Kubeconfig::from_yaml(text).unwrap());
        let context = plain.contexts[0].context.as_ref().unwrap();
        assert_eq!((&context.namespace, &context.user), (&None, &None));
        let cluster = plain.clusters[0].cluster.as_ref().unwrap();
        assert_eq!((&cluster.tls_server_name, &cluster.proxy_url), (&None, &None));
        assert_eq!(user("token: '', username: '', client-key-data: ''"), serde_json::json!({}));
    }

    #[test]
    fn base64_may_stand_on_several_lines() {
        let user = user("client-certificate-data: \"YW\\nJj\\n\", client-key-data: \"YW Jj\"");
        assert_eq!(user["client-certificate-data"], "YWJj");
        assert_eq!(user["client-key-data"], "YWJj");
    }

    #[test]
    fn the_token_of_a_file_counts_without_its_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "of-the-file\n").unwrap();
        let file = format!("token: other, tokenFile: {}", path.display());
        assert_eq!(user(&file), serde_json::json!({"token": "of-the-file"}));
        std::fs::write(&path, "of-the-file").unwrap();
        assert_eq!(user(&file), serde_json::json!({"tokenFile": path}));
    }

    #[test]
    fn files_of_a_list_that_are_missing_say_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("one"), "current-context: ''\nusers: [{name: a, user: {}}]").unwrap();
        std::fs::write(path("two"), "current-context: b\nusers: [{name: b, user: {}}]").unwrap();
        let found = read(None, &[path("gone"), path("one"), path("two")]).unwrap();
        assert_eq!(found.current_context.as_deref(), Some("b"));
        assert_eq!(found.auth_infos.len(), 2);
        let gone = read(None, &[path("gone"), path("gone-too")]).unwrap_err();
        assert!(matches!(gone, KubeconfigError::ReadConfig(_, first) if first == path("gone")));
        std::fs::write(path("bad"), "a: [").unwrap();
        assert!(read(None, &[path("one"), path("bad")]).is_err());
    }
}
