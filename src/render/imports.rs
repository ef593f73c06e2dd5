//! The imports of a Jsonnet program, and whether they are allowed. Nothing is read or run here.
//!
//! In Jsonnet the path of an import can't be computed, so that the imports that stand in the text
//! are all there are: what they lead to is all that a program can read.

use std::collections::BTreeSet;

use super::file_index::{FileIndex, folder_of, resolve};
use super::jsonnet::{Import, looks_like_imports, scan};
use crate::core::problem::{Location, Problem};

/// How many of the places that only seem to be imports are reported of one file.
const SEEMING: usize = 10;

/// Everything that running a program reads.
#[derive(Clone, Debug, Default)]
pub struct Imports {
    /// The program and what it imports, directly or not.
    pub files: BTreeSet<String>,
    /// Imports that are refused.
    pub problems: Vec<Problem>,
}

/// Everything that running the program at `path` reads, with imports looked for beside the file
/// that has them and then in the folders of `library`.
pub fn imports(shelf: &FileIndex, path: &str, library: &[String]) -> Imports {
    let mut imports = Imports::default();
    let mut run = BTreeSet::new();
    let mut ahead = vec![path.to_owned()];
    while let Some(path) = ahead.pop() {
        imports.files.insert(path.clone());
        if !is_code(&path) || !run.insert(path.clone()) {
            continue;
        }
        let text = String::from_utf8_lossy(shelf.content(&path).unwrap_or_default());
        let found = scan(&text);
        let known: BTreeSet<usize> = found.iter().map(|import| import.at).collect();
        let code = Code { path: &path, text: &text, library };
        // Should Jsonnet take for an import what is none for us, it leads nowhere else either.
        let seeming = looks_like_imports(&text);
        let seeming = seeming.iter().filter(|import| !known.contains(&import.at));
        let leads_out = seeming.filter(|import| code.leads_out(shelf, import));
        imports.problems.extend(leads_out.take(SEEMING).map(|import| code.out(import)));
        for import in found {
            match code.resolve(shelf, &import) {
                Ok(found) if import.as_text || is_code(&found) || found.ends_with(".json") => {
                    // As text it is not run, and JSON imports nothing.
                    if import.as_text && is_code(&found) {
                        imports.files.insert(found);
                    } else {
                        ahead.push(found);
                    }
                }
                Ok(_) => imports.problems.push(code.problem(
                    &import,
                    "does not have the name of a Jsonnet or JSON file",
                    "rename it to end in .jsonnet, .libsonnet or .json, or use importstr",
                )),
                Err(problem) => imports.problems.push(problem),
            }
        }
    }
    imports
}

fn is_code(path: &str) -> bool {
    path.ends_with(".jsonnet") || path.ends_with(".libsonnet")
}

/// A program's or library's text, and where imports are looked for besides.
struct Code<'a> {
    path: &'a str,
    text: &'a str,
    library: &'a [String],
}

impl Code<'_> {
    /// The folders that an import is looked for in, in the order in which Jsonnet does.
    fn bases(&self) -> impl Iterator<Item = &str> {
        let library = self.library.iter().map(|folder| folder.trim_matches('/'));
        std::iter::once(folder_of(self.path)).chain(library)
    }

    /// The file that is imported: what leads out must not even be tried.
    fn resolve(&self, shelf: &FileIndex, import: &Import) -> Result<String, Problem> {
        for base in self.bases() {
            if resolve("", base).is_none() {
                return Err(self.problem(
                    import,
                    &format!("would be looked for in {base}, which leads out of the checkout"),
                    "name folders of the repository in trueup.yaml under render: jsonnet: library:",
                ));
            }
            let Some(found) = resolve(base, &import.target) else { return Err(self.out(import)) };
            if shelf.has_file(&found) {
                return Ok(found);
            }
        }
        Err(self.problem(
            import,
            "is neither beside this file nor in a library folder",
            "commit it, or name its folder in trueup.yaml under render: jsonnet: library:",
        ))
    }

    /// Whether looking for it would leave the checkout.
    fn leads_out(&self, shelf: &FileIndex, import: &Import) -> bool {
        for base in self.bases() {
            match resolve(base, &import.target) {
                None => return true,
                Some(found) if shelf.has_file(&found) => return false,
                Some(_) => {}
            }
        }
        false
    }

    fn out(&self, import: &Import) -> Problem {
        let hint = "put what is imported into the repository";
        self.problem(import, "leads out of the checkout", hint)
    }

    fn problem(&self, import: &Import, what: &str, hint: &str) -> Problem {
        let (line, column) = import.spot(self.text);
        Problem {
            place: Location { path: self.path.to_owned(), line, column },
            message: format!("{} {what}", import.target),
            excerpt: None,
            hint: Some(hint.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, text: &str, library: &[&str]) -> Vec<String> {
        let contents = [(path.to_owned(), text.into())].into();
        let shelf =
            FileIndex::new([path.to_owned(), "lib/k.libsonnet".to_owned()].into(), contents);
        let library: Vec<String> = library.iter().map(|&folder| folder.to_owned()).collect();
        let problems = imports(&shelf, path, &library).problems;
        problems.iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()
    }

    #[test]
    fn a_library_stays_in_the_checkout() {
        let text = "import 'k.libsonnet'";
        assert_eq!(refused("a.jsonnet", text, &["lib", "../outside"]), [""; 0]);
        let out = "a.jsonnet:1:8: k.libsonnet would be looked for in ../outside, which leads out of the checkout";
        assert_eq!(refused("a.jsonnet", text, &["../outside", "lib"]), [out]);
    }

    #[test]
    fn imports_in_comments_are_ignored_and_in_strings_refused() {
        let text = "// import 'k.libsonnet', import '../../lib/k.libsonnet', import 'gone'\n{ a: \"import '/etc/passwd'\" }";
        let out = "a/b/c.jsonnet:2:14: /etc/passwd leads out of the checkout";
        assert_eq!(refused("a/b/c.jsonnet", text, &["lib"]), [out]);
    }

    #[test]
    fn an_import_stays_in_the_checkout() {
        let files = [
            (
                "apps/web.jsonnet",
                "[import 'k.libsonnet', import '../../x', import '/etc/passwd', import 'no', importstr 'web.txt', import 'web.txt']",
            ),
            ("lib/k.libsonnet", "import 'data.json'"),
            ("lib/data.json", "import 'ignored'"),
            ("apps/web.txt", ""),
        ];
        let paths = files.map(|(path, _)| path.to_owned()).into();
        let shelf =
            FileIndex::new(paths, files.map(|(path, text)| (path.to_owned(), text.into())).into());
        let Imports { files, problems } = imports(&shelf, "apps/web.jsonnet", &["lib".to_owned()]);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        assert_eq!(files, ["apps/web.jsonnet", "apps/web.txt", "lib/data.json", "lib/k.libsonnet"]);
        let said: Vec<String> =
            problems.iter().map(|p| format!("{}: {}", p.place, p.message)).collect();
        assert_eq!(
            said,
            [
                "apps/web.jsonnet:1:31: ../../x leads out of the checkout",
                "apps/web.jsonnet:1:49: /etc/passwd leads out of the checkout",
                "apps/web.jsonnet:1:71: no is neither beside this file nor in a library folder",
                "apps/web.jsonnet:1:105: web.txt does not have the name of a Jsonnet or JSON file",
            ]
        );
    }
}
