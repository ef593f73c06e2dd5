//! A chart's own statements, read before Helm runs: its dependencies have to be in its own folder,
//! and a name stands for one of its files. Nothing is rendered or run here.

use std::collections::BTreeMap;

use super::file_index::{CHART, FileIndex, join};
use crate::core::json::Value;
use crate::core::manifest::{self, Positions};
use crate::core::problem::{Location, Problem};

/// Whether the chart in `folder` is a library, which others take in and which is not installed by
/// itself.
pub fn is_library(shelf: &FileIndex, folder: &str) -> bool {
    let file = join(folder, CHART);
    let chart = manifest::value(&file, shelf.content(&file).unwrap_or_default());
    matches!(chart, Ok(Some((chart, _))) if chart.get("type").is_some_and(|kind| kind == "library"))
}

/// The missing dependencies of the chart in `folder`.
pub fn problems(shelf: &FileIndex, folder: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    // Charts of Helm 2 have their dependencies in a file of their own.
    for name in [CHART, "requirements.yaml"] {
        let file = join(folder, name);
        let Some(content) = shelf.content(&file) else { continue };
        match manifest::value(&file, content) {
            Ok(Some((value, positions))) => {
                problems.extend(missing(shelf, folder, &file, &value, &positions));
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    problems
}

fn missing(
    shelf: &FileIndex,
    folder: &str,
    file: &str,
    value: &Value,
    positions: &Positions,
) -> Vec<Problem> {
    let dependencies = value.get("dependencies").and_then(Value::as_array);
    let mut problems = Vec::new();
    for (at, dependency) in dependencies.into_iter().flatten().enumerate() {
        let said = |key: &str| dependency.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = said("name");
        if name.is_empty() || is_vendored(shelf, folder, name) {
            continue;
        }
        let from = match said("repository") {
            "" => String::new(),
            repository => format!(" from {repository}"),
        };
        let (line, column) =
            positions.of_value(&["dependencies".into(), at.into()]).unwrap_or((1, 1));
        problems.push(Problem {
            place: Location { path: file.to_owned(), line, column },
            message: format!(
                "the chart {name}{from} is not in charts/, and nothing is fetched while rendering"
            ),
            excerpt: None,
            hint: Some("run helm dependency build, and commit the charts folder".to_owned()),
        });
    }
    problems
}

/// Whether the chart's own `charts` has the dependency, as a folder or packed.
fn is_vendored(shelf: &FileIndex, folder: &str, name: &str) -> bool {
    let charts = join(folder, "charts/");
    shelf.has_file(&format!("{charts}{name}/{CHART}"))
        || shelf.paths().any(|path| {
            let packed = path.strip_prefix(&charts).and_then(|path| path.strip_prefix(name));
            packed.is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".tgz"))
        })
}

/// The file among `files` that Helm calls `name` when it renders the chart in `folder`: below the
/// chart's name, with a dependency below the name that the chart gives it.
pub fn file(files: &BTreeMap<String, Vec<u8>>, folder: &str, name: &str) -> Option<String> {
    let (_, mut below) = name.split_once('/')?;
    let mut folder = folder.to_owned();
    loop {
        let path = join(&folder, below);
        if files.contains_key(&path) {
            return Some(path);
        }
        let (chart, rest) = below.strip_prefix("charts/")?.split_once('/')?;
        let is_chart = |name: &str| {
            let charts = join(&folder, "charts");
            let within = join(&charts, name);
            files.contains_key(&join(&within, CHART)).then_some(within)
        };
        folder = is_chart(chart).or_else(|| is_chart(&own_name(files, &folder, chart)?))?;
        below = rest;
    }
}

/// The own name of the dependency that the chart in `folder` calls `alias`.
fn own_name(files: &BTreeMap<String, Vec<u8>>, folder: &str, alias: &str) -> Option<String> {
    let file = join(folder, CHART);
    let (chart, _) = manifest::value(&file, files.get(&file)?).ok()??;
    let dependencies = chart.get("dependencies")?.as_array()?;
    let is_meant = |dependency: &&Value| dependency.get("alias").is_some_and(|said| said == alias);
    let name = dependencies.iter().find(is_meant)?.get("name")?.as_str()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_s_template_is_found_by_its_alias() {
        let files = [
            ("c/web/Chart.yaml", "name: shop\ndependencies: [{name: db, alias: store}]\n"),
            ("c/web/templates/a.yaml", ""),
            ("c/web/charts/db/Chart.yaml", "name: db\n"),
            ("c/web/charts/db/templates/b.yaml", ""),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.into())).into();
        for (name, path) in [
            ("shop/templates/a.yaml", Some("c/web/templates/a.yaml")),
            ("shop/charts/db/templates/b.yaml", Some("c/web/charts/db/templates/b.yaml")),
            ("shop/charts/store/templates/b.yaml", Some("c/web/charts/db/templates/b.yaml")),
            ("shop/charts/other/templates/b.yaml", None),
            ("shop/templates/b.yaml", None),
            ("shop", None),
        ] {
            assert_eq!(file(&files, "c/web", name).as_deref(), path, "{name}");
        }
    }

    #[test]
    fn a_dependency_has_to_be_in_the_chart() {
        let chart = "name: web\ndependencies:\n- {name: a, repository: 'https://example.com'}\n- name: b\n- name: c\n";
        let paths = ["web/Chart.yaml", "web/charts/b-1.0.0.tgz", "web/charts/c/Chart.yaml"];
        let contents = [("web/Chart.yaml".to_owned(), chart.into())].into();
        let shelf = FileIndex::new(paths.map(str::to_owned).into(), contents);
        let said: Vec<String> = problems(&shelf, "web")
            .iter()
            .map(|problem| format!("{}: {}", problem.place, problem.message))
            .collect();
        assert_eq!(
            said,
            [
                "web/Chart.yaml:3:3: the chart a from https://example.com is not in charts/, and nothing is fetched while rendering"
            ]
        );
    }
}
