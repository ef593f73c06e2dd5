//! Which system calls a program in the cell may make. What is not listed does not exist for it
//! (`ENOSYS`), as on an older kernel, so that its runtime falls back on what is; what would start a
//! process, open a socket or change a file's owner or mode is refused (`EPERM`).
//!
//! A list of what is allowed, and not of what is dangerous: the kernel's next call is not in it.
//! Nor is any call of another architecture or of x32, whose numbers are others.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// Calls with numbers as libc has them.
type Calls = &'static [libc::c_long];

/// Calls that are allowed, whatever their arguments.
const ALLOWED: Calls = &[
    // Files that are open.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    // Paths: which of them is Landlock's to say.
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_chdir,
    libc::SYS_fchdir,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_umask,
    // Waiting.
    libc::SYS_pipe2,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_futex,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_restart_syscall,
    // Memory; what is shared is below.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_mincore,
    libc::SYS_msync,
    libc::SYS_membarrier,
    // Itself and its threads.
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getpgid,
    libc::SYS_getsid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_getgroups,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getrandom,
    // Signals; to whom is below.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_gettime,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete,
    libc::SYS_setitimer,
    libc::SYS_getitimer,
];

/// The older names that x86_64 has besides.
#[cfg(target_arch = "x86_64")]
const ALLOWED_BESIDES: Calls = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getdents,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_pipe,
    libc::SYS_dup2,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_alarm,
    libc::SYS_time,
    libc::SYS_getpgrp,
    libc::SYS_getrlimit,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_BESIDES: Calls = &[];

/// Calls that are refused, rather than not there: a program that tries them should hear why. Owner,
/// mode, times and attributes are what Landlock says nothing about.
const REFUSED: Calls = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_ptrace,
    libc::SYS_truncate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
];

/// The older names that x86_64 has besides.
#[cfg(target_arch = "x86_64")]
const REFUSED_BESIDES: Calls = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_BESIDES: Calls = &[];

/// The flag of a new thread, which no new process carries.
const THREAD: u64 = libc::CLONE_THREAD as u64;
/// Namespaces of one's own.
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;
/// Memory that no limit of a process counts.
const SHARED: u64 = (libc::MAP_SHARED | libc::MAP_ANONYMOUS) as u64;
/// Calls that have the kernel send a signal to a process of one's choice.
const SIGNALS_OTHERS: [u64; 5] = [
    libc::F_SETOWN as u64,
    15, // F_SETOWN_EX
    10, // F_SETSIG
    libc::F_SETLEASE as u64,
    libc::F_NOTIFY as u64,
];
/// Questions about a terminal and a pipe; runtimes ask whether there is one.
#[allow(clippy::unnecessary_cast, reason = "their type is another one in musl")]
const IOCTLS: [u64; 6] = [
    libc::TCGETS as u64,
    0x802c_542a, // TCGETS2
    libc::TIOCGWINSZ as u64,
    libc::TIOCGPGRP as u64,
    libc::FIONREAD as u64,
    libc::FIOCLEX as u64,
];
/// Names for threads and memory.
const PRCTLS: [u64; 4] = [
    libc::PR_SET_NAME as u64,
    libc::PR_GET_NAME as u64,
    libc::PR_GET_DUMPABLE as u64,
    0x5356_4d41, // PR_SET_VMA
];

/// The two filters, for the process with this id. Both hold; where both refuse a call, the one that
/// is installed last says how.
pub(super) struct Filters {
    /// Refuses what a program should hear of.
    pub refuse: BpfProgram,
    /// Lets through what is listed.
    pub allow: BpfProgram,
}

