//! A PostgreSQL server for tests, and a database of its own for each of them.
//!
//! `scripts/with-postgres` starts one server for all tests and names it in `CADRE_TEST_POSTGRES_URL`.
//! A test that runs without it starts its own, so `cargo test -p <crate>` needs no preparation.

use std::io::Error;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Names the server that all tests share.
pub const URL_VARIABLE: &str = "CADRE_TEST_POSTGRES_URL";
/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A server. One that was started here ends with the last who holds it.
pub struct Postgres {
    /// URL of its maintenance database.
    url: String,
    _server: Option<Server>,
}

/// A database of its own; [`Database::remove`] drops it.
pub struct Database {
    server: Arc<Postgres>,
    name: String,
    url: String,
}

/// A server that was started here.
struct Server {
    process: Child,
    _folder: tempfile::TempDir,
}

/// Tests of one process that run at the same time share a server.
static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

impl Postgres {
    /// The server named by `CADRE_TEST_POSTGRES_URL`, or one of its own. `None` where PostgreSQL is not
    /// installed.
    ///
    /// # Panics
    ///
    /// When an installed PostgreSQL does not start: a test must not pass because of that.
    #[must_use]
    pub fn start() -> Option<Arc<Postgres>> {
        if let Ok(url) = std::env::var(URL_VARIABLE) {
            return Some(Arc::new(Postgres { url, _server: None }));
        }
        let programs = programs()?;
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return Some(server);
        }
        let server =
            Arc::new(launch(&programs).expect("PostgreSQL is installed but does not start"));
        *running = Arc::downgrade(&server);
        Some(server)
    }

    /// Makes an empty database.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn database(self: Arc<Self>) -> Database {
        let name = format!("cadre_test_{}", cadre_model::ids::random_id().to_lowercase());
        self.run(format!("CREATE DATABASE {name}")).await;
        let (server, _) =
            self.url.rsplit_once('/').expect("a URL ends with the name of a database");
        let url = format!("{server}/{name}");
        Database { server: self, name, url }
    }

    async fn run(&self, statement: String) {
        let mut connection =
            PgConnection::connect(&self.url).await.expect("the PostgreSQL of the tests answers");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .expect("the PostgreSQL of the tests obeys");
        let _ = connection.close().await;
    }
}

impl Database {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Drops it, also under those who are still connected.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn remove(self) {
        self.server.run(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT ends every process of the server at once; SIGKILL would leave some of them behind.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = self.process.wait();
    }
}

/// The folder of the newest installed server programs.
fn programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed
        .filter_map(|version| {
            let number: f64 = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    newest.map(|(_, path)| path).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    })
}

fn launch(programs: &Path) -> Result<Postgres, Error> {
    let folder = tempfile::Builder::new().prefix("cadre-testkit-postgres-").tempdir()?;
    // PostgreSQL refuses to run as root; any other user will do.
    let user = if is_root() { other_user()? } else { None };
    if let Some((user, group)) = user {
        chown(folder.path(), Some(user), Some(group))?;
    }
    let command = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = user {
            command.uid(user).gid(group);
        }
        command
    };
    let data = folder.path().join("data");
    let made = command("initdb")
        .args(["-U", "cadre", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
        .arg(&data)
        .output()?;
    if !made.status.success() {
        return Err(Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
    }
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port().to_string();
    let process = command("postgres")
        .arg("-D")
        .arg(&data)
        .args([
            "-p",
            &port,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=300",
        ])
        .arg("-k")
        .arg(folder.path())
        .stderr(Stdio::null())
        .spawn()?;
    let mut server = Server { process, _folder: folder };
    let end = Instant::now() + START;
    let ready = || {
        Command::new(programs.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &port])
            .status()
    };
    while !ready()?.success() {
        if let Some(status) = server.process.try_wait()? {
            return Err(Error::other(format!("the server ended: {status}")));
        }
        if Instant::now() > end {
            return Err(Error::other("the server did not answer in time"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let url = format!("postgres://cadre@127.0.0.1:{port}/postgres");
    Ok(Postgres { url, _server: Some(server) })
}

fn is_root() -> bool {
    // The owner of this process's own entry is who runs it.
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

/// User and group of `postgres`, or else of `nobody`.
fn other_user() -> Result<Option<(u32, u32)>, Error> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        users.lines().find_map(|line| {
            let mut parts = line.split(':');
            let (known, _, user, group) =
                (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            (known == name).then_some((user.parse().ok()?, group.parse().ok()?))
        })
    };
    Ok(ids("postgres").or_else(|| ids("nobody")))
}
