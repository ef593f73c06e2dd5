//! Base64: cel-go's `ext/encoders.go`.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{Entry, global, made, mismatch, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::value::ExpressionValue;

pub(super) const FUNCTIONS: &[Entry] = &[
    global("base64.encode", 1, 1, |e, a| match &a[0] {
        ExpressionValue::Bytes(bytes) => {
            e.budget.take_text(bytes.len())?;
            Ok(made(STANDARD.encode(bytes)))
        }
        _ => Err(mismatch()),
    }),
    global("base64.decode", 1, 1, |_, a| {
        let text = text(&a[0])?;
        let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
        match bytes {
            Ok(bytes) => Ok(ExpressionValue::Bytes(Rc::from(bytes))),
            Err(_) => Err(EvaluationError::stopped("base64.decode(): a text is not base64")),
        }
    }),
];
