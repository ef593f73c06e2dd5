//! Values that are found nowhere else, and the search for them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::command::Output;

/// Values that are found nowhere else.
pub struct Canaries(pub Vec<String>);

impl Canaries {
    /// `count` values of random letters.
    pub fn new(count: usize) -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        let value = |n: usize| format!("canary{:016x}", RandomState::new().hash_one(n));
        Self((0..count).map(value).collect())
    }

    /// Whether any of them is in these bytes, plain or in base64, wherever it begins in there.
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        self.0.iter().any(|canary| {
            let aligned = (0..3).map(|before| {
                let text = STANDARD.encode([&vec![b'x'; before], canary.as_bytes()].concat());
                // Without the characters that tell of what stands around it.
                text[4 * before.div_ceil(3)..text.len() - 4].to_owned()
            });
            let mut spellings = aligned.chain([canary.clone()]);
            spellings.any(|spelling| has(spelling.as_bytes()))
        })
    }

    /// Asserts that none of them was printed.
    #[track_caller]
    pub fn assert_unseen(&self, output: &Output) {
        let seen = self.are_in(output.stdout.as_bytes()) || self.are_in(output.stderr.as_bytes());
        assert!(!seen, "a Secret's value was printed\n{output}");
    }

    /// Asserts that none of them is in any file below `folder`, and says how many there are.
    #[track_caller]
    pub fn assert_not_below(&self, folder: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                files += self.assert_not_below(&entry.path());
                continue;
            }
            files += 1;
            let seen = self.are_in(&fs::read(entry.path()).unwrap());
            assert!(!seen, "{} has a Secret's value", entry.path().display());
        }
        files
    }
}
