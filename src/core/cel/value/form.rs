//! How the values of an object are read: the type that each has in an expression.
//!
//! The rules are those of the API server (k8s.io/apiserver, `pkg/cel/common/schemas.go` and
//! `values.go`): a definition's schema says which fields there are, and that a text is a time.

use std::borrow::Cow;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ExpressionValue;
use crate::core::cel::moments;
use crate::core::json::Value as Json;
use crate::core::kinds::schemas::{JsonType, Others, Schema};

/// How a value is read.
#[derive(Clone, Copy, Debug)]
pub enum Form<'o> {
    /// As the cel crate reads JSON, where an integer without a sign has a type of its own.
    Loose,
    /// As Kubernetes reads JSON that has no schema.
    Dynamic,
    /// As its schema says.
    Schema(&'o Schema),
    /// As its schema says, and with what every object has.
    Resource(&'o Schema),
    /// The metadata of a custom resource, of which rules see the names only.
    Metadata,
    /// As Kubernetes reads JSON, where the API server fills in some fields that are lacking.
    Filled(FilledIn),
}

/// The fields that the API server fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilledIn {
    /// Those of Kubernetes' own kinds.
    Release,
    /// The same, and those of a pod that admission controllers fill in.
    Pod,
    /// Those of a custom resource's metadata.
    Custom,
    /// Those of a request.
    Request,
}

/// Fields of any object's metadata.
const METADATA: [&str; 8] = [
    "uid",
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "finalizers",
    "namespace",
    "name",
];
/// Fields that have a default somewhere in Kubernetes' own kinds.
const DEFAULTED: &[&str] = &[
    "accessModes",
    "activeDeadlineSeconds",
    "allowVolumeExpansion",
    "allocateLoadBalancerNodePorts",
    "apiVersion",
    "apiGroup",
    "autoCreate",
    "automountServiceAccountToken",
    "azureDisk",
    "backoffLimit",
    "behavior",
    "cachingMode",
    "claimRef",
    "clusterIP",
    "clusterIPs",
    "completionMode",
    "completions",
    "concurrencyPolicy",
    "conversion",
    "defaultMode",
    "deletionGracePeriodSeconds",
    "dnsPolicy",
    "enableServiceLinks",
    "externalTrafficPolicy",
    "failedJobsHistoryLimit",
    "failurePolicy",
    "failureThreshold",
    "fsType",
    "globalDefault",
    "healthCheckNodePort",
    "imagePullPolicy",
    "immutable",
    "internalTrafficPolicy",
    "ipFamilies",
    "ipFamilyPolicy",
    "kind",
    "manualSelector",
    "matchPolicy",
    "maxReplicas",
    "maxSurge",
    "maxUnavailable",
    "metrics",
    "minReadySeconds",
    "minReplicas",
    "mode",
    "namespaceSelector",
    "nodePort",
    "objectSelector",
    "parallelism",
    "partition",
    "path",
    "periodSeconds",
    "persistentVolumeClaimRetentionPolicy",
    "persistentVolumeReclaimPolicy",
    "podManagementPolicy",
    "podReplacementPolicy",
    "policyTypes",
    "port",
    "preemptionPolicy",
    "progressDeadlineSeconds",
    "protocol",
    "provisioner",
    "reclaimPolicy",
    "resources",
    "revisionHistoryLimit",
    "rollingUpdate",
    "scheme",
    "selector",
    "sessionAffinityConfig",
    "spec",
    "status",
    "strategy",
    "successThreshold",
    "successfulJobsHistoryLimit",
    "suspend",
    "timeoutSeconds",
    "type",
    "value",
];
/// More of them, which no other list has room for.
const DEFAULTED_TOO: &[&str] = &[
    "updateStrategy",
    "ingressClassName",
    "storageClassName",
    "listKind",
    "singular",
    "scope",
    "default",
    "defaultRequest",
    "service",
    "expirationSeconds",
    "resizePolicy",
    "procMount",
    "storageMode",
    "pool",
    "user",
    "keyring",
    "podInfoOnMount",
    "attachRequired",
    "fsGroupPolicy",
    "requiresRepublish",
    "storageCapacity",
    "volumeLifecycleModes",
    "seLinuxMount",
    "divisor",
    "fieldRef",
    "hostPort",
    "initialDelaySeconds",
    "iscsiInterface",
    "publishNotReadyAddresses",
    "rbd",
    "replicas",
    "sessionAffinity",
    "targetPort",
    "ttlSecondsAfterFinished",
    "volumeBindingMode",
    "volumeMode",
];
/// Fields of a pod that admission controllers fill in.
const POD: [&str; 9] = [
    "serviceAccountName",
    "serviceAccount",
    "tolerations",
    "priority",
    "priorityClassName",
    "volumes",
    "volumeMounts",
    "nodeName",
    "imagePullSecrets",
];
/// Fields of a request that are not known before.
const REQUEST: [&str; 4] = ["userInfo", "options", "uid", "dryRun"];

