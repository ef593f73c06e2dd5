//! Values of expressions: those of the object, which stay where they are, and those that are made,
//! which are shared. Copying a value costs the same however large it is.

pub mod form;

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use super::EvaluationError;
use super::node::Literal;
use form::Form;

use crate::core::json::{Map, Value as Json};

/// A value of a library, which only the library looks into.
pub trait LibraryValue: fmt::Debug {
    /// The name of its type.
    fn kind(&self) -> &'static str;
    /// Whether another is the same.
    fn is_same(&self, other: &dyn LibraryValue) -> bool;
    /// The value for the library.
    fn as_any(&self) -> &dyn Any;
}

/// A value.
#[derive(Clone, Debug)]
pub enum ExpressionValue<'o> {
    /// Null.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer without a sign.
    Uint(u64),
    /// A number with a fraction.
    Double(f64),
    /// A text of the object or the expression.
    Text(&'o str),
    /// A text that was made.
    Made(Rc<str>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A list of the object, and how its elements are read.
    Array(&'o [Json], Form<'o>),
    /// A list that was made.
    List(Rc<[ExpressionValue<'o>]>),
    /// A map of the object, and how its fields are read.
    Object(&'o Map, Form<'o>),
    /// A map that is written out, and so is small.
    Map(Rc<[(ExpressionValue<'o>, ExpressionValue<'o>)]>),
    /// A type.
    Type(&'static str),
    /// A point in time.
    Time(jiff::Timestamp),
    /// A length of time, in nanoseconds.
    Span(i64),
    /// A value of one of Kubernetes' libraries.
    Special(Rc<dyn LibraryValue>),
    /// A value that may be lacking.
    Optional(Option<Rc<ExpressionValue<'o>>>),
    /// A value that can't be read as its schema says.
    Unread,
}

impl<'o> From<&'o Literal> for ExpressionValue<'o> {
    fn from(literal: &'o Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Int(value) => Self::Int(*value),
            Literal::Uint(value) => Self::Uint(*value),
            Literal::Double(value) => Self::Double(*value),
            Literal::Text(text) => Self::Text(text),
            Literal::Bytes(bytes) => Self::Bytes(bytes.as_slice().into()),
        }
    }
}

impl<'o> ExpressionValue<'o> {
    /// The name of its type.
    pub(in crate::core) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) | Self::Made(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Array(..) | Self::List(_) => "list",
            Self::Object(..) | Self::Map(_) => "map",
            Self::Type(_) => "type",
            Self::Time(_) => "google.protobuf.Timestamp",
            Self::Span(_) => "google.protobuf.Duration",
            Self::Special(special) => special.kind(),
            Self::Optional(_) => "optional_type",
            Self::Unread => "error",
        }
    }

    pub(in crate::core) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    /// How many elements, entries, characters or bytes it has; 1 of what has no size.
    pub(in crate::core) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Made(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Array(list, _) => list.len(),
            Self::List(list) => list.len(),
            Self::Object(map, _) => map.len(),
            Self::Map(map) => map.len(),
            _ => 1,
        }
    }

    /// The elements of a list, or the keys of a map.
    pub(in crate::core) fn elements(&self) -> Option<Box<dyn Iterator<Item = Self> + '_>> {
        match self {
            Self::Array(list, form) => {
                let form = form.element();
                Some(Box::new(list.iter().map(move |json| form.read(json))))
            }
            Self::List(list) => Some(Box::new(list.iter().cloned())),
            Self::Object(map, _) => Some(Box::new(map.keys().map(|key| Self::Text(key)))),
            Self::Map(map) => Some(Box::new(map.iter().map(|(key, _)| key.clone()))),
            _ => None,
        }
    }

    pub(in crate::core) fn is_list(&self) -> bool {
        matches!(self, Self::Array(..) | Self::List(_))
    }

    pub(in crate::core) fn is_map(&self) -> bool {
        matches!(self, Self::Object(..) | Self::Map(_))
    }

    /// An element of a list, by its number.
    pub(in crate::core) fn at(&self, index: usize) -> Option<Self> {
        match self {
            Self::Array(list, form) => list.get(index).map(|json| form.element().read(json)),
            Self::List(list) => list.get(index).cloned(),
            _ => None,
        }
    }

    /// The value of a map at a key. Numbers are the same key whatever their type.
    pub(in crate::core) fn field(&self, key: &Self) -> Option<Self> {
        match self {
            Self::Object(map, form) => {
                let (name, form) = form.field(key.text()?)?;
                map.get(&name).map(|json| form.read(json))
            }
            Self::Map(map) => {
                let mut entries = map.iter();
                entries.find(|(own, _)| own.is_same_key(key)).map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }

    /// Whether it may stand as the key of a map; numbers with a fraction can only be asked for.
    pub(in crate::core) fn is_key(&self) -> bool {
        let is_scalar = matches!(self, Self::Bool(_) | Self::Int(_) | Self::Uint(_));
        is_scalar || self.text().is_some()
    }

    pub(in crate::core) fn is_same_key(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(one), Self::Bool(two)) => one == two,
            _ => match (self.text(), other.text()) {
                (Some(one), Some(two)) => one == two,
                _ => self.order(other) == Some(Ordering::Equal),
            },
        }
    }

    /// The whole number that a list is indexed with.
    pub(in crate::core) fn index(&self) -> Option<Result<usize, String>> {
        let (text, index) = match self {
            Self::Int(value) => (value.to_string(), usize::try_from(*value).ok()),
            Self::Uint(value) => (value.to_string(), usize::try_from(*value).ok()),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            Self::Double(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                (value.to_string(), (*value >= 0.0).then_some(*value as usize))
            }
            _ => return None,
        };
        Some(index.ok_or(text))
    }

    /// Which of two values that have an order is less; numbers of different types compare by value.
    #[allow(clippy::cast_precision_loss, reason = "as CEL compares a double with an integer")]
    pub(in crate::core) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(two)) => Some(one.cmp(two)),
            (Self::Int(one), Self::Int(two)) => Some(one.cmp(two)),
            (Self::Uint(one), Self::Uint(two)) => Some(one.cmp(two)),
            (Self::Int(one), Self::Uint(two)) => Some(i128::from(*one).cmp(&i128::from(*two))),
            (Self::Uint(one), Self::Int(two)) => Some(i128::from(*one).cmp(&i128::from(*two))),
            (Self::Double(one), Self::Double(two)) => one.partial_cmp(two),
            (Self::Double(one), Self::Int(two)) => one.partial_cmp(&(*two as f64)),
            (Self::Double(one), Self::Uint(two)) => one.partial_cmp(&(*two as f64)),
            (Self::Int(one), Self::Double(two)) => (*one as f64).partial_cmp(two),
            (Self::Uint(one), Self::Double(two)) => (*one as f64).partial_cmp(two),
            (Self::Bytes(one), Self::Bytes(two)) => Some(one.cmp(two)),
            (Self::Time(one), Self::Time(two)) => Some(one.cmp(two)),
            (Self::Span(one), Self::Span(two)) => Some(one.cmp(two)),
            _ => Some(self.text()?.cmp(other.text()?)),
        }
    }
}

/// Whether rules see a field at all.
pub(super) fn visible(
    map: &ExpressionValue<'_>,
    key: &ExpressionValue<'_>,
) -> Result<(), EvaluationError> {
    match (map, key.text()) {
        (ExpressionValue::Object(_, form), Some(name)) if form.field(name).is_none() => {
            Err(EvaluationError::unsupported(format!("the schema has no field `{name}`")))
        }
        (ExpressionValue::Object(map, form), Some(name))
            if form.is_filled_in(name) && map.get(name).is_none() =>
        {
            Err(EvaluationError::unsupported(format!("the API server may fill in `{name}`")))
        }
        _ => Ok(()),
    }
}
