//! The text of a kubeconfig → its contexts, clusters and users. Fields have the types of client-go's
//! (`tools/clientcmd/api/v1/types.go`), in what is not used, too; null is as good as not there, and
//! what client-go does not know is passed over. Errors quote no value: it may be a secret.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Kubeconfig;
use crate::core::json::{Map, Value};
use crate::core::manifest;

/// A named entry of a list.
#[derive(Clone, Debug, Default)]
pub(in crate::cluster) struct NamedEntry {
    pub(in crate::cluster) name: String,
    pub(super) fields: Map,
    /// The file that it stands in, once that is known.
    pub(super) file: Option<PathBuf>,
}

/// The type of a value.
#[derive(Clone, Copy)]
enum FieldType {
    Text,
    Flag,
    /// Bytes in base64.
    Bytes,
    Any,
    Texts,
    /// Texts under keys.
    TextMap,
    /// Lists of texts under keys.
    TextsMap,
    Fields(&'static [Field]),
    List(&'static [Field]),
}

struct Field {
    name: &'static str,
    of: FieldType,
}

const fn field(name: &'static str, of: FieldType) -> Field {
    Field { name, of }
}

const fn text(name: &'static str) -> Field {
    field(name, FieldType::Text)
}

const CONFIG: &[Field] = &[
    text("kind"),
    text("apiVersion"),
    field("preferences", FieldType::Fields(PREFERENCES)),
    field("clusters", FieldType::List(CLUSTERS)),
    field("users", FieldType::List(USERS)),
    field("contexts", FieldType::List(CONTEXTS)),
    text("current-context"),
    field("extensions", FieldType::List(EXTENSIONS)),
];

const PREFERENCES: &[Field] =
    &[field("colors", FieldType::Flag), field("extensions", FieldType::List(EXTENSIONS))];

const EXTENSIONS: &[Field] = &[text("name"), field("extension", FieldType::Any)];

const CLUSTERS: &[Field] = &[text("name"), field("cluster", FieldType::Fields(CLUSTER))];

const CLUSTER: &[Field] = &[
    text("server"),
    text("tls-server-name"),
    field("insecure-skip-tls-verify", FieldType::Flag),
    text("certificate-authority"),
    field("certificate-authority-data", FieldType::Bytes),
    text("proxy-url"),
    field("disable-compression", FieldType::Flag),
    field("extensions", FieldType::List(EXTENSIONS)),
];

const USERS: &[Field] = &[text("name"), field("user", FieldType::Fields(USER))];

const USER: &[Field] = &[
    text("client-certificate"),
    field("client-certificate-data", FieldType::Bytes),
    text("client-key"),
    field("client-key-data", FieldType::Bytes),
    text("token"),
    text("tokenFile"),
    text("as"),
    text("as-uid"),
    field("as-groups", FieldType::Texts),
    field("as-user-extra", FieldType::TextsMap),
    text("username"),
    text("password"),
    field("auth-provider", FieldType::Fields(PROVIDER)),
    field("exec", FieldType::Fields(EXEC)),
    field("extensions", FieldType::List(EXTENSIONS)),
];

const PROVIDER: &[Field] = &[text("name"), field("config", FieldType::TextMap)];

const EXEC: &[Field] = &[
    text("command"),
    field("args", FieldType::Texts),
    field("env", FieldType::List(&[text("name"), text("value")])),
    text("apiVersion"),
    text("installHint"),
    field("provideClusterInfo", FieldType::Flag),
    text("interactiveMode"),
];

const CONTEXTS: &[Field] = &[text("name"), field("context", FieldType::Fields(CONTEXT))];

const CONTEXT: &[Field] = &[
    text("cluster"),
    text("user"),
    text("namespace"),
    field("extensions", FieldType::List(EXTENSIONS)),
];

/// The content of a kubeconfig. Of several documents the first one counts.
///
/// # Errors
///
/// When it is not YAML, or has not the fields of a kubeconfig; as text that quotes no value.
pub(super) fn kubeconfig(bytes: &[u8]) -> Result<Kubeconfig, String> {
    let read = manifest::value("", bytes);
    let read = read.map_err(|problem| {
        // The rest of a problem may quote a token.
        format!("{}:{}: it is not YAML", problem.place.line, problem.place.column)
    })?;
    let Some((value, _)) = read else { return Ok(Kubeconfig::default()) };
    let mut config = match of_type(value, FieldType::Fields(CONFIG), "")? {
        Value::Object(config) => config,
        _ => Map::new(),
    };
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, version, current) = (text("kind"), text("apiVersion"), text("current-context"));
    if !matches!(kind.as_str(), "" | "Config") || !matches!(version.as_str(), "" | "v1") {
        let shown = |text: &str| text.chars().take(40).collect::<String>();
        let (kind, version) = (shown(&kind), shown(&version));
        return Err(format!("it is a {kind:?} of {version:?}, not a Config of v1"));
    }
    Ok(Kubeconfig {
        contexts: named_entries(&mut config, "contexts", "context")?,
        clusters: named_entries(&mut config, "clusters", "cluster")?,
        users: named_entries(&mut config, "users", "user")?,
        current,
    })
}

/// The entries of a list by their names, of which each may be there once.
fn named_entries(config: &mut Map, list: &str, part: &str) -> Result<Vec<NamedEntry>, String> {
    let mut all: Vec<NamedEntry> = Vec::new();
    let Some(Value::Array(entries)) = config.remove(list) else { return Ok(all) };
    for mut entry in entries {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if all.iter().any(|known| known.name == name) {
            return Err(format!("{list}: duplicate name {name:?}"));
        }
        let fields = match entry.get_mut(part).map(Value::take) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        all.push(NamedEntry { name, fields, file: None });
    }
    Ok(all)
}

/// The value without nulls and unknown fields.
fn of_type(value: Value, of: FieldType, path: &str) -> Result<Value, String> {
    let each = |values: Vec<Value>, of: FieldType| -> Result<Value, String> {
        let values = values.into_iter().enumerate();
        values.map(|(n, value)| of_type(value, of, &format!("{path}[{n}]"))).collect()
    };
    let under = |values: Map, of: FieldType| -> Result<Value, String> {
        let values = values.into_iter().map(|(key, value)| {
            Ok::<_, String>((key.clone(), of_type(value, of, &format!("{path}.{key}"))?))
        });
        Ok(Value::Object(values.collect::<Result<_, _>>()?))
    };
    Ok(match (of, value) {
        (FieldType::Any, value) => value,
        (FieldType::Text, Value::Null) => "".into(),
        (FieldType::Flag, Value::Null) => false.into(),
        (FieldType::Texts | FieldType::List(_), Value::Null) => Value::Array(Vec::new()),
        (FieldType::Bytes, Value::Null) => "".into(),
        (FieldType::TextMap | FieldType::TextsMap | FieldType::Fields(_), Value::Null) => {
            Map::new().into()
        }
        (FieldType::Text, value @ Value::String(_)) | (FieldType::Flag, value @ Value::Bool(_)) => {
            value
        }
        (FieldType::Bytes, Value::String(text)) => {
            let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            match STANDARD.decode(&text) {
                Ok(_) => text.into(),
                Err(_) => return Err(format!("{path} is not base64")),
            }
        }
        (FieldType::Texts, Value::Array(values)) => each(values, FieldType::Text)?,
        (FieldType::List(fields), Value::Array(values)) => each(values, FieldType::Fields(fields))?,
        (FieldType::TextMap, Value::Object(values)) => under(values, FieldType::Text)?,
        (FieldType::TextsMap, Value::Object(values)) => under(values, FieldType::Texts)?,
        (FieldType::Fields(fields), Value::Object(values)) => {
            let mut known = Map::new();
            for (key, value) in values {
                let field = fields.iter().find(|field| field.name == key);
                let Some(field) = field.filter(|_| !value.is_null()) else { continue };
                let at = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                known.insert(key, of_type(value, field.of, &at)?);
            }
            known.into()
        }
        (of, value) => {
            let at = if path.is_empty() { "it" } else { path };
            return Err(format!("{at} is {}, but must be {}", what(&value), of.what()));
        }
    })
}

impl FieldType {
    fn what(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Flag => "true or false",
            Self::Bytes => "base64",
            Self::Any => "anything",
            Self::Texts | Self::List(_) => "a list",
            Self::TextMap | Self::TextsMap | Self::Fields(_) => "a map",
        }
    }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

impl NamedEntry {
    /// Makes a path absolute.
    pub(super) fn resolve(&mut self, key: &str, folder: &Path) {
        if let Some(value) = self.fields.get_mut(key) {
            resolve(value, folder);
        }
    }

