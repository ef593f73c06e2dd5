//! Keeps the memory of a process small that runs for months.
//!
//! glibc gives threads arenas of their own, up to eight for each core, and each arena keeps what it needed
//! once. With many targets all of them come to the size of the largest round. How many there are is read
//! from the environment as a process begins, so that this one is begun again.

/// The variable of glibc.
const VARIABLE: &str = "MALLOC_ARENA_MAX";
/// One for the loops, and one for what is beside.
const ARENAS: &str = "2";

/// Begins this program again with few arenas, by the same process id and with the same arguments. Returns
/// where they were few before, or of another C library, and where it can't be done: then it takes more
/// memory.
pub fn begin_again() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if !is_set() {
        use std::os::unix::process::CommandExt as _;
        let mut args = std::env::args_os();
        let mut command = std::process::Command::new("/proc/self/exe");
        if let Some(name) = args.next() {
            command.arg0(name);
        }
        let _ = command.args(args).env(VARIABLE, ARENAS).exec();
    }
}

/// Whether the variable is set.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(clippy::disallowed_methods, reason = "the C library's variable, no setting of trueup's")]
fn is_set() -> bool {
    std::env::var_os(VARIABLE).is_some()
}
