//! Writing pages of a stream: records, links, keys, issues and the checkpoint, all or nothing.

use std::collections::{BTreeMap, HashMap};

use cadre_model::mapped::{Issue, Record};
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::delete::delete_named;
use super::keys;
use super::raw::write_raw;
use super::sql::{Place, array, chunks};
use super::touch::{Changes, Links, touch};
use super::version::records_moved;
use crate::issues::insert_issues;
use crate::jobs::{Job, fence};
use crate::store::{Attempt, Error, Store, Tx, storable};
use crate::tenants::IntegrationScope;

/// Most issues that one page stores; a page on which everything is wrong says so often enough.
const ISSUES_PER_PAGE: usize = 500;

/// One page of a stream.
pub struct PageWrite<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The root stream whose page it is.
    pub stream: &'a str,
    /// How many raw records the page had.
    pub rows: u64,
    /// Where to go on after it.
    pub next: Option<&'a Value>,
    /// Whether it was the last one.
    pub last: bool,
    /// What the mapping made of it.
    pub records: &'a [Record],
    /// Values that did not fit.
    pub issues: &'a [Issue],
    /// Sub-streams that could not be read to their end, in this run so far.
    pub incomplete: &'a [String],
    /// Model and id of records of which the tool says that they are deleted.
    pub deleted: &'a [(&'static str, String)],
}

/// What writing a page did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageOutcome {
    /// Records that were not there.
    pub created: u64,
    /// Records that differed.
    pub updated: u64,
    /// Records that were as they are.
    pub unchanged: u64,
    /// Records that had been deleted and are back.
    pub revived: u64,
}

impl PageOutcome {
    /// Whether records were written.
    #[must_use]
    pub fn wrote(&self) -> bool {
        self.created + self.updated + self.revived > 0
    }
}

/// What is stored of a record.
pub(super) struct Stored {
    hash: Vec<u8>,
    link_hash: Vec<u8>,
    created_at: i64,
    changed_at: i64,
    pub(super) deleted: bool,
    pub(super) suspect: bool,
    /// The hash of the raw value that is stored.
    pub(super) raw_hash: Option<Vec<u8>>,
}

/// A record that must be written, with its times.
pub(super) struct Due<'a> {
    record: &'a Record,
    created_at: i64,
    changed_at: i64,
    before: Before,
}

/// What there was of a record that is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Deleted,
    Live,
}

impl Store {
    /// Stores one page of a stream in one transaction: what changed, and how far the run has come.
    ///
    /// A record whose hashes are as stored is not written. A record that was deleted and is seen again
    /// lives again.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker has the job; nothing is written then.
    pub async fn records_write_page(
        &self,
        scope: &IntegrationScope,
        page: PageWrite<'_>,
        job: &Job,
    ) -> Result<PageOutcome, Error> {
        self.records_write_pages(scope, &[page], job).await
    }

