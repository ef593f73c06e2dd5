//! Which files of the checkout are manifests, by their names and by `.trueupignore`.
//!
//! `.trueupignore` is written as `.gitignore` is, may stand in any folder, and reaches what is below
//! it. Nothing is read here: the caller brings the paths and what the ignore files say. What is in a
//! manifest is [`crate::core::manifest`]'s.

use std::collections::BTreeMap;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::core::problem::{Location, Problem};

/// The name of the files that say what to leave out.
pub const IGNORE_FILE: &str = ".trueupignore";
/// trueup's own file at the root of the checkout, which is never a manifest.
const CONFIG: &str = "trueup.yaml";

/// The rule that picks manifests out of a checkout's files.
#[derive(Debug)]
pub struct Selection {
    /// The ignore file of each folder that has one.
    ignores: BTreeMap<String, Gitignore>,
    /// The files that serve another purpose.
    aside: Vec<Aside>,
}

/// Files of the checkout that serve another purpose in a run, such as schemas: they are no manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The file or folder, from the checkout's root.
    pub path: String,
    /// The end of the names of files that count; all of them where it is empty.
    pub ending: &'static str,
}

impl Aside {
    /// Whether it has the file. A path that the user named within it is meant as manifests, and so is
    /// one that it is the whole of.
    fn has(&self, given: &str, path: &str) -> bool {
        is_within(path, &self.path) && path.ends_with(self.ending) && !is_within(given, &self.path)
    }
}

fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Selection {
    /// Takes the ignore files by the folder that they stand in: its path from the checkout's root,
    /// empty for the root itself.
    ///
    /// # Errors
    ///
    /// When an ignore file has a pattern that can't be used.
    pub fn new(ignore_files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Problem> {
        let ignores = ignore_files
            .iter()
            .map(|(folder, text)| Ok((folder.clone(), ignores(folder, text)?)))
            .collect::<Result<_, Problem>>()?;
        Ok(Self { ignores, aside: Vec::new() })
    }

    /// The same without files that serve another purpose.
    pub fn without(self, aside: &[Aside]) -> Self {
        Self { aside: aside.to_vec(), ..self }
    }

    /// Whether the file at `path` is a manifest: its name ends in `.yaml`, `.yml` or `.json`, no
    /// part of the path begins with a dot, and no ignore file leaves it or a folder above it out.
    pub fn takes(&self, path: &str) -> bool {
        self.takes_below("", path)
    }

    /// The same for a file at or below `given`, a path that the user named: what is named may be
    /// hidden, and a file that is named is taken whatever its name and whatever is ignored.
    pub fn takes_below(&self, given: &str, path: &str) -> bool {
        let is_given = path == given.trim_end_matches('/') && path != CONFIG;
        let is_manifest = [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end));
        is_given || is_manifest && self.reaches(given, path)
    }

    /// Whether a file at or below `given` is neither hidden nor left out, whatever its name.
    pub fn reaches(&self, given: &str, path: &str) -> bool {
        let given = given.trim_end_matches('/');
        if path == CONFIG {
            return false;
        }
        if path == given {
            return true;
        }
        let below = match path.strip_prefix(given) {
            Some(below) if given.is_empty() => below,
            Some(below) => match below.strip_prefix('/') {
                Some(below) => below,
                None => return false,
            },
            None => return false,
        };
        !below.split('/').any(|part| part.starts_with('.'))
            && !self.aside.iter().any(|aside| aside.has(given, path))
            && !self.ignored(path)
    }

    /// The same for what may be in place of a folder.
    pub fn reaches_folder(&self, given: &str, path: &str) -> bool {
        self.reaches(given, path) && !self.is_excluded(path, true)
    }

    /// As git has it: a file in an ignored folder can't be taken back in.
    fn ignored(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| (&path[..at], true));
        folders.chain([(path, false)]).any(|(path, is_folder)| self.is_excluded(path, is_folder))
    }

    /// The answer of the nearest ignore file with a pattern for this very path.
    fn is_excluded(&self, path: &str, is_folder: bool) -> bool {
        let mut folder = path;
        while !folder.is_empty() {
            folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
            if let Some(ignore) = self.ignores.get(folder) {
                let said = ignore.matched(path, is_folder);
                if !said.is_none() {
                    return said.is_ignore();
                }
            }
        }
        false
    }
}

