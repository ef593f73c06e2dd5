//! The files that the system opens to run a program: the interpreter of a script, and the linker of
//! a program with libraries. Reads the beginning of each file; nothing is run.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// How many bytes of a file are read to find its interpreter.
const BEGINNING: u64 = 64 << 10;
/// How many interpreters of scripts the system goes through.
const DEEPEST: usize = 5;
/// The segment of an ELF file that names its linker.
const INTERPRETER: u32 = 3;

/// The files that it takes to run a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterpreterChain {
    /// The program, its interpreters and the linker, in this order.
    pub files: Vec<PathBuf>,
    /// Whether the last one is a linker, which looks for libraries.
    pub is_linked: bool,
}

/// The interpreter of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Runs {
    /// A program that reads it.
    Script(PathBuf),
    /// A linker.
    Linked(PathBuf),
}

/// The files that it takes to run `program`, as far as they can be read.
pub fn chain(program: &Path) -> InterpreterChain {
    let mut chain = InterpreterChain { files: vec![program.to_owned()], is_linked: false };
    while let Some(last) = chain.files.last().filter(|_| chain.files.len() <= DEEPEST) {
        match beginning(last).as_deref().and_then(runs) {
            Some(Runs::Script(next)) => chain.files.push(next),
            Some(Runs::Linked(linker)) => {
                chain.files.push(linker);
                chain.is_linked = true;
                break;
            }
            None => break,
        }
    }
    chain
}

fn beginning(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BEGINNING).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The interpreter of a file that begins like this; `None` for a program that needs none.
fn runs(bytes: &[u8]) -> Option<Runs> {
    if let Some(rest) = bytes.strip_prefix(b"#!") {
        let line = rest.split(|byte| *byte == b'\n').next()?;
        let line = String::from_utf8_lossy(line);
        return line.split_whitespace().next().map(|name| Runs::Script(name.into()));
    }
    linker(bytes).map(Runs::Linked)
}

/// The linker that an ELF file names. Only files of this machine's own kind are read: others are
/// not run.
fn linker(bytes: &[u8]) -> Option<PathBuf> {
    const LITTLE: u8 = 1;
    const WIDE: u8 = 2;
    let little = u8::from(cfg!(target_endian = "little")) * LITTLE;
    if !bytes.starts_with(b"\x7fELF") || *bytes.get(4)? != WIDE || *bytes.get(5)? != little {
        return None;
    }
    let (table, size) = (wide(bytes, 0x20)?, usize::from(read_u16(bytes, 0x36)?));
    let count = usize::from(read_u16(bytes, 0x38)?);
    let at = (0..count).find_map(|index| {
        let at = table.checked_add(index.checked_mul(size)?)?;
        (word(bytes, at)? == INTERPRETER).then_some(at)
    })?;
    let start = wide(bytes, at.checked_add(8)?)?;
    let end = start.checked_add(wide(bytes, at.checked_add(0x20)?)?)?;
    let name = bytes.get(start..end)?.split(|byte| *byte == 0).next()?;
    Some(PathBuf::from(std::str::from_utf8(name).ok()?))
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    part(bytes, at).map(u16::from_ne_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    part(bytes, at).map(u32::from_ne_bytes)
}

fn wide(bytes: &[u8], at: usize) -> Option<usize> {
    part(bytes, at).map(u64::from_ne_bytes)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_its_interpreter() {
        for (text, expected) in [
            ("#!/bin/sh\nexec x", Some("/bin/sh")),
            ("#! /usr/bin/env -S bash\n", Some("/usr/bin/env")),
            ("#!\n/bin/sh", None),
            ("echo", None),
        ] {
            let expected = expected.map(|name| Runs::Script(name.into()));
            assert_eq!(runs(text.as_bytes()), expected, "{text:?}");
        }
    }

    /// An ELF file with one segment, whose name stands right behind it.
    fn elf(kind: u32, name: &str) -> Vec<u8> {
        let mut bytes = vec![0; 0x40 + 0x38];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[0x20..0x28].copy_from_slice(&0x40_u64.to_ne_bytes());
        bytes[0x36..0x38].copy_from_slice(&0x38_u16.to_ne_bytes());
        bytes[0x38..0x3a].copy_from_slice(&1_u16.to_ne_bytes());
        bytes[0x40..0x44].copy_from_slice(&kind.to_ne_bytes());
        bytes[0x48..0x50].copy_from_slice(&0x78_u64.to_ne_bytes());
        bytes[0x60..0x68].copy_from_slice(&(name.len() as u64).to_ne_bytes());
        bytes.extend(name.as_bytes());
        bytes
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_program_with_libraries_names_its_linker() {
        let whole = elf(INTERPRETER, "/lib64/ld.so\0");
        assert_eq!(runs(&whole), Some(Runs::Linked("/lib64/ld.so".into())));
        assert_eq!(runs(&elf(1, "/lib64/ld.so\0")), None);
        for end in 0..whole.len() {
            assert_eq!(runs(&whole[..end]), None, "cut after {end} bytes");
        }
        let mut wild = whole;
        wild[0x48..0x50].copy_from_slice(&u64::MAX.to_ne_bytes());
        assert_eq!(runs(&wild), None);
    }

    #[cfg(unix)]
    #[test]
    fn scripts_that_run_each_other_come_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, format!("#!{}\n", path.display())).unwrap();
        assert_eq!(chain(&path).files.len(), DEEPEST + 1);
        assert_eq!(chain(&folder.path().join("b")).files.len(), 1);
    }
}
