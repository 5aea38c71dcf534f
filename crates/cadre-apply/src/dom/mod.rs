//! The tree of a page.
//!
//! Pages are what strangers wrote: a tree is bounded in bytes, in depth, and in the time that building it
//! may take, and whatever goes beyond is left out.

mod charset;
mod sink;

use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use html5ever::LocalName;
use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};

pub(crate) use charset::decode;

use self::sink::{Handle, Sink};

/// Longest text of a page that is read, in bytes.
const MOST_BYTES: usize = 4 << 20;
/// How much is given to the library at once, in bytes.
const CHUNK: usize = 16 << 10;
/// Building a tree of a page takes milliseconds; one that is made to take long is cut off.
const MOST_TIME: Duration = Duration::from_secs(2);
/// Deepest nesting, as browsers have it.
const MOST_DEPTH: usize = 512;

/// The place of a node in its tree.
pub(crate) type At = usize;

/// The nodes of a page.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    ids: HashMap<String, At>,
    /// Where each node stands in the order in which the page is read.
    order: Vec<u32>,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    parent: Option<At>,
    children: Vec<At>,
    /// The form that the page's brackets put the control into, wherever it stands.
    form: Option<At>,
}

#[derive(Debug)]
enum Kind {
    Document,
    Element { name: LocalName, attributes: Vec<(String, String)> },
    Text(String),
    Comment,
}

impl Node {
    fn new(kind: Kind) -> Self {
        Node { kind, parent: None, children: Vec::new(), form: None }
    }
}

impl Tree {
    /// Reads the text of a page.
    pub(crate) fn read(text: &str) -> Tree {
        let cut = text.floor_char_boundary(MOST_BYTES.min(text.len()));
        let builder = TreeBuilder::new(Sink::new(), TreeBuilderOpts::default());
        let tokens = Tokenizer::new(Bounded::new(builder), TokenizerOpts::default());
        let queue = BufferQueue::default();
        let begun = Instant::now();
        let mut rest = &text[..cut];
        while !rest.is_empty() && begun.elapsed() < MOST_TIME {
            let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK.min(rest.len())));
            queue.push_back(StrTendril::from_slice(chunk));
            while !matches!(tokens.feed(&queue), TokenizerResult::Done) {}
            rest = after;
        }
        tokens.end();
        tokens.sink.builder.sink.tree()
    }

    fn of(nodes: Vec<Node>) -> Tree {
        let mut tree = Tree { order: vec![u32::MAX; nodes.len()], nodes, ids: HashMap::new() };
        for (place, at) in tree.walk(0).enumerate().collect::<Vec<_>>() {
            tree.order[at] = u32::try_from(place).unwrap_or(u32::MAX);
            if let Some(id) = tree.attribute(at, "id").map(str::to_owned) {
                tree.ids.entry(id).or_insert(at);
            }
        }
        tree
    }

    /// The name of an element; empty for anything else.
    pub(crate) fn name(&self, at: At) -> &str {
        match &self.nodes[at].kind {
            Kind::Element { name, .. } => name,
            _ => "",
        }
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, at: At, name: &str) -> Option<&str> {
        self.attributes(at).find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The attributes of an element.
    pub(crate) fn attributes(&self, at: At) -> impl Iterator<Item = (&str, &str)> {
        let attributes = match &self.nodes[at].kind {
            Kind::Element { attributes, .. } => attributes.as_slice(),
            _ => &[],
        };
        attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn has(&self, at: At, name: &str) -> bool {
        self.attribute(at, name).is_some()
    }

    /// The text of a text node.
    pub(crate) fn own_text(&self, at: At) -> Option<&str> {
        match &self.nodes[at].kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn parent(&self, at: At) -> Option<At> {
        self.nodes[at].parent
    }

    pub(crate) fn children(&self, at: At) -> &[At] {
        &self.nodes[at].children
    }

    /// The element with an id.
    pub(crate) fn by_id(&self, id: &str) -> Option<At> {
        self.ids.get(id).copied()
    }

    /// The form that a control belongs to.
    pub(crate) fn form_of(&self, at: At) -> Option<At> {
        match self.attribute(at, "form") {
            Some(id) => self.by_id(id).filter(|form| self.name(*form) == "form"),
            None => self.nodes[at]
                .form
                .or_else(|| self.ancestors(at).find(|up| self.name(*up) == "form")),
        }
    }

    /// Whether one node comes before another.
    pub(crate) fn is_before(&self, one: At, other: At) -> bool {
        self.order[one] < self.order[other]
    }

    /// The elements around a node, the nearest first.
    pub(crate) fn ancestors(&self, at: At) -> impl Iterator<Item = At> {
        std::iter::successors(self.parent(at), |up| self.parent(*up))
    }

    /// A node and everything in it, in the order of the page.
    pub(crate) fn walk(&self, at: At) -> Walk<'_> {
        Walk { tree: self, open: vec![at] }
    }

    /// Every element of a name inside of a node.
    pub(crate) fn all<'a>(&'a self, at: At, name: &'a str) -> impl Iterator<Item = At> + 'a {
        self.walk(at).filter(move |one| self.name(*one) == name)
    }
}

/// A walk over a part of a tree.
pub(crate) struct Walk<'a> {
    tree: &'a Tree,
    open: Vec<At>,
}

