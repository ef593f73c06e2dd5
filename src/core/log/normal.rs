//! The normal form of a message: two texts with the same one say the same.
//!
//! Programs stamp their messages with times, process ids, ports and addresses. Whatever differs from one
//! run to the next stands for nothing here, so that a message that comes again is not news. Numbers that
//! tell something stay: counts, versions, places in a file.

/// The words before a number that makes no difference.
const COUNTERS: [&str; 6] = ["pid", "process", "port", "line-id", "goroutine", "attempt"];
/// The units of a time that passed, the longer ones before those that begin them.
const UNITS: [&str; 13] = [
    "seconds", "second", "minutes", "minute", "secs", "sec", "mins", "min", "ms", "µs", "ns", "s",
    "m",
];

/// The normal form of a text: on one line, without what differs from run to run.
pub fn normal_form(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut before = String::new();
    let mut follows_stamp = false;
    for word in text.split_whitespace() {
        let (is_klog, is_stamp) = (is_klog(word), follows_stamp && is_number(word));
        let normal = match word {
            _ if is_klog => String::new(),
            // klog writes the time and the process after its letter and day.
            _ if follows_stamp && is_clock(word) => String::new(),
            _ if is_stamp => String::new(),
            _ if is_counter(&before) && is_number(bare(word)) => word.replace(bare(word), "#"),
            _ if is_duration(&before, word) => word.replace(bare(word), "#"),
            _ => normal_word(word),
        };
        follows_stamp = is_klog || follows_stamp && (is_clock(word));
        before = bare(word).to_lowercase();
        if !normal.is_empty() {
            words.push(normal);
        }
    }
    words.join(" ")
}

/// A word without the marks around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_counter(before: &str) -> bool {
    COUNTERS.contains(&before)
}

/// `E1130` of klog: a letter for the level, the month and the day.
fn is_klog(word: &str) -> bool {
    let mut bytes = word.bytes();
    matches!(bytes.next(), Some(b'I' | b'W' | b'E' | b'F'))
        && word.len() == 5
        && is_number(&word[1..])
}

