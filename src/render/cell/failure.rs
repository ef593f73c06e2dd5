//! Whether a program failed by itself, or at a wall of its cell: how it ended and what it said,
//! held against what each wall does to programs.

use super::super::limits::ProgramLimits;

/// The launcher's exit status where it could not become the program.
pub const NOT_LAUNCHED: u8 = 125;
/// The launcher's message then, before the reason.
pub const CANNOT: &str = "trueup cannot launch it: ";

/// The messages of programs without enough memory: of Go, glibc, C++ and Rust.
const NO_MEMORY: [&str; 7] = [
    "out of memory",
    "cannot allocate memory",
    "memory allocation of",
    "std::bad_alloc",
    "failed to allocate memory",
    "failed to reserve page summary memory",
    "failed to create new os thread",
];
/// The message where a file would grow too large.
const TOO_LARGE: &str = "file too large";
/// The messages at the other limits.
const REFUSED: [&str; 4] = [
    "operation not permitted",
    "permission denied",
    "function not implemented",
    "error while loading shared libraries",
];

/// How a program ended that failed.
#[derive(Clone, Copy, Debug)]
pub struct ProgramEnd<'a> {
    /// Its exit status.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The program's message.
    pub said: &'a str,
}

/// Which wall it met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceLimit {
    /// It got no more memory.
    Memory,
    /// It would have written too large a file.
    FileSize,
    /// It used up its time of the processor.
    Processor,
    /// The system killed it, and trueup did not ask for that.
    Killed,
    /// Something was refused; whether that is why it failed is unknown.
    Refused,
}

impl ProgramEnd<'_> {
    /// The wall that it met, if it looks like one.
    pub fn wall(&self) -> Option<ResourceLimit> {
        const ABORTED: i32 = 6;
        const KILLED: i32 = 9;
        const PROCESSOR: i32 = 24;
        const FILE_SIZE: i32 = 25;
        let said = self.said.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
        // Go's runtime ends with 2; an error of a template does not.
        let is_of_a_runtime = self.signal == Some(ABORTED) || self.code == Some(2);
        match self.signal {
            Some(PROCESSOR) => Some(ResourceLimit::Processor),
            Some(FILE_SIZE) => Some(ResourceLimit::FileSize),
            Some(KILLED) => Some(ResourceLimit::Killed),
            _ if is_of_a_runtime && says(&NO_MEMORY) => Some(ResourceLimit::Memory),
            _ if says(&[TOO_LARGE]) => Some(ResourceLimit::FileSize),
            _ if says(&REFUSED) => Some(ResourceLimit::Refused),
            _ => None,
        }
    }
}

impl ResourceLimit {
    /// The failure, to follow the program's name; `None` where the program's own words say more.
    pub fn message(self, limits: &ProgramLimits) -> Option<String> {
        Some(match self {
            Self::Memory => {
                format!("needs more memory than the limit of {}", size(limits.memory))
            }
            Self::FileSize => {
                format!("would write a file of more than {}, and was stopped", size(limits.file))
            }
            Self::Processor => {
                format!(
                    "took more than {} s of processor time, and was stopped",
                    limits.processor()
                )
            }
            Self::Killed => "was killed by the system".to_owned(),
            Self::Refused => return None,
        })
    }

    /// The remedy.
    pub fn hint(self) -> String {
        match self {
            Self::Memory => {
                "check that its input does not recurse without end; if it needs more, raise \
                render: memory: in trueup's config.yaml"
            }
            Self::FileSize | Self::Processor => {
                "run it by hand to see whether it ends"
            }
            Self::Killed => "check whether this machine ran out of memory (see dmesg)",
            Self::Refused => {
                "renderers run in a cell: no network, no other programs, and of the machine's files \
                 only their own; what one needs besides goes under render: readable: in trueup's \
                 config.yaml"
            }
        }
        .to_owned()
    }
}

/// Bytes as a person reads them.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u32, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit =
        UNITS.iter().find(|(shift, _)| bytes >> shift > 0 && bytes.is_multiple_of(1 << shift));
    match unit {
        Some((shift, name)) => format!("{} {name}", bytes >> shift),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_distinguished_from_a_program_failure() {
        for (code, signal, said, expected) in [
            (
                Some(2),
                None,
                "fatal error: runtime: out of memory\n\ngoroutine 1",
                Some(ResourceLimit::Memory),
            ),
            (Some(2), None, "runtime: cannot allocate memory", Some(ResourceLimit::Memory)),
            (
                None,
                Some(6),
                "terminate called after … 'std::bad_alloc'",
                Some(ResourceLimit::Memory),
            ),
            (None, Some(6), "memory allocation of 8 bytes failed", Some(ResourceLimit::Memory)),
            (Some(1), None, "execution error at (a:1:1): out of memory, says the author", None),
            (Some(1), None, "write /home/a: file too large", Some(ResourceLimit::FileSize)),
            (None, Some(25), "", Some(ResourceLimit::FileSize)),
            (None, Some(24), "", Some(ResourceLimit::Processor)),
            (None, Some(9), "", Some(ResourceLimit::Killed)),
            (Some(1), None, "socket: operation not permitted", Some(ResourceLimit::Refused)),
            (Some(1), None, "open /etc/hostname: permission denied", Some(ResourceLimit::Refused)),
            (Some(1), None, "invalid Kustomization", None),
        ] {
            assert_eq!(ProgramEnd { code, signal, said }.wall(), expected, "{said}");
        }
    }

    #[test]
    fn a_message_says_which_limit_and_how_much() {
        let limits = ProgramLimits::default();
        let message = ResourceLimit::Memory.message(&limits).unwrap();
        assert_eq!(message, "needs more memory than the limit of 2 GiB");
        for (bytes, expected) in
            [(1 << 30, "1 GiB"), (3 << 29, "1536 MiB"), (1 << 10, "1 KiB"), (1, "1 bytes")]
        {
            assert_eq!(size(bytes), expected);
        }
    }
}
