//! Wrong and nearly right YAML and JSON without end: good files with bits, bytes, words and lines
//! changed. The same seed gives the same files.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
        let words = serde_json::from_str(WORDS).unwrap();
        Self { random: Random::new(seed), words, seeds }
    }

    /// The next file.
    pub fn file(&mut self) -> Vec<u8> {
        let at = self.below(self.seeds.len());
        let mut bytes = self.seeds[at].clone();
        for _ in 0..self.below(2) + 1 {
            self.mutate(&mut bytes);
        }
        bytes
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
                let line = bytes[..from].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
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
                bytes.splice(from..from, word.bytes());
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
