//! Patterns: k8s.io/apiserver, `pkg/cel/library/regex.go`.

use super::{Entry, int, made, method, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::budget::{COMPILE, through};
use crate::core::cel::evaluate::{Evaluation, EvaluationResult};
use crate::core::cel::re2;
use crate::core::cel::value::ExpressionValue;
use crate::core::pattern::Pattern;

pub(super) const FUNCTIONS: &[Entry] =
    &[method("find", 2, 2, find), method("findAll", 2, 3, find_all)];

fn pattern<'o>(
    e: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
) -> Result<Pattern, EvaluationError> {
    let (value, pattern) = (text(&a[0])?, text(&a[1])?);
    e.budget.take(COMPILE)?;
    if pattern.len() > e.limits.length {
        return Err(EvaluationError::unsupported("a pattern is too long"));
    }
    let pattern = re2::pattern(pattern, e.limits.pattern).map_err(EvaluationError::unsupported)?;
    e.budget.take(through(value.len() + 1).saturating_mul(pattern.weight()))?;
    Ok(pattern)
}

fn find<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let pattern = pattern(e, a)?;
    Ok(made(pattern.all_in(text(&a[0])?).next().unwrap_or_default()))
}

fn find_all<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let pattern = pattern(e, a)?;
    let limit = a.get(2).map_or(Ok(-1), int)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    for part in pattern.all_in(text(&a[0])?).take(limit) {
        e.budget.take_text(part.len() + 10)?;
        parts.push(made(part));
    }
    Ok(ExpressionValue::List(parts.into()))
}
