//! Which records show a record.
//!
//! `updated_after` finds a record also when something that it shows has changed. Which changes count
//! stands with each relation of the model ([`cadre_model::model::Touches`]); here it is turned around:
//! from the model that changed to the models that show it.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use cadre_model::model::Join;
use cadre_model::registry::models;

use super::sql::{Place, array};
use crate::store::{Attempt, Error, Tx};

/// A model that shows the changed one.
struct Rule {
    parent: &'static str,
    path: Path,
    /// Whether a change inside counts; that a record comes or goes always does.
    linked: bool,
}

enum Path {
    /// The parent refers to the changed record by this field or relation.
    Forward(&'static str),
    /// The changed record refers to the parent by this field.
    Back(&'static str),
}

/// From a model to those that show it.
static RULES: LazyLock<HashMap<&'static str, Vec<Rule>>> = LazyLock::new(|| {
    let mut rules: HashMap<&str, Vec<Rule>> = HashMap::new();
    for model in models() {
        for relation in model.relations {
            let path = match relation.join {
                Join::Field(field) => Path::Forward(field),
                Join::Links { .. } => Path::Forward(relation.name),
                Join::Back(field) => Path::Back(field),
                Join::SameAs(_) => continue,
            };
            let touches = relation.touches;
            if touches.linked || touches.added_or_removed {
                rules.entry(relation.target).or_default().push(Rule {
                    parent: model.id,
                    path,
                    linked: touches.linked,
                });
            }
        }
    }
    rules
});

/// What happened to the records of a model in one page.
#[derive(Default)]
pub(super) struct Changes {
    /// Every record that was created, changed, revived or deleted.
    pub(super) ids: Vec<String>,
    /// Those of them that were created, revived or deleted.
    pub(super) came_or_went: Vec<String>,
    /// Links that those records have or had.
    pub(super) targets: Links,
    /// The same, of records that came or went, and of links that moved.
    pub(super) moved: Links,
}

/// Links as `(field, target)`.
pub(super) type Links = BTreeSet<(String, String)>;

/// Moves `touched_at` of every record that shows one of the changed ones.
pub(super) async fn touch(tx: &mut Tx, at: Place<'_>, changes: &Changes) -> Result<(), Error> {
    for rule in RULES.get(at.model).into_iter().flatten() {
        let parents = Place { model: rule.parent, ..at };
        match rule.path {
            Path::Forward(field) => {
                // That the parent names another link is a change of the parent, which its link hash tells. But
                // a link is only shown when the linked record is there, whichever of them is read first.
                let ids = if rule.linked { &changes.ids } else { &changes.came_or_went };
                forward(tx, parents, field, ids).await?;
            }
            Path::Back(field) => {
                let links = if rule.linked { &changes.targets } else { &changes.moved };
                let ids: Vec<&str> = links
                    .iter()
                    .filter(|(name, _)| name == field)
                    .map(|(_, id)| id.as_str())
                    .collect();
                back(tx, parents, &ids).await?;
            }
        }
    }
    Ok(())
}

// The plus keeps the index by time out of both statements: during a sync nearly every record is older than
// now, and whoever looks them up that way reads the whole model for each page.

async fn forward(
    tx: &mut Tx,
    parents: Place<'_>,
    field: &'static str,
    ids: &[String],
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let among = parents.backend.among("target_id", "$5");
    let sql = format!(
        "UPDATE records SET touched_at = $1 WHERE integration_id = $2 AND model = $3 AND +touched_at < $1
         AND id IN (SELECT id FROM record_refs WHERE integration_id = $2 AND model = $3 AND field = $4
                    AND {among})"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(parents.now)
        .bind(parents.integration_id)
        .bind(parents.model)
        .bind(field)
        .bind(array(ids))
        .execute(&mut **tx)
        .await
        .attempt("mark records as touched")?;
    Ok(())
}

async fn back(tx: &mut Tx, parents: Place<'_>, ids: &[&str]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let among = parents.backend.among("id", "$4");
    let sql = format!(
        "UPDATE records SET touched_at = $1 WHERE integration_id = $2 AND model = $3 AND +touched_at < $1
         AND {among}"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(parents.now)
        .bind(parents.integration_id)
        .bind(parents.model)
        .bind(array(ids))
        .execute(&mut **tx)
        .await
        .attempt("mark records as touched")?;
    Ok(())
}
