//! Values whose text is not what the API server will see: those that SOPS encrypted, and variables
//! that Flux puts values for. What a rule says of such a text is no error; that there is an unknown
//! field, or a value of the wrong type, is one all the same.

use std::collections::HashMap;

use super::validate::KeyOrValue;
use super::variables::{Substituted, are_substituted, substituted};
use super::{CheckRule, Finding, words};
use crate::core::json::Value;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{Object, ObjectKey};
use crate::core::sops::{self, PlainType};

/// The findings about one object, of which `found` gives those of a manifest as it is.
pub(super) fn looked_through(
    key: &ObjectKey,
    manifest: &Manifest,
    found: &dyn Fn(&Manifest) -> Vec<Finding>,
) -> Vec<Finding> {
    let mut findings = match sops::shape(manifest) {
        Some(shaped) => {
            let hidden = Hidden::encrypted(key, &manifest.object);
            let findings = found(&shaped).into_iter();
            findings.filter_map(|finding| hidden.filtered(finding)).collect()
        }
        None => with_variables(key, manifest, found),
    };
    if let Some(path) = sops::ciphertext(&manifest.object) {
        let message = match path.len() {
            1 => "SOPS encrypted this object, so it is checked by its shape; diff and apply refuse it"
                .to_owned(),
            _ => format!(
                "{} is encrypted with SOPS; diff and apply refuse it",
                words::name(&path)
            ),
        };
        let hint = Some("trueup does not decrypt".into());
        let rule = CheckRule::Encrypted;
        let about = Finding::about(key, manifest, &path, KeyOrValue::Key, rule, message);
        findings.push(Finding { hint, ..about });
    }
    findings
}

/// Takes out what is said about hidden values from findings that are about several objects.
pub(super) fn known(named: &[(&ObjectKey, &Manifest)], findings: Vec<Finding>) -> Vec<Finding> {
    if findings.is_empty() {
        return findings;
    }
    let objects: HashMap<&ObjectKey, &Manifest> = named.iter().copied().collect();
    let is_known = |finding: &Finding| {
        let (Some(key), Some(field)) = (&finding.object, &finding.field) else { return true };
        let Some(manifest) = objects.get(key) else { return true };
        let object = &manifest.object;
        let variables = are_substituted(object);
        let mut values = texts(object).into_iter();
        !values.any(|(path, text)| {
            let is_hidden =
                || sops::plain_type(text).is_some() || variables && substituted(text).is_some();
            is_hidden() && words::field(&path) == *field
        })
    };
    findings.into_iter().filter(is_known).collect()
}

