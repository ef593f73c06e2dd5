//! Fields that keep their value and change hands, as stories below a change.

use super::PlanView;
use super::brief;
use super::story::{Explanation, TimeStyle, names};
use crate::core::attribution::{Handover, OwnerChange};
use crate::core::masked_plan::MaskedChange;

/// How many fields of one story are told one by one.
const MOST: usize = 8;

/// The fields of an object that change hands, those that do so alike in one story.
pub(super) fn stories(
    change: MaskedChange<'_>,
    view: &PlanView<'_>,
    times: TimeStyle,
) -> Vec<Explanation> {
    let mut groups: Vec<Vec<&Handover>> = Vec::new();
    for handover in view.explained.handovers.get(change.key()).into_iter().flatten() {
        match groups.iter_mut().find(|group| group[0].hands == handover.hands) {
            Some(group) => group.push(handover),
            None => groups.push(vec![handover]),
        }
    }
    groups.iter().map(|group| explain_group(group, times)).collect()
}

fn explain_group(group: &[&Handover], times: TimeStyle) -> Explanation {
    let hands = match &group[0].hands {
        OwnerChange::Ours => "now owned by trueup; had no owner".to_owned(),
        OwnerChange::Shared(writers) => {
            format!("now owned by trueup, beside {}", names(writers, times))
        }
        OwnerChange::Taken(writers) => format!("taken from {}", names(writers, times)),
        OwnerChange::Left(writers) => {
            format!("released; stays with {}", names(writers, times))
        }
        OwnerChange::Default => "released; the default is the same".to_owned(),
    };
    match group {
        [field] => {
            Explanation { what: format!("{} is", line(field)), then: hands, also: Vec::new() }
        }
        fields => {
            let mut also: Vec<String> =
                fields.iter().take(MOST).map(|field| format!("  {}", line(field))).collect();
            match fields.len().saturating_sub(MOST) {
                0 => {}
                1 => also.push("  and 1 more field".to_owned()),
                more => also.push(format!("  and {more} more fields")),
            }
            Explanation {
                what: format!("{} fields are", fields.len()),
                then: format!("{hands}:"),
                also,
            }
        }
    }
}

/// `spec.replicas: 5`, without the value where it is long.
fn line(field: &Handover) -> String {
    match brief::short(Some(&field.value)) {
        Some(value) => format!("{}: {value}", field.path),
        None => field.path.clone(),
    }
}
