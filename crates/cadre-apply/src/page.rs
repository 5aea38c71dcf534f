//! A page, and what it shows to somebody who wants to apply.

use serde_json::Value;
use url::Url;

use crate::dom::{self, At, Tree};
use crate::job;
use crate::question::{Form, Kind};
use crate::sheet::{self, Sheet, Written};
use crate::text;
use crate::words::{FORMS, OUTCOMES, Says, fold};

/// How much text of a page is read, in bytes.
const MOST_TEXT: usize = 400 << 10;
/// What a form must be worth to be taken for an application.
const ENOUGH: i32 = 5;

/// A page that was read.
pub struct Page {
    pub(crate) url: Url,
    pub(crate) tree: Tree,
    pub(crate) text: String,
    sheets: Vec<Sheet>,
}

/// What a page shows to somebody who wants to apply.
#[derive(Debug)]
pub enum Shows {
    /// The form, and how it is filled in on this visit.
    Form(Form, Box<Sheet>),
    /// The form is on another page.
    Elsewhere(Url),
    /// The job is over.
    Closed(String),
    /// There is no form that can be sent, and why.
    Nothing(String),
}

impl Page {
    /// Reads the bytes of a page that an address gave. `content_type`: the header that came with them.
    #[must_use]
    pub fn read(url: &Url, content_type: Option<&str>, body: &[u8]) -> Page {
        let (text, charset) = dom::decode(body, content_type);
        let tree = Tree::read(&text);
        let sheets = sheet::sheets(&tree, url, charset);
        let text = text::page_words(&tree, MOST_TEXT);
        Page { url: url.clone(), tree, text, sheets }
    }

    /// What the page says of the job in data for machines, or else in its heading.
    #[must_use]
    pub fn job(&self) -> Value {
        job::said(&self.tree)
    }

    /// What the page shows to somebody who wants to apply.
    #[must_use]
    pub fn shows(&self) -> Shows {
        if self.heading_says_closed() {
            return closed();
        }
        if let Some((form, sheet)) = self.application() {
            return match self.obstacle(&sheet, &form) {
                Some(why) => Shows::Nothing(why),
                None => Shows::Form(form, Box::new(sheet)),
            };
        }
        if OUTCOMES.said(&self.text).contains(&Says::Closed) {
            return closed();
        }
        if let Some(url) = self.leads_to() {
            return Shows::Elsewhere(url);
        }
        Shows::Nothing(self.why_nothing())
    }

    /// The form by which one applies.
    pub(crate) fn application(&self) -> Option<(Form, Sheet)> {
        let mut best: Option<(i32, Form, &Sheet)> = None;
        for sheet in &self.sheets {
            let form = sheet.form(self.says_all_required(sheet));
            let Some(worth) = self.worth(sheet, &form) else { continue };
            if best.as_ref().is_none_or(|(known, ..)| worth > *known) {
                best = Some((worth, form, sheet));
            }
        }
        best.map(|(_, form, sheet)| (form, sheet.clone()))
    }

    fn says_all_required(&self, sheet: &Sheet) -> bool {
        let text = text::words(&self.tree, sheet.at);
        let before = self.tree.parent(sheet.at).filter(|up| self.tree.name(*up) != "body");
        let near = before.map(|up| text::words(&self.tree, up)).unwrap_or_default();
        FORMS.all_required.is_in(&fold(&text)) || FORMS.all_required.is_in(&fold(&near))
    }

