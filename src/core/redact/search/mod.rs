//! One search for every value in every spelling. A text is searched as it is and in plainer views
//! of itself: with escapes decoded ([`views`](super::views)) and with its lines joined. Runs of
//! base64 or hexadecimal digits are decoded at every place where a byte can begin
//! ([`digits`](super::digits)). Each view has views of its own. What is found in a view is known by
//! where it stands in the text.
//!
//! Values are compared without regard to how their white space is wrapped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use aho_corasick::AhoCorasick;

mod cut;

use cut::{CUT, mark_of_cut};

use super::budget::{Allowance, SearchBudget, SearchFailed};
use super::digits::Digits;
use super::needle::Needle;
use super::prefix_group::Group;
use super::views::{ViewKind, dense, white_space};

/// Only this many bytes of a value go into the search itself, the rest is compared where they
/// are found: a search for whole certificates would take longer to build than all else takes.
const BEGINNING: usize = 24;
/// How many levels of digits are decoded, one inside the other.
const DEPTH: usize = 3;
/// How many levels of escapes and wrapped lines are undone, one inside the other.
const LEVELS: usize = 4;
/// A value of this length is found by chance in no bytes whatever.
const LONG: usize = 8;
/// Bytes between control characters are taken for a text from this length on.
const SHORTEST_TEXT: usize = 6;
/// A value that is written without its spaces is taken for the same from this length on.
const SPACES_DO_NOT_MATTER: usize = 12;

/// A place in a text, and the number of the value that stands there.
pub(super) type MatchSpan = (Range<usize>, usize);

/// Finds values.
pub(super) struct ValueSearch {
    /// Finds the beginnings of the values, without white space.
    beginnings: AhoCorasick,
    /// Those beginnings, sorted, each with the values that begin so.
    needles: Vec<(Vec<u8>, Group)>,
    /// Whether any value has white space in it.
    has_spaces: bool,
    /// Whether any value has bytes in it that are not plain text.
    has_bytes: bool,
}

impl ValueSearch {
    /// A search for these values; `None` when there are none.
    pub(super) fn new(
        needles: impl IntoIterator<Item = Needle>,
    ) -> Result<Option<Self>, SearchFailed> {
        let mut by_beginning: BTreeMap<Vec<u8>, BTreeSet<Needle>> = BTreeMap::new();
        let (mut has_spaces, mut has_bytes) = (false, false);
        for needle in needles {
            let dense = dense(&needle.value);
            has_spaces |= dense.is_some();
            has_bytes |= !needle.value.iter().all(|byte| is_text_byte(*byte));
            let mut beginning = dense.map_or_else(|| needle.value.clone(), |view| view.bytes);
            beginning.truncate(BEGINNING);
            if !beginning.is_empty() {
                by_beginning.entry(beginning).or_default().insert(needle);
            }
        }
        if by_beginning.is_empty() {
            return Ok(None);
        }
        let beginnings = AhoCorasick::new(by_beginning.keys()).map_err(|_| SearchFailed)?;
        let group = |(beginning, needles)| (beginning, Group::new(needles));
        let needles = by_beginning.into_iter().map(group).collect();
        Ok(Some(Self { beginnings, needles, has_spaces, has_bytes }))
    }

    /// Every place of `text` where a value stands, overlapping ones too.
    pub(super) fn find(
        &self,
        text: &str,
        budget: &SearchBudget,
    ) -> Result<Vec<MatchSpan>, SearchFailed> {
        let mut hunt = SearchRun {
            search: self,
            spans: Vec::new(),
            seen: HashMap::new(),
            state: RandomState::new(),
            left: budget.of_text(text.len()),
        };
        hunt.views(text.as_bytes(), &|range| range, Levels { digits: DEPTH, escapes: LEVELS })?;
        Ok(hunt.spans)
    }
}

/// How many levels may still be undone, one inside the other.
#[derive(Clone, Copy)]
struct Levels {
    digits: usize,
    escapes: usize,
}

/// Where in the text a part of a view is from.
type SourceRange<'a> = &'a dyn Fn(Range<usize>) -> Range<usize>;

