//! A text in plainer forms: escapes of one kind decoded, line breaks or all white space taken out.
//! Each form knows for every byte where in the text it is from, so that what is found in it can be
//! masked in the text.

use std::ops::Range;

/// The longest escape, an entity.
pub(super) const LONGEST_ESCAPE: usize = 18;

/// A text that was made of another one.
#[derive(Default)]
pub(super) struct View {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Where it is not as the other text is, in order.
    changes: Vec<ViewChange>,
}

/// A place where a view differs from what it was made of.
struct ViewChange {
    /// The part of the view.
    here: Range<usize>,
    /// The original range.
    there: Range<usize>,
}

impl View {
    /// Adds `bytes`, made of this part of the other text.
    fn change(&mut self, bytes: &[u8], there: Range<usize>) {
        let here = self.bytes.len()..self.bytes.len() + bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.changes.push(ViewChange { here, there });
    }

    /// The part of the other text that a part of this one was made of.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        let before = |at: usize| {
            self.changes[..self.changes.partition_point(|it| it.here.start <= at)].last()
        };
        // A byte that is as it was stands as far behind the last change as it did.
        let start = match before(range.start) {
            Some(ViewChange { here, there }) if range.start < here.end => there.start,
            Some(ViewChange { here, there }) => there.end + (range.start - here.end),
            None => range.start,
        };
        let end = match before(range.end.saturating_sub(1)) {
            Some(ViewChange { here, there }) if range.end <= here.end => there.end,
            Some(ViewChange { here, there }) => there.end + (range.end - here.end),
            None => range.end,
        };
        start..end
    }

    /// Whether an escape was put together from what stood on both sides of a change.
    pub(super) fn joins_escapes(&self) -> bool {
        let kinds = [ViewKind::Backslash, ViewKind::Percent, ViewKind::Entity, ViewKind::Quotes];
        self.changes.iter().map(|change| change.here.start).any(|joint| {
            (joint.saturating_sub(LONGEST_ESCAPE)..joint).any(|at| {
                let escapes = kinds.iter().filter_map(|kind| kind.escape(&self.bytes[at..]));
                escapes.into_iter().any(|(_, length)| at + length > joint)
            })
        })
    }

    /// Whether a part of it has a change in it or beside it.
    pub(super) fn is_changed(&self, range: &Range<usize>) -> bool {
        let first = self.changes.partition_point(|it| it.here.end < range.start);
        self.changes.get(first).is_some_and(|it| it.here.start <= range.end)
    }
}

/// The encodings of a text that can be undone. Each is undone by itself, so that encodings in
/// whatever order can be undone in the reverse order, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewKind {
    /// Backslashes: JSON, YAML, Go, Rust, shells and patterns.
    Backslash,
    /// Percent signs and two hexadecimal digits: URLs.
    Percent,
    /// The same with `+` for each space: forms.
    Form,
    /// Entities by name or number: HTML and XML.
    Entity,
    /// Doubled single quotes: YAML, SQL and PowerShell.
    Quotes,
    /// Line breaks with the blanks around them.
    Lines,
}

impl ViewKind {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Backslash, Self::Percent, Self::Form, Self::Entity, Self::Quotes, Self::Lines];

    /// `text` with one level of it undone; `None` when there is nothing of it.
    pub(super) fn undo(self, text: &[u8]) -> Option<View> {
        if self == Self::Lines {
            return without(text, |space| space.contains(&b'\n'));
        }
        let sign = match self {
            Self::Backslash => b'\\',
            Self::Percent => b'%',
            Self::Form => b'+',
            Self::Entity => b'&',
            Self::Quotes | Self::Lines => b'\'',
        };
        if !text.contains(&sign) {
            return None;
        }
        let is_start = |byte: u8| byte == sign || self == Self::Form && byte == b'%';
        if self == Self::Form && !text.windows(3).any(|it| it[1] == b'+' && is_inside(it)) {
            return None; // a sum, or the digit of a base64 text by itself
        }
        let mut view = View::default();
        let (mut at, mut copied) = (0, 0);
        while at < text.len() {
            match is_start(text[at]).then(|| self.escape(&text[at..])).flatten() {
                Some((meaning, length)) => {
                    view.bytes.extend_from_slice(&text[copied..at]);
                    let there = at..at + length;
                    match meaning {
                        EscapeMeaning::Byte(byte) => view.change(&[byte], there),
                        EscapeMeaning::Char(c) => {
                            view.change(c.encode_utf8(&mut [0; 4]).as_bytes(), there)
                        }
                        EscapeMeaning::Nothing => view.change(&[], there),
                    }
                    at += length;
                    copied = at;
                }
                None => at += 1,
            }
        }
        view.bytes.extend_from_slice(&text[copied..]);
        (!view.changes.is_empty()).then_some(view)
    }

    /// The escape of this kind that `text` begins with, and its length.
    fn escape(self, text: &[u8]) -> Option<(EscapeMeaning, usize)> {
        match (self, text.first()?) {
            (Self::Backslash, b'\\') => backslash(text),
            (Self::Form, b'+') => Some((EscapeMeaning::Byte(b' '), 1)),
            (Self::Percent | Self::Form, b'%') => {
                Some((EscapeMeaning::Byte(u8::try_from(number(text, 1..3, 16)?).ok()?), 3))
            }
            (Self::Entity, b'&') => entity(text),
            (Self::Quotes, b'\'') => {
                text.starts_with(b"''").then_some((EscapeMeaning::Byte(b'\''), 2))
            }
            _ => None,
        }
    }
}

