//! Texts from outside that would steer a terminal or a CI runner, in every place where one can
//! stand: what is printed of them, by every verb and in every form, does nothing.

mod cluster;
mod files;
#[cfg(target_os = "linux")] // `script` takes other options elsewhere
mod screen;
mod settings;

use std::process::Output;

use crate::support::command::Cmd;

/// Stands behind everything that a text below tries.
const CANARY: &str = "C4NARY";

/// Begins a line of such a text, and none of what is printed.
const NEXT_LINE: &str = "C4NARY begins a line";

/// Tries a colour, a title, a reordering, an overwritten line, commands to runners, and hidden
/// characters, with a line break where a text may have one.
fn hostile(line_break: &str) -> String {
    format!(
        "\u{1b}[31m{CANARY}\u{1b}]0;{CANARY}\u{7}\u{202e}{CANARY}\u{202c}\r::notice::{CANARY}\
         {line_break}::notice title=x::{CANARY}{line_break}  ::set-output name=x::{CANARY}\
         {line_break}{NEXT_LINE}{line_break}##[group]{CANARY} ##vso[x]{CANARY}\
         {line_break}\u{9b}1m{CANARY}\u{85}::notice::{CANARY}\u{200b}\u{2028}::notice::{CANARY}"
    )
}

/// The same as far as an API server takes it in an object.
fn storable(line_break: &str) -> String {
    hostile(line_break).replace('\u{9b}', "")
}

/// The same without what git and file systems take out of names.
fn hostile_name() -> String {
    format!("{CANARY}\u{1b}[31m\n::notice::{CANARY}\n##[group]\u{202e}{CANARY}\u{9b}1m")
}

/// A value as YAML takes it whatever it holds: JSON in ASCII.
fn yaml(value: impl Into<serde_json::Value>) -> String {
    let mut text = String::new();
    for c in value.into().to_string().chars() {
        match c {
            ' '..='~' => text.push(c),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}

/// Runs a command to its end.
#[track_caller]
fn run(cmd: Cmd) -> Output {
    cmd.into_inner().output().unwrap()
}

/// Runs a command whose answer is for people or a terminal, and holds that it does nothing.
#[track_caller]
fn assert_inert(cmd: Cmd) -> Output {
    let output = run(cmd);
    assert_bytes(&output.stdout, &[]);
    assert_bytes(&output.stderr, &[]);
    output
}

/// The same of one whose answer is for GitHub's runner, which gets only our own commands.
#[track_caller]
fn assert_only_annotations(cmd: Cmd) -> Output {
    let output = run(cmd);
    assert_bytes(&output.stdout, &["::error ", "::error::", "::warning ", "::warning::"]);
    assert_bytes(&output.stderr, &[]);
    output
}

/// Whether the hostile text was repeated at all, so that a test says something.
#[track_caller]
fn assert_told(output: &Output) {
    let all = [&output.stdout[..], &output.stderr].concat();
    let all = String::from_utf8(all).unwrap();
    assert!(all.contains(CANARY), "{all}");
}

/// Holds that these bytes do nothing but stand there, and that no line of them is somebody else's.
#[track_caller]
fn assert_bytes(bytes: &[u8], own_commands: &[&str]) {
    let shown = String::from_utf8_lossy(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { panic!("not UTF-8:\n{shown}") };
    let text = without_our_styles(text);
    let mut fenced = false; // what is in a block of code of Markdown is nothing else
    for line in text.split('\n') {
        fenced ^= line.starts_with("```");
        let begin = line.trim_start();
        let is_ours = own_commands.iter().any(|own| begin.starts_with(own));
        assert!(!begin.starts_with("::") || is_ours, "a command: {line:?}\n{shown}");
        assert!(!begin.starts_with("##") || !begin.contains('['), "a command: {line:?}\n{shown}");
        assert!(fenced || !line.starts_with(NEXT_LINE), "somebody else's line: {line:?}\n{shown}");
        for command in ["##[", "##vso["] {
            assert!(!line.contains(command), "a command: {line:?}\n{shown}");
        }
        for c in line.chars() {
            let hides = matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
            let controls = c.is_control() && c != '\t';
            assert!(!hides && !controls, "{c:?} in {line:?}\n{shown}");
        }
    }
}

/// The text without the styles that trueup itself uses; none of them stands before a canary.
#[track_caller]
fn without_our_styles(text: &str) -> String {
    let mut plain = text.to_owned();
    for style in ["0", "1", "2", "4", "31", "32", "33", "34", "35", "36"] {
        let style = format!("\u{1b}[{style}m");
        assert!(
            !text.contains(&format!("{style}{CANARY}\u{1b}")),
            "somebody else's style: {text:?}"
        );
        plain = plain.replace(&style, "");
    }
    plain
}
