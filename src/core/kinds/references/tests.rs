//! The table, held against the schemas: every field that looks as if it named an object is in the
//! table, or an exception with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{
    CLAIMS, CONTAINERS, OF_CLAIMS, OF_CONTAINERS, OF_KINDS, OF_PODS, OF_VOLUMES, POD_CLAIMS, Row,
    VOLUMES,
};
use crate::core::json::json;
use crate::core::kinds::schemas::{JsonType, Others, Schema, SchemaLookup, Schemas, releases};
use crate::core::object::Object;

/// Kinds that controllers, drivers and the server write; no manifest declares them.
const KINDS: [(&str, &str); 11] = [
    ("Binding", "the scheduler asks for a node with it, and nothing is kept"),
    ("CSINode", "the kubelet writes it"),
    ("CSIStorageCapacity", "the provisioner of a driver writes it"),
    ("EndpointSlice", "the endpoint slice controller writes it"),
    ("Endpoints", "the endpoints controller writes it"),
    ("Event", "it is a message about an object, which may be gone"),
    ("IPAddress", "the server writes it for each Service"),
    ("Node", "the kubelet writes it"),
    ("PodCertificateRequest", "the kubelet writes it"),
    ("ResourceSlice", "the driver of a device writes it"),
    ("VolumeAttachment", "the attach/detach controller writes it"),
];

/// The fields of types that name no other object: the reason, the types and their fields.
const FIELDS: &[(&str, &[(&str, &str)])] = &[
    (
        "the name of the part itself, or of another part of the same object",
        &[
            ("admissionregistration.v1.MatchCondition", "name"),
            ("admissionregistration.v1.MutatingWebhook", "name"),
            ("admissionregistration.v1.ValidatingWebhook", "name"),
            ("admissionregistration.v1.Variable", "name"),
            ("apiextensions.v1.CustomResourceColumnDefinition", "name"),
            ("apiextensions.v1.CustomResourceDefinitionNames", "shortNames"),
            ("apiextensions.v1.CustomResourceDefinitionVersion", "name"),
            ("batch.v1.PodFailurePolicyOnExitCodesRequirement", "containerName"),
            ("core.v1.Container", "name"),
            ("core.v1.ContainerPort", "name"),
            ("core.v1.EnvVar", "name"),
            ("core.v1.EphemeralContainer", "name"),
            ("core.v1.EphemeralContainer", "targetContainerName"),
            ("core.v1.FileKeySelector", "volumeName"),
            ("core.v1.PodResourceClaim", "name"),
            ("core.v1.PodSchedulingGate", "name"),
            ("core.v1.ResourceClaim", "name"),
            ("core.v1.ResourceFieldSelector", "containerName"),
            ("core.v1.ServicePort", "name"),
            ("core.v1.Volume", "name"),
            ("core.v1.VolumeDevice", "name"),
            ("core.v1.VolumeMount", "name"),
            ("apis.meta.v1.ObjectMeta", "generateName"),
            ("apis.meta.v1.ObjectMeta", "name"),
            ("resource.v1.DeviceDerivedAttribute", "name"),
            ("resource.v1.DeviceRequest", "name"),
            ("resource.v1.DeviceSubRequest", "name"),
        ],
    ),
    (
        "something outside of the cluster's objects: a disk, a header, a user, a driver, a signer",
        &[
            ("certificates.v1.CertificateSigningRequestSpec", "signerName"),
            ("certificates.v1.ClusterTrustBundleSpec", "signerName"),
            ("core.v1.AzureDiskVolumeSource", "diskName"),
            ("core.v1.AzureFilePersistentVolumeSource", "shareName"),
            ("core.v1.AzureFileVolumeSource", "shareName"),
            ("core.v1.ClusterTrustBundleProjection", "signerName"),
            ("core.v1.EvictionResponder", "name"),
            ("core.v1.FlockerVolumeSource", "datasetName"),
            ("core.v1.GCEPersistentDiskVolumeSource", "pdName"),
            ("core.v1.HTTPHeader", "name"),
            ("core.v1.ISCSIPersistentVolumeSource", "initiatorName"),
            ("core.v1.ISCSIVolumeSource", "initiatorName"),
            ("core.v1.PodCertificateProjection", "signerName"),
            ("core.v1.PodDNSConfigOption", "name"),
            ("core.v1.PodOS", "name"),
            ("core.v1.PodSpec", "schedulerName"),
            ("core.v1.ScaleIOPersistentVolumeSource", "volumeName"),
            ("core.v1.ScaleIOVolumeSource", "volumeName"),
            ("core.v1.ServiceSpec", "externalName"),
            ("core.v1.ServiceSpec", "loadBalancerClass"),
            ("core.v1.StorageOSPersistentVolumeSource", "volumeName"),
            ("core.v1.StorageOSVolumeSource", "volumeName"),
            ("core.v1.Sysctl", "name"),
            ("core.v1.VsphereVirtualDiskVolumeSource", "storagePolicyName"),
            ("core.v1.WindowsSecurityContextOptions", "gmsaCredentialSpecName"),
            ("core.v1.WindowsSecurityContextOptions", "runAsUserName"),
            ("flowcontrol.v1.GroupSubject", "name"),
            ("flowcontrol.v1.UserSubject", "name"),
            ("VolumeAttributesClass", "driverName"),
        ],
    ),
    (
        "a resource or a metric, not an object",
        &[
            ("autoscaling.v2.ContainerResourceMetricSource", "name"),
            ("autoscaling.v2.MetricIdentifier", "name"),
            ("autoscaling.v2.ResourceMetricSource", "name"),
            ("core.v1.ContainerResizePolicy", "resourceName"),
            ("core.v1.ScopedResourceSelectorRequirement", "scopeName"),
            ("resource.v1.DeviceClassSpec", "extendedResourceName"),
        ],
    ),
    (
        "objects that are allowed or asked about, whether there are such or not",
        &[
            ("admissionregistration.v1.NamedRuleWithOperations", "resourceNames"),
            ("authorization.v1.ResourceAttributes", "name"),
            ("rbac.v1.PolicyRule", "resourceNames"),
        ],
    ),
    (
        "its kind is in the policy that the binding names",
        &[("admissionregistration.v1.ParamRef", "name")],
    ),
    (
        "a Workload, which is alpha in that release and off by default",
        &[("core.v1.WorkloadReference", "name")],
    ),
    ("a port of the Service, by its name", &[("networking.v1.ServiceBackendPort", "name")]),
    ("the cluster's own: no manifest declares nodes", &[("core.v1.PodSpec", "nodeName")]),
    ("the garbage collector's: an owner has a UID", &[("apis.meta.v1.OwnerReference", "name")]),
    (
        "a template for a claim has no status",
        &[
            ("core.v1.ModifyVolumeStatus", "targetVolumeAttributesClassName"),
            ("core.v1.PersistentVolumeClaimStatus", "currentVolumeAttributesClassName"),
        ],
    ),
];

