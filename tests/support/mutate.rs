//! Wrong and nearly right YAML and JSON without end: good files with bits, bytes, words and lines
//! changed. The same seed gives the same files.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::random::Random;

/// What means something in YAML or JSON, or nearly does.
const WORDS: &str = include_str!("../../fixtures/scraps-of-yaml.json");

/// Small files that hold much of the language.
const SMALL: [&str; 5] = [
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: \"v\\n\"\n  l: 'it''s'\n  m: |-\n    x\n     y\n  n: >\n    a\n    b\n",
    "apiVersion: v1\nkind: A\nmetadata: {name: a, labels: {\"x.y/z\": w}}\nv: [1, 2.5, true, ~, {b: c}, [d]]\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n",
    "apiVersion: v1\nkind: A\nmetadata: {name: a}\nbase: &base\n  x: 1\n  y: &l [1, 2]\nuse:\n  <<: *base\n  z: *l\n",
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n- kind: B\n  apiVersion: v1\n  metadata:\n    name: b\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"a\"}, \"v\": [1, -2.5e3, \"x\\u00e9\\n\", null, {\"b\": true}]}\n",
];

/// Gives one file after the other.
pub struct Mutator {
    random: Random,
    words: Vec<String>,
    seeds: Vec<Vec<u8>>,
    /// Values whose parts are changed, where the files are JSON.
    values: Vec<Value>,
}

