//! The part of the schema of `trueup.yaml` for the options that [`wrong`](super::wrong) refuses, as far
//! as a pattern can say it. A test holds that both agree.

use schemars::Schema;

/// A namespace.
pub(crate) const NAMESPACE: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
/// A release's name.
pub(super) const RELEASE: &str =
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// An API version, or a kind in one.
pub(super) const API_VERSION: &str =
    "^[A-Za-z0-9][-._A-Za-z0-9]*(/[A-Za-z0-9][-._A-Za-z0-9]*){0,2}$";
/// A version of Kubernetes.
pub(super) const VERSION: &str = r"^v?[0-9]+(\.[0-9]+){0,2}([-+][-+.0-9A-Za-z]*)?$";

/// The names of arguments are Jsonnet's identifiers.
pub(super) fn with_identifiers(schema: &mut Schema) {
    let names = serde_json::json!({ "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" });
    schema.insert("propertyNames".to_owned(), names);
}
