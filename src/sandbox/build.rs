//! Builds programs from a Go module that this binary carries: once for each content of the module,
//! by one process at a time, and into place only when whole.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::keeper::{Keeper, ProgramStart};
use super::places::{self, ProgramPlaces};
use super::{Error, Listener, SandboxEvent, SandboxOptions};
use crate::local::search;

/// A Go module whose one program goes by many names.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// Its name, in a path.
    pub name: &'static str,
    /// Its files: name and content.
    pub files: &'static [(&'static str, &'static str)],
    /// The names that its program answers to.
    pub programs: &'static [&'static str],
}

impl Module {
    /// The control plane of the Kubernetes release that its go.mod names.
    pub const CONTROL_PLANE: Self = Self {
        name: "control-plane",
        files: &[
            ("go.mod", include_str!("control-plane/go.mod")),
            ("go.sum", include_str!("control-plane/go.sum")),
            ("main.go", include_str!("control-plane/main.go")),
        ],
        programs: &[
            places::ALWAYS[0],
            places::ALWAYS[1],
            places::ALWAYS[2],
            places::CONTROLLERS[0],
            places::CONTROLLERS[1],
            places::CONTROLLERS[2],
        ],
    };

    /// The version that its go.mod asks of a dependency.
    fn version_of(&self, dependency: &str) -> Option<&'static str> {
        let (_, go_mod) = self.files.iter().find(|(name, _)| *name == "go.mod")?;
        let mut lines = go_mod.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix(dependency)?.strip_prefix(' ')?.split(' ').next())
    }

    /// The flags for the linker: without them, the API server would not know which release it is.
    fn linker_flags(&self) -> String {
        let mut flags = "-s -w".to_owned();
        let Some(version) = self.version_of("k8s.io/kubernetes") else { return flags };
        let mut numbers = version.trim_start_matches('v').split('.');
        let (major, minor) = (numbers.next().unwrap_or("1"), numbers.next().unwrap_or("0"));
        for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
            flags += &format!(
                " -X {package}.gitVersion={version} -X {package}.gitMajor={major} \
                 -X {package}.gitMinor={minor}"
            );
        }
        flags
    }

    /// A name that changes when anything that goes into the program does.
    fn key(&self) -> String {
        let mut digest = Sha256::new();
        for part in self.files.iter().flat_map(|(name, content)| [*name, *content]) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.update(self.linker_flags());
        let hex: String = digest.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("{}-{hex}", self.name)
    }
}

/// How far a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildProgress {
    /// The modules are being fetched.
    Fetching,
    /// So many packages are compiled, of so many. Those that Go has kept from earlier count for
    /// nothing, so that the end may come early.
    Compiling {
        /// Packages compiled.
        done: usize,
        /// Packages there are.
        all: usize,
    },
}

/// The folder that holds the module's programs, built now or earlier.
///
/// # Errors
///
/// When Go is missing, or the module can't be built.
pub async fn built(
    module: &Module,
    options: &SandboxOptions,
    events: Listener<'_>,
) -> Result<PathBuf, Error> {
    let ProgramPlaces { assets: _, envtest: _, path, cache } = &options.places;
    let place = cache.join(module.key());
    if place.is_dir() {
        return Ok(place);
    }
    let go = search::find("go", path);
    if let Some(note) = go.note("go") {
        events(SandboxEvent::Skipped(note));
    }
    let go = go.found().ok_or_else(|| Error::NoGo(module.programs.to_vec()))?;
    fs::create_dir_all(cache).map_err(Error::file("create", cache))?;
    let _lock = lock(place.with_extension("lock"), events).await?;
    // Whoever held the lock may have built it.
    if !place.is_dir() {
        let prefix = format!("{}.unfinished-", module.key());
        sweep(cache, &prefix);
        // Go runs under a keeper, in the folder that the keeper removes: nothing outlives us.
        let keeper = Keeper::start(&options.trueup, cache, &prefix)?;
        build(module, Go::new(go, keeper)?, &place, events).await?;
    }
    Ok(place)
}

/// Waits for the lock in a thread of its own: whoever holds it may take minutes. The system
/// releases it when its holder dies.
async fn lock(path: PathBuf, events: Listener<'_>) -> Result<File, Error> {
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => events(SandboxEvent::WaitingForBuild),
        Err(TryLockError::Error(error)) => return Err(Error::file("lock", path)(error)),
    }
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    let waited = waiting.await.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
    waited.map_err(Error::file("lock", path))
}

