//! Manifests in a chart's folder that Helm does not read: they stand outside `templates/` and `crds/`,
//! and no template takes them in as a file. A person who expects them in the cluster would look for
//! them in vain.

use std::collections::BTreeMap;

use super::file_index::join;
use super::sources::{RenderSource, SourceFormat};
use crate::core::manifest;
use crate::core::problem::Problem;
use crate::core::source::other_files::listed;

/// The folders of a chart whose files Helm reads. Those of `charts/` are other charts.
const READ: [&str; 3] = ["templates", "crds", "charts"];
/// The files of a chart that Helm reads itself.
const OWN: [&str; 6] = [
    "Chart.yaml",
    "Chart.lock",
    "requirements.yaml",
    "requirements.lock",
    "values.yaml",
    "values.schema.json",
];

/// Warnings of the manifests in these charts that are not read, one for each chart. `is_manifest` says
/// which paths could hold one of the target's manifests.
pub fn unread(
    sources: &[RenderSource],
    files: &BTreeMap<String, Vec<u8>>,
    is_manifest: &dyn Fn(&str) -> bool,
) -> Vec<Problem> {
    let charts = sources.iter().filter(|source| source.format == SourceFormat::Helm);
    charts.filter_map(|chart| warning(chart, files, is_manifest)).collect()
}

fn warning(
    chart: &RenderSource,
    files: &BTreeMap<String, Vec<u8>>,
    is_manifest: &dyn Fn(&str) -> bool,
) -> Option<Problem> {
    let folder = join(&chart.path, "");
    let below = files.range(folder.clone()..).take_while(|(path, _)| path.starts_with(&folder));
    let own: Vec<(&str, &str, &[u8])> =
        below.map(|(path, text)| (path.as_str(), &path[folder.len()..], &text[..])).collect();
    let is_template = |name: &str| name.starts_with("templates/");
    let templates = own.iter().filter(|(_, name, _)| is_template(name));
    let taken = TakenFiles::of(templates.map(|(_, _, text)| *text));
    let is_unread = |(path, name, text): &&(&str, &str, &[u8])| {
        !name.split_once('/').is_some_and(|(first, _)| READ.contains(&first))
            && !OWN.contains(name)
            && !chart.reads.contains(*path)
            && is_manifest(path)
            && !taken.has(name)
            && !manifest::read(path, text).manifests.is_empty()
    };
    let unread: Vec<String> =
        own.iter().filter(is_unread).map(|(_, name, _)| (*name).to_owned()).collect();
    if unread.is_empty() {
        return None;
    }
    let (what, are) = match unread.len() {
        1 => ("1 manifest".to_owned(), "is"),
        count => (format!("{count} manifests"), "are"),
    };
    let hint = match unread.len() {
        1 => "move it to templates/ or out of the chart, or name it in .trueupignore",
        _ => "move them to templates/ or out of the chart, or name them in .trueupignore",
    };
    let message = format!(
        "Helm does not read {what} in this chart's folder, which {are} not applied: {}",
        listed(unread)
    );
    Some(chart.problem(message, Some(hint.to_owned())))
}

/// The files of a chart that its templates take in by `.Files`.
#[derive(Debug, Default)]
struct TakenFiles {
    /// Names, and beginnings of names before the first sign of a pattern.
    names: Vec<(String, IsPattern)>,
    /// Whether a template computes which.
    is_any: bool,
}

/// Whether a name stands for every one that begins with it.
type IsPattern = bool;

impl TakenFiles {
    fn of<'t>(templates: impl Iterator<Item = &'t [u8]>) -> Self {
        let mut taken = Self::default();
        templates.for_each(|text| taken.add(&String::from_utf8_lossy(text)));
        taken
    }

    fn add(&mut self, template: &str) {
        for (_, rest) in
            template.match_indices(".Files").map(|(at, it)| template.split_at(at + it.len()))
        {
            let Some(name) = literal(rest) else {
                self.is_any = true;
                continue;
            };
            let end = name.find(['*', '?', '[', '{', '\\']);
            self.names.push((name[..end.unwrap_or(name.len())].to_owned(), end.is_some()));
        }
    }

    fn has(&self, name: &str) -> bool {
        let is_one = |(taken, is_pattern): &(String, IsPattern)| match is_pattern {
            true => name.starts_with(taken.as_str()),
            false => name == taken,
        };
        self.is_any || self.names.iter().any(is_one)
    }
}

