//! Where the HTML library puts the nodes of a page.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode};
use html5ever::tendril::StrTendril;
use html5ever::tree_builder::TreeSink;
use html5ever::{Attribute, ExpandedName, LocalName, Namespace, QualName};

use super::{Kind, Node, Tree};

/// The nodes so far.
pub(super) struct Sink(RefCell<Vec<Node>>);

/// A node, with its name beside it: the library asks for names far more often than for anything else.
#[derive(Clone)]
pub(super) struct Handle {
    at: usize,
    name: Rc<QualName>,
}

impl Sink {
    pub(super) fn new() -> Self {
        Sink(RefCell::new(vec![Node::new(Kind::Document)]))
    }

    /// The tree of everything that has been put in.
    pub(super) fn tree(&self) -> Tree {
        Tree::of(self.0.take())
    }

    fn add(&self, kind: Kind) -> usize {
        let mut nodes = self.0.borrow_mut();
        nodes.push(Node::new(kind));
        nodes.len() - 1
    }

    fn nameless(at: usize) -> Handle {
        let name = QualName::new(None, Namespace::default(), LocalName::default());
        Handle { at, name: Rc::new(name) }
    }

    /// Puts a node or a text into a parent at a place; at the end where none is given.
    fn put(&self, parent: usize, place: Option<usize>, child: NodeOrText<Handle>) {
        let mut nodes = self.0.borrow_mut();
        let place = place.unwrap_or(nodes[parent].children.len());
        let before = place.checked_sub(1).map(|before| nodes[parent].children[before]);
        let child = match child {
            NodeOrText::AppendNode(handle) => handle.at,
            NodeOrText::AppendText(text) => {
                if let Some(Kind::Text(known)) = before.map(|before| &mut nodes[before].kind) {
                    known.push_str(&text);
                    return;
                }
                nodes.push(Node::new(Kind::Text(text.to_string())));
                nodes.len() - 1
            }
        };
        nodes[child].parent = Some(parent);
        nodes[parent].children.insert(place, child);
    }

    fn take_out(&self, child: usize) {
        let mut nodes = self.0.borrow_mut();
        if let Some(parent) = nodes[child].parent.take() {
            let siblings = &mut nodes[parent].children;
            if let Some(place) = siblings.iter().rposition(|sibling| *sibling == child) {
                siblings.remove(place);
            }
        }
    }
}

fn pairs(attributes: Vec<Attribute>) -> impl Iterator<Item = (String, String)> {
    attributes.into_iter().map(|one| (one.name.local.to_string(), one.value.to_string()))
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Self::nameless(0)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> Handle {
        let kind = Kind::Element { name: name.local.clone(), attributes: pairs(attrs).collect() };
        Handle { at: self.add(kind), name: Rc::new(name) }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        Self::nameless(self.add(Kind::Comment))
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Self::nameless(self.add(Kind::Comment))
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.put(parent.at, None, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        before: &Handle,
        child: NodeOrText<Handle>,
    ) {
        if self.0.borrow()[element.at].parent.is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(before, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    /// The contents of a template are its children: that is how a shadow tree in a page is read along.
    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.at == other.at
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.take_out(node.at);
        }
        let place = {
            let nodes = self.0.borrow();
            let parent = nodes[sibling.at].parent;
            parent.and_then(|parent| {
                let place = nodes[parent].children.iter().rposition(|one| *one == sibling.at)?;
                Some((parent, place))
            })
        };
        if let Some((parent, place)) = place {
            self.put(parent, Some(place), child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<Attribute>) {
        let mut nodes = self.0.borrow_mut();
        if let Kind::Element { attributes, .. } = &mut nodes[target.at].kind {
            for (name, value) in pairs(attrs) {
                if attributes.iter().all(|(known, _)| *known != name) {
                    attributes.push((name, value));
                }
            }
        }
    }

    fn associate_with_form(&self, target: &Handle, form: &Handle, _: (&Handle, Option<&Handle>)) {
        self.0.borrow_mut()[target.at].form = Some(form.at);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.take_out(target.at);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut nodes = self.0.borrow_mut();
        let moved = std::mem::take(&mut nodes[node.at].children);
        for child in &moved {
            nodes[*child].parent = Some(new_parent.at);
        }
        nodes[new_parent.at].children.extend(moved);
    }
}
