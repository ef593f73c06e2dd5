//! Faults of options that reach a program's arguments. Each option is held to its form, so that
//! none can be a flag, a second argument, code, or a path that leads out of the checkout.

use crate::core::manifest::PathPart;

use super::set::SetPath;
use super::{Formats, Helm, Jsonnet};

/// The longest name of a release that Helm takes.
const LONGEST_RELEASE: usize = 53;

/// An option that can't be used.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidOption<'a> {
    /// Where it stands, from `render` on.
    pub path: Vec<PathPart<'a>>,
    /// Whether it is the key there that is wrong, and not its value.
    pub is_key: bool,
    /// The message.
    pub message: String,
}

impl Formats {
    /// The first option that can't be used, if any.
    pub fn wrong(&self) -> Option<InvalidOption<'_>> {
        let helm = self.helm.as_ref().and_then(wrong_helm);
        helm.or_else(|| self.jsonnet.as_ref().and_then(wrong_jsonnet)).map(|mut wrong| {
            wrong.path.insert(0, PathPart::Key("render"));
            wrong
        })
    }
}

fn wrong_helm(helm: &Helm) -> Option<InvalidOption<'_>> {
    let Helm { release, namespace, values, set, api_versions, kube_version } = helm;
    let at = |key, message: Option<&str>| {
        let path = vec![PathPart::Key("helm"), PathPart::Key(key)];
        message.map(|message| InvalidOption { path, is_key: false, message: message.to_owned() })
    };
    at("release", release.as_deref().and_then(wrong_release))
        .or_else(|| at("namespace", namespace.as_deref().and_then(wrong_namespace)))
        .or_else(|| each("helm", "values", values, wrong_file))
        .or_else(|| each("helm", "api-versions", api_versions, wrong_api_version))
        .or_else(|| at("kube-version", kube_version.as_deref().and_then(wrong_version)))
        .or_else(|| {
            let (key, message) =
                set.keys().find_map(|key| Some((key, SetPath::parse(key).err()?)))?;
            let path = ["helm", "set", key].map(PathPart::Key).to_vec();
            Some(InvalidOption {
                path,
                is_key: true,
                message: format!("not a path of a value: {message}"),
            })
        })
}

fn wrong_jsonnet(jsonnet: &Jsonnet) -> Option<InvalidOption<'_>> {
    let Jsonnet { tla, ext, library } = jsonnet;
    let name = [("tla", tla), ("ext", ext)].into_iter().find_map(|(kind, values)| {
        let name = values.keys().find(|name| !is_identifier(name))?;
        let path = ["jsonnet", kind, name].map(PathPart::Key).to_vec();
        let message = "not a name: only letters, digits and _, and no digit first".to_owned();
        Some(InvalidOption { path, is_key: true, message })
    });
    name.or_else(|| each("jsonnet", "library", library, wrong_path))
}

/// The first of a list that is wrong.
fn each<'a>(
    format: &'a str,
    key: &'a str,
    list: &'a [String],
    wrong: impl Fn(&str) -> Option<&'static str>,
) -> Option<InvalidOption<'a>> {
    let mut found = list.iter().enumerate();
    let (at, message) = found.find_map(|(at, text)| Some((at, wrong(text)?)))?;
    let path = vec![PathPart::Key(format), PathPart::Key(key), PathPart::Index(at)];
    Some(InvalidOption { path, is_key: false, message: message.to_owned() })
}

/// The fault of a namespace's name, if any.
pub fn wrong_namespace(name: &str) -> Option<&'static str> {
    (!is_dns_label(name)).then_some(
        "not a namespace: up to 63 lower-case letters, digits and -, with a letter or digit at \
         both ends",
    )
}

fn wrong_release(name: &str) -> Option<&'static str> {
    let is_name = name.len() <= LONGEST_RELEASE && name.split('.').all(is_dns_label);
    (!is_name).then_some(
        "not a release's name: up to 53 lower-case letters, digits, - and ., with a letter or \
         digit at both ends",
    )
}

