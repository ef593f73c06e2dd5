//! The types that operators take and return.

use super::{Type, Typed, joined};
use crate::core::cel::node::Binary;

fn operator(binary: Binary, left: &Type<'_>, right: &Type<'_>) -> String {
    let name = binary.name().trim_matches('_');
    let name = if binary == Binary::In { "in" } else { name };
    format!("`{name}` is not defined for {} and {}", left.name(), right.name())
}

/// The type of an operator's result.
pub(super) fn binary<'s>(binary: Binary, left: Type<'s>, right: Type<'s>) -> Typed<'s> {
    let wrong = |left: &Type<'s>, right: &Type<'s>| Err(operator(binary, left, right));
    match binary {
        Binary::Equal | Binary::NotEqual => match left.clashes(&right) {
            true => wrong(&left, &right),
            false => Ok(Type::Bool),
        },
        Binary::In => match &right {
            Type::Any => Ok(Type::Bool),
            Type::List(of) | Type::Map(of, _) if !left.clashes(of) => Ok(Type::Bool),
            _ => wrong(&left, &right),
        },
        Binary::Index => match (&left, &right) {
            (Type::Any, _) => Ok(Type::Any),
            (Type::List(of), Type::Any | Type::Int | Type::Uint | Type::Double) => {
                Ok((**of).clone())
            }
            (Type::Map(key, value), _) if !key.clashes(&right) => Ok((**value).clone()),
            _ => wrong(&left, &right),
        },
        _ if matches!(left, Type::Any) || matches!(right, Type::Any) => Ok(match binary {
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                Type::Bool
            }
            _ => Type::Any,
        }),
        Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
            let is_ordered = match (&left, &right) {
                (Type::Bool, Type::Bool)
                | (Type::Text, Type::Text)
                | (Type::Bytes, Type::Bytes)
                | (Type::Time, Type::Time)
                | (Type::Span, Type::Span) => true,
                (left, right) => left.is_number() && right.is_number(),
            };
            if is_ordered { Ok(Type::Bool) } else { wrong(&left, &right) }
        }
        Binary::Add => match (&left, &right) {
            (Type::Time, Type::Span) | (Type::Span, Type::Time) => Ok(Type::Time),
            (Type::Text, Type::Text) | (Type::Bytes, Type::Bytes) | (Type::Span, Type::Span) => {
                Ok(left)
            }
            (Type::List(_), Type::List(_)) if !left.clashes(&right) => {
                joined(vec![left, right], "a list")
            }
            _ => numeric(binary, left, &right),
        },
        Binary::Subtract => match (&left, &right) {
            (Type::Time, Type::Time) | (Type::Span, Type::Span) => Ok(Type::Span),
            (Type::Time, Type::Span) => Ok(Type::Time),
            _ => numeric(binary, left, &right),
        },
        Binary::Remainder if matches!(left, Type::Double) => wrong(&left, &right),
        Binary::Multiply | Binary::Divide | Binary::Remainder => numeric(binary, left, &right),
    }
}

fn numeric<'s>(binary: Binary, left: Type<'s>, right: &Type<'s>) -> Typed<'s> {
    match left.is_number() && left.name() == right.name() {
        true => Ok(left),
        false => Err(operator(binary, &left, right)),
    }
}
