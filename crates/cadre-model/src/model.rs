//! What a model is: its own fields, its relations, its filters.

use crate::shape::Structure;

/// The kind of tool that a model belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// Human resources information.
    Hris,
    /// Applicant tracking.
    Ats,
    /// Learning management.
    Lms,
    /// Assessment of candidates.
    Assessment,
}

impl Category {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Category::Hris => "HRIS",
            Category::Ats => "ATS",
            Category::Lms => "LMS",
            Category::Assessment => "ASSESSMENT",
        }
    }
}

/// A unified type whose records are stored.
pub trait Model {
    /// Its id: `hris_employees`.
    const ID: &'static str;
    /// Its declaration.
    const MODEL: ModelDef;
}

/// The declaration of a model.
#[derive(Debug)]
pub struct ModelDef {
    /// Its id, which is also the name in `changed_models`: `hris_employees`.
    pub id: &'static str,
    /// What people call it: `Employees`.
    pub label: &'static str,
    /// The kind of tool it belongs to.
    pub category: Category,
    /// Path of its list endpoint below `/v1`; `None` for a model that is only seen inside others.
    pub path: Option<&'static str>,
    /// Its own fields. Every record also has `id`, `remote_id`, `changed_at` and `remote_deleted_at`.
    pub shape: &'static Structure,
    /// Whether `remote_id` may be null on the wire.
    pub remote_id_nullable: bool,
    /// What is joined in when a record is read.
    pub relations: &'static [Relation],
    /// What its list endpoint can be filtered by, beside what all lists take.
    pub filters: &'static [Filter],
    /// Which of the extensions a record carries.
    pub extensions: Extensions,
}

/// Extensions of the unified model that a record may carry.
#[derive(Debug, Clone, Copy)]
pub struct Extensions {
    /// `custom_fields`, an object or null.
    pub custom_fields: bool,
    /// `integration_fields`, a list.
    pub integration_fields: bool,
    /// `remote_data`, an object or null.
    pub remote_data: bool,
}

/// A join.
#[derive(Debug)]
pub struct Relation {
    /// Name of the field that holds the joined record or records.
    pub name: &'static str,
    /// What is joined in.
    pub doc: &'static str,
    /// Id of the model that is joined in.
    pub target: &'static str,
    /// How the two records find each other.
    pub join: Join,
    /// What of the target is shown.
    pub view: View,
    /// Whether the field may be null (one) or is always there. A list is never null.
    pub nullable: bool,
    /// Which changes make `updated_after` match the record that shows the relation.
    pub touches: Touches,
}

/// How two records find each other.
#[derive(Debug, Clone, Copy)]
pub enum Join {
    /// A reference field of the record: one target.
    Field(&'static str),
    /// A list of links that the record itself names, under the relation's name: many targets.
    Links {
        /// What each link carries beside its target.
        attributes: Option<&'static Structure>,
    },
    /// A reference field of the target that points back here: many targets.
    Back(&'static str),
    /// The links of another relation of the record, shown once more under this name.
    SameAs(&'static str),
}

impl Join {
    /// The name under which the record's own links are kept: that of the reference field, or of the
    /// relation. `None` where it is the target that refers to the record.
    #[must_use]
    pub const fn own_links(&self, relation: &'static str) -> Option<&'static str> {
        match self {
            Join::Field(field) => Some(field),
            Join::Links { .. } => Some(relation),
            Join::Back(_) | Join::SameAs(_) => None,
        }
    }

    /// Whether the relation is a list.
    #[must_use]
    pub const fn many(self) -> bool {
        !matches!(self, Join::Field(_))
    }
}

/// What is shown of a joined record.
#[derive(Debug)]
pub struct View {
    /// Own fields, plus any of `id`, `remote_id`, `changed_at`, `remote_deleted_at`, and the
    /// extensions `custom_fields`, `integration_fields`, `remote_data`.
    pub fields: &'static [&'static str],
    /// Relations of the target that are shown too, each with a view of its own.
    pub relations: &'static [(&'static str, View)],
    /// Fields with a value that the relation itself fixes.
    pub constants: &'static [(&'static str, &'static str)],
    /// Where the target stands one level deeper: `(name of its id, name of the object)`.
    pub wrapped: Option<(&'static str, &'static str)>,
}

impl View {
    /// Only fields.
    #[must_use]
    pub const fn of(fields: &'static [&'static str]) -> View {
        View { fields, relations: &[], constants: &[], wrapped: None }
    }

    /// Fields and relations.
    #[must_use]
    pub const fn with(
        fields: &'static [&'static str],
        relations: &'static [(&'static str, View)],
    ) -> View {
        View { fields, relations, constants: &[], wrapped: None }
    }
}

/// Which changes of a relation make `updated_after` match.
#[derive(Debug, Clone, Copy)]
pub struct Touches {
    /// A link that comes or goes.
    pub added_or_removed: bool,
    /// A change inside the linked record.
    pub linked: bool,
}

impl Touches {
    /// Nothing.
    pub const NONE: Touches = Touches { added_or_removed: false, linked: false };
    /// Links only.
    pub const LINKS: Touches = Touches { added_or_removed: true, linked: false };
    /// The linked record; a link of one record is a field of its own, whose change counts anyway.
    pub const LINKED: Touches = Touches { added_or_removed: false, linked: true };
    /// Both.
    pub const BOTH: Touches = Touches { added_or_removed: true, linked: true };
}

