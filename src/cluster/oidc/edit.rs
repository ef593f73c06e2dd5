//! New tokens in the text of a kubeconfig, in which nothing else changes: comments, order, quotes and
//! line breaks stay. What comes of it is read again, and counts only if it says what is meant and
//! everything else that it said before.

use super::refresh::IssuedTokens;
use crate::core::json::Value;
use crate::core::manifest::{self, PathPart, Positions};

const ID_TOKEN: &str = "id-token";
const REFRESH_TOKEN: &str = "refresh-token";

/// The text with these tokens for the auth-provider of this user.
///
/// # Errors
///
/// When that can't be done in place; as text that quotes no value.
pub(super) fn edited(text: &str, user: &str, tokens: &IssuedTokens) -> Result<String, String> {
    let document = KubeconfigDocument::read(text).ok_or("it is not readable YAML")?;
    let at = document.user(user).ok_or_else(|| format!("it has no user {user:?} any more"))?;
    let mut text = text.to_owned();
    let new =
        [(REFRESH_TOKEN, tokens.refresh_token.as_deref()), (ID_TOKEN, Some(&*tokens.id_token))];
    for (key, new) in new {
        let Some(new) = new else { continue };
        let document = KubeconfigDocument::read(&text).ok_or("it is not readable YAML")?;
        let with_new = document.with(&text, &TokenPath { user: at, key }, new);
        text = with_new.ok_or_else(|| format!("its {key} can't be replaced in place"))?;
    }
    Ok(text)
}

/// The tokens of the auth-provider of this user, the id-token and the refresh-token, where there are
/// some.
pub(super) fn present(text: &str, user: &str) -> Option<[Option<String>; 2]> {
    let mut document = KubeconfigDocument::read(text)?;
    let place = TokenPath { user: document.user(user)?, key: ID_TOKEN };
    let config = place.config(&mut document.value)?;
    let token = |key: &str| Some(config.get(key)?.as_str().filter(|it| !it.is_empty())?.to_owned());
    Some([ID_TOKEN, REFRESH_TOKEN].map(token))
}

/// A token's place.
struct TokenPath<'a> {
    /// Which of the users it is of.
    user: usize,
    key: &'a str,
}

impl TokenPath<'_> {
    fn path<'a>(&self, key: &'a str) -> [PathPart<'a>; 6] {
        [
            "users".into(),
            self.user.into(),
            "user".into(),
            "auth-provider".into(),
            "config".into(),
            key.into(),
        ]
    }

    /// The configuration of the auth-provider.
    fn config<'a>(&self, value: &'a mut Value) -> Option<&'a mut crate::core::json::Map> {
        let user = value.get_mut("users")?.get_mut(self.user)?;
        user.get_mut("user")?.get_mut("auth-provider")?.get_mut("config")?.as_object_mut()
    }
}

/// The text of a kubeconfig, with positions.
struct KubeconfigDocument {
    value: Value,
    positions: Positions,
}

impl KubeconfigDocument {
    fn read(text: &str) -> Option<Self> {
        let (value, positions) = manifest::value("", text.as_bytes()).ok()??;
        Some(Self { value, positions })
    }

    /// Which of the users has this name.
    fn user(&self, name: &str) -> Option<usize> {
        let users = self.value.get("users")?.as_array()?;
        let name_of = |it: &Value| it.get("name").and_then(Value::as_str).map(str::to_owned);
        users.iter().position(|it| name_of(it).unwrap_or_default() == name)
    }

    /// The text with another token in this place.
    fn with(&self, text: &str, place: &TokenPath<'_>, new: &str) -> Option<String> {
        let mut wanted = self.value.clone();
        let old = place.config(&mut wanted)?.insert(place.key.to_owned(), new.into());
        let texts = match old {
            Some(_) => {
                let (line, column) = self.positions.of_value(&place.path(place.key))?;
                let start = byte(text, line, column)?;
                let (_, key) = self.positions.of(&place.path(place.key))?;
                replaced(text, &ScalarSpan { start, indent: key.checked_sub(1)? }, new)
            }
            None => inserted(text, self.start_of_key(text, place)?, [place.key, new]),
        };
        texts.into_iter().find(|text| Self::read(text).is_some_and(|it| it.value == wanted))
    }

    /// Where the key of the other token begins.
    fn start_of_key(&self, text: &str, place: &TokenPath<'_>) -> Option<usize> {
        let (line, column) = self.positions.of(&place.path(REFRESH_TOKEN))?;
        byte(text, line, column)
    }
}

