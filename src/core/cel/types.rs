//! The types of an expression's parts, as far as they are sure: what does not fit, the API server
//! does not compile.
//!
//! The source is the checker of cel-go with the declarations of k8s.io/apiserver
//! (`pkg/cel/common/schemas.go`): a schema says the types of values. [`Type::Any`] fits everything;
//! it is also the type of what is not known here.

mod calls;
mod operators;

use super::library;
use super::node::{Each, ExpressionNode, Literal, Macro};
use super::value::form::Form;
use crate::core::kinds::schemas::{JsonType, Others, Schema};

/// The type of a value.
#[derive(Clone, Debug)]
pub enum Type<'s> {
    /// Not known, or dynamic.
    Any,
    /// Null only.
    Null,
    /// True or false.
    Bool,
    /// An integer.
    Int,
    /// An integer without a sign.
    Uint,
    /// A number.
    Double,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A moment.
    Time,
    /// A span of time.
    Span,
    /// A list of values of a type.
    List(Box<Type<'s>>),
    /// A map, with the types of its keys and values.
    Map(Box<Type<'s>>, Box<Type<'s>>),
    /// An object with the fields of a schema.
    Record(Form<'s>),
}

/// The type that an expression has to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A truth value.
    Bool,
    /// Text.
    Text,
    /// Text, or null.
    TextOrNull,
    /// Any value.
    Anything,
}

type Typed<'s> = Result<Type<'s>, String>;

/// Why the parts of an expression do not fit, or the whole is not what it has to be.
pub(super) fn mismatch(
    node: &ExpressionNode,
    roots: &[Type<'_>],
    wanted: Wanted,
) -> Option<String> {
    let found = match (Checker { roots, variables: Vec::new(), takes_all: false }).node(node) {
        Ok(found) => found,
        Err(why) => return Some(why),
    };
    let (fits, what) = match wanted {
        Wanted::Bool => (matches!(found, Type::Any | Type::Bool), "a bool"),
        Wanted::Text => (matches!(found, Type::Any | Type::Text), "a string"),
        Wanted::TextOrNull => {
            (matches!(found, Type::Any | Type::Text | Type::Null), "a string or null")
        }
        Wanted::Anything => (true, ""),
    };
    (!fits).then(|| format!("it has to return {what}, not {}", found.article()))
}

impl<'s> Type<'s> {
    /// The type of the values of a schema.
    pub fn of(schema: &'s Schema) -> Self {
        Self::read(Form::Schema(schema))
    }

    /// The type of a whole custom resource.
    pub fn of_resource(schema: &'s Schema) -> Self {
        Self::Record(Form::Resource(schema))
    }

    fn read(form: Form<'s>) -> Self {
        let schema = match form {
            Form::Schema(schema) => schema,
            Form::Metadata => return Self::Record(form),
            _ => return Self::Any,
        };
        if schema.int_or_string {
            return Self::Any;
        }
        match schema.kind {
            None => Self::Any,
            Some(JsonType::Boolean) => Self::Bool,
            Some(JsonType::Integer) => Self::Int,
            Some(JsonType::Number) => Self::Double,
            Some(JsonType::String) => match schema.format.as_deref() {
                Some("duration") => Self::Span,
                Some("date" | "date-time") => Self::Time,
                Some("byte") => Self::Bytes,
                _ => Self::Text,
            },
            Some(JsonType::Array) => {
                let items = schema.items.as_deref();
                Self::List(Box::new(items.map_or(Self::Any, Self::of)))
            }
            Some(JsonType::Object) => match &schema.additional_properties {
                Some(Others::Like(values)) if schema.properties.is_empty() => {
                    Self::Map(Box::new(Self::Text), Box::new(Self::of(values)))
                }
                Some(_) => Self::Any,
                None if schema.is_resource => Self::of_resource(schema),
                None => Self::Record(form),
            },
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Any => "dyn",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Time => "timestamp",
            Self::Span => "duration",
            Self::List(_) => "list",
            Self::Map(..) => "map",
            Self::Record(_) => "object",
        }
    }

    fn article(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Int | Self::Record(_) => format!("an {}", self.name()),
            _ => format!("a {}", self.name()),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// Whether values of two types are surely never compared.
    fn clashes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => false,
            (Self::Null, Self::Record(_) | Self::Time | Self::Span)
            | (Self::Record(_) | Self::Time | Self::Span, Self::Null)
            | (Self::Record(_), Self::Record(_)) => false,
            (Self::List(one), Self::List(two)) => one.clashes(two),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.clashes(other_key) || value.clashes(other_value)
            }
            _ => self.name() != other.name(),
        }
    }
}