fn ignores(folder: &str, text: &[u8]) -> Result<Gitignore, Problem> {
    let path = match folder {
        "" => IGNORE_FILE.to_owned(),
        folder => format!("{folder}/{IGNORE_FILE}"),
    };
    let problem = |line: usize, message: String, excerpt: Option<&str>| Problem {
        place: Location { path: path.clone(), line, column: 1 },
        message,
        excerpt: excerpt.map(str::to_owned),
        hint: Some("write it as in a .gitignore file".to_owned()),
    };
    let text = std::str::from_utf8(text)
        .map_err(|_| problem(1, "this is not UTF-8 text".to_owned(), None))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = GitignoreBuilder::new(folder);
    for (at, line) in text.lines().enumerate() {
        if let Err(error) = builder.add_line(None, line) {
            return Err(problem(at + 1, format!("this pattern is wrong: {error}"), Some(line)));
        }
    }
    builder.build().map_err(|error| problem(1, format!("these patterns are wrong: {error}"), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(files: &[(&str, &str)]) -> Selection {
        let file = |(folder, text): &(&str, &str)| ((*folder).to_owned(), text.as_bytes().to_vec());
        Selection::new(&files.iter().map(file).collect()).unwrap()
    }

    #[track_caller]
    fn expect(selection: &Selection, taken: &[&str], left: &[&str]) {
        for path in taken {
            assert!(selection.takes(path), "{path} should be taken");
        }
        for path in left {
            assert!(!selection.takes(path), "{path} should be left out");
        }
    }

    #[test]
    fn a_manifest_is_known_by_its_name() {
        expect(
            &selection(&[]),
            &["a.yaml", "a/b.yml", "a/b/c.json", "a/trueup.yaml", "a.b.yaml"],
            &["trueup.yaml", "a.txt", "yaml", "a/json", "a.yaml/b", "a.YAML", "a.yaml.bak"],
        );
    }

    #[test]
    fn hidden_files_are_skipped_unless_named() {
        let selection = selection(&[]);
        expect(&selection, &[], &[".a.yaml", ".github/a.yaml", "a/.b/c.yaml", "a/.yaml"]);
        assert!(selection.takes_below(".k8s", ".k8s/a.yaml"));
        assert!(selection.takes_below(".k8s/", ".k8s/a.yaml"));
        assert!(!selection.takes_below(".k8s", ".k8s/.b/a.yaml"));
        assert!(!selection.takes_below(".k8s", ".k8s2/a.yaml"));
        assert!(!selection.takes_below("a", "b/a.yaml"));
        assert!(selection.takes_below(".k8s/.b/.c.tpl", ".k8s/.b/.c.tpl"));
        assert!(!selection.takes_below("trueup.yaml", "trueup.yaml"));
    }

    #[test]
    fn ignore_files_nest_as_gits_do() {
        let selection = selection(&[
            (
                "",
                "# not ours\nvalues.yaml\n/charts/\n*.tmp.yaml\n!keep.tmp.yaml\r\ndocs/**/draft.yaml\n",
            ),
            ("apps", "!values.yaml\nsecret/\n/only-here.yaml\n"),
        ]);
        expect(
            &selection,
            &[
                "a/keep.tmp.yaml",
                "apps/values.yaml",
                "apps/a/values.yaml",
                "a/charts/b.yaml",
                "a/secret/b.yaml",
                "apps/a/only-here.yaml",
                "docs/final.yaml",
            ],
            &[
                "values.yaml",
                "a/values.yaml",
                "charts/a.yaml",
                "charts/keep.tmp.yaml",
                "a/b.tmp.yaml",
                "apps/b.tmp.yaml",
                "apps/x/secret/b.yaml",
                "apps/only-here.yaml",
                "docs/a/b/draft.yaml",
            ],
        );
        assert!(selection.takes_below("charts/a.yaml", "charts/a.yaml"));
        assert!(!selection.takes_below("charts", "charts/a.yaml"));
    }

    #[test]
    fn a_wrong_pattern_is_a_problem_with_its_place() {
        let wrong = |text: &[u8]| {
            let files = BTreeMap::from([("apps".to_owned(), text.to_vec())]);
            Selection::new(&files).unwrap_err()
        };
        let problem = wrong(b"a\n[z-a]\n");
        assert_eq!(problem.place.to_string(), "apps/.trueupignore:2:1");
        assert!(problem.message.starts_with("this pattern is wrong: "), "{}", problem.message);
        assert_eq!(problem.excerpt.as_deref(), Some("[z-a]"));
        assert_eq!(wrong(b"\xff").message, "this is not UTF-8 text");
    }

    #[test]
    fn what_serves_another_purpose_is_left_out() {
        let aside = |path: &str, ending| Aside { path: path.to_owned(), ending };
        let aside = [aside("lib/cat", ".json"), aside("policies", ""), aside("one.yaml", "")];
        let selection = selection(&[]).without(&aside);
        expect(
            &selection,
            &["lib/a.json", "lib/cat.json", "lib/cat/crd.yaml", "policies.yaml", "two.yaml"],
            &["lib/cat/a.json", "lib/cat/b/c.json", "policies/a.yaml", "one.yaml"],
        );
        // That is what was asked for.
        for (given, path) in [
            ("policies", "policies/a.yaml"),
            ("policies/", "policies/a.yaml"),
            ("policies/b", "policies/b/a.yaml"),
            ("one.yaml", "one.yaml"),
        ] {
            assert!(selection.takes_below(given, path), "{given}");
        }
        assert!(!selection.takes_below("lib", "lib/cat/a.json"));
    }
}
