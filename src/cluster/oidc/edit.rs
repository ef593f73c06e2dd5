//! New tokens in the text of a kubeconfig, in which nothing else changes: comments, order, quotes and
//! line breaks stay. What comes of it is read again, and counts only if it says what is meant and
//! everything else that it said before.

use serde_json::Value;

use super::refresh::Tokens;
use crate::core::manifest::{self, PathPart, Positions};

const ID_TOKEN: &str = "id-token";
const REFRESH_TOKEN: &str = "refresh-token";

/// The text with these tokens for the auth-provider of this user.
///
/// # Errors
///
/// When that can't be done in place; as text that quotes no value.
pub(super) fn edited(text: &str, user: &str, tokens: &Tokens) -> Result<String, String> {
    let document = Document::read(text).ok_or("it is no YAML that can be read")?;
    let users = document.value.get("users").and_then(Value::as_array);
    let is_user = |it: &Value| it.get("name").and_then(Value::as_str).unwrap_or_default() == user;
    let at = users.and_then(|users| users.iter().position(is_user));
    let at = at.ok_or_else(|| format!("it has no user {user:?} any more"))?;
    let mut text = text.to_owned();
    let new =
        [(REFRESH_TOKEN, tokens.refresh_token.as_deref()), (ID_TOKEN, Some(&*tokens.id_token))];
    for (key, new) in new {
        let Some(new) = new else { continue };
        let document = Document::read(&text).ok_or("it is no YAML that can be read")?;
        let with_new = document.with(&text, &Place { user: at, key }, new);
        text =
            with_new.ok_or_else(|| format!("its {key} is not written in one line of its own"))?;
    }
    Ok(text)
}

/// A token's place.
struct Place<'a> {
    /// Which of the users it is of.
    user: usize,
    key: &'a str,
}

impl Place<'_> {
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

    /// What the auth-provider is configured by.
    fn config<'a>(&self, value: &'a mut Value) -> Option<&'a mut serde_json::Map<String, Value>> {
        let user = value.get_mut("users")?.get_mut(self.user)?;
        user.get_mut("user")?.get_mut("auth-provider")?.get_mut("config")?.as_object_mut()
    }
}

/// What a kubeconfig says, and where.
struct Document {
    value: Value,
    positions: Positions,
}

impl Document {
    fn read(text: &str) -> Option<Self> {
        let (value, positions) = manifest::value("", text.as_bytes()).ok()??;
        Some(Self { value, positions })
    }

    /// The text with another token in this place.
    fn with(&self, text: &str, place: &Place<'_>, new: &str) -> Option<String> {
        let mut wanted = self.value.clone();
        let old = place.config(&mut wanted)?.insert(place.key.to_owned(), new.into());
        let texts = match &old {
            Some(old) => replaced(text, self.start_of_value(text, place)?, [old.as_str()?, new])?,
            None => inserted(text, self.start_of_key(text, place)?, [place.key, new]),
        };
        texts.into_iter().find(|text| Self::read(text).is_some_and(|it| it.value == wanted))
    }

    /// Where the token begins.
    fn start_of_value(&self, text: &str, place: &Place<'_>) -> Option<usize> {
        let (line, column) = self.positions.of_value(&place.path(place.key))?;
        byte(text, line, column)
    }

    /// Where the key of the other token begins.
    fn start_of_key(&self, text: &str, place: &Place<'_>) -> Option<usize> {
        let (line, column) = self.positions.of(&place.path(REFRESH_TOKEN))?;
        byte(text, line, column)
    }
}

/// The byte of a line and a column, both from 1, the column in characters.
fn byte(text: &str, line: usize, column: usize) -> Option<usize> {
    let lines = text.split_inclusive('\n').take(line.checked_sub(1)?);
    let start: usize = lines.map(str::len).sum();
    let (at, _) = text.get(start..)?.char_indices().nth(column.checked_sub(1)?)?;
    Some(start + at)
}

/// The texts in which a token stands for another one that begins at a byte: with the same quotes, and
/// with those that fit any token.
fn replaced(text: &str, at: usize, [old, new]: [&str; 2]) -> Option<Vec<String>> {
    let (before, rest) = text.split_at_checked(at)?;
    let quote = ["\"", "'", ""].into_iter().find(|quote| {
        let inner = rest.strip_prefix(quote).and_then(|rest| rest.strip_prefix(old));
        inner.is_some_and(|rest| rest.starts_with(quote))
    })?;
    let after = &rest[2 * quote.len() + old.len()..];
    let spelled = [format!("{quote}{new}{quote}"), quoted(new)];
    Some(spelled.iter().map(|new| format!("{before}{new}{after}")).collect())
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

    fn tokens(refresh: Option<&str>) -> Tokens {
        Tokens { id_token: NEW.to_owned(), refresh_token: refresh.map(str::to_owned) }
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
            let read = Document::read(&edited).unwrap().value;
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

    #[test]
    fn what_cant_be_edited_in_place_is_left_alone() {
        let user = |config: &str| {
            format!("users:\n- name: me\n  user:\n    auth-provider:\n      config: {config}\n")
        };
        for text in [
            user("\n        id-token: |-\n          a.b.c"),
            user("\n        id-token: >-\n          a.b.c"),
            user("{id-token: \"\\x61.b.c\"}"),
            user("{id-token: &it a.b.c}"),
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