    /// How much a form looks like an application; `None` where it is none.
    fn worth(&self, sheet: &Sheet, form: &Form) -> Option<i32> {
        let asks =
            |name: &str| form.questions.iter().any(|one| one.subject.as_deref() == Some(name));
        let has_file = form.questions.iter().any(|one| one.kind == Kind::File);
        let has_password = sheet.controls.iter().any(|one| one.kind == "password");
        let has_search = sheet.controls.iter().any(|one| one.kind == "search");
        if !sheet.is_post && !has_file
            || has_search
            || has_password && !has_file && !asks("first_name")
        {
            return None;
        }
        let mut worth: i32 = form
            .questions
            .iter()
            .map(|one| match one.subject.as_deref() {
                Some("resume") => 6,
                Some("email") => 3,
                Some("first_name" | "last_name" | "full_name" | "cover_letter") => 2,
                Some("marketing" | "message") => 0,
                _ if one.kind == Kind::File => 3,
                Some(_) => 1,
                None => 0,
            })
            .sum();
        let says_apply = FORMS.application.is_in(&sheet.signs);
        worth += if says_apply { 4 } else { 0 };
        worth -= if FORMS.not_application.is_in(&sheet.signs) { 6 } else { 0 };
        let named = asks("full_name") || asks("first_name") || asks("last_name");
        let known = has_file || asks("email") || named && sheet.goes_on();
        let many = form.questions.len() > 1 || has_file;
        let is_meant = has_file || says_apply || self.is_posting();
        (known && many && is_meant && worth >= ENOUGH).then_some(worth)
    }

    /// Whether the page is about one job.
    fn is_posting(&self) -> bool {
        job::posting(&self.tree).is_some()
    }

    /// Why a form cannot be sent by anybody but a person with a browser.
    fn obstacle(&self, sheet: &Sheet, form: &Form) -> Option<String> {
        if sheet.controls.iter().any(|one| one.kind == "password") {
            return Some("Its form makes an account with a password.".to_owned());
        }
        let asks_captcha = form.questions.iter().any(|one| {
            FORMS.captcha_labels.is_in(&fold(&one.label)) && one.kind != Kind::Boolean
                || FORMS.is_captcha(&one.name)
        });
        let inside = || self.tree.walk(sheet.at).any(|one| self.is_captcha(one));
        if asks_captcha || inside() {
            let words = "Its form has a captcha, which only a person in a browser can pass.";
            return Some(words.to_owned());
        }
        if sheet.target.is_none() {
            return Some("Its form is sent by a script only.".to_owned());
        }
        if sheet.encoding == Written::Plain {
            return Some("Its form is sent as plain text, which nobody can read back.".to_owned());
        }
        None
    }

    fn is_captcha(&self, at: At) -> bool {
        if matches!(self.tree.name(at), "option" | "a") {
            return false;
        }
        let telling = ["class", "id", "name", "src", "data-callback", "data-sitekey"];
        self.tree
            .attributes(at)
            .any(|(name, value)| telling.contains(&name) && FORMS.is_captcha(value))
    }

    fn heading_says_closed(&self) -> bool {
        let heads =
            self.tree.walk(0).filter(|at| matches!(self.tree.name(*at), "h1" | "h2" | "h3"));
        let mut texts = heads.map(|at| text::words(&self.tree, at));
        texts.any(|text| OUTCOMES.said(&text).contains(&Says::Closed))
    }

    fn why_nothing(&self) -> String {
        let has = |name: &str| self.tree.walk(0).any(|at| self.tree.name(at) == name);
        let password = |sheet: &Sheet| sheet.controls.iter().any(|one| one.kind == "password");
        let loose = self.tree.walk(0).any(|at| {
            let is_control = matches!(self.tree.name(at), "input" | "textarea");
            is_control
                && self.tree.form_of(at).is_none()
                && matches!(self.tree.attribute(at, "type"), Some("file" | "email"))
        });
        let words = if loose {
            "Its form is sent by a script only."
        } else if self.sheets.iter().any(password) {
            "One has to sign in before one can apply."
        } else if self.applies_by_mail() {
            "Applications go by e-mail."
        } else if self.text.len() < 200 && has("script") {
            "It is made by a script only, and has nothing to read without one."
        } else {
            "Its page has no application form that can be read."
        };
        words.to_owned()
    }

