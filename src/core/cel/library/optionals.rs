//! Values that may be lacking: cel-go's `cel/library.go`.

use std::rc::Rc;

use super::{Entry, global, method, mismatch};
use crate::core::cel::EvaluationError;
use crate::core::cel::value::ExpressionValue;

pub(super) const FUNCTIONS: &[Entry] = &[
    global("optional.none", 0, 0, |_, _| Ok(ExpressionValue::Optional(None))),
    global("optional.of", 1, 1, |_, a| Ok(ExpressionValue::Optional(Some(Rc::new(a[0].clone()))))),
    global("optional.ofNonZeroValue", 1, 1, |_, a| {
        let is_zero = match &a[0] {
            ExpressionValue::Null | ExpressionValue::Bool(false) => true,
            ExpressionValue::Int(value) | ExpressionValue::Span(value) => *value == 0,
            ExpressionValue::Uint(value) => *value == 0,
            ExpressionValue::Double(value) => *value == 0.0,
            value => value.size() == 0,
        };
        Ok(ExpressionValue::Optional((!is_zero).then(|| Rc::new(a[0].clone()))))
    }),
    method("hasValue", 1, 1, |_, a| Ok(ExpressionValue::Bool(inner(&a[0])?.is_some()))),
    method("value", 1, 1, |_, a| match inner(&a[0])? {
        Some(value) => Ok((**value).clone()),
        None => Err(EvaluationError::stopped("optional.none() dereference")),
    }),
    method("or", 2, 2, |_, a| {
        inner(&a[1])?;
        Ok(if inner(&a[0])?.is_some() { a[0].clone() } else { a[1].clone() })
    }),
    method("orValue", 2, 2, |_, a| match inner(&a[0])? {
        Some(value) => Ok((**value).clone()),
        None => Ok(a[1].clone()),
    }),
];

fn inner<'v, 'o>(
    value: &'v ExpressionValue<'o>,
) -> Result<Option<&'v Rc<ExpressionValue<'o>>>, EvaluationError> {
    match value {
        ExpressionValue::Optional(value) => Ok(value.as_ref()),
        _ => Err(mismatch()),
    }
}