/// A run of digits from some place of it on.
struct DigitRun<'a> {
    digits: Digits,
    /// The surrounding digits.
    digits_of: &'a [u8],
    first: usize,
    end: usize,
}

impl DigitRun<'_> {
    /// Where the digits are of some of the bytes that they stand for. Blanks around a value, and
    /// what fills up the last group of digits, belong to it.
    fn origin(&self, decoded: &[u8], range: Range<usize>) -> Range<usize> {
        let is_blank = |bytes: &[u8]| {
            let bytes = bytes.trim_ascii();
            bytes.is_empty() || bytes == CUT.as_bytes()
        };
        let of_run = self.digits.of_bytes(range.clone());
        let start = match is_blank(&decoded[..range.start]) {
            true => self.first,
            false => self.first + of_run.start,
        };
        if !is_blank(&decoded[range.end..]) {
            return start..self.first + of_run.end;
        }
        let padding = self.digits_of[self.end..].iter().take_while(|&&byte| byte == b'=');
        start..self.end + padding.count()
    }
}

/// A search under way.
struct SearchRun<'a> {
    search: &'a ValueSearch,
    spans: Vec<MatchSpan>,
    /// Views that were searched: where they stand in the text, what they are, and how many levels
    /// of escapes were left, from 1.
    seen: HashMap<(Range<usize>, u64), usize>,
    state: RandomState,
    /// How many bytes more may be searched. A text that takes more was made for that.
    left: Allowance<'a>,
}

