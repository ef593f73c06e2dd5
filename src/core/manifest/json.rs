//! A stream of JSON documents → their values, as kubectl reads a file whose first character is `{`.
//!
//! Strict about syntax as Go is; a later key overrides an earlier one, and half a surrogate pair
//! becomes `U+FFFD`. After wrong syntax nothing tells where the next document would begin, so the
//! stream ends there.

use std::collections::BTreeMap;

use super::build::{self, BuiltDocument};
use super::encoding;
use super::fault::{ManifestFault, Spot};
use super::limits;
use super::number;
use super::positions::{PathPart, Recorder};
use crate::core::json::Value;

/// Whether the first character that is not a space is `{`.
pub(super) fn is_json(text: &[u8]) -> bool {
    let start = &text[..text.len().min(4096)];
    String::from_utf8_lossy(start).trim_start().starts_with('{')
}

/// A document (`None` for null) or what is wrong with it, and its text.
type Item<'a> = Result<(Option<BuiltDocument>, &'a [u8]), (ManifestFault, &'a [u8])>;

/// The documents of a file, ending with the first one that can't be read.
pub(super) fn documents(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let text = encoding::utf8(bytes, 1);
    let mut cursor = Cursor::new(text.clone().unwrap_or_default());
    let mut fault = text.err();
    std::iter::from_fn(move || {
        if let Some(fault) = fault.take() {
            return Some(Err((fault, bytes)));
        }
        cursor.skip_space();
        if cursor.rest().is_empty() {
            return None;
        }
        let start = cursor.at;
        let read = cursor.document();
        let text = &bytes[start..];
        Some(match read {
            Ok(document) => Ok((document, &text[..cursor.at - start])),
            Err(wrong) => {
                cursor.at = bytes.len();
                Err((*wrong, text))
            }
        })
    })
}

type BoxedFault = Box<ManifestFault>;

struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// The line that `at` is in, and the byte that it begins at.
    line: u32,
    /// A byte in that line and its column, so that a long line is counted once.
    counted: (usize, u32),
    depth: usize,
    positions: Recorder,
    warnings: Vec<ManifestFault>,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            counted: (0, 1),
            depth: 0,
            positions: Recorder::default(),
            warnings: Vec::new(),
        }
    }

    fn document(&mut self) -> Result<Option<BuiltDocument>, BoxedFault> {
        let start = self.at;
        let spot = self.spot();
        let root = self.positions.open(&PathPart::Index(0), spot, spot);
        let value = self.value()?;
        self.positions.close(root);
        let positions = std::mem::take(&mut self.positions).finish();
        let warnings = std::mem::take(&mut self.warnings);
        let may_be_big = self.at - start > limits::OBJECT / 3;
        Ok((!value.is_null()).then_some(BuiltDocument { value, positions, may_be_big, warnings }))
    }

    /// Recurses as deep as the document, so it and what it calls hold little on the stack.
    fn value(&mut self) -> Result<Value, BoxedFault> {
        match self.peek() {
            Some(b'{') => self.map(),
            Some(b'[') => self.list(),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value, BoxedFault> {
        match self.peek() {
            Some(b'"') => return Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => return self.number(),
            _ => {}
        }
        for (word, value) in [("null", Value::Null), ("true", true.into()), ("false", false.into())]
        {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("a JSON value is expected here"))
    }

    fn map(&mut self) -> Result<Value, BoxedFault> {
        self.enter()?;
        let mut map = BTreeMap::new();
        let mut ended = self.eat(b'}');
        while !ended {
            let (key, spot, part) = self.key()?;
            let value = self.value()?;
            self.positions.close(part);
            self.put(&mut map, key, value, spot);
            ended = self.end_or_comma(b'}')?;
        }
        self.depth -= 1;
        Ok(Value::Object(map.into_iter().collect()))
    }

    /// A key up to its value; where it stands, and its part of the positions.
    fn key(&mut self) -> Result<(String, Spot, usize), BoxedFault> {
        let key_spot = self.spot();
        if self.peek() != Some(b'"') {
            return Err(self.wrong("a key in double quotes is expected here"));
        }
        let key = self.string()?;
        self.skip_space();
        if !self.eat(b':') {
            return Err(self.wrong("a `:` is expected here"));
        }
        self.skip_space();
        let spot = self.spot();
        let part = self.positions.open(&PathPart::Key(&key), key_spot, spot);
        Ok((key, key_spot, part))
    }

    fn put(&mut self, map: &mut BTreeMap<String, Value>, key: String, value: Value, spot: Spot) {
        if map.contains_key(&key) {
            self.warnings.push(build::twin(&key, spot));
        }
        map.insert(key, value);
    }

    fn list(&mut self) -> Result<Value, BoxedFault> {
        self.enter()?;
        let mut list = Vec::new();
        let mut ended = self.eat(b']');
        while !ended {
            let part = self.open_item(list.len());
            list.push(self.value()?);
            self.positions.close(part);
            ended = self.end_or_comma(b']')?;
        }
        self.depth -= 1;
        list.shrink_to_fit();
        Ok(Value::Array(list))
    }

    fn open_item(&mut self, index: usize) -> usize {
        let spot = self.spot();
        self.positions.open(&PathPart::Index(index), spot, spot)
    }

    fn enter(&mut self) -> Result<(), BoxedFault> {
        if self.depth == limits::DEPTH {
            return Err(Box::new(limits::too_deep(self.spot())));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Whether the list or map ends here; else a comma has been read.
    fn end_or_comma(&mut self, end: u8) -> Result<bool, BoxedFault> {
        self.skip_space();
        if self.eat(end) {
            return Ok(true);
        }
        if !self.eat(b',') {
            return Err(self.wrong(&format!("a `,` or a `{}` is expected here", char::from(end))));
        }
        self.skip_space();
        Ok(false)
    }

    fn string(&mut self) -> Result<String, BoxedFault> {
        let open = self.spot();
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let stop = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ');
            let Some(stop) = stop else {
                return Err(Box::new(ManifestFault::new(
                    open,
                    "the quote that opens here is never closed",
                )));
            };
            string.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                _ => {
                    return Err(
                        self.wrong("a JSON string can't contain a line break or control character")
                    );
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, BoxedFault> {
        let char = match self.rest().as_bytes().get(1) {
            Some(b'u') => return self.unicode(),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            _ => return Err(self.wrong("this is not an escape that JSON knows")),
        };
        self.at += 2;
        Ok(char)
    }

    fn unicode(&mut self) -> Result<char, BoxedFault> {
        let unit = |text: &str, at: usize| {
            let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
            let good = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if good { u32::from_str_radix(digits, 16).ok() } else { None }
        };
        let Some(first) = unit(self.text, self.at) else {
            return Err(self.wrong("`\\u` needs four hexadecimal digits"));
        };
        self.at += 6;
        let second = unit(self.text, self.at).filter(|unit| (0xdc00..0xe000).contains(unit));
        let code = match second {
            Some(second) if (0xd800..0xdc00).contains(&first) => {
                self.at += 6;
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn number(&mut self) -> Result<Value, BoxedFault> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(self.wrong("a digit is expected here"));
        }
        let mut is_integer = true;
        if self.eat(b'.') {
            is_integer = false;
            if self.digits() == 0 {
                return Err(self.wrong("a digit is expected here"));
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            is_integer = false;
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return Err(self.wrong("a digit is expected here"));
            }
        }
        let written = &self.text[start..self.at];
        if is_integer && let Ok(value) = written.parse::<i64>() {
            return Ok(value.into());
        }
        let value = written.parse().ok().and_then(number::wire);
        value.ok_or_else(|| {
            self.at = start;
            self.wrong("this number is too big")
        })
    }

    fn digits(&mut self) -> usize {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits;
        digits
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.counted = (self.at, 1);
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn spot(&mut self) -> Spot {
        let (from, column) = self.counted;
        let passed = self.text.get(from..self.at).map_or(0, |passed| passed.chars().count());
        self.counted = (self.at.max(from), column + passed as u32);
        Spot { line: self.line, column: self.counted.1 }
    }

    fn wrong(&mut self, message: &str) -> BoxedFault {
        let fault = ManifestFault::new(self.spot(), message);
        Box::new(if self.rest().is_empty() { fault.hint("the file ends too early") } else { fault })
    }
}
