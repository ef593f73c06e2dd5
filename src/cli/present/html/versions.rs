//! Which version is on which target: commits and images in the rows, targets in the columns.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::markup::{Element, element};
use super::words;
use super::{Content, Shown, section as section_of, small, unseen};
use crate::core::status::{ImageStatus, TargetStatus};

/// The most rows of a matrix.
const ROWS: usize = 60;

/// The facts that are known of a commit.
#[derive(Clone, Copy, Debug, Default)]
struct Known<'a> {
    subject: &'a str,
    author: &'a str,
    time: Option<Timestamp>,
}

/// The section.
pub(super) fn section(content: &Content<'_>) -> Element {
    let section = section_of("versions", "Versions by target");
    section.child(commits(content)).children(images(content))
}

/// Commits by targets, the newest first.
fn commits(content: &Content<'_>) -> Element {
    let mut commits: BTreeMap<&str, Known<'_>> = BTreeMap::new();
    for Shown { status, .. } in &content.targets {
        if let Some(runs) = &status.runs {
            let known = commits.entry(&runs.commit).or_default();
            known.subject = runs.subject.as_deref().unwrap_or(known.subject);
            known.author = runs.author.as_deref().unwrap_or(known.author);
        }
        if let Some(git) = &status.git {
            let (subject, author) = (git.subject.as_str(), git.author.as_str());
            commits.insert(&git.commit, Known { subject, author, time: Some(git.time) });
        }
    }
    for round in content.targets.iter().flat_map(|target| &target.rounds) {
        if let Some(known) = commits.get_mut(round.commit.as_str()) {
            known.time = known.time.or(Some(round.committed));
            if known.subject.is_empty() {
                (known.subject, known.author) = (&round.subject, &round.author);
            }
        }
    }
    let mut commits: Vec<(&str, Known<'_>)> = commits.into_iter().collect();
    commits.sort_by(|(id, known), (other_id, other)| (other.time, id).cmp(&(known.time, other_id)));
    let more = commits.len().saturating_sub(ROWS);
    let rows = commits.into_iter().take(ROWS).map(|(id, known)| {
        let age = known.time.map(|time| format!("{} old", words::age(time, content.made)));
        let by = (!known.author.is_empty()).then(|| format!("by {}", known.author));
        let about = age.into_iter().chain(by).collect::<Vec<_>>().join(" · ");
        let subject = element("span").class("subject").text(known.subject);
        let head = element("th").with("scope", "row").child(words::commit(id)).text(" ");
        let head = head.child(subject).text(" ").child(small(&about));
        element("tr").child(head).children(content.targets.iter().map(|it| place(it.status, id)))
    });
    let about = "● runs, ○ git has it and it does not run there yet. The newest is first.";
    matrix(content, &Matrix { name: "Commits", about, more }, rows)
}

/// Where a commit stands on a target.
fn place(status: &TargetStatus, commit: &str) -> Element {
    let is_that = |other: Option<&String>| other.is_some_and(|other| other == commit);
    let runs = is_that(status.runs.as_ref().map(|it| &it.commit));
    let due = is_that(status.git.as_ref().map(|it| &it.commit));
    let mark = |mark: &str| element("span").with("aria-hidden", "true").text(mark);
    match (runs, due) {
        (true, _) => element("td").class("runs").child(mark("●")).child(unseen("runs")),
        (false, true) => element("td").class("due").child(mark("○")).child(unseen("git has it")),
        _ => element("td"),
    }
}

/// Images by targets.
fn images(content: &Content<'_>) -> Option<Element> {
    let mut images: BTreeMap<&str, BTreeMap<usize, Version>> = BTreeMap::new();
    for (index, target) in content.targets.iter().enumerate() {
        for image in &target.status.images {
            for (name, version) in versions(image) {
                let all = images.entry(name).or_default().entry(index).or_default();
                all.tags.extend(version.tags);
                all.declared.extend(version.declared);
            }
        }
    }
    if images.is_empty() {
        return None;
    }
    let more = images.len().saturating_sub(ROWS);
    let rows = images.iter().take(ROWS).map(|(name, by_target)| {
        let usual = usual(by_target.values());
        let cells = (0..content.targets.len()).map(|index| match by_target.get(&index) {
            None => element("td"),
            Some(version) => version_cell(version, usual.as_deref()),
        });
        let (place, short) = name.rsplit_once('/').unwrap_or(("", name));
        let whole = (!place.is_empty()).then(|| small(place));
        let head = element("th").with("scope", "row").child(element("b").text(short)).text(" ");
        element("tr").child(head.children(whole)).children(cells)
    });
    let about =
        "The tag that runs, shaded where most targets have another; ≠ where another is declared.";
    Some(matrix(content, &Matrix { name: "Images", about, more }, rows))
}

/// The versions of an image on a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    /// The tags that run; where that is not known, those that are declared.
    tags: BTreeSet<String>,
    /// Declared tags that do not run.
    declared: BTreeSet<String>,
}

