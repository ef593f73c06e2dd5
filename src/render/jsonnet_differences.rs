//! Differences between the programs that run Jsonnet on one text: go-jsonnet, the one in C++, and
//! jrsonnet.
//!
//! Found out with go-jsonnet 0.22.0, C++ jsonnet 0.22.0 (its Python package) and jrsonnet as the
//! Python package rjsonnet 0.5.6 has it:
//!
//! - `std.base64` of text beyond ASCII: go-jsonnet and jrsonnet encode its UTF-8, C++ one byte for
//!   each character. Beyond U+00FF, go-jsonnet and C++ refuse it. `std.base64Decode` is the inverse.
//! - `std.parseYaml`: go-jsonnet reads YAML 1.1 (`on`, `True`, keys too); C++ and jrsonnet take these
//!   for text. C++ knows neither `~`, octal and hexadecimal numbers nor aliases. Where one document
//!   has a `---` before it, jrsonnet returns it, and the others a list of it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::file_index::{folder_of, resolve};
use super::jsonnet::{Import, scan};
use super::jsonnet_calls::{CallArgument, LibraryCall, calls};
use super::sources::RenderSource;
use crate::core::json::{Number, Value};
use crate::core::manifest::{self, Manifest, PathPart, Positions};
use crate::core::problem::{Location, Problem};

/// How many places of one file are told.
const TOLD: usize = 20;

type Files = BTreeMap<String, Vec<u8>>;

/// The warnings of a program, which made these manifests of the files that it reads.
pub(super) fn warnings(
    source: &RenderSource,
    files: &Files,
    library: &[String],
    made: &[Manifest],
) -> Vec<Problem> {
    let is_code = |path: &str| path.ends_with(".jsonnet") || path.ends_with(".libsonnet");
    let codes = files.iter().filter(|(path, _)| source.reads(path) && is_code(path));
    let codes: Vec<Code<'_>> = codes.map(|(path, text)| Code::new(path, text)).collect();
    let mut found = Vec::new();
    let mut parsed = BTreeSet::new();
    for code in &codes {
        for call in &code.calls {
            match (call.function, &call.argument) {
                ("parseYaml", CallArgument::Text(text)) => {
                    if let Some(what) = differences("", text).into_iter().next() {
                        found.push(code.problem(call, what.message));
                    }
                }
                ("parseYaml", CallArgument::File(target)) => {
                    parsed.extend(code.resolve(target, files, library));
                }
                ("parseYaml", CallArgument::Computed) => {
                    let texts = codes.iter().flat_map(|code| {
                        let texts = code.imports.iter().filter(|import| import.as_text);
                        texts.filter_map(|import| code.resolve(&import.target, files, library))
                    });
                    parsed.extend(texts.filter(|path| is_yaml(path)));
                }
                (function, CallArgument::Text(text)) if is_beyond_ascii(function, text) => {
                    found.push(code.base64(call));
                }
                _ => {}
            }
        }
    }
    for path in parsed {
        let text = files.get(&path).map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
        found.extend(differences(&path, &text));
    }
    found.extend(encoded(&codes, files, made));
    found
}

