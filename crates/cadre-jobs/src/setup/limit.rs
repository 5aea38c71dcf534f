//! Which employees an integration stores.

use std::collections::HashMap;

use cadre_model::ids::record_id;
use cadre_model::mapped::Mapped;
use cadre_model::registry;
use cadre_model::shape::Kind;
use cadre_store::EmployeeFilter;

/// The model that filters are about.
pub(crate) const EMPLOYEES: &str = "hris_employees";

/// Something that employees can be chosen by.
#[derive(Debug)]
pub struct FilterField {
    /// Its name in filters.
    pub id: &'static str,
    /// The field or relation of an employee that holds it.
    pub place: &'static str,
    /// The model of the records that it names; none for words.
    pub model: Option<&'static str>,
}

/// Everything that employees can be chosen by.
pub const FIELDS: &[FilterField] = &[
    FilterField { id: "groups", place: "groups", model: Some("hris_teams") },
    FilterField {
        id: "legal_entities",
        place: "legal_entity_id",
        model: Some("hris_legal_entities"),
    },
    FilterField { id: "work_locations", place: "work_location_id", model: Some("hris_locations") },
    FilterField { id: "employment_types", place: "employment_type", model: None },
    FilterField { id: "employment_statuses", place: "employment_status", model: None },
];

impl FilterField {
    /// The values that an employee has: words, or ids of records.
    pub(crate) fn values(&self, mapped: &Mapped, integration_id: &str) -> Vec<String> {
        let id = |remote_id: &str| match self.model {
            Some(model) => record_id(integration_id, model, remote_id),
            None => remote_id.to_owned(),
        };
        if let Some((_, links)) = mapped.links.iter().find(|(name, _)| *name == self.place) {
            return links.iter().map(|link| id(&link.remote_id)).collect();
        }
        mapped.fields.get(self.place).and_then(|value| value.as_str()).map(id).into_iter().collect()
    }
}

/// Where an employee stands to a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Stored.
    Inside,
    /// Not stored, and gone where it was.
    Outside,
    /// A value that the filter asks for is missing: not stored, and what was stored is kept until a whole
    /// reading proves that it is gone. A tool that leaves a field out once must not empty the mirror.
    Unsure,
}

/// Where an employee stands to a filter: one of the values of every field that it names.
pub(crate) fn standing(filter: &EmployeeFilter, mapped: &Mapped, integration_id: &str) -> Standing {
    let mut standing = Standing::Inside;
    for (name, wanted) in filter {
        let Some(field) = FIELDS.iter().find(|field| field.id == name) else { continue };
        let has = field.values(mapped, integration_id);
        if has.is_empty() {
            if !wanted.iter().any(String::is_empty) {
                standing = Standing::Unsure;
            }
        } else if !has.iter().any(|value| wanted.contains(value)) {
            return Standing::Outside;
        }
    }
    standing
}

/// The field by which a record belongs to an employee; none where it belongs to nobody.
pub(crate) fn owner_field(model: &str) -> Option<&'static str> {
    if model == EMPLOYEES {
        return None;
    }
    let fields = registry::model(model)?.shape.fields;
    let owner = |field: &&cadre_model::shape::Field| {
        !field.nullable && matches!(field.kind, Kind::Ref(target) if target == EMPLOYEES)
    };
    fields.iter().find(owner).map(|field| field.name)
}

/// Every model whose records belong to employees, with the field that says to whom.
pub(crate) fn owned_models() -> impl Iterator<Item = (&'static str, &'static str)> {
    registry::models().iter().filter_map(|model| Some((model.id, owner_field(model.id)?)))
}

/// What a run knows of who is read.
#[derive(Debug, Default)]
pub(crate) struct Came {
    /// By the id in the tool.
    pub(crate) employees: HashMap<String, Standing>,
    /// How many records of each model were left out.
    pub(crate) left_out: HashMap<&'static str, u64>,
}

#[cfg(test)]
mod tests {
    use cadre_model::fields::Fields;
    use cadre_model::mapped::{Link, Mapped};
    use cadre_model::registry;
    use cadre_store::EmployeeFilter;
    use serde_json::{Map, json};

    use super::{Standing, owner_field, record_id, standing};

    fn employee(kind: &str, groups: &[&str]) -> Mapped {
        let link = |id: &&str| Link { remote_id: (*id).to_owned(), attributes: Map::new() };
        let model = registry::model("hris_employees").expect("a model");
        let fields = json!({ "employment_type": (!kind.is_empty()).then_some(kind) });
        let fields = Fields::of(model.shape, fields.as_object().cloned().expect("an object"));
        Mapped {
            model,
            remote_id: "7".to_owned(),
            fields,
            links: vec![("groups", groups.iter().map(link).collect())],
            issues: Vec::new(),
        }
    }

    #[test]
    fn values_of_a_field_are_or_and_fields_are_and() {
        let group = |id: &str| record_id("tool:a", "hris_teams", id);
        let filter = |groups: &[&str], types: &[&str]| -> EmployeeFilter {
            let types = types.iter().map(|word| (*word).to_owned()).collect();
            let groups = groups.iter().map(|id| group(id)).collect();
            [("groups".to_owned(), groups), ("employment_types".to_owned(), types)].into()
        };
        let wanted = filter(&["1", "2"], &["FULL_TIME"]);
        let judge =
            |kind: &str, groups: &[&str]| standing(&wanted, &employee(kind, groups), "tool:a");
        assert_eq!(judge("FULL_TIME", &["2", "9"]), Standing::Inside);
        assert_eq!(judge("FULL_TIME", &["9"]), Standing::Outside);
        assert_eq!(judge("INTERN", &["1"]), Standing::Outside);
        assert_eq!(judge("", &["1"]), Standing::Unsure);
        assert_eq!(judge("", &["9"]), Standing::Outside, "one field is enough");
        let none = filter(&["1"], &["", "INTERN"]);
        assert_eq!(standing(&none, &employee("", &["1"]), "tool:a"), Standing::Inside);
        let all = EmployeeFilter::new();
        assert_eq!(standing(&all, &employee("", &[]), "tool:a"), Standing::Inside);
    }

    #[test]
    fn whose_a_record_is() {
        assert_eq!(owner_field("hris_absences"), Some("employee_id"));
        assert_eq!(owner_field("hris_performance_reviews"), Some("reviewee_id"));
        assert_eq!(owner_field("hris_teams"), None);
        assert_eq!(owner_field("hris_employees"), None);
    }
}
