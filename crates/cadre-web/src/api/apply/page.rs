//! What a list of the environment is asked for with, and the page that answers.

use cadre_model::ids::is_id;
use cadre_store::EnvironmentScope;
use serde::Serialize;

use crate::listing::{
    Cursor, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_VALUES, Moment, Pairs, Position, Problem, fault,
};
use crate::refuse::Refused;

/// A list that can be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    /// Its name, which cursors are bound to.
    pub name: &'static str,
    /// Filters by ids.
    pub by_ids: &'static [&'static str],
    /// Filters by other texts.
    pub by_texts: &'static [&'static str],
    /// Whether `updated_after` is one of its filters.
    pub by_moment: bool,
    /// Most entries of a page, which is also what is given unasked where it is less than usual.
    pub most: u32,
}

/// Most lists are like this one.
pub(super) const LISTED: Listed =
    Listed { name: "", by_ids: &["ids"], by_texts: &[], by_moment: false, most: MAX_PAGE_SIZE };

/// A page that is asked for.
#[derive(Debug)]
pub(super) struct Part {
    environment_id: String,
    name: &'static str,
    filters: Vec<(&'static str, Vec<String>)>,
    /// Changed after this moment.
    pub updated_after: Option<i64>,
    /// After the entry with this id.
    pub after_id: Option<String>,
    page_size: u32,
}

/// The page that answers.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    next: Option<String>,
    results: Vec<T>,
}

impl Part {
    /// Reads a query string.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INPUT_INVALID` that names every wrong parameter.
    pub(super) fn asked(
        scope: &EnvironmentScope,
        listed: Listed,
        query: Option<&str>,
    ) -> Result<Part, Refused> {
        let mut problems = Vec::new();
        let pairs = Pairs::parse(query, &mut problems);
        let usual = DEFAULT_PAGE_SIZE.min(listed.most);
        let page_size = match pairs.one("page_size", &mut problems) {
            None => usual,
            Some(text) => {
                let size = text.parse().ok().filter(|size| (1..=listed.most).contains(size));
                if size.is_none() {
                    let expected = format!("a whole number from 1 to {}", listed.most);
                    problems.push(Problem::new("page_size", expected, text));
                }
                size.unwrap_or(usual)
            }
        };
        let mut filters = Vec::new();
        for name in listed.by_ids {
            let values = list(&pairs, name, &mut problems);
            if let Some(wrong) = values.iter().flatten().find(|value| !is_id(value)) {
                let expected = "ids of 24 characters as this API gives them";
                problems.push(Problem::new(name, expected, wrong));
            }
            filters.extend(values.map(|values| (*name, values)));
        }
        for name in listed.by_texts {
            filters.extend(list(&pairs, name, &mut problems).map(|values| (*name, values)));
        }
        let updated_after = listed.by_moment.then(|| moment(&pairs, &mut problems)).flatten();
        let mut part = Part {
            environment_id: scope.id().to_owned(),
            name: listed.name,
            filters,
            updated_after,
            after_id: None,
            page_size,
        };
        if let Some(text) = pairs.one("cursor", &mut problems).filter(|text| !text.is_empty()) {
            match Cursor::read(text, part.position(&part.canonical())) {
                Ok(after) => part.after_id = Some(after),
                Err(why) => problems.push(Problem::new("cursor", why.expected(), text)),
            }
        }
        if problems.is_empty() { Ok(part) } else { Err(fault(&problems).into()) }
    }

    /// The values of a filter.
    pub(super) fn filter(&self, name: &str) -> Option<Vec<String>> {
        let found = self.filters.iter().find(|(known, _)| *known == name);
        found.map(|(_, values)| values.clone())
    }

    /// How many entries are to be read: one more than are shown, to know whether there is more.
    pub(super) fn limit(&self) -> u32 {
        self.page_size + 1
    }

    /// The page of what was read.
    pub(super) fn page<S, T>(
        &self,
        mut read: Vec<S>,
        id: impl Fn(&S) -> &str,
        shown: impl FnMut(S) -> T,
    ) -> Page<T> {
        let more = read.len() > self.page_size as usize;
        read.truncate(self.page_size as usize);
        let last = read.last().filter(|_| more);
        let next = last.map(|last| Cursor::write(self.position(&self.canonical()), id(last)));
        Page { next, results: read.into_iter().map(shown).collect() }
    }

    fn canonical(&self) -> String {
        let filters = self.filters.iter().map(|(name, values)| {
            let mut values = values.clone();
            values.sort();
            (*name, values)
        });
        serde_json::json!([filters.collect::<Vec<_>>(), self.updated_after]).to_string()
    }

    fn position<'a>(&'a self, filters: &'a str) -> Position<'a> {
        Position {
            environment_id: &self.environment_id,
            integration_id: "",
            model: self.name,
            filters,
        }
    }
}

fn list(pairs: &Pairs, name: &'static str, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let given: Vec<&str> = pairs.all(name).collect();
    if given.is_empty() {
        return None;
    }
    let values: Vec<String> =
        given.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
    // Read as "nothing" an empty list would be pointless, and read as "no filter" it would answer with all.
    if values.iter().any(String::is_empty) || values.len() > MAX_VALUES {
        let expected =
            format!("at most {MAX_VALUES} values separated by commas, none of them empty");
        problems.push(Problem::new(name, expected, &given.join(",")));
        return None;
    }
    Some(values)
}

fn moment(pairs: &Pairs, problems: &mut Vec<Problem>) -> Option<i64> {
    let text = pairs.one("updated_after", problems)?;
    let moment = Moment::parse(text);
    if moment.is_none() {
        let expected = "a moment (2026-01-31T08:15:00.000Z) or a day (2026-01-31)";
        problems.push(Problem::new("updated_after", expected, text));
    }
    moment.map(|moment| moment.ms)
}
