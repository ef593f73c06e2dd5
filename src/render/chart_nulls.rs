//! A difference between Helm 3 and Helm 4 on one chart: a null in the values of a chart that has
//! others below it.
//!
//! In its `values.yaml`, such a null takes the default of a dependency away in Helm 3.21, and is
//! forgotten by Helm 4.2. Both take the default away where a values file or `set:` of `trueup.yaml`
//! has the null. Found out with both programs, which fixtures/renderers/build builds.

use std::collections::BTreeMap;

use super::file_index::{CHART, join};
use crate::core::json::{Map, Value};
use crate::core::manifest::{self, PathPart, Positions};
use crate::core::problem::{Location, Problem};
use crate::core::source::formats::Helm;
use crate::core::source::formats::set::SetPath;

/// The values that a chart comes with.
const VALUES: &str = "values.yaml";
/// The values that a chart shares with those below it.
const GLOBAL: &str = "global";
/// How many charts may stand below each other.
const DEEPEST: usize = 16;

type Files = BTreeMap<String, Vec<u8>>;

/// A warning for each null of the chart in `folder` that takes a default of a dependency away, or
/// not.
pub(super) fn warnings(files: &Files, folder: &str, options: Option<&Helm>) -> Vec<Problem> {
    let file = join(folder, VALUES);
    let Some((Value::Object(values), positions)) = value(files, &file) else { return Vec::new() };
    let mut nulls = Vec::new();
    nulls_below(&values, &mut Vec::new(), &mut nulls);
    if nulls.is_empty() {
        return Vec::new();
    }
    let given = given(files, options);
    let is_overridden =
        |path: &[&str]| given.iter().any(|values| at(values, path) != ValueAt::Nothing);
    let takes_away = |path: &&Vec<&str>| takes_away(files, folder, path, DEEPEST);
    let nulls = nulls.iter().filter(|path| !is_overridden(path)).filter(takes_away);
    nulls.map(|path| warning(&file, &positions, path)).collect()
}

fn warning(file: &str, positions: &Positions, path: &[&str]) -> Problem {
    let parts: Vec<PathPart<'_>> = path.iter().map(|key| PathPart::Key(key)).collect();
    let place = positions.of_value(&parts).or_else(|| positions.of(&parts));
    let (line, column) = place.unwrap_or((1, 1));
    Problem {
        place: Location { path: file.to_owned(), line, column },
        message: format!(
            "the null of `{}` takes a default of a dependency away in Helm 3, and does not in \
             Helm 4",
            path.join(".")
        ),
        excerpt: None,
        hint: Some(
            "give it in a file under render: helm: values: of trueup.yaml, where both take it away"
                .to_owned(),
        ),
    }
}

/// The paths of all nulls.
fn nulls_below<'v>(values: &'v Map, path: &mut Vec<&'v str>, found: &mut Vec<Vec<&'v str>>) {
    for (key, value) in values {
        path.push(key);
        match value {
            Value::Null => found.push(path.clone()),
            Value::Object(map) => nulls_below(map, path, found),
            _ => {}
        }
        path.pop();
    }
}

/// Whether a dependency of the chart in `folder` has a default at this path of the chart's values,
/// or may have one.
fn takes_away(files: &Files, folder: &str, path: &[&str], depth: usize) -> bool {
    let Some((first, rest)) = path.split_first().filter(|_| depth > 0) else { return false };
    dependencies(files, folder).iter().any(|(name, place)| {
        let path = match *first {
            GLOBAL => path,
            first if first == name && !rest.is_empty() => rest,
            _ => return false,
        };
        let Some(folder) = place else { return *first != GLOBAL };
        let default = value(files, &join(folder, VALUES));
        let is_default = default.is_some_and(|(values, _)| at(&values, path) == ValueAt::Some);
        is_default || takes_away(files, folder, path, depth - 1)
    })
}

/// The charts right below the one in `folder`, by the names that its values have for them, each with
/// its folder, or `None` where it is packed.
fn dependencies(files: &Files, folder: &str) -> Vec<(String, Option<String>)> {
    let charts = join(folder, "charts/");
    let mut own = BTreeMap::new();
    let below = files.range(charts.clone()..).map(|(path, _)| path);
    for path in below.take_while(|path| path.starts_with(&charts)) {
        let Some((name, CHART)) = path[charts.len()..].split_once('/') else { continue };
        let within = format!("{charts}{name}");
        let chart = value(files, path).and_then(|(chart, _)| text(&chart, "name"));
        own.insert(chart.unwrap_or_else(|| name.to_owned()), within);
    }
    let mut found = Vec::new();
    for file in [CHART, "requirements.yaml"] {
        let Some((chart, _)) = value(files, &join(folder, file)) else { continue };
        for dependency in chart.get("dependencies").and_then(Value::as_array).into_iter().flatten()
        {
            let Some(name) = text(dependency, "name") else { continue };
            let place = own.get(&name).cloned();
            found.push((text(dependency, "alias").unwrap_or(name), place));
        }
    }
    // One that is not named among them is a dependency all the same.
    let unnamed = own
        .into_iter()
        .filter(|(_, place)| !found.iter().any(|(_, other)| other.as_ref() == Some(place)));
    let unnamed: Vec<_> = unnamed.map(|(name, place)| (name, Some(place))).collect();
    found.extend(unnamed);
    found
}

