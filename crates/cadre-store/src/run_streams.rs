//! How far the streams of runs have come.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

/// How far a stream has come in a run.
#[derive(Debug, Clone)]
pub struct StreamProgress {
    /// The stream.
    pub stream: String,
    /// Pages stored.
    pub pages: u64,
    /// Raw records read.
    pub rows: u64,
    /// Where to go on.
    pub next: Option<Value>,
    /// Whether it was read to its end.
    pub complete: bool,
    /// Sub-streams that could not be read to their end.
    pub incomplete: Vec<String>,
}

/// Up to where a stream has been read.
#[derive(Debug, Clone)]
pub struct StreamMark {
    /// The stream.
    pub stream: String,
    /// When the latest run began that read it to its end, by our clock.
    pub started_at: i64,
    /// From which moment changes are unread, by the tool's clock.
    pub mark: Option<i64>,
}

impl Store {
    /// How far the streams of a run have come.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_stream_progress(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
    ) -> Result<Vec<StreamProgress>, Error> {
        let rows = sqlx::query(
            "SELECT stream, pages, row_count, next, complete, incomplete FROM run_streams
             WHERE integration_id = $1 AND run_id = $2 ORDER BY stream",
        )
        .bind(scope.id())
        .bind(run_id)
        .fetch_all(self.write())
        .await
        .attempt("read how far a run has come")?;
        rows.iter()
            .map(|row| {
                let next: Option<String> = row.get("next");
                let incomplete: String = row.get("incomplete");
                Ok(StreamProgress {
                    stream: row.get("stream"),
                    pages: unsigned(row.get("pages")),
                    rows: unsigned(row.get("row_count")),
                    next: next
                        .map(|text| {
                            serde_json::from_str(&text)
                                .map_err(|_| Error::damaged("a checkpoint", &text))
                        })
                        .transpose()?,
                    complete: row.get::<i64, _>("complete") != 0,
                    incomplete: serde_json::from_str(&incomplete)
                        .map_err(|_| Error::damaged("a checkpoint", &incomplete))?,
                })
            })
            .collect()
    }

    /// Notes from which moment, by the tool's clock, changes of a stream are still unread.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_stream_mark(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
        stream: &str,
        mark: i64,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE run_streams SET mark = $4 WHERE integration_id = $1 AND run_id = $2 AND stream = $3",
        )
        .bind(scope.id())
        .bind(run_id)
        .bind(stream)
        .bind(mark)
        .execute(self.write())
        .await
        .attempt("store a mark")?;
        Ok(())
    }

    /// What is known of the streams that runs read to their end, with everything that hangs on them. The
    /// run itself does not count.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_stream_marks(
        &self,
        scope: &IntegrationScope,
        run_id: &str,
    ) -> Result<Vec<StreamMark>, Error> {
        let rows = sqlx::query(
            "SELECT s.stream, MAX(r.started_at), MAX(s.mark) FROM run_streams s
             JOIN runs r ON r.integration_id = s.integration_id AND r.id = s.run_id
             WHERE s.integration_id = $1 AND s.run_id <> $2 AND s.complete = 1 AND s.incomplete = '[]'
             AND r.state IN ('SUCCEEDED', 'PARTIALLY_FAILED')
             GROUP BY s.stream",
        )
        .bind(scope.id())
        .bind(run_id)
        .fetch_all(self.write())
        .await
        .attempt("look how far streams were read")?;
        let mark = |row: &AnyRow| StreamMark {
            stream: row.get(0),
            started_at: row.get::<Option<i64>, _>(1).unwrap_or_default(),
            mark: row.get(2),
        };
        Ok(rows.iter().map(mark).collect())
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
