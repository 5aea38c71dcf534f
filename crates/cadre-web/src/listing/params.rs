//! The parameters of a list request, read all at once.

use cadre_model::fault::Fault;
use cadre_model::ids::is_id;
use cadre_model::model::{Filter, FilterRule, ModelDef};
use cadre_model::shape::Kind;
use serde_json::Value;

use super::cursor::{Cursor, Position};
use super::moment::{self, Moment};
use super::query::{Pairs, Problem, fault};
use crate::openapi::kind_of_key;

/// Records on a page when nothing else is asked for.
pub const DEFAULT_PAGE_SIZE: u32 = 100;
/// Most records on a page.
pub const MAX_PAGE_SIZE: u32 = 250;
/// Most values of one filter.
pub const MAX_VALUES: usize = 1000;

/// Whose list is asked for. A cursor is bound to it.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The environment of the key.
    pub environment_id: &'a str,
    /// The integration.
    pub integration_id: &'a str,
}

/// A list request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Records on a page.
    pub page_size: u32,
    /// The id of the record that the page before ended with.
    pub after_id: Option<String>,
    /// Only what changed after this moment, in milliseconds since 1970.
    pub updated_after_ms: Option<i64>,
    /// Whether deleted records are listed too.
    pub include_deleted: bool,
    /// Whether a filter on a field that the tool does not offer is left out.
    pub ignore_unsupported_filters: bool,
    /// Only these ids.
    pub ids: Option<Vec<String>>,
    /// Only these ids of the tool.
    pub remote_ids: Option<Vec<String>>,
    /// The model's own filters that were given.
    pub filters: Vec<AskedFilter>,
}

/// A filter of the model, with its values.
#[derive(Debug, Clone)]
pub struct AskedFilter {
    /// The filter.
    pub filter: &'static Filter,
    /// Its values: one, or for a list any number; moments in the form that records hold.
    pub values: Vec<String>,
}

impl Asked {
    /// Reads a query string. Parameters that no list knows are left alone.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INPUT_INVALID` that names every parameter that is wrong.
    pub fn parse(
        query: Option<&str>,
        model: &'static ModelDef,
        filters: &'static [Filter],
        whose: Whose<'_>,
    ) -> Result<Asked, Fault> {
        let mut reading = Reading { problems: Vec::new() };
        let pairs = Pairs::parse(query, &mut reading.problems);
        let mut asked = Asked {
            page_size: reading.page_size(&pairs),
            after_id: None,
            updated_after_ms: reading.moment(&pairs, "updated_after").map(|moment| moment.ms),
            include_deleted: reading.boolean(&pairs, "include_deleted"),
            ignore_unsupported_filters: reading.boolean(&pairs, "ignore_unsupported_filters"),
            ids: reading.list(&pairs, "ids", Some(is_id)),
            remote_ids: reading.list(&pairs, "remote_ids", None),
            filters: Vec::new(),
        };
        for filter in filters {
            if let Some(values) = reading.filter(&pairs, model, filter) {
                asked.filters.push(AskedFilter { filter, values });
            }
        }
        if let Some(text) = pairs.one("cursor", &mut reading.problems).filter(|t| !t.is_empty()) {
            let filters = asked.canonical();
            match Cursor::read(text, asked.position(model, whose, &filters)) {
                Ok(id) => asked.after_id = Some(id),
                // The digest of half-read filters means nothing; the filters are named already.
                Err(_) if !reading.problems.is_empty() => {}
                Err(problem) => {
                    reading.problems.push(Problem::new("cursor", problem.expected(), text));
                }
            }
        }
        if reading.problems.is_empty() { Ok(asked) } else { Err(fault(&reading.problems)) }
    }

    /// The cursor of the page after the record `last_id`.
    #[must_use]
    pub fn next(&self, model: &'static ModelDef, whose: Whose<'_>, last_id: &str) -> String {
        let filters = self.canonical();
        Cursor::write(self.position(model, whose, &filters), last_id)
    }

