//! The words that stand for a control: its label, what stands over its group, the help beside it, and
//! the heading above.

use std::collections::{HashMap, HashSet};

use crate::dom::{At, Tree};
use crate::sheet::{Control, Sheet};
use crate::text::{BLOCKS, LONGEST, has_letters, is_silent, line, read, words};
use crate::words::{FORMS, fold};

/// Longest text that is taken for a label because it stands before a control, in bytes.
const NEAR: usize = 250;
/// How far up from a control its words are looked for.
const FAR: usize = 7;
const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];

/// The labels of a page.
pub(crate) struct Labels<'a> {
    tree: &'a Tree,
    by_for: HashMap<&'a str, Vec<At>>,
}

impl<'a> Labels<'a> {
    pub(crate) fn of(tree: &'a Tree) -> Self {
        let mut by_for: HashMap<&str, Vec<At>> = HashMap::new();
        for label in tree.all(0, "label") {
            if let Some(id) =
                tree.attribute(label, "for").map(str::trim).filter(|id| !id.is_empty())
            {
                by_for.entry(id).or_default().push(label);
            }
        }
        Labels { tree, by_for }
    }

    /// Writes the words of its controls into a form.
    pub(crate) fn write(&self, sheet: &mut Sheet) {
        let names: HashMap<At, String> =
            sheet.controls.iter().map(|one| (one.at, one.name.clone())).collect();
        let mut headings = HashSet::new();
        for at in 0..sheet.controls.len() {
            if sheet.controls[at].kind == "hidden" {
                continue;
            }
            let control = &sheet.controls[at];
            let label = self.label(control, &names);
            let group = self.group(control, sheet, &names, &mut headings);
            let description = self.description(control, &names);
            let control = &mut sheet.controls[at];
            control.trap |= FORMS.traps.is_in(&fold(&label)) || FORMS.traps.is_in(&fold(&group));
            (control.label, control.group, control.description) = (label, group, description);
        }
        self.sections(sheet, &headings);
    }

    /// The texts of the elements that an attribute names.
    fn referred(&self, at: At, attribute: &str) -> String {
        let ids = self.tree.attribute(at, attribute).unwrap_or_default();
        let named = ids.split_ascii_whitespace().filter_map(|id| self.tree.by_id(id));
        line(&named.map(|one| words(self.tree, one)).collect::<Vec<_>>().join(" "))
    }

    fn attribute(&self, at: At, name: &str) -> String {
        line(self.tree.attribute(at, name).unwrap_or_default())
    }

    /// What stands for a control alone.
    fn label(&self, control: &Control, names: &HashMap<At, String>) -> String {
        let referred = || self.referred(control.at, "aria-labelledby");
        let by_for = || {
            let labels = self.by_for.get(control.id.as_str()).into_iter().flatten();
            let texts = labels.map(|label| self.label_words(*label));
            line(&texts.collect::<Vec<_>>().join(" "))
        };
        let around = || {
            let mut up = self.tree.ancestors(control.at);
            let label = up.find(|up| self.tree.name(*up) == "label" && !self.tree.has(*up, "for"));
            label.map(|label| self.label_words(label)).unwrap_or_default()
        };
        let said = || self.attribute(control.at, "aria-label");
        let near = || match control.is_box() {
            true => self.after(control.at),
            false => self.before(control.at, control, names, false),
        };
        let host = || {
            // A control in a shadow tree stands for the element that the tree hangs on.
            let mut up = self.tree.ancestors(control.at);
            let root = up.find(|up| self.tree.name(*up) == "template")?;
            let host = self.tree.parent(root)?;
            let labels =
                ["label", "aria-label", "data-label"].map(|name| self.attribute(host, name));
            labels.into_iter().find(|label| !label.is_empty())
        };
        let hint = || control.placeholder.clone();
        let title = || self.attribute(control.at, "title");
        let ways: [&dyn Fn() -> String; 8] = [
            &referred,
            &by_for,
            &around,
            &said,
            &near,
            &|| host().unwrap_or_default(),
            &hint,
            &title,
        ];
        ways.iter().map(|way| way()).find(|words| has_letters(words)).unwrap_or_default()
    }

