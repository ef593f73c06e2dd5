//! Text that passes the guard, in whatever pieces it comes.

use proptest::prelude::*;

use super::*;
use crate::cli::present::ink::{Ink, OwnCommand};
use crate::core::diff::yaml;
use crate::core::json::json;
use crate::core::object::Object;
use crate::core::sanitize::has_command;

/// The output of a guard where these pieces go in, one write each.
fn through<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut guard = OutputGuard::new(&mut out);
    for piece in pieces {
        guard.write_all(piece).unwrap();
        guard.flush().unwrap();
    }
    drop(guard);
    out
}

/// Text that is harmless but for our own styles.
fn assert_inert(out: &[u8]) {
    let text = std::str::from_utf8(out).unwrap();
    let passes = |c: char| is_harmless(c) || matches!(c, '\n' | '\t');
    assert!(text.chars().all(passes), "{text:?}");
    assert!(!has_command(text), "{text:?}");
}

#[test]
fn ordinary_text_passes_as_it_is() {
    let text =
        "apiVersion: v1 # [x]\n\n  - ::1\n\té 猫 😀\u{fe0f}  \"a\"\\n ❯ ✓ · … ##\nstd::io [0]\n";
    assert_eq!(guarded(text), text);
}

#[test]
fn control_characters_are_escaped_visibly() {
    for (text, told) in [
        ("a\u{1b}[31mb", "a\\x1b[31mb"),
        ("\u{1b}]0;title\u{7}", "\\x1b]0;title\\x07"),
        ("one\rtwo\r\n", "one\\rtwo\\r\n"),
        ("\u{9b}2J\u{85}\u{7f}\0", "\\x9b2J\\x85\\x7f\\x00"),
        ("\u{202e}txt.exe\u{2066}\u{200b}\u{2028}", "\\u202etxt.exe\\u2066\\u200b\\u2028"),
        ("::error::x\n  ::warning::y", ":\\x3aerror::x\n  :\\x3awarning::y"),
        ("\r::error::x", "\\r::error::x"),
        ("a ##[error]x ##vso[y]", "a ##\\x5berror]x ##vso\\x5by]"),
        ("##\u{200b}[x", "##\\u200b[x"),
    ] {
        assert_eq!(guarded(text), told);
    }
    assert_eq!(through([&b"a\xff\xc3(\xe2\x82"[..]]), b"a\\xff\\xc3(\\xe2\\x82");
}

#[test]
fn only_own_styles_pass_the_guard() {
    let (red, strong) = (Ink::RED, Ink::GREEN.bold().underline());
    let text = format!("{red}a{red:#} {strong}b{strong:#} \u{1b}[31mc\u{1b}[0m {}", Ink::DIM);
    assert_eq!(
        guarded(&text),
        "\u{1b}[31ma\u{1b}[0m \u{1b}[1m\u{1b}[4m\u{1b}[32mb\u{1b}[0m \\x1b[31mc\\x1b[0m \u{1b}[2m"
    );
    // Not with a wrong key, and nothing but styles with the right one.
    let wrong = ink::prefix().replace(|c: char| c.is_ascii_digit(), "7");
    let (right, much) = (ink::prefix(), "1;".repeat(LONGEST));
    for text in [format!("{wrong}31m"), format!("{right}2J"), format!("{right}{much}m")] {
        let told = guarded(&text);
        assert!(told.starts_with("\\x1b[") && !told.contains('\u{1b}'), "{told:?}");
    }
}

#[test]
fn only_own_workflow_commands_begin_a_line() {
    let red = Ink::RED;
    let text = format!("{OwnCommand}::error::mine\n::error::theirs\n{red}::error::red{red:#}\n");
    assert_eq!(
        guarded(&text),
        "::error::mine\n:\\x3aerror::theirs\n\u{1b}[31m:\\x3aerror::red\u{1b}[0m\n"
    );
}

/// Bytes as an attacker would choose them, or our own.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(vec![
            "\u{1b}", "[", "31m", ":", "::", "#", "##", "vso", "\n", "\r", " ", "\u{9b}",
            "\u{fe0f}", "a", "\u{202e}", "\u{a0}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        // Our own key as far as it goes without being it.
        (0..20_usize).prop_map(|count| ink::prefix().as_bytes()[..count].to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn guarded_output_has_no_control_sequences(bytes in hostile()) {
        assert_inert(&through([&bytes[..]]));
    }

    #[test]
    fn guarded_output_is_independent_of_chunking(
        bytes in hostile(),
        own in 0..4_usize,
        size in 1..9_usize,
    ) {
        let own = [String::new(), Ink::RED.to_string(), OwnCommand.to_string() + "::x", "é😀".into()][own].clone();
        let bytes = [own.as_bytes(), &bytes, own.as_bytes()].concat();
        prop_assert_eq!(through(bytes.chunks(size)), through([&bytes[..]]));
    }

    #[test]
    fn an_object_as_yaml_passes_as_it_is(key in "[a#\\[: é-]{1,6}", lines in prop::collection::vec("[ \t]{0,2}(::|##|#|\\[|vso|a|\u{202e}|\u{1b}|: ){0,4}", 0..4)) {
        let object = json!({ "data": { key: lines.join("\n") }, "list": lines });
        let text = yaml::text(&Object::from(object.as_object().unwrap().clone()));
        prop_assert_eq!(guarded(&text), text.clone());
        prop_assert_eq!(serde_yaml::from_str::<crate::core::json::Value>(&text).unwrap(), object);
    }
}
