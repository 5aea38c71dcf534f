//! Opening the database, and what can go wrong with it.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use cadre_model::time::Clock;
use sqlx::any::{Any, AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Connection, Executor, Transaction};

use crate::ready::Ready;
use crate::secrets::MasterKey;

/// A database. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    backend: Backend,
    write: AnyPool,
    read: AnyPool,
    ready: Ready,
    clock: Arc<dyn Clock>,
    master_key: MasterKey,
}

/// How to open a database.
#[derive(Clone)]
pub struct OpenOptions {
    /// Most connections.
    pub max_connections: u32,
    /// The key that credentials are encrypted under.
    pub master_key: MasterKey,
    /// The present moment.
    pub clock: Arc<dyn Clock>,
}

/// The kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file, one process or several on one machine.
    Sqlite,
    /// A server, any number of processes.
    Postgres,
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Backend::Sqlite => "SQLite",
            Backend::Postgres => "PostgreSQL",
        })
    }
}

/// What went wrong, and what was attempted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL names no database that is known.
    #[error(
        "the database URL is not usable: expected sqlite:<path> or postgres://user:password@host/database, got {0}"
    )]
    Url(String),
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// A migration failed.
    #[error("the database's tables cannot be brought up to date: {0}")]
    Migrate(String),
    /// A statement failed.
    #[error("the database refused to {attempted}: {source}")]
    Statement {
        /// What was attempted.
        attempted: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// Something that is stored is not what it must be.
    #[error("the database holds {what} that cannot be read: {got}")]
    Damaged {
        /// What it should be.
        what: String,
        /// What it is, shortened.
        got: String,
    },
    /// Credentials cannot be decrypted.
    #[error("the credentials cannot be decrypted with this master key")]
    Decrypt,
    /// Another worker has the job now.
    #[error("the lease of the job was lost")]
    LeaseLost,
    /// The link was used before, or it has ended.
    #[error("the link was used before, or it has ended")]
    LinkUsed,
}

impl Error {
    pub(crate) fn damaged(what: &str, got: &str) -> Error {
        Error::Damaged { what: what.to_owned(), got: got.chars().take(60).collect() }
    }

    /// Whether the job's lease was lost, so that nothing more may be written for it.
    #[must_use]
    pub fn is_lease_lost(&self) -> bool {
        matches!(self, Error::LeaseLost)
    }
}

/// Says what was attempted when a statement fails.
pub(crate) trait Attempt<T> {
    fn attempt(self, attempted: &'static str) -> Result<T, Error>;
}

impl<T> Attempt<T> for Result<T, sqlx::Error> {
    fn attempt(self, attempted: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Statement { attempted, source })
    }
}

/// Text as both databases take it: PostgreSQL has no room for the character NUL. Whatever came from
/// outside and is not inside of JSON goes through here.
pub(crate) fn storable(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

/// The same for a text that may be absent.
pub(crate) fn storable_or_null(text: Option<&str>) -> Option<String> {
    text.map(storable)
}

/// A transaction that may write.
pub(crate) type Tx = Transaction<'static, Any>;

impl Store {
    /// Opens a database and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// When the URL is not usable, the database cannot be reached, or a migration fails. A password
    /// in the URL is never part of the error.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Store, Error> {
        sqlx::any::install_default_drivers();
        let backend = backend(url)?;
        let url = match backend {
            Backend::Sqlite => file_url(url)?,
            Backend::Postgres => url.to_owned(),
        };
        let connect = AnyConnectOptions::from_str(&url)
            .map_err(|error| Error::Url(without_password(&error.to_string())))?;
        if backend == Backend::Postgres {
            // A pool tries until its time is up and then says nothing but that; this says why.
            let opened = sqlx::AnyConnection::connect_with(&connect).await;
            let opened = opened.map_err(|e| Error::Open(without_password(&e.to_string())))?;
            opened.close().await.attempt("close a connection")?;
        }
        let writers = if backend == Backend::Sqlite { 1 } else { options.max_connections.max(2) };
        let write = pool(backend, true, writers, &connect).await?;
        migrate(backend, &write).await?;
        let read = match backend {
            Backend::Sqlite => {
                pool(backend, false, options.max_connections.max(2), &connect).await?
            }
            Backend::Postgres => write.clone(),
        };
        // The others are for whoever finds none of these.
        let ready = match backend {
            Backend::Sqlite => Ready::new(options.max_connections as usize / 2),
            // A connection over a network may have ended meanwhile.
            Backend::Postgres => Ready::new(0),
        };
        let OpenOptions { clock, master_key, .. } = options;
        Ok(Store(Arc::new(Inner { backend, write, read, ready, clock, master_key })))
    }

    /// The kind of database.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.0.backend
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(self.read()).await.attempt("answer")?;
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.0.ready.empty();
        self.0.read.close().await;
        self.0.write.close().await;
    }

    pub(crate) fn read(&self) -> &AnyPool {
        &self.0.read
    }

    /// Connections for short reads that many callers wait for.
    pub(crate) fn ready(&self) -> &Ready {
        &self.0.ready
    }

    pub(crate) fn write(&self) -> &AnyPool {
        &self.0.write
    }

    /// The present moment by the store's clock, in milliseconds since 1970.
    #[must_use]
    pub fn moment(&self) -> i64 {
        self.now()
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.clock.now_ms()
    }

    pub(crate) fn master_key(&self) -> &MasterKey {
        &self.0.master_key
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<Tx, Error> {
        self.0.write.begin_with(self.0.backend.begin()).await.attempt("begin a transaction")
    }
}

