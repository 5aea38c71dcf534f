//! Mapping tables: raw record in, unified record and issues out.
//!
//! A file `map/<model>.yaml` holds one line per unified field: where its value comes from. Reading
//! the value is the work of the field's type, so the same few rules hold for every tool.
//!
//! - `node` reads YAML with lines, `file` makes tables of it, `check` knows what the model allows;
//! - `apply` runs a table on a raw record, `value` reads a value by its type, with `form` for plain
//!   scalars, `moment` for dates and times, `places` for countries and currencies;
//! - `overlay` is an integration's own mapping over the connector's;
//! - `lineage` says which lines of a file fill a field, `schema` tells editors what it may hold.
//!
//! Nothing here does input or output, and no value makes it panic: what does not fit is an issue.

mod apply;
mod check;
mod file;
mod form;
mod kept;
mod lineage;
mod moment;
mod node;
mod overlay;
mod places;
mod problem;
mod schema;
mod table;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use cadre_model::mapped::{Issue, Mapped};
use cadre_model::model::ModelDef;
use serde_json::Value;

pub use kept::{Kept, Policy, Scope};
pub use lineage::{FieldLines, field_lines};
pub use overlay::Overlay;
pub use places::country as country_code;
pub use problem::Problem;
pub use schema::schema;
use table::{Source, Table};

/// The stream of a table that stands by itself.
pub const INLINE: &str = "inline";

/// How the records of one model are made. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mapping {
    model: &'static ModelDef,
    tables: Arc<Vec<Table>>,
}

/// What is the same for all fields of a raw record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// `$settings`: the values of the connect form that are not secret.
    pub settings: &'a Value,
    /// `$parent`: the raw parent record of a sub-request.
    pub parent: Option<&'a Value>,
    /// `$lookup`: `{name: {key: record}}`.
    pub lookup: &'a Value,
    /// `$now`: the moment the run started, as text.
    pub now: &'a Value,
}

/// What a mapping made of a raw record.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Records to be stored, each with its own issues.
    pub records: Vec<Mapped>,
    /// Issues of what is not stored: without a remote id, or without a required field.
    pub issues: Vec<Issue>,
    /// Remote ids of records of which the tool says that they are deleted.
    pub deleted: Vec<String>,
}

impl Mapping {
    /// Reads a mapping file. The last part of `file` names the model: `map/hris_employees.yaml`.
    ///
    /// # Errors
    /// Everything that is wrong with it, by line.
    pub fn parse(file: &str, text: &str) -> Result<Mapping, Vec<Problem>> {
        let (model, tables) = file::parse(file, text)?;
        Ok(Mapping { model, tables: Arc::new(tables) })
    }

    /// Reads one table that stands in another file and has no `from`: its stream is [`INLINE`].
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn table(
        model: &'static ModelDef,
        file: &str,
        table: &Value,
    ) -> Result<Mapping, Vec<Problem>> {
        let table = file::inline(model, file, table)?;
        Ok(Mapping { model, tables: Arc::new(vec![table]) })
    }

    /// The model that it fills.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        self.model
    }

    /// The streams that it reads, each once.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&str> = self.tables.iter().map(|table| table.from.as_str()).collect();
        names.into_iter()
    }

    /// The fields and relations that have a source.
    #[must_use]
    pub fn offered_fields(&self) -> BTreeSet<String> {
        let fields = self.tables.iter().flat_map(|table| &table.fields);
        let filled = fields.filter(|field| matches!(field.source, Source::Value { .. }));
        filled.map(|field| field.target.name().to_owned()).collect()
    }

    /// The fields and relations that the file says have no source, each with the reason.
    #[must_use]
    pub fn missing_fields(&self) -> Vec<(&'static str, &str)> {
        let fields = self.tables.iter().flat_map(|table| &table.fields);
        let missing = fields.filter_map(|field| match &field.source {
            Source::None(reason) => Some((field.target.name(), reason.as_str())),
            Source::Value { .. } => None,
        });
        missing.collect()
    }

    /// Makes records of a raw record of a stream. Another stream's record yields nothing.
    #[must_use]
    pub fn apply(&self, stream: &str, raw: &Value, context: &Context<'_>) -> Outcome {
        let mut records = Vec::new();
        let mut outcome =
            self.apply_each(stream, raw, context, &mut |_, mapped, _| records.push(mapped));
        outcome.records = records;
        outcome
    }

    /// The same, and tells of each record which table made it and the raw value that it was made of: the
    /// raw record, or one of the values that `each` finds in it. The records are not in the outcome.
    pub fn apply_each(
        &self,
        stream: &str,
        raw: &Value,
        context: &Context<'_>,
        take: &mut dyn FnMut(usize, Mapped, &Value),
    ) -> Outcome {
        let mut outcome = Outcome::default();
        for (at, table) in self.tables.iter().enumerate().filter(|(_, t)| t.from == stream) {
            let take = &mut |mapped: Mapped, raw: &Value| take(at, mapped, raw);
            apply::apply(self.model, table, raw, context, &mut outcome, take);
        }
        outcome
    }

    /// Makes the record with this id once more, of the raw value that it was made of. `None` when the
    /// mapping does not make it any more; the issues of the outcome say why, where something is wrong.
    #[must_use]
    pub fn again(
        &self,
        (stream, remote_id): (&str, &str),
        raw: &Value,
        context: &Context<'_>,
    ) -> (Option<Mapped>, Outcome) {
        let mut outcome = Outcome::default();
        let mut found = None;
        for table in self.tables.iter().filter(|table| table.from == stream) {
            let take = &mut |mapped: Mapped, _: &Value| {
                if mapped.remote_id == remote_id {
                    found = Some(mapped);
                }
            };
            apply::item(self.model, table, raw, context, &mut outcome, take);
        }
        (found, outcome)
    }

    /// This mapping with an integration's own over it.
    #[must_use]
    pub fn with(&self, overlay: &Overlay) -> Mapping {
        Mapping { model: self.model, tables: Arc::new(overlay.over(self.model, &self.tables)) }
    }
}
