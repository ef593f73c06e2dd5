//! The text of a document with stand-ins for what the parser would take otherwise than kubectl's.
//!
//! - A byte order mark within the text is a letter like any other for kubectl; this parser skips
//!   some of them.
//! - A comma right behind a tag within brackets (`[!!str, a]`) ends this parser with a panic; with
//!   the stand-in it is an error. kubectl takes the comma for a part of the tag.
//! - A colon at the end of a word within brackets (`[a:]`) belongs to the word for kubectl and is an
//!   error for this parser. Then it is given the text once more.
//! - A comma within a tag that is written out (`!<tag:yaml.org,2002:int>`) is an error for it.

use std::borrow::Cow;

/// How kubectl's parser and YAML write the tags of YAML's own types, and what this parser takes.
const OWN_TAG: &str = "tag:yaml.org,2002:";
const OWN_TAG_STAND_IN: &str = "tag:yaml.org;2002:";

const MARK: char = '\u{feff}';

/// A text that the parser can be given.
pub(super) struct PreparedText<'a> {
    text: Cow<'a, str>,
    /// Pairs of what stands there now and what it stands for.
    stand_ins: Vec<(char, char)>,
    /// Whether YAML's own tags have theirs.
    tags: bool,
}

impl<'a> PreparedText<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let text = text.strip_prefix(MARK).unwrap_or(text);
        let mut prepared = Self { text: text.into(), stand_ins: Vec::new(), tags: false };
        if text.contains(MARK) {
            prepared.replace(MARK, |_| true);
        }
        if text.contains("!<") && !text.contains(OWN_TAG_STAND_IN) {
            prepared.text = with_own_tags(text).into();
            prepared.tags = true;
        }
        if text.contains('!') && text.contains(',') {
            prepared.replace(',', ends_tag);
        }
        prepared
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The same with a stand-in for the colon at a byte of the text.
    pub(super) fn with_colon(&self, byte: usize) -> Self {
        let mut stand_ins = self.stand_ins.clone();
        let known = stand_ins.iter().find(|(_, original)| *original == ':');
        let stand_in = known.map(|(stand_in, _)| *stand_in).or_else(|| self.free());
        let mut text = self.text.to_string();
        if let Some(stand_in) = stand_in
            && text[byte..].starts_with(':')
        {
            text.replace_range(byte..=byte, stand_in.encode_utf8(&mut [0; 4]));
            stand_ins.push((stand_in, ':'));
            stand_ins.dedup();
        }
        Self { text: text.into(), stand_ins, tags: self.tags }
    }

    /// A letter that the text doesn't have and that stands for nothing yet.
    fn free(&self) -> Option<char> {
        ('\u{e000}'..='\u{f8ff}').find(|&char| {
            !self.text.contains(char) && self.stand_ins.iter().all(|(taken, _)| *taken != char)
        })
    }

    /// A text or a tag out of the document as it was.
    pub(super) fn restore(&self, mut text: String) -> String {
        if self.tags && text.contains(OWN_TAG_STAND_IN) {
            text = text.replace(OWN_TAG_STAND_IN, OWN_TAG);
        }
        self.stand_ins.iter().fold(text, |text, &(stand_in, original)| {
            if text.contains(stand_in) {
                text.replace(stand_in, &original.to_string())
            } else {
                text
            }
        })
    }

    /// Puts a letter that the text doesn't have for `original` where `applies` says so to what is
    /// before it.
    fn replace(&mut self, original: char, applies: fn(&str) -> bool) {
        let Some(stand_in) = self.free() else { return };
        let mut text = String::with_capacity(self.text.len());
        for part in self.text.split_inclusive(original) {
            match part.strip_suffix(original) {
                Some(before) if applies(before) => {
                    text.push_str(before);
                    text.push(stand_in);
                }
                _ => text.push_str(part),
            }
        }
        self.text = text.into();
        self.stand_ins.push((stand_in, original));
    }
}

/// Whether a comma behind this would touch a tag, if the text is within brackets: the last word is
/// one, and stands where a value begins. Where the text is not within brackets, the stand-in does no
/// harm: it is in a text, and restored.
fn ends_tag(before: &str) -> bool {
    let begin = before.rfind(|char: char| char.is_whitespace() || "[]{}".contains(char));
    let word = before[begin.unwrap_or(0)..]
        .trim_start_matches(|char: char| char.is_whitespace() || "[{".contains(char));
    word.starts_with('!') && begins_value(&before[..before.len() - word.len()])
}

/// Whether a value can begin behind this, within brackets or not.
fn begins_value(before: &str) -> bool {
    let mut earlier = before.trim_end();
    if let Some(anchor) = earlier.rfind('&')
        && !earlier[anchor..].contains(char::is_whitespace)
    {
        earlier = earlier[..anchor].trim_end();
    }
    let is_apart = before.is_empty()
        || before.ends_with(|char: char| char.is_whitespace() || "[{,".contains(char));
    is_apart && (earlier.is_empty() || earlier.ends_with(['[', '{', ':', '?', ',', '-']))
}

/// The text with the stand-in for each of YAML's own tags that is written out.
fn with_own_tags(text: &str) -> String {
    let from = format!("!<{OWN_TAG}");
    let mut with = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&from) {
        let (before, after) = rest.split_at(at);
        with.push_str(before);
        with.push_str("!<");
        let own = if begins_value(before) { OWN_TAG_STAND_IN } else { OWN_TAG };
        with.push_str(own);
        rest = &after[from.len()..];
    }
    with + rest
}
