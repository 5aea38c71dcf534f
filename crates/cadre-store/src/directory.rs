//! What tools push: people and groups of a directory, and who is in which group.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::records::sql::array;
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::IntegrationScope;

stored_words! {
    /// What a resource of a directory is.
    pub enum DirectoryKind {
        /// A person.
        User = "User",
        /// A group of people, and of groups.
        Group = "Group",
    }
}

/// A resource of a directory. Members and memberships are not part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectoryRow {
    /// What it is.
    pub kind: DirectoryKind,
    /// Its id, made here.
    pub id: String,
    /// What was pushed.
    pub body: Map<String, Value>,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// Whether it was deleted, and the records do not know it yet.
    pub deleted: bool,
    /// Moves with every change of what it shows, memberships included.
    pub touch: i64,
}

/// A resource as it is to be stored.
#[derive(Debug)]
pub struct DirectoryWrite<'a> {
    /// What it is.
    pub kind: DirectoryKind,
    /// Its id.
    pub id: &'a str,
    /// What it is told apart by, in lower case.
    pub name: &'a str,
    /// Its id at whoever pushes.
    pub external_id: Option<&'a str>,
    /// What is stored.
    pub body: &'a Map<String, Value>,
    /// Its members by id, where it is a group.
    pub members: Option<&'a [(String, Value)]>,
    /// The version that it replaces; `None` makes a new one.
    pub over: Option<i64>,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryWritten {
    /// It is stored.
    Stored,
    /// Another person has the name.
    NameTaken,
    /// It is not there any more, or another write was faster.
    Moved,
}

/// Which resources are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectoryQuery<'a> {
    /// With this name, in lower case.
    pub name: Option<&'a str>,
    /// With this id at whoever pushes.
    pub external_id: Option<&'a str>,
    /// So many are passed over.
    pub offset: u64,
    /// So many at most.
    pub limit: u64,
}

const COLUMNS: &str = "kind, id, body, version, created_at, updated_at, deleted_at, touch";

