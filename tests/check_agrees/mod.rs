//! `check` finds no error in what an API server takes with strict validation.

mod corpus;
mod expressions;
mod policies;
mod rules;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use trueup::app::{DryRun, dry_run};
use trueup::cluster::{Access, Cluster};
use trueup::core::check::{CheckRule, Finding, Level, Set, check};
use trueup::core::kinds::schemas::{DEFAULT, Schemas};
use trueup::core::manifest::{self, Manifest};
use trueup::core::object::ObjectKey;
use trueup::core::redact::Inputs;

use crate::support::sandbox::{self, Plane};

/// Where objects go that name no namespace.
const NAMESPACE: &str = "somewhere";

#[test]
fn accepted_manifests_have_no_check_errors() {
    let manifests = read(&fixture("accepted.yaml"));
    let (findings, rehearsal) = both(&manifests, &[], &sandbox::own());
    assert_eq!(rehearsal.refusals, []);
    assert_eq!(rehearsal.accepted.len(), manifests.len());
    let errors: Vec<_> = findings.iter().filter(|found| found.level == Level::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn check_errors_are_refused_by_the_server() {
    let manifests = read(&fixture("refused.yaml"));
    let (findings, rehearsal) = both(&manifests, &[], &sandbox::own());
    assert_eq!(rehearsal.accepted, BTreeSet::new());
    let wrong: BTreeSet<_> = errors(&findings).map(|(key, _)| key.name.as_str()).collect();
    let all: BTreeSet<_> = manifests.iter().map(|manifest| manifest.object.name()).collect();
    assert_eq!(wrong, all, "{findings:#?}");
}

/// What check finds, and what the server says. `definitions` are those of custom resources that
/// the server may have already.
fn both(manifests: &[Manifest], definitions: &[Manifest], plane: &Plane) -> (Vec<Finding>, DryRun) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let set = Set {
        manifests,
        problems: &[],
        unreferenced: &[],
        others: &[],
        warnings: &[],
        namespace: NAMESPACE,
        ignore: &[],
        redact: &[],
        inputs: &Inputs::default(),
    };
    let mut schemas = Schemas::of(DEFAULT).unwrap();
    definitions.iter().for_each(|definition| schemas.define(&definition.object));
    let findings = check(set, schemas);
    let access =
        Access { kubeconfig: Some(plane.kubeconfig.clone()), concurrency: 16, ..Access::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let rehearsal = runtime.block_on(async {
        let cluster = Cluster::connect(&access).await.unwrap();
        dry_run(set, &cluster).await.unwrap()
    });
    (findings, rehearsal)
}

/// The errors of objects by themselves.
fn errors(findings: &[Finding]) -> impl Iterator<Item = (&ObjectKey, &Finding)> {
    let alone =
        |found: &&Finding| found.level == Level::Error && found.rule != CheckRule::Duplicate;
    findings.iter().filter(alone).filter_map(|found| Some((found.object.as_ref()?, found)))
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/check").join(name)
}

fn read(path: &Path) -> Vec<Manifest> {
    manifest::read(&path.to_string_lossy(), &fs::read(path).unwrap()).manifests
}