/// The values that a person gives in place of the chart's.
fn given(files: &Files, options: Option<&Helm>) -> Vec<Value> {
    let Some(options) = options else { return Vec::new() };
    let read = |path: &String| {
        let path = path.trim_matches('/');
        files.get(path).and_then(|content| manifest::values(path, content).ok()).unwrap_or_default()
    };
    let mut given: Vec<Value> = options.values.iter().flat_map(read).collect();
    let mut set = Map::new();
    for (path, value) in &options.set {
        // One that can't be set is an error of rendering.
        let _ = SetPath::parse(path).and_then(|path| path.set(&mut set, value.clone()));
    }
    given.push(Value::Object(set));
    given
}

fn value(files: &Files, path: &str) -> Option<(Value, Positions)> {
    manifest::value(path, files.get(path)?).ok()?
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The value at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueAt {
    Some,
    Null,
    Nothing,
}

fn at(value: &Value, path: &[&str]) -> ValueAt {
    let mut value = value;
    for key in path {
        match value.get(*key) {
            Some(below) => value = below,
            None => return ValueAt::Nothing,
        }
    }
    if value.is_null() { ValueAt::Null } else { ValueAt::Some }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;

    const CHARTS: [(&str, &str); 6] = [
        ("c/Chart.yaml", "name: c\ndependencies: [{name: db, alias: store}, {name: packed}]\n"),
        ("c/charts/db/Chart.yaml", "name: db\n"),
        ("c/charts/db/values.yaml", "size: 1\nnone: null\nlimits: {cpu: 1}\nglobal: {zone: a}\n"),
        ("c/charts/db/charts/disk/Chart.yaml", "name: disk\n"),
        ("c/charts/db/charts/disk/values.yaml", "kind: ssd\n"),
        ("c/charts/packed-1.0.0.tgz", ""),
    ];

    #[track_caller]
    fn expect(values: &str, options: Option<&Helm>, expected: &[&str]) {
        let mut files: Files =
            CHARTS.map(|(path, text)| (path.to_owned(), text.into())).into_iter().collect();
        files.insert("c/values.yaml".to_owned(), values.into());
        files.insert("given.yaml".to_owned(), b"store: {size: null}\n".to_vec());
        let found: Vec<String> = warnings(&files, "c", options)
            .iter()
            .map(|it| {
                let path = it.message.split('`').nth(1).unwrap();
                format!("{}:{} {path}", it.place.line, it.place.column)
            })
            .collect();
        assert_eq!(found, expected, "{values}");
    }

    #[test]
    fn a_null_for_a_default_of_a_dependency_is_told() {
        expect("own: null\nstore:\n  size: null\n", None, &["3:9 store.size"]);
        expect("store: {limits: {cpu: null}}\n", None, &["1:23 store.limits.cpu"]);
        expect("store: {disk: {kind: null}}\n", None, &["1:22 store.disk.kind"]);
        expect("global: {zone: null}\n", None, &["1:16 global.zone"]);
        expect("packed: {a: null}\n", None, &["1:13 packed.a"]);
    }

    #[test]
    fn other_nulls_are_the_same_to_both() {
        for values in [
            "store: {other: null, none: null}\n",
            "db: {size: null}\n",
            "global: {other: null}\n",
            "store: {size: 2}\n",
            "size: null\n",
            "",
        ] {
            expect(values, None, &[]);
        }
    }

    #[test]
    fn what_trueup_yaml_gives_counts_for_both() {
        let null = "store: {size: null}\n";
        let file = Helm { values: vec!["given.yaml".to_owned()], ..Helm::default() };
        expect(null, Some(&file), &[]);
        let set = BTreeMap::from([("store.size".to_owned(), json!(2))]);
        expect(null, Some(&Helm { set, ..Helm::default() }), &[]);
        expect(null, Some(&Helm::default()), &["1:15 store.size"]);
    }
}
