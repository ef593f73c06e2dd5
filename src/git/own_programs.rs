//! Programs that the checkout's own configuration names: filters, and drivers of diffs and merges. None
//! of them is run, whatever an attribute asks for. Those of the user's configuration are.
//!
//! They are taken out of the configuration once, when the checkout is opened. What the filters would
//! have made of a file is then unknown, and [`LeftOut`] says of which files.

use std::collections::BTreeSet;

use gix::bstr::{BStr, BString};
use gix::config::Source;
use gix::config::file::Metadata;
use gix::worktree::stack::state::attributes::Source as AttributesSource;

use super::Error;

/// The keys of `filter.NAME` that name a program.
const FILTERS: [&str; 3] = ["clean", "smudge", "process"];

/// Stands in the section of a filter that was taken out.
const MARK: &str = "trueup-left-out";

/// Whether the setting is of the checkout: its configuration, that of a linked work tree, and what
/// these include.
fn is_own(meta: &Metadata) -> bool {
    matches!(meta.source, Source::Local | Source::Worktree)
}

/// `repository` without the programs that its own configuration names.
///
/// # Errors
///
/// When what is left of the configuration can't be used.
pub(super) fn leave_out(
    repository: gix::ThreadSafeRepository,
) -> Result<gix::ThreadSafeRepository, gix::Error> {
    let mut local = repository.to_thread_local();
    let (mut filters, mut drivers) = (Vec::new(), Vec::new());
    for (section, id) in local.config_snapshot().plumbing().sections_and_ids() {
        let header = section.header();
        let Some(name) = header.subsection_name().filter(|_| is_own(section.meta())) else {
            continue;
        };
        match header.name().to_ascii_lowercase().as_slice() {
            b"filter" => filters.push((id, name.to_owned())),
            b"diff" | b"merge" => drivers.push(id),
            _ => {}
        }
    }
    if filters.is_empty() && drivers.is_empty() {
        return Ok(repository);
    }
    let mut config = local.config_snapshot_mut();
    for id in drivers {
        config.remove_section_by_id(id);
    }
    for (id, name) in filters {
        let of_user = |key: &str| {
            let name: &BStr = name.as_ref();
            config.string_filter_by("filter", name, key, |meta| !is_own(meta))
        };
        let of_user = FILTERS.map(of_user);
        let Some(mut section) = config.section_mut_by_id(id) else { continue };
        let own = FILTERS.map(|key| section.value(key));
        let differs = own.iter().zip(&of_user).any(|(own, of_user)| {
            own.as_ref().is_some_and(|own| !own.is_empty() && Some(own) != of_user.as_ref())
        });
        if !differs {
            continue;
        }
        for key in FILTERS.into_iter().chain(["required"]) {
            while section.remove(key).is_some() {}
        }
        section.push(MARK, BStr::new("true"))?;
    }
    Ok(config.commit()?.clone().into_sync())
}

/// The setting of the checkout that names a hook of git's, if there is one.
pub(super) fn names_hook(repo: &gix::Repository) -> Option<String> {
    let snapshot = repo.config_snapshot();
    let mut own = snapshot.plumbing().sections().filter(|section| is_own(section.meta()));
    own.find_map(|section| {
        let header = section.header();
        match (header.name().to_ascii_lowercase().as_slice(), header.subsection_name()) {
            (b"hook", Some(name)) => {
                section.value("command").map(|_| format!("hook.{name}.command"))
            }
            (b"gc", None) => {
                section.value("recentObjectsHook").map(|_| "gc.recentObjectsHook".to_owned())
            }
            _ => None,
        }
    })
}

/// The filters that were taken out, and the files that have them.
pub(super) struct LeftOut<'repo> {
    filters: BTreeSet<BString>,
    attributes: Option<Attributes<'repo>>,
}

struct Attributes<'repo> {
    stack: gix::AttributeStack<'repo>,
    found: gix::attrs::search::Outcome,
}

