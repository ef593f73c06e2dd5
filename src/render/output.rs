//! A program's output → manifests that know where they come from: the kustomization, the chart's
//! template or the Jsonnet program.

use std::collections::BTreeSet;

use super::sources::{RenderSource, SourceFormat};
use crate::core::json::Value;
use crate::core::manifest::{self, Manifest, Origin, Positions};
use crate::core::object::Object;
use crate::core::problem::{Location, Problem};

/// Helm's annotation of what it runs at some moment of a release.
const HOOK: &str = "helm.sh/hook";
/// The moments that an apply has; what is for others would do harm.
const MOMENTS: [&str; 4] = ["pre-install", "post-install", "pre-upgrade", "post-upgrade"];

/// The result of rendering.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// The objects.
    pub manifests: Vec<Manifest>,
    /// Problems in rendering or in reading the output.
    pub problems: Vec<Problem>,
    /// Texts that are read otherwise than their author most likely meant.
    pub warnings: Vec<Problem>,
    /// Inputs of the program apart from manifests that are in a Secret now.
    pub inputs: BTreeSet<String>,
}

/// Reads what was printed for `source`. `template` gives a chart's template its path in the
/// checkout.
pub fn read(
    source: &RenderSource,
    output: &[u8],
    template: &dyn Fn(&str) -> Option<String>,
) -> Rendered {
    let mut rendered = Rendered::default();
    match source.format {
        SourceFormat::Kustomize => rendered.add(&source.file, output, None),
        SourceFormat::Helm => {
            for (name, text) in templates(output) {
                let path = name.and_then(|name| template(&name));
                rendered.add(path.as_deref().unwrap_or(&source.file), text, None);
            }
            rendered.manifests.retain(|manifest| !is_for_another_moment(&manifest.object));
        }
        SourceFormat::Jsonnet => match serde_json::from_slice(output) {
            Ok(value) => rendered.values(source, &value, "the result"),
            Err(error) => {
                let message = format!("its output is not JSON: {error}");
                rendered.problems.push(source.problem(message, None));
            }
        },
    }
    for (at, manifest) in rendered.manifests.iter_mut().enumerate() {
        manifest.origin.document = at + 1;
    }
    rendered
}

impl Rendered {
    /// Adds the objects of a text that was rendered from the file at `path`; `part` is what to call
    /// it, where it is not the whole.
    fn add(&mut self, path: &str, text: &[u8], part: Option<&str>) {
        let reading = manifest::read(path, text);
        for Manifest { object, .. } in reading.manifests {
            let origin = Origin { path: path.to_owned(), line: 1, column: 1, document: 1 };
            // Lines of what was rendered are in no file.
            let positions = Positions::default();
            self.manifests.push(Manifest { object, origin, positions, written: None });
        }
        let of_its_source = |problem: Problem| {
            let Problem { place: Location { path, line, .. }, message, excerpt: _, hint } = problem;
            let part = match part {
                Some(part) => part.to_owned(),
                None => {
                    format!(
                        "the output rendered from this, line {line}{}",
                        object_around(text, line)
                    )
                }
            };
            let (place, message) =
                (Location { path, line: 1, column: 1 }, format!("{part}: {message}"));
            Problem { place, message, excerpt: None, hint }
        };
        self.problems.extend(reading.problems.into_iter().map(of_its_source));
        self.warnings.extend(reading.warnings.into_iter().map(of_its_source));
    }

    /// Adds what a Jsonnet program returned: an object, or lists and maps of them.
    fn values(&mut self, source: &RenderSource, value: &Value, at: &str) {
        match value {
            Value::Null => {}
            Value::Object(map) if map.contains_key("apiVersion") || map.contains_key("kind") => {
                self.add(&source.file, value.to_string().as_bytes(), Some(at));
            }
            Value::Object(map) => {
                for (key, value) in map {
                    self.values(source, value, &format!("{at}.{key}"));
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    self.values(source, value, &format!("{at}[{index}]"));
                }
            }
            _ => {
                let message = format!("{at} is not an object, nor a list or map of objects");
                let hint = "return objects with apiVersion and kind".to_owned();
                self.problems.push(source.problem(message, Some(hint)));
            }
        }
    }
}

/// Helm's output, template by template, each with the name that Helm gives it.
fn templates(output: &[u8]) -> Vec<(Option<String>, &[u8])> {
    const SOURCE: &[u8] = b"---\n# Source: ";
    let starts: Vec<usize> = output
        .windows(SOURCE.len())
        .enumerate()
        .filter(|(at, window)| *window == SOURCE && (*at == 0 || output[at - 1] == b'\n'))
        .map(|(at, _)| at)
        .collect();
    let first = starts.first().copied().unwrap_or(output.len());
    let mut found = vec![(None, &output[..first])];
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(output.len());
        let text = &output[*start..end];
        let name = text[SOURCE.len()..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        found.push((Some(String::from_utf8_lossy(name).trim().to_owned()), text));
    }
    found
}

