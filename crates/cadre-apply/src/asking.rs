//! From the controls of a form to the questions that it asks.

use crate::question::{Choice, Condition, Form, Kind, Question, short};
use crate::sheet::{Control, Sheet};
use crate::text::has_letters;
use crate::words::{self, Asked, FORMS, fold};

impl Sheet {
    /// What the form asks. `all_required`: the page says that everything must be answered.
    pub(crate) fn form(&self, all_required: bool) -> Form {
        let mut drafts: Vec<Draft<'_>> = Vec::new();
        for control in self.controls.iter().filter(|control| control.is_asked()) {
            match drafts.iter_mut().find(|known| known.first.name == control.name) {
                Some(draft) => draft.controls.push(control),
                None => drafts.push(Draft { first: control, controls: vec![control] }),
            }
        }
        let mut questions: Vec<Question> =
            drafts.iter().map(|draft| draft.question(all_required)).collect();
        let mut subjects: Vec<Option<&'static words::Subject>> =
            drafts.iter().zip(&questions).map(|(draft, one)| draft.subject(one)).collect();
        let mut beside: Vec<_> =
            questions.iter().map(|question| question.label.as_str()).zip(&mut subjects).collect();
        words::settle(&mut beside);
        for (question, subject) in questions.iter_mut().zip(subjects) {
            question.is_about(subject);
        }
        for at in 0..questions.len() {
            questions[at].when = drafts[at].condition(&questions);
        }
        Form { questions }
    }
}

/// The controls of one name.
struct Draft<'a> {
    first: &'a Control,
    controls: Vec<&'a Control>,
}

impl Draft<'_> {
    fn kind(&self) -> Kind {
        let one = self.first;
        match one.kind.as_str() {
            "select" if one.multiple => Kind::MultiSelect,
            "select" | "radio" => Kind::SingleSelect,
            "checkbox" if self.controls.len() > 1 => Kind::MultiSelect,
            "checkbox" => Kind::Boolean,
            "file" => Kind::File,
            "date" => Kind::Date,
            "number" | "range" => Kind::Number,
            _ => Kind::Text,
        }
    }

    fn question(&self, all_required: bool) -> Question {
        let one = self.first;
        let mut kind = self.kind();
        let grouped =
            matches!(one.kind.as_str(), "radio") || kind == Kind::MultiSelect && one.is_box();
        let text = match () {
            () if grouped && has_letters(&one.group) => &one.group,
            () if grouped => &one.group,
            () if kind == Kind::Boolean && !has_letters(&one.label) => &one.group,
            () => &one.label,
        };
        let marked = Marked::of(text);
        let over = Marked::of(&one.group);
        let mut required = self.controls.iter().any(|control| control.required) || marked.required;
        // Over a single box there can be a question, and only that has the mark.
        required |= kind == Kind::Boolean && over.required && !has_letters(&marked.text);
        required |= all_required && !marked.optional && kind != Kind::Boolean;
        let written = (kind == Kind::Text)
            .then(|| {
                FORMS.date_pattern(&one.placeholder).or_else(|| FORMS.date_pattern(&one.label))
            })
            .flatten()
            .map(str::to_owned);
        if written.is_some() {
            kind = Kind::Date;
        }
        let label = if has_letters(&marked.text) { marked.text } else { spoken(&one.name) };
        Question {
            id: short(&format!("{}\n{label}", one.name)),
            name: one.name.clone(),
            kind,
            required,
            unified_key: None,
            equality: false,
            options: self.options(),
            description: one.description.clone().filter(|text| *text != label),
            section: one.section.clone().filter(|section| *section != label),
            subject: None,
            accept: one.accept.clone(),
            written,
            when: None,
            label,
        }
    }

    fn options(&self) -> Vec<Choice> {
        let listed = self.first.options.iter();
        let listed = listed.filter(|one| !one.value.is_empty() && !FORMS.is_no_choice(&one.label));
        let mut options: Vec<Choice> =
            listed.map(|one| Choice::of(&one.value, &one.label)).collect();
        for control in self.controls.iter().filter(|control| control.is_box()) {
            let label = control.label.trim().trim_end_matches('*').trim_end();
            // A box without a value sends "on".
            let value = if control.value.is_empty() { "on" } else { &control.value };
            options.push(Choice::of(value, label));
        }
        let mut seen = std::collections::HashSet::new();
        options.retain(|one| seen.insert(one.id.clone()));
        options
    }

    fn subject(&self, question: &Question) -> Option<&'static words::Subject> {
        let one = self.first;
        let told = matches!(question.kind, Kind::Text | Kind::Date | Kind::Number);
        words::subject(&Asked {
            label: &question.label,
            section: question.section.as_deref().unwrap_or_default(),
            placeholder: if told { &one.placeholder } else { "" },
            name: &one.name,
            id: if one.is_box() { "" } else { &one.id },
            autocomplete: &one.autocomplete,
            input: &one.kind,
            kind: question.kind,
        })
    }

    /// What shows the question, where the page says so in a way that can be read.
    fn condition(&self, questions: &[Question]) -> Option<Condition> {
        let (name, value) = self.first.shown_by.as_ref()?;
        let by = questions.iter().find(|other| other.name == *name)?;
        let answer = match by.kind {
            Kind::Boolean => (value != "false" && value != "0").into(),
            Kind::SingleSelect => {
                by.options.iter().find(|one| one.value == *value)?.id.clone().into()
            }
            Kind::Text => value.clone().into(),
            _ => return None,
        };
        Some(Condition { question_id: by.id.clone(), answer_equals: answer })
    }
}