fn undefined_field(field: &str) -> String {
    format!("undefined field `{field}`")
}

/// Finds the types of an expression's parts.
struct Checker<'r, 's> {
    roots: &'r [Type<'s>],
    /// The variables of the macros around.
    variables: Vec<(String, Type<'s>)>,
    /// Whether elements of lists and maps may have several types.
    takes_all: bool,
}

impl<'s> Checker<'_, 's> {
    fn node(&mut self, node: &ExpressionNode) -> Typed<'s> {
        Ok(match node {
            ExpressionNode::Literal(literal) => match literal {
                Literal::Null => Type::Null,
                Literal::Bool(_) => Type::Bool,
                Literal::Int(_) => Type::Int,
                Literal::Uint(_) => Type::Uint,
                Literal::Double(_) => Type::Double,
                Literal::Text(_) => Type::Text,
                Literal::Bytes(_) => Type::Bytes,
            },
            ExpressionNode::Root(number) => self.roots.get(*number).cloned().unwrap_or(Type::Any),
            ExpressionNode::Variable(name) => {
                let found = self.variables.iter().rev().find(|(own, _)| own == name);
                found.map_or(Type::Any, |(_, of)| of.clone())
            }
            ExpressionNode::Defined(_) | ExpressionNode::Type(_) => Type::Any,
            ExpressionNode::Select(operand, field) => self.select(operand, field)?,
            ExpressionNode::Has(operand, field) => {
                self.select(operand, field)?;
                Type::Bool
            }
            ExpressionNode::Maybe(operand, key) => {
                match &**key {
                    ExpressionNode::Literal(Literal::Text(field)) => {
                        if let Type::Record(form) = self.node(operand)?
                            && form.field(field).is_none()
                        {
                            return Err(undefined_field(field));
                        }
                    }
                    _ => {
                        self.node(operand)?;
                        self.node(key)?;
                    }
                }
                Type::Any
            }
            ExpressionNode::List(elements, _) => {
                let types = elements.iter().map(|element| self.node(element));
                let types: Vec<_> = types.collect::<Result<_, _>>()?;
                let of = if self.takes_all { Type::Any } else { joined(types, "a list")? };
                Type::List(Box::new(of))
            }
            ExpressionNode::Map(entries) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for (key, value, _) in entries {
                    keys.push(self.node(key)?);
                    values.push(self.node(value)?);
                }
                if self.takes_all {
                    return Ok(Type::Map(Box::new(Type::Any), Box::new(Type::Any)));
                }
                let keys = joined(keys, "the keys of a map")?;
                Type::Map(Box::new(keys), Box::new(joined(values, "a map")?))
            }
            ExpressionNode::Bind(name, parts) => {
                let value = self.node(&parts[0])?;
                self.within(vec![(name.clone(), value)], |this| this.node(&parts[1]))?
            }
            ExpressionNode::OptionalMap(_, name, parts) => {
                self.node(&parts[0])?;
                self.within(vec![(name.clone(), Type::Any)], |this| this.node(&parts[1]))?;
                Type::Any
            }
            ExpressionNode::Not(operand) => {
                self.bool(operand, "!")?;
                Type::Bool
            }
            ExpressionNode::Negate(operand) => match self.node(operand)? {
                found @ (Type::Any | Type::Int | Type::Double) => found,
                other => return Err(format!("`-` is not defined for {}", other.name())),
            },
            ExpressionNode::And(left, right) | ExpressionNode::Or(left, right) => {
                let name = if matches!(node, ExpressionNode::And(..)) { "&&" } else { "||" };
                self.bool(left, name)?;
                self.bool(right, name)?;
                Type::Bool
            }
            ExpressionNode::If(parts) => {
                self.bool(&parts[0], "?:")?;
                let branches = vec![self.node(&parts[1])?, self.node(&parts[2])?];
                joined(branches, "the branches of `?:`")?
            }
            ExpressionNode::Binary(binary, left, right) => {
                let (left, right) = (self.node(left)?, self.node(right)?);
                operators::binary(*binary, left, right)?
            }
            ExpressionNode::Matches(operand, ..) => {
                let operand = self.node(operand)?;
                calls::wants_text("matches", &operand)?;
                Type::Bool
            }
            ExpressionNode::Call(function, arguments) => {
                let types = arguments.iter().map(|argument| self.node(argument));
                calls::call(*function, &types.collect::<Result<Vec<_>, _>>()?)?
            }
            ExpressionNode::Library(number, arguments) => {
                // The parts of a formatted text may have any types.
                let before = self.takes_all;
                self.takes_all |= library::name(*number) == "format";
                let types = arguments.iter().map(|argument| self.node(argument));
                let types = types.collect::<Result<Vec<_>, _>>();
                self.takes_all = before;
                calls::library(*number, &types?)?
            }
            ExpressionNode::Each(each) => self.each(each)?,
        })
    }

    fn bool(&mut self, node: &ExpressionNode, operator: &str) -> Result<(), String> {
        match self.node(node)? {
            Type::Any | Type::Bool => Ok(()),
            other => Err(format!("`{operator}` takes a bool, not {}", other.article())),
        }
    }

    fn select(&mut self, operand: &ExpressionNode, field: &str) -> Typed<'s> {
        match self.node(operand)? {
            Type::Any => Ok(Type::Any),
            Type::Map(_, value) => Ok(*value),
            Type::Record(form) => match form.field(field) {
                None => Err(undefined_field(field)),
                // The names that every object has.
                Some((_, Form::Dynamic)) => Ok(Type::Text),
                Some((_, below)) => Ok(Type::read(below)),
            },
            other => Err(format!("{} has no fields, such as `{field}`", other.article())),
        }
    }

    fn each(&mut self, each: &Each) -> Typed<'s> {
        let range = self.node(&each.range)?;
        let (index, element) = match &range {
            Type::Any => (Type::Any, Type::Any),
            Type::List(element) => (Type::Int, (**element).clone()),
            Type::Map(key, value) if each.key.is_some() => ((**key).clone(), (**value).clone()),
            Type::Map(key, _) => (Type::Any, (**key).clone()),
            other => return Err(format!("{} has no elements to go through", other.article())),
        };
        let key = each.key.iter().map(|name| (name.clone(), index.clone()));
        let variables = key.chain([(each.variable.clone(), element.clone())]).collect();
        let body = self.within(variables, |this| {
            if let Some(guard) = &each.guard {
                this.bool(guard, "a filter")?;
            }
            each.body.as_ref().map(|body| this.node(body)).transpose()
        })?;
        Ok(match (each.what, body) {
            (Macro::All | Macro::Exists | Macro::ExistsOne, Some(Type::Any | Type::Bool)) => {
                Type::Bool
            }
            (Macro::All | Macro::Exists | Macro::ExistsOne, Some(other)) => {
                return Err(format!("a macro takes a bool, not {}", other.article()));
            }
            (Macro::Collect, body) => Type::List(Box::new(body.unwrap_or(element))),
            (Macro::CollectMap, Some(body)) => Type::Map(Box::new(index), Box::new(body)),
            _ => Type::Any,
        })
    }

    /// The type of what may use some variables more.
    fn within<T>(
        &mut self,
        variables: Vec<(String, Type<'s>)>,
        check: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let before = self.variables.len();
        self.variables.extend(variables);
        let checked = check(self);
        self.variables.truncate(before);
        checked
    }
}

/// The type of all of these; they have to be the same.
fn joined<'s>(types: Vec<Type<'s>>, what: &str) -> Typed<'s> {
    let mut types = types.into_iter();
    let Some(first) = types.next() else { return Ok(Type::Any) };
    let mut is_sure = true;
    let is_plain = !matches!(first, Type::List(_) | Type::Map(..) | Type::Record(_));
    for other in types {
        if first.clashes(&other) {
            let (one, two) = (first.name(), other.name());
            let two = if one == two { "another one" } else { two };
            return Err(format!("{what} can't have {one} and {two}"));
        }
        is_sure &= is_plain && first.name() == other.name();
    }
    Ok(if is_sure { first } else { Type::Any })
}