impl Store {
    /// A resource that is there.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_get(
        &self,
        scope: &IntegrationScope,
        kind: DirectoryKind,
        id: &str,
    ) -> Result<Option<DirectoryRow>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_resources
             WHERE integration_id = $1 AND kind = $2 AND id = $3 AND deleted_at IS NULL"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(kind.as_str())
            .bind(storable(id))
            .fetch_optional(self.write())
            .await
            .attempt("read a resource of a directory")?;
        row.as_ref().map(read).transpose()
    }

    /// How many resources there are, and some of them in the order in which they were made.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_list(
        &self,
        scope: &IntegrationScope,
        kind: DirectoryKind,
        query: DirectoryQuery<'_>,
    ) -> Result<(u64, Vec<DirectoryRow>), Error> {
        let (which, value) = match (query.name, query.external_id) {
            (Some(name), _) => ("name = $3", name),
            (None, Some(external_id)) => ("external_id = $3", external_id),
            (None, None) => ("$3 = ''", ""),
        };
        let from = format!(
            "FROM directory_resources WHERE integration_id = $1 AND kind = $2 AND {which}
             AND deleted_at IS NULL"
        );
        let count = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {from}")))
            .bind(scope.id())
            .bind(kind.as_str())
            .bind(storable(value))
            .fetch_one(self.write())
            .await
            .attempt("count the resources of a directory")?;
        let sql = format!("SELECT {COLUMNS} {from} ORDER BY created_at, id LIMIT $4 OFFSET $5");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(kind.as_str())
            .bind(storable(value))
            .bind(i64::try_from(query.limit).unwrap_or(i64::MAX))
            .bind(i64::try_from(query.offset).unwrap_or(i64::MAX))
            .fetch_all(self.write())
            .await
            .attempt("list the resources of a directory")?;
        let count = u64::try_from(count.get::<i64, _>(0)).unwrap_or(0);
        Ok((count, rows.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// The members of groups, as `(group, member)`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_members(
        &self,
        scope: &IntegrationScope,
        groups: &[&str],
    ) -> Result<Vec<(String, Value)>, Error> {
        let among = self.backend().among("group_id", "$2");
        let sql = format!(
            "SELECT group_id, body FROM directory_members WHERE integration_id = $1 AND {among}
             ORDER BY group_id, member_id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(array(groups))
            .fetch_all(self.write())
            .await
            .attempt("list the members of groups")?;
        rows.iter().map(|row| Ok((row.get(0), value(&row.get::<String, _>(1))?))).collect()
    }

    /// The groups that people are in, as `(member, group, display name of the group)`.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_memberships(
        &self,
        scope: &IntegrationScope,
        members: &[&str],
    ) -> Result<Vec<(String, String, Value)>, Error> {
        let among = self.backend().among("m.member_id", "$2");
        let sql = format!(
            "SELECT m.member_id, m.group_id, g.body FROM directory_members m
             JOIN directory_resources g ON g.integration_id = m.integration_id AND g.kind = 'Group'
                  AND g.id = m.group_id AND g.deleted_at IS NULL
             WHERE m.integration_id = $1 AND {among} ORDER BY m.member_id, m.group_id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(array(members))
            .fetch_all(self.write())
            .await
            .attempt("list the groups of people")?;
        rows.iter()
            .map(|row| {
                let group = value(&row.get::<String, _>(2))?;
                Ok((row.get(0), row.get(1), group["displayName"].clone()))
            })
            .collect()
    }

    /// Makes or replaces a resource. Whoever joins or leaves a group shows it from then on.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_write(
        &self,
        scope: &IntegrationScope,
        write: &DirectoryWrite<'_>,
    ) -> Result<DirectoryWritten, Error> {
        let mut tx = self.begin().await?;
        if write.kind == DirectoryKind::User && name_taken(&mut tx, scope, write).await? {
            return Ok(DirectoryWritten::NameTaken);
        }
        let text = Value::Object(write.body.clone()).to_string();
        let done = match write.over {
            None => sqlx::query(
                "INSERT INTO directory_resources (integration_id, kind, id, name, external_id, body,
                     version, created_at, updated_at, touch, applied)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, 0) ON CONFLICT DO NOTHING",
            ),
            Some(_) => sqlx::query(
                "UPDATE directory_resources SET name = $4, external_id = $5, body = $6,
                     version = version + 1, updated_at = $8, touch = touch + 1
                 WHERE integration_id = $1 AND kind = $2 AND id = $3 AND version = $7
                 AND deleted_at IS NULL",
            ),
        };
        let done = done
            .bind(scope.id())
            .bind(write.kind.as_str())
            .bind(storable(write.id))
            .bind(storable(write.name))
            .bind(storable_or_null(write.external_id))
            .bind(storable(&text))
            .bind(write.over.unwrap_or(1))
            .bind(self.now())
            .execute(&mut *tx)
            .await
            .attempt("store a resource of a directory")?;
        if done.rows_affected() == 0 {
            let new = write.over.is_none();
            return Ok(if new { DirectoryWritten::NameTaken } else { DirectoryWritten::Moved });
        }
        if let Some(members) = write.members {
            self.members_set(&mut tx, scope, write.id, members).await?;
            if write.over.is_some() {
                // Its members may show the new name.
                touch_members(&mut tx, scope, write.id).await?;
            }
        }
        tx.commit().await.attempt("store a resource of a directory")?;
        Ok(DirectoryWritten::Stored)
    }

    async fn members_set(
        &self,
        tx: &mut Tx,
        scope: &IntegrationScope,
        group: &str,
        members: &[(String, Value)],
    ) -> Result<(), Error> {
        let rows = sqlx::query(
            "SELECT member_id FROM directory_members WHERE integration_id = $1 AND group_id = $2",
        )
        .bind(scope.id())
        .bind(group)
        .fetch_all(&mut **tx)
        .await
        .attempt("read the members of a group")?;
        let before: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        let after: BTreeSet<&str> = members.iter().map(|(id, _)| id.as_str()).collect();
        let left: Vec<&str> =
            before.iter().map(String::as_str).filter(|id| !after.contains(id)).collect();
        let among = self.backend().among("member_id", "$3");
        let sql = format!(
            "DELETE FROM directory_members WHERE integration_id = $1 AND group_id = $2 AND {among}"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(group)
            .bind(array(&left))
            .execute(&mut **tx)
            .await
            .attempt("take members out of a group")?;
        let came: Vec<&(String, Value)> =
            members.iter().filter(|(id, _)| !before.contains(id)).collect();
        for chunk in came.chunks(1_000) {
            let sql = format!(
                "INSERT INTO directory_members (integration_id, group_id, member_id, body)
                 VALUES {} ON CONFLICT DO NOTHING",
                self.backend().rows(4, chunk.len())
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for (id, body) in chunk {
                query = query.bind(scope.id()).bind(group).bind(storable(id));
                query = query.bind(storable(&body.to_string()));
            }
            query.execute(&mut **tx).await.attempt("put members into a group")?;
        }
        let moved: Vec<&str> =
            left.into_iter().chain(came.iter().map(|(id, _)| id.as_str())).collect();
        self.touch(tx, scope, &moved).await
    }

    async fn touch(
        &self,
        tx: &mut Tx,
        scope: &IntegrationScope,
        ids: &[&str],
    ) -> Result<(), Error> {
        let among = self.backend().among("id", "$2");
        let sql = format!(
            "UPDATE directory_resources SET touch = touch + 1 WHERE integration_id = $1 AND {among}"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(array(ids))
            .execute(&mut **tx)
            .await
            .attempt("mark members of a group")?;
        Ok(())
    }

    /// Deletes a resource; whether there was one of this version (any, without one). Its members do not show
    /// it any more, and it is no member of anything.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_delete(
        &self,
        scope: &IntegrationScope,
        kind: DirectoryKind,
        id: &str,
    ) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE directory_resources SET deleted_at = $4, body = '{}', touch = touch + 1
             WHERE integration_id = $1 AND kind = $2 AND id = $3 AND deleted_at IS NULL",
        )
        .bind(scope.id())
        .bind(kind.as_str())
        .bind(storable(id))
        .bind(self.now())
        .execute(&mut *tx)
        .await
        .attempt("delete a resource of a directory")?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        touch_members(&mut tx, scope, id).await?;
        for statement in [
            "UPDATE directory_resources SET version = version + 1, updated_at = $3
             WHERE integration_id = $1 AND kind = 'Group' AND id IN (SELECT group_id
                 FROM directory_members WHERE integration_id = $1 AND member_id = $2)",
            "DELETE FROM directory_members WHERE integration_id = $1 AND CAST($3 AS BIGINT) <> 0
             AND (group_id = $2 OR member_id = $2)",
        ] {
            sqlx::query(statement)
                .bind(scope.id())
                .bind(storable(id))
                .bind(self.now())
                .execute(&mut *tx)
                .await
                .attempt("end memberships")?;
        }
        tx.commit().await.attempt("delete a resource of a directory")?;
        Ok(true)
    }

    /// Resources that show something that the records do not know yet, deleted ones too.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_stale(
        &self,
        scope: &IntegrationScope,
        limit: u32,
    ) -> Result<Vec<DirectoryRow>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_resources
             WHERE integration_id = $1 AND touch > applied ORDER BY kind, id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(i64::from(limit))
            .fetch_all(self.write())
            .await
            .attempt("look what a directory changed")?;
        rows.iter().map(read).collect()
    }

    /// Notes that the records know these resources as they stood. What was deleted goes for good.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn directory_applied(
        &self,
        scope: &IntegrationScope,
        rows: &[DirectoryRow],
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for row in rows {
            let sql = if row.deleted {
                "DELETE FROM directory_resources
                 WHERE integration_id = $1 AND kind = $2 AND id = $3 AND touch = $4"
            } else {
                "UPDATE directory_resources SET applied = $4
                 WHERE integration_id = $1 AND kind = $2 AND id = $3 AND applied < $4"
            };
            sqlx::query(sql)
                .bind(scope.id())
                .bind(row.kind.as_str())
                .bind(&row.id)
                .bind(row.touch)
                .execute(&mut *tx)
                .await
                .attempt("note what the records know")?;
        }
        tx.commit().await.attempt("note what the records know")
    }
}