/// The findings about a manifest with Flux's variables. They count only where a rule refuses the
/// text that holds them: a script may have variables of its own.
fn with_variables(
    key: &ObjectKey,
    manifest: &Manifest,
    found: &dyn Fn(&Manifest) -> Vec<Finding>,
) -> Vec<Finding> {
    let findings = found(manifest);
    if findings.is_empty() || !are_substituted(&manifest.object) {
        return findings;
    }
    let texts = texts(&manifest.object);
    let holders = texts.into_iter().filter_map(|(path, text)| Some((path, substituted(text)?)));
    let holders: Vec<(Vec<PathPart<'_>>, Substituted)> = holders.collect();
    let is_refused = |path: &[PathPart<'_>]| {
        let field = words::field(path);
        findings.iter().any(|it| is_about_text(it.rule) && it.field.as_ref() == Some(&field))
    };
    let refused: Vec<_> = holders.iter().filter(|(path, _)| is_refused(path)).collect();
    let everything = Hidden {
        values: holders.iter().map(|(path, _)| (words::field(path), None)).collect(),
        parents: is_custom(key),
    };
    if refused.is_empty() && !findings.iter().any(|finding| everything.is_above(finding)) {
        return findings;
    }
    let mut shaped = manifest.clone();
    let mut unknown = Vec::new();
    for (path, text) in &refused {
        match (text.value(), at_mut(&mut shaped, path)) {
            (Some(known), Some(value)) => *value = known,
            _ => unknown.push((words::field(path), None)),
        }
    }
    let hidden = Hidden { values: unknown, parents: true };
    let again = found(&shaped).into_iter().filter(|finding| !everything.is_above(finding));
    let mut findings: Vec<Finding> = again.filter_map(|finding| hidden.filtered(finding)).collect();
    let first = refused.first().map(|(path, _)| path).or(holders.first().map(|(path, _)| path));
    if let Some(path) = first {
        let message = "holds variables, such as this one, that Flux would substitute; trueup does \
            not, so only their defaults are checked"
            .to_owned();
        let (rule, at) = (CheckRule::Variables, KeyOrValue::Value);
        let hint = "write the value, or annotate the object with \
            kustomize.toolkit.fluxcd.io/substitute: disabled if it is meant as it is";
        let about = Finding::about(key, manifest, path, at, rule, message);
        findings.push(Finding { hint: Some(hint.into()), ..about });
    }
    findings
}

/// Values that are not known.
struct Hidden {
    /// Their fields, each with its type where that is known.
    values: Vec<(String, Option<PlainType>)>,
    /// Whether rules of the values around them may depend on them.
    parents: bool,
}

impl Hidden {
    fn encrypted(key: &ObjectKey, object: &Object) -> Self {
        let values = texts(object).into_iter().filter_map(|(path, text)| {
            let plain = sops::plain_type(text)?;
            Some((words::field(&path), Some(plain).filter(|it| *it != PlainType::Unknown)))
        });
        // The keys of a Secret are as they are.
        Self { values: values.collect(), parents: key.kind != "Secret" }
    }

    /// The finding as far as it can be made without the values.
    fn filtered(&self, finding: Finding) -> Option<Finding> {
        if !is_about_text(finding.rule) {
            return Some(finding);
        }
        if self.is_above(&finding) {
            return None;
        }
        let is_it = |(field, _): &&(String, _)| finding.field.as_ref() == Some(field);
        let Some((field, plain)) = self.values.iter().find(is_it) else { return Some(finding) };
        match (finding.rule, plain) {
            (CheckRule::WrongType, Some(plain)) => {
                let message =
                    format!("{field} has an encrypted value of the wrong type: {}", plain.words());
                Some(Finding { message, ..finding })
            }
            _ => None,
        }
    }

    /// Whether a finding is about something around one of the values.
    fn is_above(&self, finding: &Finding) -> bool {
        let field = finding.field.as_deref().unwrap_or_default();
        let is_below = |(below, _): &(String, _)| {
            let rest = below.strip_prefix(field);
            rest.is_some_and(|rest| field.is_empty() || rest.starts_with(['.', '[']))
        };
        self.parents
            && is_about_text(finding.rule)
            && finding.rule != CheckRule::WrongType
            && self.values.iter().any(is_below)
    }
}

/// Whether a rule looks at what a text says, and not at what fields there are.
fn is_about_text(rule: CheckRule) -> bool {
    !matches!(
        rule,
        CheckRule::Unreadable
            | CheckRule::UnknownField
            | CheckRule::MissingField
            | CheckRule::Duplicate
            | CheckRule::NoSchema
            | CheckRule::Reserved
            | CheckRule::SecretKey
            | CheckRule::Unreferenced
            | CheckRule::Outside
            | CheckRule::NotAManifest
            | CheckRule::Controlled
            | CheckRule::Encrypted
            | CheckRule::Variables
    )
}

/// Whether rules of a definition may look at several values at once.
fn is_custom(key: &ObjectKey) -> bool {
    key.group.contains('.') && !key.group.ends_with(".k8s.io")
}

/// All texts of an object, each with its path.
fn texts(object: &Object) -> Vec<(Vec<PathPart<'_>>, &str)> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    for (key, value) in &*object.0 {
        path.push(PathPart::Key(key));
        texts_below(value, &mut path, &mut found);
        path.pop();
    }
    found
}

