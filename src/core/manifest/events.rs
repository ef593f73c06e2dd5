//! The text of one document → the events of YAML's syntax, and the one user of `libyaml_safer`.
//!
//! kubectl's parser (goyaml.v2) and this one are ports of the same libyaml and accept nearly the
//! same texts; where they differ, this module takes kubectl's side. What the events mean is
//! [`super::tree`]'s and [`super::scalar`]'s.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{Event, EventData, MappingStyle, Mark, Parser, ScalarStyle, SequenceStyle};

use super::fault::{ManifestFault, Spot};
use super::hints;
use super::prepared_text::PreparedText;
use super::spots::Spots;

/// One event of a document and where it begins.
pub(super) struct YamlEvent {
    pub(super) spot: Spot,
    pub(super) kind: YamlEventKind,
}

/// The kind of an event.
pub(super) enum YamlEventKind {
    /// A list begins; with its anchor.
    List(Option<String>),
    /// A map begins; with its anchor.
    Map(Option<String>),
    /// The innermost list or map ends.
    End,
    /// A text; with its anchor.
    Scalar(Option<String>, ScalarText),
    /// The value of the anchor of this name.
    Alias(String),
    /// The document ends.
    DocumentEnd,
    /// There is no document.
    Nothing,
}

/// A text before its type is known.
#[derive(Clone, Default)]
pub(super) struct ScalarText {
    pub(super) text: String,
    pub(super) tag: Option<String>,
    /// Without quotes, and not a block of text.
    pub(super) plain: bool,
}

thread_local! {
    static PARSING: Cell<bool> = const { Cell::new(false) };
    /// A parser to use again: its buffers are far larger than most documents.
    static SPARE: RefCell<Option<Parser<Bytes>>> = const { RefCell::new(None) };
}

/// A parser of a longer text is not used again, since its buffers grew with the text.
const SHORT: usize = 16 << 10;

/// Whether this thread is within the YAML parser. Its asserts are caught and become a problem of
/// the file, so that a panic hook has nothing to say of them.
pub fn is_parsing() -> bool {
    PARSING.get()
}

/// The events of a text, one by one.
pub(super) struct Events<'a> {
    parser: SpareParser,
    prepared: &'a PreparedText<'a>,
    text: &'a str,
    spots: Spots<'a>,
    last_colon: Option<usize>,
    /// Where the last event ended.
    last: Mark,
    /// The byte at which the document ended.
    ended: usize,
    /// How many of the open lists and maps are written with brackets.
    flow: usize,
    /// For each open list and map, whether it is.
    open: Vec<bool>,
}

type Bytes = std::io::Cursor<Vec<u8>>;

/// A parser that is used again once it is dropped.
struct SpareParser {
    /// `None` once a panic left it half way.
    parser: Option<Parser<Bytes>>,
    is_short: bool,
}

impl SpareParser {
    fn new(text: &str) -> Self {
        let mut parser = SPARE.take().unwrap_or_default();
        parser.set_input(Bytes::new(text.as_bytes().to_vec()));
        Self { parser: Some(parser), is_short: text.len() <= SHORT }
    }

    /// The next event; `None` where the parser has panicked, and is of no use any more.
    fn parse(&mut self) -> Option<Result<Event, libyaml_safer::Error>> {
        let parser = self.parser.as_mut()?;
        // The parser has asserts of its own; a hostile file must not end the run by one.
        PARSING.set(true);
        let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse())).ok();
        PARSING.set(false);
        if parsed.is_none() {
            self.parser = None;
        }
        parsed
    }
}

impl Drop for SpareParser {
    fn drop(&mut self) {
        if let Some(mut parser) = self.parser.take().filter(|_| self.is_short) {
            parser.reset();
            SPARE.set(Some(parser));
        }
    }
}

