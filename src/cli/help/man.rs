//! `trueup man`, which is hidden: writes the man pages, `trueup(1)`, one for each command and one
//! for each topic. They are made on the user's machine and not committed, since each is a copy of
//! a text that the repository has already: `--help`, or a page of `docs/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::markdown::{Block, InlineSpan, parse, spans};
use super::plain;
use super::topics::{TOPICS, Topic};
use crate::cli::Cli;
use crate::cli::exit::{Exit, Failure};

/// How wide a table is, as `man` indents it.
const WIDTH: usize = 72;
/// The name and version in the footer of each page.
const SOURCE: &str = concat!("trueup ", env!("CARGO_PKG_VERSION"));
/// The date of each page: none, so that equal programs write equal pages. Quoted, since roff would
/// take the next argument for it otherwise.
const NO_DATE: &str = "\"\"";
/// The title of the manual.
const MANUAL: &str = "trueup manual";

/// Write the man pages into the folders man1 and man7 of DIR
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder, such as ~/.local/share/man
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the pages.
///
/// # Errors
///
/// When a file can't be written.
pub fn run(args: &ManArgs) -> Result<Exit, Failure> {
    for ManPage { name, section, text } in pages()? {
        let folder = args.folder.join(format!("man{section}"));
        write(&folder, &format!("{name}.{section}"), &text)?;
    }
    Ok(Exit::AtCommit)
}

fn write(folder: &Path, name: &str, text: &[u8]) -> anyhow::Result<()> {
    let file = folder.join(name);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
    written.with_context(|| format!("cannot write {}", file.display()))
}

/// A man page.
struct ManPage {
    name: String,
    section: u8,
    text: Vec<u8>,
}

/// All pages.
fn pages() -> io::Result<Vec<ManPage>> {
    let mut cli = Cli::command();
    cli.build();
    let mut pages = Vec::new();
    let commands = cli.get_subcommands().filter(|command| !command.is_hide_set());
    for command in commands.cloned().chain([cli.clone()]) {
        pages.push(command_page(command)?);
    }
    pages.extend(TOPICS.iter().map(topic_page));
    Ok(pages)
}

fn command_page(command: Command) -> io::Result<ManPage> {
    let is_top = command.get_name() == "trueup";
    let name = match is_top {
        true => "trueup".to_owned(),
        false => format!("trueup-{}", command.get_name()),
    };
    let mut text = Vec::new();
    let man = Man::new(command).title(name.clone()).date(NO_DATE).source(SOURCE).manual(MANUAL);
    man.render(&mut text)?;
    if is_top {
        let mut topics = Roff::new();
        topics.control("SH", ["SEE ALSO"]);
        for Topic { name, about, .. } in TOPICS {
            topics.control("TP", []);
            topics.text([bold(format!("trueup-{name}")), roman("(7)")]);
            topics.text([roman(*about)]);
        }
        text.extend(topics.render().into_bytes());
    }
    Ok(ManPage { name, section: 1, text })
}

fn topic_page(topic: &Topic) -> ManPage {
    let Topic { name, about, text } = topic;
    let name = format!("trueup-{name}");
    let mut roff = Roff::new();
    roff.control("TH", [name.as_str(), "7", NO_DATE, SOURCE, MANUAL]);
    roff.control("SH", ["NAME"]).text([roman(format!("{name} - {about}"))]);
    for (at, block) in parse(text).iter().enumerate() {
        set(block, at == 0, &mut roff);
    }
    ManPage { name, section: 7, text: roff.render().into_bytes() }
}

fn set(block: &Block, is_title: bool, roff: &mut Roff) {
    match block {
        Block::Headline(1, _) if is_title => drop(roff.control("SH", ["DESCRIPTION"])),
        Block::Headline(1 | 2, text) => drop(roff.control("SH", [plain::words(text).as_str()])),
        Block::Headline(_, text) => drop(roff.control("SS", [plain::words(text).as_str()])),
        Block::Paragraph(text) => drop(roff.control("PP", []).text(inlines(text))),
        Block::Item(mark, text) => {
            let mark = if mark == "-" { "•" } else { mark };
            roff.control("IP", [mark, "4"]).text(inlines(text));
        }
        Block::Code(lines) => as_is(lines, roff),
        Block::Table(rows) => as_is(&plain::table(rows, WIDTH), roff),
    }
}

/// Lines that are not filled.
fn as_is(lines: &[String], roff: &mut Roff) {
    roff.control("PP", []).control("RS", ["4"]).control("nf", []);
    for line in lines {
        roff.text([roman(line.as_str())]);
    }
    roff.control("fi", []).control("RE", []);
}

/// A text with its code in bold.
fn inlines(text: &str) -> Vec<Inline> {
    let pieces = spans(text).into_iter().map(|span| match span {
        InlineSpan::Text(text) => roman(text),
        InlineSpan::Code(code) => bold(code),
        InlineSpan::Link(text, to) => roman(plain::words(&format!("[{text}]({to})"))),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_set_with_its_code_in_bold_and_its_lines_escaped() {
        let topic = Topic {
            name: "a",
            about: "one line",
            text: "# A\n\n.b `c-d`\n\n- e\n\n```sh\n.f\n```\n",
        };
        let page = topic_page(&topic);
        let text = String::from_utf8(page.text).unwrap();
        assert_eq!((page.name.as_str(), page.section), ("trueup-a", 7));
        assert!(text.contains(".SH NAME\ntrueup\\-a \\- one line\n.SH DESCRIPTION\n"), "{text}");
        assert!(text.contains("\\fBc\\-d\\fR") && text.contains(".nf\n\\&.f\n.fi\n"), "{text}");
        assert!(text.lines().all(|line| !line.starts_with(".b")), "{text}");
    }
}
