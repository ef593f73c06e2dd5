//! The files that rendering reads, as narrow as they are known: of a kustomization's folder only those
//! that it refers to count, as a change of any other one changes nothing.

use std::collections::BTreeSet;

use super::file_index::FileIndex;
use super::sources::{RenderSource, SourceFormat};

/// The files and folders that rendering these sources reads.
pub fn reads(sources: &[RenderSource], shelf: &FileIndex) -> BTreeSet<String> {
    let mut reads = BTreeSet::new();
    for source in sources {
        for path in &source.reads {
            let file = match source.format {
                SourceFormat::Kustomize => shelf.kustomization(path),
                SourceFormat::Helm | SourceFormat::Jsonnet => None,
            };
            reads.insert(file.unwrap_or_else(|| path.clone()));
        }
    }
    reads
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::source::formats::Formats;
    use crate::render::file_index::is_within;
    use crate::render::sources::Sources;

    #[test]
    fn kustomizations_read_what_they_refer_to_and_charts_all_of_theirs() {
        let files = [
            ("base/kustomization.yaml", "resources: [web.yaml]"),
            ("base/other.yaml", ""),
            ("base/web.yaml", ""),
            ("envs/prod/app/kustomization.yaml", "resources: [../../../base]"),
            ("envs/prod/chart/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0"),
            ("envs/prod/web.jsonnet", "import '../../lib/k.libsonnet'"),
            ("lib/k.libsonnet", "{}"),
        ];
        let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let contents = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        let shelf = FileIndex::new(paths, contents.collect());
        let found =
            Sources::find(&shelf, &Formats::default(), &|path| is_within(path, "envs/prod"));
        assert_eq!(found.problems, []);
        let reads: Vec<String> = reads(&found.sources, &shelf).into_iter().collect();
        assert_eq!(
            reads,
            [
                "base/kustomization.yaml",
                "base/web.yaml",
                "envs/prod/app/kustomization.yaml",
                "envs/prod/chart",
                "envs/prod/web.jsonnet",
                "lib/k.libsonnet",
            ]
        );
    }
}