async fn name_taken(
    tx: &mut Tx,
    scope: &IntegrationScope,
    write: &DirectoryWrite<'_>,
) -> Result<bool, Error> {
    let row = sqlx::query(
        "SELECT id FROM directory_resources WHERE integration_id = $1 AND kind = $2 AND name = $3
         AND id <> $4 AND deleted_at IS NULL",
    )
    .bind(scope.id())
    .bind(write.kind.as_str())
    .bind(storable(write.name))
    .bind(storable(write.id))
    .fetch_optional(&mut **tx)
    .await
    .attempt("look for a name")?;
    Ok(row.is_some())
}

async fn touch_members(tx: &mut Tx, scope: &IntegrationScope, group: &str) -> Result<(), Error> {
    sqlx::query(
        "UPDATE directory_resources SET touch = touch + 1 WHERE integration_id = $1 AND id IN
             (SELECT member_id FROM directory_members WHERE integration_id = $1 AND group_id = $2)",
    )
    .bind(scope.id())
    .bind(storable(group))
    .execute(&mut **tx)
    .await
    .attempt("mark members of a group")?;
    Ok(())
}

fn value(text: &str) -> Result<Value, Error> {
    serde_json::from_str(text).map_err(|_| Error::damaged("a resource of a directory", text))
}

fn read(row: &AnyRow) -> Result<DirectoryRow, Error> {
    let (kind, text): (String, String) = (row.get("kind"), row.get("body"));
    let Value::Object(body) = value(&text)? else {
        return Err(Error::damaged("a resource of a directory", &text));
    };
    Ok(DirectoryRow {
        kind: DirectoryKind::read(&kind)?,
        id: row.get("id"),
        body,
        version: row.get("version"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        deleted: row.get::<Option<i64>, _>("deleted_at").is_some(),
        touch: row.get("touch"),
    })
}
