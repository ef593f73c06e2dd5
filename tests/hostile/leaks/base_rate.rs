//! How often something is masked that is no Secret: counted over other people's manifests, with the
//! Secrets that come with them and with ordinary ones that have nothing to do with them.
#![allow(clippy::print_stderr, reason = "who runs it wants to know the rate")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trueup::core::json::Value;
use trueup::core::manifest;
use trueup::core::object::Object;
use trueup::core::redact::Redactor;

use super::ordinary;

/// Of ten thousand texts of objects that are no Secrets, at most so many are masked in part for a
/// Secret that has nothing to do with them.
const BOUND: f64 = 15.0;

#[test]
#[ignore = "reads published manifests: set TRUEUP_CORPUS"]
#[allow(clippy::disallowed_methods, reason = "where the corpus is, is the machine's")]
fn ordinary_secrets_mask_next_to_nothing_of_published_manifests() {
    let corpus = std::env::var_os("TRUEUP_CORPUS").expect("TRUEUP_CORPUS names no folder");
    let mut all = Count::default();
    let mut hits = BTreeMap::new();
    let ordinary = ordinary::secrets();
    for project in projects(Path::new(&corpus)) {
        let objects = objects(&project);
        let name = project.strip_prefix(&corpus).unwrap().display().to_string();
        let own = Count::of(&Redactor::new(&objects), &objects, &mut BTreeMap::new());
        let both = Redactor::new(objects.iter().chain(&ordinary));
        let mut found = BTreeMap::new();
        let count = Count::of(&both, &objects, &mut found);
        eprintln!(
            "{name:40} {:6} objects {:7} texts · masked for own Secrets {:3}, for others {:3} · {:6.1} ms",
            count.objects,
            count.texts,
            own.masked,
            count.masked - own.masked,
            count.time.as_secs_f64() * 1e3,
        );
        all.objects += count.objects;
        all.texts += count.texts;
        all.own += own.masked;
        all.masked += count.masked - own.masked;
        all.time += count.time;
        for (text, times) in found {
            *hits.entry(text).or_insert(0) += times;
        }
    }
    for (text, times) in hits {
        eprintln!("{times:4} × {text}");
    }
    let rate = all.masked as f64 * 1e4 / all.texts as f64;
    eprintln!(
        "{} objects, {} texts: {} masked for their own Secrets, {} for others: {rate:.2} in 10,000; {:.0} ms",
        all.objects,
        all.texts,
        all.own,
        all.masked,
        all.time.as_secs_f64() * 1e3,
    );
    assert!(all.texts > 50_000, "{} texts", all.texts);
    assert!(rate < BOUND, "{rate} of 10,000 texts are masked");
}

/// What is shown of objects that are no Secrets.
#[derive(Default)]
struct Count {
    objects: usize,
    texts: usize,
    own: usize,
    masked: usize,
    time: Duration,
}

impl Count {
    fn of(redactor: &Redactor, objects: &[Object], hits: &mut BTreeMap<String, usize>) -> Self {
        let mut count = Self::default();
        for object in objects.iter().filter(|object| object.kind() != "Secret") {
            count.objects += 1;
            let begin = Instant::now();
            let shown = redactor.object(object);
            count.time += begin.elapsed();
            count.compare(&object.clone().into(), &shown.into(), hits);
        }
        count
    }

    fn compare(&mut self, given: &Value, shown: &Value, hits: &mut BTreeMap<String, usize>) {
        match (given, shown) {
            (Value::Object(given), Value::Object(shown)) => {
                self.texts += given.len();
                for key in given.keys().filter(|key| !shown.contains_key(key)) {
                    self.masked += 1;
                    *hits.entry(key.to_string()).or_default() += 1;
                }
                for (key, value) in given {
                    if let Some(shown) = shown.get(key) {
                        self.compare(value, shown, hits);
                    }
                }
            }
            (Value::Array(given), Value::Array(shown)) => {
                given.iter().zip(shown).for_each(|(given, shown)| self.compare(given, shown, hits));
            }
            (given, shown) => {
                self.texts += 1;
                if given != shown {
                    self.masked += 1;
                    let (given, shown) = (given.to_string(), shown.to_string());
                    let at = shown.find('‹').unwrap_or(0);
                    let before = shown[..at].chars().count().saturating_sub(12);
                    let context: String = given.chars().skip(before).take(48).collect();
                    *hits.entry(context).or_default() += 1;
                }
            }
        }
    }
}

fn projects(corpus: &Path) -> Vec<PathBuf> {
    let below = |folder: PathBuf| {
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    };
    let mut found: Vec<PathBuf> =
        ["kustomize", "plain"].map(|kind| corpus.join(kind)).into_iter().flat_map(below).collect();
    found.sort();
    found
}

fn objects(folder: &Path) -> Vec<Object> {
    let mut entries: Vec<PathBuf> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        let is_manifest = path
            .extension()
            .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known));
        if path.is_dir() {
            found.extend(objects(&path));
        } else if is_manifest {
            let reading = manifest::read(path.to_str().unwrap(), &std::fs::read(&path).unwrap());
            found.extend(reading.manifests.into_iter().map(|manifest| manifest.object));
        }
    }
    found
}