    /// The words of a label, without the help in it.
    fn label_words(&self, label: At) -> String {
        let without = read(self.tree, label, LONGEST, &|one| self.is_help(one));
        if has_letters(&without) { without } else { words(self.tree, label) }
    }

    fn is_help(&self, at: At) -> bool {
        let class = self.tree.attribute(at, "class").unwrap_or_default();
        let mut classes = class.split_ascii_whitespace();
        self.tree.name(at) == "small"
            || classes.any(|class| {
                let parts: Vec<&str> = class.split(['-', '_']).collect();
                [
                    "help",
                    "hint",
                    "description",
                    "helper",
                    "hilfe",
                    "aide",
                    "ayuda",
                    "tooltip",
                    "error",
                ]
                .iter()
                .any(|word| parts.contains(word))
                    || class == "form-text"
            })
    }

    /// The help beside a control: what it refers to, or a help text in the part of the page that is its own.
    fn description(&self, control: &Control, names: &HashMap<At, String>) -> Option<String> {
        let referred = self.referred(control.at, "aria-describedby");
        if has_letters(&referred) {
            return Some(referred);
        }
        let own = self.tree.ancestors(control.at).take(3).take_while(|up| {
            !matches!(self.tree.name(*up), "form" | "body" | "fieldset")
                && !self.has_others(*up, &control.name, names)
        });
        let part = own.last()?;
        let help = self.tree.walk(part).find(|one| *one != part && self.is_help(*one))?;
        Some(words(self.tree, help)).filter(|text| has_letters(text))
    }

    /// Whether there are controls of other names in a part of a page.
    fn has_others(&self, part: At, name: &str, names: &HashMap<At, String>) -> bool {
        let mut inside = self.tree.walk(part).filter_map(|one| names.get(&one));
        inside.any(|other| *other != name)
    }

    /// What stands behind a box, up to the next control or the end of the line.
    fn after(&self, at: At) -> String {
        let mut at = at;
        for _ in 0..3 {
            let Some(parent) = self.tree.parent(at) else { break };
            let siblings = self.tree.children(parent);
            let place = siblings.iter().position(|one| *one == at).map_or(0, |place| place + 1);
            let mut text = String::new();
            for one in &siblings[place..] {
                let name = self.tree.name(*one);
                let ends = matches!(name, "input" | "br" | "hr") || BLOCKS.contains(&name);
                if ends || self.holds_control(*one) {
                    if has_letters(&text) || name != "br" {
                        break;
                    }
                    continue;
                }
                match self.tree.own_text(*one) {
                    Some(own) => text.push_str(own),
                    None => text.push_str(&words(self.tree, *one)),
                }
            }
            if has_letters(&text) {
                return line(&text);
            }
            if !matches!(self.tree.name(parent), "span" | "label" | "i" | "b" | "td" | "div") {
                break;
            }
            if self.tree.name(parent) == "td" {
                let next =
                    siblings_after(self.tree, parent).find(|one| self.tree.name(*one) == "td");
                return next.map(|cell| words(self.tree, cell)).unwrap_or_default();
            }
            at = parent;
        }
        String::new()
    }

    fn holds_control(&self, at: At) -> bool {
        self.tree.walk(at).any(|one| match self.tree.name(one) {
            "input" => !matches!(self.tree.attribute(one, "type"), Some("hidden")),
            "select" | "textarea" => true,
            _ => false,
        })
    }

    /// What stands before a control: the cell, the term or the text that leads to it.
    fn before(
        &self,
        at: At,
        control: &Control,
        names: &HashMap<At, String>,
        heads: bool,
    ) -> String {
        let mut at = at;
        for _ in 0..FAR {
            let Some(parent) = self.tree.parent(at) else { break };
            if let Some(found) = self.leading(parent, at, control, heads) {
                return found;
            }
            match self.tree.name(parent) {
                "td" => return self.cell(parent, control, names),
                "dd" => {
                    let terms = siblings_before(self.tree, parent);
                    let term = terms.into_iter().find(|one| self.tree.name(*one) == "dt");
                    return term.map(|term| words(self.tree, term)).unwrap_or_default();
                }
                "form" | "fieldset" | "body" => break,
                _ => at = parent,
            }
        }
        String::new()
    }