impl<'repo> LeftOut<'repo> {
    /// Those of `repo`. Attributes are read from the work tree, or else of `index`.
    ///
    /// # Errors
    ///
    /// When the attributes can't be read.
    pub(super) fn in_worktree(
        repo: &'repo gix::Repository,
        index: &gix::index::State,
    ) -> Result<Self, Error> {
        Self::of(repo, index, AttributesSource::WorktreeThenIdMapping)
    }

    /// Those of `repo`. Attributes are read from the files of `index` alone.
    ///
    /// # Errors
    ///
    /// When the attributes can't be read.
    pub(super) fn in_index(
        repo: &'repo gix::Repository,
        index: &gix::index::State,
    ) -> Result<Self, Error> {
        Self::of(repo, index, AttributesSource::IdMapping)
    }

    fn of(
        repo: &'repo gix::Repository,
        index: &gix::index::State,
        source: AttributesSource,
    ) -> Result<Self, Error> {
        let snapshot = repo.config_snapshot();
        let sections = snapshot.plumbing().sections_by_name("filter").into_iter().flatten();
        let is_left_out = sections.filter(|section| section.value(MARK).is_some());
        let filters: BTreeSet<BString> = is_left_out
            .filter_map(|section| Some(section.header().subsection_name()?.to_owned()))
            .collect();
        if filters.is_empty() {
            return Ok(Self { filters, attributes: None });
        }
        let stack = repo.attributes_only(index, source).map_err(Error::read("the attributes"))?;
        let found = stack.selected_attribute_matches(["filter"]);
        Ok(Self { filters, attributes: Some(Attributes { stack, found }) })
    }

    /// The filter of the file at `path`, if it was taken out.
    ///
    /// # Errors
    ///
    /// When the attributes can't be read.
    pub(super) fn filter(&mut self, path: &BStr) -> Result<Option<String>, Error> {
        let Some(Attributes { stack, found }) = &mut self.attributes else { return Ok(None) };
        let at = stack.at_entry(path, None).map_err(Error::read("the attributes"))?;
        at.matching_attributes(found);
        let assigned = found.iter_selected().next().map(|it| it.assignment.state);
        let Some(gix::attrs::StateRef::Value(name)) = assigned else { return Ok(None) };
        let name = name.as_bstr();
        Ok(self.filters.contains(name).then(|| name.to_string()))
    }

    /// Refuses a file whose filter was taken out.
    ///
    /// # Errors
    ///
    /// When it has such a filter, or the attributes can't be read.
    pub(super) fn check(&mut self, path: &BStr) -> Result<(), Error> {
        match self.filter(path)? {
            Some(filter) => Err(Error::OwnFilter { path: path.to_string(), filter }),
            None => Ok(()),
        }
    }
}

/// The answer of size and time about a file whose content can't be compared. Nothing is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByStat {
    /// Both are those of the index.
    Same,
    /// The size is another, so that the content is. git asks no filter either then.
    Changed,
    /// The time alone is another.
    Unknown,
}

/// Compares a file with its index entry, to the nanosecond where the index has these.
pub(super) fn by_stat(file: &std::path::Path, entry: &gix::index::entry::Stat) -> ByStat {
    let metadata = gix::index::fs::Metadata::from_path_no_follow(file).ok();
    let now = metadata.and_then(|metadata| gix::index::entry::Stat::from_fs(&metadata).ok());
    let Some(now) = now else { return ByStat::Unknown };
    let has_nanoseconds = entry.mtime.nsecs != 0;
    if now.size != entry.size {
        // git writes no size where the entry is to be looked at again.
        return if entry.size == 0 { ByStat::Unknown } else { ByStat::Changed };
    }
    match now.mtime.secs == entry.mtime.secs
        && (!has_nanoseconds || now.mtime.nsecs == entry.mtime.nsecs)
    {
        true => ByStat::Same,
        false => ByStat::Unknown,
    }
}