/// The kind and name of what the document around a line declares, as far as it says so.
fn object_around(text: &[u8], line: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    let is_between = |line: &&str| line.starts_with("---");
    let (before, after) = lines.split_at(line.min(lines.len()));
    let from = before.iter().rposition(&is_between).map_or(0, |at| at + 1);
    let to = after.iter().take_while(|line| !is_between(line)).count();
    let document = lines[from..before.len() + to].join("\n");
    let Ok(Some((value, _))) = manifest::value("", document.as_bytes()) else {
        return String::new();
    };
    let words = [value.get("kind"), value.pointer("/metadata/name")];
    let words: Vec<&str> = words.into_iter().flatten().filter_map(Value::as_str).collect();
    if words.is_empty() { String::new() } else { format!(", {}", words.join(" ")) }
}

/// Whether Helm would run it at a moment that an apply does not have, such as a test, or after the
/// release was deleted.
fn is_for_another_moment(object: &Object) -> bool {
    let annotations = object.0.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let hook = annotations.and_then(|annotations| annotations.get(HOOK)).and_then(Value::as_str);
    hook.is_some_and(|hook| !hook.split(',').any(|moment| MOMENTS.contains(&moment.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(format: SourceFormat) -> RenderSource {
        let file = match format {
            SourceFormat::Kustomize => "app/kustomization.yaml",
            SourceFormat::Helm => "app/Chart.yaml",
            SourceFormat::Jsonnet => "app.jsonnet",
        };
        let path = file.split('/').next().unwrap().to_owned();
        RenderSource { format, path, file: file.to_owned(), reads: [].into(), given: [].into() }
    }

    fn names(rendered: &Rendered) -> Vec<String> {
        let name =
            |manifest: &Manifest| format!("{} {}", manifest.origin.path, manifest.object.name());
        rendered.manifests.iter().map(name).collect()
    }

    fn object(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
    }

    #[test]
    fn an_object_of_a_chart_knows_its_template() {
        let output = format!(
            "---\n# Source: web/templates/a.yaml\n{}---\n# Source: web/charts/db/templates/b.yaml\n{}---\n{}",
            object("a"),
            object("b"),
            object("c")
        );
        let template = |name: &str| name.strip_prefix("web/").map(|name| format!("app/{name}"));
        let rendered = read(&source(SourceFormat::Helm), output.as_bytes(), &template);
        assert_eq!(rendered.problems, []);
        assert_eq!(
            names(&rendered),
            [
                "app/templates/a.yaml a",
                "app/charts/db/templates/b.yaml b",
                "app/charts/db/templates/b.yaml c"
            ]
        );
    }

    #[test]
    fn hooks_without_an_apply_phase_are_left_out() {
        let hook = |name: &str, hook: &str| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, annotations: {{helm.sh/hook: {hook:?}}}}}\n"
            )
        };
        let output = hook("a", "pre-install, pre-delete")
            + &hook("b", "test")
            + &hook("c", "post-delete,pre-rollback");
        let rendered = read(&source(SourceFormat::Helm), output.as_bytes(), &|_| None);
        assert_eq!(names(&rendered), ["app/Chart.yaml a"]);
    }

    #[test]
    fn jsonnet_may_return_objects_in_lists_and_maps() {
        let object = |name: &str| {
            format!(r#"{{"apiVersion":"v1","kind":"X","metadata":{{"name":"{name}"}}}}"#)
        };
        let output =
            format!(r#"{{"b":[{}, null],"a":{{"x":{}}},"z":[3]}}"#, object("b"), object("a"));
        let rendered = read(&source(SourceFormat::Jsonnet), output.as_bytes(), &|_| None);
        assert_eq!(names(&rendered), ["app.jsonnet a", "app.jsonnet b"]);
        let message = "the result.z[0] is not an object, nor a list or map of objects";
        assert_eq!(rendered.problems[0].message, message);
        let output = r#"{"a":{"b":[{"kind":"X","metadata":{"name":"c"}}]}}"#;
        let rendered = read(&source(SourceFormat::Jsonnet), output.as_bytes(), &|_| None);
        assert_eq!(rendered.problems[0].message, "the result.a.b[0]: apiVersion is missing");
    }

    #[test]
    fn unreadable_output_is_a_problem_of_its_source_file() {
        let output =
            format!("{}---\nkind: Secret\nmetadata: {{name: db}}\n---\nx: y\n", object("a"));
        let rendered = read(&source(SourceFormat::Kustomize), output.as_bytes(), &|_| None);
        assert_eq!(names(&rendered), ["app/kustomization.yaml a"]);
        let said: Vec<_> = rendered
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.place, problem.message))
            .collect();
        assert_eq!(
            said,
            [
                "app/kustomization.yaml:1:1: the output rendered from this, line 5, Secret db: \
                apiVersion is missing",
                "app/kustomization.yaml:1:1: the output rendered from this, line 8: apiVersion is \
                missing"
            ]
        );
    }

    #[test]
    fn reinterpreted_output_is_a_warning_about_its_template() {
        let output = format!("---\n# Source: web/templates/a.yaml\n{}v: on\n", object("a"));
        let template = |name: &str| name.strip_prefix("web/").map(|name| format!("app/{name}"));
        let warning = &read(&source(SourceFormat::Helm), output.as_bytes(), &template).warnings[0];
        assert_eq!(warning.place.to_string(), "app/templates/a.yaml:1:1");
        let message =
            "the output rendered from this, line 6, ConfigMap a: Kubernetes reads `on` as `true`";
        assert_eq!(warning.message, message);
    }
}
