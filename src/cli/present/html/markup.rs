//! Elements of a page. What is put into one as text or as an attribute's value can't end it: it is
//! escaped here, and made inert, so that no caller can forget it. Names of elements and attributes are the
//! program's own.

use std::fmt::Write as _;

use crate::core::sanitize::{is_harmless, spelled};

/// The most characters of one text. Any client may have written what is read from a cluster.
const LONGEST: usize = 300;

/// Elements that have no content.
const VOID: [&str; 4] = ["meta", "rect", "line", "use"];

/// Elements that begin a line of the file, so that two pages can be compared line by line.
const LINES: [&str; 24] = [
    "meta", "title", "style", "body", "header", "nav", "main", "footer", "section", "h1", "h2",
    "h3", "p", "ul", "ol", "li", "dl", "div", "table", "thead", "tr", "details", "svg", "caption",
];

/// An element with its attributes and its content.
#[derive(Clone, Debug)]
pub(super) struct Element {
    tag: &'static str,
    attributes: String,
    content: String,
}

/// An element without content.
pub(super) fn element(tag: &'static str) -> Element {
    Element { tag, attributes: String::new(), content: String::new() }
}

/// The style sheet. It is the one content that is not escaped, and always the program's own.
pub(super) fn style_sheet(rules: &'static str) -> Element {
    Element { tag: "style", attributes: String::new(), content: rules.to_owned() }
}

impl Element {
    /// With an attribute.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        let _ = write!(self.attributes, " {name}=\"");
        escape(&mut self.attributes, value);
        self.attributes.push('"');
        self
    }

    /// With a class.
    pub(super) fn class(self, class: &'static str) -> Self {
        self.with("class", class)
    }

    /// With a text behind what it has.
    pub(super) fn text(mut self, text: &str) -> Self {
        escape(&mut self.content, text);
        self
    }

    /// With an element behind what it has.
    pub(super) fn child(mut self, child: Self) -> Self {
        child.write(&mut self.content);
        self
    }

    /// With elements behind what it has.
    pub(super) fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// Its markup.
    pub(super) fn markup(&self) -> String {
        let mut markup = String::with_capacity(self.content.len() + self.attributes.len() + 32);
        self.write(&mut markup);
        markup
    }

    fn write(&self, out: &mut String) {
        let Self { tag, attributes, content } = self;
        if LINES.contains(tag) {
            out.push('\n');
        }
        let _ = match VOID.contains(tag) && content.is_empty() {
            true => write!(out, "<{tag}{attributes}/>"),
            false => write!(out, "<{tag}{attributes}>{content}</{tag}>"),
        };
    }
}

/// Writes a text so that it is nothing but text, in an element or in an attribute's value.
fn escape(out: &mut String, text: &str) {
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if at == LONGEST => return out.push('…'),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if is_harmless(c) => out.push(c),
            c => out.push_str(&spelled(c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        let hostile = "</p><script>x</script>\"'&amp;\u{202e}\u{1b}[2J\n";
        let written = element("p").with("title", hostile).text(hostile).markup();
        let text = "&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;&quot;&#39;&amp;amp;\\u202e\\x1b[2J\\n";
        assert_eq!(written, format!("\n<p title=\"{text}\">{text}</p>"));
    }

    #[test]
    fn a_long_text_is_cut() {
        let written = element("b").text(&"<".repeat(10_000)).markup();
        assert_eq!(written, format!("<b>{}…</b>", "&lt;".repeat(LONGEST)));
    }

    #[test]
    fn elements_nest_in_order() {
        let items = ["a", "b"].map(|it| element("i").text(it));
        let written = element("b").text("x").children(items).child(element("rect")).markup();
        assert_eq!(written, "<b>x<i>a</i><i>b</i><rect/></b>");
    }
}