    /// Stores pages of one stream that follow each other in one transaction; as many as are at hand, since
    /// most of what a transaction costs does not depend on how much it writes.
    ///
    /// # Errors
    ///
    /// As [`Store::records_write_page`].
    pub async fn records_write_pages(
        &self,
        scope: &IntegrationScope,
        pages: &[PageWrite<'_>],
        job: &Job,
    ) -> Result<PageOutcome, Error> {
        let mut outcome = PageOutcome::default();
        let Some(last) = pages.last() else { return Ok(outcome) };
        let now = self.now();
        let mut tx = self.begin().await?;
        fence(&mut tx, job).await?;
        let started_at = started_at(&mut tx, scope, last.run_id).await?;
        let page_number = checkpoint(&mut tx, scope, pages, last).await?;
        let mut issues = Vec::new();
        let records = pages.iter().flat_map(|page| page.records);
        for (model, records) in by_model(records, &mut issues) {
            let at = Place { backend: self.backend(), integration_id: scope.id(), model, now };
            let stored = stored(&mut tx, at, &records).await?;
            let due = due(&records, &stored, started_at, now, &mut outcome, &mut issues);
            write_model(&mut tx, at, &due).await?;
            write_raw(&mut tx, at, &records, &stored).await?;
            seen(&mut tx, scope, last, page_number, model, &records).await?;
        }
        let gone = pages.iter().flat_map(|page| page.deleted);
        let deleted = delete_named(&mut tx, self.backend(), scope, gone, now).await?;
        let of_pages = pages.iter().flat_map(|page| page.issues.iter().take(ISSUES_PER_PAGE));
        issues.extend(of_pages.cloned());
        insert_issues(&mut tx, self.backend(), scope, last.run_id, &issues).await?;
        if outcome.wrote() || deleted > 0 {
            records_moved(&mut tx, scope.id()).await?;
        }
        tx.commit().await.attempt("store a page")?;
        Ok(outcome)
    }
}

async fn started_at(tx: &mut Tx, scope: &IntegrationScope, run_id: &str) -> Result<i64, Error> {
    let row = sqlx::query("SELECT started_at FROM runs WHERE integration_id = $1 AND id = $2")
        .bind(scope.id())
        .bind(run_id)
        .fetch_optional(&mut **tx)
        .await
        .attempt("read a run")?;
    Ok(row.and_then(|row| row.get::<Option<i64>, _>(0)).unwrap_or(i64::MAX))
}

/// Stores how far the stream has come; the number of the last page.
async fn checkpoint(
    tx: &mut Tx,
    scope: &IntegrationScope,
    pages: &[PageWrite<'_>],
    page: &PageWrite<'_>,
) -> Result<i64, Error> {
    let rows: u64 = pages.iter().map(|page| page.rows).sum();
    let incomplete = serde_json::json!(page.incomplete).to_string();
    let row = sqlx::query(
        "INSERT INTO run_streams (integration_id, run_id, stream, pages, row_count, next, complete, incomplete)
         VALUES ($1, $2, $3, $8, $4, $5, $6, $7)
         ON CONFLICT (integration_id, run_id, stream) DO UPDATE SET
             pages = run_streams.pages + $8, row_count = run_streams.row_count + $4, next = $5, complete = $6,
             incomplete = $7
         RETURNING pages",
    )
    .bind(scope.id())
    .bind(page.run_id)
    .bind(page.stream)
    .bind(i64::try_from(rows).unwrap_or(i64::MAX))
    .bind(page.next.map(Value::to_string))
    .bind(i64::from(page.last))
    .bind(incomplete)
    .bind(i64::try_from(pages.len()).unwrap_or(i64::MAX))
    .fetch_one(&mut **tx)
    .await
    .attempt("store a checkpoint")?;
    Ok(row.get(0))
}

/// The records by model; of two with one id the later wins, and the other is an issue.
pub(super) fn by_model<'a>(
    records: impl Iterator<Item = &'a Record>,
    issues: &mut Vec<Issue>,
) -> BTreeMap<&'static str, Vec<&'a Record>> {
    let mut models: BTreeMap<&'static str, Vec<&Record>> = BTreeMap::new();
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    for record in records {
        let list = models.entry(record.model).or_default();
        match places.get(&(record.model, record.id.as_str())) {
            Some(&at) => {
                if list[at].hash != record.hash || list[at].link_hash != record.link_hash {
                    issues.push(duplicate(record));
                }
                list[at] = record;
            }
            None => {
                places.insert((record.model, record.id.as_str()), list.len());
                list.push(record);
            }
        }
    }
    models
}

fn duplicate(record: &Record) -> Issue {
    Issue {
        model: record.model.to_owned(),
        remote_id: Some(record.remote_id.clone()),
        field: Some("remote_id".into()),
        problem: "duplicate_remote_id".into(),
        expected: "one record for each remote id; the later one was kept".into(),
        got: Issue::shorten(&record.remote_id),
    }
}

pub(super) async fn stored(
    tx: &mut Tx,
    at: Place<'_>,
    records: &[&Record],
) -> Result<HashMap<String, Stored>, Error> {
    let among = at.backend.among("r.id", "$3");
    let sql = format!(
        "SELECT r.id, r.hash, r.link_hash, r.created_at, r.changed_at, r.remote_deleted_at, r.suspect_since,
             w.hash AS raw_hash
         FROM records r LEFT JOIN record_raw w
           ON w.integration_id = r.integration_id AND w.model = r.model AND w.id = r.id
         WHERE r.integration_id = $1 AND r.model = $2 AND {among}"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(at.integration_id)
        .bind(at.model)
        .bind(array(records.iter().map(|record| &record.id)))
        .fetch_all(&mut **tx)
        .await
        .attempt("compare records")?;
    let stored = |row: &AnyRow| Stored {
        hash: row.get(1),
        link_hash: row.get(2),
        created_at: row.get(3),
        changed_at: row.get(4),
        deleted: row.get::<Option<i64>, _>(5).is_some(),
        suspect: row.get::<Option<i64>, _>(6).is_some(),
        raw_hash: row.get(7),
    };
    Ok(rows.iter().map(|row| (row.get(0), stored(row))).collect())
}

/// The records that must be written.
pub(super) fn due<'a>(
    records: &[&'a Record],
    stored: &HashMap<String, Stored>,
    started_at: i64,
    now: i64,
    outcome: &mut PageOutcome,
    issues: &mut Vec<Issue>,
) -> Vec<Due<'a>> {
    let mut due = Vec::new();
    for record in records {
        let Some(old) = stored.get(&record.id) else {
            outcome.created += 1;
            due.push(Due { record, created_at: now, changed_at: now, before: Before::Nothing });
            continue;
        };
        let same_body = old.hash == record.hash;
        if same_body && old.link_hash == record.link_hash && !old.deleted {
            outcome.unchanged += 1;
            continue;
        }
        let before = if old.deleted { Before::Deleted } else { Before::Live };
        match before {
            Before::Deleted => outcome.revived += 1,
            _ => outcome.updated += 1,
        }
        // Written in this very run, and different again: the tool has two records of one id.
        if old.changed_at > started_at && !same_body && !old.deleted {
            issues.push(duplicate(record));
        }
        let changed_at = if same_body && !old.deleted { old.changed_at } else { now };
        due.push(Due { record, created_at: old.created_at, changed_at, before });
    }
    due
}

pub(super) async fn write_model(tx: &mut Tx, at: Place<'_>, due: &[Due<'_>]) -> Result<(), Error> {
    if due.is_empty() {
        return Ok(());
    }
    let there: Vec<&str> = due
        .iter()
        .filter(|one| one.before != Before::Nothing)
        .map(|one| one.record.id.as_str())
        .collect();
    let changes = changes(due, &old_links(tx, at, &there).await?);
    let old_keys = keys::stored(tx, at, &there).await?;
    // In the order of the table: neighbours are written together.
    let mut sorted: Vec<&Due<'_>> = due.iter().collect();
    sorted.sort_by(|a, b| a.record.id.cmp(&b.record.id));
    for chunk in chunks(&sorted) {
        upsert(tx, at, chunk).await?;
    }
    if !there.is_empty() {
        forget_refs(tx, at, &there).await?;
    }
    insert_refs(tx, at, due).await?;
    let new_keys = due.iter().map(|one| (one.record.id.as_str(), one.record.keys.as_slice()));
    keys::replace(tx, at, new_keys, &old_keys).await?;
    touch(tx, at, &changes).await
}

