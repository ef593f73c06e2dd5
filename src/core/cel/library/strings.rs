//! Texts: cel-go's `ext/strings.go`. Places in a text count characters.

use super::{
    Entry, elements, global, int, made, method, mismatch, number, printing, text, text_at,
};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::{Evaluation, EvaluationResult};
use crate::core::cel::value::ExpressionValue;

pub(super) const FUNCTIONS: &[Entry] = &[
    method("charAt", 2, 2, char_at),
    method("indexOf", 2, 3, index_of),
    method("lastIndexOf", 2, 3, last_index_of),
    method("join", 1, 2, join),
    method("lowerAscii", 1, 1, |_, a| Ok(made(text(&a[0])?.to_ascii_lowercase()))),
    method("upperAscii", 1, 1, |_, a| Ok(made(text(&a[0])?.to_ascii_uppercase()))),
    method("replace", 3, 4, replace),
    method("split", 2, 3, split),
    method("substring", 2, 3, substring),
    method("trim", 1, 1, |_, a| Ok(made(text(&a[0])?.trim()))),
    method("format", 2, 2, printing::format),
    method("reverse", 1, 1, reverse),
    global("strings.quote", 1, 1, |_, a| Ok(made(printing::quoted(text(&a[0])?)))),
];

fn outside() -> EvaluationError {
    EvaluationError::stopped("index out of range")
}

/// The place of a character, in bytes; the end counts as one.
fn place(text: &str, index: i64) -> Result<usize, EvaluationError> {
    let index = usize::try_from(index).map_err(|_| outside())?;
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.nth(index).ok_or_else(outside)
}

fn char_at<'o>(_: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let (value, index) = (text(&a[0])?, int(&a[1])?);
    let at = place(value, index)?;
    Ok(made(value[at..].chars().next().map(String::from).unwrap_or_default()))
}

fn count<'o>(value: &str, at: Option<usize>) -> ExpressionValue<'o> {
    at.map_or(ExpressionValue::Int(-1), |at| number(value[..at].chars().count()))
}

fn index_of<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    if a[0].is_list() {
        return super::lists::index_of(e, a);
    }
    let (value, part) = (text(&a[0])?, text(&a[1])?);
    let from = a.get(2).map_or(Ok(0), int)?;
    let length = value.chars().count();
    if from < 0 || usize::try_from(from).is_ok_and(|from| from > length && !part.is_empty()) {
        return Err(outside());
    }
    if part.is_empty() {
        return Ok(ExpressionValue::Int(from));
    }
    let from = place(value, from)?;
    e.budget.take_text(value.len().saturating_mul(part.len().div_ceil(10)))?;
    Ok(count(value, value[from..].find(part).map(|at| at + from)))
}

fn last_index_of<'o>(
    e: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
) -> EvaluationResult<'o> {
    if a[0].is_list() {
        return super::lists::last_index_of(e, a);
    }
    let (value, part) = (text(&a[0])?, text(&a[1])?);
    let length = number(value.chars().count());
    let last = a.get(2).map(int).transpose()?;
    if last.is_some_and(|last| last < 0 || int(&length).is_ok_and(|length| last > length)) {
        return Err(outside());
    }
    if part.is_empty() {
        return Ok(last.map_or(length, ExpressionValue::Int));
    }
    e.budget.take_text(value.len().saturating_mul(part.len().div_ceil(10)))?;
    let end = match last {
        Some(last) => (place(value, last)? + part.len()).min(value.len()),
        None => value.len(),
    };
    let end = (end..=value.len()).find(|end| value.is_char_boundary(*end)).unwrap_or(value.len());
    Ok(count(value, value[..end].rfind(part)))
}

fn join<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let between = text_at(a, 1)?.unwrap_or_default();
    let mut joined = String::new();
    for (index, part) in elements(&a[0])?.iter().enumerate() {
        let part = text(part)?;
        e.budget.take_text(part.len() + between.len())?;
        if index > 0 {
            joined.push_str(between);
        }
        joined.push_str(part);
    }
    Ok(made(joined))
}

fn replace<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let (value, old, new) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
    let limit = a.get(3).map(int).transpose()?.unwrap_or(-1);
    let most = value.len() + 1;
    let limit = usize::try_from(limit).map_or(most, |limit| limit.min(most));
    e.budget.take_text(value.len() + new.len().saturating_mul(most.min(limit)))?;
    Ok(made(value.replacen(old, new, limit)))
}

fn split<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let (value, between) = (text(&a[0])?, text(&a[1])?);
    let limit = a.get(2).map(int).transpose()?.unwrap_or(-1);
    e.budget.take_elements(value.len())?;
    let parts: Vec<ExpressionValue<'o>> = match (usize::try_from(limit), between) {
        (Ok(0), _) => Vec::new(),
        // Go gives each character, and no empty text before and behind.
        (limit, "") => {
            let limit = limit.unwrap_or(usize::MAX);
            let mut rest = value;
            let mut parts = Vec::new();
            while let Some(next) = rest.chars().next() {
                if parts.len() + 1 == limit {
                    break;
                }
                parts.push(made(String::from(next)));
                rest = &rest[next.len_utf8()..];
            }
            if !rest.is_empty() {
                parts.push(made(rest));
            }
            parts
        }
        (Ok(limit), _) => value.splitn(limit, between).map(made).collect(),
        (Err(_), _) => value.split(between).map(made).collect(),
    };
    Ok(ExpressionValue::List(parts.into()))
}

fn substring<'o>(_: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let value = text(&a[0])?;
    let start = place(value, int(&a[1])?)?;
    let end = a.get(2).map_or(Ok(value.len()), |end| place(value, int(end)?))?;
    value.get(start..end).map(made).ok_or_else(outside)
}

fn reverse<'o>(
    evaluation: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
) -> EvaluationResult<'o> {
    if a[0].is_list() {
        let mut list = elements(&a[0])?;
        list.reverse();
        return Ok(ExpressionValue::List(list.into()));
    }
    match a[0].text() {
        // In a rule, the API server has it for lists only (version 2 of cel-go's strings).
        Some(text) if evaluation.defined.is_none() => {
            Ok(made(text.chars().rev().collect::<String>()))
        }
        _ => Err(mismatch()),
    }
}