    /// The text right before a child of an element; an empty one where another control stands between.
    fn leading(&self, parent: At, child: At, control: &Control, heads: bool) -> Option<String> {
        let siblings = self.tree.children(parent);
        let place = siblings.iter().position(|one| *one == child)?;
        let mut texts: Vec<String> = Vec::new();
        for one in siblings[..place].iter().rev() {
            let name = self.tree.name(*one);
            if self.holds_control(*one) {
                return Some(joined(texts));
            }
            let is_heading = HEADINGS.contains(&name) || name == "legend";
            if name == "br" || name == "hr" || is_heading && !heads {
                if texts.iter().any(|text| has_letters(text)) || is_heading {
                    break;
                }
                continue;
            }
            let text = match self.tree.own_text(*one) {
                Some(own) => own.to_owned(),
                None if is_silent(self.tree, *one) || self.is_help(*one) => continue,
                None => words(self.tree, *one),
            };
            if name == "label" && self.tree.has(*one, "for") && !heads {
                // It is the label of something else.
                let of = self.tree.attribute(*one, "for").unwrap_or_default();
                if of != control.id && self.tree.by_id(of).is_some() {
                    break;
                }
            }
            texts.push(text);
            if BLOCKS.contains(&name) && texts.iter().any(|text| has_letters(text)) {
                break;
            }
        }
        let text = joined(texts);
        let is_prose = text.len() > 80 && !text.ends_with([':', '?', '*']);
        let fits = has_letters(&text) && text.len() <= NEAR;
        (fits && !(is_prose && has_letters(&control.placeholder))).then_some(text)
    }

    /// The words of a cell: those of the cell before it, or of the column.
    fn cell(&self, cell: At, control: &Control, names: &HashMap<At, String>) -> String {
        let Some(row) = self.tree.parent(cell) else { return String::new() };
        for before in siblings_before(self.tree, cell) {
            if !matches!(self.tree.name(before), "td" | "th") {
                continue;
            }
            if self.has_others(before, &control.name, names) {
                break;
            }
            let text = words(self.tree, before);
            if has_letters(&text) {
                return text;
            }
        }
        let cells = |row: At| {
            let all = self.tree.children(row).iter().copied();
            all.filter(|one| matches!(self.tree.name(*one), "td" | "th")).collect::<Vec<_>>()
        };
        let place = cells(row).iter().position(|one| *one == cell);
        let table = self.tree.ancestors(row).find(|up| self.tree.name(*up) == "table");
        let head =
            table.and_then(|table| self.tree.all(table, "tr").next()).filter(|head| *head != row);
        let over = place.zip(head).and_then(|(place, head)| cells(head).get(place).copied());
        over.map(|over| words(self.tree, over)).unwrap_or_default()
    }

    /// What stands over the group of boxes that a box belongs to.
    fn group(
        &self,
        control: &Control,
        sheet: &Sheet,
        names: &HashMap<At, String>,
        headings: &mut HashSet<String>,
    ) -> String {
        if !control.is_box() {
            return String::new();
        }
        let first = sheet.controls.iter().find(|one| one.name == control.name);
        let first = first.map_or(control.at, |first| first.at);
        for up in self.tree.ancestors(first) {
            if self.tree.name(up) == "form" || self.has_others(up, &control.name, names) {
                break;
            }
            let referred = self.referred(up, "aria-labelledby");
            let said = match self.tree.attribute(up, "role") {
                Some("radiogroup" | "group") => self.attribute(up, "aria-label"),
                _ => String::new(),
            };
            let id = self.tree.attribute(up, "id").unwrap_or_default();
            let labels = self.by_for.get(id).into_iter().flatten();
            let by_for: String = labels.map(|label| self.label_words(*label)).collect();
            let mut inside = self.tree.children(up).iter();
            let legend = match self.tree.name(up) {
                "fieldset" => inside.find(|one| self.tree.name(**one) == "legend"),
                _ => None,
            };
            let legend = legend.map(|legend| self.label_words(*legend)).unwrap_or_default();
            let found = [referred, said, by_for, legend].into_iter().find(|text| has_letters(text));
            if let Some(found) = found {
                return found;
            }
        }
        // The label of the box itself does not stand over the group.
        let mut up = self.tree.ancestors(first);
        let own = up.find(|up| self.tree.name(*up) == "label").unwrap_or(first);
        let text = self.before(own, control, names, true);
        if control.kind == "radio"
            || names.values().filter(|name| **name == control.name).count() > 1
        {
            headings.insert(text.clone());
        }
        text
    }

