//! The forms of a page as they are to be filled in: their controls, and where they are sent to.

use std::collections::HashMap;

use encoding_rs::Encoding;
use url::Url;

use crate::dom::{At, Tree};
use crate::label::Labels;
use crate::words::{FORMS, fold, fold_name};

/// Most forms of a page that are looked at.
const MOST_FORMS: usize = 60;
/// Most controls of a form.
const MOST_CONTROLS: usize = 800;
/// Most options of one list.
const MOST_OPTIONS: usize = 2_000;

/// A form as the page has it on this visit.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub(crate) at: At,
    /// Where it is sent to.
    pub(crate) target: Option<Url>,
    pub(crate) is_post: bool,
    pub(crate) encoding: Written,
    /// The charset in which it is written.
    pub(crate) charset: &'static Encoding,
    pub(crate) controls: Vec<Control>,
    /// The button that sends it.
    pub(crate) button: Option<Button>,
    /// Words that say what the form is for: of its address, name and buttons.
    pub(crate) signs: Vec<String>,
}

/// How the values of a form are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Pairs,
    Multipart,
    Plain,
}

/// Something of a form that has a value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control {
    pub(crate) at: At,
    /// The type of an input; `select` or `textarea`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) required: bool,
    pub(crate) multiple: bool,
    pub(crate) checked: bool,
    pub(crate) read_only: bool,
    pub(crate) options: Vec<Listed>,
    /// What stands for it.
    pub(crate) label: String,
    /// What stands over the group that it is in.
    pub(crate) group: String,
    pub(crate) description: Option<String>,
    pub(crate) section: Option<String>,
    pub(crate) placeholder: String,
    pub(crate) autocomplete: String,
    pub(crate) accept: Vec<String>,
    /// Nobody sees it who reads the page: it is there to catch machines.
    pub(crate) trap: bool,
    /// What shows it: the name of another control, and the value that it must have.
    pub(crate) shown_by: Option<(String, String)>,
}

/// One line of a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// A button that sends a form.
#[derive(Debug, Clone)]
pub(crate) struct Button {
    at: At,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) label: String,
    /// A picture sends the place where it was clicked.
    pub(crate) is_image: bool,
}

impl Control {
    /// Whether it asks a person for something.
    pub(crate) fn is_asked(&self) -> bool {
        !self.trap && !self.read_only && !self.name.is_empty() && self.kind != "hidden"
    }

    pub(crate) fn is_box(&self) -> bool {
        matches!(self.kind.as_str(), "radio" | "checkbox")
    }
}

/// Every form of a page, in order.
pub(crate) fn sheets(tree: &Tree, page: &Url, charset: &'static Encoding) -> Vec<Sheet> {
    let base = base(tree, page);
    let mut sheets: Vec<Sheet> = tree
        .all(0, "form")
        .take(MOST_FORMS)
        .map(|at| Sheet::open(tree, at, page, &base, charset))
        .collect();
    let mut places: HashMap<At, usize> = HashMap::new();
    for (place, sheet) in sheets.iter().enumerate() {
        places.insert(sheet.at, place);
    }
    let mut buttons: Vec<Vec<Button>> = vec![Vec::new(); sheets.len()];
    let mut walk = tree.walk(0);
    while let Some(at) = walk.next() {
        if tree.name(at) == "template" && !tree.has(at, "shadowrootmode") {
            walk.leave(at);
            continue;
        }
        let place = |at: At| places.get(&tree.form_of(at)?).copied();
        match tree.name(at) {
            "input" | "select" | "textarea" | "button" => {}
            _ => continue,
        }
        if is_disabled(tree, at) {
            continue;
        }
        let Some(place) = place(at) else { continue };
        if let Some(button) = button(tree, at) {
            buttons[place].push(button);
        } else if let Some(control) = control(tree, at)
            && sheets[place].controls.len() < MOST_CONTROLS
        {
            sheets[place].controls.push(control);
        }
    }
    let labels = Labels::of(tree);
    for (sheet, buttons) in sheets.iter_mut().zip(buttons) {
        labels.write(sheet);
        sheet.press(tree, buttons, &base);
    }
    sheets
}

/// What addresses of the page are relative to.
pub(crate) fn base(tree: &Tree, page: &Url) -> Url {
    let named = tree.all(0, "base").find_map(|at| tree.attribute(at, "href"));
    named.and_then(|href| page.join(href.trim()).ok()).unwrap_or_else(|| page.clone())
}

