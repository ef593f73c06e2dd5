//! Exec plugins of a kubeconfig: programs that print a credential. One is run once, and again when
//! what it gave expires or the server no longer takes it, as client-go does
//! (k8s.io/client-go, `plugin/pkg/client/auth/exec/exec.go`).

use std::io::{self, IsTerminal as _};
use std::process::{Output, Stdio};

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use tokio::process::Command;

use super::authentication::ended;
use super::credential::{Credential, NoCredential};

use crate::core::json::{self, Map, Value, json};

/// The variable in which a plugin gets what it may want to know.
const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";

/// Runs the plugin.
///
/// # Errors
///
/// When it can't be run, fails, or gives nothing.
pub(super) async fn ask(exec: &ExecConfig) -> Result<Credential, NoCredential> {
    let program = exec.command.as_deref().filter(|program| !program.is_empty());
    let Some(program) = program else {
        let message = "the user's exec plugin has no command".to_owned();
        return Err(NoCredential { message, hint: None });
    };
    let failed = |why: String, hint: Option<String>| {
        let message = format!("the exec plugin {program} {why}");
        NoCredential { message, hint }
    };
    let has_terminal = io::stdin().is_terminal();
    let is_interactive = match exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !has_terminal => {
            let why = "needs a terminal (interactiveMode: Always), and there is none";
            let hint = "without a terminal, use a user of the kubeconfig that does not need one";
            return Err(failed(why.to_owned(), Some(hint.to_owned())));
        }
        _ => has_terminal,
    };
    let mut command = Command::new(program);
    command.args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    command.env(EXEC_INFO, exec_info(exec, is_interactive).to_string());
    command.stdout(Stdio::piped()).kill_on_drop(true);
    // Questions go to the terminal; else stderr is shown where the plugin fails.
    match is_interactive {
        true => command.stdin(Stdio::inherit()).stderr(Stdio::inherit()),
        false => command.stdin(Stdio::null()).stderr(Stdio::piped()),
    };
    let child = command.spawn().map_err(|error| {
        let hint = exec.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty());
        let why = match error.kind() {
            io::ErrorKind::NotFound if !program.contains('/') => "it is not on PATH".to_owned(),
            _ => error.to_string(),
        };
        let hint = hint.unwrap_or("install it, or correct the command in the kubeconfig");
        failed(format!("can't be run: {why}"), Some(hint.to_owned()))
    })?;
    let lost = |error| failed(format!("is lost: {error}"), None);
    let Output { status, stdout, stderr } = child.wait_with_output().await.map_err(lost)?;
    if !status.success() {
        let ended = ended(&Output { status, stdout: Vec::new(), stderr });
        return Err(failed(ended, Some("log in again, and then run this again".to_owned())));
    }
    read(exec, &stdout).map_err(|why| failed(why, None))
}

/// The input of a plugin: whether it may ask, and the cluster where the kubeconfig wants that.
fn exec_info(exec: &ExecConfig, is_interactive: bool) -> Value {
    let mut spec = Map::from_iter([("interactive".to_owned(), is_interactive.into())]);
    if exec.provide_cluster_info
        && let Ok(cluster) = json::to_value(&exec.cluster)
    {
        spec.insert("cluster".to_owned(), cluster);
    }
    json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Reads what the plugin printed, which is JSON or YAML, and never quoted.
fn read(exec: &ExecConfig, stdout: &[u8]) -> Result<Credential, String> {
    let printed: ExecCredential = serde_yaml::from_slice(stdout).map_err(|error| {
        let place = error.location();
        let place = place.map(|at| format!(" (line {}, column {})", at.line(), at.column()));
        format!("did not print an ExecCredential{}", place.unwrap_or_default())
    })?;
    let wanted = exec.api_version.as_deref().unwrap_or_default();
    if printed.kind != "ExecCredential" || !wanted.is_empty() && printed.api_version != wanted {
        return Err(format!("printed something other than an ExecCredential of {wanted}"));
    }
    let status = printed.status.ok_or("printed an ExecCredential without status")?;
    let full = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let token = full(status.token).map(|token| token.trim().to_owned());
    let certificate = match (full(status.client_certificate_data), full(status.client_key_data)) {
        (Some(certificate), Some(key)) => Some([certificate, key]),
        (None, None) => None,
        _ => return Err("gave only one of a certificate and its key".to_owned()),
    };
    if token.as_ref().is_some_and(|token| token.chars().any(char::is_control)) {
        return Err("gave a token with line breaks or other control characters in it".to_owned());
    }
    if token.is_none() && certificate.is_none() {
        return Err("gave neither a token nor a certificate".to_owned());
    }
    // One that comes expired is used as long as the server takes it, so that clocks which differ do not
    // run the plugin before every request.
    let expires = status.expiration_timestamp.filter(|end| *end > Timestamp::now());
    Ok(Credential { token, certificate, expires, refresh_token: None })
}
