//! A program's messages about a failure, as they may be shown: short, and without the secrets in
//! the files and arguments that it was given. When rendering fails there are no objects that would
//! say what ends in a Secret, so everything counts that a Secret is made of by its name or looks.

use crate::core::json::Value;
use crate::core::manifest;
use crate::core::redact::{Inputs, Redactor};
use crate::core::source::formats::{Formats, Helm, Jsonnet};

use super::file_index::{KUSTOMIZATIONS, folder_of, join};
use super::patches;
use super::sources::SourceFormat;

/// How many lines of what a program says about a failure are shown, and how long each may be.
const LINES: usize = 12;
const LINE: usize = 600;
/// Of a longer text the last line may end in the middle of a value.
const WHOLE: usize = 60 << 10;

/// Fields of a generator's entry that are not values.
const NO_VALUES: [&str; 5] = ["name", "namespace", "type", "behavior", "options"];
/// Its keys that name files.
const FILES: [&str; 1] = ["files"];
const ENVS: [&str; 2] = ["envs", "env"];

/// The input of a program.
pub struct ProgramInput<'a> {
    /// The format of what it renders.
    pub format: SourceFormat,
    /// The options of all formats.
    pub formats: &'a Formats,
    /// The files that it may read, by their paths.
    pub files: Vec<(&'a str, &'a [u8])>,
}

impl ProgramInput<'_> {
    /// Its message, as short as can be and without what is secret.
    pub fn display(&self, said: &str) -> String {
        let said = match said.len() {
            0..=WHOLE => said,
            _ => said.rfind('\n').map_or("its message is too long to show", |end| &said[..end]),
        };
        let objects: Vec<_> = self
            .files
            .iter()
            .filter(|(path, _)| is_yaml(path))
            .flat_map(|(path, content)| manifest::read_yaml(path, content).manifests)
            .map(|manifest| manifest.object)
            .collect();
        // A value that was cut short can't be found any more, so it is masked before that.
        let said = Redactor::with_rules(&objects, &[], &self.inputs()).text(said);
        let said = said.replace('\t', "  ");
        // Warnings come before what ended it, and are not about that.
        let is_noise = |line: &str| {
            let line = line.trim_start();
            line.is_empty()
                || line.starts_with("# Warning: ")
                || line.starts_with("Use --debug flag")
        };
        let plain = |line| {
            let line = without_log_header(line);
            ["Error: ", "RUNTIME ERROR: ", "runtime error: "].iter().fold(line, without_start)
        };
        let lines = said.lines().map(str::trim_end).filter(|line| !is_noise(line)).map(plain);
        let cut = |line: &str| match line.char_indices().nth(LINE) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        };
        lines.take(LINES).map(cut).collect::<Vec<_>>().join("\n")
    }

    /// Everything that it was given, apart from manifests.
    pub fn inputs(&self) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.names.extend(self.files.iter().map(|(path, _)| (*path).to_owned()));
        match self.format {
            SourceFormat::Kustomize => {}
            SourceFormat::Helm => self.values(self.formats.helm.as_ref(), &mut inputs),
            SourceFormat::Jsonnet => self.variables(self.formats.jsonnet.as_ref(), &mut inputs),
        }
        for (path, content) in &self.files {
            let name = path.rsplit('/').next().unwrap_or(path);
            if self.format == SourceFormat::Kustomize && KUSTOMIZATIONS.contains(&name) {
                self.generators(path, content, &mut inputs);
            } else if self.format == SourceFormat::Kustomize && is_yaml(path) {
                transformers(path, content, &mut inputs);
            }
            if let Ok(text) = std::str::from_utf8(content) {
                inputs.text(text);
            }
        }
        inputs
    }

    /// Helm's values: of charts, of files and single ones.
    fn values(&self, options: Option<&Helm>, inputs: &mut Inputs) {
        let named = options.map(|options| options.values.as_slice()).unwrap_or_default();
        for (path, content) in &self.files {
            let is_named = named.iter().any(|name| name.trim_matches('/') == *path);
            let is_charts = path.rsplit('/').next() == Some("values.yaml");
            if is_named || is_charts {
                match manifest::value(path, content) {
                    Ok(Some((value, _))) => inputs.value("", &value),
                    Ok(None) => {}
                    // Helm may read it.
                    Err(_) => inputs.secret(&String::from_utf8_lossy(content)),
                }
            }
        }
        for (name, value) in options.iter().flat_map(|options| &options.set) {
            inputs.value(name, value);
        }
    }

    /// Jsonnet's variables and arguments.
    fn variables(&self, options: Option<&Jsonnet>, inputs: &mut Inputs) {
        let all = options.into_iter().flat_map(|options| options.ext.iter().chain(&options.tla));
        all.for_each(|(name, value)| inputs.value(name, value));
    }

    /// The sources of Secrets and ConfigMaps that a kustomization generates.
    fn generators(&self, path: &str, content: &[u8], inputs: &mut Inputs) {
        let Ok(Some((Value::Object(map), _))) = manifest::value(path, content) else { return };
        for (field, value) in &map {
            // kustomize knows its fields in whatever case.
            let is_secret = field.eq_ignore_ascii_case("secretGenerator");
            let mut add = |name: &str, text: &str| match is_secret {
                true => inputs.secret(text),
                false => inputs.value(name, &text.into()),
            };
            if is_secret || field.eq_ignore_ascii_case("configMapGenerator") {
                for entry in value.as_array().into_iter().flatten().filter_map(Value::as_object) {
                    for (key, value) in entry {
                        self.entry(folder_of(path), key, value, &mut add);
                    }
                }
            } else {
                inputs.parts_of(field, value);
                patches::add_field(field, value, inputs);
            }
        }
    }

    /// Adds the values of one key of a generator's entry, each by its name.
    fn entry(&self, folder: &str, key: &str, value: &Value, add: &mut dyn FnMut(&str, &str)) {
        let is_one_of = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
        if is_one_of(&NO_VALUES) {
            return;
        }
        let items = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        for item in items {
            let Some(text) = item.as_str() else {
                add("", &item.to_string());
                continue;
            };
            let (name, value) = text.split_once('=').unwrap_or(("", text));
            let file = |path: &str| {
                let path = join(folder, path.trim_start_matches("./"));
                let mut files = self.files.iter();
                files.find(|(known, _)| *known == path).map(|(_, content)| *content)
            };
            if is_one_of(&FILES) {
                match (file(value), value.rsplit_once('=')) {
                    (Some(content), _) => add(name, &String::from_utf8_lossy(content)),
                    // No path, but a literal in a wrong place.
                    (None, Some((_, last))) => [value, last].iter().for_each(|it| add(name, it)),
                    (None, None) => {}
                }
            } else if is_one_of(&ENVS) {
                let content = String::from_utf8_lossy(file(text).unwrap_or_default());
                for line in content.lines().filter(|line| !line.trim_start().starts_with('#')) {
                    let (name, value) = line.split_once('=').unwrap_or(("", line));
                    add(name, value);
                }
            } else {
                add(name, value.trim_matches(['"', '\'']));
            }
        }
    }
}