    fn position<'a>(
        &self,
        model: &'static ModelDef,
        whose: Whose<'a>,
        filters: &'a str,
    ) -> Position<'a> {
        let Whose { environment_id, integration_id } = whose;
        Position { environment_id, integration_id, model: model.id, filters }
    }

    /// Everything that narrows the list as one text, the same for requests that ask the same.
    /// The size of pages is not part of it: it may change from page to page.
    #[must_use]
    pub fn canonical(&self) -> String {
        let sorted = |values: &[String]| {
            let mut values = values.to_vec();
            values.sort();
            values
        };
        let mut filters: Vec<_> =
            self.filters.iter().map(|f| (f.filter.name, sorted(&f.values))).collect();
        filters.sort();
        serde_json::json!([
            self.updated_after_ms,
            self.include_deleted,
            self.ignore_unsupported_filters,
            self.ids.as_deref().map(sorted),
            self.remote_ids.as_deref().map(sorted),
            filters,
        ])
        .to_string()
    }
}

struct Reading {
    problems: Vec<Problem>,
}

impl Reading {
    fn wrong(&mut self, parameter: &str, expected: impl Into<String>, got: &str) {
        self.problems.push(Problem::new(parameter, expected, got));
    }

    fn page_size(&mut self, pairs: &Pairs) -> u32 {
        let Some(text) = pairs.one("page_size", &mut self.problems) else {
            return DEFAULT_PAGE_SIZE;
        };
        match text.parse() {
            Ok(size @ 1..=MAX_PAGE_SIZE) => size,
            _ => {
                let expected = format!("a whole number from 1 to {MAX_PAGE_SIZE}");
                self.wrong("page_size", expected, text);
                DEFAULT_PAGE_SIZE
            }
        }
    }

    fn boolean(&mut self, pairs: &Pairs, name: &str) -> bool {
        match pairs.one(name, &mut self.problems) {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.wrong(name, "`true` or `false`", other);
                false
            }
        }
    }

    fn moment(&mut self, pairs: &Pairs, name: &str) -> Option<Moment> {
        let text = pairs.one(name, &mut self.problems)?;
        let moment = Moment::parse(text);
        if moment.is_none() {
            self.wrong(name, moment::EXPECTED, text);
        }
        moment
    }

    /// A list in one parameter or in several. An empty list is a mistake: read as "nothing" it
    /// would be pointless, and read as "no filter" it would answer with everything.
    fn list(
        &mut self,
        pairs: &Pairs,
        name: &str,
        check: Option<fn(&str) -> bool>,
    ) -> Option<Vec<String>> {
        let given: Vec<&str> = pairs.all(name).collect();
        if given.is_empty() {
            return None;
        }
        let values: Vec<&str> = given.iter().flat_map(|text| text.split(',')).collect();
        if values.iter().any(|value| value.is_empty()) {
            self.wrong(name, "values separated by commas, none of them empty", &given.join(","));
            return None;
        }
        if values.len() > MAX_VALUES {
            let expected = format!("at most {MAX_VALUES} values");
            self.wrong(name, expected, &format!("{} values", values.len()));
            return None;
        }
        if let Some(wrong) = check.and_then(|check| values.iter().find(|value| !check(value))) {
            self.wrong(name, "ids of 24 characters as this API gives them", wrong);
            return None;
        }
        Some(values.into_iter().map(str::to_owned).collect())
    }

    fn filter(
        &mut self,
        pairs: &Pairs,
        model: &'static ModelDef,
        filter: &'static Filter,
    ) -> Option<Vec<String>> {
        let name = filter.name;
        match filter.rule {
            FilterRule::AnyOf { .. }
            | FilterRule::AnyOfFolded { .. }
            | FilterRule::RefersToRemote { .. } => self.list(pairs, name, None),
            FilterRule::RefersTo { .. }
            | FilterRule::RefersThrough { .. }
            | FilterRule::ReferredThrough { .. } => self.list(pairs, name, Some(is_id)),
            FilterRule::OneOf { values, .. } => {
                let text = pairs.one(name, &mut self.problems)?;
                if !values.contains(&text) {
                    self.wrong(name, format!("one of {}", values.join(", ")), text);
                    return None;
                }
                Some(vec![text.to_owned()])
            }
            FilterRule::RefersToOne { .. } => {
                let text = pairs.one(name, &mut self.problems)?;
                if !is_id(text) {
                    self.wrong(name, "an id of 24 characters as this API gives it", text);
                    return None;
                }
                Some(vec![text.to_owned()])
            }
            FilterRule::Equals { .. }
            | FilterRule::EqualsFolded { .. }
            | FilterRule::Contains { .. } => {
                let text = pairs.one(name, &mut self.problems)?;
                if text.is_empty() {
                    self.wrong(name, "text that is not empty", text);
                    return None;
                }
                Some(vec![text.to_owned()])
            }
            FilterRule::After { key, .. } | FilterRule::Before { key, .. } => {
                let moment = self.moment(pairs, name)?;
                Some(vec![as_stored(model, key, moment)])
            }
            FilterRule::CustomField => {
                let text = pairs.one(name, &mut self.problems)?;
                let pair: Option<serde_json::Map<String, Value>> = serde_json::from_str(text).ok();
                if pair.is_none_or(|pair| pair.len() != 1) {
                    self.wrong(name, "a JSON object with exactly one pair", text);
                    return None;
                }
                Some(vec![text.to_owned()])
            }
        }
    }
}

