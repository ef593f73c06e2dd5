//! Numbers: cel-go's `ext/math.go`.

use std::cmp::Ordering;

use super::{Entry, elements, global, int, mismatch};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::EvaluationResult;
use crate::core::cel::value::ExpressionValue;

pub(super) const FUNCTIONS: &[Entry] = &[
    global("math.greatest", 1, 64, |_, a| extreme(a, Ordering::Greater)),
    global("math.least", 1, 64, |_, a| extreme(a, Ordering::Less)),
    global("math.ceil", 1, 1, |_, a| Ok(ExpressionValue::Double(double(&a[0])?.ceil()))),
    global("math.floor", 1, 1, |_, a| Ok(ExpressionValue::Double(double(&a[0])?.floor()))),
    global("math.round", 1, 1, |_, a| Ok(ExpressionValue::Double(double(&a[0])?.round()))),
    global("math.trunc", 1, 1, |_, a| Ok(ExpressionValue::Double(double(&a[0])?.trunc()))),
    global("math.isNaN", 1, 1, |_, a| Ok(ExpressionValue::Bool(double(&a[0])?.is_nan()))),
    global("math.isInf", 1, 1, |_, a| Ok(ExpressionValue::Bool(double(&a[0])?.is_infinite()))),
    global("math.isFinite", 1, 1, |_, a| Ok(ExpressionValue::Bool(double(&a[0])?.is_finite()))),
    global("math.abs", 1, 1, |_, a| match &a[0] {
        ExpressionValue::Int(value) => value
            .checked_abs()
            .map(ExpressionValue::Int)
            .ok_or_else(|| EvaluationError::stopped("integer overflow")),
        ExpressionValue::Double(value) => Ok(ExpressionValue::Double(value.abs())),
        ExpressionValue::Uint(value) => Ok(ExpressionValue::Uint(*value)),
        _ => Err(mismatch()),
    }),
    global("math.sign", 1, 1, |_, a| match &a[0] {
        ExpressionValue::Int(value) => Ok(ExpressionValue::Int(value.signum())),
        ExpressionValue::Uint(value) => Ok(ExpressionValue::Uint((*value).min(1))),
        ExpressionValue::Double(value) if *value == 0.0 || value.is_nan() => Ok(a[0].clone()),
        ExpressionValue::Double(value) => Ok(ExpressionValue::Double(value.signum())),
        _ => Err(mismatch()),
    }),
    global("math.bitAnd", 2, 2, |_, a| Ok(ExpressionValue::Int(int(&a[0])? & int(&a[1])?))),
    global("math.bitOr", 2, 2, |_, a| Ok(ExpressionValue::Int(int(&a[0])? | int(&a[1])?))),
    global("math.bitXor", 2, 2, |_, a| Ok(ExpressionValue::Int(int(&a[0])? ^ int(&a[1])?))),
    global("math.bitNot", 1, 1, |_, a| Ok(ExpressionValue::Int(!int(&a[0])?))),
];

fn double(value: &ExpressionValue<'_>) -> Result<f64, EvaluationError> {
    match value {
        ExpressionValue::Double(value) => Ok(*value),
        _ => Err(mismatch()),
    }
}

fn extreme<'o>(a: &[ExpressionValue<'o>], wanted: Ordering) -> EvaluationResult<'o> {
    let values = match a {
        [list] if list.is_list() => elements(list)?,
        values => values.to_vec(),
    };
    let is_number = |value: &ExpressionValue<'_>| {
        matches!(
            value,
            ExpressionValue::Int(_) | ExpressionValue::Uint(_) | ExpressionValue::Double(_)
        )
    };
    if !values.iter().all(is_number) {
        return Err(mismatch());
    }
    let mut values = values.into_iter();
    let mut best =
        values.next().ok_or_else(|| EvaluationError::stopped("an argument is an empty list"))?;
    for value in values {
        if value.order(&best) == Some(wanted) {
            best = value;
        }
    }
    Ok(best)
}