/// A warning at a call that may have encoded a text beyond ASCII, where a Secret has such a one that
/// stands in no file.
fn encoded(codes: &[Code<'_>], files: &Files, made: &[Manifest]) -> Option<Problem> {
    let (code, call) = codes.iter().find_map(|code| {
        let is_meant = |call: &&LibraryCall| {
            call.function == "base64" && call.argument == CallArgument::Computed
        };
        Some((code, code.calls.iter().find(is_meant)?))
    })?;
    let secrets = made.iter().filter(|manifest| manifest.object.kind() == "Secret");
    let data = secrets.filter_map(|manifest| manifest.object.0.get("data")?.as_object());
    let mut values = data.flat_map(|data| data.values().filter_map(Value::as_str));
    let is_encoded = |value: &str| {
        let stands_in = |text: &Vec<u8>| String::from_utf8_lossy(text).contains(value);
        is_beyond_ascii("base64Decode", value) && !files.values().any(stands_in)
    };
    values.any(is_encoded).then(|| code.base64(call))
}

/// Whether the text is beyond ASCII that is encoded or decoded.
fn is_beyond_ascii(function: &str, text: &str) -> bool {
    match function {
        "base64" => !text.is_ascii(),
        _ => {
            let decoded = STANDARD.decode(text).ok();
            let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.is_some_and(|text| !text.is_ascii())
        }
    }
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// A program's or library's text with what stands in it.
struct Code<'a> {
    path: &'a str,
    text: String,
    calls: Vec<LibraryCall>,
    imports: Vec<Import>,
}

impl<'a> Code<'a> {
    fn new(path: &'a str, text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text).into_owned();
        let (calls, imports) = (calls(&text), scan(&text));
        Self { path, text, calls, imports }
    }

    /// The file that an import leads to.
    fn resolve(&self, target: &str, files: &Files, library: &[String]) -> Option<String> {
        let library = library.iter().map(|folder| folder.trim_matches('/'));
        let mut bases = std::iter::once(folder_of(self.path)).chain(library);
        bases.find_map(|base| resolve(base, target).filter(|path| files.contains_key(path)))
    }

    fn base64(&self, call: &LibraryCall) -> Problem {
        let message = format!(
            "go-jsonnet, C++ jsonnet and jrsonnet differ on std.{} of text beyond ASCII",
            call.function
        );
        let problem = self.problem(call, message);
        let hint = "give std.base64 the bytes, as in std.base64(std.encodeUTF8(text))";
        match call.function {
            "base64" => Problem { hint: Some(hint.to_owned()), ..problem },
            _ => {
                let hint = "decode bytes, as in std.decodeUTF8(std.base64DecodeBytes(text))";
                Problem { hint: Some(hint.to_owned()), ..problem }
            }
        }
    }

    fn problem(&self, call: &LibraryCall, message: String) -> Problem {
        let import = Import { target: String::new(), at: call.at, as_text: false };
        let (line, column) = import.spot(&self.text);
        let place = Location { path: self.path.to_owned(), line, column };
        Problem { place, message, excerpt: None, hint: None }
    }
}

/// Where `std.parseYaml` of a text differs.
fn differences(path: &str, text: &str) -> Vec<Problem> {
    let is_mark = |line: &str| line == "---" || line.starts_with("--- ");
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let problem = |line, column, message: String, hint: String| Problem {
        place: Location { path: path.to_owned(), line, column },
        message,
        excerpt: None,
        hint: Some(hint),
    };
    let marks: Vec<usize> = (0..lines.len()).filter(|at| is_mark(lines[*at])).collect();
    let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if let [mark] = marks[..]
        && lines[..mark].iter().all(|line| is_empty(line))
    {
        let message = "std.parseYaml returns this one document in a list in go-jsonnet and C++ \
            jsonnet, and by itself in jrsonnet";
        found.push(problem(mark + 1, 1, message.to_owned(), "leave the `---` out".to_owned()));
    }
    let mut begin = 0;
    for end in marks.into_iter().chain([lines.len()]) {
        // Lines before it keep the numbers of its own.
        let document = "\n".repeat(begin) + &lines[begin..end].join("\n");
        begin = end + 1;
        let Ok(Some((value, positions))) = manifest::value(path, document.as_bytes()) else {
            continue;
        };
        let mut scalars = Scalars { lines: &lines, positions: &positions, found: Vec::new() };
        scalars.value(&value, &mut Vec::new());
        let told =
            scalars.found.into_iter().map(|DifferentScalar { line, column, raw, is_alias }| {
                let message = format!(
                    "std.parseYaml of go-jsonnet, C++ jsonnet and jrsonnet differ on `{raw}`"
                );
                let hint = match is_alias {
                    true => "write out what it stands for".to_owned(),
                    false => format!("write `\"{raw}\"` for a text, or the value as JSON has it"),
                };
                problem(line, column, message, hint)
            });
        found.extend(told);
    }
    found.truncate(TOLD);
    found
}

/// A scalar that is not the same to all.
struct DifferentScalar {
    line: usize,
    column: usize,
    raw: String,
    is_alias: bool,
}

/// Goes through a document with its text at hand.
struct Scalars<'a> {
    lines: &'a [&'a str],
    positions: &'a Positions,
    found: Vec<DifferentScalar>,
}

