//! The functions beyond CEL's own: Kubernetes' libraries and the extensions of cel-go that it takes.
//!
//! One table holds them all: [`find`] looks a function up by its name, by whether it is called on
//! something, and by the number of arguments. What a function does with other types than it takes
//! is no answer: [`Entry`]'s body says so, and the evaluator names the types.

mod encoding;
mod formats;
mod lists;
mod math;
mod networks;
mod optionals;
mod printing;
mod quantity;
mod regex;
mod semver;
mod strings;
mod times;
mod urls;

use core::net::IpAddr;
use std::any::Any;
use std::rc::Rc;

pub use self::networks::Cidr;
pub use self::quantity::Quantity;
pub use self::semver::Semver;
pub use self::urls::Url;
use super::EvaluationError;
use super::evaluate::{Evaluation, EvaluationResult, overload};
use super::moments;
use super::value::{ExpressionValue, LibraryValue};

/// A value of a library.
#[derive(Clone, Debug, PartialEq)]
pub enum Special {
    /// An address of the network.
    Ip(IpAddr),
    /// A range of them.
    Cidr(Cidr),
    /// An amount.
    Quantity(Quantity),
    /// A version.
    Semver(Semver),
    /// A URL.
    Url(Url),
    /// The form of a name.
    Format(&'static str),
}

impl LibraryValue for Special {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Url(_) => "kubernetes.URL",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    fn is_same(&self, other: &dyn LibraryValue) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The work of a function.
type Body = for<'o, 'b, 'a> fn(
    &'a mut Evaluation<'o, 'b>,
    &'a [ExpressionValue<'o>],
) -> EvaluationResult<'o>;

/// A function.
pub struct Entry {
    name: &'static str,
    is_method: bool,
    /// The fewest and the most arguments, with the one that it is called on.
    arguments: (usize, usize),
    body: Body,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn method(name: &'static str, least: usize, most: usize, body: Body) -> Entry {
    Entry { name, is_method: true, arguments: (least, most), body }
}

const fn global(name: &'static str, least: usize, most: usize, body: Body) -> Entry {
    Entry { name, is_method: false, arguments: (least, most), body }
}

/// Every library.
static LIBRARIES: [&[Entry]; 12] = [
    strings::FUNCTIONS,
    regex::FUNCTIONS,
    lists::FUNCTIONS,
    urls::FUNCTIONS,
    networks::FUNCTIONS,
    quantity::FUNCTIONS,
    semver::FUNCTIONS,
    times::FUNCTIONS,
    optionals::FUNCTIONS,
    math::FUNCTIONS,
    encoding::FUNCTIONS,
    formats::FUNCTIONS,
];

/// The number of the function of a name, called with so many arguments, as a method or not.
pub(super) fn find(name: &str, arguments: usize, is_method: bool) -> Option<usize> {
    let mut all = LIBRARIES.into_iter().flatten();
    all.position(|entry| {
        let (least, most) = entry.arguments;
        entry.name == name && entry.is_method == is_method && (least..=most).contains(&arguments)
    })
}

/// Whether there is a function of a name, whatever it takes.
pub(super) fn has(name: &str) -> bool {
    LIBRARIES.into_iter().flatten().any(|entry| entry.name == name)
}

/// The name of a function, by its number.
pub(super) fn name(function: usize) -> &'static str {
    LIBRARIES.into_iter().flatten().nth(function).map_or("", |entry| entry.name)
}

impl<'o> Evaluation<'o, '_> {
    /// Calls a function. Each goes through all its arguments once, which is paid for here; what one
    /// does beyond that it pays for itself.
    pub(super) fn library(
        &mut self,
        function: usize,
        arguments: &[ExpressionValue<'o>],
    ) -> EvaluationResult<'o> {
        let entry = LIBRARIES.into_iter().flatten().nth(function).ok_or_else(mismatch)?;
        self.budget.take(1)?;
        for argument in arguments {
            match argument.text() {
                Some(text) => self.budget.take_text(text.len())?,
                None => self.budget.take_elements(argument.size())?,
            }
        }
        match (entry.body)(self, arguments) {
            Err(EvaluationError::Mismatch(why)) if why.is_empty() => {
                let kinds: Vec<&str> = arguments.iter().map(ExpressionValue::kind).collect();
                Err(overload(entry.name, &kinds))
            }
            answer => answer,
        }
    }
}

/// The types do not fit; the evaluator says which.
fn mismatch() -> EvaluationError {
    EvaluationError::Mismatch(String::new())
}

fn text<'v>(value: &'v ExpressionValue<'_>) -> Result<&'v str, EvaluationError> {
    value.text().ok_or_else(mismatch)
}

/// A text argument that may be left out.
fn text_at<'v>(
    arguments: &'v [ExpressionValue<'_>],
    index: usize,
) -> Result<Option<&'v str>, EvaluationError> {
    arguments.get(index).map(text).transpose()
}

fn int(value: &ExpressionValue<'_>) -> Result<i64, EvaluationError> {
    match value {
        ExpressionValue::Int(value) => Ok(*value),
        ExpressionValue::Uint(value) => i64::try_from(*value).map_err(|_| mismatch()),
        _ => Err(mismatch()),
    }
}

fn elements<'o>(value: &ExpressionValue<'o>) -> Result<Vec<ExpressionValue<'o>>, EvaluationError> {
    match value.is_list() {
        true => Ok(value.elements().into_iter().flatten().collect()),
        false => Err(mismatch()),
    }
}

fn special<'v>(value: &'v ExpressionValue<'_>) -> Result<&'v Special, EvaluationError> {
    match value {
        ExpressionValue::Special(value) => value.as_any().downcast_ref().ok_or_else(mismatch),
        _ => Err(mismatch()),
    }
}

fn made<'o>(text: impl Into<Rc<str>>) -> ExpressionValue<'o> {
    ExpressionValue::Made(text.into())
}

fn number<'o>(value: usize) -> ExpressionValue<'o> {
    ExpressionValue::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

fn found<'o>(value: Special) -> ExpressionValue<'o> {
    ExpressionValue::Special(Rc::new(value))
}

/// The text of a value that is no plain one, as `string()` gives it.
pub(super) fn written(value: &ExpressionValue<'_>) -> Option<String> {
    match value {
        ExpressionValue::Time(time) => Some(moments::written(*time)),
        ExpressionValue::Span(nanos) => Some(moments::seconds(*nanos)),
        ExpressionValue::Special(_) => match special(value).ok()? {
            Special::Ip(ip) => Some(ip.to_string()),
            Special::Cidr(cidr) => Some(cidr.to_string()),
            _ => None,
        },
        _ => None,
    }
}
