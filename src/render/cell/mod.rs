//! The cell that a program runs in which renders: what it may read and write, that it has no way
//! to the network and starts no other program, and how much memory it may take.
//!
//! [`plan`](CellPlan::new) decides which files a program needs, and [`interpreter`] knows what else
//! has to be read to run it. [`failure`] tells a limit of the cell from a failure of the program.
//! trueup itself is the launcher: a hidden verb ([`launch`]) of a fresh process with one thread
//! restricts itself and then becomes the program. Which guards this machine has is found out once a
//! run, by doing the same and trying ([`guards`]).

#[cfg(target_os = "linux")]
mod calls;
pub mod failure;
pub mod guards;
pub mod interpreter;
#[cfg(target_os = "linux")]
pub mod launch;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::limits::ProgramLimits;

/// Where the libraries of a program are that is linked to some.
const LIBRARIES: [&str; 9] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/etc/ld.so.cache",
];
/// Files that every program may read: time zones, which templates ask for and would silently do
/// without, and how large the pages of memory are.
const COMMON: [&str; 6] = [
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
];
/// Stores of packages that are found by their paths: what is in one refers to all the rest.
const STORES: [&str; 2] = ["/nix/store", "/gnu/store"];

/// The steps of the launcher before it becomes the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellPlan {
    /// Whether to give up where a guard can't be had.
    pub strict: bool,
    /// Files and folders to read.
    pub read: Vec<PathBuf>,
    /// Files and folders to read and to run.
    pub run: Vec<PathBuf>,
    /// Folders to read and to write.
    pub write: Vec<PathBuf>,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of a file.
    pub file: u64,
    /// Seconds of processor time.
    pub processor: u64,
}

/// The needs of a program, and how strict its cell is.
#[derive(Clone, Copy, Debug)]
pub struct CellOptions<'a> {
    /// Folders to read.
    pub read: &'a [PathBuf],
    /// The folder to read and to write.
    pub write: &'a Path,
    /// Files and folders that the machine's file names, to read and to run.
    pub readable: &'a [PathBuf],
    /// Whether to give up where a guard can't be had.
    pub strict: bool,
}

impl CellPlan {
    /// The plan of a cell for `program`: its needs, and the options. Looks at the program's file,
    /// and at those of its interpreters.
    pub fn new(program: &Path, wanted: CellOptions<'_>, limits: &ProgramLimits) -> Self {
        let CellOptions { read, write, readable, strict } = wanted;
        let mut plan = Self {
            read: read.iter().cloned().chain(COMMON.map(PathBuf::from)).collect(),
            run: readable.to_vec(),
            write: vec![write.to_owned()],
            memory: limits.memory,
            file: limits.file,
            processor: limits.processor(),
            strict,
        };
        let mut chain = interpreter::chain(program);
        if chain.is_linked {
            plan.read.extend(LIBRARIES.map(PathBuf::from));
            // A linker that came with its own libraries looks for them beside itself.
            let folder = chain.files.last().and_then(|last| last.canonicalize().ok());
            plan.read.extend(folder.and_then(|last| Some(last.parent()?.to_owned())));
        }
        for store in STORES.map(Path::new) {
            let is_in =
                |file: &PathBuf| file.canonicalize().is_ok_and(|file| file.starts_with(store));
            if chain.files.iter().any(is_in) {
                plan.run.push(store.to_owned());
            }
        }
        plan.run.append(&mut chain.files);
        plan
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_reads_its_copy_and_what_it_takes_to_run_it() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("tool");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        let copy = [folder.path().join("tree")];
        let more = [PathBuf::from("/opt/more")];
        let write = folder.path();
        let wanted = CellOptions { read: &copy, write, readable: &more, strict: false };
        let plan = CellPlan::new(&program, wanted, &ProgramLimits::default());
        assert!(plan.read.contains(&copy[0]));
        assert_eq!(plan.write, [folder.path()]);
        for run in [&more[0], &program, &PathBuf::from("/bin/sh")] {
            assert!(plan.run.contains(run), "{run:?} is not in {:?}", plan.run);
        }
        let open = |path: &&PathBuf| path.starts_with("/home") || path.starts_with("/root");
        assert_eq!(plan.read.iter().chain(&plan.run).find(open), None);
    }
}
