//! People who use the dashboard: what each may do, and logging in with a password.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::passwords;
use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;

/// Wrong passwords in a row after which a person has to wait.
const FREE_FAILURES: i64 = 5;
/// The first wait; each further failure doubles it.
const FIRST_WAIT_MS: i64 = 30_000;
/// The longest wait.
const LONGEST_WAIT_MS: i64 = 15 * 60_000;

stored_words! {
    /// What a person may do; each role may do what the ones before it may.
    #[derive(PartialOrd, Ord)]
    pub enum Role {
        /// Look.
        ReadOnly = "read-only",
        /// Keep integrations going: sync, pause, answer issues, replay webhooks.
        Support = "support",
        /// Change what software sees: keys, webhook endpoints, scopes, deleting integrations.
        Developer = "developer",
        /// Everything, people and environments included.
        Admin = "admin",
    }
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: [Role; 4] = [Role::ReadOnly, Role::Support, Role::Developer, Role::Admin];

    /// The role of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// Somebody who uses the dashboard.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// Their address, in small letters.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: i64,
    /// Since when they may not log in.
    pub disabled_at: Option<i64>,
    /// When they last logged in.
    pub last_log_in_at: Option<i64>,
}

/// Somebody to be added.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their password.
    pub password: Secret,
}

/// What came of an attempt to log in.
#[derive(Debug)]
pub enum LogIn {
    /// The session's token, and whose it is.
    Done(Secret, Person),
    /// Address or password is wrong, or the person is disabled.
    Refused,
    /// Too many wrong passwords: none is looked at until then.
    Locked {
        /// When the next one is.
        until: i64,
    },
}

pub(crate) const COLUMNS: &str = "id, email, name, role, created_at, disabled_at, last_log_in_at";

