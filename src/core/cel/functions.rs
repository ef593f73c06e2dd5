//! The functions of expressions.

use std::rc::Rc;

use super::EvaluationError;
use super::budget::{COMPILE, through};
use super::evaluate::{Evaluation, EvaluationResult, overload};
use super::node::Function;
use super::value::ExpressionValue;
use super::{library, re2};
use crate::core::pattern::Pattern;

impl<'o> Evaluation<'o, '_> {
    pub(super) fn call(
        &mut self,
        function: Function,
        arguments: &[ExpressionValue<'o>],
    ) -> EvaluationResult<'o> {
        let mismatch = || {
            let kinds: Vec<&str> = arguments.iter().map(ExpressionValue::kind).collect();
            overload(function.name(), &kinds)
        };
        let failed = |why: &str| {
            EvaluationError::stopped(format!(
                "Error executing function '{}': {why}",
                function.name()
            ))
        };
        let [value, others @ ..] = arguments else { return Err(mismatch()) };
        // Every conversion goes through the text or the bytes that it converts.
        self.budget.take(1)?;
        match function {
            Function::Size => {
                let size = match value {
                    ExpressionValue::Text(_) | ExpressionValue::Made(_) => {
                        self.budget.take_text(value.size())?;
                        value.text().unwrap_or_default().chars().count()
                    }
                    _ if value.is_list() || value.is_map() => value.size(),
                    ExpressionValue::Bytes(bytes) => bytes.len(),
                    _ => return Err(mismatch()),
                };
                Ok(ExpressionValue::Int(i64::try_from(size).unwrap_or(i64::MAX)))
            }
            Function::Contains | Function::StartsWith | Function::EndsWith => {
                let part = others.first().and_then(ExpressionValue::text);
                let (Some(text), Some(part)) = (value.text(), part) else { return Err(mismatch()) };
                Ok(ExpressionValue::Bool(match function {
                    Function::Contains => {
                        self.budget
                            .take(through(text.len()).saturating_mul(through(part.len())))?;
                        // Searching for an empty text is free.
                        self.budget.take_text(text.len())?;
                        text.contains(part)
                    }
                    Function::StartsWith => {
                        self.budget.take_text(text.len())?;
                        text.starts_with(part)
                    }
                    _ => {
                        self.budget.take_text(text.len())?;
                        text.ends_with(part)
                    }
                }))
            }
            Function::Matches => {
                let text = others.first().and_then(ExpressionValue::text).ok_or_else(mismatch)?;
                // A pattern that is made while working it out is compiled each time.
                self.budget.take(COMPILE)?;
                if text.len() > self.limits.length {
                    return Err(failed("the pattern is too long"));
                }
                let pattern = re2::pattern(text, self.limits.pattern);
                let pattern = pattern.map_err(EvaluationError::unsupported)?;
                self.matches(value, &pattern, text.len())
            }
            Function::Int => Ok(ExpressionValue::Int(match value {
                ExpressionValue::Int(value) => *value,
                ExpressionValue::Uint(value) => {
                    i64::try_from(*value).map_err(|_| failed("integer overflow"))?
                }
                #[allow(clippy::cast_possible_truncation, reason = "in the range of integers")]
                ExpressionValue::Double(value) => match value.abs() < 9_223_372_036_854_775_808.0 {
                    true => *value as i64,
                    false => return Err(failed("integer overflow")),
                },
                ExpressionValue::Time(time) => time.as_second(),
                _ => self.parsed(value).ok_or_else(mismatch)??,
            })),
            Function::Uint => Ok(ExpressionValue::Uint(match value {
                ExpressionValue::Uint(value) => *value,
                ExpressionValue::Int(value) => {
                    u64::try_from(*value).map_err(|_| failed("unsigned integer overflow"))?
                }
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "in the range of integers"
                )]
                ExpressionValue::Double(value) => {
                    match *value >= 0.0 && *value < 18_446_744_073_709_551_616.0 {
                        true => *value as u64,
                        false => return Err(failed("unsigned integer overflow")),
                    }
                }
                _ => self.parsed(value).ok_or_else(mismatch)??,
            })),
            #[allow(clippy::cast_precision_loss, reason = "as CEL converts")]
            Function::Double => Ok(ExpressionValue::Double(match value {
                ExpressionValue::Double(value) => *value,
                ExpressionValue::Int(value) => *value as f64,
                ExpressionValue::Uint(value) => *value as f64,
                _ => self.parsed(value).ok_or_else(mismatch)??,
            })),
            Function::Bool => Ok(ExpressionValue::Bool(match value {
                ExpressionValue::Bool(value) => *value,
                _ => match value.text().ok_or_else(mismatch)? {
                    "1" | "t" | "true" | "TRUE" | "True" => true,
                    "0" | "f" | "false" | "FALSE" | "False" => false,
                    _ => return Err(failed("string parse error")),
                },
            })),
            Function::Text => Ok(ExpressionValue::Made(match value {
                ExpressionValue::Text(_) | ExpressionValue::Made(_) => return Ok(value.clone()),
                ExpressionValue::Bool(value) => Rc::from(value.to_string()),
                ExpressionValue::Int(value) => Rc::from(value.to_string()),
                ExpressionValue::Uint(value) => Rc::from(value.to_string()),
                ExpressionValue::Double(value) => {
                    // Hundreds of digits, at the worst.
                    self.budget.take(40)?;
                    Rc::from(value.to_string())
                }
                ExpressionValue::Bytes(bytes) => {
                    self.budget.take_text(bytes.len())?;
                    let text = std::str::from_utf8(bytes);
                    Rc::from(text.map_err(|_| failed("the bytes are not UTF-8"))?)
                }
                other => {
                    self.budget.take(40)?;
                    Rc::from(library::written(other).ok_or_else(mismatch)?)
                }
            })),
            Function::Bytes => match value {
                ExpressionValue::Bytes(_) => Ok(value.clone()),
                _ => {
                    let text = value.text().ok_or_else(mismatch)?;
                    self.budget.take_text(text.len())?;
                    Ok(ExpressionValue::Bytes(text.as_bytes().into()))
                }
            },
            Function::Dyn => Ok(value.clone()),
            Function::Type => Ok(ExpressionValue::Type(value.kind())),
        }
    }

    /// The number that a text stands for; `None` for a value that is not a text.
    fn parsed<T: std::str::FromStr>(
        &mut self,
        value: &ExpressionValue<'o>,
    ) -> Option<Result<T, EvaluationError>> {
        let text = value.text()?;
        if let Err(fault) = self.budget.take_text(text.len()) {
            return Some(Err(fault));
        }
        // The text may be a secret: what is wrong with it is not said.
        Some(text.parse().map_err(|_| EvaluationError::stopped("a text is not a number")))
    }

    /// Whether a pattern of a length is found in a text. It weighs what it takes, or what its length
    /// weighs in Kubernetes if that is more.
    pub(super) fn matches(
        &mut self,
        text: &ExpressionValue<'o>,
        pattern: &Pattern,
        length: usize,
    ) -> EvaluationResult<'o> {
        let Some(found_in) = text.text() else {
            return Err(overload("matches", &[text.kind(), "string"]));
        };
        let weight = u64::try_from(length).unwrap_or(u64::MAX).div_ceil(4).max(pattern.weight());
        self.budget.take(through(found_in.len() + 1).saturating_mul(weight))?;
        Ok(ExpressionValue::Bool(pattern.is_in(found_in)))
    }
}