fn backend(url: &str) -> Result<Backend, Error> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Backend::Sqlite),
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Backend::Postgres),
        Some((scheme, _)) => Err(Error::Url(format!("\"{scheme}:…\""))),
        None => Err(Error::Url("a text without a scheme".into())),
    }
}

/// The URL of a file, whose path is taken letter for letter.
fn file_url(url: &str) -> Result<String, Error> {
    let (path, options) = url.split_once('?').unwrap_or((url, "mode=rwc"));
    let name = path.strip_prefix("sqlite:").unwrap_or(path);
    let name = name.strip_prefix("//").unwrap_or(name);
    if name.is_empty() {
        return Err(Error::Url("no path".into()));
    }
    if name == ":memory:" || options.contains("mode=memory") {
        return Err(Error::Url("a database in memory, which no two connections share".into()));
    }
    Ok(format!("{}?{options}", path.replace('%', "%25")))
}

async fn pool(
    backend: Backend,
    writes: bool,
    connections: u32,
    options: &AnyConnectOptions,
) -> Result<AnyPool, Error> {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(15))
        // A file does not hang up; asking would cost as much as a small statement.
        .test_before_acquire(backend == Backend::Postgres)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in backend.set_up(writes) {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        })
        .connect_with(options.clone())
        .await
        .map_err(|error| Error::Open(without_password(&error.to_string())))
}

async fn migrate(backend: Backend, pool: &AnyPool) -> Result<(), Error> {
    let migrations = match backend {
        Backend::Sqlite => sqlx::migrate!("migrations/sqlite"),
        Backend::Postgres => sqlx::migrate!("migrations/postgres"),
    };
    let mut outcome = migrations.run(pool).await;
    // SQLite has no lock for this: who comes second at the first start finds the work done when it looks again.
    for _ in 0..3 {
        if outcome.is_ok() || backend == Backend::Postgres {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        outcome = migrations.run(pool).await;
    }
    outcome.map_err(|error| Error::Migrate(error.to_string()))
}

/// Takes `user:password@` out of anything that looks like a URL.
fn without_password(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(start), Some(end)) if start + 3 <= end => {
            format!("{}[redacted]{}", &text[..start + 3], &text[end..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{backend, file_url, without_password};

    #[test]
    fn only_known_databases() {
        assert!(backend("sqlite:a.db").is_ok());
        assert!(backend("postgres://localhost/cadre").is_ok());
        let words = backend("mysql://root:secret@db/x").expect_err("unknown").to_string();
        assert!(words.contains("sqlite:<path>") && !words.contains("secret"), "{words}");
    }

    #[test]
    fn a_path_is_taken_letter_for_letter() {
        let url = |text| file_url(text).expect("a path");
        assert_eq!(url("sqlite:a/100%41.db"), "sqlite:a/100%2541.db?mode=rwc");
        assert_eq!(url("sqlite:///a.db?mode=ro"), "sqlite:///a.db?mode=ro");
        for nothing in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:a?mode=memory"] {
            assert!(file_url(nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(
            without_password("no host postgres://u:p@h/d"),
            "no host postgres://[redacted]@h/d"
        );
    }
}