impl SearchRun<'_> {
    /// Searches bytes and every view of them.
    fn views(
        &mut self,
        bytes: &[u8],
        origin: SourceRange<'_>,
        levels: Levels,
    ) -> Result<(), SearchFailed> {
        self.runs(bytes, &|_| true, origin, levels)?;
        self.plainer(bytes, origin, levels)
    }

    /// Searches bytes and every plainer view of them.
    fn plainer(
        &mut self,
        bytes: &[u8],
        origin: SourceRange<'_>,
        levels: Levels,
    ) -> Result<(), SearchFailed> {
        self.matches(bytes, origin, 0)?;
        let Some(escapes) = levels.escapes.checked_sub(1) else { return Ok(()) };
        // Most often, `+` is a digit.
        let is_apt = |kind: &ViewKind| {
            *kind != ViewKind::Form || self.search.has_spaces || bytes.contains(&b'%')
        };
        for kind in ViewKind::ALL.into_iter().filter(is_apt) {
            let Some(view) = kind.undo(bytes) else { continue };
            let origin = |range| origin(view.origin(range));
            // Whichever of two kinds is undone first, often the same comes of it.
            if self.is_new(&view.bytes, &origin, escapes) {
                // Runs that are as they were have been looked into.
                self.runs(&view.bytes, &|run| view.is_changed(run), &origin, levels)?;
                if kind == ViewKind::Lines && !view.joins_escapes() {
                    self.matches(&view.bytes, &origin, 0)?;
                } else {
                    self.plainer(&view.bytes, &origin, Levels { escapes, ..levels })?;
                }
            }
        }
        Ok(())
    }

    /// Whether these bytes of this place were not searched yet with as many levels left.
    fn is_new(&mut self, bytes: &[u8], origin: SourceRange<'_>, escapes: usize) -> bool {
        let key = (origin(0..bytes.len()), self.state.hash_one(bytes));
        let known = self.seen.entry(key).or_default();
        let is_new = *known <= escapes;
        *known = (*known).max(escapes + 1);
        is_new
    }

    /// Searches bytes as they are for values that are not shorter than that.
    fn matches(
        &mut self,
        bytes: &[u8],
        origin: SourceRange<'_>,
        least: usize,
    ) -> Result<(), SearchFailed> {
        self.left.take(bytes.len())?;
        let dense = if self.search.has_spaces { dense(bytes) } else { None };
        let packed = dense.as_ref().map_or(bytes, |view| &view.bytes);
        let mut candidates = Vec::new();
        for found in self.search.beginnings.find_overlapping_iter(packed) {
            let start = match &dense {
                Some(view) => view.origin(found.range()).start,
                None => found.start(),
            };
            candidates.clear();
            let group = &self.search.needles[found.pattern().as_usize()].1;
            self.left.take(group.in_text(&bytes[start..], &mut candidates))?;
            for needle in &candidates {
                let (is_there, length) = compare(&needle.value, &bytes[start..]);
                self.left.take(length)?;
                if !is_there {
                    continue;
                }
                let range = start..start + length;
                if needle.value.len() >= least && needle.stands.counts(bytes, &range) {
                    self.spans.push((origin(range), needle.number));
                }
            }
        }
        self.cut_off(bytes, origin)
    }

    /// Searches what those runs of digits stand for that are `wanted`.
    fn runs(
        &mut self,
        bytes: &[u8],
        wanted: &dyn Fn(&Range<usize>) -> bool,
        origin: SourceRange<'_>,
        levels: Levels,
    ) -> Result<(), SearchFailed> {
        let Some(fewer) = levels.digits.checked_sub(1) else { return Ok(()) };
        let levels = Levels { digits: fewer, escapes: LEVELS };
        let mut decoded = Vec::new();
        for digits in [Digits::Base64, Digits::Hex] {
            for run in digits.runs(bytes) {
                let padding = bytes[run.end..].iter().take_while(|&&byte| byte == b'=').count();
                if !wanted(&(run.start..run.end + padding)) {
                    continue;
                }
                self.left.take(run.len())?;
                for first in (run.start..run.end).take(digits.alignments()) {
                    if self.may_hold_value(digits, &bytes[first..run.end]) {
                        digits.decode_into(&bytes[first..run.end], &mut decoded);
                        // Where digits are cut off, so is what they stand for.
                        let mark = mark_of_cut(&bytes[run.end..]).map_or(0, |_| CUT.len());
                        decoded.extend_from_slice(&CUT.as_bytes()[..mark]);
                        let run = DigitRun { digits, digits_of: bytes, first, end: run.end };
                        self.decoded(
                            &decoded,
                            &|range| origin(run.origin(&decoded, range)),
                            levels,
                        )?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether it is worth the while to search what these digits stand for: most often they are a
    /// word.
    fn may_hold_value(&self, digits: Digits, run: &[u8]) -> bool {
        self.search.has_bytes || digits.has_text(run, SHORTEST_TEXT, is_text_byte)
    }

    /// Searches bytes that digits stand for, which may be no text at all or have one inside.
    fn decoded(
        &mut self,
        bytes: &[u8],
        origin: SourceRange<'_>,
        levels: Levels,
    ) -> Result<(), SearchFailed> {
        if is_text(bytes) {
            return self.views(bytes, origin, levels);
        }
        self.matches(bytes, origin, LONG)?;
        let mut start = 0;
        for part in bytes.split(|byte| !is_text_byte(*byte)) {
            let at = start;
            start += part.len() + 1;
            if part.len() >= SHORTEST_TEXT {
                let within = |range: Range<usize>| origin(at + range.start..at + range.end);
                self.views(part, &within, levels)?;
            }
        }
        Ok(())
    }
}

/// Whether `text` begins with the value, and how far it is the same; white space may be wrapped in
/// another way, and lines be joined.
fn compare(value: &[u8], text: &[u8]) -> (bool, usize) {
    let (mut at, mut of) = (0, 0);
    while of < value.len() {
        let (space, expected) = (white_space(&text[at..]), white_space(&value[of..]));
        let is_wrapped = |space: &[u8]| space.contains(&b'\n');
        match (space, expected) {
            (0, 0) if text.get(at) == Some(&value[of]) => {
                at += 1;
                of += 1;
                continue;
            }
            (0, 0) => return (false, at),
            (_, 0) if !is_wrapped(&text[at..at + space]) => return (false, at),
            (0, _)
                if value.len() < SPACES_DO_NOT_MATTER && !is_wrapped(&value[of..of + expected]) =>
            {
                return (false, at);
            }
            _ => {}
        }
        at += space;
        of += expected;
    }
    (true, at)
}

/// Whether these bytes are a text: no bytes that are none, and no control characters.
fn is_text(bytes: &[u8]) -> bool {
    let is_fit = |c: char| !c.is_control() || c.is_ascii_whitespace();
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_fit))
}

fn is_text_byte(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}
