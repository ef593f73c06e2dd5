//! Works an expression out over an object, step by step, each step paid for before it is done.
//!
//! It ends. The depth of an expression is bounded when it is read, and a loop runs over a list that
//! is there. Every step takes from a [`Budget`] that only shrinks. When that is used up nothing
//! absorbs the error, unlike others, which `&&`, `||`, `all()` and `exists()` may absorb.

use std::cell::RefCell;
use std::rc::Rc;

use super::budget::CostBudget;
use super::node::ExpressionNode;
use super::value::form::Form;
use super::value::{ExpressionValue, visible};
use super::{EvaluationError, ExpressionLimits};

/// The value of an expression, or the error.
pub(super) type EvaluationResult<'o> = Result<ExpressionValue<'o>, EvaluationError>;

/// Composed variables: each is worked out when it is first asked for.
#[derive(Debug, Default)]
pub struct Definitions<'o> {
    pub(super) nodes: Vec<Result<&'o ExpressionNode, &'o str>>,
    pub(super) known: RefCell<Vec<Option<EvaluationResult<'o>>>>,
}

/// Working one expression out.
pub(super) struct Evaluation<'o, 'b> {
    /// The variables from outside, or why one is not known.
    pub(super) roots: &'b [Result<ExpressionValue<'o>, String>],
    /// Composed variables.
    pub(super) defined: Option<&'b Definitions<'o>>,
    pub(super) limits: &'b ExpressionLimits,
    pub(super) budget: &'b mut CostBudget,
}

/// The variable of a macro, and those around it.
#[derive(Clone, Copy)]
pub(super) struct MacroScope<'s, 'o> {
    pub(super) name: &'s str,
    pub(super) value: &'s ExpressionValue<'o>,
    pub(super) outer: Option<&'s MacroScope<'s, 'o>>,
}

