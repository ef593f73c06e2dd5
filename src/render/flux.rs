//! The folders that Flux builds: its own Kustomizations name them by `spec.path`, and `spec.components`
//! from there. trueup applies these objects, and builds none of the folders for them.

use crate::core::json::Value;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::problem::Location;
use crate::core::source::snapshot::resolve;

/// The API group of Flux's Kustomization.
const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// A folder that a Kustomization of Flux names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FluxFolder {
    /// Where it is named.
    pub(super) place: Location,
    /// Its path from the root.
    pub(super) path: String,
}

/// The folders that these objects name, in the order of the places.
pub(super) fn folders(manifests: &[Manifest]) -> Vec<FluxFolder> {
    let mut folders: Vec<FluxFolder> = manifests.iter().flat_map(of).collect();
    folders.sort();
    folders
}

fn of(manifest: &Manifest) -> Vec<FluxFolder> {
    let object = &manifest.object;
    let spec = object.0.get("spec").filter(|_| object.kind() == "Kustomization");
    let Some(spec) = spec.filter(|_| object.group() == GROUP) else { return Vec::new() };
    let named = spec.get("path").and_then(Value::as_str).unwrap_or("./");
    let Some(path) = resolve("", named.trim_start_matches('/')) else { return Vec::new() };
    let components = spec.get("components").and_then(Value::as_array).into_iter().flatten();
    let components = components.enumerate().filter_map(|(index, component)| {
        let path = resolve(&path, component.as_str()?)?;
        let way = [PathPart::Key("spec"), PathPart::Key("components"), PathPart::Index(index)];
        Some(FluxFolder { place: place(manifest, &way), path })
    });
    let components: Vec<FluxFolder> = components.collect();
    let way = [PathPart::Key("spec"), PathPart::Key("path")];
    let mut folders = vec![FluxFolder { place: place(manifest, &way), path }];
    folders.extend(components);
    folders
}

/// Where a field stands, else its object.
fn place(manifest: &Manifest, way: &[PathPart<'_>]) -> Location {
    let of_text = || {
        let (line, column) = manifest.positions.of_value(way)?;
        Some(Location { line, column, ..manifest.location() })
    };
    manifest.written_value(way).or_else(of_text).unwrap_or_else(|| manifest.location())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::manifest::read;

    #[test]
    fn only_fluxs_own_kustomizations_name_folders() {
        let text = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: a}
spec:
  components: [../../parts/tls]
  path: ./apps/a
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: outside}
spec: {path: ../a, components: [b]}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: whole}
spec: {prune: true}
---
apiVersion: other.example.com/v1
kind: Kustomization
metadata: {name: other}
spec: {path: b}
";
        let manifests = read("ks.yaml", text.as_bytes()).manifests;
        let found = folders(&manifests).into_iter();
        let found: Vec<String> = found.map(|it| format!("{} {}", it.place, it.path)).collect();
        assert_eq!(found, ["ks.yaml:5:16 parts/tls", "ks.yaml:6:9 apps/a", "ks.yaml:13:1 "],);
    }
}
