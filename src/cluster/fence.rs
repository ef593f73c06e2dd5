//! Keeps a process from writing that no longer may. It is asked right before a write is sent, and again
//! before the same write is sent another time: a check at the beginning of a change would not see that the process
//! stood still since then.

use std::fmt;
use std::sync::Arc;

use http::Method;

use super::api_request::ApiRequest;
use super::{ApiError, Cluster};

/// Gives the reason why nothing may be written now; `None` where something may. Clones share it.
#[derive(Clone)]
pub struct WriteFence(Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl WriteFence {
    /// One that asks `barred` before each write.
    pub fn new(barred: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(barred))
    }
}

impl fmt::Debug for WriteFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteFence")
    }
}

impl Cluster {
    /// The same cluster, written to only while `fence` allows it; always where there is none.
    pub fn fenced(&self, fence: Option<WriteFence>) -> Self {
        Self { fence, ..self.clone() }
    }

    /// Why nothing may be written now.
    pub fn barred(&self) -> Option<String> {
        self.fence.as_ref().and_then(|fence| (fence.0)())
    }

    /// Refuses a write that may not be sent now.
    pub(super) fn pass(&self, call: &ApiRequest) -> Result<(), ApiError> {
        let writes = call.method != Method::GET && !call.path.contains("dryRun=All");
        match self.barred().filter(|_| writes) {
            Some(why) => Err(ApiError::Barred { why }),
            None => Ok(()),
        }
    }
}