/// The byte of a line and a column, both from 1, the column in characters.
fn byte(text: &str, line: usize, column: usize) -> Option<usize> {
    let lines = text.split_inclusive('\n').take(line.checked_sub(1)?);
    let start: usize = lines.map(str::len).sum();
    let line = text.get(start..)?;
    let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    Some(start + ends.into_iter().nth(column.checked_sub(1)?)?)
}

/// Where a value stands.
struct ScalarSpan {
    /// The byte that it begins at, with its anchor and its tag.
    start: usize,
    /// How many characters stand before its key: what belongs to it on other lines has more.
    indent: usize,
}

/// The texts in which a token stands for a value: with the same quotes, and with those that fit any
/// token. There are more of them than can be right, as what the value is made of is only guessed.
fn replaced(text: &str, scalar: &ScalarSpan, new: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_at_checked(scalar.start) else { return Vec::new() };
    let quoted = quoted(new);
    let value = rest.trim_start_matches(' ');
    if value.is_empty() || value.starts_with(['#', '\r', '\n', ',', '}', ']']) {
        let space = if before.ends_with(':') { " " } else { "" };
        return [new, &quoted].map(|new| format!("{before}{space}{new}{rest}")).into();
    }
    let value = without_properties(value);
    let before = &text[..text.len() - value.len()];
    let (ends, spelled): (Vec<usize>, [String; 2]) = match value.chars().next() {
        Some('"') => {
            (end_of_quoted(value, '"').into_iter().collect(), [format!("\"{new}\""), quoted])
        }
        Some('\'') => {
            (end_of_quoted(value, '\'').into_iter().collect(), [format!("'{new}'"), quoted])
        }
        Some('|' | '>') => {
            // Text behind the header of a block, such as a comment, stays.
            let header = value.find(|c: char| c.is_whitespace()).unwrap_or(value.len());
            let line = value.find(['\r', '\n']).unwrap_or(value.len());
            let after = &value[end_of_lines(value, scalar.indent)..];
            let spelled = [new.to_owned(), quoted];
            let texts = spelled.map(|new| format!("{before}{new}{}{after}", &value[header..line]));
            return texts.into();
        }
        // Without quotes: on one line or on more, within brackets or not.
        _ => {
            let line = &value[..value.find(['\r', '\n']).unwrap_or(value.len())];
            let lines = &value[..end_of_lines(value, scalar.indent)];
            let bracket = &value[..value.find([',', '}', ']']).unwrap_or(value.len())];
            let ends = [line, lines, bracket].map(|text| {
                let comment = [" #", "\t#"].into_iter().filter_map(|it| text.find(it)).min();
                text[..comment.unwrap_or(text.len())].trim_end().len()
            });
            (ends.into(), [new.to_owned(), quoted])
        }
    };
    let texts = ends.iter().flat_map(|&end| {
        let after = &value[end..];
        spelled.iter().map(move |new| format!("{before}{new}{after}"))
    });
    texts.collect()
}

/// A value without the anchor and the tag before it.
fn without_properties(mut value: &str) -> &str {
    while value.starts_with(['&', '!']) {
        let Some(end) = value.find(char::is_whitespace) else { break };
        value = value[end..].trim_start();
    }
    value
}

/// The end of a value in quotes, which it begins with.
fn end_of_quoted(value: &str, quote: char) -> Option<usize> {
    let mut characters = value.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            // Two of them are one that is not the end.
            if quote == '\'' && characters.next_if(|(_, next)| *next == quote).is_some() {
                continue;
            }
            return Some(at + 1);
        }
    }
    None
}

/// The end of the lines of a value, without the last one's line break: the first line, and those after
/// it that are indented further than its key.
fn end_of_lines(value: &str, indent: usize) -> usize {
    let (mut at, mut end) = (0, 0);
    for line in value.split_inclusive('\n') {
        let content = line.trim_end();
        let width = line.len() - line.trim_start_matches(' ').len();
        if at > 0 && !content.is_empty() && width <= indent {
            break;
        }
        if !content.is_empty() {
            end = at + content.len();
        }
        at += line.len();
    }
    end
}

/// The texts in which a key with a token stands before what begins at a byte: on a line of its own, and
/// on the same line.
fn inserted(text: &str, at: usize, [key, new]: [&str; 2]) -> Vec<String> {
    let Some((before, after)) = text.split_at_checked(at) else { return Vec::new() };
    let line = before.rfind('\n').map_or(before, |end| &before[end + 1..]);
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut texts = Vec::new();
    if line.trim().is_empty() {
        texts.push(format!("{before}{key}: {new}{end}{line}{after}"));
        texts.push(format!("{before}{key}: {}{end}{line}{after}", quoted(new)));
    }
    texts.push(format!("{before}\"{key}\": {}, {after}", quoted(new)));
    texts
}

