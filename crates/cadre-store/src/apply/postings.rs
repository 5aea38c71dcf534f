//! Postings, and what callers see of them.

use cadre_model::ids::record_id;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::sites::{CareerSite, wanted};
use crate::store::{Attempt, Error, Store, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// Whether one may apply.
    pub enum Availability {
        /// Its page was not read yet.
        Pending = "PENDING",
        /// Its form is known.
        Applyable = "APPLYABLE",
        /// Its page was read, and has no form that could be used.
        Unavailable = "UNAVAILABLE",
        /// It is over.
        Archived = "ARCHIVED",
    }
}

stored_words! {
    /// Why a posting is over.
    pub enum ArchivedReason {
        /// Its page is gone, or says that the job is closed.
        TakenOffline = "JOB_POSTING_TAKEN_OFFLINE",
        /// A person took it down.
        Manual = "MANUAL_ARCHIVE",
        /// The last import of its feed did not name it.
        RemovedFromFeed = "REMOVED_FROM_JOB_FEED",
    }
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingPlace {
    /// Country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Postal code.
    pub postal_code: Option<String>,
}

/// A posting that somebody enters by hand.
#[derive(Debug, Clone)]
pub struct NewPosting {
    /// Whose it is; of the environment.
    pub career_site_id: String,
    /// Where its page is.
    pub url: String,
    /// The employer's own code of the job.
    pub job_code: Option<String>,
    /// Where the job is. `None` leaves what is known, `Some(None)` clears it.
    pub place: Option<Option<PostingPlace>>,
}

/// What became of entering a posting by hand.
#[derive(Debug, Clone)]
pub enum PlacedPosting {
    /// It is there now, or there again, and its page will be read.
    Placed(Box<Posting>),
    /// One with the same career site, URL and job code is there.
    AlreadyThere(Box<Posting>),
}

/// A posting.
#[derive(Debug, Clone)]
pub struct Posting {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub career_site: CareerSite,
    /// The feed that named it.
    pub feed_id: Option<String>,
    /// Where its page is.
    pub url: String,
    /// The employer's own code of the job.
    pub job_code: Option<String>,
    /// Where the job is.
    pub place: Option<PostingPlace>,
    /// Whether one may apply.
    pub availability: Availability,
    /// Since when it is over.
    pub archived_at: Option<i64>,
    /// Why it is over.
    pub archived_reason: Option<ArchivedReason>,
    /// The form that applications are taken with.
    pub form_id: Option<String>,
    /// What the page says of the job.
    pub job: Value,
    /// What came of the last look at the page, in words.
    pub note: Option<String>,
    /// When the page was last read.
    pub parsed_at: Option<i64>,
    /// How often in a row reading failed.
    pub parse_failures: i64,
    /// When it was made.
    pub created_at: i64,
    /// When something that callers see last changed.
    pub updated_at: i64,
}

/// A part of the list of postings.
#[derive(Debug, Clone, Default)]
pub struct PostingQuery {
    /// Only those after this id.
    pub after_id: Option<String>,
    /// Only these; not empty.
    pub ids: Option<Vec<String>>,
    /// Only of these career sites; not empty.
    pub career_site_ids: Option<Vec<String>>,
    /// Only with these codes; not empty.
    pub job_codes: Option<Vec<String>>,
    /// Only of this feed.
    pub feed_id: Option<String>,
    /// Only those that one may apply to.
    pub applyable: bool,
    /// Only those that changed after this moment.
    pub updated_after: Option<i64>,
    /// Most of them.
    pub limit: u32,
}

/// The id of the posting with this career site, URL and job code.
#[must_use]
pub fn posting_id(
    environment_id: &str,
    career_site_id: &str,
    url: &str,
    job_code: Option<&str>,
) -> String {
    let code = job_code.map_or_else(String::new, |code| format!("\n{code}"));
    record_id(environment_id, "job_postings", &format!("{career_site_id}\n{url}{code}"))
}

/// Columns of a posting of a table that is called `p`, with its career site `s`.
pub(super) const COLUMNS: &str = "p.id, p.career_site_id, s.label, p.feed_id, p.url, p.job_code, p.country, \
    p.postal_code, p.availability, p.archived_at, p.archived_reason, p.form_id, p.job, p.note, p.parsed_at, \
    p.parse_failures, p.created_at, p.updated_at";

/// The tables of [`COLUMNS`].
pub(super) const FROM: &str = "job_postings p JOIN career_sites s \
    ON s.environment_id = p.environment_id AND s.id = p.career_site_id";

impl Posting {
    /// What callers are shown of it.
    #[must_use]
    pub fn shown(&self) -> Value {
        use cadre_model::time::wire;
        json!({
            "id": self.id,
            "career_site": { "id": self.career_site.id, "label": self.career_site.label },
            "url": self.url,
            "job_code": self.job_code,
            "created_at": wire(self.created_at),
            "updated_at": wire(self.updated_at),
            "archived_at": self.archived_at.map(wire),
            "archived_reason": self.archived_reason.map(ArchivedReason::as_str),
            "availability": self.availability.as_str(),
        })
    }
}

impl Store {
    /// Enters a posting by hand. One that is over comes back, and its page is read again.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_place(
        &self,
        scope: &EnvironmentScope,
        new: &NewPosting,
    ) -> Result<PlacedPosting, Error> {
        let url = storable(&new.url);
        let code = storable_or_null(new.job_code.as_deref());
        let id = posting_id(scope.id(), &new.career_site_id, &url, code.as_deref());
        let place = new.place.clone().flatten();
        let done = sqlx::query(
            "INSERT INTO job_postings (environment_id, id, career_site_id, url, job_code, country, postal_code,
                 availability, parse_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', 0, $8, $8)
             ON CONFLICT (environment_id, id) DO UPDATE SET availability = 'PENDING', parse_at = 0,
                 parse_failures = 0, archived_at = NULL, archived_reason = NULL, updated_at = $8,
                 country = CASE WHEN $9 = 1 THEN $6 ELSE job_postings.country END,
                 postal_code = CASE WHEN $9 = 1 THEN $7 ELSE job_postings.postal_code END
             WHERE job_postings.archived_at IS NOT NULL",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(&new.career_site_id)
        .bind(&url)
        .bind(&code)
        .bind(place.as_ref().map(|place| storable(&place.country)))
        .bind(place.as_ref().and_then(|place| storable_or_null(place.postal_code.as_deref())))
        .bind(self.now())
        .bind(i64::from(new.place.is_some()))
        .execute(self.write())
        .await
        .attempt("enter a posting")?;
        let posting = self.posting_get(scope, &id).await?;
        let posting = posting.ok_or_else(|| Error::damaged("a posting", "no career site"))?;
        Ok(match done.rows_affected() {
            0 => PlacedPosting::AlreadyThere(Box::new(posting)),
            _ => PlacedPosting::Placed(Box::new(posting)),
        })
    }

    /// A posting of the environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<Posting>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE p.environment_id = $1 AND p.id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            // What was just written is read back.
            .fetch_optional(self.write())
            .await
            .attempt("read a posting")?;
        row.as_ref().map(posting).transpose()
    }

    /// Postings of the environment, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_list(
        &self,
        scope: &EnvironmentScope,
        query: &PostingQuery,
    ) -> Result<Vec<Posting>, Error> {
        let of = |column: &str, place: &str| {
            format!("({place} = '[]' OR {})", self.backend().among(column, place))
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE p.environment_id = $1 AND p.id > $2 AND {ids} AND {sites}
             AND {codes} AND ($6 = '' OR p.feed_id = $6) AND p.updated_at > $7
             AND ($8 = 0 OR p.availability = 'APPLYABLE') ORDER BY p.id LIMIT $9",
            ids = of("p.id", "$3"),
            sites = of("p.career_site_id", "$4"),
            codes = of("p.job_code", "$5"),
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(query.after_id.as_deref().unwrap_or_default())
            .bind(wanted(query.ids.as_ref()))
            .bind(wanted(query.career_site_ids.as_ref()))
            .bind(wanted(query.job_codes.as_ref()))
            .bind(storable(query.feed_id.as_deref().unwrap_or_default()))
            .bind(query.updated_after.unwrap_or(i64::MIN))
            .bind(i64::from(query.applyable))
            .bind(i64::from(query.limit))
            .fetch_all(self.read())
            .await
            .attempt("list the postings")?;
        rows.iter().map(posting).collect()
    }

    /// How many postings there are of each availability, of a feed where one is named.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_counts(
        &self,
        scope: &EnvironmentScope,
        feed_id: Option<&str>,
    ) -> Result<Vec<(Availability, i64)>, Error> {
        let rows = sqlx::query(
            "SELECT availability, count(*) AS many FROM job_postings
             WHERE environment_id = $1 AND ($2 = '' OR feed_id = $2) GROUP BY availability ORDER BY availability",
        )
        .bind(scope.id())
        .bind(storable(feed_id.unwrap_or_default()))
        .fetch_all(self.read())
        .await
        .attempt("count the postings")?;
        let of = |row: &AnyRow| {
            let word: String = row.get("availability");
            Ok((Availability::read(&word)?, row.get("many")))
        };
        rows.iter().map(of).collect()
    }

    /// Takes a posting down for good; false if it is over, or not there.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_archive(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        reason: ArchivedReason,
    ) -> Result<bool, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE job_postings SET availability = 'ARCHIVED', archived_at = $3, archived_reason = $4,
                 parse_at = NULL, updated_at = $3
             WHERE environment_id = $1 AND id = $2 AND archived_at IS NULL",
        )
        .bind(scope.id())
        .bind(storable(id))
        .bind(now)
        .bind(reason.as_str())
        .execute(&mut *tx)
        .await
        .attempt("take a posting down")?;
        if done.rows_affected() > 0 {
            super::events::posting_changed(&mut tx, scope.id(), id, true, now).await?;
        }
        tx.commit().await.attempt("take a posting down")?;
        Ok(done.rows_affected() > 0)
    }
}

pub(super) fn posting(row: &AnyRow) -> Result<Posting, Error> {
    let availability: String = row.get("availability");
    let reason: Option<String> = row.get("archived_reason");
    let country: Option<String> = row.get("country");
    let postal_code: Option<String> = row.get("postal_code");
    let job: Option<String> = row.get("job");
    Ok(Posting {
        id: row.get("id"),
        career_site: CareerSite { id: row.get("career_site_id"), label: row.get("label") },
        feed_id: row.get("feed_id"),
        url: row.get("url"),
        job_code: row.get("job_code"),
        place: country.map(|country| PostingPlace { country, postal_code }),
        availability: Availability::read(&availability)?,
        archived_at: row.get("archived_at"),
        archived_reason: reason.as_deref().map(ArchivedReason::read).transpose()?,
        form_id: row.get("form_id"),
        job: job.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        note: row.get("note"),
        parsed_at: row.get("parsed_at"),
        parse_failures: row.get("parse_failures"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}
