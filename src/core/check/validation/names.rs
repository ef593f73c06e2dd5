//! The grammars of names, labels and keys.
//!
//! Source of the rules: k8s.io/apimachinery `pkg/util/validation/validation.go`.

/// The form that a wrong name must have; `None` for one that is sound.
pub(super) type Wanted = Option<&'static str>;

const LABEL: usize = 63;
const SUBDOMAIN: usize = 253;

const A_LABEL: &str =
    "be at most 63 lowercase letters, digits or '-', with a letter or digit at both ends";
const A_1035: &str =
    "be at most 63 lowercase letters, digits or '-', with a letter first and no '-' last";
const A_SUBDOMAIN: &str = "be at most 253 lowercase letters, digits, '-' or '.', with a letter or digit at both ends of each part";
const A_WILDCARD: &str = "be '*.' and a DNS name";
const A_VALUE: &str =
    "be at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends";
const A_QUALIFIED: &str = "be at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends, and may have a DNS name and '/' before them";
const A_KEY: &str =
    "be at most 253 letters, digits, '-', '_' or '.', and not '.' or start with '..'";
const AN_ENV: &str = "be printable ASCII without '='";
const A_PORT: &str =
    "be at most 15 lowercase letters, digits or single '-' inside, with at least one letter";
const A_SEGMENT: &str = "not be '.' or '..', nor have '/' or '%' in it";

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label_shape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|end| end.is_some_and(|byte| is_lower(*byte)))
        && bytes.iter().all(|byte| is_lower(*byte) || *byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN && text.split('.').all(is_label_shape)
}

/// A DNS label of RFC 1123.
pub(super) fn label(text: &str) -> Wanted {
    (text.len() > LABEL || !is_label_shape(text)).then_some(A_LABEL)
}

/// A DNS label of RFC 1035.
pub(super) fn label_1035(text: &str) -> Wanted {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    (!starts || label(text).is_some()).then_some(A_1035)
}

/// A DNS name of RFC 1123.
pub(super) fn subdomain(text: &str) -> Wanted {
    (!is_subdomain(text)).then_some(A_SUBDOMAIN)
}

/// A DNS name that may have `_`, as the searches of a resolver do.
pub(super) fn subdomain_with_underscore(text: &str) -> Wanted {
    let part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter().all(|end| end.is_some_and(|byte| is_lower(*byte) || *byte == b'_'))
            && bytes.iter().all(|byte| is_lower(*byte) || matches!(byte, b'-' | b'_'))
    };
    (text.len() > SUBDOMAIN || !text.split('.').all(part)).then_some(A_SUBDOMAIN)
}

/// A host of an Ingress: a DNS name, which may have a `*` for its first part.
pub(super) fn host(text: &str) -> Wanted {
    if !text.contains('*') {
        return subdomain(text);
    }
    let rest = text.strip_prefix("*.");
    let is_wildcard = text.len() <= SUBDOMAIN && rest.is_some_and(is_subdomain);
    (!is_wildcard).then_some(A_WILDCARD)
}

fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// The value of a label.
pub(super) fn label_value(text: &str) -> Wanted {
    (!text.is_empty() && (text.len() > LABEL || !is_word(text))).then_some(A_VALUE)
}

/// A qualified name: the key of a label, the name of a resource.
pub(super) fn qualified(text: &str) -> Wanted {
    let (before, name) = match text.split_once('/') {
        Some((before, name)) => (Some(before), name),
        None => (None, text),
    };
    let is_sound = name.len() <= LABEL && is_word(name) && before.is_none_or(is_subdomain);
    (!is_sound).then_some(A_QUALIFIED)
}

/// The key of an annotation: a qualified name in either case.
pub(super) fn annotation(text: &str) -> Wanted {
    let is_mixed = text.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_mixed { qualified(&text.to_ascii_lowercase()) } else { qualified(text) }
}

/// The key of a ConfigMap or a Secret.
pub(super) fn data_key(text: &str) -> Wanted {
    let is_sound = text.len() <= SUBDOMAIN
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && text != "."
        && !text.starts_with("..");
    (!is_sound).then_some(A_KEY)
}

/// The name of an environment variable.
pub(super) fn env(text: &str) -> Wanted {
    let is_sound = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=');
    (text.is_empty() || !is_sound).then_some(AN_ENV)
}

/// The name of a port.
pub(super) fn port(text: &str) -> Wanted {
    let is_sound = text.len() <= 15
        && is_label_shape(text)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--");
    (!is_sound).then_some(A_PORT)
}

/// A part of a URL's path.
pub(super) fn segment(text: &str) -> Wanted {
    (matches!(text, "." | "..") || text.contains(['/', '%'])).then_some(A_SEGMENT)
}

/// The name that is meant by one that is no DNS name, where that is plain.
pub(super) fn meant(text: &str, is_sound: fn(&str) -> Wanted) -> Option<String> {
    let joined = text.replace(['_', ' '], "-");
    let lower = joined.to_ascii_lowercase();
    let mut meant = [joined, lower].into_iter();
    meant.find(|meant| meant != text && is_sound(meant).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds a grammar against names that it takes and names that it does not.
    #[track_caller]
    fn holds(grammar: fn(&str) -> Wanted, sound: &[&str], wrong: &[&str]) {
        for text in sound {
            assert_eq!(grammar(text), None, "{text:?}");
        }
        for text in wrong {
            assert!(grammar(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn names_follow_the_grammar_of_their_sort() {
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        holds(
            label,
            &["a", "0", "a-b", "a--b", &long],
            &["", "A", "-a", "a-", "a.b", "ä", &longer],
        );
        holds(label_1035, &["a", "a1-b"], &["", "1a", "A", "a-"]);
        holds(subdomain, &["a", "a.b-c.0", &longer], &["", ".", "a.", ".a", "a..b", "a_b", "A"]);
        let widest = format!("{}.{}", "a".repeat(126), "b".repeat(126));
        holds(subdomain, &[&widest], &[&format!("{widest}b")]);
        holds(host, &["a.b", "*.a.b"], &["*", "*.", "a.*", "**.a", "*.A", "a:80", "<host>"]);
        holds(subdomain_with_underscore, &["_a.b_", "a"], &["-a", "A", ""]);
        holds(label_value, &["", "A.b_c-d", "1", &long], &["-a", "a_", "a b", "a/b", &longer]);
        holds(qualified, &["a", "A_b.c", "a.b/C", "a/b"], &["", "a/b/c", "A/b", "/b", "a/", "-a"]);
        holds(annotation, &["A.b/C"], &["a b", "A b", ""]);
        holds(data_key, &["a", ".a", "A_b-c.d", "a..b"], &["", ".", "..", "..a", "a/b", "a b"]);
        holds(env, &["a", "1-b.c d", "a%"], &["", "a=b", "ä", "a\n"]);
        holds(
            port,
            &["http", "a", "1a", "http-2"],
            &["", "80", "a--b", "-a", "A", "abcdefghijklmnop"],
        );
        holds(segment, &["system:admin", "A b"], &["..", ".", "a/b", "a%b"]);
        assert_eq!(meant("My_App", subdomain).as_deref(), Some("my-app"));
        assert_eq!(meant("a..b", subdomain), None);
    }
}