/// `text` without white space; `None` when it has none.
pub(super) fn dense(text: &[u8]) -> Option<View> {
    without(text, |_| true)
}

/// `text` without those runs of white space that `goes` says; `None` when nothing goes.
fn without(text: &[u8], goes: impl Fn(&[u8]) -> bool) -> Option<View> {
    let mut view = View::default();
    let (mut at, mut copied) = (0, 0);
    while at < text.len() {
        let length = white_space(&text[at..]);
        if length > 0 && goes(&text[at..at + length]) {
            view.bytes.extend_from_slice(&text[copied..at]);
            view.change(&[], at..at + length);
            copied = at + length;
        }
        at += length.max(1);
    }
    view.bytes.extend_from_slice(&text[copied..]);
    (!view.changes.is_empty()).then_some(view)
}

/// Whether there is no white space around a sign.
fn is_inside(three: &[u8]) -> bool {
    !three[0].is_ascii_whitespace() && !three[2].is_ascii_whitespace()
}

/// How many bytes of white space `text` begins with.
pub(super) fn white_space(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The meaning of an escape.
#[derive(Clone, Copy)]
enum EscapeMeaning {
    Byte(u8),
    Char(char),
    Nothing,
}

fn backslash(text: &[u8]) -> Option<(EscapeMeaning, usize)> {
    let byte = |byte| Some((EscapeMeaning::Byte(byte), 2));
    match *text.get(1)? {
        b'n' => byte(b'\n'),
        b't' => byte(b'\t'),
        b'r' => byte(b'\r'),
        b'a' => byte(0x07),
        b'b' => byte(0x08),
        b'v' => byte(0x0b),
        b'f' => byte(0x0c),
        b'e' => byte(0x1b),
        b'x' => Some((EscapeMeaning::Byte(u8::try_from(number(text, 2..4, 16)?).ok()?), 4)),
        b'u' if text.get(2) == Some(&b'{') => {
            let end = text.iter().take(10).position(|&byte| byte == b'}')?;
            Some((EscapeMeaning::Char(char::from_u32(number(text, 3..end, 16)?)?), end + 1))
        }
        b'u' => unit(text),
        b'U' => Some((EscapeMeaning::Char(char::from_u32(number(text, 2..10, 16)?)?), 10)),
        b'0'..=b'3' if number(text, 1..4, 8).is_some() => {
            Some((EscapeMeaning::Byte(u8::try_from(number(text, 1..4, 8)?).ok()?), 4))
        }
        b'0' => byte(0),
        // A line that goes on in the next one, which may be indented.
        b'\n' => Some((EscapeMeaning::Nothing, 1 + white_space(&text[1..]))),
        // Quotes and other signs: JSON, shells, Markdown and patterns each escape their own.
        other if other.is_ascii_punctuation() || other == b' ' => byte(other),
        _ => None,
    }
}

/// `\uHHHH`, where two may stand for one character.
fn unit(text: &[u8]) -> Option<(EscapeMeaning, usize)> {
    let first = number(text, 2..6, 16)?;
    if let Some(c) = char::from_u32(first) {
        return Some((EscapeMeaning::Char(c), 6));
    }
    let second = text.get(6..8).filter(|start| start == b"\\u").and(number(text, 8..12, 16))?;
    let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let c = char::decode_utf16(units).next()?.ok()?;
    Some((EscapeMeaning::Char(c), 12))
}

/// An entity of HTML: of a character of ASCII or Latin-1 by its name, of any by its number.
fn entity(text: &[u8]) -> Option<(EscapeMeaning, usize)> {
    let end = text.iter().take(LONGEST_ESCAPE).position(|&byte| byte == b';')?;
    let c = match (text.get(1)?, text.get(2)?) {
        (b'#', b'x' | b'X') => char::from_u32(number(text, 3..end, 16)?)?,
        (b'#', _) => char::from_u32(number(text, 2..end, 10)?)?,
        _ => {
            let name = &text[1..end];
            let ascii = ASCII.iter().find(|(known, _)| known.as_bytes() == name);
            match ascii {
                Some((_, c)) => *c,
                None => {
                    let mut names = LATIN_1.split_ascii_whitespace();
                    let at = names.position(|known| known.as_bytes() == name)?;
                    char::from_u32(0xa0 + u32::try_from(at).ok()?)?
                }
            }
        }
    };
    Some((EscapeMeaning::Char(c), end + 1))
}

/// The number that digits at a place of `text` make.
fn number(text: &[u8], digits: Range<usize>, base: u32) -> Option<u32> {
    let digits = text.get(digits).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u32, |number, digit| {
        number.checked_mul(base)?.checked_add(char::from(*digit).to_digit(base)?)
    })
}

