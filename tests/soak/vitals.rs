//! What the watch holds: memory, files, threads, sockets and processes, and the files that it leaves behind.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::world::World;

/// The state of a process at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Vitals {
    pub at: Instant,
    /// Memory in kB: all, and what belongs to no file.
    pub resident: usize,
    pub anonymous: usize,
    pub files: usize,
    pub sockets: usize,
    pub threads: usize,
    pub children: usize,
}

impl Vitals {
    /// Those of a process; `None` where it is gone.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let number = |name: &str| -> Option<usize> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let open: Vec<_> = open.flatten().filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
        let is_socket = |path: &Path| path.to_string_lossy().starts_with("socket:");
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
        let children = threads.filter_map(|it| fs::read_to_string(it.path().join("children")).ok());
        Some(Self {
            at: Instant::now(),
            resident: number("VmRSS:")?,
            anonymous: number("RssAnon:")?,
            files: open.len(),
            sockets: open.iter().filter(|path| is_socket(path)).count(),
            threads: number("Threads:")?,
            children: children.map(|it| it.split_whitespace().count()).sum(),
        })
    }
}

/// How many threads of a process have each name.
pub fn threads(pid: u32) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for name in threads.filter_map(|it| fs::read_to_string(it.path().join("comm")).ok()) {
        *names.entry(name.trim().to_owned()).or_default() += 1;
    }
    names
}

impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, anonymous, files, sockets, threads, children, .. } = self;
        write!(
            f,
            "{resident} kB, of which {anonymous} kB anonymous; {files} files, {sockets} of them \
             sockets; {threads} threads; {children} child processes"
        )
    }
}

/// The kB a minute by which a figure grows, by least squares; 0 for less than two moments.
pub fn slope(vitals: &[Vitals], figure: impl Fn(&Vitals) -> usize) -> f64 {
    let Some(first) = vitals.first() else { return 0.0 };
    let points = vitals.iter().map(|it| {
        let minutes = it.at.duration_since(first.at).as_secs_f64() / 60.0;
        (minutes, f64::from(u32::try_from(figure(it)).unwrap()))
    });
    let points: Vec<(f64, f64)> = points.collect();
    let count = f64::from(u32::try_from(points.len()).unwrap());
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let above: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let below: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if below == 0.0 { 0.0 } else { above / below }
}

/// The files that are kept, by what they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept(BTreeMap<&'static str, usize>);

impl Kept {
    /// Those of a world.
    pub fn of(world: &World<'_>) -> Self {
        let checkout = world.outside("checkout/.git");
        let mut kept = BTreeMap::new();
        let mut add = |what, folder: &Path, is_wanted: &dyn Fn(&str) -> bool| {
            kept.insert(what, count(folder, is_wanted));
        };
        let all = |_: &str| true;
        add("packs", &checkout.join("objects/pack"), &|name| name.ends_with(".pack"));
        add("other files in the folder of packs", &checkout.join("objects/pack"), &|name| {
            !["pack", "idx", "rev", "bitmap"].iter().any(|end| name.ends_with(end))
        });
        add("loose objects", &checkout.join("objects"), &|name| name.len() == 38);
        add("locks", &checkout, &|name| name.ends_with(".lock") && name != "trueup.lock");
        add("temporary files", &world.outside("temporary"), &all);
        add("files of state", &world.outside("state"), &all);
        add("files of the cache", &world.outside("cache"), &all);
        Self(kept)
    }

    /// How many there are of these.
    pub fn number(&self, what: &str) -> usize {
        self.0[what]
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> =
            self.0.iter().map(|(what, count)| format!("{count} {what}")).collect();
        f.write_str(&all.join(", "))
    }
}

fn count(folder: &Path, is_wanted: &dyn Fn(&str) -> bool) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let counts = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => count(&entry.path(), is_wanted),
        _ => usize::from(is_wanted(&entry.file_name().to_string_lossy())),
    });
    counts.sum()
}

/// Longer than the process keeps a thread or a connection that it does not need.
pub const REST: Duration = Duration::from_secs(95);