/// A moment in the form in which records hold the key it is compared with.
fn as_stored(model: &'static ModelDef, key: &str, moment: Moment) -> String {
    match kind_of_key(model, key) {
        Some(Kind::Date) => moment.day.to_string(),
        _ => moment.wire(),
    }
}

#[cfg(test)]
mod tests {
    use cadre_model::fault::Code;
    use cadre_model::ids::random_id;
    use cadre_model::model::ModelDef;
    use cadre_model::registry::model;

    use super::{Asked, Whose};

    const WHOSE: Whose<'_> = Whose { environment_id: "env", integration_id: "acme:1" };

    fn employees() -> &'static ModelDef {
        model("hris_employees").expect("a model")
    }

    fn parse(query: &str) -> Result<Asked, String> {
        Asked::parse(Some(query), employees(), employees().filters, WHOSE).map_err(|fault| {
            assert_eq!(fault.code, Code::PlatformInputInvalid);
            fault.message
        })
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let asked = parse("").expect("valid");
        assert_eq!((asked.page_size, asked.include_deleted), (100, false));
        assert!(asked.after_id.is_none() && asked.filters.is_empty());
        parse("page_size=250&cursor=&unknown=0&unknown=1").expect("unknown ones are left alone");
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let message = parse(
            "page_size=251&include_deleted=yes&updated_after=now&ids=short&group_ids=&\
             employment_status=GONE&custom_fields=[]&work_emails=a,,b&cursor=x",
        )
        .expect_err("invalid");
        for name in [
            "page_size",
            "include_deleted",
            "updated_after",
            "ids",
            "group_ids",
            "employment_status",
            "custom_fields",
            "work_emails",
        ] {
            assert!(message.contains(&format!("`query.{name}`: expected ")), "{name}: {message}");
        }
        assert!(message.contains("got \"251\""), "{message}");
    }

    #[test]
    fn filters_are_read() {
        let (a, b) = (random_id(), random_id());
        let asked = parse(&format!("group_ids={a}%2C{b}&work_emails=Ann@x.de")).expect("valid");
        let read: Vec<_> =
            asked.filters.iter().map(|f| (f.filter.name, f.values.as_slice())).collect();
        assert_eq!(
            read,
            [("group_ids", &[a, b][..]), ("work_emails", &["Ann@x.de".to_owned()][..])]
        );
    }

    #[test]
    fn moments_take_the_form_of_what_they_are_compared_with() {
        let absences = model("hris_absences").expect("a model");
        let query = Some("date_from=2026-01-31T22:00:00-05:00");
        let asked = Asked::parse(query, absences, absences.filters, WHOSE).expect("valid");
        assert_eq!(asked.filters[0].values, ["2026-01-31"]);
        let timesheets = model("hris_timesheets").expect("a model");
        let query = Some("started_after=2026-01-31");
        let asked = Asked::parse(query, timesheets, timesheets.filters, WHOSE).expect("valid");
        assert_eq!(asked.filters[0].values, ["2026-01-31T00:00:00.000Z"]);
    }

    #[test]
    fn a_cursor_goes_on_where_it_ended() {
        let last = random_id();
        let asked = parse("include_deleted=true&page_size=1&remote_ids=b,a").expect("valid");
        let next = asked.next(employees(), WHOSE, &last);
        let same = format!("remote_ids=a%2Cb&include_deleted=true&page_size=2&cursor={next}");
        assert_eq!(parse(&same).expect("the same list").after_id, Some(last));
        let other = parse(&format!("include_deleted=false&cursor={next}")).expect_err("another");
        assert!(other.contains("the same filters"), "{other}");
    }
}
