//! Text from outside, made inert: which characters can be shown as they are, how all others are
//! spelled, and where a CI runner would take text for a command.
//!
//! A manifest, a repository, a server and a remote may say anything. What they say is shown, and
//! does nothing: it moves no cursor, sets no title, hides and reorders no text, and gives no
//! command to whatever reads the log.

/// Whether a character can be shown as it is: it neither controls the terminal nor hides or
/// reorders what stands beside it.
///
/// Controls, invisible format characters, separators of lines and paragraphs, and characters that
/// are shown as nothing (Unicode's Default_Ignorable_Code_Point) can't. The selectors of an emoji's
/// form can: ordinary text is full of them, and they hide nothing.
pub fn is_harmless(c: char) -> bool {
    !(c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{fffe}'..='\u{ffff}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        ))
}

/// A character as an escape that YAML, and every reader, knows.
pub fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// A character as an escape that people know.
pub fn spelled(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c => escaped(c),
    }
}

/// Follows text and finds where it would become a command to a CI runner.
///
/// GitHub's runner takes a line for a command that begins with `::`, white space before it left out
/// (actions/runner, `ActionCommand.TryParseV2`), and one that has `##[` anywhere
/// (`ActionCommand.TryParse`). Azure's agent looks for `##vso[` anywhere and for `##[`, TeamCity for
/// `##teamcity[`. So a second colon at the beginning of a line, and a bracket behind two hashes and
/// any word, are what completes a command; spelled otherwise they complete none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Nothing but white space stands in the line.
    blank: bool,
    /// Behind that, one colon.
    colon: bool,
    /// How many hashes stand before the word, at most two.
    hashes: u8,
    /// Whether a word has begun behind them.
    word: bool,
}

impl Commands {
    /// At the beginning of a line.
    pub fn at_line_start() -> Self {
        Self { blank: true, colon: false, hashes: 0, word: false }
    }

    /// Behind something harmless.
    pub fn within_line() -> Self {
        Self { blank: false, ..Self::at_line_start() }
    }

    /// Whether nothing but a line break or a hash changes anything.
    pub fn is_calm(self) -> bool {
        self == Self::within_line()
    }

    /// Whether this next character completes a command, and has to be spelled otherwise. What is
    /// written in its place is taken for something harmless.
    pub fn completes(&mut self, c: char) -> bool {
        match c {
            '\n' => *self = Self::at_line_start(),
            // A comparison of texts may leave these out.
            '\u{fe00}'..='\u{fe0f}' => {}
            ':' if self.colon => return self.is_broken(),
            '[' if self.hashes == 2 => return self.is_broken(),
            _ => {
                self.colon = c == ':' && self.blank;
                self.blank &= c.is_whitespace();
                let goes_on = self.hashes == 2 && c.is_ascii_alphabetic();
                self.hashes = match c {
                    '#' if self.word => 1,
                    '#' => (self.hashes + 1).min(2),
                    _ if goes_on => 2,
                    _ => 0,
                };
                self.word = goes_on;
            }
        }
        false
    }

    fn is_broken(&mut self) -> bool {
        *self = Self::within_line();
        true
    }
}

/// Whether a text holds a command to a CI runner, wherever its lines stand.
pub fn has_command(text: &str) -> bool {
    let mut commands = Commands::at_line_start();
    text.chars().any(|c| commands.completes(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_where_a_runner_would_find_it() {
        for text in [
            "::error::x",
            " \t\u{a0}\u{3000}::set-output name=x::y",
            "one\n  ::error::x",
            ":\u{fe0f}:error::x",
            "##[error]x",
            "a ###[group]",
            "text ##vso[task.setvariable]",
            "a##teamcity[message]",
            "##vso##[x]",
        ] {
            assert!(has_command(text), "{text:?}");
        }
        for text in [
            "",
            ": :",
            "a ::1",
            "listens on ::1",
            "std::io",
            "# [x]",
            "#[x]",
            "## [x]",
            "##vso #[x]",
            "##vso#[x]",
            ":\n:",
            "containers[0]",
        ] {
            assert!(!has_command(text), "{text:?}");
        }
    }

    #[test]
    fn only_what_is_plain_to_see_is_harmless() {
        for c in "aß猫é😀\u{fe0f}\u{301} ·‹›…\u{a0}".chars() {
            assert!(is_harmless(c), "{c:?}");
        }
        for c in "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}\u{200b}\u{200f}\u{202e}\u{2028}\u{2066}\u{2069}\u{feff}\u{e0041}\u{3164}".chars() {
            assert!(!is_harmless(c), "{c:?}");
        }
        assert_eq!(spelled('\u{1b}') + &spelled('\r') + &spelled('\u{202e}'), "\\x1b\\r\\u202e");
    }
}
