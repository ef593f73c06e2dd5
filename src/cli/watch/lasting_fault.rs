//! A fault of a watch's own files that lasts: told once, and again where it comes back.

use crate::core::log::normal_form;

/// The normal form of the last attempt's fault.
#[derive(Debug, Default)]
pub(super) struct LastingFault(Option<String>);

impl LastingFault {
    /// Notes how an attempt ended, and gives the fault where it was not the last one's.
    pub(super) fn note(&mut self, fault: Option<String>) -> Option<String> {
        let now = fault.as_deref().map(normal_form);
        let before = std::mem::replace(&mut self.0, now);
        fault.filter(|_| before != self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_each_time_that_it_begins() {
        let mut last = LastingFault::default();
        let mut told = |fault: Option<&str>| last.note(fault.map(str::to_owned)).is_some();
        assert_eq!([Some("full"), Some("full"), Some("gone")].map(&mut told), [true, false, true]);
        assert_eq!([None, None, Some("gone")].map(&mut told), [false, false, true]);
    }
}
