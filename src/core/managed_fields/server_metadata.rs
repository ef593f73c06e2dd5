//! Fields of `metadata` that are the API server's own: whatever a manifest says of them, the server
//! has its own way. They are left out of what is sent, since to declare them is enough to make some of
//! them a write each time.

use crate::core::json::Value;
use crate::core::object::Object;

/// Fields that the server sets, or takes out, whatever is sent (k8s.io/apiserver,
/// `pkg/registry/rest/create.go`, `BeforeCreate`, and `update.go`, `BeforeUpdate`). `selfLink` and
/// `clusterName` have no meaning any more (k8s.io/apimachinery, `pkg/apis/meta/v1/types.go`).
const ALWAYS: [&str; 6] = [
    "clusterName",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "selfLink",
];

/// Fields that mean something to server-side apply if they have a value, and nothing where they are
/// empty.
const EMPTY: [&str; 4] = ["generateName", "managedFields", "resourceVersion", "uid"];

/// Takes them out of the metadata of an object that is to be sent.
pub fn strip(object: &mut Object) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    object.metadata_mut().retain(|field, value| {
        let field = field.as_str();
        !(ALWAYS.contains(&field) || EMPTY.contains(&field) && is_empty(value))
    });
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    #[test]
    fn server_metadata_is_stripped_and_declared_metadata_stays() {
        let object = json!({ "metadata": {
            "name": "a", "labels": {}, "annotations": null, "uid": "", "resourceVersion": null,
            "creationTimestamp": null, "selfLink": "/a", "generation": 3, "generateName": "a-",
        }});
        let mut object = Object::from(object.as_object().cloned().unwrap());
        strip(&mut object);
        let left = json!({ "name": "a", "labels": {}, "annotations": null, "generateName": "a-" });
        assert_eq!(object.0["metadata"], left);
    }
}
