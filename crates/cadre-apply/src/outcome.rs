//! What the answer to a filled form says.

use serde_json::Value;

use crate::page::Page;
use crate::question::Form;
use crate::sheet::Sheet;
use crate::text;
use crate::words::{OUTCOMES, Says, fold_name};

/// Longest message to a field that is passed on, in characters.
const LONGEST: usize = 160;

/// What came of a filled form.
#[derive(Debug)]
pub enum Outcome {
    /// The application has arrived.
    Accepted,
    /// The candidate has applied before.
    Duplicate,
    /// Nobody can apply any more.
    Closed,
    /// Answers were refused, and what is said about them.
    Refused(String),
    /// There is a further step.
    Further(Form, Box<Sheet>),
    /// The answer does not say.
    Unclear,
}

/// What an answer to a filled form says. `status`: of the answer; `sent`: the form that was sent.
#[must_use]
pub fn outcome(page: &Page, body: &[u8], status: u16, sent: &Form) -> Outcome {
    if let Some(answer) = json(body) {
        return in_json(&answer, status);
    }
    let said = OUTCOMES.said(&page.text);
    let fine = (200..300).contains(&status);
    if said.contains(&Says::Duplicate) || status == 409 {
        return Outcome::Duplicate;
    }
    let again = page.application();
    let refused = again
        .as_ref()
        .filter(|(form, _)| is_same(form, sent))
        .map(|(_, sheet)| page.messages(sheet));
    let trouble = refused.as_ref().is_some_and(|messages| !messages.is_empty());
    if fine && said.contains(&Says::Success) && !trouble {
        return Outcome::Accepted;
    }
    if said.contains(&Says::Closed) || matches!(status, 404 | 410) {
        return Outcome::Closed;
    }
    if let Some(messages) = refused.filter(|_| fine || matches!(status, 400 | 422)) {
        let words = "The form came again: it does not take the answers.";
        return Outcome::Refused(format!("{words}{}", shown(&messages)));
    }
    if matches!(status, 400 | 413 | 415 | 422) {
        return Outcome::Refused("It does not take the answers.".to_owned());
    }
    match again {
        Some((form, sheet)) if fine => Outcome::Further(form, Box::new(sheet)),
        _ if fine => page.last_step().unwrap_or(Outcome::Unclear),
        _ => Outcome::Unclear,
    }
}

/// Whether a form is another one's, perhaps with a question more or less.
fn is_same(form: &Form, other: &Form) -> bool {
    let known = |name: &str| other.questions.iter().any(|one| one.name == name);
    let shared = form.questions.iter().filter(|one| known(&one.name)).count();
    shared * 2 > form.questions.len().max(1)
}

fn shown(messages: &[(String, String)]) -> String {
    let each = messages.iter().map(|(label, message)| match message.is_empty() {
        true => format!("\"{label}\""),
        false => format!("\"{label}\": {message}"),
    });
    let all: Vec<String> = each.collect();
    if all.is_empty() { String::new() } else { format!(" {}", all.join("; ")) }
}

impl Page {
    /// The fields that a page finds fault with, and what it says about them.
    fn messages(&self, sheet: &Sheet) -> Vec<(String, String)> {
        let tree = &self.tree;
        let is_message = |at: usize| {
            let class = tree.attribute(at, "class").unwrap_or_default();
            tree.attribute(at, "role") == Some("alert")
                || OUTCOMES.messages.is_in(&fold_name(class))
        };
        let mut found: Vec<(String, String)> = Vec::new();
        for control in sheet.controls.iter().filter(|control| control.is_asked()) {
            let named = if control.is_box() { &control.group } else { &control.label };
            let label = named.trim_end_matches(['*', ':', ' ']).to_owned();
            let flagged = tree.attribute(control.at, "aria-invalid") == Some("true");
            let others = |part: usize| {
                let mut inside = sheet.controls.iter().filter(|one| one.name != control.name);
                inside.any(|one| tree.ancestors(one.at).any(|up| up == part))
            };
            let own = tree.ancestors(control.at).take(3).take_while(|up| !others(*up));
            let own: Vec<usize> = own.filter(|up| *up != sheet.at).collect();
            let message = own.last().and_then(|part| {
                let inside = tree.walk(*part).filter(|one| *one != control.at && is_message(*one));
                inside
                    .map(|one| text::words(tree, one))
                    .find(|text| text::has_letters(text) && *text != label && text.len() < 400)
            });
            let marked = flagged || message.is_some();
            if marked && found.iter().all(|(known, _)| *known != label) {
                let said = message.filter(|text| !text.contains('@')).unwrap_or_default();
                found.push((label, said.chars().take(LONGEST).collect()));
            }
        }
        found
    }

    /// A last form that only asks for a click: "send application".
    fn last_step(&self) -> Option<Outcome> {
        let sheet = self.confirmation()?;
        Some(Outcome::Further(Form::default(), Box::new(sheet)))
    }
}

fn json(body: &[u8]) -> Option<Value> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if matches!(first, b'{' | b'[') { serde_json::from_slice(body).ok() } else { None }
}