/// A parameter that narrows a list.
#[derive(Debug)]
pub struct Filter {
    /// Name of the parameter.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// How it narrows.
    pub rule: FilterRule,
    /// Whether the contract keeps it only for older clients.
    pub deprecated: bool,
}

/// How a filter narrows a list. A list value matches any of its parts.
#[derive(Debug, Clone, Copy)]
pub enum FilterRule {
    /// The key equals one of the given values.
    AnyOf {
        /// Name of the key.
        key: &'static str,
    },
    /// The same, without regard to case.
    AnyOfFolded {
        /// Name of the key.
        key: &'static str,
    },
    /// The key equals the one given value, which must be of the closed list.
    OneOf {
        /// Name of the key.
        key: &'static str,
        /// The values that are accepted.
        values: &'static [&'static str],
    },
    /// The key equals the one given value.
    Equals {
        /// Name of the key.
        key: &'static str,
    },
    /// The same, without regard to case.
    EqualsFolded {
        /// Name of the key.
        key: &'static str,
    },
    /// The key contains the given text, without regard to case.
    Contains {
        /// Name of the key.
        key: &'static str,
    },
    /// The record refers, by this field or relation, to one of the given ids.
    RefersTo {
        /// Field or relation.
        field: &'static str,
    },
    /// The record refers, by this field, to the one given id.
    RefersToOne {
        /// Field.
        field: &'static str,
    },
    /// The record refers, by this field, to a record with one of the given remote ids.
    RefersToRemote {
        /// Field.
        field: &'static str,
    },
    /// The record that this one refers to refers in turn to one of the given ids.
    RefersThrough {
        /// Field of this record.
        field: &'static str,
        /// Model that the field points to.
        model: &'static str,
        /// Field of that model.
        then: &'static str,
    },
    /// A record that points back here refers in turn to one of the given ids.
    ReferredThrough {
        /// Model of the records that point back.
        model: &'static str,
        /// Their field that points here.
        field: &'static str,
        /// Their field that is compared.
        then: &'static str,
    },
    /// The key, a moment or day, is after (or at, when `or_equal`) the given one.
    After {
        /// Name of the key.
        key: &'static str,
        /// Whether the same moment counts.
        or_equal: bool,
    },
    /// The key, a moment or day, is before (or at, when `or_equal`) the given one.
    Before {
        /// Name of the key.
        key: &'static str,
        /// Whether the same moment counts.
        or_equal: bool,
    },
    /// One pair of a custom field's key and its value, as JSON.
    CustomField,
}

/// A value that records of a model can be found by.
///
/// Keys are taken from the record's own fields: `work_email`, or `email_addresses.email_address`
/// for every item of a list.
impl FilterRule {
    /// The key that the filter looks at, if it looks at one.
    #[must_use]
    pub const fn key(&self) -> Option<&'static str> {
        match self {
            FilterRule::AnyOf { key }
            | FilterRule::AnyOfFolded { key }
            | FilterRule::OneOf { key, .. }
            | FilterRule::Equals { key }
            | FilterRule::EqualsFolded { key }
            | FilterRule::Contains { key }
            | FilterRule::After { key, .. }
            | FilterRule::Before { key, .. } => Some(key),
            _ => None,
        }
    }

    /// Whether the key is compared without regard to case.
    #[must_use]
    pub const fn folds(&self) -> bool {
        matches!(
            self,
            FilterRule::AnyOfFolded { .. }
                | FilterRule::EqualsFolded { .. }
                | FilterRule::Contains { .. }
        )
    }
}

impl ModelDef {
    /// The relation of that name.
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// The relations that the record itself names as lists of links.
    pub fn links(&self) -> impl Iterator<Item = &'static Relation> + use<> {
        self.relations.iter().filter(|relation| matches!(relation.join, Join::Links { .. }))
    }

    /// The keys that filters look at, each with whether it is folded. A key that is used both ways
    /// is stored both ways, the folded one under `name~`.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, bool)> {
        let mut keys = Vec::new();
        for filter in self.filters {
            if let Some(key) = filter.rule.key()
                && !keys.contains(&(key, filter.rule.folds()))
            {
                keys.push((key, filter.rule.folds()));
            }
        }
        keys
    }
}

macro_rules! model {
    ($ty:ident: $id:literal, $label:literal, $category:ident, $path:expr,
     remote_id_nullable: $nullable:literal,
     extensions: [$($extension:ident),*],
     relations: $relations:expr,
     filters: $filters:expr $(,)?) => {
        impl $crate::model::Model for $ty {
            const ID: &'static str = $id;
            const MODEL: $crate::model::ModelDef = $crate::model::ModelDef {
                id: $id,
                label: $label,
                category: $crate::model::Category::$category,
                path: $path,
                shape: &<$ty as $crate::shape::Shape>::SHAPE,
                remote_id_nullable: $nullable,
                relations: $relations,
                filters: $filters,
                extensions: {
                    #[allow(unused_mut)]
                    let mut extensions = $crate::model::Extensions {
                        custom_fields: false,
                        integration_fields: false,
                        remote_data: false,
                    };
                    $(extensions.$extension = true;)*
                    extensions
                },
            };
        }
    };
}

pub(crate) use model;
