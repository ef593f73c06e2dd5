//! Maps, lists and loops of expressions.

use std::rc::Rc;

use super::EvaluationError;
use super::budget::{LIST, MAP};
use super::evaluate::{Evaluation, EvaluationResult, MacroScope, overload, truth};
use super::node::{Each, ExpressionNode, Macro};
use super::value::{ExpressionValue, visible};

/// The entries of a map that is made.
type Entries<'o> = Vec<(ExpressionValue<'o>, ExpressionValue<'o>)>;

impl<'o> Evaluation<'o, '_> {
    pub(super) fn list(
        &mut self,
        nodes: &'o [ExpressionNode],
        optional: &[usize],
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        self.budget.take(LIST)?;
        self.budget.take_elements(nodes.len())?;
        let mut list = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            match (self.value(node, scope)?, optional.contains(&index)) {
                (value, false) => list.push(value),
                (ExpressionValue::Optional(value), true) => {
                    list.extend(value.map(|value| (*value).clone()));
                }
                (other, true) => return Err(overload("[?_]", &[other.kind()])),
            }
        }
        Ok(ExpressionValue::List(list.into()))
    }

    pub(super) fn map(
        &mut self,
        entries: &'o [(ExpressionNode, ExpressionNode, bool)],
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        self.budget.take(MAP)?;
        let mut map = Entries::new();
        for (key, value, is_optional) in entries {
            let key = self.value(key, scope)?;
            let value = match (self.value(value, scope)?, is_optional) {
                (value, false) => value,
                (ExpressionValue::Optional(Some(value)), true) => (*value).clone(),
                (ExpressionValue::Optional(None), true) => continue,
                (other, true) => return Err(overload("{?_}", &[other.kind()])),
            };
            self.entry(&mut map, key, value)?;
        }
        Ok(ExpressionValue::Map(map.into()))
    }

    /// Adds an entry to a map, whose keys are compared with each other.
    fn entry(
        &mut self,
        map: &mut Entries<'o>,
        key: ExpressionValue<'o>,
        value: ExpressionValue<'o>,
    ) -> Result<(), EvaluationError> {
        if !key.is_key() {
            return Err(EvaluationError::stopped(format!("a {} can't be a key", key.kind())));
        }
        for (other, _) in &*map {
            self.compare(other, &key)?;
            if other.is_same_key(&key) {
                return Err(EvaluationError::stopped("a key of a map is repeated"));
            }
        }
        map.push((key, value));
        Ok(())
    }

    /// A macro. What each round costs beside its expressions is what the macro is made of in cel-go.
    pub(super) fn each(
        &mut self,
        each: &'o Each,
        scope: Option<&MacroScope<'_, 'o>>,
    ) -> EvaluationResult<'o> {
        let Each { what, range, variable, key, guard, body } = each;
        let range = self.value(range, scope)?;
        let fault = |kind| format!("Unexpected type: got '{kind}', want 'iterable'");
        let elements =
            range.elements().ok_or_else(|| EvaluationError::Mismatch(fault(range.kind())))?;
        let is_map = range.is_map();
        let (mut taken, mut entries, mut found) = (Vec::new(), Entries::new(), 0_u64);
        let mut pending: Option<EvaluationError> = None;
        for (number, element) in elements.enumerate() {
            // With two variables the first is the index or the key, and the second is the value.
            let (first, second) = match (key, is_map) {
                (None, _) => (element.clone(), element.clone()),
                (Some(_), true) => {
                    let value = self.field(&range, &element)?;
                    (element.clone(), value)
                }
                (Some(_), false) => (
                    ExpressionValue::Int(i64::try_from(number).unwrap_or(i64::MAX)),
                    element.clone(),
                ),
            };
            let name = key.as_deref().unwrap_or(variable);
            let outer = MacroScope { name, value: &first, outer: scope };
            let inner = MacroScope { name: variable, value: &second, outer: Some(&outer) };
            self.budget.take(match what {
                Macro::All => 3,
                Macro::Exists => 4,
                Macro::ExistsOne => 1,
                Macro::Collect | Macro::CollectMap | Macro::CollectEntries => 2,
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
                Macro::CollectMap => {
                    self.budget.take(LIST + 1)?;
                    self.entry(&mut entries, first, value?)?;
                }
                Macro::CollectEntries => {
                    let value = value?;
                    let keys: Vec<_> = match value.is_map() {
                        true => value.elements().into_iter().flatten().collect(),
                        false => return Err(overload("transformMapEntry", &[value.kind()])),
                    };
                    for key in keys {
                        self.budget.take(LIST + 1)?;
                        let field = self.field(&value, &key)?;
                        self.entry(&mut entries, key, field)?;
                    }
                }
                Macro::ExistsOne => found += u64::from(value.and_then(truth)?),
                Macro::All | Macro::Exists => match value.and_then(truth) {
                    Ok(value) if value == (*what == Macro::Exists) => {
                        return Ok(ExpressionValue::Bool(value));
                    }
                    Ok(_) => {}
                    Err(EvaluationError::Costly) => return Err(EvaluationError::Costly),
                    Err(fault) => {
                        pending = Some(match pending.take() {
                            Some(before) => before.or(fault),
                            None => fault,
                        });
                    }
                },
            }
        }
        match (what, pending) {
            (_, Some(fault)) => Err(fault),
            (Macro::All, None) => Ok(ExpressionValue::Bool(true)),
            (Macro::Exists, None) => Ok(ExpressionValue::Bool(false)),
            (Macro::ExistsOne, None) => Ok(ExpressionValue::Bool(found == 1)),
            (Macro::Collect, None) => Ok(ExpressionValue::List(taken.into())),
            (Macro::CollectMap | Macro::CollectEntries, None) => {
                Ok(ExpressionValue::Map(entries.into()))
            }
        }
    }

    /// `a.?b` and `a[?b]`: the field or element, if it is there.
    pub(super) fn maybe(
        &mut self,
        value: &ExpressionValue<'o>,
        key: &ExpressionValue<'o>,
    ) -> EvaluationResult<'o> {
        let value = match value {
            ExpressionValue::Optional(None) => return Ok(ExpressionValue::Optional(None)),
            ExpressionValue::Optional(Some(value)) => (**value).clone(),
            value => value.clone(),
        };
        let found = match (value.is_map(), key.index()) {
            (true, _) => {
                self.search(&value, key)?;
                visible(&value, key)?;
                match value.field(key) {
                    Some(ExpressionValue::Null) => {
                        return Err(EvaluationError::unsupported("a field that is null"));
                    }
                    found => found,
                }
            }
            (false, Some(index)) if value.is_list() => {
                self.budget.take(1)?;
                index.ok().and_then(|index| value.at(index))
            }
            _ => return Err(overload("_[?_]", &[value.kind(), key.kind()])),
        };
        Ok(ExpressionValue::Optional(found.map(Rc::new)))
    }
}
