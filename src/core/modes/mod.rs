//! Whether a target may be changed now: suspensions, and what ends them. A pure function of what the
//! inventory's parent says and of the time.
//!
//! Data and rules only; [`crate::app`] asks before it writes, and [`crate::cluster`] writes the parent's
//! annotations.

mod stored;
mod until;

use jiff::Timestamp;

pub use self::stored::{Holding, Note, SUSPENDED, Suspension};
pub use self::until::{FORMS, until};

/// Why a target is not changed, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub cause: HoldCause,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
}

/// Why a target is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// It is suspended.
    Suspended(Suspension),
    /// It is suspended, and the annotation that says so can't be read, for this reason.
    Unreadable(String),
}

/// The holds that whoever runs a command goes past on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// A suspension.
    pub suspended: bool,
}

/// Whether a target is held at the time `now`, and why. `None` where it may be changed.
pub fn hold(holding: &Holding, passes: Passes, now: Timestamp) -> Option<Hold> {
    let suspended = holding.suspended.as_ref().filter(|_| !passes.suspended)?;
    match suspended {
        Ok(suspension) if suspension.is_over(now) => None,
        Ok(suspension) => {
            Some(Hold { until: suspension.until, cause: HoldCause::Suspended(suspension.clone()) })
        }
        // It may be that of a later version, or of a person: it never counts for less.
        Err(why) => Some(Hold { cause: HoldCause::Unreadable(why.clone()), until: None }),
    }
}

impl Hold {
    /// The reason after the target's name: `prod is suspended by ops@host until …`.
    pub fn words(&self) -> String {
        match &self.cause {
            HoldCause::Suspended(_) | HoldCause::Unreadable(_) => {
                format!("suspended {}", self.details())
            }
        }
    }

    /// The rest of these words: `by ops@host until 2026-03-01T18:00:00Z: stock-taking`.
    pub fn details(&self) -> String {
        match &self.cause {
            HoldCause::Suspended(suspension) => suspension.words(),
            HoldCause::Unreadable(why) => {
                format!("until it is resumed: the annotation {SUSPENDED} can't be read: {why}")
            }
        }
    }

    /// The same with its texts from outside as `mask` gives them.
    #[must_use]
    pub fn masked(mut self, mask: impl Fn(&str) -> String) -> Self {
        let texts = match &mut self.cause {
            HoldCause::Suspended(Suspension { by, reason, .. }) => vec![by, reason],
            HoldCause::Unreadable(why) => vec![why],
        };
        texts.into_iter().for_each(|text| *text = mask(text));
        self
    }

    /// Whether it ends so soon that people are told.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        match &self.cause {
            HoldCause::Suspended(suspension) => suspension.ends_soon(now),
            HoldCause::Unreadable(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;
    use crate::core::object::Object;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-01T{text}Z").parse().unwrap()
    }

    /// The notes of an inventory's parent that has this annotation.
    fn holding(suspended: Option<&str>) -> Holding {
        let mut annotations = json!({});
        if let Some(text) = suspended {
            annotations[SUSPENDED] = text.into();
        }
        let parent = json!({ "metadata": { "annotations": annotations } });
        Holding::read(&Object::from(parent.as_object().cloned().unwrap()))
    }

    const OPEN: &str = r#"{"by":"ops@host","at":"2026-03-01T12:00:00Z","reason":"stock-taking"}"#;
    const TIMED: &str = r#"{"by":"ops@host","at":"2026-03-01T12:00:00Z","until":"2026-03-01T14:00:00Z","reason":"stock-taking"}"#;

    #[test]
    fn suspension_holds_until_its_end() {
        for (annotation, now, expected) in [
            (None, "12:30:00", None),
            (
                Some(OPEN),
                "11:00:00",
                Some("suspended by ops@host until it is resumed: stock-taking"),
            ),
            (
                Some(OPEN),
                "23:59:59",
                Some("suspended by ops@host until it is resumed: stock-taking"),
            ),
            (
                Some(TIMED),
                "13:59:59",
                Some("suspended by ops@host until 2026-03-01T14:00:00Z: stock-taking"),
            ),
            (Some(TIMED), "14:00:00", None),
            (Some(TIMED), "14:00:01", None),
        ] {
            let held = hold(&holding(annotation), Passes::default(), at(now));
            let words = held.map(|held| held.words());
            assert_eq!(words.as_deref(), expected, "{annotation:?} {now}");
            assert_eq!(hold(&holding(annotation), Passes { suspended: true }, at(now)), None);
        }
    }

    #[test]
    fn suspension_that_cannot_be_read_holds() {
        for annotation in [
            "",
            "true",
            "{}",
            "null",
            r#"{"by":"a","at":"soon","reason":"b"}"#,
            r#"{"by":"a","at":"2026-03-01T12:00:00Z","until":"yesterday","reason":"b"}"#,
            r#"{"by":"a","at":"2026-03-01T12:00:00Z","reason":"b","kinds":["Job"]}"#,
        ] {
            let held = hold(&holding(Some(annotation)), Passes::default(), at("23:00:00")).unwrap();
            assert!(matches!(held.cause, HoldCause::Unreadable(_)), "{annotation}");
            assert_eq!((held.until, held.ends_soon(at("23:00:00"))), (None, false));
            let begin = "suspended until it is resumed: the annotation trueup.dev/suspended can't be read: ";
            assert!(held.words().starts_with(begin), "{}", held.words());
        }
        let long = hold(&holding(Some(&"x".repeat(100_000))), Passes::default(), at("00:00:00"));
        assert!(long.unwrap().words().len() < 1000);
    }

    #[test]
    fn end_of_a_suspension_is_told_before_it_comes() {
        for (annotation, now, expected) in [
            (OPEN, "13:59:00", false),
            (TIMED, "13:44:59", false),
            (TIMED, "13:45:00", true),
            (TIMED, "13:59:59", true),
        ] {
            let held = hold(&holding(Some(annotation)), Passes::default(), at(now)).unwrap();
            assert_eq!(held.ends_soon(at(now)), expected, "{annotation} {now}");
        }
        // Of a short one, its last quarter.
        let short = TIMED.replace("14:00", "12:20");
        let soon = |now| {
            let held = hold(&holding(Some(&short)), Passes::default(), at(now));
            held.is_some_and(|held| held.ends_soon(at(now)))
        };
        assert_eq!([soon("12:14:59"), soon("12:15:00")], [false, true]);
    }

    #[test]
    fn reason_from_outside_is_one_bounded_line() {
        let suspension = Suspension {
            by: "a\nb".to_owned(),
            at: at("12:00:00"),
            until: None,
            reason: format!("c\u{1b}[2J\r\n{}", "d".repeat(100_000)),
        };
        let holding = holding(Some(&suspension.text()));
        assert_eq!(holding.suspended, Some(Ok(suspension)));
        let words = hold(&holding, Passes::default(), at("12:00:00")).unwrap().words();
        assert!(
            words.starts_with("suspended by a; b until it is resumed: c\\x1b[2J; dd"),
            "{words}"
        );
        assert!(words.len() < 1000 && !words.contains('\n'), "{words}");
    }
}