/// The literal argument of a method of `.Files`, such as of `.Get "a.yaml"`.
fn literal(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('.')?;
    let rest = rest.trim_start_matches(|char: char| char.is_ascii_alphabetic()).trim_start();
    let quote = rest.chars().next().filter(|char| ['"', '`'].contains(char))?;
    let (name, _) = rest[1..].split_once(quote)?;
    (!name.contains('\\') || quote == '`').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";

    /// The messages about a chart in `chart` with these files beside its own.
    fn messages(more: &[(&str, &str)]) -> Vec<String> {
        let own =
            [("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"), ("values.yaml", WEB)];
        let files = own.iter().chain(more);
        let files = files.map(|(name, text)| (join("chart", name), text.as_bytes().to_vec()));
        let chart = RenderSource {
            format: SourceFormat::Helm,
            path: "chart".to_owned(),
            file: "chart/Chart.yaml".to_owned(),
            reads: ["chart".to_owned(), "chart/prod.yaml".to_owned()].into(),
            given: [].into(),
        };
        let is_manifest = |path: &str| path.ends_with(".yaml") && !path.ends_with("ignored.yaml");
        let found = unread(&[chart], &files.collect(), &is_manifest);
        assert!(found.iter().all(|it| it.place.path == "chart/Chart.yaml" && it.hint.is_some()));
        found.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn manifest_outside_the_templates_is_told() {
        assert_eq!(
            messages(&[("extra/cm.yaml", WEB), ("templates/a.yaml", WEB)]),
            ["Helm does not read 1 manifest in this chart's folder, which is not applied: \
                 extra/cm.yaml"]
        );
        assert_eq!(
            messages(&[("a.yaml", WEB), ("b/c.yaml", WEB), ("b/d.yaml", WEB), ("e.yaml", WEB)]),
            ["Helm does not read 4 manifests in this chart's folder, which are not applied: \
                 a.yaml, b/c.yaml, b/d.yaml, and 1 more"]
        );
    }

    #[test]
    fn other_files_of_a_chart_are_not() {
        let more = [
            ("charts/b/extra/cm.yaml", WEB),
            ("ci/test-values.yaml", "image: a\n"),
            ("crds/a.yaml", WEB),
            ("extra/ignored.yaml", WEB),
            ("extra/template.yaml", "{{ if .Values.a }}\n"),
            ("files/notes.txt", WEB),
            ("prod.yaml", WEB),
            ("templates/a.yaml", WEB),
        ];
        assert_eq!(messages(&more), Vec::<String>::new());
    }

    #[test]
    fn files_that_a_template_takes_in_are_read() {
        for (template, is_told) in [
            (r#"{{ .Files.Get "files/a.yaml" }}"#, false),
            (r"{{ $.Files.Get `files/a.yaml` }}", false),
            (r#"{{ (.Files.Glob "files/*.yaml").AsConfig }}"#, false),
            (r#"{{ range .Files.Lines "files/b.yaml" }}{{ end }}"#, true),
            (r#"{{ .Files.Glob "other/*" }}"#, true),
            (r"{{ .Files.Get .Values.file }}", false),
            (r"{{ range $path, $_ := .Files }}{{ end }}", false),
            (r#"{{ .Files.Get "fil\x65s/a.yaml" }}"#, false),
        ] {
            let files = [("files/a.yaml", WEB), ("templates/a.yaml", template)];
            assert_eq!(messages(&files).len(), usize::from(is_told), "{template}");
        }
    }
}
