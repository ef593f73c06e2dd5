//! The rings that the folder listing shows: which part of the code may import which. An import that
//! points the wrong way, or a circle between two rooms of `core`, fails with the file that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which rings each ring may import, besides itself.
const ARROWS: [(&str, &[&str]); 10] = [
    ("core", &[]),
    ("local", &["core"]),
    ("config", &["core"]),
    ("git", &["local", "core"]),
    ("render", &["local", "core"]),
    ("cluster", &["local", "core"]),
    ("notify", &["local", "core"]),
    ("sandbox", &["local", "core"]),
    ("app", &["git", "render", "cluster", "config", "local", "core"]),
    ("cli", &["app", "git", "render", "cluster", "notify", "sandbox", "config", "local", "core"]),
];

/// What `core` does without: whatever asks the outside, or has a clock.
const IMPURE: [&str; 13] = [
    "tokio",
    "kube::",
    "gix::",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread::sleep",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "futures::",
];

/// One import: the file, and what it imports.
#[derive(Debug, PartialEq, Eq)]
struct Arrow {
    file: String,
    from: String,
    to: String,
}

/// The code of a file without comments and without its module of tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths below the crate's root that a text names.
fn imports(text: &str) -> Vec<Vec<&str>> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let rests = text.split("crate::").skip(1);
    let paths = rests.map(|rest| &rest[..rest.find(|c| !is_path(c)).unwrap_or(rest.len())]);
    paths.map(|path| path.split("::").filter(|part| !part.is_empty()).collect()).collect()
}

/// The arrows of one file that point the wrong way.
fn wrong(file: &str, text: &str) -> Vec<Arrow> {
    let from = file.split(['/', '.']).next().unwrap_or_default();
    let Some((_, allowed)) = ARROWS.iter().find(|(ring, _)| *ring == from) else {
        return Vec::new();
    };
    let code = code(text);
    let to = imports(&code).into_iter().filter_map(|path| path.first().copied());
    let is_wrong = |to: &&str| {
        *to != from && ARROWS.iter().any(|(ring, _)| ring == to) && !allowed.contains(to)
    };
    let arrow =
        |to: &str| Arrow { file: file.to_owned(), from: from.to_owned(), to: to.to_owned() };
    to.filter(is_wrong).map(arrow).collect()
}

/// The Rust files of a folder and of the folders in it.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false if path.extension().is_some_and(|it| it == "rs") => found.push(path),
            false => {}
        }
    }
    found
}

/// The files of `src` that are no tests, with their paths from there.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
    let text = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        (name, text)
    };
    sources(&root).into_iter().map(text).filter(|(name, _)| !is_test(name)).collect()
}

