//! Every relative link of a page leads to a file of the checkout, and to a headline of it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::readme::{pages, read};

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = [pages(), vec!["CHANGELOG.md".to_owned()]].concat();
    let mut count = 0;
    for page in &pages {
        let folder = Path::new(page).parent().unwrap();
        for Link { line, to } in links(&read(page)) {
            if to.contains("://") {
                continue;
            }
            let (file, anchor) = to.split_once('#').unwrap_or((&to, ""));
            let path = match file {
                "" => PathBuf::from(page),
                file => cleaned(&folder.join(file)),
            };
            assert!(root.join(&path).exists(), "{page}:{line}: {to} leads nowhere");
            if !anchor.is_empty() {
                let anchors = anchors(&read(path.to_str().unwrap()));
                assert!(anchors.contains(&anchor.to_owned()), "{page}:{line}: {to} leads nowhere");
            }
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

/// A link, and the line that it ends on.
#[derive(Debug, PartialEq)]
struct Link {
    line: usize,
    to: String,
}

/// The links of a page outside of code.
fn links(page: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut is_code = false;
    for (number, line) in page.lines().enumerate() {
        is_code ^= line.starts_with("```");
        // Every second part of a line stands between backticks; a link's text may be one.
        let parts = line.split('`').enumerate();
        let prose: String =
            parts.map(|(at, part)| if at % 2 == 0 { part } else { "code" }).collect();
        for after in prose.split("](").skip(1).filter(|_| !is_code) {
            let to = after.split(')').next().unwrap().to_owned();
            links.push(Link { line: number + 1, to });
        }
    }
    links
}

/// The anchors of a page's headlines, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut is_code = false;
    let mut anchors = Vec::new();
    for line in page.lines() {
        is_code ^= line.starts_with("```");
        let text = line.trim_start_matches('#');
        let Some(text) = text.strip_prefix(' ').filter(|_| text != line && !is_code) else {
            continue;
        };
        let kept = text.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = counts.entry(anchor.clone()).or_default();
        anchors.push(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    anchors
}

/// A path without `..`.
fn cleaned(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(cleaned.pop()),
            part => cleaned.push(part),
        }
    }
    cleaned
}

#[test]
fn links_and_anchors_are_found() {
    let page =
        "# A `b`: c's\n\n[x](y.md) `[no](z)`\n[`w`](v#u)\n\n```\n# [no](t)\n```\n\n# A b cs\n";
    let link = |line, to: &str| Link { line, to: to.to_owned() };
    assert_eq!(links(page), [link(3, "y.md"), link(4, "v#u")]);
    assert_eq!(anchors(page), ["a-b-cs", "a-b-cs-1"]);
}