/// The ends of names of fields that may name an object.
const ENDS: [&str; 9] =
    ["Name", "Names", "Ref", "Refs", "Secret", "Secrets", "Account", "Class", "Claim"];

/// A field that has text, or a list of texts.
struct TextField {
    path: String,
    /// The type that has the field: by its name, or the kind.
    owner: String,
    field: String,
}

impl TextField {
    fn may_name(&self) -> bool {
        matches!(self.field.as_str(), "name" | "names")
            || ENDS.iter().any(|end| self.field.ends_with(end))
    }
}

/// Goes through the schema of a kind.
struct Walk<'s> {
    schemas: &'s Schemas,
    types: Vec<String>,
    path: Vec<String>,
    found: Vec<TextField>,
}

impl<'s> Walk<'s> {
    fn of(schemas: &'s Schemas, kind: &str, schema: &'s Schema) -> Vec<TextField> {
        let types = vec![kind.to_owned()];
        let mut walk = Self { schemas, types, path: Vec::new(), found: Vec::new() };
        walk.schema(schema);
        walk.found
    }

    fn schema(&mut self, schema: &'s Schema) {
        if let Some(name) = &schema.reference {
            if let Some(schema) = self.schemas.named(name)
                && !self.types.contains(name)
            {
                self.types.push(name.clone());
                // Types of text, such as a quantity, are named as well.
                self.schema(schema);
                self.types.pop();
            }
            return;
        }
        for (name, below) in &schema.properties {
            // Every kind's metadata is looked at by itself, and a status is the server's.
            if self.path.is_empty() && matches!(name.as_str(), "metadata" | "status") {
                continue;
            }
            self.within(name, below);
        }
        if let Some(items) = &schema.items {
            self.within("*", items);
        }
        if let Some(Others::Like(below)) = &schema.additional_properties {
            self.within("{}", below);
        }
        if schema.kind == Some(JsonType::String)
            && let Some(field) = self.path.iter().rev().find(|part| *part != "*")
        {
            self.found.push(TextField {
                path: self.path.join("."),
                owner: self.types.last().cloned().unwrap_or_default(),
                field: field.clone(),
            });
        }
    }

