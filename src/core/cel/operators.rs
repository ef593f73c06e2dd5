//! The operators of expressions: what they take, and what comparing and adding costs.

use std::cmp::Ordering;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::EvaluationError;
use super::evaluate::{Evaluation, EvaluationResult, overload};
use super::node::Binary;
use super::value::form::Form;
use super::value::{ExpressionValue, visible};

impl<'o> Evaluation<'o, '_> {
    pub(super) fn binary(
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
                if matches!(left, ExpressionValue::Object(_, form) if form.is_record()) {
                    return Err(EvaluationError::unsupported(
                        "an index into a value with named fields",
                    ));
                }
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
                visible(right, left)?;
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
                (ExpressionValue::Array(_, form), _) if form.list_type().is_some() => {
                    self.merged(left, right, *form)
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
        if let Some(made) = sum(operator, left, right) {
            return made.map_err(EvaluationError::stopped);
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
    pub(super) fn field(
        &mut self,
        map: &ExpressionValue<'o>,
        key: &ExpressionValue<'o>,
    ) -> EvaluationResult<'o> {
        self.search(map, key)?;
        visible(map, key)?;
        let found = map.field(key);
        if let (ExpressionValue::Object(_, form), Some(ExpressionValue::Null)) = (map, &found)
            && !matches!(form, Form::Loose)
        {
            return Err(EvaluationError::unsupported("a field that is null"));
        }
        found.ok_or_else(|| {
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
    pub(super) fn search(
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
    pub(super) fn compare(
        &mut self,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
    ) -> Result<(), EvaluationError> {
        self.budget.take_text(left.size().min(right.size()).max(1))
    }

    /// Whether two values are the same; each pair of elements costs.
    pub(super) fn equal(
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
            if let ExpressionValue::Array(_, form) = left
                && form.list_type().is_some()
            {
                return self.unordered(left, right, *form);
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
            if let (ExpressionValue::Object(one, form), ExpressionValue::Object(two, other)) =
                (left, right)
            {
                for (name, value) in one.iter() {
                    self.budget.take_text(name.len())?;
                    let Some(counterpart) = two.get(name) else { return Ok(false) };
                    let (value, counterpart) =
                        (form.known(name).read(value), other.known(name).read(counterpart));
                    if !self.equal(&value, &counterpart)? {
                        return Ok(false);
                    }
                }
                return Ok(true);
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
            (ExpressionValue::Special(one), ExpressionValue::Special(two)) => one.is_same(&**two),
            (ExpressionValue::Optional(one), ExpressionValue::Optional(two)) => {
                return match (one, two) {
                    (Some(one), Some(two)) => self.equal(one, two),
                    (one, two) => Ok(one.is_none() && two.is_none()),
                };
            }
            (ExpressionValue::Unread, _) | (_, ExpressionValue::Unread) => {
                return Err(overload("_==_", &[left.kind(), right.kind()]));
            }
            _ => left.order(right) == Some(Ordering::Equal),
        })
    }
    /// Whether two lists without an order have the same elements.
    fn unordered(
        &mut self,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
        form: Form<'o>,
    ) -> Result<bool, EvaluationError> {
        for one in left.elements().into_iter().flatten() {
            let mut is_there = false;
            for two in right.elements().into_iter().flatten() {
                if self.same_key(&one, &two, form)? && self.equal(&one, &two)? {
                    is_there = true;
                    break;
                }
            }
            if !is_there {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The sum of two sets, or of two lists whose elements have keys: those of the right replace.
    fn merged(
        &mut self,
        left: &ExpressionValue<'o>,
        right: &ExpressionValue<'o>,
        form: Form<'o>,
    ) -> EvaluationResult<'o> {
        let mismatch = || overload("_+_", &[left.kind(), right.kind()]);
        let mut made: Vec<ExpressionValue<'o>> = left.elements().ok_or_else(mismatch)?.collect();
        self.budget.take_elements(left.size() + right.size())?;
        for element in right.elements().ok_or_else(mismatch)? {
            let mut at = None;
            for (index, own) in made.iter().enumerate() {
                if self.same_key(own, &element, form)? {
                    at = Some(index);
                    break;
                }
            }
            match at {
                Some(index) => made[index] = element,
                None => made.push(element),
            }
        }
        Ok(ExpressionValue::List(made.into()))
    }

    /// Whether two elements of a list stand for the same one.
    fn same_key(
        &mut self,
        one: &ExpressionValue<'o>,
        two: &ExpressionValue<'o>,
        form: Form<'o>,
    ) -> Result<bool, EvaluationError> {
        let keys = form.list_map_keys();
        if keys.is_empty() {
            return self.equal(one, two);
        }
        for key in keys {
            let key = ExpressionValue::Text(key);
            let is_same = match (one.field(&key), two.field(&key)) {
                (Some(one), Some(two)) => self.equal(&one, &two)?,
                (one, two) => one.is_none() && two.is_none(),
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn beyond(index: &str) -> EvaluationError {
    EvaluationError::stopped(format!("Index out of bounds: {index}"))
}

/// The sum or the difference of times and durations; `None` of other values.
fn sum<'o>(
    operator: Binary,
    left: &ExpressionValue<'o>,
    right: &ExpressionValue<'o>,
) -> Option<Result<ExpressionValue<'o>, &'static str>> {
    let moved = |time: &Timestamp, nanos: Option<i64>| {
        let time = nanos.and_then(|nanos| time.checked_add(SignedDuration::from_nanos(nanos)).ok());
        time.map(ExpressionValue::Time).ok_or("overflow of a time")
    };
    let long =
        |nanos: Option<i64>| nanos.map(ExpressionValue::Span).ok_or("overflow of a duration");
    match (operator, left, right) {
        (Binary::Add, ExpressionValue::Time(time), ExpressionValue::Span(nanos))
        | (Binary::Add, ExpressionValue::Span(nanos), ExpressionValue::Time(time)) => {
            Some(moved(time, Some(*nanos)))
        }
        (Binary::Subtract, ExpressionValue::Time(time), ExpressionValue::Span(nanos)) => {
            Some(moved(time, nanos.checked_neg()))
        }
        (Binary::Subtract, ExpressionValue::Time(one), ExpressionValue::Time(two)) => {
            let nanos = one.as_nanosecond().checked_sub(two.as_nanosecond());
            Some(long(nanos.and_then(|nanos| i64::try_from(nanos).ok())))
        }
        (Binary::Add, ExpressionValue::Span(one), ExpressionValue::Span(two)) => {
            Some(long(one.checked_add(*two)))
        }
        (Binary::Subtract, ExpressionValue::Span(one), ExpressionValue::Span(two)) => {
            Some(long(one.checked_sub(*two)))
        }
        _ => None,
    }
}
