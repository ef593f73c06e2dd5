//! Works an expression out over an object, step by step, each step paid for before it is done.
//!
//! It ends. The depth of an expression is bounded when it is read, and a loop runs over a list that
//! is there. Every step takes from a [`Budget`] that only shrinks. When that is used up nothing
//! absorbs the error, unlike others, which `&&`, `||`, `all()` and `exists()` may absorb.

use std::cmp::Ordering;
use std::rc::Rc;

use super::budget::{CostBudget, LIST, MAP};
use super::node::{Binary, Each, ExpressionNode, Macro};
use super::value::ExpressionValue;
use super::{EvaluationError, ExpressionLimits};
use crate::core::object::Object;

/// The value of an expression, or the error.
pub(super) type EvaluationResult<'o> = Result<ExpressionValue<'o>, EvaluationError>;

/// Working one expression out.
pub(super) struct Evaluation<'o, 'b> {
    pub(super) object: &'o Object,
    pub(super) limits: &'b ExpressionLimits,
    pub(super) budget: &'b mut CostBudget,
}

/// The variable of a macro, and those around it.
#[derive(Clone, Copy)]
pub(super) struct MacroScope<'s, 'o> {
    name: &'s str,
    value: &'s ExpressionValue<'o>,
    outer: Option<&'s MacroScope<'s, 'o>>,
}

