//! Pieces of a long value that give it away though they are not the whole: a line of a key, or its
//! body without the lines around it.

/// A line is searched for by itself from this length on, if it has no space in it: of a key's or
/// certificate's body, not of a configuration file.
const LONG_LINE: usize = 20;

/// The pieces of `value` that are searched for under its number.
pub(super) fn pieces(value: &str) -> Vec<&str> {
    let is_mark = |line: &str| line.starts_with("--");
    let lines = value.lines().map(str::trim).filter(|line| {
        line.len() >= LONG_LINE && !line.contains(char::is_whitespace) && !is_mark(line)
    });
    let mut pieces: Vec<&str> = lines.collect();
    // Wrapped in another way, no line is the same.
    for part in value.split("-----BEGIN ").skip(1) {
        let body = part.find('\n').map_or("", |begin| &part[begin..]);
        let body = body[..body.find("-----END").unwrap_or(body.len())].trim();
        let is_body = |c: char| c.is_ascii_alphanumeric() || "+/=\r\n".contains(c);
        if body.len() >= LONG_LINE && body.chars().all(is_body) {
            pieces.push(body);
        }
    }
    pieces.retain(|piece| *piece != value);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_lines_and_its_body() {
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        let key = format!("-----BEGIN KEY-----\n{line}\nshort\n-----END KEY-----\n");
        assert_eq!(pieces(&key), [line, &format!("{line}\nshort")]);
        assert_eq!(pieces("a line that is long but has spaces"), [] as [&str; 0]);
    }
}
