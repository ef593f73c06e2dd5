//! The launcher: a fresh process of trueup's that restricts itself, step by step, and then becomes
//! the program. What it did can't be undone: it holds for the program and all that it starts.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus, Scope,
    make_bitflags, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::CellPlan;
use super::calls::Filters;
use super::guards::{GuardState, Guards};
use crate::local::bound_process;

/// The hidden verb; it takes the parent's id, the plan, the program and the program's arguments.
pub const VERB: &str = "__render-cell";

/// The newest Landlock that is known; an older one does what it can.
const NEWEST: ABI = ABI::V10;
/// How many files a program may have open.
const OPEN_FILES: u64 = 1024;
/// Addresses that a program may reserve without taking memory: Go's runtime does.
const RESERVED: u64 = 4 << 30;

/// A command that runs `program` in its cell. It has to be spawned by a thread that lives as long
/// as the program should.
///
/// # Errors
///
/// When a path of the plan can't be written down.
pub fn command(trueup: &Path, program: &Path, plan: &CellPlan) -> io::Result<Command> {
    let plan = serde_json::to_string(plan)?;
    let mut command = Command::new(trueup);
    command.arg(VERB).arg(process::id().to_string()).arg(plan).arg(program);
    Ok(command)
}

/// Answers [`VERB`]. It returns only when the program could not be started.
pub fn become_program(mut args: impl Iterator<Item = OsString>) -> io::Error {
    let parent = args.next().and_then(|id| id.to_str()?.parse().ok());
    let plan = args.next().and_then(|plan| serde_json::from_str::<CellPlan>(plan.to_str()?).ok());
    let (Some(parent), Some(plan), Some(program)) = (parent, plan, args.next()) else {
        return ErrorKind::InvalidInput.into();
    };
    if let Err(error) = bound_process::bind(parent) {
        return error;
    }
    let (files, calls, limits) = enter(&plan);
    let (files, calls) = (files.map(drop), calls.map(drop));
    for (name, guard) in [("files", files), ("system calls", calls), ("limits", limits)] {
        if let Err(why) = guard
            && plan.strict
        {
            return io::Error::other(format!("nothing guards {name} ({why})"));
        }
    }
    Command::new(program).args(args).exec()
}

/// Goes into the cell: files, system calls, limits.
fn enter(plan: &CellPlan) -> (GuardState, GuardState, Result<(), String>) {
    // Files that trueup's own parent left open are nothing for a program.
    close_fds::set_fds_cloexec(3, &[]);
    let files = restrict_files(plan);
    let limits = set_limits(plan).map_err(|error| error.to_string());
    // Last: it refuses what the others need.
    let calls = restrict_calls();
    (files, calls, limits)
}

fn restrict_files(plan: &CellPlan) -> GuardState {
    let RestrictionStatus { ruleset, landlock, .. } =
        landlock(plan).map_err(|error| error.to_string())?;
    match (ruleset, landlock) {
        (_, LandlockStatus::NotImplemented) => Err("the kernel has no Landlock".to_owned()),
        (_, LandlockStatus::NotEnabled) => Err("Landlock is not enabled".to_owned()),
        (RulesetStatus::NotEnforced, _) => Err("Landlock does not hold".to_owned()),
        (_, LandlockStatus::Available { effective_abi, .. }) => {
            Ok(format!("Landlock {}", effective_abi as i32))
        }
    }
}

fn landlock(plan: &CellPlan) -> Result<RestrictionStatus, landlock::RulesetError> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let write = read
        | make_bitflags!(AccessFs::{
            WriteFile | Truncate | MakeReg | MakeDir | MakeSym | RemoveFile | RemoveDir | Refer
        });
    let sink = make_bitflags!(AccessFs::{ReadFile | WriteFile});
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(&plan.read, read))?
        .add_rules(path_beneath_rules(&plan.run, read | AccessFs::Execute))?
        .add_rules(path_beneath_rules(&plan.write, write))?
        .add_rules(path_beneath_rules(["/dev/null"], sink))?
        .restrict_self()
}

fn set_limits(plan: &CellPlan) -> io::Result<()> {
    let CellPlan { memory, file, processor, .. } = *plan;
    for (resource, most) in [
        (Resource::Data, memory),
        (Resource::As, memory.saturating_add(RESERVED)),
        (Resource::Fsize, file),
        (Resource::Cpu, processor),
        (Resource::Nofile, OPEN_FILES),
        (Resource::Core, 0),
    ] {
        // A limit that is lower already is not raised.
        let most = getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        // Go takes no notice of the signal at the lower limit, and is killed at the upper one.
        let maximum = match resource {
            Resource::Cpu => most.saturating_add(1),
            _ => most,
        };
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(maximum) })?;
    }
    Ok(())
}

fn restrict_calls() -> GuardState {
    let Filters { refuse, allow } = Filters::new(process::id()).map_err(|why| why.to_string())?;
    for filter in [&refuse, &allow] {
        seccompiler::apply_filter(filter).map_err(|error| match &error {
            seccompiler::Error::Seccomp(cause) | seccompiler::Error::Prctl(cause) => {
                format!("the kernel rejects the seccomp filter: {cause}")
            }
            _ => error.to_string(),
        })?;
    }
    Ok("seccomp".to_owned())
}

/// Answers [`PROBE`](super::guards::PROBE): goes into a cell with nothing in it, and says what was refused there.
pub fn probe() -> Guards {
    let plan = CellPlan {
        memory: 1 << 30,
        file: 1 << 20,
        processor: 60,
        run: vec![PathBuf::from("/dev/null")],
        ..CellPlan::default()
    };
    let (files, calls, limits) = enter(&plan);
    let refused = |what: &str, result: Option<io::Error>| match result.map(|error| error.kind()) {
        Some(ErrorKind::PermissionDenied) => Ok(()),
        Some(kind) => Err(format!("{what}: {kind}")),
        None => Err(format!("{what} still works")),
    };
    let files = files.and_then(|how| {
        refused("reading the root folder", File::open("/").err())?;
        Ok(how)
    });
    let network = calls.clone().and_then(|how| {
        refused("opening a socket", UdpSocket::bind(("127.0.0.1", 0)).err())?;
        Ok(how)
    });
    let processes = calls.and_then(|how| {
        // Not a program, so that nothing runs where it is not refused.
        refused("starting a process", Command::new("/dev/null/none").spawn().err())?;
        Ok(how)
    });
    let limits = limits.and_then(|()| match getrlimit(Resource::Data).current {
        Some(most) if most <= plan.memory => Ok("rlimits".to_owned()),
        _ => Err("the limit of memory does not hold".to_owned()),
    });
    Guards { files, network, processes, limits }
}