impl<'a> Events<'a> {
    /// `line` is the file's line that the text begins at.
    pub(super) fn new(prepared: &'a PreparedText<'a>, line: u32) -> Self {
        let text = prepared.text();
        Self {
            parser: SpareParser::new(text),
            prepared,
            text,
            spots: Spots::new(text, line),
            last: Mark::default(),
            ended: 0,
            last_colon: None,
            flow: 0,
            open: Vec::new(),
        }
    }

    /// The next event that has a meaning.
    pub(super) fn next(&mut self) -> Result<YamlEvent, ManifestFault> {
        loop {
            let parsed = self.parser.parse();
            let parsed =
                parsed.ok_or_else(|| hints::unreadable(&self.spots, self.last.index as usize))?;
            let event = parsed.map_err(|error| {
                if error.problem() == "found unexpected ':'" {
                    self.last_colon = error.problem_mark().map(|mark| mark.index as usize);
                }
                hints::syntax(&error, &self.spots)
            })?;
            let spot = self.spots.at(event.start_mark);
            self.last = event.end_mark;
            let kind = match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
                EventData::StreamEnd => YamlEventKind::Nothing,
                EventData::DocumentEnd { .. } => {
                    self.ended = event.start_mark.index as usize;
                    YamlEventKind::DocumentEnd
                }
                EventData::Alias { anchor } => YamlEventKind::Alias(anchor),
                EventData::SequenceStart { anchor, style, .. } => {
                    self.begin(style == SequenceStyle::Flow);
                    YamlEventKind::List(anchor)
                }
                EventData::MappingStart { anchor, style, .. } => {
                    self.begin(style == MappingStyle::Flow);
                    YamlEventKind::Map(anchor)
                }
                EventData::SequenceEnd | EventData::MappingEnd => {
                    self.flow -= usize::from(self.open.pop().unwrap_or_default());
                    YamlEventKind::End
                }
                EventData::Scalar { anchor, tag, value, style, .. } => {
                    let span = event.start_mark.index as usize..event.end_mark.index as usize;
                    self.check(span, style, value.contains('?'))?;
                    let plain = style == ScalarStyle::Plain;
                    let tag = tag.map(|tag| self.prepared.restore(tag));
                    let text = self.prepared.restore(value);
                    YamlEventKind::Scalar(anchor, ScalarText { text, tag, plain })
                }
            };
            return Ok(YamlEvent { spot, kind });
        }
    }

    /// The byte of the colon that the parser stumbled over.
    pub(super) fn last_colon(&self) -> Option<usize> {
        self.last_colon
    }

    /// The text's length in bytes.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    /// Once the document has ended: where the text has something more, which kubectl never reads.
    pub(super) fn rest(&self) -> Option<Spot> {
        let mut at = 0;
        let mut ended = false;
        for line in self.text.split_inclusive('\n') {
            let blank = line.trim_start().is_empty() || line.trim_start().starts_with('#');
            if ended && !blank && !line.starts_with("...") {
                return Some(self.spots.at_byte(at));
            }
            ended |= line.trim_end() == "..." && at >= self.ended;
            at += line.len();
        }
        None
    }

    fn begin(&mut self, flow: bool) {
        self.flow += usize::from(flow);
        self.open.push(flow);
    }

    /// Refuses what only newer libyaml accepts.
    fn check(
        &self,
        span: Range<usize>,
        style: ScalarStyle,
        asks: bool,
    ) -> Result<(), ManifestFault> {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let fault = |at: usize, message: &str| {
            Err(ManifestFault::new(self.spots.at_byte(span.start + at), message))
        };
        match style {
            ScalarStyle::Plain if self.flow > 0 && asks => match written.rfind('?') {
                Some(at) => fault(at, "a `?` within brackets must be quoted"),
                None => Ok(()),
            },
            ScalarStyle::DoubleQuoted => match escaped_slash(written) {
                Some(at) => fault(at, "`\\/` is not an escape that Kubernetes' YAML knows"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn escaped_slash(written: &str) -> Option<usize> {
    let mut escaped = false;
    written.bytes().position(|byte| {
        let found = escaped && byte == b'/';
        escaped = byte == b'\\' && !escaped;
        found
    })
}