impl<'o> Evaluation<'o, '_> {
    pub(super) fn value(
        &mut self,
        node: &'o ExpressionNode,
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        match node {
            ExpressionNode::Literal(literal) => Ok(literal.into()),
            ExpressionNode::Root(number) => {
                self.budget.take(1)?;
                match self.roots.get(*number) {
                    Some(Ok(value)) => Ok(value.clone()),
                    Some(Err(why)) => Err(EvaluationError::unsupported(why)),
                    None => Err(EvaluationError::unsupported("a variable without a value")),
                }
            }
            ExpressionNode::Defined(number) => self.defined(*number),
            ExpressionNode::Type(name) => self.budget.take(1).map(|()| ExpressionValue::Type(name)),
            ExpressionNode::Variable(name) => {
                self.budget.take(1)?;
                let mut at = scope;
                while let Some(scope) = at {
                    if scope.name == name {
                        return Ok(scope.value.clone());
                    }
                    at = scope.outer;
                }
                Err(EvaluationError::stopped(format!("unknown name `{name}`")))
            }
            ExpressionNode::Select(operand, field) => {
                let value = self.value(operand, scope)?;
                self.budget.take(1)?;
                if matches!(value, ExpressionValue::Optional(_)) {
                    return self.maybe(&value, &ExpressionValue::Text(field));
                }
                match value.is_map() {
                    true => self.field(&value, &ExpressionValue::Text(field)),
                    false => Err(overload("_._", &[value.kind(), "string"])),
                }
            }
            ExpressionNode::Has(operand, field) => {
                let value = match self.value(operand, scope)? {
                    ExpressionValue::Optional(None) => return Ok(ExpressionValue::Bool(false)),
                    ExpressionValue::Optional(Some(value)) => (*value).clone(),
                    value => value,
                };
                self.budget.take(1)?;
                match value.is_map() {
                    true => {
                        let field = ExpressionValue::Text(field);
                        self.search(&value, &field)?;
                        visible(&value, &field)?;
                        // A field of a schema that is null counts as absent.
                        let found = value.field(&field).filter(|found| {
                            let has_schema = matches!(
                                value,
                                ExpressionValue::Object(_, Form::Schema(_) | Form::Resource(_))
                            );
                            !(has_schema && matches!(found, ExpressionValue::Null))
                        });
                        Ok(ExpressionValue::Bool(found.is_some()))
                    }
                    false => Err(overload("_._", &[value.kind(), "string"])),
                }
            }
            ExpressionNode::Maybe(operand, key) => {
                let (value, key) = (self.value(operand, scope)?, self.value(key, scope)?);
                self.maybe(&value, &key)
            }
            ExpressionNode::List(nodes, optional) => self.list(nodes, optional, scope),
            ExpressionNode::Bind(name, parts) => {
                let [value, body] = &**parts;
                let value = self.value(value, scope)?;
                self.value(body, Some(&MacroScope { name, value: &value, outer: scope }))
            }
            ExpressionNode::OptionalMap(is_flat, name, parts) => {
                let [value, body] = &**parts;
                self.budget.take(1)?;
                let value = match self.value(value, scope)? {
                    ExpressionValue::Optional(Some(value)) => value,
                    ExpressionValue::Optional(None) => return Ok(ExpressionValue::Optional(None)),
                    other => return Err(overload("optMap", &[other.kind()])),
                };
                let made =
                    self.value(body, Some(&MacroScope { name, value: &value, outer: scope }))?;
                Ok(match is_flat {
                    true => made,
                    false => ExpressionValue::Optional(Some(Rc::new(made))),
                })
            }
            ExpressionNode::Map(entries) => self.map(entries, scope),
            ExpressionNode::Not(operand) => match self.value(operand, scope)? {
                ExpressionValue::Bool(value) => {
                    self.budget.take(1).map(|()| ExpressionValue::Bool(!value))
                }
                other => Err(overload("!_", &[other.kind()])),
            },
            ExpressionNode::Negate(operand) => {
                let value = self.value(operand, scope)?;
                self.budget.take(1)?;
                match value {
                    ExpressionValue::Int(value) => match value.checked_neg() {
                        Some(value) => Ok(ExpressionValue::Int(value)),
                        None => Err(EvaluationError::stopped("Overflow from operator 'negate'")),
                    },
                    ExpressionValue::Double(value) => Ok(ExpressionValue::Double(-value)),
                    ExpressionValue::Span(value) => match value.checked_neg() {
                        Some(value) => Ok(ExpressionValue::Span(value)),
                        None => Err(EvaluationError::stopped("Overflow from operator 'negate'")),
                    },
                    other => Err(overload("-_", &[other.kind()])),
                }
            }
            ExpressionNode::And(left, right) => self.logical(left, right, false, scope),
            ExpressionNode::Or(left, right) => self.logical(left, right, true, scope),
            ExpressionNode::If(parts) => {
                let [which, one, other] = &**parts;
                let which = self.value(which, scope).and_then(truth)?;
                self.value(if which { one } else { other }, scope)
            }
            ExpressionNode::Binary(operator, left, right) => {
                let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
                self.binary(*operator, &left, &right)
            }
            ExpressionNode::Call(function, nodes) => {
                let arguments: Result<Vec<_>, _> =
                    nodes.iter().map(|node| self.value(node, scope)).collect();
                self.call(*function, &arguments?)
            }
            ExpressionNode::Library(function, nodes) => {
                let arguments: Result<Vec<_>, _> =
                    nodes.iter().map(|node| self.value(node, scope)).collect();
                self.library(*function, &arguments?)
            }
            ExpressionNode::Matches(text, pattern, length) => {
                let text = self.value(text, scope)?;
                self.matches(&text, pattern, *length)
            }
            ExpressionNode::Each(each) => self.each(each, scope),
        }
    }

    /// A composed variable. One can use those before it only, so that this ends.
    pub(super) fn defined(&mut self, number: usize) -> EvaluationResult<'o> {
        self.budget.take(1)?;
        let lacking = || EvaluationError::unsupported("a variable that is not defined");
        let definitions = self.defined.ok_or_else(lacking)?;
        if let Some(known) = definitions.known.borrow().get(number).ok_or_else(lacking)? {
            return known.clone();
        }
        let value = match *definitions.nodes.get(number).ok_or_else(lacking)? {
            Ok(node) => self.value(node, None),
            Err(why) => Err(EvaluationError::unsupported(why)),
        };
        definitions.known.borrow_mut()[number] = Some(value.clone());
        value
    }

    /// `&&`, which `false` decides, and `||`, which `true` does, whatever is wrong with the other.
    fn logical(
        &mut self,
        left: &'o ExpressionNode,
        right: &'o ExpressionNode,
        decides: bool,
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        let left = match self.value(left, scope).and_then(truth) {
            Ok(value) if value == decides => return Ok(ExpressionValue::Bool(decides)),
            Err(EvaluationError::Costly) => return Err(EvaluationError::Costly),
            left => left,
        };
        match (left, self.value(right, scope).and_then(truth)) {
            (_, Ok(right)) if right == decides => Ok(ExpressionValue::Bool(right)),
            (Err(one), Err(two)) => Err(one.or(two)),
            (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
            (Ok(_), Ok(right)) => Ok(ExpressionValue::Bool(right)),
        }
    }
}

/// True or false, where it is one of them.
pub(super) fn truth(value: ExpressionValue<'_>) -> Result<bool, EvaluationError> {
    match value {
        ExpressionValue::Bool(value) => Ok(value),
        other => Err(EvaluationError::Mismatch(format!(
            "Unexpected type: got '{}', want 'bool'",
            other.kind()
        ))),
    }
}

/// No function or operator takes values of such types. Their types are said, and never the values:
/// the object may be a Secret.
pub(super) fn overload(function: &str, kinds: &[&str]) -> EvaluationError {
    let kinds = kinds.join(", ");
    EvaluationError::Mismatch(format!(
        "found no matching overload for '{function}' applied to '({kinds})'"
    ))
}
