//! Bytes → bytes in UTF-8 without a byte order mark, as kubectl opens a file.
//!
//! kubectl replaces what is not UTF-8 by `U+FFFD` without a word. Here it is a problem of the
//! document that holds it: see [`utf8`].

use std::borrow::Cow;

use super::fault::{ManifestFault, Spot};
use super::limits;

/// Turns UTF-16 (which has a byte order mark) into UTF-8 and drops UTF-8's mark.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ManifestFault> {
    if bytes.len() > limits::FILE {
        return Err(limits::file_too_big());
    }
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(Cow::Borrowed(rest)),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, ManifestFault> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for char in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
        let char = char.map_err(|_| not_text(end(&text), "UTF-16"))?;
        text.push(char);
    }
    if !rest.is_empty() {
        return Err(not_text(end(&text), "UTF-16"));
    }
    Ok(text.into_bytes())
}

/// The bytes as text; `line` is the file's line that they begin at.
pub(super) fn utf8(bytes: &[u8], line: u32) -> Result<&str, ManifestFault> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let Spot { line: below, column } = end(&valid);
        not_text(Spot { line: line + below - 1, column }, "UTF-8")
    })
}

fn not_text(spot: Spot, encoding: &str) -> ManifestFault {
    ManifestFault::new(spot, format!("this is not {encoding} text")).hint("save the file as UTF-8")
}

/// The spot after the last character.
fn end(text: &str) -> Spot {
    let start = text.rfind('\n').map_or(0, |at| at + 1);
    let line = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
    Spot { line: line as u32, column: text[start..].chars().count() as u32 + 1 }
}