/// A token in quotes that YAML and JSON read.
fn quoted(token: &str) -> String {
    Value::from(token).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "eyJh.eyJi.c2ln";
    const NEW: &str = "eyJh.eyJj.bmV3";

    fn tokens(refresh: Option<&str>) -> IssuedTokens {
        IssuedTokens { id_token: NEW.to_owned(), refresh_token: refresh.map(str::to_owned) }
    }

    #[test]
    fn tokens_are_edited_in_place_and_nothing_else() {
        let block = "# mine\nusers:\n- name: other\n  user: {auth-provider: {config: {id-token: ID}}}\n\
                     - name: me # yes\n  user:\n    auth-provider:\n      config:\n        \
                     id-token: ID   # old\n        refresh-token: 'old'\n      name: oidc\n";
        let flow = "{users: [{name: me, user: {auth-provider: {name: oidc, config: {refresh-token: old, id-token: ID}}}}]}";
        let json = "{\"users\": [{\"name\": \"me\", \"user\": {\"auth-provider\": {\"name\": \"oidc\",\n\
                    \"config\": {\"id-token\": \"ID\", \"refresh-token\": \"old\"}}}}]}\n";
        for text in [block, flow, json, &block.replace('\n', "\r\n"), &format!("---\n{block}")] {
            let text = text.replace("ID", ID);
            let place = text.rfind(ID).unwrap();
            let expected = format!("{}{NEW}{}", &text[..place], &text[place + ID.len()..]);
            assert_eq!(edited(&text, "me", &tokens(None)).unwrap(), expected);
            let expected = expected.replace("old'", "new'").replace("n\": \"old", "n\": \"new");
            let expected = expected.replace("token: old,", "token: new,");
            assert_eq!(edited(&text, "me", &tokens(Some("new"))).unwrap(), expected);
        }
    }

    #[test]
    fn a_token_that_needs_quotes_gets_them() {
        let text = "users: [{name: me, user: {auth-provider: {config: {id-token: a.b.c, refresh-token: 'x'}}}}]";
        for refresh in ["1234", "true", "a: b", "it's", "a\"b", "a # b", "[a", "-"] {
            let edited = edited(text, "me", &tokens(Some(refresh))).unwrap();
            let read = KubeconfigDocument::read(&edited).unwrap().value;
            let config = &read["users"][0]["user"]["auth-provider"]["config"];
            assert_eq!(config["refresh-token"], refresh);
            assert_eq!(config["id-token"], NEW);
        }
    }

    #[test]
    fn an_id_token_that_is_missing_is_added() {
        let block = "users:\n- name: me\n  user:\n    auth-provider:\n      config:\n        \
                     client-id: a\n        refresh-token: old\n";
        let expected = block.replace("refresh", &format!("id-token: {NEW}\n        refresh"));
        assert_eq!(edited(block, "me", &tokens(None)).unwrap(), expected);
        let flow = "users: [{name: me, user: {auth-provider: {config: {refresh-token: old}}}}]\n";
        let expected = flow.replace("refresh", &format!("\"id-token\": \"{NEW}\", refresh"));
        assert_eq!(edited(flow, "me", &tokens(None)).unwrap(), expected);
        let json = "{\"users\": [{\"name\": \"me\", \"user\": {\"auth-provider\": {\"config\": {\n  \
                    \"refresh-token\": \"old\"}}}}]}";
        let expected = json.replace("\"refresh", &format!("\"id-token\": \"{NEW}\", \"refresh"));
        assert_eq!(edited(json, "me", &tokens(None)).unwrap(), expected);
    }

    /// A kubeconfig with these lines in the auth-provider's config.
    fn config(lines: &str) -> String {
        format!(
            "users:\n- name: me # yes\n  user:\n    auth-provider:\n      config:\n{lines}      name: oidc\n\
             contexts: [] # theirs\n"
        )
    }

    #[test]
    fn a_value_is_replaced_however_it_is_written() {
        let new = format!("        id-token: {NEW}\n        client-id: a\n");
        let comment = format!("        id-token: {NEW} # c\n        client-id: a\n");
        let quoted = format!("        id-token: \"{NEW}\"\n        client-id: a\n");
        let rest = "        client-id: a\n";
        for (value, expected) in [
            ("id-token: >-\n          eyJh.\n          eyJi.c2ln\n", &new),
            ("id-token: |-\n          eyJh.eyJi.c2ln\n", &new),
            ("id-token: |\n          eyJh.eyJi.c2ln\n", &new),
            ("id-token: >2-\n          eyJh.eyJi.c2ln\n", &new),
            ("id-token: >-\n         eyJh.\n\n         eyJi\n", &new),
            ("id-token: >- # c\n          eyJh.eyJi.c2ln\n", &comment),
            ("id-token: eyJh.\n          eyJi.c2ln\n", &new),
            ("id-token: eyJh.\n          eyJi.c2ln # c\n", &comment),
            ("id-token:\n          eyJh.eyJi.c2ln\n", &new.replace(": ey", ":\n          ey")),
            ("id-token: \"eyJ\\x68.eyJi\\\n          .c2ln\"\n", &quoted),
            ("id-token: \"a\\\"b\"\n", &quoted),
            ("id-token: 'a''b'\n", &quoted.replace('"', "'")),
            ("id-token: ''\n", &quoted.replace('"', "'")),
            ("id-token:\n", &new),
            ("id-token: # c\n", &comment),
            ("id-token: ~\n", &new),
            ("id-token: &it eyJh.eyJi.c2ln\n", &new.replace(": ey", ": &it ey")),
            ("id-token: &it >-\n          eyJh.eyJi\n", &new.replace(": ey", ": &it ey")),
            ("id-token: !!str eyJh.eyJi\n", &new.replace(": ey", ": !!str ey")),
            ("\"id-token\": \"eyJh.eyJi\"\n", &quoted.replace("id-token", "\"id-token\"")),
        ] {
            let text = config(&format!("        {value}{rest}"));
            let edited = edited(&text, "me", &tokens(None));
            assert_eq!(edited.as_deref(), Ok(&*config(expected)), "{value}");
            let text = text.replace('\n', "\r\n");
            let read = super::edited(&text, "me", &tokens(None)).map(|it| present(&it, "me"));
            assert_eq!(read, Ok(Some([Some(NEW.to_owned()), None])), "{value:?}");
        }
    }

    #[test]
    fn values_within_brackets_and_at_the_end_are_replaced_too() {
        let flow = |value: &str| {
            format!("users: [{{name: me, user: {{auth-provider: {{config: {{{value}}}}}}}}}]")
        };
        for (value, expected) in [
            ("id-token: a.\n    b.c", "id-token: NEW"),
            ("id-token: a.\n  b.c , x: y", "id-token: NEW , x: y"),
            ("id-token: \"\\x61.b.c\"", "id-token: \"NEW\""),
            ("id-token: , x: y", "id-token: NEW, x: y"),
            ("id-token: &it a.b.c", "id-token: &it NEW"),
            ("x: &it a.b.c, id-token: *it", "x: &it a.b.c, id-token: NEW"),
        ] {
            let edited = edited(&flow(value), "me", &tokens(None));
            let expected = flow(expected).replace("NEW", NEW);
            assert_eq!(edited.as_deref(), Ok(&*expected), "{value}");
        }
        let head =
            "users:\n- name: me\n  user:\n    auth-provider:\n      config:\n        id-token: ";
        for value in [">-\n         a.b.c", "|\n         a.b.c\n", "a.\n         b", ""] {
            let edited = edited(&format!("{head}{value}"), "me", &tokens(None)).unwrap();
            assert_eq!(edited.trim_end(), format!("{head}{NEW}"), "{value}");
        }
    }

    #[test]
    fn both_tokens_are_replaced_in_a_folded_file() {
        let text = "  # c\n        id-token: >-\n          eyJh.\n          eyJi\n        refresh-token: >-\n          old\n          er\n";
        let new = format!("  # c\n        id-token: {NEW}\n        refresh-token: new\n");
        let edited = edited(&config(text), "me", &tokens(Some("new")));
        assert_eq!(edited.as_deref(), Ok(&*config(&new)));
        let found = present(&config(text), "me").unwrap();
        assert_eq!(found, [Some("eyJh. eyJi".to_owned()), Some("old er".to_owned())]);
    }

    #[test]
    fn kubeconfig_that_cannot_be_edited_in_place_is_refused() {
        let user = |config: &str| {
            format!("users:\n- name: me\n  user:\n    auth-provider:\n      config: {config}\n")
        };
        for text in [
            user("&it\n        id-token: a.b.c\n        refresh-token: x\n- name: b\n  user: *it"),
            user("{id-token: &it a.b.c, refresh-token: *it}"),
            user("{}"),
            "users: []".to_owned(),
            "a: [".to_owned(),
            String::new(),
        ] {
            let error = edited(&text, "me", &tokens(None)).unwrap_err();
            assert!(!error.contains("b.c"), "{error}");
        }
    }
}