/// The content of transformers and patches that are files.
fn transformers(path: &str, content: &[u8], inputs: &mut Inputs) {
    let reading = manifest::read_yaml(path, content);
    for object in reading.manifests.iter().map(|manifest| &manifest.object) {
        if object.kind().ends_with("Transformer") {
            patches::add(&Value::from(object.clone()), inputs);
        }
    }
    if !reading.problems.is_empty() {
        if let Ok(Some((value @ Value::Array(_), _))) = manifest::value(path, content) {
            patches::add_operations(&value, inputs);
        }
        patches::add_file(&String::from_utf8_lossy(content), inputs);
    }
}

fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))
}

/// A line without what kubectl's log puts before it, such as `E1129 18:16:53.681350 1557 run.go:72] `:
/// the clock and the process differ in every run.
fn without_log_header(line: &str) -> &str {
    let Some((header, said)) = line.split_once("] ") else { return line };
    let [day, clock, process, place] = header.split_whitespace().collect::<Vec<_>>()[..] else {
        return line;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let is_day = day.len() == 5 && day.strip_prefix(['I', 'W', 'E', 'F']).is_some_and(is_number);
    let is_clock = clock.split([':', '.']).count() == 4 && clock.split([':', '.']).all(is_number);
    let is_place = place.rsplit_once(".go:").is_some_and(|(_, line)| is_number(line));
    if is_day && is_clock && is_number(process) && is_place { said } else { line }
}

fn without_start<'a>(line: &'a str, start: &&str) -> &'a str {
    line.strip_prefix(start).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(
        format: SourceFormat,
        formats: &Formats,
        files: &[(&str, &str)],
        said: &str,
    ) -> String {
        let files = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        ProgramInput { format, formats, files }.display(said)
    }

    #[test]
    fn a_value_that_is_quoted_is_masked_and_its_field_is_not() {
        let values = "database: {password: Hunter, port: fivefour, url: 'http://u:pw-word@h'}\nimage: web\nname: quoted\n";
        let files = [("web/values.yaml", values), ("web/templates/quoted.yaml", "x")];
        let show = |said: &str| shown(SourceFormat::Helm, &Formats::default(), &files, said);
        for (said, expected) in [
            (
                "Error: at '/database/password': 'Hunter' is bad",
                "at '/database/password': '‹secret 1›' is bad",
            ),
            (
                "at '/database/port': 'fivefour' is no port",
                "at '/database/port': '‹secret 3›' is no port",
            ),
            ("fivefour without quotes", "fivefour without quotes"),
            ("pw-word, SHVudGVy", "‹secret 2›, ‹secret 1›"),
            (
                "no 'web' at (web/templates/quoted.yaml:1:2)",
                "no 'web' at (web/templates/quoted.yaml:1:2)",
            ),
        ] {
            assert_eq!(show(said), expected);
        }
    }

    #[test]
    fn the_header_of_kubectls_log_is_left_out() {
        let show = |said: &str| shown(SourceFormat::Kustomize, &Formats::default(), &[], said);
        for (said, expected) in [
            (
                "E1129 18:16:53.681350    1557 run.go:72] \"command failed\" err=\"a cycle\"",
                "\"command failed\" err=\"a cycle\"",
            ),
            ("error: [a b c d.go:1] failed", "error: [a b c d.go:1] failed"),
            ("E1129 18:16:53.681350 x run.go:72] a", "E1129 18:16:53.681350 x run.go:72] a"),
        ] {
            assert_eq!(show(said), expected);
        }
    }

    #[test]
    fn generator_literals_and_variables_are_masked() {
        let file = "SecretGenerator:\n- name: a\n  literals: [k=one-word, two-word]\n  files: [f=s.txt, nope.txt]\n  envs: [e.env]\nconfigMapGenerator:\n- literals: [token=six-word]\n";
        let files = [
            ("b/kustomization.yaml", file),
            ("b/s.txt", "three-word\n"),
            ("b/e.env", "A=four-word\n"),
        ];
        let said = "one-word two-word three-word four-word six-word nope.txt s.txt";
        let said = shown(SourceFormat::Kustomize, &Formats::default(), &files, said);
        assert!(!said.contains("-word") && said.ends_with("nope.txt s.txt"), "{said}");
        let variables = [("key".to_owned(), "five-word".into())].into();
        let jsonnet = Some(Jsonnet { ext: variables, ..Jsonnet::default() });
        let formats = Formats { jsonnet, ..Formats::default() };
        assert!(!shown(SourceFormat::Jsonnet, &formats, &[], "no five-word").contains("five"));
    }

    #[test]
    fn values_patched_into_a_secret_are_masked() {
        let strategic = "kind: Secret\nmetadata: {name: db}\nstringData: {master: CorrectHorse}";
        let faulty = "kind: Secret\nmetadata: {name: db}\nstringData:\n  master: CorrectHorse\n :x";
        let operations = "- op: add\n  path: /stringData/master\n  value: CorrectHorse";
        let deployment = "kind: Deployment\nmetadata: {name: db}\nspec: {master: CorrectHorse}";
        let text = |text: &str| Value::from(text).to_string();
        let transformer = |patch: &str| {
            format!(
                "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: x}}\npatch: {}",
                text(patch)
            )
        };
        for (field, is_masked) in [
            (format!("patches: [{{patch: {}}}]", text(strategic)), true),
            (format!("patches: [{{patch: {}}}]", text(faulty)), true),
            (format!("patches: [{{target: {{kind: Secret}}, patch: {}}}]", text(operations)), true),
            (format!("patches: [{{target: {{name: db}}, patch: {}}}]", text(operations)), true),
            (format!("patches: [{{target: {{kind: Pod}}, patch: {}}}]", text(operations)), false),
            (format!("patchesStrategicMerge: [{}]", text(strategic)), true),
            (format!("patchesStrategicMerge: [{}]", text(deployment)), false),
            (format!("patchesJson6902: [{{patch: {}}}]", text(operations)), true),
            (
                "generators: ['{kind: SecretGenerator, literals: [a=CorrectHorse]}']".to_owned(),
                true,
            ),
            (format!("transformers: [{}]", text(&transformer(strategic))), true),
            (format!("transformers: [{}]", text(&transformer(faulty))), true),
            (format!("transformers: [{}]", text(&transformer(operations))), true),
        ] {
            let files = [("b/kustomization.yaml", field.as_str())];
            let said = "bad patch: master: CorrectHorse of db";
            let said = shown(SourceFormat::Kustomize, &Formats::default(), &files, said);
            assert_eq!(!said.contains("CorrectHorse"), is_masked, "{field}: {said}");
            assert!(said.contains("master") && said.ends_with("of db"), "{said}");
        }
        for (file, named) in [("t.yaml", transformer(operations)), ("p.yaml", faulty.to_owned())] {
            let file = format!("b/{file}");
            let said = shown(
                SourceFormat::Kustomize,
                &Formats::default(),
                &[(&file, &named)],
                "master: CorrectHorse",
            );
            assert!(!said.contains("CorrectHorse"), "{file}: {said}");
        }
    }

    #[test]
    fn program_errors_are_masked_before_truncation() {
        let value = "secret-value-".repeat(100);
        let values = format!("password: {value}\n");
        let files = [("web/values.yaml", values.as_str())];
        let said = format!("{}{value}", "x".repeat(LINE - 40));
        let said = shown(SourceFormat::Helm, &Formats::default(), &files, &said);
        assert!(said.ends_with("x‹secret 1›"), "{said}");
        let long = format!("first\n{}", "y".repeat(WHOLE));
        assert_eq!(shown(SourceFormat::Helm, &Formats::default(), &[], &long), "first");
    }
}