impl Mutator {
    /// From the fixtures, and with `TRUEUP_CORPUS` from the files that kubectl's answers are
    /// recorded for.
    pub fn new(seed: u64) -> Self {
        let mut seeds: Vec<Vec<u8>> = SMALL.iter().map(|text| text.as_bytes().to_vec()).collect();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut seeds);
        if let Some(corpus) = variable("TRUEUP_CORPUS") {
            let answers = Path::new(&corpus).join("../yaml/kubectl-answers.json");
            let answers: Vec<serde_json::Value> =
                serde_json::from_str(&fs::read_to_string(answers).unwrap()).unwrap();
            let inputs = answers.iter().filter_map(|answer| answer["input_base64"].as_str());
            let inputs = inputs.map(|input| STANDARD.decode(input).unwrap());
            seeds.extend(inputs.filter(|input| input.len() < 4096));
        }
        Self::over(seed, seeds, &[])
    }

    /// From these files, with these words beside those that mean something in YAML.
    pub fn over(seed: u64, seeds: Vec<Vec<u8>>, words: &[&str]) -> Self {
        let mut all: Vec<String> = serde_json::from_str(WORDS).unwrap();
        // Half of them are of this language.
        let share = all.len() / words.len().max(1);
        let own = words.iter().flat_map(|&word| vec![word.to_owned(); share.max(1)]);
        all.extend(own);
        Self { random: Random::new(seed), words: all, seeds, values: Vec::new() }
    }

    /// From these values as JSON: most files are JSON of another shape, the others none.
    pub fn json(seed: u64, values: Vec<Value>, words: &[&str]) -> Self {
        let seeds = values.iter().map(|value| value.to_string().into_bytes()).collect();
        Self { values, ..Self::over(seed, seeds, words) }
    }

    /// The next file.
    pub fn file(&mut self) -> Vec<u8> {
        if !self.values.is_empty() && self.below(4) > 0 {
            return self.value().to_string().into_bytes();
        }
        let at = self.below(self.seeds.len());
        let mut bytes = self.seeds[at].clone();
        for _ in 0..self.below(2) + 1 {
            self.mutate(&mut bytes);
        }
        bytes
    }

    /// The next value, with one or two parts changed.
    pub fn value(&mut self) -> Value {
        let at = self.below(self.values.len());
        let mut value = self.values[at].clone();
        for _ in 0..self.below(2) + 1 {
            let size = size(&value);
            let part = self.below(size);
            let new = self.part();
            change(&mut value, &mut { part }, &mut |old| match self.random.below(8) {
                0 => *old = Value::Null,
                1 => *old = Value::Array(vec![old.take(), new.clone()]),
                2 => *old = serde_json::json!({ "name": old.take() }),
                3 => drop_first(old),
                _ => *old = new.clone(),
            });
        }
        value
    }

    /// Something to put into a value.
    fn part(&mut self) -> Value {
        match self.below(8) {
            0 => Value::from([0_i64, -1, i64::MAX, 7][self.below(4)]),
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::from(0.5),
            3 => Value::Object(serde_json::Map::new()),
            4 => Value::Array(Vec::new()),
            5 => {
                let at = self.below(self.values.len());
                let mut other = self.values[at].clone();
                let size = size(&other);
                let part = self.below(size);
                let mut found = Value::Null;
                change(&mut other, &mut { part }, &mut |part| found = part.take());
                found
            }
            _ => Value::String(self.word()),
        }
    }

    fn word(&mut self) -> String {
        let at = self.below(self.words.len());
        self.words[at].clone()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let (from, to) = self.range(bytes);
        match self.below(9) {
            0 if from < bytes.len() => bytes[from] ^= 1 << self.below(8),
            1 => drop(bytes.drain(from..to)),
            2 => bytes.truncate(from),
            3 => {
                let part = bytes[from..to].to_vec();
                let at = self.below(bytes.len() + 1);
                bytes.splice(at..at, part);
            }
            4 => {
                let other = self.below(self.seeds.len());
                let other = self.seeds[other].clone();
                let (start, end) = self.range(&other);
                bytes.splice(from..to, other[start..end].iter().copied());
            }
            5 => {
                // One line more or less deep.
                let line = line_of(bytes, from);
                if self.below(2) == 0 {
                    bytes.insert(line, b' ');
                } else if bytes.get(line) == Some(&b' ') {
                    bytes.remove(line);
                }
            }
            6 => {
                // A value in place of another.
                let end = bytes[from..].iter().position(|b| b" ,\n]}".contains(b));
                let end = end.map_or(bytes.len(), |length| from + length);
                let word = self.word();
                bytes.splice(from..end, word.bytes());
            }
            _ => {
                let word = self.word();
                // A whole line goes between two.
                let at = match word.len() > 1 && word.ends_with('\n') {
                    true => line_of(bytes, from),
                    false => from,
                };
                bytes.splice(at..at, word.bytes());
            }
        }
    }

    /// A range of at most sixty bytes.
    fn range(&mut self, bytes: &[u8]) -> (usize, usize) {
        let from = self.below(bytes.len() + 1);
        (from, (from + self.below(60)).min(bytes.len()))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random.below(limit)
    }
}

/// Where the line begins that a byte is in.
fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)
}

/// How many parts a value has, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>(),
        Value::Object(map) => map.values().map(size).sum(),
        _ => 0,
    }
}

/// Changes the part that comes after `left` others; whether it was found.
fn change(value: &mut Value, left: &mut usize, how: &mut dyn FnMut(&mut Value)) -> bool {
    if *left == 0 {
        how(value);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, left, how)),
        Value::Object(map) => map.values_mut().any(|item| change(item, left, how)),
        _ => false,
    }
}

/// Takes the first element or field away.
fn drop_first(value: &mut Value) {
    match value {
        Value::Array(items) if !items.is_empty() => drop(items.remove(0)),
        Value::Object(map) => {
            let first = map.keys().next().cloned();
            drop(first.and_then(|first| map.remove(&first)));
        }
        _ => {}
    }
}

/// Every YAML file below a folder, in the order of their names.
fn collect(folder: &Path, seeds: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, seeds);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            seeds.push(fs::read(path).unwrap());
        }
    }
}

/// A number that the caller of an ignored test can set.
pub fn number(name: &str, default: u64) -> u64 {
    variable(name).map_or(default, |text| text.parse().unwrap())
}

#[allow(clippy::disallowed_methods, reason = "a test that is given more to do by its caller")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
