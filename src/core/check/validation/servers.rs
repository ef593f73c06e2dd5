//! Kinds that extend or guard the API server: APIServices, requests for certificates, and levels of
//! priority.
//!
//! Source of the rules: kube-aggregator's `pkg/apis/apiregistration/validation/validation.go`, and
//! Kubernetes' `pkg/apis/certificates/validation/validation.go` and
//! `pkg/apis/flowcontrol/validation/validation.go`.

use super::faults::{Faults, list, map, of, text};
use super::{names, numbers};
use crate::core::json::{Map, Value};

/// An APIService.
pub(super) fn service(faults: &mut Faults<'_>, name: &str) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    faults.name_if_any(spec, "group", names::subdomain);
    faults.name(spec.get("version"), names::label_1035);
    let field = |field: &str| text(spec, field).unwrap_or_default();
    let wanted = format!("{}.{}", field("version"), field("group"));
    if let Some(value) = map(root, "metadata").and_then(|it| it.get("name"))
        && name != wanted
    {
        faults.must(value, format!("be {wanted}: the version, a dot and the group"));
    }
    numbers::within(faults, spec, "groupPriorityMinimum", 1, 20_000);
    numbers::within(faults, spec, "versionPriority", 1, 1000);
    let is_insecure = spec.get("insecureSkipTLSVerify") == Some(&Value::Bool(true));
    let has_bundle = text(spec, "caBundle").is_some();
    match map(spec, "service") {
        Some(service) => {
            for field in ["namespace", "name"] {
                if text(service, field).is_none() {
                    faults.missing(service, field, "");
                }
            }
            numbers::port(faults, service, "port");
            if is_insecure && has_bundle {
                faults.clash(spec, "insecureSkipTLSVerify", "excludes `caBundle`");
            }
        }
        None if is_insecure => {
            faults.clash(spec, "insecureSkipTLSVerify", "needs `service`");
        }
        None if has_bundle => faults.clash(spec, "caBundle", "needs `service`"),
        None => {}
    }
}

/// The usages that a certificate may have.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// A CertificateSigningRequest.
pub(super) fn signing<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    if let Some(value) = spec.get("signerName")
        && let Some(name) = value.as_str()
    {
        let parts = name.split_once('/');
        let is_sound = parts.is_some_and(|(domain, path)| {
            domain.contains('.')
                && names::subdomain(domain).is_none()
                && names::subdomain(path).is_none()
        });
        if !is_sound {
            faults.must(value, "be a domain and a path, such as example.com/signer");
        } else if name == "kubernetes.io/legacy-unknown" {
            faults.says(value, "must not be the signer of before v1");
        }
    }
    let usages = list(spec, "usages");
    if usages.is_empty() {
        faults.missing(spec, "usages", ": one at least is needed");
    }
    for (index, usage) in usages.iter().enumerate() {
        if usage.as_str().is_some_and(|usage| !USAGES.contains(&usage)) {
            faults.must(usage, "be a usage of keys, such as client auth");
        }
        if usages[..index].contains(usage) {
            faults.repeated(usage);
        }
    }
    if let Some(value) = spec.get("expirationSeconds")
        && value.as_i64().is_some_and(|seconds| seconds < 600)
    {
        faults.must(value, "be at least 600");
    }
}

/// A PriorityLevelConfiguration.
pub(super) fn level<'v>(faults: &mut Faults<'v>, name: &str, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    let Some(value) = of(spec, "type") else { return };
    match value.as_str() {
        Some("Exempt") if name != "exempt" => {
            faults.says(value, "must not be Exempt: only the level `exempt` is");
        }
        Some("Exempt") if of(spec, "limited").is_some() => {
            faults.clash(spec, "limited", "excludes type Exempt");
        }
        Some("Limited") if name == "exempt" => {
            faults.says(value, "must be Exempt for the level `exempt`");
        }
        Some("Limited") => match map(spec, "limited") {
            None => faults.missing(spec, "limited", ": the type needs it"),
            Some(limited) => {
                if of(spec, "exempt").is_some() {
                    faults.clash(spec, "exempt", "excludes type Limited");
                }
                self::limited(faults, limited);
            }
        },
        Some("Exempt") | None => {}
        Some(_) => faults.must(value, "be one of Exempt, Limited"),
    }
}

fn limited<'v>(faults: &mut Faults<'v>, limited: &'v Map) {
    numbers::not_negative(faults, limited, &["nominalConcurrencyShares", "borrowingLimitPercent"]);
    numbers::within(faults, limited, "lendablePercent", 0, 100);
    let Some(response) = map(limited, "limitResponse") else {
        return faults.missing(limited, "limitResponse", "");
    };
    let has_queues = of(response, "queuing").is_some();
    match text(response, "type") {
        Some("Queue") if !has_queues => {
            faults.missing(response, "queuing", ": the type needs it");
        }
        Some("Reject") if has_queues => {
            faults.clash(response, "queuing", "excludes type Reject");
        }
        Some("Queue" | "Reject") | None => {}
        Some(_) => {
            let value = response.get("type").unwrap_or(&Value::Null);
            faults.must(value, "be one of Queue, Reject");
        }
    }
}