impl Store {
    /// Adds a person; `None`: there is one of that address.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn person_create(&self, new: NewPerson) -> Result<Option<Person>, Error> {
        let password = passwords::hash(&new.password).await?;
        let person = Person {
            id: random_id(),
            email: folded(&new.email),
            name: new.name,
            role: new.role,
            created_at: self.now(),
            disabled_at: None,
            last_log_in_at: None,
        };
        let done = sqlx::query(
            "INSERT INTO people (id, email, name, role, password, created_at, failures, locked_until)
             VALUES ($1, $2, $3, $4, $5, $6, 0, 0) ON CONFLICT (email) DO NOTHING",
        )
        .bind(&person.id)
        .bind(&person.email)
        .bind(storable(&person.name))
        .bind(person.role.as_str())
        .bind(password)
        .bind(person.created_at)
        .execute(self.write())
        .await
        .attempt("add a person")?;
        Ok((done.rows_affected() > 0).then_some(person))
    }

    /// Everybody, by address.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn people(&self) -> Result<Vec<Person>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM people ORDER BY email");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(self.write())
            .await
            .attempt("list the people")?;
        rows.iter().map(person).collect()
    }

    /// Changes what a person may do and whether they may log in; whether there is one. Their sessions
    /// end. The last admin stays one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn person_change(&self, id: &str, role: Role, disabled: bool) -> Result<bool, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE people SET role = $2,
                 disabled_at = CASE WHEN $3 = 1 THEN COALESCE(disabled_at, $4) ELSE NULL END
             WHERE id = $1 AND ($2 = 'admin' AND $3 = 0 OR EXISTS (SELECT 1 FROM people
                 WHERE id <> $1 AND role = 'admin' AND disabled_at IS NULL))",
        )
        .bind(storable(id))
        .bind(role.as_str())
        .bind(i64::from(disabled))
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("change a person")?;
        if done.rows_affected() > 0 {
            sqlx::query("DELETE FROM logins WHERE person_id = $1")
                .bind(storable(id))
                .execute(&mut *tx)
                .await
                .attempt("end the sessions of a person")?;
        }
        tx.commit().await.attempt("change a person")?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives a person another password; their sessions end. Whether there is such a person.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn person_password_set(&self, id: &str, password: &Secret) -> Result<bool, Error> {
        let password = passwords::hash(password).await?;
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE people SET password = $2, failures = 0, locked_until = 0 WHERE id = $1",
        )
        .bind(storable(id))
        .bind(password)
        .execute(&mut *tx)
        .await
        .attempt("change a password")?;
        sqlx::query("DELETE FROM logins WHERE person_id = $1")
            .bind(storable(id))
            .execute(&mut *tx)
            .await
            .attempt("end the sessions of a person")?;
        tx.commit().await.attempt("change a password")?;
        Ok(done.rows_affected() > 0)
    }

    /// Logs a person in. Wrong passwords make the next attempts wait, longer and longer.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn person_log_in(&self, email: &str, password: &Secret) -> Result<LogIn, Error> {
        let now = self.now();
        let sql = format!(
            "SELECT {COLUMNS}, password, failures, locked_until FROM people WHERE email = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(folded(email))
            .fetch_optional(self.write())
            .await
            .attempt("look for a person")?;
        if let Some(until) = row.as_ref().map(|row| row.get::<i64, _>("locked_until"))
            && until > now
        {
            return Ok(LogIn::Locked { until });
        }
        let fits = passwords::is(password, row.as_ref().map(|row| row.get("password"))).await?;
        let Some(row) = row else { return Ok(LogIn::Refused) };
        let person = person(&row)?;
        if !fits {
            self.count_failure(&person.id, row.get::<i64, _>("failures") + 1, now).await?;
            return Ok(LogIn::Refused);
        }
        if person.disabled_at.is_some() {
            return Ok(LogIn::Refused);
        }
        sqlx::query(
            "UPDATE people SET failures = 0, locked_until = 0, last_log_in_at = $2 WHERE id = $1",
        )
        .bind(&person.id)
        .bind(now)
        .execute(self.write())
        .await
        .attempt("note a log-in")?;
        Ok(LogIn::Done(self.session_start(Some(&person.id)).await?, person))
    }

    /// Starts a session of a person for whom an identity provider vouches; `None`: nobody who may log
    /// in has this address.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn person_vouched(&self, email: &str) -> Result<Option<(Secret, Person)>, Error> {
        let sql = format!(
            "UPDATE people SET last_log_in_at = $2 WHERE email = $1 AND disabled_at IS NULL
             RETURNING {COLUMNS}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(folded(email))
            .bind(self.now())
            .fetch_optional(self.write())
            .await
            .attempt("note a log-in")?;
        let Some(row) = row else { return Ok(None) };
        let person = person(&row)?;
        Ok(Some((self.session_start(Some(&person.id)).await?, person)))
    }

    async fn count_failure(&self, id: &str, failures: i64, now: i64) -> Result<(), Error> {
        let doublings = u32::try_from(failures - FREE_FAILURES).ok();
        let wait = doublings.map_or(0, |doublings| {
            FIRST_WAIT_MS.saturating_mul(1 << doublings.min(10)).min(LONGEST_WAIT_MS)
        });
        sqlx::query("UPDATE people SET failures = failures + 1, locked_until = $2 WHERE id = $1")
            .bind(id)
            .bind(if wait > 0 { now + wait } else { 0 })
            .execute(self.write())
            .await
            .attempt("note a wrong password")?;
        Ok(())
    }
}

/// An address as it is compared.
fn folded(email: &str) -> String {
    storable(email.trim()).to_lowercase()
}

pub(crate) fn person(row: &AnyRow) -> Result<Person, Error> {
    let role: String = row.get("role");
    Ok(Person {
        id: row.get("id"),
        email: row.get("email"),
        name: row.get("name"),
        role: Role::read(&role)?,
        created_at: row.get("created_at"),
        disabled_at: row.get("disabled_at"),
        last_log_in_at: row.get("last_log_in_at"),
    })
}