/// What an answer says that is made for a script.
fn in_json(answer: &Value, status: u16) -> Outcome {
    let mut texts = Vec::new();
    texts_of(answer, &mut texts, 0);
    let said = OUTCOMES.said(&texts.join(" . "));
    let fine = (200..300).contains(&status);
    let flag = ["success", "ok", "submitted"].iter().find_map(|name| answer.get(name)?.as_bool());
    let faults = ["errors", "error", "validation_errors", "fieldErrors"];
    let faults = faults.iter().filter_map(|name| answer.get(name));
    let fault = faults.into_iter().find(|fault| match fault {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        other => **other == Value::Bool(true),
    });
    if said.contains(&Says::Duplicate) || status == 409 {
        return Outcome::Duplicate;
    }
    if said.contains(&Says::Closed) || matches!(status, 404 | 410) {
        return Outcome::Closed;
    }
    if fault.is_some() || flag == Some(false) || matches!(status, 400 | 422) {
        let fields = fault.and_then(Value::as_object).map(|fields| {
            fields.keys().take(20).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
        });
        let words = "It does not take the answers.".to_owned();
        return Outcome::Refused(match fields {
            Some(fields) => format!("{words} Fields: {fields}"),
            None => words,
        });
    }
    if fine && (flag == Some(true) || said.contains(&Says::Success)) {
        return Outcome::Accepted;
    }
    Outcome::Unclear
}

fn texts_of<'a>(value: &'a Value, texts: &mut Vec<&'a str>, depth: usize) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) if depth < 8 => {
            list.iter().for_each(|one| texts_of(one, texts, depth + 1))
        }
        Value::Object(object) if depth < 8 => {
            object.values().for_each(|one| texts_of(one, texts, depth + 1));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Outcome, outcome};
    use crate::{Form, Page, Shows};

    const FORM: &str = "<form method=post action=/apply>
        <div><label>First name <input name=f required></label></div>
        <div><label>E-mail <input type=email name=m required></label></div>
        <div><label>CV <input type=file name=cv></label></div><button>Apply</button></form>";

    fn page(html: &str) -> Page {
        Page::read(&Url::parse("https://x.example/job").expect("an address"), None, html.as_bytes())
    }

    fn sent() -> Form {
        match page(FORM).shows() {
            Shows::Form(form, _) => form,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_in_four_languages() {
        for (status, html, name) in [
            (200, "<h1>Thank you for applying!</h1>", "Accepted"),
            (200, "<p>Vielen Dank für Ihre Bewerbung. Wir melden uns.</p>", "Accepted"),
            (200, "<p>Votre candidature a bien été envoyée.</p>", "Accepted"),
            (200, "<p>Hemos recibido tu candidatura</p>", "Accepted"),
            (200, "{\"success\":true}", "Accepted"),
            (200, "<p>You have already applied for this job.</p>", "Duplicate"),
            (200, "<p>Sie haben sich bereits beworben.</p>", "Duplicate"),
            (200, "<p>Vous avez déjà postulé à cette offre.</p>", "Duplicate"),
            (409, "", "Duplicate"),
            (200, "<p>Esta oferta ya no está disponible</p>", "Closed"),
            (200, "<p>Die Stelle ist bereits besetzt.</p>", "Closed"),
            (404, "", "Closed"),
            (422, "No.", "Refused"),
            (200, "{\"errors\":{\"email\":[\"is invalid\"]}}", "Refused"),
            (200, "<p>Hello.</p>", "Unclear"),
            (200, "<div style='display:none'>Thank you for applying!</div><p>Hello</p>", "Unclear"),
            (500, "<p>Thank you for applying! We had a problem.</p>", "Unclear"),
            (200, FORM, "Refused"),
        ] {
            let found = format!("{:?}", outcome(&page(html), html.as_bytes(), status, &sent()));
            assert!(found.starts_with(name), "{status} {html}: {found}");
        }
    }

    #[test]
    fn refused_fields_are_named() {
        let said = "<span class='field-error'>Enter a real address.</span><input aria-invalid=true type=email";
        let html = FORM.replace("<input type=email", said);
        match outcome(&page(&html), html.as_bytes(), 200, &sent()) {
            Outcome::Refused(words) => {
                assert!(words.contains("\"E-mail\": Enter a real address."), "{words}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn further_steps_are_found() {
        let html = "<form method=post action=/apply/2><label>Salary <input name=s></label>
            <label>Your application letter <textarea name=l></textarea></label>
            <label>CV <input type=file name=file></label><button>Submit application</button></form>";
        let found = outcome(&page(html), html.as_bytes(), 200, &sent());
        assert!(matches!(found, Outcome::Further(..)), "{found:?}");
        let html = "<h1>Check what you wrote</h1><form method=post action=/apply/3>
            <input type=hidden name=t value=1><button>Submit application</button></form>";
        let found = outcome(&page(html), html.as_bytes(), 200, &sent());
        assert!(matches!(found, Outcome::Further(..)), "{found:?}");
    }
}
