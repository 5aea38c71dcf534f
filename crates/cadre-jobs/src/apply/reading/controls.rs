//! The forms of a page with their controls, each with the words that stand for it.

use super::markup::{Tag, Token, line};

/// A form as the page has it.
#[derive(Debug, Clone, Default)]
pub(super) struct RawForm {
    /// Where it is sent to, as the page says.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// How it is written, as the page says.
    pub encoding: String,
    pub controls: Vec<Control>,
}

/// Something of a form that has a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    /// The type of an input; `select`, `textarea` or `button`.
    pub kind: String,
    pub name: String,
    pub value: String,
    pub required: bool,
    pub multiple: bool,
    /// Value and words.
    pub options: Vec<(String, String)>,
    /// What stands beside it.
    pub label: String,
    /// What stands over the group that it is in.
    pub legend: String,
    id: String,
    hint: String,
}

/// What a page has to say.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub forms: Vec<RawForm>,
    /// Everything that one reads, in lower case.
    pub text: String,
    /// The contents of its JSON-LD.
    pub data: Vec<String>,
}

impl Page {
    /// Reads tokens.
    pub(super) fn read(tokens: &[Token]) -> Page {
        let mut reader = Reader::default();
        for token in tokens {
            match token {
                Token::Text(text) => reader.text(text),
                Token::Start(tag) => reader.start(tag),
                Token::End(name) => reader.end(name),
            }
        }
        reader.finish()
    }
}

#[derive(Default)]
struct Reader {
    page: Page,
    /// Which script or style is open.
    raw: Option<bool>,
    form: Option<RawForm>,
    /// Words of the label that is open, for which id, and the first control inside.
    label: Option<(String, String, Option<usize>)>,
    labels: Vec<(String, String)>,
    legends: Vec<String>,
    in_legend: bool,
    option: Option<(String, String)>,
}

impl Reader {
    fn text(&mut self, text: &str) {
        match self.raw {
            Some(true) => return self.page.data.push(text.to_owned()),
            Some(false) => return,
            None => {}
        }
        if let Some((_, words)) = &mut self.option {
            words.push_str(text);
            return;
        }
        if let Some((words, ..)) = &mut self.label {
            words.push_str(text);
        }
        if self.in_legend
            && let Some(legend) = self.legends.last_mut()
        {
            legend.push_str(text);
        }
        let words = line(text);
        if !words.is_empty() {
            self.page.text.push_str(&words.to_lowercase());
            self.page.text.push(' ');
        }
    }

    fn start(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "script" => self.raw = Some(tag.attribute("type") == Some("application/ld+json")),
            "style" | "title" => self.raw = Some(false),
            "form" => {
                self.close_form();
                let of = |name: &str| tag.attribute(name).unwrap_or_default().trim().to_owned();
                self.form = Some(RawForm {
                    action: of("action"),
                    method: of("method").to_ascii_lowercase(),
                    encoding: of("enctype").to_ascii_lowercase(),
                    controls: Vec::new(),
                });
            }
            "fieldset" => self.legends.push(String::new()),
            "legend" => self.in_legend = true,
            "label" => {
                self.close_label();
                let of = tag.attribute("for").unwrap_or_default().to_owned();
                self.label = Some((String::new(), of, None));
            }
            "option" => {
                self.close_option();
                let value = tag.attribute("value").unwrap_or("\0").to_owned();
                self.option = Some((value, String::new()));
            }
            "input" | "select" | "button" => self.control(tag),
            "textarea" => {
                self.control(tag);
                // What stands in it is its value, and no word of the page.
                self.raw = Some(false);
            }
            _ => {}
        }
    }

    fn control(&mut self, tag: &Tag) {
        let Some(form) = &mut self.form else { return };
        let of = |name: &str| tag.attribute(name).unwrap_or_default().trim().to_owned();
        let kind = match tag.name.as_str() {
            "input" if of("type").is_empty() => "text".to_owned(),
            "input" => of("type").to_ascii_lowercase(),
            other => other.to_owned(),
        };
        if tag.has("disabled") {
            return;
        }
        form.controls.push(Control {
            kind,
            name: of("name"),
            value: tag.attribute("value").unwrap_or_default().to_owned(),
            required: tag.has("required") || tag.attribute("aria-required") == Some("true"),
            multiple: tag.has("multiple"),
            options: Vec::new(),
            label: String::new(),
            legend: line(self.legends.last().map_or("", String::as_str)),
            id: of("id"),
            hint: [of("aria-label"), of("placeholder")]
                .into_iter()
                .find(|hint| !hint.is_empty())
                .unwrap_or_default(),
        });
        if let Some((_, _, inside)) = &mut self.label {
            inside.get_or_insert(form.controls.len() - 1);
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "script" | "style" | "title" | "textarea" => self.raw = None,
            "label" => self.close_label(),
            "legend" => self.in_legend = false,
            "fieldset" => {
                self.legends.pop();
            }
            "option" | "select" => self.close_option(),
            "form" => self.close_form(),
            _ => {}
        }
    }

    fn close_label(&mut self) {
        let Some((words, of, inside)) = self.label.take() else { return };
        let words = line(&words);
        if !of.is_empty() {
            self.labels.push((of, words.clone()));
        }
        if let (Some(at), Some(form)) = (inside, &mut self.form)
            && let Some(control) = form.controls.get_mut(at)
        {
            control.label = words;
        }
    }

    fn close_option(&mut self) {
        let Some((value, words)) = self.option.take() else { return };
        let words = line(&words);
        let value = if value == "\0" { words.clone() } else { value };
        let last = self.form.as_mut().and_then(|form| form.controls.last_mut());
        if let Some(select) = last.filter(|control| control.kind == "select") {
            select.options.push((value, words));
        }
    }

    fn close_form(&mut self) {
        self.close_option();
        self.close_label();
        self.page.forms.extend(self.form.take());
    }

    fn finish(mut self) -> Page {
        self.close_form();
        for control in self.page.forms.iter_mut().flat_map(|form| &mut form.controls) {
            let by_id = self.labels.iter().find(|(of, _)| *of == control.id && !of.is_empty());
            if let Some((_, words)) = by_id.filter(|_| control.label.is_empty()) {
                control.label.clone_from(words);
            }
            if control.label.is_empty() {
                control.label = line(&control.hint);
            }
        }
        self.page
    }
}
