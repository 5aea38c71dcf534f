//! The values that filters look at: as rows, for finding records by a value, and with the record itself,
//! for looking at the values of one record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cadre_model::mapped::KeyRow;
use sqlx::Row;

use super::sql::{Place, array, chunks};
use crate::store::{Attempt, Error, Tx, storable};

/// A key and its value.
type Key = (String, String);

/// The keys of a record as it is stored with it: a JSON object from the name of a key to its values.
pub(super) fn of_record(rows: &[KeyRow]) -> String {
    let mut keys: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in rows {
        keys.entry(&row.name).or_default().push(storable(&row.value));
    }
    serde_json::json!(keys).to_string()
}

fn read(stored: &str) -> BTreeSet<Key> {
    let keys: BTreeMap<String, Vec<String>> = serde_json::from_str(stored).unwrap_or_default();
    keys.into_iter()
        .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)))
        .collect()
}

/// The keys that are stored of records, by id.
pub(crate) async fn stored(
    tx: &mut Tx,
    at: Place<'_>,
    ids: &[&str],
) -> Result<HashMap<String, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let among = at.backend.among("id", "$3");
    let sql = format!(
        "SELECT id, keys FROM records WHERE integration_id = $1 AND model = $2 AND {among}"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(at.integration_id)
        .bind(at.model)
        .bind(array(ids))
        .fetch_all(&mut **tx)
        .await
        .attempt("read filter keys")?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Writes the rows of keys that are new, and takes away those that are no more. `old` are the keys as they
/// were stored, by id; a record that is not there had none.
pub(super) async fn replace(
    tx: &mut Tx,
    at: Place<'_>,
    records: impl Iterator<Item = (&str, &[KeyRow])>,
    old: &HashMap<String, String>,
) -> Result<(), Error> {
    let (mut came, mut went) = (Vec::new(), Vec::new());
    for (id, keys) in records {
        let mut before = old.get(id).map(|keys| read(keys)).unwrap_or_default();
        for row in keys {
            let key = (row.name.clone(), storable(&row.value));
            if !before.remove(&key) {
                came.push((key, id.to_owned()));
            }
        }
        went.extend(before.into_iter().map(|key| (key, id.to_owned())));
    }
    let names: BTreeSet<&str> =
        came.iter().chain(&went).map(|((name, _), _)| name.as_str()).collect();
    let ids = key_ids(tx, at, &names).await?;
    delete(tx, at, &numbered(&went, &ids)).await?;
    insert(tx, at, &numbered(&came, &ids)).await
}

/// Takes away the rows of keys of records, which are given as they were stored.
pub(crate) async fn forget(
    tx: &mut Tx,
    at: Place<'_>,
    old: &HashMap<String, String>,
) -> Result<(), Error> {
    replace(tx, at, old.keys().map(|id| (id.as_str(), &[][..])), old).await
}

/// Rows in the order of the table: neighbours are written together.
fn numbered<'a>(
    rows: &'a [(Key, String)],
    ids: &HashMap<String, i64>,
) -> Vec<(i64, &'a str, &'a str)> {
    let number = |((name, value), id): &'a (Key, String)| {
        Some((*ids.get(name)?, value.as_str(), id.as_str()))
    };
    let mut rows: Vec<_> = rows.iter().filter_map(number).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The numbers of the keys with these names, which are given to those that have none yet.
async fn key_ids(
    tx: &mut Tx,
    at: Place<'_>,
    names: &BTreeSet<&str>,
) -> Result<HashMap<String, i64>, Error> {
    let mut known = known_ids(tx, at).await?;
    let fresh: Vec<&&str> = names.iter().filter(|name| !known.contains_key(**name)).collect();
    if fresh.is_empty() {
        return Ok(known);
    }
    for name in fresh {
        sqlx::query(
            "INSERT INTO key_names (integration_id, model, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(at.integration_id)
        .bind(at.model)
        .bind(*name)
        .execute(&mut **tx)
        .await
        .attempt("store the name of a filter key")?;
    }
    known.extend(known_ids(tx, at).await?);
    Ok(known)
}

async fn known_ids(tx: &mut Tx, at: Place<'_>) -> Result<HashMap<String, i64>, Error> {
    let rows =
        sqlx::query("SELECT name, key_id FROM key_names WHERE integration_id = $1 AND model = $2")
            .bind(at.integration_id)
            .bind(at.model)
            .fetch_all(&mut **tx)
            .await
            .attempt("read the names of filter keys")?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn insert(tx: &mut Tx, at: Place<'_>, rows: &[(i64, &str, &str)]) -> Result<(), Error> {
    for chunk in chunks(rows) {
        let sql = format!(
            "INSERT INTO record_keys (key_id, value, id) VALUES {} ON CONFLICT DO NOTHING",
            at.backend.rows(3, chunk.len())
        );
        write(tx, sql, chunk, "store filter keys").await?;
    }
    Ok(())
}

async fn delete(tx: &mut Tx, at: Place<'_>, rows: &[(i64, &str, &str)]) -> Result<(), Error> {
    for chunk in chunks(rows) {
        let sql = format!(
            "DELETE FROM record_keys WHERE (key_id, value, id) IN (VALUES {})",
            at.backend.rows(3, chunk.len())
        );
        write(tx, sql, chunk, "remove filter keys").await?;
    }
    Ok(())
}

async fn write(
    tx: &mut Tx,
    sql: String,
    rows: &[(i64, &str, &str)],
    attempted: &'static str,
) -> Result<(), Error> {
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for (key_id, value, id) in rows {
        query = query.bind(*key_id).bind(*value).bind(*id);
    }
    query.execute(&mut **tx).await.attempt(attempted)?;
    Ok(())
}