impl Scalars<'_> {
    fn value<'v>(&mut self, value: &'v Value, path: &mut Vec<PathPart<'v>>) {
        let place = self.positions.of_value(path).filter(|_| !path.is_empty());
        if let Some((line, column)) = place {
            let raw = self.raw(line, column);
            let is_alias = raw.starts_with('*');
            if is_alias || is_different(value, &raw) {
                self.found.push(DifferentScalar { line, column, raw, is_alias });
            }
            // The value that it stands for has its own place.
            if is_alias {
                return;
            }
        }
        match value {
            Value::Object(map) => {
                for (key, below) in map {
                    path.push(PathPart::Key(key));
                    if let Some((line, column)) = self.positions.of(path) {
                        let raw = self.raw(line, column);
                        let raw = raw.trim_end_matches(':').to_owned();
                        let is_typed = matches!(key.as_str(), "true" | "false" | "null");
                        if is_typed && raw != key.as_str() && !raw.starts_with(['"', '\'']) {
                            let is_alias = false;
                            self.found.push(DifferentScalar { line, column, raw, is_alias });
                        }
                    }
                    self.value(below, path);
                    path.pop();
                }
            }
            Value::Array(list) => {
                for (index, below) in list.iter().enumerate() {
                    path.push(PathPart::Index(index));
                    self.value(below, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// The plain text that begins at a place.
    fn raw(&self, line: usize, column: usize) -> String {
        let line = line.checked_sub(1).and_then(|at| self.lines.get(at)).copied();
        let text = line.unwrap_or_default().chars().skip(column.saturating_sub(1));
        let text = text.take_while(|c| !c.is_whitespace() && !matches!(c, ',' | ']' | '}'));
        text.collect()
    }
}

/// Whether a value is written in a way that JSON does not have.
fn is_different(value: &Value, raw: &str) -> bool {
    match value {
        Value::Null => !matches!(raw, "null" | "") && !raw.starts_with(['#', '!', '&']),
        Value::Bool(_) => !matches!(raw, "true" | "false") && !raw.starts_with(['!', '&']),
        Value::Number(_) => {
            !raw.starts_with(['!', '&']) && serde_json::from_str::<Number>(raw).is_err()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;
    use crate::render::sources::SourceFormat;

    #[track_caller]
    fn expect(files: &[(&str, &str)], made: &[Manifest], expected: &[&str]) {
        let path = "a/b.jsonnet".to_owned();
        let reads = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let (format, file, given) = (SourceFormat::Jsonnet, path.clone(), [].into());
        let source = RenderSource { format, path, file, reads, given };
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        let found = warnings(&source, &files.collect(), &["lib".to_owned()], made);
        let found: Vec<String> =
            found.iter().map(|it| format!("{} {}", it.place, it.message)).collect();
        assert_eq!(found, expected);
    }

    fn differs(raw: &str) -> String {
        format!("std.parseYaml of go-jsonnet, C++ jsonnet and jrsonnet differ on `{raw}`")
    }

    fn secret(value: &str) -> Vec<Manifest> {
        let object = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": value}});
        let Value::Object(map) = object else { panic!("not a map") };
        vec![Manifest { object: map.into(), ..Manifest::default() }]
    }

    #[test]
    fn base64_beyond_ascii_is_told() {
        let what = "go-jsonnet, C++ jsonnet and jrsonnet differ on std.base64 of text beyond ASCII";
        let literal = "{ a: std.base64('é'),\n  b: std.base64('e') }";
        expect(&[("a/b.jsonnet", literal)], &[], &[&format!("a/b.jsonnet:1:6 {what}")]);
        // A computed text is seen in a Secret.
        let computed = "local t = 'é'; { data: { a:\n std.base64(t) } }";
        let told = format!("a/b.jsonnet:2:2 {what}");
        expect(&[("a/b.jsonnet", computed)], &secret("w6k="), &[&told]);
        expect(&[("a/b.jsonnet", computed)], &secret("ZQ=="), &[]);
        let pasted = "{ b: std.base64(x), data: { a: 'w6k=' } }";
        expect(&[("a/b.jsonnet", pasted)], &secret("w6k="), &[]);
    }

    #[test]
    fn yaml_that_is_not_the_same_to_all_is_told() {
        let program = "std.parseYaml(importstr 'x.yaml')";
        let yaml = "a: on\nb: [~, 0x1F, 1.5, 010]\nc: \"on\"\nd: &x {e: null}\nf: *x\nyes: 1\ng:\nh: true # on\n";
        let told = [
            format!("a/x.yaml:1:4 {}", differs("on")),
            format!("a/x.yaml:2:5 {}", differs("~")),
            format!("a/x.yaml:2:8 {}", differs("0x1F")),
            format!("a/x.yaml:2:19 {}", differs("010")),
            format!("a/x.yaml:5:4 {}", differs("*x")),
            format!("a/x.yaml:6:1 {}", differs("yes")),
        ];
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        expect(&[("a/b.jsonnet", program), ("a/x.yaml", yaml)], &[], &told);
        let computed = "local y = importstr 'x.yaml'; std.parseYaml(y)";
        expect(
            &[("a/b.jsonnet", computed), ("lib/x.yaml", "a: off\n")],
            &[],
            &[&format!("lib/x.yaml:1:4 {}", differs("off"))],
        );
        expect(&[("a/b.jsonnet", "importstr 'x.yaml'"), ("a/x.yaml", yaml)], &[], &[]);
        let literal = "std.parseYaml('a: 1_000')";
        expect(
            &[("a/b.jsonnet", literal)],
            &[],
            &[&format!("a/b.jsonnet:1:1 {}", differs("1_000"))],
        );
    }

    #[test]
    fn one_document_behind_a_mark_is_told() {
        let program = ("a/b.jsonnet", "std.parseYaml(importstr 'x.yaml')");
        let what = "std.parseYaml returns this one document in a list in go-jsonnet and C++ jsonnet, and by itself in jrsonnet";
        expect(
            &[program, ("a/x.yaml", "# a\n---\na: 1\n")],
            &[],
            &[&format!("a/x.yaml:2:1 {what}")],
        );
        expect(
            &[program, ("a/x.yaml", "a: 1\n---\nb: yes\n")],
            &[],
            &[&format!("a/x.yaml:3:4 {}", differs("yes"))],
        );
        expect(&[program, ("a/x.yaml", "---\na: 1\n---\nb: 2\n")], &[], &[]);
    }
}
