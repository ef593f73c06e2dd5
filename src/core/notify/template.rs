//! The text of a message as a sink's settings word it: `{name}` stands for a part of the message.

use super::message::Message;
use crate::core::source::snapshot::short;

/// The names that a template may use.
const NAMES: [&str; 13] = [
    "author",
    "commit",
    "details",
    "id",
    "level",
    "objects",
    "short",
    "subject",
    "target",
    "text",
    "time",
    "title",
    "transition",
];

/// A template that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(&'static str),
}

/// Why a template can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It uses a name that stands for nothing.
    #[error("unknown name {{{name}}}; allowed here: {}", NAMES.join(", "))]
    Unknown {
        /// The name.
        name: String,
    },
    /// A brace has no other one.
    #[error("a brace has no other one; write {{{{ or }}}} for a brace itself")]
    Unpaired,
}

impl Default for Template {
    fn default() -> Self {
        Self(vec![Piece::Name("text")])
    }
}

impl Template {
    /// Reads a template. `{{` and `}}` are braces themselves.
    ///
    /// # Errors
    ///
    /// When it uses a name that there is not, or a brace has no other one.
    pub fn read(text: &str) -> Result<Self, TemplateError> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, behind) = rest[at..].split_at(1);
            if let Some(next) = behind.strip_prefix(brace) {
                plain.push_str(brace);
                rest = next;
                continue;
            }
            let (name, next) = match (brace, behind.split_once('}')) {
                ("{", Some(parts)) => parts,
                _ => return Err(TemplateError::Unpaired),
            };
            let known = NAMES.iter().find(|known| **known == name);
            let known = known.ok_or_else(|| TemplateError::Unknown { name: name.to_owned() })?;
            pieces.extend((!plain.is_empty()).then(|| Piece::Text(std::mem::take(&mut plain))));
            pieces.push(Piece::Name(known));
            rest = next;
        }
        plain.push_str(rest);
        pieces.extend((!plain.is_empty()).then_some(Piece::Text(plain)));
        Ok(Self(pieces))
    }

    /// The text of a message.
    pub fn fill(&self, message: &Message) -> String {
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name(name) => part(message, name),
        });
        texts.collect()
    }
}

fn part(message: &Message, name: &str) -> String {
    let commit = message.commit.clone().unwrap_or_default();
    match name {
        "author" => commit.author,
        "commit" => commit.id,
        "details" => message.details.join("\n"),
        "id" => message.id.clone(),
        "level" => message.transition.level().name().to_owned(),
        "objects" => message.objects.join(", "),
        "short" => short(&commit.id).to_owned(),
        "subject" => commit.subject,
        "target" => message.target.clone(),
        "time" => message.at.to_string(),
        "title" => message.title.clone(),
        "transition" => message.transition.name().to_owned(),
        _ => message.text(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::words;
    use super::*;

    #[test]
    fn names_stand_for_parts_of_the_message() {
        let dropped = words::dropped("id".to_owned(), 2, Timestamp::UNIX_EPOCH);
        let message = Message { target: "prod".to_owned(), ..dropped };
        for (template, expected) in [
            ("{target} {transition}: {level}", "prod dropped: warning"),
            ("{{{target}}} }}{{", "{prod} }{"),
            ("", ""),
            ("{time}", "1970-01-01T00:00:00Z"),
        ] {
            let filled = Template::read(template).map(|template| template.fill(&message));
            assert_eq!(filled.as_deref(), Ok(expected), "{template}");
        }
        for name in NAMES {
            let template = Template::read(&format!("{{{name}}}")).unwrap();
            assert_eq!(template.fill(&message), part(&message, name));
        }
        assert_eq!(Template::default().fill(&message), message.text());
    }

    #[test]
    fn unknown_names_and_single_braces_are_errors() {
        let unknown = Template::read("a {nmae}").unwrap_err();
        assert_eq!(unknown, TemplateError::Unknown { name: "nmae".to_owned() });
        assert!(unknown.to_string().starts_with("unknown name {nmae}; allowed here: author, "));
        for template in ["{", "}", "a {target", "target}", "{{}"] {
            assert_eq!(Template::read(template), Err(TemplateError::Unpaired), "{template}");
        }
    }
}