    fn applies_by_mail(&self) -> bool {
        let mut links = self.tree.all(0, "a").filter_map(|at| self.tree.attribute(at, "href"));
        links.any(|href| href.trim().to_ascii_lowercase().starts_with("mailto:"))
    }

    /// The page that has the form, where this one leads to it.
    fn leads_to(&self) -> Option<Url> {
        let base = sheet::base(&self.tree, &self.url);
        let other = |href: &str| {
            let mut url = base.join(href.trim()).ok()?;
            url.set_fragment(None);
            let mut own = self.url.clone();
            own.set_fragment(None);
            (matches!(url.scheme(), "http" | "https") && url != own).then_some(url)
        };
        let frame = self.tree.all(0, "iframe").find_map(|at| {
            let source = self.tree.attribute(at, "src")?;
            let named = ["id", "name", "title", "class"];
            let named = named.map(|name| self.tree.attribute(at, name).unwrap_or_default());
            let words = crate::words::fold_name(&format!("{source} {}", named.join(" ")));
            if FORMS.application.is_in(&words) { other(source) } else { None }
        });
        frame
            .or_else(|| self.link(&other))
            .or_else(|| self.plain_start())
            .or_else(|| self.refresh(&other))
    }

    /// A link that says that one applies behind it.
    fn link(&self, other: &dyn Fn(&str) -> Option<Url>) -> Option<Url> {
        let mut best: Option<(bool, Url)> = None;
        for at in self.tree.all(0, "a") {
            let Some(href) = self.tree.attribute(at, "href") else { continue };
            let read = text::words(&self.tree, at);
            let read = if text::has_letters(&read) {
                read
            } else {
                self.tree.attribute(at, "aria-label").unwrap_or_default().to_owned()
            };
            let words = fold(&read);
            if words.len() > 8 || FORMS.other_buttons.is_in(&words) {
                continue;
            }
            let hits = FORMS.apply.hits(&words).filter(|hit| hit.starts);
            let Some(whole) = hits.map(|hit| hit.whole).reduce(|one, other| one || other) else {
                continue;
            };
            if best.as_ref().is_some_and(|(known, _)| *known >= whole) {
                continue;
            }
            if let Some(url) = other(href) {
                best = Some((whole, url));
            }
        }
        best.map(|(_, url)| url)
    }

    /// A form that asks nothing and only leads on, by an address.
    fn plain_start(&self) -> Option<Url> {
        let starts = self.sheets.iter().find(|sheet| {
            let words = sheet.button.as_ref().map(|button| fold(&button.label)).unwrap_or_default();
            !sheet.is_post
                && !sheet.controls.iter().any(crate::sheet::Control::is_asked)
                && FORMS.apply.is_in(&words)
        })?;
        starts.submission(&Form::default(), &[]).map(|sent| sent.url)
    }

    /// A form that asks nothing but a click to send what was filled in before.
    pub(crate) fn confirmation(&self) -> Option<Sheet> {
        let found = self.sheets.iter().find(|sheet| {
            let words = sheet.button.as_ref().map(|button| fold(&button.label)).unwrap_or_default();
            sheet.is_post
                && sheet.target.is_some()
                && !sheet.controls.iter().any(crate::sheet::Control::is_asked)
                && (FORMS.apply.is_in(&words) || FORMS.next.is_in(&words))
        });
        found.cloned()
    }

    fn refresh(&self, other: &dyn Fn(&str) -> Option<Url>) -> Option<Url> {
        let mut metas = self.tree.all(0, "meta");
        metas.find_map(|at| {
            let kind = self.tree.attribute(at, "http-equiv")?;
            let content = self.tree.attribute(at, "content")?;
            let (_, place) = content.split_once('=')?;
            kind.eq_ignore_ascii_case("refresh")
                .then(|| other(place.trim_matches(['\'', '"', ' '])))?
        })
    }
}

fn closed() -> Shows {
    Shows::Closed("Its page says that the job is closed.".to_owned())
}