/// Characters that a name may not have in an expression, and what is written for them.
const ESCAPES: [(&str, &str); 4] =
    [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")];
/// Words of CEL, which a field of the name is written with underscores around.
const RESERVED: [&str; 20] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
];

impl<'o> Form<'o> {
    /// A value, read.
    pub fn read(self, json: &'o Json) -> ExpressionValue<'o> {
        match json {
            Json::Null => ExpressionValue::Null,
            Json::Bool(value) => ExpressionValue::Bool(*value),
            Json::Number(number) => match (self, number.as_u64(), number.as_i64()) {
                (Self::Loose, Some(value), _) => ExpressionValue::Uint(value),
                (Self::Schema(schema), ..) if schema.kind == Some(JsonType::Number) => {
                    ExpressionValue::Double(number.as_f64().unwrap_or(f64::NAN))
                }
                (_, _, Some(value)) => ExpressionValue::Int(value),
                (Self::Schema(schema), ..) if schema.kind == Some(JsonType::Integer) => {
                    whole(number.as_f64().unwrap_or(f64::NAN))
                }
                _ => ExpressionValue::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => self.text(text),
            Json::Array(list) => ExpressionValue::Array(list, self),
            Json::Object(map) => ExpressionValue::Object(map, self.of_map()),
        }
    }

    fn of_map(self) -> Self {
        match self {
            Self::Schema(schema) if schema.is_resource => Self::Resource(schema),
            other => other,
        }
    }

    fn text(self, text: &'o str) -> ExpressionValue<'o> {
        let format = match self {
            Self::Schema(schema)
                if schema.kind == Some(JsonType::String) && !schema.int_or_string =>
            {
                schema.format.as_deref()
            }
            _ => None,
        };
        let read = match format {
            Some("duration") => moments::duration(text).map(ExpressionValue::Span),
            Some("date-time") => moments::timestamp(text).map(ExpressionValue::Time),
            Some("date") => moments::date(text).map(ExpressionValue::Time),
            Some("byte") => {
                STANDARD.decode(text).ok().map(|bytes| ExpressionValue::Bytes(Rc::from(bytes)))
            }
            _ => return ExpressionValue::Text(text),
        };
        read.unwrap_or(ExpressionValue::Unread)
    }

    /// How the elements of a list are read.
    pub fn element(self) -> Self {
        match self {
            Self::Schema(schema) => match &schema.items {
                Some(items) => Self::Schema(items),
                None => Self::Dynamic,
            },
            other => other,
        }
    }

    /// The real name of a field that an expression names, and how it is read; `None` where rules
    /// don't see such a field.
    pub fn field<'n>(self, name: &'n str) -> Option<(Cow<'n, str>, Self)> {
        match self {
            Self::Loose | Self::Dynamic => Some((Cow::Borrowed(name), self)),
            Self::Filled(FilledIn::Custom) if name != "metadata" => {
                Some((Cow::Borrowed(name), Self::Dynamic))
            }
            Self::Filled(_) => Some((Cow::Borrowed(name), self)),
            Self::Metadata => matches!(name, "name" | "generateName")
                .then_some((Cow::Borrowed(name), Self::Dynamic)),
            Self::Resource(_) if matches!(name, "apiVersion" | "kind") => {
                Some((Cow::Borrowed(name), Self::Dynamic))
            }
            Self::Resource(_) if name == "metadata" => Some((Cow::Borrowed(name), Self::Metadata)),
            Self::Schema(schema) | Self::Resource(schema) => {
                if let (true, Some(Others::Like(values))) =
                    (schema.properties.is_empty(), &schema.additional_properties)
                {
                    return Some((Cow::Borrowed(name), Self::Schema(values)));
                }
                let name = unescaped(name);
                let schema = schema.properties.get(&*name)?;
                (schema.kind.is_some() || schema.int_or_string)
                    .then_some((name, Self::Schema(schema)))
            }
        }
    }

    /// How the value of a field is read that is there under its real name.
    pub fn known(self, name: &str) -> Self {
        match self {
            Self::Schema(schema) | Self::Resource(schema) => match schema.properties.get(name) {
                Some(schema) => Self::Schema(schema),
                None => match &schema.additional_properties {
                    Some(Others::Like(values)) => Self::Schema(values),
                    _ => Self::Dynamic,
                },
            },
            other => other,
        }
    }

    /// The keys that tell the elements of a list apart.
    pub fn list_map_keys(self) -> &'o [String] {
        match self {
            Self::Schema(schema) if schema.list_type.as_deref() == Some("map") => {
                &schema.list_map_keys
            }
            _ => &[],
        }
    }

    /// Whether the API server may fill in a field that is lacking.
    pub fn is_filled_in(self, name: &str) -> bool {
        let Self::Filled(filled) = self else { return false };
        match filled {
            FilledIn::Request => REQUEST.contains(&name),
            FilledIn::Custom => METADATA.contains(&name),
            FilledIn::Pod if POD.contains(&name) => true,
            FilledIn::Pod | FilledIn::Release => {
                METADATA.contains(&name)
                    || DEFAULTED.contains(&name)
                    || DEFAULTED_TOO.contains(&name)
            }
        }
    }

    /// Whether fields have names of their own: then no index leads to one.
    pub fn is_record(self) -> bool {
        match self {
            Self::Loose | Self::Dynamic | Self::Filled(_) => false,
            Self::Metadata | Self::Resource(_) => true,
            Self::Schema(schema) => !matches!(schema.additional_properties, Some(Others::Like(_))),
        }
    }

    /// The type of a list whose elements have no order.
    pub fn list_type(self) -> Option<&'o str> {
        match self {
            Self::Schema(schema) => {
                schema.list_type.as_deref().filter(|kind| matches!(*kind, "set" | "map"))
            }
            _ => None,
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "in the range of integers")]
fn whole<'o>(value: f64) -> ExpressionValue<'o> {
    match value.fract() == 0.0 && value.abs() < 9e18 {
        true => ExpressionValue::Int(value as i64),
        false => ExpressionValue::Unread,
    }
}

/// The name of a field that an expression names.
pub fn unescaped(name: &str) -> Cow<'_, str> {
    if !name.contains("__") {
        return Cow::Borrowed(name);
    }
    let word = name.strip_prefix("__").and_then(|name| name.strip_suffix("__"));
    if let Some(word) = word.filter(|word| RESERVED.contains(word)) {
        return Cow::Owned(word.to_owned());
    }
    let (mut made, mut rest) = (String::new(), name);
    while !rest.is_empty() {
        let escape = ESCAPES.iter().find(|(escape, _)| rest.starts_with(escape));
        if let Some((escape, meant)) = escape {
            made.push_str(meant);
            rest = &rest[escape.len()..];
        } else {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            made.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    Cow::Owned(made)
}
