//! Which records show a record.
//!
//! `updated_after` finds a record also when something that it shows has changed. Which changes count
//! stands with each relation of the model ([`cadre_model::model::Touches`]); here it is turned around:
//! from the model that changed to the models that show it.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use cadre_model::model::Join;
use cadre_model::registry::models;

use super::sql::{CHUNK, placeholders};
use crate::store::{Attempt, Error, Tx};

/// A model that shows the changed one.
struct Rule {
    parent: &'static str,
    path: Path,
    /// Whether a change inside counts.
    linked: bool,
    /// Whether coming and going counts.
    added_or_removed: bool,
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
                    // A link that the parent itself names is part of the parent: its link hash tells.
                    added_or_removed: touches.added_or_removed
                        && matches!(relation.join, Join::Back(_)),
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
    /// `(field, target)` of links that those records have or had.
    pub(super) targets: BTreeSet<(String, String)>,
    /// The same, of records that came or went, and of links that moved.
    pub(super) moved: BTreeSet<(String, String)>,
}

/// Moves `touched_at` of every record that shows one of the changed ones.
pub(super) async fn touch(
    tx: &mut Tx,
    integration_id: &str,
    model: &str,
    changes: &Changes,
    now: i64,
) -> Result<(), Error> {
    for rule in RULES.get(model).into_iter().flatten() {
        match rule.path {
            Path::Forward(field) if rule.linked => {
                for ids in changes.ids.chunks(CHUNK) {
                    forward(tx, integration_id, rule.parent, field, ids, now).await?;
                }
            }
            Path::Forward(_) => {}
            Path::Back(field) => {
                let of_field = |links: &BTreeSet<(String, String)>| -> Vec<String> {
                    links
                        .iter()
                        .filter(|(name, _)| name == field)
                        .map(|(_, id)| id.clone())
                        .collect()
                };
                let ids = match (rule.linked, rule.added_or_removed) {
                    (true, _) => of_field(&changes.targets),
                    (false, true) => of_field(&changes.moved),
                    (false, false) => Vec::new(),
                };
                for ids in ids.chunks(CHUNK) {
                    back(tx, integration_id, rule.parent, ids, now).await?;
                }
            }
        }
    }
    Ok(())
}

// The plus keeps the index by time out of both statements: during a sync nearly every record is older than
// now, and whoever looks them up that way reads the whole model for each page.

async fn forward(
    tx: &mut Tx,
    integration_id: &str,
    parent: &'static str,
    field: &'static str,
    ids: &[String],
    now: i64,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE records SET touched_at = $1 WHERE integration_id = $2 AND model = $3 AND +touched_at < $1
         AND id IN (SELECT id FROM record_refs WHERE integration_id = $2 AND model = $3 AND field = $4
                    AND target_id IN ({}))",
        placeholders(5, ids.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(ids.len() == CHUNK);
    query = query.bind(now).bind(integration_id).bind(parent).bind(field);
    for id in ids {
        query = query.bind(id);
    }
    query.execute(&mut **tx).await.attempt("mark records as touched")?;
    Ok(())
}

async fn back(
    tx: &mut Tx,
    integration_id: &str,
    parent: &'static str,
    ids: &[String],
    now: i64,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE records SET touched_at = $1 WHERE integration_id = $2 AND model = $3 AND +touched_at < $1
         AND id IN ({})",
        placeholders(4, ids.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(ids.len() == CHUNK);
    query = query.bind(now).bind(integration_id).bind(parent);
    for id in ids {
        query = query.bind(id);
    }
    query.execute(&mut **tx).await.attempt("mark records as touched")?;
    Ok(())
}
