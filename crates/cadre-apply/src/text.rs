//! What one reads in a page.

use crate::dom::{At, Tree};
use crate::sheet::is_hidden;

/// Longest text that is read as words of a control, in bytes.
pub(crate) const LONGEST: usize = 600;

/// Elements whose text nobody reads as part of a text.
const SILENT: &[&str] =
    &["script", "style", "noscript", "select", "textarea", "button", "svg", "datalist", "iframe"];
/// Elements that begin on a line of their own.
pub(crate) const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "legend",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "ul",
];

/// Everything that one reads in an element, on one line.
pub(crate) fn words(tree: &Tree, at: At) -> String {
    read(tree, at, LONGEST, &|_| false)
}

/// Everything that one reads in a page, up to a length in bytes.
pub(crate) fn page_words(tree: &Tree, most: usize) -> String {
    let unseen = |one: At| {
        let class = tree.attribute(one, "class").unwrap_or_default();
        let mut classes = class.split_ascii_whitespace();
        classes.any(|class| matches!(class, "hidden" | "d-none" | "is-hidden"))
    };
    read(tree, 0, most, &|one| matches!(tree.name(one), "head" | "option") || unseen(one))
}

/// What one reads in an element up to a length, without what is left out.
pub(crate) fn read(tree: &Tree, at: At, most: usize, left_out: &dyn Fn(At) -> bool) -> String {
    let mut text = String::new();
    let mut walk = tree.walk(at);
    while let Some(one) = walk.next() {
        if let Some(own) = tree.own_text(one) {
            text.push_str(own);
        } else if one != at && (is_silent(tree, one) || left_out(one)) {
            walk.leave(one);
            text.push(' ');
        } else if BLOCKS.contains(&tree.name(one))
            || matches!(tree.name(one), "br" | "input" | "option")
        {
            text.push(' ');
        }
        if text.len() > most * 2 {
            break;
        }
    }
    let mut line = line(&text);
    line.truncate(line.floor_char_boundary(most));
    line
}

/// Whether nobody reads an element.
pub(crate) fn is_silent(tree: &Tree, at: At) -> bool {
    let name = tree.name(at);
    SILENT.contains(&name)
        || name == "template" && !tree.has(at, "shadowrootmode")
        || is_hidden(tree, at)
}

/// A text without line breaks and double spaces.
pub(crate) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether there is anything to read in a text but signs.
pub(crate) fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}