/// Removes what a build left behind that was killed together with its keeper. To be called with
/// the lock held.
fn sweep(cache: &Path, prefix: &str) {
    let Ok(entries) = cache.read_dir() else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn build(
    module: &Module,
    mut go: Go,
    place: &Path,
    events: Listener<'_>,
) -> Result<(), Error> {
    for (name, content) in module.files {
        let path = go.source.join(name);
        fs::write(&path, content).map_err(Error::file("write", &path))?;
    }
    events(SandboxEvent::Building(BuildProgress::Fetching));
    let packages = go.run(&["list", "-mod=readonly", "-deps", "."], &mut |_| {}).await?;
    let binary = go.output.join(module.name);
    let (linker_flags, file) = (module.linker_flags(), binary.display().to_string());
    let flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-v", "-ldflags", &linker_flags];
    let args: Vec<&str> = ["build"].into_iter().chain(flags).chain(["-o", &file, "."]).collect();
    go.run(&args, &mut |done| {
        events(SandboxEvent::Building(BuildProgress::Compiling { done, all: packages.max(done) }));
    })
    .await?;
    for program in module.programs {
        let name = go.output.join(program);
        fs::hard_link(&binary, &name).map_err(Error::file("create", name))?;
    }
    fs::rename(&go.output, place).map_err(Error::file("create", place))?;
    events(SandboxEvent::Built);
    Ok(())
}

/// Go's command, in a folder that goes when this is dropped.
struct Go {
    program: PathBuf,
    keeper: Keeper,
    source: PathBuf,
    output: PathBuf,
    scratch: PathBuf,
}

impl Go {
    fn new(program: PathBuf, keeper: Keeper) -> Result<Self, Error> {
        let folders = ["source", "output", "scratch"].map(|name| keeper.folder().join(name));
        for folder in &folders {
            fs::create_dir(folder).map_err(Error::file("create", folder))?;
        }
        let [source, output, scratch] = folders;
        Ok(Self { program, keeper, source, output, scratch })
    }

    /// Runs it to its end; reports as it goes, and returns, how many packages it named.
    async fn run(
        &mut self,
        args: &[&str],
        progress: &mut (dyn FnMut(usize) + Send),
    ) -> Result<usize, Error> {
        let command = args[0].to_owned();
        let name = format!("go-{command}");
        let set = [("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GOOS", ""), ("GOARCH", "")];
        let set = set.map(|(name, value)| {
            (name.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty()))
        });
        let scratch = self.scratch.display().to_string();
        let log = self.keeper.log(&name);
        self.keeper.run(ProgramStart {
            name: name.clone(),
            program: self.program.clone(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: set.into_iter().chain([("GOTMPDIR".to_owned(), Some(scratch))]).collect(),
            shielded: false, // proxies, module caches: they are for Go
            folder: self.source.clone(),
            log: log.clone(),
        })?;
        loop {
            tokio::select! {
                ended = self.keeper.ended() => {
                    let ended = ended?;
                    if ended.success {
                        return Ok(packages(&log));
                    }
                    return Err(Error::Build { command, how: ended.how, log: self.keeper.tail(&name) });
                }
                () = tokio::time::sleep(Duration::from_millis(500)) => progress(packages(&log)),
            }
        }
    }
}

/// How many packages a log of Go's names; its own remarks begin with `go: ` or `#`.
fn packages(log: &Path) -> usize {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|line| !line.starts_with("go: ") && !line.starts_with('#')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_programs_carry_their_release_version() {
        let flags = Module::CONTROL_PLANE.linker_flags();
        let version = Module::CONTROL_PLANE.version_of("k8s.io/kubernetes").unwrap();
        assert!(version.starts_with("v1."), "{version}");
        assert!(flags.contains(&format!("k8s.io/component-base/version.gitVersion={version} ")));
    }

    #[test]
    fn check_has_the_schemas_of_the_same_release() {
        let version = Module::CONTROL_PLANE.version_of("k8s.io/kubernetes").unwrap();
        let default = crate::core::kinds::schemas::DEFAULT;
        assert!(version.starts_with(&format!("v{default}.")), "{version} is not of {default}");
    }

    #[test]
    fn every_module_from_kubernetes_own_tree_is_of_one_release() {
        let (_, go_mod) = Module::CONTROL_PLANE.files[0];
        let version = Module::CONTROL_PLANE.version_of("k8s.io/kubernetes").unwrap();
        let staged = version.replacen("v1.", "v0.", 1);
        let replaced: Vec<&str> = go_mod.lines().filter(|line| line.contains(" => ")).collect();
        assert!(replaced.len() > 30);
        for line in replaced {
            assert!(line.ends_with(&format!(" {staged}")), "{line} is not of {version}");
        }
    }

    #[test]
    fn another_content_is_another_key() {
        let one = Module { name: "m", files: &[("a", "bc")], programs: &[] };
        let other = Module { name: "m", files: &[("ab", "c")], programs: &[] };
        assert_ne!(one.key(), other.key());
    }
}