    /// Writes into the controls of a form under which heading they stand.
    fn sections(&self, sheet: &mut Sheet, used: &HashSet<String>) {
        let tree = self.tree;
        let heads: Vec<(At, String)> = tree
            .walk(sheet.at)
            .filter(|one| {
                HEADINGS.contains(&tree.name(*one))
                    || tree.attribute(*one, "role") == Some("heading")
            })
            .map(|one| (one, words(tree, one)))
            .filter(|(_, text)| has_letters(text) && !used.contains(text))
            .collect();
        let mut legends: HashMap<At, Option<String>> = HashMap::new();
        let mut found: Vec<(Option<String>, bool)> = Vec::new();
        for control in &sheet.controls {
            let over = tree.ancestors(control.at).find(|up| tree.name(*up) == "fieldset");
            let legend = over.and_then(|over| {
                legends.entry(over).or_insert_with(|| self.legend_of(over, sheet)).clone()
            });
            let heading = heads.iter().rev().find(|(at, _)| tree.is_before(*at, control.at));
            let is_legend = legend.is_some();
            found.push((legend.or_else(|| heading.map(|(_, text)| text.clone())), is_legend));
        }
        // One heading over everything is the title of the form.
        let mut titles: Vec<&String> = found
            .iter()
            .zip(&sheet.controls)
            .filter(|((_, is_legend), control)| !is_legend && control.is_asked())
            .filter_map(|((text, _), _)| text.as_ref())
            .collect();
        titles.sort();
        titles.dedup();
        let is_title = titles.len() < 2;
        for (control, (text, is_legend)) in sheet.controls.iter_mut().zip(found) {
            let text = text.filter(|_| is_legend || !is_title);
            control.section = text.map(|text| text.trim_end_matches([':', '*', ' ']).to_owned());
        }
    }

    /// The legend of a part of a form that asks more than one thing.
    fn legend_of(&self, fieldset: At, sheet: &Sheet) -> Option<String> {
        let inside = |at: At| self.tree.ancestors(at).any(|up| up == fieldset);
        let mut names: Vec<&str> = sheet
            .controls
            .iter()
            .filter(|one| one.is_asked() && inside(one.at))
            .map(|one| one.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut children = self.tree.children(fieldset).iter();
        let legend = children.find(|one| self.tree.name(**one) == "legend")?;
        let text = words(self.tree, *legend);
        (names.len() > 1 && has_letters(&text)).then_some(text)
    }
}

fn siblings_before(tree: &Tree, at: At) -> Vec<At> {
    let siblings = tree.parent(at).map_or(&[][..], |parent| tree.children(parent));
    let place = siblings.iter().position(|one| *one == at).unwrap_or(0);
    siblings[..place].iter().rev().copied().collect()
}

fn siblings_after(tree: &Tree, at: At) -> impl Iterator<Item = At> {
    let siblings = tree.parent(at).map_or(&[][..], |parent| tree.children(parent));
    let place = siblings.iter().position(|one| *one == at).map_or(0, |place| place + 1);
    siblings[place..].iter().copied()
}

fn joined(mut texts: Vec<String>) -> String {
    texts.reverse();
    line(&texts.concat())
}