/// A file that Helm is given: it takes a comma for the end of a path.
fn wrong_file(path: &str) -> Option<&'static str> {
    if path.contains([',', '"']) {
        return Some("Helm takes no values file with a comma or a quote in its path");
    }
    wrong_path(path)
}

fn wrong_path(path: &str) -> Option<&'static str> {
    if path.contains(char::is_control) {
        return Some("a path can't have control characters");
    }
    let mut depth = 0_usize;
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match (part, depth) {
            ("..", 0) => return Some("leads out of the checkout; paths count from its root"),
            ("..", _) => depth -= 1,
            _ => depth += 1,
        }
    }
    None
}

fn wrong_api_version(text: &str) -> Option<&'static str> {
    let is_part = |part: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(is_allowed)
    };
    (!text.split('/').all(is_part) || text.split('/').count() > 3).then_some(
        "not an API version, such as apps/v1, monitoring.coreos.com/v1 or apps/v1/Deployment",
    )
}

/// The fault of a text that is no version of Kubernetes.
pub fn wrong_version(text: &str) -> Option<&'static str> {
    let digits = text.strip_prefix('v').unwrap_or(text);
    let numbers = digits.split(['-', '+']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let is_version = numbers.split('.').all(is_number)
        && numbers.split('.').count() <= 3
        && digits.chars().all(|c| c.is_ascii_alphanumeric() || "-+.".contains(c));
    (!is_version).then_some("not a Kubernetes version, such as 1.33 or v1.33.1")
}

/// As RFC 1123 has it.
fn is_dns_label(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len())
        && name.chars().all(is_allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn wrong(yaml: &str) -> Option<(String, bool)> {
        let formats: Formats = serde_yaml::from_str(yaml).unwrap();
        formats.wrong().map(|wrong| {
            let part = |part: &PathPart<'_>| match part {
                PathPart::Key(key) => (*key).to_owned(),
                PathPart::Index(index) => index.to_string(),
            };
            let path: Vec<String> = wrong.path.iter().map(part).collect();
            (path.join("/"), wrong.is_key)
        })
    }

    #[test]
    fn every_option_that_reaches_an_argument_is_what_it_should_be() {
        for yaml in [
            "{helm: {release: web.a-1, namespace: shop, values: [a/b.yaml, /c.yaml, ./d.yaml], set: {'a.b[0]': 1}}}",
            "{helm: {api-versions: [v1, apps/v1, example.com/v1beta1/Widget], kube-version: v1.33.0-rc.1+x}}",
            "{helm: {kube-version: '1.33'}}",
            "{jsonnet: {tla: {env: 1, _a9: 2}, ext: {B: 1}, library: [lib, /vendor, a/../b]}}",
        ] {
            assert_eq!(wrong(yaml), None, "{yaml}");
        }
        for (yaml, place, is_key) in [
            ("{helm: {release: --debug}}", "render/helm/release", false),
            ("{helm: {release: Web}}", "render/helm/release", false),
            ("{helm: {namespace: a.b}}", "render/helm/namespace", false),
            ("{helm: {values: [a.yaml, '../b.yaml']}}", "render/helm/values/1", false),
            ("{helm: {values: ['a,/etc/hostname']}}", "render/helm/values/0", false),
            ("{helm: {api-versions: [v1, 'a,b']}}", "render/helm/api-versions/1", false),
            ("{helm: {api-versions: ['--debug']}}", "render/helm/api-versions/0", false),
            ("{helm: {kube-version: latest}}", "render/helm/kube-version", false),
            ("{helm: {set: {'a=b': 1}}}", "render/helm/set/a=b", true),
            ("{jsonnet: {tla: {'a=importstr b': 1}}}", "render/jsonnet/tla/a=importstr b", true),
            ("{jsonnet: {ext: {'': 1}}}", "render/jsonnet/ext/", true),
            ("{jsonnet: {ext: {'9a': 1}}}", "render/jsonnet/ext/9a", true),
            ("{jsonnet: {library: ['../a']}}", "render/jsonnet/library/0", false),
        ] {
            assert_eq!(wrong(yaml), Some((place.to_owned(), is_key)), "{yaml}");
        }
    }
}
