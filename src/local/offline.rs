//! The name that keeps the API server of a sandbox from calling webhooks and other servers.

/// The socket of the proxy that such an API server is given, which does not exist. It stands in the
/// errors of whatever would have called another server.
pub const NO_WEBHOOKS: &str = "no-webhook-is-called.sock";
