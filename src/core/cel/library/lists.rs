//! Lists and sets: k8s.io/apiserver, `pkg/cel/library/lists.go`; cel-go, `ext/lists.go` and
//! `ext/sets.go`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Entry, elements, global, int, method, mismatch, number};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::{Evaluation, EvaluationResult};
use crate::core::cel::node::Binary;
use crate::core::cel::value::ExpressionValue;

pub(super) const FUNCTIONS: &[Entry] = &[
    method("isSorted", 1, 1, is_sorted),
    method("sum", 1, 1, sum),
    method("min", 1, 1, |e, a| extreme(e, a, Ordering::Less)),
    method("max", 1, 1, |e, a| extreme(e, a, Ordering::Greater)),
    method("slice", 3, 3, slice),
    method("sort", 1, 1, sort),
    method("distinct", 1, 1, distinct),
    method("flatten", 1, 2, flatten),
    method("first", 1, 1, |_, a| {
        Ok(ExpressionValue::Optional(elements(&a[0])?.into_iter().next().map(Rc::new)))
    }),
    method("last", 1, 1, |_, a| Ok(ExpressionValue::Optional(elements(&a[0])?.pop().map(Rc::new)))),
    global("lists.range", 1, 1, range),
    global("sets.contains", 2, 2, |e, a| contains(e, &a[0], &a[1])),
    global("sets.equivalent", 2, 2, |e, a| {
        match (contains(e, &a[0], &a[1])?, contains(e, &a[1], &a[0])?) {
            (ExpressionValue::Bool(one), ExpressionValue::Bool(two)) => {
                Ok(ExpressionValue::Bool(one && two))
            }
            _ => Err(mismatch()),
        }
    }),
    global("sets.intersects", 2, 2, |e, a| {
        let two = elements(&a[1])?;
        for one in elements(&a[0])? {
            if position(e, &two, &one)?.is_some() {
                return Ok(ExpressionValue::Bool(true));
            }
        }
        Ok(ExpressionValue::Bool(false))
    }),
];

fn position<'o>(
    e: &mut Evaluation<'o, '_>,
    list: &[ExpressionValue<'o>],
    wanted: &ExpressionValue<'o>,
) -> Result<Option<usize>, EvaluationError> {
    for (index, element) in list.iter().enumerate() {
        if e.equal(element, wanted)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

pub(super) fn index_of<'o>(
    e: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
) -> EvaluationResult<'o> {
    let [list, wanted] = a else { return Err(mismatch()) };
    let at = position(e, &elements(list)?, wanted)?;
    Ok(at.map_or(ExpressionValue::Int(-1), number))
}

pub(super) fn last_index_of<'o>(
    e: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
) -> EvaluationResult<'o> {
    let [list, wanted] = a else { return Err(mismatch()) };
    let mut list = elements(list)?;
    list.reverse();
    let at = position(e, &list, wanted)?;
    Ok(at.map_or(ExpressionValue::Int(-1), |at| number(list.len() - 1 - at)))
}

/// How two elements are ordered; each comparison costs.
fn order<'o>(
    e: &mut Evaluation<'o, '_>,
    one: &ExpressionValue<'o>,
    two: &ExpressionValue<'o>,
) -> Result<Ordering, EvaluationError> {
    e.compare(one, two)?;
    one.order(two).ok_or_else(mismatch)
}

fn is_sorted<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    for pair in elements(&a[0])?.windows(2) {
        if order(e, &pair[0], &pair[1])?.is_gt() {
            return Ok(ExpressionValue::Bool(false));
        }
    }
    Ok(ExpressionValue::Bool(true))
}

fn sum<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let mut list = elements(&a[0])?.into_iter();
    // The type of nothing is not known here; 0 compares with every number.
    let Some(mut total) = list.next() else { return Ok(ExpressionValue::Int(0)) };
    if !matches!(
        total,
        ExpressionValue::Int(_)
            | ExpressionValue::Uint(_)
            | ExpressionValue::Double(_)
            | ExpressionValue::Span(_)
    ) {
        return Err(mismatch());
    }
    for element in list {
        total = e.binary(Binary::Add, &total, &element)?;
    }
    Ok(total)
}

fn extreme<'o>(
    e: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
    wanted: Ordering,
) -> EvaluationResult<'o> {
    let mut list = elements(&a[0])?.into_iter();
    let mut best =
        list.next().ok_or_else(|| EvaluationError::stopped("min() or max() of an empty list"))?;
    for element in list {
        if order(e, &element, &best)? == wanted {
            best = element;
        }
    }
    Ok(best)
}

fn slice<'o>(_: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let list = elements(&a[0])?;
    let outside = || EvaluationError::stopped("slice(): index out of range");
    let start = usize::try_from(int(&a[1])?).map_err(|_| outside())?;
    let end = usize::try_from(int(&a[2])?).map_err(|_| outside())?;
    let part = list.get(start..end).ok_or_else(outside)?;
    Ok(ExpressionValue::List(part.into()))
}

fn sort<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let mut list = elements(&a[0])?;
    // About as many comparisons as sorting makes, each of which goes through the smaller value.
    let rounds = usize::BITS - list.len().leading_zeros();
    let bytes = list.iter().map(|value| value.size() / 10 + 1).sum::<usize>();
    e.budget.take_elements(bytes.saturating_mul(rounds as usize))?;
    if list.windows(2).any(|pair| pair[0].order(&pair[1]).is_none()) {
        return Err(mismatch());
    }
    list.sort_by(|one, two| one.order(two).unwrap_or(Ordering::Equal));
    Ok(ExpressionValue::List(list.into()))
}

fn distinct<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let mut list: Vec<ExpressionValue<'o>> = Vec::new();
    for element in elements(&a[0])? {
        if position(e, &list, &element)?.is_none() {
            list.push(element);
        }
    }
    Ok(ExpressionValue::List(list.into()))
}

fn flatten<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let depth = a.get(1).map_or(Ok(1), int)?;
    if depth < 0 {
        return Err(EvaluationError::stopped("flatten(): the depth is negative"));
    }
    let mut list = elements(&a[0])?;
    for _ in 0..depth {
        if !list.iter().any(ExpressionValue::is_list) {
            break;
        }
        let mut flat = Vec::new();
        for element in list {
            e.budget.take_elements(element.size() + 1)?;
            match element.is_list() {
                true => flat.extend(elements(&element)?),
                false => flat.push(element),
            }
        }
        list = flat;
    }
    Ok(ExpressionValue::List(list.into()))
}

fn range<'o>(e: &mut Evaluation<'o, '_>, a: &[ExpressionValue<'o>]) -> EvaluationResult<'o> {
    let end = int(&a[0])?;
    e.budget.take(u64::try_from(end).unwrap_or(0))?;
    Ok(ExpressionValue::List((0..end).map(ExpressionValue::Int).collect()))
}

fn contains<'o>(
    e: &mut Evaluation<'o, '_>,
    list: &ExpressionValue<'o>,
    parts: &ExpressionValue<'o>,
) -> EvaluationResult<'o> {
    let list = elements(list)?;
    for part in elements(parts)? {
        if position(e, &list, &part)?.is_none() {
            return Ok(ExpressionValue::Bool(false));
        }
    }
    Ok(ExpressionValue::Bool(true))
}
