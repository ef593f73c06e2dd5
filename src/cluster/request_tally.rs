//! Counts requests by verb and status code, over all connections of a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The count of requests by verb and status code. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct RequestTally(Arc<Mutex<BTreeMap<(String, u16), u64>>>);

impl RequestTally {
    /// The counts so far, by the HTTP method in lower case and the code; 0 is no answer.
    pub fn counts(&self) -> BTreeMap<(String, u16), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a request.
    pub(super) fn add(&self, method: &http::Method, code: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((method.as_str().to_lowercase(), code)).or_default() += 1;
    }
}