impl<'o> Evaluation<'o, '_> {
    pub(super) fn value(
        &mut self,
        node: &'o ExpressionNode,
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        match node {
            ExpressionNode::Literal(literal) => Ok(literal.into()),
            ExpressionNode::Object => {
                self.budget.take(1).map(|()| ExpressionValue::Object(&self.object.0))
            }
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
                match value.is_map() {
                    true => self.field(&value, &ExpressionValue::Text(field)),
                    false => Err(overload("_._", &[value.kind(), "string"])),
                }
            }
            ExpressionNode::Has(operand, field) => {
                let value = self.value(operand, scope)?;
                self.budget.take(1)?;
                match value.is_map() {
                    true => {
                        let field = ExpressionValue::Text(field);
                        self.search(&value, &field)?;
                        Ok(ExpressionValue::Bool(value.field(&field).is_some()))
                    }
                    false => Err(overload("_._", &[value.kind(), "string"])),
                }
            }
            ExpressionNode::List(nodes) => {
                self.budget.take(LIST)?;
                self.budget.take_elements(nodes.len())?;
                let list: Result<Vec<_>, _> =
                    nodes.iter().map(|node| self.value(node, scope)).collect();
                Ok(ExpressionValue::List(list?.into()))
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
            ExpressionNode::Matches(text, pattern, length) => {
                let text = self.value(text, scope)?;
                self.matches(&text, pattern, *length)
            }
            ExpressionNode::Each(each) => self.each(each, scope),
        }
    }

    fn map(
        &mut self,
        entries: &'o [(ExpressionNode, ExpressionNode)],
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        self.budget.take(MAP)?;
        let mut map: Vec<(ExpressionValue<'o>, ExpressionValue<'o>)> = Vec::new();
        for (key, value) in entries {
            let key = self.value(key, scope)?;
            if !key.is_key() {
                return Err(EvaluationError::stopped(format!("a {} can't be a key", key.kind())));
            }
            let value = self.value(value, scope)?;
            for (other, _) in &map {
                self.compare(other, &key)?;
                if other.is_same_key(&key) {
                    return Err(EvaluationError::stopped("a key of a map is repeated"));
                }
            }
            map.push((key, value));
        }
        Ok(ExpressionValue::Map(map.into()))
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
        let right = self.value(right, scope).and_then(truth)?;
        match left {
            Err(fault) if right != decides => Err(fault),
            _ => Ok(ExpressionValue::Bool(right)),
        }
    }

    /// A macro. What each round costs beside its expressions is what the macro is made of in cel-go.
    fn each(&mut self, each: &'o Each, scope: Option<&MacroScope<'_, 'o>>) -> EvaluationResult<'o> {
        let Each { what, range, variable, guard, body } = each;
        let range = self.value(range, scope)?;
        let elements = range.elements().ok_or_else(|| {
            EvaluationError::stopped(format!(
                "Unexpected type: got '{}', want 'iterable'",
                range.kind()
            ))
        })?;
        let (mut taken, mut found, mut pending) = (Vec::new(), 0_u64, None);
        for element in elements {
            let inner = MacroScope { name: variable, value: &element, outer: scope };
            self.budget.take(match what {
                Macro::All => 3,
                Macro::Exists => 4,
                Macro::ExistsOne => 1,
                Macro::Collect => 2,
            })?;
            if let Some(guard) = guard
                && !self.value(guard, Some(&inner)).and_then(truth)?
            {
                continue;
            }
            let value = match body {
                Some(body) => self.value(body, Some(&inner)),
                None => Ok(element.clone()),
            };
            match what {
                Macro::Collect => {
                    self.budget.take(LIST + 1)?;
                    taken.push(value?);
                }
                Macro::ExistsOne => found += u64::from(value.and_then(truth)?),
                Macro::All | Macro::Exists => match value.and_then(truth) {
                    Ok(value) if value == (*what == Macro::Exists) => {
                        return Ok(ExpressionValue::Bool(value));
                    }
                    Ok(_) => {}
                    Err(EvaluationError::Costly) => return Err(EvaluationError::Costly),
                    Err(fault) => pending = Some(fault),
                },
            }
        }
        match (what, pending) {
            (_, Some(fault)) => Err(fault),
            (Macro::All, None) => Ok(ExpressionValue::Bool(true)),
            (Macro::Exists, None) => Ok(ExpressionValue::Bool(false)),
            (Macro::ExistsOne, None) => Ok(ExpressionValue::Bool(found == 1)),
            (Macro::Collect, None) => Ok(ExpressionValue::List(taken.into())),
        }
    }

    fn binary(
        &mut self,
        operator: Binary,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
    ) -> EvaluationResult<'o> {
        let mismatch = || overload(operator.name(), &[left.kind(), right.kind()]);
        let orders = |this: &mut Self, is: fn(Ordering) -> bool| {
            this.compare(left, right)?;
            left.order(right).map(|order| ExpressionValue::Bool(is(order))).ok_or_else(mismatch)
        };
        match operator {
            Binary::Equal => self.equal(left, right).map(ExpressionValue::Bool),
            Binary::NotEqual => self.equal(left, right).map(|equal| ExpressionValue::Bool(!equal)),
            Binary::Less => orders(self, Ordering::is_lt),
            Binary::LessOrEqual => orders(self, Ordering::is_le),
            Binary::Greater => orders(self, Ordering::is_gt),
            Binary::GreaterOrEqual => orders(self, Ordering::is_ge),
            Binary::Index if right.is_key() || matches!(right, ExpressionValue::Double(_)) => {
                self.budget.take(1)?;
                if left.is_map() {
                    return self.field(left, right);
                }
                if !left.is_list() {
                    return Err(mismatch());
                }
                match right.index().ok_or_else(mismatch)? {
                    Ok(index) => left.at(index).ok_or_else(|| beyond(&index.to_string())),
                    Err(index) => Err(beyond(&index)),
                }
            }
            Binary::Index => Err(mismatch()),
            Binary::In
                if left.is_key()
                    || matches!(left, ExpressionValue::Double(_)) && right.is_map() =>
            {
                self.search(right, left)?;
                match right.is_map() {
                    true => Ok(ExpressionValue::Bool(right.field(left).is_some())),
                    false => self.is_in(left, right).ok_or_else(mismatch)?,
                }
            }
            Binary::In => self.is_in(left, right).ok_or_else(mismatch)?,
            Binary::Add => match (left, right) {
                (ExpressionValue::Bytes(one), ExpressionValue::Bytes(two)) => {
                    self.budget.take_text(one.len() + two.len())?;
                    Ok(ExpressionValue::Bytes([&**one, &**two].concat().into()))
                }
                _ if left.is_list() => {
                    let (one, two) = (left.elements(), right.elements());
                    let (one, two) = one.zip(two).ok_or_else(mismatch)?;
                    self.budget.take(1)?;
                    self.budget.take_elements(left.size() + right.size())?;
                    Ok(ExpressionValue::List(one.chain(two).collect::<Vec<_>>().into()))
                }
                _ => match (left.text(), right.text()) {
                    (Some(one), Some(two)) => {
                        self.budget.take_text(one.len() + two.len())?;
                        Ok(ExpressionValue::Made(Rc::from([one, two].concat())))
                    }
                    _ => self.number(operator, left, right),
                },
            },
            Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
                self.number(operator, left, right)
            }
        }
    }

    fn is_in(
        &mut self,
        value: &ExpressionValue<'o>,
        list: &ExpressionValue<'o>,
    ) -> Option<EvaluationResult<'o>> {
        if !list.is_list() {
            return None;
        }
        for element in list.elements()? {
            match self.equal(&element, value) {
                Ok(false) => {}
                answer => return Some(answer.map(ExpressionValue::Bool)),
            }
        }
        Some(Ok(ExpressionValue::Bool(false)))
    }

    fn number(
        &mut self,
        operator: Binary,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
    ) -> EvaluationResult<'o> {
        self.budget.take(1)?;
        let is_division = matches!(operator, Binary::Divide | Binary::Remainder);
        if is_division
            && matches!(
                (left, right),
                (ExpressionValue::Int(_), ExpressionValue::Int(0))
                    | (ExpressionValue::Uint(_), ExpressionValue::Uint(0))
            )
        {
            return Err(EvaluationError::stopped("Division by zero"));
        }
        let made = match (left, right) {
            (ExpressionValue::Int(one), ExpressionValue::Int(two)) => match operator {
                Binary::Add => one.checked_add(*two),
                Binary::Subtract => one.checked_sub(*two),
                Binary::Multiply => one.checked_mul(*two),
                Binary::Divide => one.checked_div(*two),
                _ => one.checked_rem(*two),
            }
            .map(ExpressionValue::Int),
            (ExpressionValue::Uint(one), ExpressionValue::Uint(two)) => match operator {
                Binary::Add => one.checked_add(*two),
                Binary::Subtract => one.checked_sub(*two),
                Binary::Multiply => one.checked_mul(*two),
                Binary::Divide => one.checked_div(*two),
                _ => one.checked_rem(*two),
            }
            .map(ExpressionValue::Uint),
            (ExpressionValue::Double(one), ExpressionValue::Double(two)) => match operator {
                Binary::Add => Some(one + two),
                Binary::Subtract => Some(one - two),
                Binary::Multiply => Some(one * two),
                Binary::Divide => Some(one / two),
                _ => return Err(overload(operator.name(), &["double", "double"])),
            }
            .map(ExpressionValue::Double),
            _ => return Err(overload(operator.name(), &[left.kind(), right.kind()])),
        };
        made.ok_or_else(|| {
            EvaluationError::stopped(format!("Overflow from operator '{}'", operator.name()))
        })
    }

    /// The value of a map at a key.
    fn field(
        &mut self,
        map: &ExpressionValue<'o>,
        key: &ExpressionValue<'o>,
    ) -> EvaluationResult<'o> {
        self.search(map, key)?;
        map.field(key).ok_or_else(|| {
            let key = match key {
                ExpressionValue::Int(value) => value.to_string(),
                ExpressionValue::Uint(value) => value.to_string(),
                ExpressionValue::Double(value) => value.to_string(),
                ExpressionValue::Bool(value) => value.to_string(),
                other => other.text().unwrap_or_default().chars().take(100).collect(),
            };
            EvaluationError::stopped(format!("No such key: {key}"))
        })
    }

    /// Pays for finding a key: of a map that is written out each entry is looked at.
    fn search(
        &mut self,
        map: &ExpressionValue<'o>,
        key: &ExpressionValue<'o>,
    ) -> Result<(), EvaluationError> {
        match map {
            ExpressionValue::Map(entries) => {
                entries.iter().try_for_each(|(other, _)| self.compare(other, key))
            }
            _ => self.budget.take_text(key.size()),
        }
    }

    /// Pays for comparing two values that have no parts.
    fn compare(
        &mut self,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
    ) -> Result<(), EvaluationError> {
        self.budget.take_text(left.size().min(right.size()).max(1))
    }

    /// Whether two values are the same; each pair of elements costs.
    fn equal(
        &mut self,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
    ) -> Result<bool, EvaluationError> {
        if left.is_list() && right.is_list() {
            self.budget.take(1)?;
            let (Some(one), Some(two)) = (left.elements(), right.elements()) else {
                return Ok(false);
            };
            if left.size() != right.size() {
                return Ok(false);
            }
            for (one, two) in one.zip(two) {
                if !self.equal(&one, &two)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        if left.is_map() && right.is_map() {
            self.budget.take(1)?;
            if left.size() != right.size() {
                return Ok(false);
            }
            for key in left.elements().into_iter().flatten() {
                self.search(left, &key)?;
                self.search(right, &key)?;
                let (one, two) = (left.field(&key), right.field(&key));
                match one.zip(two) {
                    Some((one, two)) if self.equal(&one, &two)? => {}
                    _ => return Ok(false),
                }
            }
            return Ok(true);
        }
        self.compare(left, right)?;
        Ok(match (left, right) {
            (ExpressionValue::Null, ExpressionValue::Null) => true,
            (ExpressionValue::Type(one), ExpressionValue::Type(two)) => one == two,
            _ => left.order(right) == Some(Ordering::Equal),
        })
    }
}

/// True or false, where it is one of them.
pub(super) fn truth(value: ExpressionValue<'_>) -> Result<bool, EvaluationError> {
    match value {
        ExpressionValue::Bool(value) => Ok(value),
        other => Err(EvaluationError::stopped(format!(
            "Unexpected type: got '{}', want 'bool'",
            other.kind()
        ))),
    }
}

/// No function or operator takes values of such types. Their types are said, and never the values:
/// the object may be a Secret.
pub(super) fn overload(function: &str, kinds: &[&str]) -> EvaluationError {
    let kinds = kinds.join(", ");
    EvaluationError::stopped(format!(
        "found no matching overload for '{function}' applied to '({kinds})'"
    ))
}

fn beyond(index: &str) -> EvaluationError {
    EvaluationError::stopped(format!("Index out of bounds: {index}"))
}
