//! Rules of `trueup.yaml` that are about nothing in a plan: most likely slips.

use super::{Change, Plan};
use crate::core::desired::Desired;
use crate::core::field_rules::FieldRule;
use crate::core::object::Object;
use crate::core::problem::{Location, Problem};
use crate::core::source::CONFIG_FILE;

/// Rules that are about nothing, and fields that no object has: most likely slips.
pub fn idle_rules(rules: &[FieldRule], desired: &Desired, plan: &Plan) -> Vec<Problem> {
    let warn = |(line, column): (usize, usize), message: String| Problem {
        place: Location { path: CONFIG_FILE.to_owned(), line, column },
        message,
        excerpt: None,
        hint: None,
    };
    let mut warnings = Vec::new();
    for rule in rules {
        let Some(at) = rule.at else { continue };
        let about: Vec<_> = plan.changes().filter(|change| rule.is_about(&change.key)).collect();
        if about.is_empty() {
            warnings.push(warn(at, "this rule does not match any object of the target".to_owned()));
            continue;
        }
        for path in &rule.paths {
            let has = |object: &Object| {
                let paths = path.within(&object.0);
                paths.iter().any(|path| path.value(&object.0).is_some())
            };
            let may_have = |change: &&Change| {
                let declared = desired.objects.get(&change.key);
                declared.is_some_and(|manifest| has(&manifest.object))
                    || change.becomes().is_some_and(has)
                    || change.live().is_some_and(|live| has(live) || is_outline(live))
            };
            if !about.iter().any(may_have) {
                warnings.push(warn(at, format!("no object that this rule matches has {path}")));
            }
        }
    }
    warnings
}

/// Whether this is the little that is kept of an object that stays as it is.
fn is_outline(live: &Object) -> bool {
    live.metadata().is_none_or(|metadata| !metadata.contains_key("managedFields"))
}