/// The names that HTML has for characters of ASCII.
const ASCII: &[(&str, char)] = &[
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("DiacriticalGrave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("VerticalLine", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
];

/// The names that HTML has for the characters from U+00A0 to U+00FF.
const LATIN_1: &str = "\
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr \
    deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest \
    Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml \
    ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig \
    agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml \
    eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(kind: ViewKind, text: &str) -> String {
        String::from_utf8(kind.undo(text.as_bytes()).map_or(text.into(), |it| it.bytes)).unwrap()
    }

    #[test]
    fn one_level_of_every_kind_is_undone() {
        for (kind, text, expected) in [
            (ViewKind::Backslash, r#"a\"b\\c\/d\n"#, "a\"b\\c/d\n"),
            (ViewKind::Backslash, r"\u00e9\ud83d\ude00\u{1f600}\U0001f600\x41\101", "é😀😀😀AA"),
            (ViewKind::Backslash, r"\ud83d \q \xg1 \u12 %41", r"\ud83d \q \xg1 \u12 %41"),
            (ViewKind::Backslash, "a\\\n   b", "ab"),
            (ViewKind::Backslash, r"p\@ss\$word\ 1", "p@ss$word 1"),
            (ViewKind::Percent, "100%25%c3%A9 5% %zz", "100%é 5% %zz"),
            (ViewKind::Form, "a+b%2Bc", "a b+c"),
            (ViewKind::Entity, "&lt;&amp;lt;&#39;&#x27;&eacute;&nope;&", "<&lt;''é&nope;&"),
            (ViewKind::Quotes, "'it''s'''", "'it's''"),
            (ViewKind::Lines, "ab  \r\n\t cd e", "abcd e"),
        ] {
            assert_eq!(plain(kind, text), expected, "{text}");
        }
        for kind in ViewKind::ALL {
            assert!(kind.undo(br"plain text, 100%, it's & \q").is_none(), "{kind:?}");
        }
    }

    #[test]
    fn match_in_a_decoded_view_maps_back_to_the_text() {
        let text = r"x \x41\u00e9\> y";
        let view = ViewKind::Backslash.undo(text.as_bytes()).unwrap();
        // In Go's quotes, \x41 is a byte and \u00e9 a character.
        assert_eq!(view.bytes, "x Aé> y".as_bytes());
        let find = |what: &str| {
            let bytes = what.as_bytes();
            let at = view.bytes.windows(bytes.len()).position(|part| part == bytes).unwrap();
            &text[view.origin(at..at + bytes.len())]
        };
        assert_eq!((find("Aé"), find(">"), find(" y")), (r"\x41\u00e9", r"\>", " y"));
        assert_eq!(ViewKind::Lines.undo(b"ab  \r\n\t cd e").unwrap().origin(1..3), 1..9);
        assert_eq!(dense(b"a b\nc").unwrap().bytes, b"abc");
        assert!(ViewKind::Lines.undo(b"a b").is_none() && dense(b"ab").is_none());
    }

    #[test]
    fn every_character_of_latin_1_has_a_name() {
        assert_eq!(LATIN_1.split_ascii_whitespace().count(), 96);
        assert_eq!(plain(ViewKind::Entity, "&nbsp;&Agrave;&yuml;"), "\u{a0}Àÿ");
    }
}
