//! Actions: what their expressions may use, and what belongs together.

use cadre_model::action::schema::{KEYWORDS, unknown_keywords};

use super::place::Place;
use super::{Checker, Manifest, Node};
use crate::manifest::{ActionSection, Step, TransportKind};
use crate::problem::Problem;

/// Kinds of files.
const KINDS: &[&str] = &["CV", "COVER_LETTER", "OTHER"];

/// Looks at a whole action.
pub(in crate::manifest) fn action(
    manifest: &Manifest,
    file: &str,
    root: &Node,
    section: &ActionSection,
) -> Vec<Problem> {
    let mut checker = Checker { file, manifest, root, problems: Vec::new() };
    if manifest.transport != TransportKind::Http {
        checker.at("", "actions are made over HTTP only", None);
    }
    if section.steps.is_empty() {
        checker.at("steps", "there is no step", None);
    }
    for (name, step) in &section.steps {
        checker.step(name, step);
    }
    checker.rules("errors", &section.errors, Place::StepAnswer);
    let made = section.records.iter().map(|(stream, made)| (format!("records/{stream}"), made));
    let single = [("id", &section.id), ("answer", &section.answer)];
    let single =
        single.into_iter().filter_map(|(key, made)| Some((key.to_owned(), made.as_ref()?)));
    for (path, expression) in made.chain(single) {
        checker.expression(&path, expression.expr(), Place::Steps);
    }
    let schemas = section.remote_fields.iter();
    let schemas = schemas.map(|(name, schema)| (format!("remote_fields/{name}"), schema));
    let own = section.own_input.iter().map(|schema| ("own_input".to_owned(), schema));
    for (place, schema) in schemas.chain(own) {
        for key in unknown_keywords(schema) {
            let words = format!("`{key}` is not understood in a schema");
            checker.at(&place, words, Some(KEYWORDS.join(", ")));
        }
    }
    for kind in section.attachments.iter().flat_map(|files| files.types.keys()) {
        if !KINDS.contains(&kind.as_str()) {
            let hint = Some(KINDS.join(", "));
            checker.at(&format!("attachments/types/{kind}"), "no kind of file", hint);
        }
    }
    checker.problems.sort_by_key(|problem| problem.line);
    checker.problems
}

impl Checker<'_> {
    fn step(&mut self, name: &str, step: &Step) {
        let here = |key: &str| format!("steps/{name}/{key}");
        for (key, expression) in [("when", &step.when), ("each", &step.each)] {
            if let Some(expression) = expression {
                self.expression(&here(key), expression.expr(), Place::Steps);
            }
        }
        if let Some(save) = &step.save {
            self.expression(&here("save"), save.expr(), Place::StepAnswer);
        }
        let (path, elsewhere) = (Place::StepPath, Place::StepRequest);
        self.request(&here("request"), &step.request, path, elsewhere);
        self.response(&here("response"), &step.response);
        self.rules(&here("errors"), &step.errors, Place::StepAnswer);
        if let Some(read_back) = &step.read_back {
            self.request(&here("read_back/request"), &read_back.request, path, elsewhere);
            self.expression(&here("read_back/found"), read_back.found.expr(), Place::StepAnswer);
            self.rules(&here("read_back/errors"), &read_back.errors, Place::StepAnswer);
        }
    }
}
