//! Positions of the parser as lines and columns of the file.

use std::cell::Cell;

use libyaml_safer::Mark;

use super::fault::Spot;

/// Marks of the parser → spots of the file.
pub(super) struct Spots<'a> {
    pub(super) text: &'a str,
    line: u32,
    /// YAML has line breaks that files and editors don't count: then the spots are counted again.
    odd_breaks: bool,
    /// How far they were counted, so that events in the order of the text cost its length once.
    counted: Cell<(usize, Spot)>,
}

impl<'a> Spots<'a> {
    pub(super) fn new(text: &'a str, line: u32) -> Self {
        let odd_breaks = text.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}']);
        Self { text, line, odd_breaks, counted: Cell::new((0, Spot { line, column: 1 })) }
    }

    pub(super) fn at(&self, mark: Mark) -> Spot {
        if self.odd_breaks {
            return self.at_byte(mark.index as usize);
        }
        Spot { line: self.line + mark.line as u32, column: mark.column as u32 + 1 }
    }

    pub(super) fn at_byte(&self, byte: usize) -> Spot {
        let byte = boundary(self.text, byte);
        let (from, spot) = match self.counted.get() {
            (from, spot) if from <= byte => (from, spot),
            _ => (0, Spot { line: self.line, column: 1 }),
        };
        let spot = self.text[from..byte].chars().fold(spot, |spot, char| match char {
            '\n' => Spot { line: spot.line + 1, column: 1 },
            _ => Spot { line: spot.line, column: spot.column + 1 },
        });
        self.counted.set((byte, spot));
        spot
    }
}

/// The last byte up to `byte` that begins a character.
pub(super) fn boundary(text: &str, byte: usize) -> usize {
    let byte = byte.min(text.len());
    (0..=byte).rev().find(|&byte| text.is_char_boundary(byte)).unwrap_or_default()
}
