//! Runs of base64 and hexadecimal digits, and what they stand for.

use std::ops::Range;

/// Shorter runs can't hold a value that is worth a search.
const SHORTEST_BASE64: usize = 6;
const SHORTEST_HEX: usize = 8;

/// How bytes are written in digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Digits {
    /// Six bits each, in either alphabet.
    Base64,
    /// Four bits each, in either case.
    Hex,
}

/// The value of each byte as a digit.
const BASE64: [u8; 256] =
    digit_values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", b"-_", 62);
const HEX: [u8; 256] = digit_values(b"0123456789abcdef", b"ABCDEF", 10);

/// Digits in their order, and others that are worth the same from `first` on.
const fn digit_values(digits: &[u8], others: &[u8], first: u8) -> [u8; 256] {
    let mut worths = [u8::MAX; 256];
    let mut at = 0;
    while at < digits.len() {
        worths[digits[at] as usize] = at as u8;
        at += 1;
    }
    at = 0;
    while at < others.len() {
        worths[others[at] as usize] = first + at as u8;
        at += 1;
    }
    worths
}

impl Digits {
    /// How many bits a digit has.
    fn bits(self) -> usize {
        match self {
            Self::Base64 => 6,
            Self::Hex => 4,
        }
    }

    /// At how many places of a run a byte can begin.
    pub(super) fn alignments(self) -> usize {
        match self {
            Self::Base64 => 4,
            Self::Hex => 2,
        }
    }

    /// The value of a digit; 255 for a byte that is not one.
    fn digit_value(self, digit: u8) -> u8 {
        match self {
            Self::Base64 => BASE64[usize::from(digit)],
            Self::Hex => HEX[usize::from(digit)],
        }
    }

    /// The runs of such digits in `text` that are long enough.
    pub(super) fn runs(self, text: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let shortest = match self {
            Self::Base64 => SHORTEST_BASE64,
            Self::Hex => SHORTEST_HEX,
        };
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < text.len() {
                let start = at;
                let digits =
                    text[start..].iter().take_while(|&&byte| self.digit_value(byte) != u8::MAX);
                let length = digits.count();
                at = start + length + 1; // what ends it is no digit
                if length >= shortest {
                    return Some(start..start + length);
                }
            }
            None
        })
    }

    /// Whether `run` stands for a text or for so many bytes of one in a row. Most runs are words,
    /// and that soon shows.
    pub(super) fn has_text(self, run: &[u8], least: usize, is_text: fn(u8) -> bool) -> bool {
        let mut left = run.len() * self.bits() / 8;
        let least = least.min(left);
        let (mut held, mut bits, mut in_a_row) = (0_u32, 0, 0);
        for &digit in run {
            held = held << self.bits() | u32::from(self.digit_value(digit));
            bits += self.bits();
            if bits < 8 {
                continue;
            }
            bits -= 8;
            left -= 1;
            in_a_row = if is_text((held >> bits) as u8) { in_a_row + 1 } else { 0 };
            if in_a_row >= least {
                return true;
            }
            if in_a_row + left < least {
                return false;
            }
        }
        false
    }

    /// Puts the bytes that `run` stands for into `bytes`; bits that are left over at its end are
    /// dropped.
    pub(super) fn decode_into(self, run: &[u8], bytes: &mut Vec<u8>) {
        bytes.clear();
        let (mut held, mut bits) = (0_u32, 0);
        for &digit in run {
            held = held << self.bits() | u32::from(self.digit_value(digit));
            bits += self.bits();
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits) as u8);
            }
        }
    }

    /// The same as a value.
    pub(super) fn decode(self, run: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.decode_into(run, &mut bytes);
        bytes
    }

    /// The digits that have a part in these bytes of a run.
    pub(super) fn of_bytes(self, bytes: Range<usize>) -> Range<usize> {
        bytes.start * 8 / self.bits()..(bytes.end * 8).div_ceil(self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_decoded_and_known_by_their_digits() {
        let text = b"a b64: aGVsbG8gd29ybGQ= short, -_-_-_";
        let runs: Vec<_> = Digits::Base64.runs(text).map(|run| &text[run]).collect();
        assert_eq!(runs, [&b"aGVsbG8gd29ybGQ"[..], b"-_-_-_"]);
        assert_eq!(Digits::Base64.decode(runs[0]), b"hello world");
        assert_eq!(Digits::Base64.decode(b"+/-_"), Digits::Base64.decode(b"-_+/"));
        assert_eq!(Digits::Base64.of_bytes(1..3), 1..4);
        assert_eq!(Digits::Base64.of_bytes(0..11), 0..15);
        let runs: Vec<_> = Digits::Hex.runs(b"0x68656C6c6f 1234567").collect();
        assert_eq!(runs, vec![2..12]);
        assert_eq!(Digits::Hex.decode(b"68656C6c6f"), b"hello");
        assert_eq!(Digits::Hex.of_bytes(1..3), 2..6);
    }
}
