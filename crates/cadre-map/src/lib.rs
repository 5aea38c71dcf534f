//! Mapping tables: a raw record in, unified records and issues out.
//!
//! A mapping is a table, not a program: one line for each unified field. The unified model's types do
//! the rest ([`value`]): dates, enums, currencies, addresses are read by the field's type, and a value
//! that does not fit is an issue beside the record, never a failure and never another value.
//!
//! Everything here is synchronous and total: no input or output, no clock, no look-ups. References stay
//! the tool's own ids.
//!
//! To add a key to the map file: [`file`] reads it, [`check`] judges it against the model, [`apply`]
//! uses it, and `docs/guide/connector-format.md` says what it means.

mod apply;
mod check;
mod date;
mod file;
mod overlay;
mod place;
mod problem;
mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use cadre_jq::Expr;
use cadre_model::model::{ModelDef, Relation};
use cadre_model::shape::Field;

pub use apply::{Context, Outcome};
pub use overlay::Overlay;
pub use problem::Problem;
use value::Rules;

/// The mapping of one model: what a `map/<model>.yaml` says. Cheap to clone.
#[derive(Clone)]
pub struct Mapping {
    model: &'static ModelDef,
    tables: Arc<Vec<Table>>,
}

/// One table of a mapping: records of one stream.
#[derive(Clone)]
struct Table {
    from: String,
    each: Option<Expr>,
    when: Option<Expr>,
    remote_id: Expr,
    columns: Vec<Column>,
}

/// One line of a table.
#[derive(Clone)]
struct Column {
    target: Target,
    value: Expr,
    rules: Rules,
}

/// What a line fills.
#[derive(Clone, Copy)]
enum Target {
    Field(&'static Field),
    Links(&'static Relation),
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Target::Field(field) => field.name,
            Target::Links(relation) => relation.name,
        }
    }
}

impl Mapping {
    /// Reads a map file. Its name says which model it maps: `map/hris_employees.yaml`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its line where that is known.
    pub fn parse(file: &str, text: &str) -> Result<Mapping, Vec<Problem>> {
        file::parse(file, text)
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        self.model
    }

    /// The streams that the tables read, each once.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&str> = self.tables.iter().map(|table| table.from.as_str()).collect();
        names.into_iter()
    }

    /// The fields and relations that at least one table fills.
    #[must_use]
    pub fn offered_fields(&self) -> BTreeSet<String> {
        let columns = self.tables.iter().flat_map(|table| &table.columns);
        columns.map(|column| column.target.name().to_owned()).collect()
    }

    /// The mapping with an integration's own lines over it.
    #[must_use]
    pub fn with(&self, overlay: &Overlay) -> Mapping {
        overlay.over(self)
    }
}