/// `12:34:56`, with a fraction or without.
fn is_clock(word: &str) -> bool {
    let word = bare(word);
    let (clock, fraction) = word.split_once('.').unwrap_or((word, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    parts.len() == 3
        && parts.iter().all(|part| part.len() == 2 && is_number(part))
        && is_number(fraction)
}

/// `2026-11-30` or `2026/11/30`, with a time behind it or without.
fn is_date(word: &str) -> bool {
    let word = bare(word);
    let (day, time) = word.split_once('T').unwrap_or((word, ""));
    let parts: Vec<&str> = day.split(['-', '/']).collect();
    let lengths = [4, 2, 2];
    let is_day = parts.len() == 3
        && parts.iter().zip(lengths).all(|(part, length)| part.len() == length && is_number(part));
    let clock = time.trim_end_matches('Z');
    let clock = clock.split_once(['+', '-']).map_or(clock, |(clock, _)| clock);
    is_day && (clock.is_empty() || is_clock(clock))
}

/// A number before a unit of time, in one word or in two: `12.5s`, `1m30s`, `5 seconds`.
fn is_duration(before: &str, word: &str) -> bool {
    let word = bare(word);
    let is_within = matches!(before, "after" | "in" | "for" | "within" | "took");
    is_within && without_durations(word).is_empty()
}

/// The rest of a word once every number with a unit of time is taken from its beginning.
fn without_durations(mut word: &str) -> &str {
    loop {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        if rest.len() == word.len() {
            return word;
        }
        let Some(rest) = UNITS.iter().chain(&["h"]).find_map(|unit| rest.strip_prefix(unit)) else {
            return if rest.is_empty() { rest } else { word };
        };
        word = rest;
    }
}

/// A word with every changing part of it replaced: dates, clocks, ids, and the port of an address that
/// a connection came from.
fn normal_word(word: &str) -> String {
    if is_date(word) || is_clock(word) {
        return word.replace(bare(word), "#");
    }
    let parts = word.split_inclusive(|c: char| {
        matches!(c, '=' | '(' | ')' | '[' | ']' | ',' | '"' | '\'' | '/' | '>')
    });
    let mut normal = String::with_capacity(word.len());
    let (mut is_counted, mut is_process) = (false, false);
    for part in parts {
        let (text, end) = match part.char_indices().last() {
            Some((at, c)) if !c.is_alphanumeric() => part.split_at(at),
            _ => (part, ""),
        };
        let replaced = match text {
            _ if is_counted && is_number(text) => "#".to_owned(),
            _ if is_process && is_number(text) && text.len() > 2 => "#".to_owned(),
            _ if is_date(text) || is_clock(text) || is_id(text) => "#".to_owned(),
            _ if is_temporary(text) => "#".to_owned(),
            _ => without_port(text),
        };
        is_counted = matches!(end, "=" | "[" | "(") && is_counter(&text.to_lowercase());
        is_process = end == "[" && is_program(text);
        normal.push_str(&replaced);
        normal.push_str(end);
    }
    normal
}

/// `sshd` of `sshd[1234]`, as syslog writes a program with its process. A field has dots before it.
fn is_program(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// A uid, an address in memory, or a long random id.
fn is_id(text: &str) -> bool {
    let text = bare(text);
    if let Some(digits) = text.strip_prefix("0x") {
        return digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = [8, 4, 4, 4, 12];
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

/// The random name of a file that is made beside the one it is to replace.
fn is_temporary(text: &str) -> bool {
    let rest = [".trueup-", ".tmp"].iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|rest| {
        rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// `10.0.0.7:53412` without an ephemeral port: servers listen on lower ones.
fn without_port(text: &str) -> String {
    let end = text.trim_end_matches([':', '.', ';', '-']);
    match end.rsplit_once(':') {
        Some((host, port))
            if host.contains(['.', ':'])
                && is_number(port)
                && port.parse::<u32>().is_ok_and(|port| port >= 32_768) =>
        {
            format!("{host}:#{}", &text[end.len()..])
        }
        _ => text.to_owned(),
    }
}

/// A text on one line: its lines without the space around them, and none that is empty.
pub fn one_line(text: &str) -> String {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.contains(['\n', '\r']) {
        true => {
            let lines = text.split(['\n', '\r']).map(line).filter(|line| !line.is_empty());
            lines.collect::<Vec<_>>().join("; ")
        }
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_makes_no_difference() {
        for (one, other) in [
            (
                "E1127 12:00:00.123456    1234 memcache.go:265] couldn't get current server API group list",
                "E1130 00:20:08.654321      77 memcache.go:265] couldn't get current server API group list",
            ),
            ("W1127 12:00:00.000001 9 a.go:1] old", "I1127 12:00:00.000001 9 a.go:1] old"),
            (
                "ssh: connect to host git.example port 22: Connection refused; fatal: Could not read from remote repository.",
                "ssh: connect to host git.example port 22: Connection refused;  fatal: Could not read from remote repository.",
            ),
            (
                "kex_exchange: read from 10.0.0.7 port 53412: reset",
                "kex_exchange: read from 10.0.0.7 port 40001: reset",
            ),
            (
                "read tcp 10.0.0.7:53412->10.0.0.1:443: timeout",
                "read tcp 10.0.0.7:40000->10.0.0.1:443: timeout",
            ),
            ("at 2026-11-30T00:20:08Z it failed", "at 2026-12-01T07:00:00.5Z it failed"),
            ("2026/11/30 00:20:08 no route", "2026/12/01 10:21:00 no route"),
            (
                "remote: [12:00:01] hook declined (pid 4711)",
                "remote: [13:10:01] hook declined (pid 12)",
            ),
            ("sshd[4711]: bye", "sshd[100]: bye"),
            ("no answer after 12.5s", "no answer after 1m30s"),
            ("gave up in 5 tries after 900ms", "gave up in 5 tries after 1s"),
            ("panic at 0xc000012345", "panic at 0xdeadbeef00"),
            (
                "request 0b7c3f5e-5f0e-4a51-9d3e-2f8f4b6f0a11 failed",
                "request 11111111-5f0e-4a51-9d3e-2f8f4b6f0a12 failed",
            ),
            (
                "cannot write /a/x.prom: No space left on device (os error 28) at path \"/a/.trueup-2xfMWV\"",
                "cannot write /a/x.prom: No space left on device (os error 28) at path \"/a/.trueup-5cA6JX\"",
            ),
            ("at path \"/a/.tmpCtFqeA\"", "at path \"/a/.tmp4Y0aab\""),
            ("one  two\nthree", "one two three"),
        ] {
            assert_eq!(normal_form(one), normal_form(other));
        }
    }

    #[test]
    fn what_tells_something_makes_a_difference() {
        for (one, other) in [
            ("bad.yaml:1:5: not allowed", "bad.yaml:1:6: not allowed"),
            ("Deployment shop/a: 3 of 5", "Deployment shop/a: 4 of 5"),
            ("spec.containers[100].image", "spec.containers[101].image"),
            ("dial tcp 10.0.0.1:443: refused", "dial tcp 10.0.0.1:6443: refused"),
            ("dial tcp 10.0.0.1:443: refused", "dial tcp 10.0.0.2:443: refused"),
            ("v1.2.3 is older", "v1.2.4 is older"),
            ("4f2c1a9 failed", "4f2c1aa failed"),
            ("must be at most 63", "must be at most 64"),
            ("port 80: taken", "host 80: taken"),
            ("/a/.tmpfs-one: full", "/a/.tmpfs-two: full"),
        ] {
            assert_ne!(normal_form(one), normal_form(other));
        }
    }

    #[test]
    fn texts_of_several_lines_become_one() {
        for (text, expected) in [
            ("one", "one"),
            ("  kept  as it is ", "  kept  as it is "),
            (
                "remote: no\n  remote:   entry\r\n\nfatal: x\n",
                "remote: no; remote: entry; fatal: x",
            ),
            ("Counting 1%\rCounting 2%", "Counting 1%; Counting 2%"),
        ] {
            assert_eq!(one_line(text), expected);
        }
    }
}
