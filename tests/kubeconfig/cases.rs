//! The cases of the table, as the files in `cases/` have them. A case is a block of lines:
//!
//! - `case NAME`; `each WORD a|b` makes a case for each value, in which `$WORD` is that;
//! - `cluster`, `user`, `context`, `clusters`, `users`, `contexts`, `current`, `top`: a part of the
//!   usual kubeconfig in YAML; `users+` adds to the list; `config` is the whole text, `crlf` changes its
//!   line breaks;
//! - `file PATH TEXT`, `program PATH SCRIPT`: files beside it; `list A B`: what KUBECONFIG names;
//! - `args`, `env NAME=VALUE`;
//! - `works` or `fails PART OF THE MESSAGE`; `kubectl works|fails` where that is another matter.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A case, whose words are not filled in yet.
pub struct Case {
    pub name: String,
    /// The parts of the kubeconfig.
    parts: BTreeMap<String, String>,
    pub files: Vec<File>,
    /// The files of KUBECONFIG.
    pub list: Option<Vec<String>>,
    pub args: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Part of the message where it fails.
    pub failure: Option<String>,
    /// Whether it works with kubectl.
    pub works_with_kubectl: bool,
}

/// A file beside the kubeconfig.
pub struct File {
    pub path: String,
    pub text: String,
    pub is_program: bool,
}

impl Case {
    /// All of them, in the order of the files.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubeconfig/cases");
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
        texts.flat_map(|text| text.split("\n\n").flat_map(of_block).collect::<Vec<_>>()).collect()
    }

    fn new(lines: &[String]) -> Self {
        let mut case = Self {
            name: String::new(),
            parts: BTreeMap::new(),
            files: Vec::new(),
            list: None,
            args: Vec::new(),
            environment: BTreeMap::new(),
            failure: None,
            works_with_kubectl: true,
        };
        let mut kubectl = None;
        let words = |rest: &str| rest.split(' ').map(str::to_owned).collect();
        for line in lines {
            let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "case" => rest.clone_into(&mut case.name),
                "file" | "program" => {
                    let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
                    let is_program = key == "program";
                    let text =
                        if is_program { format!("#!/bin/sh\n{text}\n") } else { plain(text) };
                    case.files.push(File { path: path.to_owned(), text, is_program });
                }
                "env" => {
                    let (name, value) = rest.split_once('=').unwrap();
                    case.environment.insert(name.to_owned(), value.to_owned());
                }
                "list" => case.list = Some(words(rest)),
                "args" => case.args = words(rest),
                "works" => case.failure = None,
                "fails" => case.failure = Some(rest.to_owned()),
                "kubectl" => kubectl = Some(rest == "works"),
                _ => {
                    case.parts.insert(key.to_owned(), rest.to_owned());
                }
            }
        }
        case.works_with_kubectl = kubectl.unwrap_or(case.failure.is_none());
        case
    }

    /// The kubeconfig.
    pub fn kubeconfig(&self) -> String {
        let text = self.parts.get("config").map_or_else(|| self.usual(), |text| plain(text));
        let text = text.replace("$CONFIG", &self.usual());
        match self.parts.contains_key("crlf") {
            true => text.replace('\n', "\r\n"),
            false => text,
        }
    }

    /// The usual kubeconfig with the parts that are said.
    pub fn usual(&self) -> String {
        let current = self.parts.get("current").map_or("x", String::as_str);
        format!("{}current-context: {current}\n", self.without_current())
    }

    pub fn without_current(&self) -> String {
        let part = |key: &str, usual: &str| {
            self.parts.get(key).cloned().unwrap_or_else(|| usual.to_owned())
        };
        let mut text = self.parts.get("top").map(|top| format!("{top}\n")).unwrap_or_default();
        let cluster = format!("{{name: c, cluster: {}}}", part("cluster", "$CLUSTER"));
        let user = format!("{{name: u, user: {}}}", part("user", "$USER"));
        let context = format!("{{name: x, context: {}}}", part("context", "{cluster: c, user: u}"));
        for (list, usual) in [("clusters", cluster), ("users", user), ("contexts", context)] {
            let more = self.parts.get(&format!("{list}+")).map(|more| format!(", {more}"));
            let usual = format!("[{usual}{}]", more.unwrap_or_default());
            text.push_str(&format!("{list}: {}\n", part(list, &usual)));
        }
        text
    }
}

/// The cases of a block: one for each combination of what `each` lists.
fn of_block(block: &str) -> Vec<Case> {
    let lines = block.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (each, lines): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("each "));
    if lines.is_empty() {
        return Vec::new();
    }
    let mut all = vec![lines.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for each in each {
        let mut parts = each.splitn(3, ' ').skip(1);
        let (word, values) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        let with = |lines: &[String], value: &str| {
            let words = BTreeMap::from([(word.to_owned(), value.to_owned())]);
            lines.iter().map(|line| filled(line, &words)).collect::<Vec<_>>()
        };
        let values: Vec<&str> = values.split('|').collect();
        all = all.iter().flat_map(|it| values.iter().map(|value| with(it, value))).collect();
    }
    all.iter().map(|lines| Case::new(lines)).collect()
}

/// The text with its words filled in; others stay as they are.
pub fn filled(text: &str, words: &BTreeMap<String, String>) -> String {
    let mut parts = text.split('$');
    let mut full = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(part.len());
        match words.get(&part[..end]) {
            Some(value) => full.push_str(value),
            None => full.push_str(&format!("${}", &part[..end])),
        }
        full.push_str(&part[end..]);
    }
    full
}

/// What a line says of a text of several lines.
fn plain(text: &str) -> String {
    let text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    text.replace("\\u{feff}", "\u{feff}")
}
