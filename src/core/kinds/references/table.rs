//! Every field of Kubernetes' own kinds that names another object. A test holds the table against
//! the schemas of the releases, so that a field which is new there is not overlooked.

use super::ReferenceKind::{self, Apart, Elsewhere, Expected, Later};

/// The way to a field: keys, and `*` for each element of a list.
pub(super) type Way = &'static [&'static str];

/// A field that names another object.
pub(super) struct Row {
    pub(super) way: Way,
    pub(super) to: To,
    pub(super) bond: ReferenceKind,
}

/// The object that is named: its group and kind, and where its namespace is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum To {
    /// The namespace is that of the object with the field.
    Beside(&'static str, &'static str),
    /// It lives in no namespace.
    Cluster(&'static str, &'static str),
    /// The namespace is in the field of the last name, beside the name.
    In(&'static str, &'static str, &'static str),
    /// The kind is beside the name, and its group in the field of this name; the namespace may be.
    Told(&'static str),
    /// A role that is bound: its kind says whether it has a namespace.
    Role,
    /// A ServiceAccount; users and groups are not objects.
    Subject,
}

const fn row(way: Way, to: To, bond: ReferenceKind) -> Row {
    Row { way, to, bond }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";
const DRA: &str = "resource.k8s.io";

const CONFIG_MAP: To = To::Beside("", "ConfigMap");
const SECRET: To = To::Beside("", "Secret");
const SECRET_IN: To = To::In("", "Secret", "namespace");
const ACCOUNT: To = To::Beside("", "ServiceAccount");
const SERVICE: To = To::Beside("", "Service");
const SERVICE_IN: To = To::In("", "Service", "namespace");
const DEVICE_CLASS: To = To::Cluster(DRA, "DeviceClass");
const STORAGE_CLASS: To = To::Cluster(STORAGE, "StorageClass");
const ATTRIBUTES_CLASS: To = To::Cluster(STORAGE, "VolumeAttributesClass");

/// Those of each container.
pub(super) const OF_CONTAINERS: &[Row] = &[
    row(&["env", "*", "valueFrom", "configMapKeyRef", "name"], CONFIG_MAP, Expected),
    row(&["env", "*", "valueFrom", "secretKeyRef", "name"], SECRET, Expected),
    row(&["envFrom", "*", "configMapRef", "name"], CONFIG_MAP, Expected),
    row(&["envFrom", "*", "secretRef", "name"], SECRET, Expected),
];

/// Those of a pod, from its `spec`.
pub(super) const OF_PODS: &[Row] = &[
    row(&["imagePullSecrets", "*", "name"], SECRET, Expected),
    row(&["serviceAccountName"], ACCOUNT, Expected),
    row(&["serviceAccount"], ACCOUNT, Expected),
    // Classes often exist before anything else; those of the system always do.
    row(&["priorityClassName"], To::Cluster("scheduling.k8s.io", "PriorityClass"), Elsewhere),
    row(&["runtimeClassName"], To::Cluster("node.k8s.io", "RuntimeClass"), Elsewhere),
    row(&["schedulingGroup", "podGroupName"], To::Beside("scheduling.k8s.io", "PodGroup"), Apart),
    row(&["resourceClaims", "*", "resourceClaimName"], To::Beside(DRA, "ResourceClaim"), Elsewhere),
    row(
        &["resourceClaims", "*", "resourceClaimTemplateName"],
        To::Beside(DRA, "ResourceClaimTemplate"),
        Expected,
    ),
];

/// Those of each volume of a pod.
pub(super) const OF_VOLUMES: &[Row] = &[
    row(&["configMap", "name"], CONFIG_MAP, Expected),
    row(&["secret", "secretName"], SECRET, Expected),
    row(&["projected", "sources", "*", "configMap", "name"], CONFIG_MAP, Expected),
    row(&["projected", "sources", "*", "secret", "name"], SECRET, Expected),
    row(
        &["projected", "sources", "*", "clusterTrustBundle", "name"],
        To::Cluster("certificates.k8s.io", "ClusterTrustBundle"),
        Elsewhere,
    ),
    row(&["persistentVolumeClaim", "claimName"], To::Beside("", "PersistentVolumeClaim"), Expected),
    row(&["azureFile", "secretName"], SECRET, Expected),
    row(&["cephfs", "secretRef", "name"], SECRET, Expected),
    row(&["cinder", "secretRef", "name"], SECRET, Expected),
    row(&["csi", "nodePublishSecretRef", "name"], SECRET, Expected),
    row(&["flexVolume", "secretRef", "name"], SECRET, Expected),
    row(&["iscsi", "secretRef", "name"], SECRET, Expected),
    row(&["rbd", "secretRef", "name"], SECRET, Expected),
    row(&["scaleIO", "secretRef", "name"], SECRET, Expected),
    row(&["storageos", "secretRef", "name"], SECRET, Expected),
    row(&["glusterfs", "endpoints"], To::Beside("", "Endpoints"), Elsewhere),
];

/// Those of a claim of a volume, from its `spec`.
pub(super) const OF_CLAIMS: &[Row] = &[
    row(&["storageClassName"], STORAGE_CLASS, Elsewhere),
    row(&["volumeAttributesClassName"], ATTRIBUTES_CLASS, Elsewhere),
    row(&["volumeName"], To::Cluster("", "PersistentVolume"), Elsewhere),
    row(&["dataSource", "name"], To::Told("apiGroup"), Elsewhere),
    row(&["dataSourceRef", "name"], To::Told("apiGroup"), Elsewhere),
];

/// Those of a persistent volume, from its root.
const OF_PERSISTENT_VOLUMES: &[Row] = &[
    row(&["spec", "storageClassName"], STORAGE_CLASS, Elsewhere),
    row(&["spec", "volumeAttributesClassName"], ATTRIBUTES_CLASS, Elsewhere),
    // The claim may name the volume in turn.
    row(&["spec", "claimRef", "name"], To::In("", "PersistentVolumeClaim", "namespace"), Apart),
    row(&["spec", "azureFile", "secretName"], To::In("", "Secret", "secretNamespace"), Expected),
    row(&["spec", "cephfs", "secretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "cinder", "secretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "csi", "controllerExpandSecretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "csi", "controllerPublishSecretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "csi", "nodeExpandSecretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "csi", "nodePublishSecretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "csi", "nodeStageSecretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "flexVolume", "secretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "iscsi", "secretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "rbd", "secretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "scaleIO", "secretRef", "name"], SECRET_IN, Expected),
    row(&["spec", "storageos", "secretRef", "name"], SECRET_IN, Expected),
    row(
        &["spec", "glusterfs", "endpoints"],
        To::In("", "Endpoints", "endpointsNamespace"),
        Elsewhere,
    ),
];

const OF_INGRESSES: &[Row] = &[
    row(&["spec", "defaultBackend", "service", "name"], SERVICE, Expected),
    row(
        &["spec", "rules", "*", "http", "paths", "*", "backend", "service", "name"],
        SERVICE,
        Expected,
    ),
    row(&["spec", "defaultBackend", "resource", "name"], To::Told("apiGroup"), Apart),
    row(
        &["spec", "rules", "*", "http", "paths", "*", "backend", "resource", "name"],
        To::Told("apiGroup"),
        Apart,
    ),
    row(&["spec", "ingressClassName"], To::Cluster("networking.k8s.io", "IngressClass"), Elsewhere),
    row(&["spec", "tls", "*", "secretName"], SECRET, Later),
];

const OF_BINDINGS: &[Row] = &[
    row(&["roleRef", "name"], To::Role, Expected),
    row(&["subjects", "*", "name"], To::Subject, Elsewhere),
];

const OF_WEBHOOKS: &[Row] =
    &[row(&["webhooks", "*", "clientConfig", "service", "name"], SERVICE_IN, Elsewhere)];

/// Those of each kind, from its root.
pub(super) const OF_KINDS: &[(&str, &str, &[Row])] = &[
    ("networking.k8s.io", "Ingress", OF_INGRESSES),
    (
        "networking.k8s.io",
        "IngressClass",
        &[row(&["spec", "parameters", "name"], To::Told("apiGroup"), Apart)],
    ),
    (RBAC, "RoleBinding", OF_BINDINGS),
    (RBAC, "ClusterRoleBinding", OF_BINDINGS),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        &[
            row(&["spec", "scaleTargetRef", "name"], To::Told("apiVersion"), Expected),
            row(
                &["spec", "metrics", "*", "object", "describedObject", "name"],
                To::Told("apiVersion"),
                Apart,
            ),
        ],
    ),
    (
        "apiregistration.k8s.io",
        "APIService",
        &[row(&["spec", "service", "name"], SERVICE_IN, Elsewhere)],
    ),
    // The definition comes first: its webhook is asked once there are objects.
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[row(
            &["spec", "conversion", "webhook", "clientConfig", "service", "name"],
            SERVICE_IN,
            Apart,
        )],
    ),
    (ADMISSION, "MutatingWebhookConfiguration", OF_WEBHOOKS),
    (ADMISSION, "ValidatingWebhookConfiguration", OF_WEBHOOKS),
    (
        ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        &[row(
            &["spec", "policyName"],
            To::Cluster(ADMISSION, "ValidatingAdmissionPolicy"),
            Expected,
        )],
    ),
    (
        ADMISSION,
        "MutatingAdmissionPolicyBinding",
        &[row(
            &["spec", "policyName"],
            To::Cluster(ADMISSION, "MutatingAdmissionPolicy"),
            Expected,
        )],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        &[
            row(
                &["spec", "priorityLevelConfiguration", "name"],
                To::Cluster("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
                Elsewhere,
            ),
            row(
                &["spec", "rules", "*", "subjects", "*", "serviceAccount", "name"],
                To::In("", "ServiceAccount", "namespace"),
                Apart,
            ),
        ],
    ),
    ("", "PersistentVolume", OF_PERSISTENT_VOLUMES),
    (
        "",
        "ServiceAccount",
        &[
            // A token's Secret comes after its account.
            row(&["secrets", "*", "name"], SECRET, Later),
            row(&["imagePullSecrets", "*", "name"], SECRET, Expected),
        ],
    ),
    // The token controller deletes a Secret whose account there is not
    // (kubernetes/pkg/controller/serviceaccount/tokens_controller.go).
    (
        "",
        "Secret",
        &[row(
            &["metadata", "annotations", "kubernetes.io/service-account.name"],
            ACCOUNT,
            Elsewhere,
        )],
    ),
    ("apps", "StatefulSet", &[row(&["spec", "serviceName"], SERVICE, Expected)]),
    (
        DRA,
        "ResourceClaim",
        &[
            row(
                &["spec", "devices", "requests", "*", "exactly", "deviceClassName"],
                DEVICE_CLASS,
                Elsewhere,
            ),
            row(
                &["spec", "devices", "requests", "*", "firstAvailable", "*", "deviceClassName"],
                DEVICE_CLASS,
                Elsewhere,
            ),
        ],
    ),
    (
        DRA,
        "ResourceClaimTemplate",
        &[
            row(
                &["spec", "spec", "devices", "requests", "*", "exactly", "deviceClassName"],
                DEVICE_CLASS,
                Elsewhere,
            ),
            row(
                &[
                    "spec",
                    "spec",
                    "devices",
                    "requests",
                    "*",
                    "firstAvailable",
                    "*",
                    "deviceClassName",
                ],
                DEVICE_CLASS,
                Elsewhere,
            ),
        ],
    ),
];

/// The ways from an object to its claims' `spec`.
pub(super) const CLAIMS: &[(&str, &str, Way)] = &[
    ("", "PersistentVolumeClaim", &["spec"]),
    ("apps", "StatefulSet", &["spec", "volumeClaimTemplates", "*", "spec"]),
];

/// The ways from a pod's `spec` to its containers, volumes and claims.
pub(super) const CONTAINERS: [Way; 3] =
    [&["initContainers", "*"], &["containers", "*"], &["ephemeralContainers", "*"]];
pub(super) const VOLUMES: Way = &["volumes", "*"];
pub(super) const POD_CLAIMS: Way = &["volumes", "*", "ephemeral", "volumeClaimTemplate", "spec"];