    /// Does the same with the command of an exec plugin, unless it is looked for on PATH.
    pub(super) fn resolve_command(&mut self, folder: &Path) {
        let command = self.fields.get_mut("exec").and_then(|exec| exec.get_mut("command"));
        let is_path =
            |it: &Value| it.as_str().is_some_and(|it| it.contains(std::path::is_separator));
        if let Some(command) = command.filter(|command| is_path(command)) {
            resolve(command, folder);
        }
    }
}

fn resolve(value: &mut Value, folder: &Path) {
    if let Some(path) = value.as_str().filter(|path| !path.is_empty())
        && let Some(path) = folder.join(path).to_str()
    {
        *value = path.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        kubeconfig(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn null_counts_as_absent() {
        let text = "clusters: null\nusers: [null, {name: a, user: null}]\n\
                    contexts: [{name: b, context: {cluster: null, user: x}}]";
        let found = kubeconfig(text.as_bytes()).unwrap();
        assert_eq!(
            found.users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(),
            ["", "a"]
        );
        assert_eq!(found.contexts[0].fields.len(), 1);
        for nothing in ["", "null", "# nothing\n", "---\n"] {
            assert!(kubeconfig(nothing.as_bytes()).unwrap().contexts.is_empty());
        }
    }

    #[test]
    fn types_are_held_and_no_value_is_quoted() {
        for (text, expected) in [
            ("users: [{name: a, user: {token: 123}}]", "users[0].user.token is a number"),
            ("users: [{name: a, user: {token: [x]}}]", "users[0].user.token is a list"),
            ("clusters: {a: b}", "clusters is a map, but must be a list"),
            ("clusters: [{cluster: {insecure-skip-tls-verify: 'true'}}]", "true or false"),
            ("users: [{user: {client-key-data: 'a b'}}]", "client-key-data is not base64"),
            ("users: [{user: {exec: {env: [{name: a, value: 1}]}}}]", "exec.env[0].value is"),
            ("users: [{name: a}, {name: a}]", "users: duplicate name \"a\""),
            ("users: [null, null]", "users: duplicate name \"\""),
            ("[]", "it is a list"),
            ("kind: Pod\napiVersion: v1", "it is a \"Pod\" of \"v1\""),
            ("apiVersion: v2", "\"v2\""),
            ("a: [", "it is not YAML"),
        ] {
            assert!(error(text).contains(expected), "{text}: {}", error(text));
        }
    }

    #[test]
    fn base64_may_stand_on_several_lines() {
        let text = "users: [{name: a, user: {client-key-data: \"YW\\nJj\\r\\n\"}}]";
        let found = kubeconfig(text.as_bytes()).unwrap();
        assert_eq!(found.users[0].fields["client-key-data"], "YWJj");
    }
}