fn changes(due: &[Due<'_>], old: &HashMap<String, Links>) -> Changes {
    let mut changes = Changes::default();
    let none = Links::new();
    for one in due {
        let record = one.record;
        let new: Links =
            record.refs.iter().map(|row| (row.field.to_owned(), row.target_id.clone())).collect();
        let old = old.get(&record.id).unwrap_or(&none);
        if one.before == Before::Live {
            changes.moved.extend(old.symmetric_difference(&new).cloned());
        } else {
            changes.came_or_went.push(record.id.clone());
            changes.moved.extend(old.union(&new).cloned());
        }
        changes.ids.push(record.id.clone());
        changes.targets.extend(old.iter().cloned().chain(new));
    }
    changes
}

/// The links that are stored of records.
pub(super) async fn old_links(
    tx: &mut Tx,
    at: Place<'_>,
    ids: &[&str],
) -> Result<HashMap<String, Links>, Error> {
    let mut links: HashMap<String, Links> = HashMap::new();
    if ids.is_empty() {
        return Ok(links);
    }
    let among = at.backend.among("id", "$3");
    let sql = format!(
        "SELECT id, field, target_id FROM record_refs WHERE integration_id = $1 AND model = $2 AND {among}"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(at.integration_id)
        .bind(at.model)
        .bind(array(ids))
        .fetch_all(&mut **tx)
        .await
        .attempt("read links")?;
    for row in rows {
        links.entry(row.get(0)).or_default().insert((row.get(1), row.get(2)));
    }
    Ok(links)
}

async fn upsert(tx: &mut Tx, at: Place<'_>, due: &[&Due<'_>]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO records (integration_id, model, id, remote_id, body, links, hash, link_hash, created_at,
             changed_at, touched_at, keys, extensions) VALUES {}
         ON CONFLICT (integration_id, model, id) DO UPDATE SET
             remote_id = excluded.remote_id, body = excluded.body, links = excluded.links, hash = excluded.hash,
             link_hash = excluded.link_hash, changed_at = excluded.changed_at, touched_at = excluded.touched_at,
             keys = excluded.keys, remote_deleted_at = NULL, blanked_at = NULL, suspect_since = NULL,
             extensions = CASE excluded.extensions WHEN '-' THEN records.extensions ELSE excluded.extensions END",
        at.backend.rows(13, due.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for one in due {
        let record = one.record;
        query = query
            .bind(at.integration_id)
            .bind(at.model)
            .bind(&record.id)
            .bind(storable(&record.remote_id))
            .bind(&record.body)
            .bind(&record.links)
            .bind(record.hash.to_vec())
            .bind(record.link_hash.to_vec())
            .bind(one.created_at)
            .bind(one.changed_at)
            .bind(at.now)
            .bind(keys::of_record(&record.keys))
            // The mark for "as it is"; it is no JSON object.
            .bind(record.extensions.as_deref().unwrap_or(match one.before {
                Before::Live => "-",
                _ => "",
            }));
    }
    query.execute(&mut **tx).await.attempt("store records")?;
    Ok(())
}

async fn forget_refs(tx: &mut Tx, at: Place<'_>, ids: &[&str]) -> Result<(), Error> {
    let among = at.backend.among("id", "$3");
    let sql =
        format!("DELETE FROM record_refs WHERE integration_id = $1 AND model = $2 AND {among}");
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(at.integration_id)
        .bind(at.model)
        .bind(array(ids))
        .execute(&mut **tx)
        .await
        .attempt("replace links")?;
    Ok(())
}

async fn insert_refs(tx: &mut Tx, at: Place<'_>, due: &[Due<'_>]) -> Result<(), Error> {
    let all: Vec<_> = due
        .iter()
        .flat_map(|one| one.record.refs.iter().map(|row| (&one.record.id, row)))
        .collect();
    for chunk in chunks(&all) {
        let sql = format!(
            "INSERT INTO record_refs (integration_id, model, id, field, position, target_id, target_remote_id)
             VALUES {}",
            at.backend.rows(7, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (id, row) in chunk {
            query = query
                .bind(at.integration_id)
                .bind(at.model)
                .bind(*id)
                .bind(row.field)
                .bind(i64::from(row.position))
                .bind(&row.target_id)
                .bind(storable(&row.target_remote_id));
        }
        query.execute(&mut **tx).await.attempt("store links")?;
    }
    Ok(())
}

/// Keeps what the page has seen, for the deletion pass.
async fn seen(
    tx: &mut Tx,
    scope: &IntegrationScope,
    page: &PageWrite<'_>,
    page_number: i64,
    model: &str,
    records: &[&Record],
) -> Result<(), Error> {
    let ids: Vec<u8> =
        records.iter().flat_map(|record| super::delete::short(&record.id).to_le_bytes()).collect();
    sqlx::query(
        "INSERT INTO run_seen (integration_id, run_id, model, stream, page, ids) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(scope.id())
    .bind(page.run_id)
    .bind(model)
    .bind(page.stream)
    .bind(page_number)
    .bind(ids)
    .execute(&mut **tx)
    .await
    .attempt("keep what a page has seen")?;
    Ok(())
}