#[test]
fn imports_point_from_the_outer_ring_to_the_inner() {
    let wrong: Vec<Arrow> = files().iter().flat_map(|(name, text)| wrong(name, text)).collect();
    let lines = wrong.iter().map(|it| format!("src/{}: {} -> {}", it.file, it.from, it.to));
    assert!(wrong.is_empty(), "{}", lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_import_that_points_outwards_is_found() {
    let planted = "use crate::core::plan::Plan;\nuse crate::cluster::Cluster; // why\n";
    let arrow = |file: &str, from: &str, to: &str| Arrow {
        file: file.into(),
        from: from.into(),
        to: to.into(),
    };
    assert_eq!(
        wrong("core/health/mod.rs", planted),
        [arrow("core/health/mod.rs", "core", "cluster")]
    );
    assert_eq!(wrong("git/mod.rs", planted), [arrow("git/mod.rs", "git", "cluster")]);
    assert_eq!(wrong("app/survey.rs", planted), []);
    assert_eq!(wrong("core/plan.rs", "// crate::cluster is not meant\n"), []);
    assert_eq!(wrong("local/mod.rs", "fn f() { crate::cli::exit::now(); }").len(), 1);
}

#[test]
fn every_folder_is_a_ring() {
    let rings: BTreeSet<&str> = ARROWS.iter().map(|(ring, _)| *ring).collect();
    let files = files();
    let found: BTreeSet<&str> =
        files.iter().filter_map(|(name, _)| name.split_once('/')).map(|(ring, _)| ring).collect();
    assert_eq!(found, rings);
}

#[test]
fn core_is_pure() {
    let mut found = Vec::new();
    for (name, text) in files().iter().filter(|(name, _)| name.starts_with("core/")) {
        let code = code(text);
        found.extend(
            IMPURE.iter().filter(|it| code.contains(**it)).map(|it| format!("src/{name}: {it}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn mail_is_sent_by_one_ring() {
    let files = files();
    let users = files.iter().filter(|(_, text)| code(text).contains("lettre::"));
    let outside: Vec<_> = users.filter(|(name, _)| !name.starts_with("notify/")).collect();
    assert!(outside.is_empty(), "{outside:?}");
}

/// What holds a Secret's value as it is, so that presentation must not name it.
const UNMASKED: [&str; 8] = [
    "Redactor",
    "redactor(",
    ".decided",
    "found.desired",
    "plan::Plan",
    " Plan,",
    " Change,",
    "core::object::Object;",
];

/// The names in the code of a file of presentation that lead around masking.
fn unmasked(text: &str) -> Vec<&'static str> {
    let code = code(text);
    UNMASKED.into_iter().filter(|name| code.contains(name)).collect()
}

#[test]
fn presentation_is_given_only_what_is_masked() {
    let is_presentation = |name: &str| {
        let is_shown = name.starts_with("cli/present/") || name.starts_with("cli/external/");
        // `render` prints objects; its `--show-secrets` is what masks or does not.
        is_shown && name != "cli/present/objects.rs"
    };
    let files = files();
    let files = files.iter().filter(|(name, _)| is_presentation(name));
    let found: Vec<_> = files.map(|(name, text)| (name, unmasked(text))).collect();
    assert!(found.len() > 20, "only {} files are seen", found.len());
    let wrong: Vec<_> = found.iter().filter(|(_, names)| !names.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let planted = "use crate::core::plan::{Action, Change, Reason};\nlet r = survey.redactor();\n";
    assert_eq!(unmasked(planted), ["redactor(", " Change,"]);
}

#[test]
fn no_circle_crosses_two_rooms_of_core() {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in files() {
        let Some(name) = name.strip_prefix("core/") else { continue };
        let room = name.split(['/', '.']).next().unwrap_or_default().to_owned();
        let code = code(&text);
        let paths = imports(&code).into_iter().filter(|path| path.first() == Some(&"core"));
        let to = paths.filter_map(|path| path.get(1).map(|room| (*room).to_owned()));
        rooms.entry(room.clone()).or_default().extend(to.filter(|to| *to != room));
    }
    // A room that imports none of those that are left belongs to no circle.
    loop {
        let left: BTreeSet<String> = rooms.keys().cloned().collect();
        rooms.retain(|_, to| to.iter().any(|room| left.contains(room)));
        if rooms.len() == left.len() {
            break;
        }
    }
    assert!(rooms.is_empty(), "a circle goes through some of these rooms: {rooms:#?}");
}

/// The module of a file below `src`: `core/plan/mod.rs` is `core::plan`.
fn module_of(file: &str) -> Vec<&str> {
    let module = file.trim_end_matches(".rs");
    match module {
        "lib" | "main" => Vec::new(),
        _ => module.trim_end_matches("/mod").split('/').collect(),
    }
}

/// The paths that a text names from `crate`, `self` or `super`, with grouped imports taken apart.
fn named_paths(text: &str) -> Vec<Vec<String>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for word in ["crate", "self", "super"] {
        for (at, _) in text.match_indices(&format!("{word}::")) {
            if text[..at].ends_with(is_name) {
                continue;
            }
            expand(&text[at..], &[], &mut found);
        }
    }
    found
}

/// Adds the paths that a text begins with, below `base`; what is left of the text.
fn expand<'t>(text: &'t str, base: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (path, mut rest) = text.split_at(end);
    let parts = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
    let base: Vec<String> = base.iter().cloned().chain(parts).collect();
    if !(path.ends_with("::") && rest.starts_with('{')) {
        found.push(base);
        return rest;
    }
    rest = &rest[1..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() || rest.starts_with('}') {
            return rest.get(1..).unwrap_or_default();
        }
        let before = rest.len();
        rest = expand(rest, &base, found);
        // An alias, or a `*`.
        if !rest.starts_with([',', '}']) || rest.len() == before {
            rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
        }
    }
}

/// The absolute path of one that a module names.
fn absolute(module: &[&str], path: &[String]) -> Vec<String> {
    let mut at: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
    for part in path {
        match part.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            name => at.push(name.to_owned()),
        }
    }
    at
}

/// The modules that lie on a circle, each with those of the circles that it imports. A module and
/// one inside it make no circle.
fn module_circles(files: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let names: BTreeSet<String> =
        files.iter().map(|(file, _)| module_of(file).join("::")).collect();
    let is_within = |a: &str, b: &str| a.is_empty() || b.starts_with(&format!("{a}::"));
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in files {
        let module = module_of(file);
        let from = module.join("::");
        for path in named_paths(&code(text)) {
            let path = absolute(&module, &path);
            let prefixes = (1..=path.len()).rev().map(|length| path[..length].join("::"));
            let Some(to) = prefixes.into_iter().find(|prefix| names.contains(prefix)) else {
                continue;
            };
            if to != from && !is_within(&to, &from) && !is_within(&from, &to) {
                arrows.entry(from.clone()).or_default().insert(to);
            }
        }
    }
    let reached = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(module) = next.pop() {
            let to = arrows.get(&module).into_iter().flatten();
            next.extend(to.filter(|to| seen.insert((*to).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|from| (from, reached(from))).collect();
    let mut circles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in &arrows {
        let back = |to: &&String| reached.get(*to).is_some_and(|seen| seen.contains(from));
        let to: BTreeSet<String> = to.iter().filter(back).cloned().collect();
        if !to.is_empty() {
            circles.insert(from.clone(), to);
        }
    }
    circles
}

#[test]
fn no_circle_joins_two_modules() {
    let circles = module_circles(&files());
    let arrows = circles.iter().map(|(from, to)| {
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        format!("{from} -> {}", to.join(", "))
    });
    assert!(circles.is_empty(), "circles of modules:\n{}", arrows.collect::<Vec<_>>().join("\n"));
}

#[test]
fn circle_of_modules_is_found() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let circle = |files: &[(String, String)]| {
        module_circles(files).into_keys().collect::<Vec<String>>().join(" ")
    };
    let (mod_rs, leaf) = (file("a/mod.rs", "mod b;\nuse self::b::B;"), file("a/d.rs", ""));
    let planted = [
        mod_rs.clone(),
        file("a/b.rs", "use super::{\n    A,\n    c::{self, C as D},\n    d::*,\n};\n"),
        file("a/c/mod.rs", "fn f() { crate::a::b::g() }"),
        leaf.clone(),
    ];
    assert_eq!(circle(&planted), "a::b a::c");
    let planted = [
        mod_rs.clone(),
        file("a/b.rs", "use super::{d::{x::X, Y}, c::C};"),
        file("a/c/mod.rs", "use self::e::E; // super::b::B\n"),
        file("a/c/e.rs", "fn f() { super::super::b::g() }"),
        leaf,
    ];
    assert_eq!(circle(&planted), "");
    let planted = [
        mod_rs,
        file("a/b.rs", "use super::c::e::E;"),
        file("a/c/e.rs", "fn f() { super::super::b::g() }"),
    ];
    assert_eq!(circle(&planted), "a::b a::c::e");
}