    fn within(&mut self, part: &str, schema: &'s Schema) {
        self.path.push(part.to_owned());
        self.schema(schema);
        self.path.pop();
    }
}

/// A path of a kind's field → the table's row, by where the row stands.
type Rows = BTreeMap<String, (&'static str, usize)>;

/// Where a kind has the fields of the table.
fn rows_of(group: &str, kind: &str) -> Rows {
    let mut rows = Rows::new();
    let mut add = |list: &'static str, before: &[&str], table: &'static [Row]| {
        for (at, row) in table.iter().enumerate() {
            let way: Vec<&str> = before.iter().chain(row.way).copied().collect();
            rows.insert(way.join("."), (list, at));
        }
    };
    for (of_group, of_kind, table) in OF_KINDS {
        if (*of_group, *of_kind) == (group, kind) {
            add(of_kind, &[], table);
        }
    }
    for (of_group, of_kind, way) in CLAIMS {
        if (*of_group, *of_kind) == (group, kind) {
            add("claims", way, OF_CLAIMS);
        }
    }
    let pods: &[&str] = match kind {
        "Pod" => &["spec"],
        "PodTemplate" => &["template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => &["spec", "template", "spec"],
    };
    let below = |way: &[&'static str]| -> Vec<&str> { pods.iter().chain(way).copied().collect() };
    for containers in CONTAINERS {
        add("containers", &below(containers), OF_CONTAINERS);
    }
    add("volumes", &below(VOLUMES), OF_VOLUMES);
    add("claims", &below(POD_CLAIMS), OF_CLAIMS);
    add("pods", pods, OF_PODS);
    rows
}

#[test]
fn every_field_that_may_name_an_object_is_in_the_table_or_an_exception() {
    let mut used: BTreeSet<(&str, usize)> = BTreeSet::new();
    let mut fields: BTreeSet<&(&str, &str)> = BTreeSet::new();
    let mut kinds: BTreeSet<&(&str, &str)> = BTreeSet::new();
    let mut unknown = Vec::new();
    for release in releases() {
        let schemas = Schemas::of(release).unwrap();
        for name in schemas.names() {
            let (api_version, kind) = name.rsplit_once('/').unwrap();
            // The table is of what a server has without being asked for it.
            if api_version.contains("alpha") || api_version.contains("beta") {
                continue;
            }
            let object = json!({"apiVersion": api_version, "kind": kind});
            let object = Object::from(object.as_object().unwrap().clone());
            let SchemaLookup::Release(schema) = schemas.find(&object) else {
                panic!("{release}: no schema of {name}")
            };
            let rows = rows_of(object.group(), kind);
            for found in Walk::of(&schemas, kind, schema) {
                if let Some(row) = rows.get(&found.path) {
                    used.insert(*row);
                    continue;
                }
                let by_kind = KINDS.iter().find(|(excepted, _)| *excepted == kind);
                let is_field =
                    |it: &&(&str, &str)| **it == (found.owner.as_str(), found.field.as_str());
                let by_field = FIELDS.iter().find_map(|(_, all)| all.iter().find(is_field));
                if !found.may_name() || found.owner.contains("alpha") {
                    continue;
                }
                kinds.extend(by_kind);
                fields.extend(by_field);
                if by_kind.is_none() && by_field.is_none() {
                    let TextField { path, owner, field } = found;
                    unknown.push(format!("{release} {name}: {path} ({owner}.{field})"));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "in neither list:\n{}", unknown.join("\n"));

    let exceptions: BTreeSet<_> = FIELDS.iter().flat_map(|(_, all)| all.iter()).collect();
    let unused: Vec<_> =
        exceptions.difference(&fields.iter().copied().collect()).copied().collect();
    assert!(unused.is_empty(), "exceptions for fields that no release has: {unused:?}");
    let unused: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(kind)).collect();
    assert!(unused.is_empty(), "exceptions for kinds that need none: {unused:?}");

    let of_kinds = OF_KINDS.iter().map(|(_, kind, rows)| (*kind, *rows));
    let shared = [
        ("containers", OF_CONTAINERS),
        ("volumes", OF_VOLUMES),
        ("claims", OF_CLAIMS),
        ("pods", OF_PODS),
    ];
    for (list, rows) in of_kinds.chain(shared) {
        for (at, row) in rows.iter().enumerate() {
            // An annotation is in no schema.
            let is_annotation = row.way.contains(&"annotations");
            assert!(is_annotation || used.contains(&(list, at)), "no release has {:?}", row.way);
        }
    }
}
