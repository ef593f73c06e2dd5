//! The user name that the API server knows a run by (SelfSubjectReview, since Kubernetes 1.28). It is asked
//! once for a credential, and then remembered with a digest of that.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Cluster;
use super::api_request::ApiRequest;
use crate::core::json::json;

/// How long it is remembered that the server does not say it.
const REFUSED: SignedDuration = SignedDuration::from_hours(24);

/// The answer of a server.
#[derive(Serialize, Deserialize)]
struct Known {
    /// `None` where it did not say.
    user: Option<String>,
    at: Timestamp,
}

impl Cluster {
    /// The user name that the API server knows this run by; `None` where it does not say.
    pub async fn user(&self) -> Option<String> {
        let (name, now) =
            (self.memory_name(&["user", &self.credential_digest()]), Timestamp::now());
        let kept = self.connection.memory.recall(&name);
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Known>(&bytes).ok());
        let holds = |it: &Known| it.user.is_some() || now.duration_since(it.at).abs() < REFUSED;
        if let Some(known) = kept.filter(holds) {
            return known.user;
        }
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "SelfSubjectReview",
        });
        let call = ApiRequest {
            method: Method::POST,
            path: "/apis/authentication.k8s.io/v1/selfsubjectreviews".to_owned(),
            body: Some(("application/json", review.to_string().into_bytes())),
            accept: None,
            known: None,
        };
        let user = match self.call(call).await {
            Ok(answer) => {
                let user = answer.body.pointer("/status/userInfo/username");
                user.and_then(|user| user.as_str()).map(str::to_owned)
            }
            Err(error) if error.is_forbidden() || error.is_not_found() => None,
            // It may say so the next time.
            Err(_) => return None,
        };
        let known = Known { user, at: now };
        self.connection.memory.keep(&name, &serde_json::to_vec(&known).unwrap_or_default());
        known.user
    }

    /// A digest of the credential that the next request shows.
    pub(super) fn credential_digest(&self) -> String {
        let digest = self.connection.client.digest();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
