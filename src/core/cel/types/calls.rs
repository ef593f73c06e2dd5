//! The types that functions take and return.

use super::{Type, Typed};
use crate::core::cel::library;
use crate::core::cel::node::Function;

/// A function of the standard library.
pub(super) fn call<'s>(function: Function, arguments: &[Type<'s>]) -> Typed<'s> {
    let name = function.name();
    Ok(match function {
        Function::Size => match arguments.first() {
            Some(Type::Any | Type::Text | Type::Bytes | Type::List(_) | Type::Map(..)) | None => {
                Type::Int
            }
            Some(other) => return Err(undefined(name, other)),
        },
        Function::Contains | Function::StartsWith | Function::EndsWith | Function::Matches => {
            for argument in arguments {
                wants_text(name, argument)?;
            }
            Type::Bool
        }
        Function::Int => Type::Int,
        Function::Uint => Type::Uint,
        Function::Double => Type::Double,
        Function::Text => Type::Text,
        Function::Bytes => Type::Bytes,
        Function::Bool => Type::Bool,
        Function::Dyn | Function::Type => Type::Any,
    })
}

/// A function of a library, by its number.
pub(super) fn library<'s>(number: usize, arguments: &[Type<'s>]) -> Typed<'s> {
    let name = library::name(number);
    let first = arguments.first().unwrap_or(&Type::Any);
    match name {
        // The server has it for lists only.
        "reverse" if matches!(first, Type::Text) => return Err(undefined(name, first)),
        "charAt" | "lowerAscii" | "upperAscii" | "replace" | "split" | "substring" | "trim"
        | "format" | "findAll" | "strings.quote" | "isQuantity" | "isURL" | "isSemver"
        | "isCIDR" => {
            wants_text(name, first)?;
        }
        _ => {}
    }
    Ok(match name {
        "charAt" | "lowerAscii" | "upperAscii" | "replace" | "substring" | "trim" | "format"
        | "join" | "strings.quote" | "getScheme" | "getHost" | "getHostname" | "getPort"
        | "getEscapedPath" => Type::Text,
        "indexOf" | "lastIndexOf" | "family" | "prefixLength" | "major" | "minor" | "patch"
        | "asInteger" | "compareTo" => Type::Int,
        "isURL" | "isIP" | "isCIDR" | "isQuantity" | "isSemver" | "isSorted" | "hasValue"
        | "sets.contains" | "sets.equivalent" | "sets.intersects" | "isInteger"
        | "isGreaterThan" | "isLessThan" | "containsIP" | "containsCIDR" => Type::Bool,
        "split" | "findAll" => Type::List(Box::new(Type::Text)),
        "timestamp" => Type::Time,
        "duration" => Type::Span,
        _ => Type::Any,
    })
}

/// A function that takes text.
pub(super) fn wants_text(name: &str, argument: &Type<'_>) -> Result<(), String> {
    match argument {
        Type::Any | Type::Text => Ok(()),
        other => Err(undefined(name, other)),
    }
}

fn undefined(name: &str, argument: &Type<'_>) -> String {
    format!("`{name}` is not defined for {}", argument.name())
}
