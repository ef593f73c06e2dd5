//! Which place of the checkout a program's words about a failure are about.

use super::sources::SourceFormat;
use crate::core::problem::Location;

/// The place that matters most among those that `said` names: the innermost one. `find` gives a
/// name that the program uses its path in the checkout.
pub fn place(
    format: SourceFormat,
    said: &str,
    find: &dyn Fn(&str) -> Option<String>,
) -> Option<Location> {
    let words = said.split(|char: char| char.is_whitespace() || "()".contains(char));
    let mut places = words.filter_map(|word| read(format, word, find));
    match format {
        // Each names what it called, before that says what went wrong.
        SourceFormat::Helm => places.last(),
        // Each stands below what it called.
        SourceFormat::Jsonnet => places.next(),
        // It has many ways to quote a path, and no lines.
        SourceFormat::Kustomize => None,
    }
}

/// Reads `NAME`, `NAME:LINE`, `NAME:LINE:COLUMN` or `NAME:LINE:COLUMN-COLUMN`.
fn read(
    format: SourceFormat,
    word: &str,
    find: &dyn Fn(&str) -> Option<String>,
) -> Option<Location> {
    let mut parts = word.trim_end_matches(':').split(':');
    let path = find(parts.next()?)?;
    let mut number = || {
        let digits = parts.next()?;
        digits.split('-').next()?.parse::<usize>().ok()
    };
    let line = number().unwrap_or(1).max(1);
    // Helm counts them from 0.
    let from = usize::from(format == SourceFormat::Helm);
    let column = number().map_or(1, |column| (column + from).max(1));
    Some(Location { path, line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_place_is_found() {
        let helm = |name: &str| name.strip_prefix("web/").map(|name| format!("charts/web/{name}"));
        let jsonnet = |name: &str| name.ends_with("sonnet").then(|| name.to_owned());
        for (format, said, expected) in [
            (
                SourceFormat::Helm,
                "execution error at (web/templates/a.yaml:2:6): no",
                "charts/web/templates/a.yaml:2:7",
            ),
            (
                SourceFormat::Helm,
                "parse error at (web/templates/a.yaml:2): no",
                "charts/web/templates/a.yaml:2:1",
            ),
            (
                SourceFormat::Helm,
                "YAML parse error on web/templates/a.yaml: yaml: line 4: no",
                "charts/web/templates/a.yaml:1:1",
            ),
            (
                SourceFormat::Helm,
                "template: web/templates/a.yaml:2:13: executing \"web/templates/a.yaml\" at <include \"h\" .>: error calling include: template: web/templates/_h.tpl:3:3: executing \"h\": no",
                "charts/web/templates/_h.tpl:3:4",
            ),
            (
                SourceFormat::Helm,
                "web/templates/a.yaml:2:13\n  executing \"web/templates/a.yaml\" at <.x>:\n    no",
                "charts/web/templates/a.yaml:2:14",
            ),
            (
                SourceFormat::Jsonnet,
                "no day\n\tlib/a.libsonnet:3:5-15\tfunction\n\ta.jsonnet:1:1-9\t$\n",
                "lib/a.libsonnet:3:5",
            ),
            (SourceFormat::Jsonnet, "a.jsonnet:(1:1)-(4:2) no", "a.jsonnet:1:1"),
        ] {
            let find: &dyn Fn(&str) -> Option<String> =
                if format == SourceFormat::Helm { &helm } else { &jsonnet };
            let found = place(format, said, find).map(|place| place.to_string());
            assert_eq!(found.as_deref(), Some(expected), "{said}");
        }
        assert_eq!(place(SourceFormat::Helm, "no such thing: a/b.yaml:1:2", &helm), None);
    }
}
