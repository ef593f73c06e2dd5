//! The fenced blocks of a Markdown text, the commands in them, and whether two outputs are alike.

/// A fenced block.
pub struct Block {
    /// The page that it is on.
    pub page: String,
    /// The line of its fence.
    pub line: usize,
    /// What its fence says that it is.
    pub language: String,
    /// What is in it.
    pub text: String,
}

/// A command, and what it prints.
pub struct Step {
    pub command: String,
    pub output: String,
}

/// Every fenced block of a page.
pub fn blocks(page: &str, markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in markdown.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                let (page, language) = (page.to_owned(), language.to_owned());
                blocks.push(Block { page, line: at + 1, language, text: String::new() });
                open = true;
            }
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "{page}: the last block never ends");
    blocks
}

impl Block {
    /// `docs/ci.md:12`
    pub fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }

    /// Its first line, by which it is known.
    pub fn first(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The commands of a console block. A line that begins with `> ` goes on with the command.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), line.strip_prefix("> "), steps.last_mut()) {
                (Some(command), _, _) => {
                    steps.push(Step { command: command.to_owned(), output: String::new() });
                }
                (None, Some(more), Some(step)) if step.output.is_empty() => {
                    step.command += "\n";
                    step.command += more;
                }
                (None, _, Some(step)) => {
                    step.output += line;
                    step.output.push('\n');
                }
                (None, _, None) => panic!("{}: output before a command", self.place()),
            }
        }
        steps
    }
}

/// A line as a terminal shows it: the date of a line of the log is for files alone.
pub fn on_a_terminal(line: &str) -> &str {
    let time = line.split(' ').next().unwrap_or_default();
    match time.parse::<jiff::Timestamp>() {
        Ok(_) => line.split_once('T').map_or(line, |(_, rest)| rest),
        Err(_) => line,
    }
}

/// Whether two outputs are the same but for what no two runs have in common: ids, times, how many
/// requests it took, and which of the objects that are worked on at once was done first. Blank
/// lines at the end don't count.
pub fn alike(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

fn normal(output: &str) -> Vec<String> {
    // Whether anything is waited for depends on how fast the machine is.
    let lines = output.trim_end().lines().filter(|line| !line.starts_with("waiting up to "));
    let mut lines: Vec<String> = lines.map(normal_line).collect();
    for done in lines.chunk_by_mut(|a, b| a.starts_with('✓') && b.starts_with('✓')) {
        done.sort();
    }
    lines
}

fn normal_line(line: &str) -> String {
    let line = &line.replace("just now", "0 s ago");
    let words: Vec<&str> = line.split(' ').collect();
    let next = |at: usize| words.get(at + 1).copied().unwrap_or_default();
    let normal = words.iter().enumerate().map(|(at, word)| match next(at) {
        "requests" | "s" if word.parse::<f64>().is_ok() => "N".to_owned(),
        _ => normal_word(word),
    });
    normal.collect::<Vec<_>>().join(" ")
}

/// A word without its ids and times.
fn normal_word(word: &str) -> String {
    let is_id = |part: &str| {
        matches!(part.len(), 6 | 7 | 40 | 64) && part.bytes().all(|b| b.is_ascii_hexdigit())
    };
    // The log has the time of day on a terminal, which is what a page shows, and the date as well here.
    let is_time = |part: &str| {
        if part.parse::<jiff::Timestamp>().is_ok() {
            return true;
        }
        let numbers: Vec<&str> = part.split(':').collect();
        numbers.len() == 3 && numbers.iter().all(|n| n.len() == 2 && n.parse::<u8>().is_ok())
    };
    let bare = word.trim_matches(['(', ')', ',', ':']);
    match bare.split_once("..") {
        Some((from, to)) if is_id(from) && is_id(to) => word.replace(bare, "ID..ID"),
        _ if is_id(bare) => word.replace(bare, "ID"),
        _ if is_time(bare) => word.replace(bare, "TIME"),
        _ => word.to_owned(),
    }
}

#[test]
fn run_specific_values_are_not_compared() {
    let said = "10:00:00 prod  at 5ed02d9 · 1 changed · 20 requests · 0.1 s";
    assert!(alike(said, "23:59:59 prod  at c23f644 · 1 changed · 9 requests · 12.5 s\n"));
    assert!(alike(said, "2026-10-03T10:00:00Z prod  at 5ed02d9 · 1 changed · 20 requests · 0.1 s"));
    assert!(!alike(said, "10:00:00 prod  at 5ed02d9 · 2 changed · 20 requests · 0.1 s"));
    assert!(alike("main 5ed02d9..c23f644 (1 file)", "main 1234567..abcdefa (1 file)"));
    assert!(alike("x (cluster 3d661b)", "x (cluster 9ddfab)"));
    assert!(alike("✓ a\n✓ b\nc", "✓ b\n✓ a\nc") && !alike("a\nb", "b\na"));
}

#[test]
fn blocks_are_found_with_their_places_and_commands() {
    let text = "x\n\n```ini\na = 1\n```\n\n```console\n$ a \\\n> b\nc\n$ d\n```\n";
    let found = blocks("a.md", text);
    assert_eq!((found[0].place().as_str(), found[0].language.as_str()), ("a.md:3", "ini"));
    assert_eq!(found[0].first(), "a = 1");
    let steps = found[1].steps();
    assert_eq!((steps[0].command.as_str(), steps[0].output.as_str()), ("a \\\nb", "c\n"));
    assert_eq!((steps[1].command.as_str(), steps[1].output.as_str()), ("d", ""));
}