impl Question {
    /// Writes down what the question asks for.
    pub(crate) fn is_about(&mut self, subject: Option<&'static words::Subject>) {
        self.subject = subject.map(|one| one.subject.clone());
        self.unified_key = subject.and_then(|one| one.key.clone());
        self.equality = subject.is_some_and(|one| one.equality);
        let of = self.unified_key.as_ref().or(self.subject.as_ref()).cloned().unwrap_or_default();
        for option in &mut self.options {
            option.unified_key =
                words::option(&of, &option.value, &option.label).map(str::to_owned);
        }
    }
}

/// A name of a control as one would say it.
fn spoken(name: &str) -> String {
    let spaced = name.replace(['_', '-', '[', ']', '.'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    if words.is_empty() { name.to_owned() } else { words.join(" ") }
}

/// A label without the marks that say whether an answer is needed.
struct Marked {
    text: String,
    required: bool,
    optional: bool,
}

impl Marked {
    fn of(label: &str) -> Marked {
        let mut marked = Marked { text: label.to_owned(), required: false, optional: false };
        marked.cut_brackets();
        loop {
            let text = marked.text.trim();
            let bare = text.trim_end_matches([':', ' ']).trim_start_matches([':', ' ']);
            let plain = bare.strip_suffix('*').or_else(|| bare.strip_prefix('*'));
            marked.required |= plain.is_some();
            let next = plain.unwrap_or(bare).to_owned();
            let done = next == marked.text;
            marked.text = next;
            if done {
                break;
            }
        }
        marked.cut_words();
        marked
    }

    /// Cuts off `(required)` and its like, wherever it stands.
    fn cut_brackets(&mut self) {
        for (open, close) in [('(', ')'), ('[', ']')] {
            let Some(from) = self.text.rfind(open) else { continue };
            let Some(length) = self.text[from..].find(close) else { continue };
            let inside = &self.text[from + open.len_utf8()..from + length];
            let words = fold(inside);
            let is_all = |phrases: &words::Phrases<()>| phrases.hits(&words).any(|hit| hit.whole);
            let (required, optional) = (is_all(&FORMS.required), is_all(&FORMS.optional));
            if required || optional || inside == "*" {
                self.required |= !optional;
                self.optional |= optional;
                self.text.replace_range(from..=from + length, "");
            }
        }
    }

    /// Cuts off a last word that stands behind the label as a mark of its own: `Phone - optional`.
    fn cut_words(&mut self) {
        for mark in [" - ", " – ", " | ", ", ", " * ", "  ", " "] {
            let Some((before, last)) = self.text.rsplit_once(mark) else { continue };
            let words = fold(last);
            let is_all = |phrases: &words::Phrases<()>| phrases.hits(&words).any(|hit| hit.whole);
            let (required, optional) = (is_all(&FORMS.required), is_all(&FORMS.optional));
            if (required || optional) && has_letters(before) && !reads_on(before) {
                self.required |= required && !optional;
                self.optional |= optional;
                self.text = before.trim_end_matches(['*', ' ', '-', ':']).to_owned();
                return;
            }
        }
    }
}

/// Whether a text goes on, so that the next word belongs to it: "Is a visa required".
fn reads_on(text: &str) -> bool {
    text.split_whitespace().count() > 3
}

#[cfg(test)]
mod tests {
    use super::Marked;

    #[test]
    fn marks_are_cut_off_labels() {
        for (label, text, required, optional) in [
            ("First name *", "First name", true, false),
            ("* Vorname:", "Vorname", true, false),
            ("Nom (obligatoire) :", "Nom", true, false),
            ("Teléfono (opcional)", "Teléfono", false, true),
            ("Phone - optional", "Phone", false, true),
            ("E-mail required", "E-mail", true, false),
            ("Is a visa sponsorship required", "Is a visa sponsorship required", false, false),
            ("CV (PDF)*", "CV (PDF)", true, false),
            ("Stadt*:", "Stadt", true, false),
        ] {
            let marked = Marked::of(label);
            assert_eq!(
                (marked.text.as_str(), marked.required, marked.optional),
                (text, required, optional),
                "{label}"
            );
        }
    }
}