impl Walk<'_> {
    /// Leaves out what is inside of the node that came last.
    pub(crate) fn leave(&mut self, last: At) {
        let inside = self.tree.children(last).len();
        self.open.truncate(self.open.len().saturating_sub(inside));
    }
}

impl Iterator for Walk<'_> {
    type Item = At;

    fn next(&mut self) -> Option<At> {
        let at = self.open.pop()?;
        self.open.extend(self.tree.children(at).iter().rev());
        Some(at)
    }
}

/// Elements that never hold others, or whose end is often left out and which end each other.
const NO_DEPTH: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "option",
    "optgroup", "html", "head", "body", "script", "style", "title", "textarea", "select", "form",
];

/// Hands tokens on, but those that would nest too deeply.
struct Bounded {
    builder: TreeBuilder<Handle, Sink>,
    depth: Cell<usize>,
    /// How many drawings are open: a tag that closes itself does so only in there.
    drawings: Cell<usize>,
}

impl Bounded {
    fn new(builder: TreeBuilder<Handle, Sink>) -> Self {
        Bounded { builder, depth: Cell::new(0), drawings: Cell::new(0) }
    }
}

impl TokenSink for Bounded {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        if let Token::TagToken(tag) = &token
            && !NO_DEPTH.contains(&&*tag.name)
        {
            let is_drawing = matches!(&*tag.name, "svg" | "math");
            match tag.kind {
                TagKind::StartTag => {
                    if self.depth.get() >= MOST_DEPTH {
                        return TokenSinkResult::Continue;
                    }
                    let closed = tag.self_closing && (is_drawing || self.drawings.get() > 0);
                    if !closed {
                        self.depth.set(self.depth.get() + 1);
                        self.drawings.set(self.drawings.get() + usize::from(is_drawing));
                    }
                }
                TagKind::EndTag => {
                    self.depth.set(self.depth.get().saturating_sub(1));
                    let closed = self.drawings.get().saturating_sub(usize::from(is_drawing));
                    self.drawings.set(closed);
                }
            }
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn controls_keep_the_form_that_the_page_gives_them() {
        let tree = Tree::read(
            "<table><form id=f><tr><td><input name=a></td></tr></form></table><input name=b form=f>",
        );
        let form = tree.by_id("f");
        let inputs: Vec<_> = tree.all(0, "input").map(|at| tree.form_of(at)).collect();
        assert_eq!(inputs, [form, form]);
    }

    #[test]
    fn depth_and_time_are_bounded() {
        for page in
            ["<div>".repeat(300_000), "<b><i><div/>".repeat(90_000), "<table><a>".repeat(90_000)]
        {
            let tree = Tree::read(&page);
            let deepest = tree.walk(0).last().map_or(0, |last| tree.ancestors(last).count());
            assert!(deepest < 2_000, "{deepest}");
        }
    }
}
