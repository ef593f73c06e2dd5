//! URLs: k8s.io/apiserver, `pkg/cel/library/urls.go`, which takes what Go's `ParseRequestURI` takes.

use super::{Entry, Special, found, global, made, method, mismatch, special, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::{Evaluation, EvaluationResult};
use crate::core::cel::value::ExpressionValue;

/// The parts of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

pub(super) const FUNCTIONS: &[Entry] = &[
    global("url", 1, 1, |_, a| match &a[0] {
        ExpressionValue::Special(_) if url(a).is_ok() => Ok(a[0].clone()),
        value => match Url::read(text(value)?) {
            Some(url) => Ok(found(Special::Url(url))),
            None => Err(EvaluationError::stopped("url(): a text is not a URL")),
        },
    }),
    global("isURL", 1, 1, |_, a| Ok(ExpressionValue::Bool(Url::read(text(&a[0])?).is_some()))),
    method("getScheme", 1, 1, |_, a| Ok(made(url(a)?.scheme.as_str()))),
    method("getHost", 1, 1, |_, a| Ok(made(url(a)?.host.as_str()))),
    method("getHostname", 1, 1, |_, a| {
        let (name, _) = host_and_port(&url(a)?.host);
        Ok(made(name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)))
    }),
    method("getPort", 1, 1, |_, a| Ok(made(host_and_port(&url(a)?.host).1))),
    method("getEscapedPath", 1, 1, |_, a| Ok(made(url(a)?.path.as_str()))),
    method("getQuery", 1, 1, query),
];

fn url<'v>(a: &'v [ExpressionValue<'_>]) -> Result<&'v Url, EvaluationError> {
    match special(&a[0])? {
        Special::Url(url) => Ok(url),
        _ => Err(mismatch()),
    }
}

fn host_and_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    }
}

impl Url {
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        if text == "*" {
            return Some(Self::of("", "", "*", ""));
        }
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !rest.starts_with('/') {
            // A URL such as mailto:someone, which has no host and no path.
            return (!scheme.is_empty()).then(|| Self::of(scheme, "", "", query));
        }
        let (host, path) = match rest.strip_prefix("//") {
            Some(after) if !scheme.is_empty() || !rest.starts_with("///") => {
                let end = after.find('/').unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
            _ => (String::new(), rest),
        };
        let host = match host.rsplit_once('@') {
            Some((user, host)) => {
                let is_user =
                    |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
                (user.chars().all(is_user) && unescaped(user).is_some()).then(|| host.to_owned())?
            }
            None => host,
        };
        if !is_host(&host) || unescaped(path).is_none() {
            return None;
        }
        Some(Self::of(scheme, &host, &escaped(path), query))
    }

    fn of(scheme: &str, host: &str, path: &str, query: &str) -> Self {
        let (host, query) = (host.to_owned(), query.to_owned());
        Self { scheme: scheme.to_ascii_lowercase(), host, path: path.to_owned(), query }
    }
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    for (at, letter) in text.char_indices() {
        match letter {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some(("", text))
}

fn is_host(host: &str) -> bool {
    let is_port = |port: &str| {
        port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
    };
    if let Some(rest) = host.strip_prefix('[') {
        return match rest.rfind(']') {
            Some(end) => {
                let address = rest[..end].split("%25").next().unwrap_or_default();
                is_port(&rest[end + 1..]) && address.parse::<core::net::Ipv6Addr>().is_ok()
            }
            None => false,
        };
    }
    if host.contains('[') || host.contains(']') {
        return false;
    }
    let (name, port) = match host.rfind(':') {
        Some(at) => host.split_at(at),
        None => (host, ""),
    };
    let is_letter =
        |c: char| c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:<>\"%".contains(c) || !c.is_ascii();
    // Of a host only what is beyond ASCII may be escaped.
    let is_escaped = |at: usize| {
        name.get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .is_some_and(|b| b >= 0x80)
    };
    is_port(port)
        && name.chars().all(is_letter)
        && name.match_indices('%').all(|(at, _)| is_escaped(at))
}

/// A text without its escapes; `None` where one is broken.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let (mut made, bytes) = (Vec::with_capacity(text.len()), text.as_bytes());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let hex = text
                .get(at + 1..at + 3)
                .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
            made.push(u8::from_str_radix(hex, 16).ok()?);
            at += 3;
        } else {
            made.push(bytes[at]);
            at += 1;
        }
    }
    Some(made)
}

/// The path with escapes where it needs them.
fn escaped(path: &str) -> String {
    let is_valid = |b: u8| b.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:@/[]%".contains(&b);
    if path.bytes().all(is_valid) {
        return path.to_owned();
    }
    let plain = unescaped(path).unwrap_or_default();
    let mut made = String::new();
    for byte in plain {
        match byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            true => made.push(char::from(byte)),
            false => made.push_str(&format!("%{byte:02X}")),
        }
    }
    made
}

fn query<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let url = url(a)?;
    e.budget.take_elements(url.query.len())?;
    let mut entries: Vec<(String, Vec<ExpressionValue<'o>>)> = Vec::new();
    for part in url.query.split('&').filter(|part| !part.is_empty() && !part.contains(';')) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let decoded = |text: &str| {
            let bytes = unescaped(&text.replace('+', " "))?;
            String::from_utf8(bytes).ok()
        };
        let (Some(key), Some(value)) = (decoded(key), decoded(value)) else { continue };
        match entries.iter_mut().find(|(own, _)| *own == key) {
            Some((_, values)) => values.push(made(value)),
            None => entries.push((key, vec![made(value)])),
        }
    }
    let entries =
        entries.into_iter().map(|(key, values)| (made(key), ExpressionValue::List(values.into())));
    Ok(ExpressionValue::Map(entries.collect()))
}
