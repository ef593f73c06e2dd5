//! Forms of names: k8s.io/apiserver, `pkg/cel/library/format.go`; k8s.io/apimachinery,
//! `pkg/util/validation/validation.go`.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::urls::Url;
use super::{Entry, Special, found, global, made, method, mismatch, special, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::{Evaluation, EvaluationResult};
use crate::core::cel::moments;
use crate::core::cel::value::ExpressionValue;

/// The names of the forms, which functions have as well.
const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

pub(super) const FUNCTIONS: &[Entry] = &[
    global("format.named", 1, 1, |_, a| {
        let name = text(&a[0])?;
        let format = NAMES.into_iter().find(|known| *known == name);
        let format = format.map(|format| Rc::new(found(Special::Format(format))));
        Ok(ExpressionValue::Optional(format))
    }),
    global("format.dns1123Label", 0, 0, |_, _| Ok(found(Special::Format("dns1123Label")))),
    global("format.dns1123Subdomain", 0, 0, |_, _| Ok(found(Special::Format("dns1123Subdomain")))),
    global("format.dns1035Label", 0, 0, |_, _| Ok(found(Special::Format("dns1035Label")))),
    global("format.qualifiedName", 0, 0, |_, _| Ok(found(Special::Format("qualifiedName")))),
    global("format.dns1123LabelPrefix", 0, 0, |_, _| {
        Ok(found(Special::Format("dns1123LabelPrefix")))
    }),
    global("format.dns1123SubdomainPrefix", 0, 0, |_, _| {
        Ok(found(Special::Format("dns1123SubdomainPrefix")))
    }),
    global("format.dns1035LabelPrefix", 0, 0, |_, _| {
        Ok(found(Special::Format("dns1035LabelPrefix")))
    }),
    global("format.labelValue", 0, 0, |_, _| Ok(found(Special::Format("labelValue")))),
    global("format.uri", 0, 0, |_, _| Ok(found(Special::Format("uri")))),
    global("format.uuid", 0, 0, |_, _| Ok(found(Special::Format("uuid")))),
    global("format.byte", 0, 0, |_, _| Ok(found(Special::Format("byte")))),
    global("format.date", 0, 0, |_, _| Ok(found(Special::Format("date")))),
    global("format.datetime", 0, 0, |_, _| Ok(found(Special::Format("datetime")))),
    method("validate", 2, 2, validate),
];

fn validate<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let Special::Format(format) = special(&a[0])? else { return Err(mismatch()) };
    let text = text(&a[1])?;
    e.budget.take_text(text.len())?;
    // The words of the server's complaints are its own; that there are some is what rules ask.
    let fault = match is_sound(format, text)? {
        true => None,
        false => {
            let words: Vec<ExpressionValue<'o>> = vec![made(format!("must be a valid {format}"))];
            Some(Rc::new(ExpressionValue::List(words.into())))
        }
    };
    Ok(ExpressionValue::Optional(fault))
}

fn is_sound(format: &str, text: &str) -> Result<bool, EvaluationError> {
    // A prefix may end with a dash, as something comes after it.
    let prefix = text.strip_suffix('-').map_or(text.to_owned(), |text| format!("{text}a"));
    Ok(match format {
        "dns1123Label" => is_label(text, false) && text.len() <= 63,
        "dns1035Label" => is_label(text, true) && text.len() <= 63,
        "dns1123Subdomain" => is_subdomain(text),
        "dns1123LabelPrefix" => is_label(&prefix, false) && prefix.len() <= 63,
        "dns1035LabelPrefix" => is_label(&prefix, true) && prefix.len() <= 63,
        "dns1123SubdomainPrefix" => is_subdomain(&prefix),
        "qualifiedName" => match text.split_once('/') {
            Some((domain, name)) => is_subdomain(domain) && is_name(name),
            None => is_name(text),
        },
        "labelValue" => text.is_empty() || is_name(text),
        "uri" => Url::read(text).is_some(),
        "uuid" => is_uuid(text),
        "byte" => STANDARD.decode(text).is_ok(),
        "date" => moments::date(text).is_some(),
        "datetime" => match moments::timestamp(text) {
            Some(_) => true,
            // The server takes more forms than one.
            None if text.starts_with(|c: char| c.is_ascii_digit()) => {
                return Err(EvaluationError::unsupported("this form of a time"));
            }
            None => false,
        },
        _ => return Err(mismatch()),
    })
}

fn is_label(text: &str, is_letter_first: bool) -> bool {
    let bytes = text.as_bytes();
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => {
            is_plain(*first)
                && is_plain(*last)
                && !(is_letter_first && first.is_ascii_digit())
                && bytes.iter().all(|b| is_plain(*b) || *b == b'-')
        }
        _ => false,
    }
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|label| is_label(label, false))
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    text.len() <= 63
        && is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

fn is_uuid(text: &str) -> bool {
    let hex: String = text.chars().filter(|c| *c != '-').collect();
    let at: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let is_placed = at.iter().enumerate().all(|(number, at)| {
        // A dash may stand after each group of 8, 4, 4 and 4 digits.
        let digits = at - number;
        matches!(digits, 8 | 12 | 16 | 20)
    });
    hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()) && is_placed
}