fn is_disabled(tree: &Tree, at: At) -> bool {
    tree.has(at, "disabled")
        || tree.ancestors(at).any(|up| tree.name(up) == "fieldset" && tree.has(up, "disabled"))
}

fn written(text: &str) -> Written {
    match text.trim().to_ascii_lowercase().as_str() {
        "multipart/form-data" => Written::Multipart,
        "text/plain" => Written::Plain,
        _ => Written::Pairs,
    }
}

impl Sheet {
    fn open(tree: &Tree, at: At, page: &Url, base: &Url, charset: &'static Encoding) -> Sheet {
        let of = |name: &str| tree.attribute(at, name).unwrap_or_default().trim();
        let action = of("action");
        let target = if action.is_empty() { Some(page.clone()) } else { base.join(action).ok() };
        let accepted = of("accept-charset").split([' ', ',']).next().unwrap_or_default();
        let path =
            target.as_ref().map(|url| format!("{} {}", url.path(), url.query().unwrap_or("")));
        let mut signs = fold_name(&path.unwrap_or_default());
        for name in ["id", "name", "class", "role", "aria-label", "title"] {
            signs.push("|".to_owned());
            signs.extend(fold_name(of(name)));
        }
        Sheet {
            at,
            target,
            is_post: of("method").eq_ignore_ascii_case("post"),
            encoding: written(of("enctype")),
            charset: Encoding::for_label(accepted.as_bytes()).unwrap_or(charset).output_encoding(),
            controls: Vec::new(),
            button: None,
            signs,
        }
    }

    /// Chooses the button that a person would press, and takes over what it says.
    fn press(&mut self, tree: &Tree, buttons: Vec<Button>, base: &Url) {
        for button in &buttons {
            self.signs.push("|".to_owned());
            self.signs.extend(fold(&button.label));
        }
        let worth = |button: &Button| {
            let words = fold(&button.label);
            match () {
                () if FORMS.other_buttons.is_in(&words) => 0,
                () if FORMS.apply.is_in(&words) => 3,
                () if FORMS.next.is_in(&words) => 2,
                () => 1,
            }
        };
        // Of equal ones the first counts, which is the one that the enter key presses.
        let best = buttons.into_iter().rev().max_by_key(worth);
        if let Some(button) = &best {
            let of =
                |name: &str| tree.attribute(button.at, name).filter(|text| !text.trim().is_empty());
            if let Some(action) = of("formaction") {
                self.target = base.join(action.trim()).ok();
            }
            if let Some(method) = of("formmethod") {
                self.is_post = method.trim().eq_ignore_ascii_case("post");
            }
            if let Some(kind) = of("formenctype") {
                self.encoding = written(kind);
            }
        }
        self.button = best;
        self.target.take_if(|url| !matches!(url.scheme(), "http" | "https"));
    }

    /// Whether the button leads to a further step.
    pub(crate) fn goes_on(&self) -> bool {
        self.button.as_ref().is_some_and(|button| {
            let words = fold(&button.label);
            FORMS.next.is_in(&words) && !FORMS.apply.is_in(&words)
        })
    }
}

fn button(tree: &Tree, at: At) -> Option<Button> {
    let kind = tree.attribute(at, "type").unwrap_or_default().trim().to_ascii_lowercase();
    let value = tree.attribute(at, "value").unwrap_or_default();
    let label = match (tree.name(at), kind.as_str()) {
        ("input", "submit") => value.to_owned(),
        ("input", "image") => tree.attribute(at, "alt").unwrap_or_default().to_owned(),
        ("button", kind) if !matches!(kind, "button" | "reset") => {
            let words = crate::text::words(tree, at);
            let named = || tree.attribute(at, "aria-label").unwrap_or_default().to_owned();
            if words.is_empty() { named() } else { words }
        }
        _ => return None,
    };
    Some(Button {
        at,
        name: tree.attribute(at, "name").unwrap_or_default().to_owned(),
        value: value.to_owned(),
        label,
        is_image: kind == "image",
    })
}

/// Types of inputs that have no value of a person.
const NO_CONTROLS: &[&str] = &["submit", "image", "button", "reset"];