fn texts_below<'v>(
    value: &'v Value,
    path: &mut Vec<PathPart<'v>>,
    found: &mut Vec<(Vec<PathPart<'v>>, &'v str)>,
) {
    match value {
        Value::String(text) if text.contains("${") || text.contains("ENC[") => {
            found.push((path.clone(), text));
        }
        Value::Object(map) => {
            for (key, value) in map {
                path.push(PathPart::Key(key));
                texts_below(value, path, found);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                path.push(PathPart::Index(index));
                texts_below(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The value of a manifest at a path.
fn at_mut<'m>(manifest: &'m mut Manifest, path: &[PathPart<'_>]) -> Option<&'m mut Value> {
    let (PathPart::Key(first), rest) = path.split_first()? else { return None };
    let mut value = manifest.object.fields_mut().get_mut(first)?;
    for part in rest {
        value = match (part, value) {
            (PathPart::Key(key), Value::Object(map)) => map.get_mut(key)?,
            (PathPart::Index(index), Value::Array(list)) => list.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use crate::core::check::Level;
    use crate::core::check::tests::found;

    /// Level, rule and message of what is found.
    #[track_caller]
    fn expect(yaml: &str, expected: &[&str]) {
        let found: Vec<String> = found(yaml)
            .into_iter()
            .map(|it| {
                let level = if it.level == Level::Error { "E" } else { "W" };
                format!("{level} {} {}", it.rule.name(), it.field.unwrap_or_default())
            })
            .collect();
        assert_eq!(found, expected, "{yaml}");
    }

    fn encrypted(yaml: &str) -> String {
        let enc = |of: &str| format!("ENC[AES256_GCM,data:dA==,iv:aXY=,tag:dGFn,type:{of}]");
        let yaml = ["str", "int", "float", "bool"]
            .iter()
            .fold(yaml.to_owned(), |yaml, of| yaml.replace(&format!("<{of}>"), &enc(of)));
        format!(
            "{yaml}sops:\n  age: [{{recipient: a}}]\n  mac: {}\n  lastmodified: '2026-01-01T00:00:00Z'\n",
            enc("str")
        )
    }

    const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: <n>\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n      - {name: web, image: 'a:<tag>'}\n";

    fn web(replicas: &str, tag: &str) -> String {
        WEB.replace("<n>", replicas).replace("<tag>", tag)
    }

    #[test]
    fn an_encrypted_secret_is_checked_by_its_shape() {
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n";
        expect(&encrypted(&format!("{secret}data: {{a: '<str>'}}\n")), &["W encrypted sops"]);
        expect(
            &encrypted(&format!("{secret}dta: {{a: '<str>'}}\nimmutable: '<bool>'\n")),
            &["E unknown-field dta", "W encrypted sops"],
        );
        expect(
            &encrypted(&format!("{secret}data: {{a: {{b: '<str>'}}}}\n")),
            &["E wrong-type data.a", "W encrypted sops"],
        );
        expect(
            &encrypted(&format!("{secret}stringData: {{a: '<int>'}}\nimmutable: '<str>'\n")),
            &["E wrong-type stringData.a", "E wrong-type immutable", "W encrypted sops"],
        );
    }

    #[test]
    fn an_encrypted_value_of_the_right_type_is_none_of_the_wrong_ones() {
        expect(&encrypted(&web("'<int>'", "1")), &["W encrypted sops"]);
        expect(
            &encrypted(&web("'<str>'", "1")),
            &["E wrong-type spec.replicas", "W encrypted sops"],
        );
        // SOPS' own key is not one where SOPS did not put it.
        expect(&format!("{}sops: {{}}\n", web("1", "1")), &["E unknown-field sops"]);
    }

    #[test]
    fn a_variable_is_checked_by_its_default() {
        let variables = "W variables spec.replicas";
        expect(&web("${N}", "${TAG}"), &[variables]);
        expect(&web("${N:=3}", "1"), &[variables]);
        expect(&web("\"${N:-3}\"", "1"), &[variables]);
        expect(&web("${N:=many}", "1"), &["E wrong-type spec.replicas", variables]);
        expect(&web("$${N}", "1"), &["E wrong-type spec.replicas"]);
        expect(&web("${N}", "1").replace("replicas", "replcas"), &["E unknown-field spec.replcas"]);
        // A field that takes any text takes a variable, too.
        expect(&web("3", "${TAG:=1}"), &[]);
        for mark in ["labels", "annotations"] {
            let off = format!(
                "metadata: {{name: web, {mark}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}}}"
            );
            let yaml = web("${N}", "1").replacen("metadata: {name: web}", &off, 1);
            expect(&yaml, &["E wrong-type spec.replicas"]);
        }
    }

    #[test]
    fn a_script_may_have_variables_of_its_own() {
        expect(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  run: 'cd ${HOME}; ${PORT:=80}'\n",
            &[],
        );
        expect(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, lables: {}}\ndata:\n  run: 'cd ${HOME}'\n",
            &["E unknown-field metadata.lables"],
        );
    }
}