impl Filters {
    /// # Errors
    ///
    /// When there are none for this architecture.
    pub(super) fn new(process: u32) -> Result<Self, BackendError> {
        let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
        let build = |rules, otherwise, matched| -> Result<BpfProgram, BackendError> {
            SeccompFilter::new(rules, otherwise, matched, architecture)?.try_into()
        };
        let [refused, absent] = [libc::EPERM, libc::ENOSYS].map(|error| error.unsigned_abs());
        let refused = SeccompAction::Errno(refused);
        Ok(Self {
            refuse: build(refusals()?, SeccompAction::Allow, refused)?,
            allow: build(
                permissions(u64::from(process))?,
                SeccompAction::Errno(absent),
                SeccompAction::Allow,
            )?,
        })
    }
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn refusals() -> Result<Rules, BackendError> {
    let mut rules = always([REFUSED, REFUSED_BESIDES]);
    let mut clone = vec![rule([masked(0, THREAD, 0)?])?];
    for bit in (0..u64::BITS).map(|at| 1 << at).filter(|bit| NAMESPACES & bit != 0) {
        clone.push(rule([masked(0, bit, bit)?])?);
    }
    rules.insert(libc::SYS_clone, clone);
    rules.insert(libc::SYS_mmap, vec![rule([masked(3, SHARED, SHARED)?])?]);
    let mut commands = Vec::new();
    for command in SIGNALS_OTHERS {
        commands.push(rule([is(1, command)?])?);
    }
    rules.insert(libc::SYS_fcntl, commands);
    Ok(rules)
}

fn permissions(process: u64) -> Result<Rules, BackendError> {
    // Refused calls are refused by the other filter.
    let mut rules = always([ALLOWED, ALLOWED_BESIDES]);
    rules.extend(always([REFUSED, REFUSED_BESIDES]));
    rules.insert(libc::SYS_clone, Vec::new());
    // To itself alone.
    let itself = || -> Result<_, BackendError> { rule([is(0, process)?]) };
    rules.insert(libc::SYS_tgkill, vec![itself()?]);
    rules.insert(libc::SYS_kill, vec![itself()?]);
    // Go raises its limit of open files, up to what it may. A superuser could raise any.
    let mut limits = Vec::new();
    for who in [0, process] {
        limits.push(rule([is(0, who)?, is(2, 0)?])?);
        limits.push(rule([is(0, who)?, is(1, u64::from(libc::RLIMIT_NOFILE))?])?);
    }
    rules.insert(libc::SYS_prlimit64, limits);
    let each = |argument, values: &[u64]| -> Result<Vec<SeccompRule>, BackendError> {
        values.iter().map(|value| rule([is(argument, *value)?])).collect()
    };
    rules.insert(libc::SYS_ioctl, each(1, &IOCTLS)?);
    rules.insert(libc::SYS_prctl, each(0, &PRCTLS)?);
    Ok(rules)
}

fn always(calls: [Calls; 2]) -> Rules {
    calls.concat().into_iter().map(|call| (call, Vec::new())).collect()
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into())
}

fn is(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, BackendError> {
    let operation = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operation, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_both_allowed_and_refused_and_what_matters_is_in_neither_list() {
        let allowed = [ALLOWED, ALLOWED_BESIDES].concat();
        let refused = [REFUSED, REFUSED_BESIDES].concat();
        assert!(allowed.iter().all(|call| !refused.contains(call)));
        for call in [
            libc::SYS_connect,
            libc::SYS_clone3,
            libc::SYS_execveat,
            libc::SYS_memfd_create,
            libc::SYS_io_uring_setup,
            libc::SYS_process_vm_readv,
            libc::SYS_pidfd_getfd,
            libc::SYS_open_by_handle_at,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_bpf,
            libc::SYS_keyctl,
            libc::SYS_userfaultfd,
            libc::SYS_perf_event_open,
            libc::SYS_seccomp,
            libc::SYS_setrlimit,
            libc::SYS_tkill,
            libc::SYS_rt_sigqueueinfo,
            libc::SYS_init_module,
            libc::SYS_kexec_load,
        ] {
            assert!(!allowed.contains(&call), "{call}");
        }
        assert!(Filters::new(1).is_ok());
    }
}