fn control(tree: &Tree, at: At) -> Option<Control> {
    let of = |name: &str| tree.attribute(at, name).unwrap_or_default().trim().to_owned();
    let kind = match tree.name(at) {
        "input" => match of("type").to_ascii_lowercase() {
            kind if kind.is_empty() => "text".to_owned(),
            kind => kind,
        },
        "button" => return None,
        other => other.to_owned(),
    };
    if NO_CONTROLS.contains(&kind.as_str()) {
        return None;
    }
    let value = match kind.as_str() {
        "textarea" => tree.walk(at).filter_map(|one| tree.own_text(one)).collect(),
        _ => tree.attribute(at, "value").unwrap_or_default().to_owned(),
    };
    let accept = of("accept").to_ascii_lowercase();
    let accept = accept.split(',').map(str::trim).filter(|one| !one.is_empty());
    Some(Control {
        at,
        name: of("name"),
        id: of("id"),
        value,
        required: tree.has(at, "required") || of("aria-required") == "true",
        multiple: tree.has(at, "multiple"),
        checked: tree.has(at, "checked"),
        read_only: tree.has(at, "readonly"),
        options: if kind == "select" { options(tree, at) } else { Vec::new() },
        placeholder: of("placeholder"),
        autocomplete: of("autocomplete").to_ascii_lowercase(),
        accept: accept.map(str::to_owned).collect(),
        trap: is_trap(tree, at, &kind),
        shown_by: shown_by(tree, at),
        kind,
        ..Control::default()
    })
}

fn options(tree: &Tree, at: At) -> Vec<Listed> {
    let shown = tree.all(at, "option").filter(|one| !tree.has(*one, "disabled"));
    let listed = shown.take(MOST_OPTIONS).map(|one| {
        let words = crate::text::words(tree, one);
        let label =
            tree.attribute(one, "label").filter(|text| !text.is_empty() && words.is_empty());
        let label = label.map_or(words.clone(), str::to_owned);
        let value = tree.attribute(one, "value").map_or(words, str::to_owned);
        Listed { value, label, chosen: tree.has(one, "selected") }
    });
    listed.collect()
}

/// Whether a control is hidden from people who read the page, though its type does not say so. A part of
/// the form that is hidden as a whole is a further step, which a script shows.
fn is_trap(tree: &Tree, at: At, kind: &str) -> bool {
    if matches!(kind, "hidden" | "file" | "radio" | "checkbox" | "select")
        || tree.has(at, "required")
    {
        return false;
    }
    if is_hidden(tree, at) {
        return true;
    }
    let alone = |up: At| {
        let mut controls = tree.walk(up).filter(|one| {
            matches!(tree.name(*one), "input" | "select" | "textarea")
                && tree.attribute(*one, "type") != Some("hidden")
        });
        controls.next().is_some() && controls.next().is_none()
    };
    tree.ancestors(at).take(4).take_while(|up| alone(*up)).any(|up| is_hidden(tree, up))
}

/// Whether an element is not shown, as far as it says so itself.
pub(crate) fn is_hidden(tree: &Tree, at: At) -> bool {
    let style = tree.attribute(at, "style").unwrap_or_default();
    let style: String = style.to_ascii_lowercase().split_whitespace().collect();
    tree.has(at, "hidden")
        || ["display:none", "visibility:hidden", "left:-99", "left:-50", "left:-100", "top:-99"]
            .iter()
            .any(|hiding| style.contains(hiding))
        || tree.attribute(at, "aria-hidden") == Some("true")
            && matches!(tree.name(at), "input" | "textarea" | "div" | "p")
}

/// The attributes by which pages tell their scripts when a question is shown: `name=value`.
const SHOWN_BY: &[&str] =
    &["data-show-if", "data-visible-if", "data-display-when", "data-condition"];

fn shown_by(tree: &Tree, at: At) -> Option<(String, String)> {
    let around = std::iter::once(at).chain(tree.ancestors(at));
    let inside = around.take_while(|up| tree.name(*up) != "form");
    let said =
        inside.take(6).find_map(|up| SHOWN_BY.iter().find_map(|name| tree.attribute(up, name)))?;
    let (name, value) = said.split_once('=')?;
    let plain = |text: &str| text.trim_matches(['=', ' ', '\'', '"']).to_owned();
    Some((plain(name), plain(value))).filter(|(name, _)| !name.is_empty())
}
