//! Beginnings of values whose rest a program cut off, such as `` `hunter2...` ``.

use std::ops::Range;

use super::{BEGINNING, LONG, SearchRun, SourceRange, ValueSearch};
use crate::core::redact::budget::Allowance;
use crate::core::redact::budget::SearchFailed;
use crate::core::redact::needle::{Needle, QUOTES};
use crate::core::redact::views::LONGEST_ESCAPE;

/// The shortest beginning of a value that is masked where a program cut the rest off.
const SHORTEST_CUT: usize = 4;
/// How far before the cut a value may begin.
const LONGEST_CUT: usize = 1 << 10;
/// The mark of a truncation.
pub(super) const CUT: &str = "…";

impl ValueSearch {
    /// A value that begins with all that a program showed of one, and the cost of finding it. The
    /// part has no white space and is shorter than what goes into the search.
    fn begins_with(&self, shown: &[u8]) -> (Option<&Needle>, usize) {
        let from = self.needles.partition_point(|(beginning, _)| beginning.as_slice() < shown);
        let same = self.needles[from..].iter().take_while(|(known, _)| known.starts_with(shown));
        let mut cost = shown.len();
        for (_, group) in same {
            let (found, compared) = group.that_begins_with(shown);
            cost += compared;
            if found.is_some() {
                return (found, cost);
            }
        }
        (None, cost)
    }
}

impl SearchRun<'_> {
    /// Finds beginnings of values whose rest was cut off, such as `` `hunter2...` ``.
    pub(super) fn cut_off(
        &mut self,
        bytes: &[u8],
        origin: SourceRange<'_>,
    ) -> Result<(), SearchFailed> {
        if !(0..bytes.len()).any(|at| mark_of_cut(&bytes[at..]).is_some()) {
            return Ok(());
        }
        self.left.take(bytes.len())?;
        let shown = TruncatedText::new(self.search, bytes);
        let mut quote = None;
        for at in 0..bytes.len() {
            match bytes[at] {
                b'`' | b'\'' | b'"' => quote = Some(at + 1),
                b'.' | 0xe2 => {
                    let Some(mark) = mark_of_cut(&bytes[at..]) else { continue };
                    let end = without_half_an_escape(&bytes[..at]);
                    // Three dots end many a sentence, but not between quotes.
                    let starts = match (quote.take(), mark) {
                        (Some(from), _) if end >= from + SHORTEST_CUT => from..end,
                        (_, CUT) => end.saturating_sub(LONGEST_CUT)..end,
                        _ => continue,
                    };
                    if let Some((from, needle)) = shown.beginning(starts, &mut self.left)? {
                        self.spans.push((origin(from..at), needle.number));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A text in which a program showed the beginnings of values, prepared so that no place of it is
/// compared more often than it has to be.
struct TruncatedText<'a> {
    search: &'a ValueSearch,
    bytes: &'a [u8],
    /// The text without white space.
    dense: Vec<u8>,
    /// Where in the text each byte of that stands.
    origins: Vec<usize>,
    /// Where in it something stands that is as long as what goes into the search, in order, and
    /// which it is. Only there can a longer one begin.
    long: Vec<(usize, usize)>,
}

impl<'a> TruncatedText<'a> {
    fn new(search: &'a ValueSearch, bytes: &'a [u8]) -> Self {
        let is_dense = |at: &usize| !bytes[*at].is_ascii_whitespace();
        let origins: Vec<usize> = (0..bytes.len()).filter(is_dense).collect();
        let dense: Vec<u8> = origins.iter().map(|at| bytes[*at]).collect();
        let found = search.beginnings.find_overlapping_iter(&dense);
        let long = found
            .filter(|it| it.end() - it.start() == BEGINNING)
            .map(|it| (it.start(), it.pattern().as_usize()))
            .collect();
        Self { search, bytes, dense, origins, long }
    }

    /// The first of these places from which on all is the beginning of a value, and the value.
    fn beginning(
        &self,
        starts: Range<usize>,
        left: &mut Allowance<'_>,
    ) -> Result<Option<(usize, &'a Needle)>, SearchFailed> {
        let place = |at: usize| self.origins.partition_point(|origin| *origin < at);
        let (first, end) = (place(starts.start), place(starts.end));
        let near = first.max(end.saturating_sub(BEGINNING - 1));
        let from = self.long.partition_point(|(start, _)| *start < first);
        let to = self.long.partition_point(|(start, _)| start + BEGINNING <= end);
        for (start, group) in self.long.get(from..to).unwrap_or_default() {
            let group = &self.search.needles[*group].1;
            let (found, cost) = group.that_begins_with(&self.dense[*start..end]);
            left.take(cost)?;
            if let Some(needle) = found {
                return Ok(Some((self.origins[*start], needle)));
            }
        }
        for start in near..end {
            let from = self.origins[start];
            let is_quoted = self.bytes[..from].last().is_none_or(|it| QUOTES.contains(it));
            let least = if is_quoted { SHORTEST_CUT } else { LONG };
            if starts.end < from + least {
                continue;
            }
            let (found, cost) = self.search.begins_with(&self.dense[start..end]);
            left.take(cost)?;
            if let Some(needle) = found {
                return Ok(Some((from, needle)));
            }
        }
        Ok(None)
    }
}

/// The mark that `text` begins with of something that was cut off.
pub(super) fn mark_of_cut(text: &[u8]) -> Option<&'static str> {
    [CUT, "..."].into_iter().find(|mark| text.starts_with(mark.as_bytes()))
}

/// Where `text` ends without the beginning of an escape.
fn without_half_an_escape(text: &[u8]) -> usize {
    let from = text.len().saturating_sub(LONGEST_ESCAPE);
    let is_escape = |at: usize| {
        b"\\%&".contains(&text[at])
            && text[at + 1..].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
    };
    (from..text.len()).find(|&at| is_escape(at)).unwrap_or(text.len())
}
