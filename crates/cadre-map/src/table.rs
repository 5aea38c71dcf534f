//! A mapping table, checked and compiled.

use cadre_jq::Expr;
use cadre_model::model::Relation;
use cadre_model::shape::Field;
use jiff::tz::TimeZone;

use crate::value::How;

/// How records of one stream become records of the model.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The stream.
    pub(crate) from: String,
    /// Several records out of one raw record.
    pub(crate) each: Option<Expr>,
    /// Which of them.
    pub(crate) when: Option<Expr>,
    /// Whether the tool says of it that it is deleted.
    pub(crate) deleted: Option<Expr>,
    pub(crate) remote_id: Expr,
    /// Zone of times without an offset.
    pub(crate) zone: Option<Zone>,
    pub(crate) fields: Vec<FieldMap>,
}

/// A time zone.
#[derive(Debug, Clone)]
pub(crate) enum Zone {
    Known(TimeZone),
    /// Its name is computed: each account has its own.
    Computed(Expr),
}

/// Where the value of one field comes from.
#[derive(Debug, Clone)]
pub(crate) struct FieldMap {
    pub(crate) target: Target,
    pub(crate) source: Source,
}

/// What is filled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// An own field of the model.
    Own(&'static Field),
    /// A relation whose links the record names.
    Links(&'static Relation),
}

impl Target {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Target::Own(field) => field.name,
            Target::Links(relation) => relation.name,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// From nowhere, and why.
    None(String),
    Value {
        expr: Expr,
        how: How,
    },
}