impl Version {
    fn words(&self) -> String {
        self.tags.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// The versions of a container's image by its name without tag and digest.
fn versions(image: &ImageStatus) -> BTreeMap<&str, Version> {
    let mut found: BTreeMap<&str, Version> = BTreeMap::new();
    for running in &image.running {
        let (name, tag) = name_and_tag(&running.image, running.digest.as_deref());
        found.entry(name).or_default().tags.insert(tag);
    }
    let Some(declared) = &image.declared else { return found };
    let (name, tag) = name_and_tag(declared, None);
    let version = found.entry(name).or_default();
    match version.tags.is_empty() {
        true => version.tags.insert(tag),
        false if !version.tags.contains(&tag) && !declared.contains('@') => {
            version.declared.insert(tag)
        }
        false => false,
    };
    found
}

/// An image's name, and its tag or else the start of its digest.
fn name_and_tag<'a>(image: &'a str, digest: Option<&str>) -> (&'a str, String) {
    let (named, pinned) = image.split_once('@').map_or((image, None), |(it, at)| (it, Some(at)));
    let folder = named.rfind('/').map_or(0, |at| at + 1);
    if let Some(at) = named[folder..].find(':') {
        return (&named[..folder + at], named[folder + at + 1..].to_owned());
    }
    let digest = pinned.or(digest).map(|it| it.strip_prefix("sha256:").unwrap_or(it));
    (named, digest.map_or("latest".to_owned(), |it| it.chars().take(12).collect()))
}

/// The version that more than half of the targets have.
fn usual<'a>(versions: impl Iterator<Item = &'a Version>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = 0;
    for version in versions {
        *counts.entry(version.words()).or_default() += 1;
        all += 1;
    }
    counts.into_iter().find(|(_, count)| count * 2 > all).map(|(words, _)| words)
}

fn version_cell(version: &Version, usual: Option<&str>) -> Element {
    let words = version.words();
    let is_odd = usual.is_some_and(|usual| usual != words);
    let class = if is_odd { "tag odd" } else { "tag" };
    let cell = element("td").class(class).text(&words);
    let declared = version.declared.iter().map(|tag| small(&format!("≠ declared {tag}")));
    declared.fold(cell, |cell, declared| cell.text(" ").child(declared))
}

/// The texts of a matrix.
struct Matrix {
    name: &'static str,
    /// The meaning of its cells.
    about: &'static str,
    /// How many rows are left out.
    more: usize,
}

/// A table that is scrolled by itself where it is wider than the page.
fn matrix(content: &Content<'_>, matrix: &Matrix, rows: impl Iterator<Item = Element>) -> Element {
    let Matrix { name, about, more } = *matrix;
    let columns = content.targets.iter().map(|target| {
        let name = element("span").child(target.link());
        element("th").with("scope", "col").class("upright").child(name)
    });
    let corner = element("th").with("scope", "col").text(name);
    let head = element("thead").child(element("tr").child(corner).children(columns));
    let label = format!("{name} by target");
    let caption = element("caption").class("unseen").text(&label);
    let body = element("tbody").children(rows);
    let table = element("table").class("matrix").child(caption).child(head).child(body);
    let more = (more > 0).then(|| element("p").text(&format!("and {more} more")));
    let scrolled = element("div").class("scrolled").with("role", "region");
    let scrolled = scrolled.with("aria-label", &label).with("tabindex", "0").child(table);
    let heading = element("h3").text(name);
    let about = element("p").class("about").text(about);
    element("div").child(heading).child(about).child(scrolled).children(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_told_from_a_port() {
        for (image, name, tag) in [
            ("web", "web", "latest"),
            ("web:1.4", "web", "1.4"),
            ("registry.example:5000/web", "registry.example:5000/web", "latest"),
            ("registry.example:5000/web:1.4", "registry.example:5000/web", "1.4"),
            ("web@sha256:0123456789abcdef", "web", "0123456789ab"),
            ("web:1.4@sha256:0123456789abcdef", "web", "1.4"),
            ("", "", "latest"),
        ] {
            assert_eq!(name_and_tag(image, None), (name, tag.to_owned()), "{image}");
        }
    }

    #[test]
    fn usual_is_what_most_have() {
        let version = |tag: &str| Version { tags: [tag.to_owned()].into(), ..Version::default() };
        let versions = ["1", "2", "1"].map(version);
        assert_eq!(usual(versions.iter()).as_deref(), Some("1"));
        assert_eq!(usual(versions[..2].iter()), None);
    }
}
