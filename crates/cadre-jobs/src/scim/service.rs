//! The operations: looking, making, replacing, changing, deleting.

use std::collections::HashMap;

use cadre_model::ids::random_id;
use cadre_store::{
    DirectoryKind, DirectoryQuery, DirectoryRow, DirectoryWrite, DirectoryWritten, IntegrationScope,
};
use serde_json::{Map, Value, json};

use super::filter::by_place;
use super::path::{Filter, Op, Place};
use super::refusal::Refusal;
use super::resource::{self, Wanted, etag};
use super::{Answer, Request, patch, schema};
use crate::settings::Parts;

/// Most resources of one answer.
pub(super) const MOST: u64 = 500;

/// Resources of one answer where nobody says how many.
const USUAL: u64 = 100;

/// Resources that are held in memory at once while all are looked at.
const BATCH: u64 = 1_000;

/// Most resources that a filter or an order may have to look at.
const LOOKED_AT: u64 = 200_000;

/// How often a change is tried when others are faster.
const TRIES: u32 = 8;

/// What ends a request early.
enum Stop {
    Refused(Refusal),
    Store(cadre_store::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<cadre_store::Error> for Stop {
    fn from(error: cadre_store::Error) -> Stop {
        Stop::Store(error)
    }
}

/// The directory of one integration, as a service.
pub(super) struct Service<'a> {
    pub(super) parts: &'a Parts,
    pub(super) scope: &'a IntegrationScope,
    /// The address that resources are shown under.
    pub(super) base: String,
}

/// What a list is asked for.
struct Asked {
    kind: DirectoryKind,
    filter: Option<Filter>,
    order: Option<(Place, bool)>,
    start: u64,
    count: u64,
    wanted: Wanted,
}

impl Service<'_> {
    /// Answers a request; who asks has been looked at.
    pub(super) async fn answer(&self, request: &Request) -> Result<Answer, cadre_store::Error> {
        match self.work(request).await {
            Ok(answer) => Ok(answer),
            Err(Stop::Refused(refusal)) => Ok(refusal.into()),
            Err(Stop::Store(error)) => Err(error),
        }
    }

    async fn work(&self, request: &Request) -> Result<Answer, Stop> {
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        if let ("POST", [".search"]) = (request.method.as_str(), path.as_slice()) {
            return self.search_all(&searched(&request.body)?).await;
        }
        let kind = match path.first() {
            Some(&"Users") => DirectoryKind::User,
            Some(&"Groups") => DirectoryKind::Group,
            _ => return self.discovery(&request.method, &path).map_err(Stop::from),
        };
        match (request.method.as_str(), &path[1..]) {
            ("GET", []) => self.list(asked(kind, &request.query)?).await,
            ("POST", [".search"]) => self.list(asked(kind, &searched(&request.body)?)?).await,
            ("GET", [id]) => self.one(kind, id, request).await,
            ("POST", []) => self.make(kind, request).await,
            ("PUT" | "PATCH", [id]) => self.change(kind, id, request).await,
            ("DELETE", [id]) => self.delete(kind, id, request).await,
            (_, [] | [_]) => {
                Err(Refusal::new(405, "This method is not known at this address.").into())
            }
            _ => Err(Refusal::new(404, "There is nothing at this address.").into()),
        }
    }

    fn discovery(&self, method: &str, path: &[&str]) -> Result<Answer, Refusal> {
        match path.first() {
            Some(&("Bulk" | "Me")) => return Err(Refusal::new(501, "This is not offered.")),
            Some(&("ServiceProviderConfig" | "Schemas" | "ResourceTypes")) if method == "GET" => {}
            Some(&("ServiceProviderConfig" | "Schemas" | "ResourceTypes")) => {
                return Err(Refusal::new(405, "This can only be read."));
            }
            _ => return Err(Refusal::new(404, "There is nothing at this address.")),
        }
        let all = match path {
            ["ServiceProviderConfig"] => return Ok(found(schema::provider(&self.base, MOST))),
            ["Schemas", ..] => schema::schemas(&self.base),
            _ => schema::resource_types(&self.base),
        };
        match path {
            [_] => Ok(found(listed(all.len() as u64, 1, all))),
            [_, id] => match all.into_iter().find(|one| one["id"] == *id) {
                Some(one) => Ok(found(one)),
                None => Err(Refusal::missing("schema or resource type", id)),
            },
            _ => Err(Refusal::new(404, "There is nothing at this address.")),
        }
    }

    /// Looks through people, then through groups.
    async fn search_all(&self, query: &[(String, String)]) -> Result<Answer, Stop> {
        let asked_users = asked(DirectoryKind::User, query)?;
        let (start, count) = (asked_users.start, asked_users.count);
        let (users, mut found_all) = self.matching(asked_users).await?;
        let left = count - found_all.len() as u64;
        let start_groups = start.saturating_sub(users).max(1);
        let asked_groups =
            Asked { start: start_groups, count: left, ..asked(DirectoryKind::Group, query)? };
        let (groups, more) = self.matching(asked_groups).await?;
        found_all.extend(more);
        Ok(found(listed(users + groups, start, found_all)))
    }

    async fn list(&self, asked: Asked) -> Result<Answer, Stop> {
        let start = asked.start;
        let (total, page) = self.matching(asked).await?;
        Ok(found(listed(total, start, page)))
    }

    /// How many resources there are, and the page that was asked for.
    async fn matching(&self, asked: Asked) -> Result<(u64, Vec<Value>), Stop> {
        let offset = asked.start - 1;
        let (name, external_id) = looked_up(asked.kind, asked.filter.as_ref());
        let is_whole = asked.filter.is_none() || name.is_some() || external_id.is_some();
        let store = &self.parts.store;
        let (name, external_id) = (name.as_deref(), external_id.as_deref());
        if is_whole && asked.order.is_none() {
            let query = DirectoryQuery { name, external_id, offset, limit: asked.count };
            let (total, rows) = store.directory_list(self.scope, asked.kind, query).await?;
            let rows = self.shown(&rows, &asked.wanted).await?;
            return Ok((total, rows));
        }
        let mut all: Vec<(DirectoryRow, Value)> = Vec::new();
        let mut seen = 0;
        loop {
            let query = DirectoryQuery { name, external_id, offset: seen, limit: BATCH };
            let (total, rows) = store.directory_list(self.scope, asked.kind, query).await?;
            if total > LOOKED_AT {
                let words = format!("More than {LOOKED_AT} would have to be looked at.");
                return Err(Refusal { word: Some("tooMany"), ..Refusal::new(400, words) }.into());
            }
            seen += rows.len() as u64;
            let shown = self.shown(&rows, &Wanted::default()).await?;
            let is_end = rows.is_empty();
            let pairs = rows.into_iter().zip(shown);
            all.extend(pairs.filter(|(_, one)| asked.filter.as_ref().is_none_or(|f| f.holds(one))));
            if is_end || seen >= total {
                break;
            }
        }
        if let Some((place, down)) = &asked.order {
            all.sort_by(|(_, a), (_, b)| {
                let order = by_place(place, a, b);
                if *down { order.reverse() } else { order }
            });
        }
        let total = all.len() as u64;
        let page = all.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
        let page = page.take(usize::try_from(asked.count).unwrap_or(usize::MAX));
        Ok((total, page.map(|(_, one)| asked.wanted.cut(one)).collect()))
    }

    /// Resources as they are shown, with members and groups.
    pub(super) async fn shown(
        &self,
        rows: &[DirectoryRow],
        wanted: &Wanted,
    ) -> Result<Vec<Value>, cadre_store::Error> {
        let store = &self.parts.store;
        let of = |kind| {
            let rows = rows.iter().filter(move |row| row.kind == kind);
            rows.map(|row| row.id.as_str()).collect::<Vec<_>>()
        };
        let mut beside: HashMap<String, Vec<Value>> = HashMap::new();
        let groups = of(DirectoryKind::Group);
        if !groups.is_empty() && wanted.has("members") {
            for (group, member) in store.directory_members(self.scope, &groups).await? {
                beside.entry(group).or_default().push(member);
            }
        }
        let users = of(DirectoryKind::User);
        if !users.is_empty() && wanted.has("groups") {
            for (user, group, name) in store.directory_memberships(self.scope, &users).await? {
                let place = format!("{}/Groups/{group}", self.base);
                let shown =
                    json!({"value": group, "$ref": place, "display": name, "type": "direct"});
                beside.entry(user).or_default().push(shown);
            }
        }
        let shown = rows.iter().map(|row| {
            let beside = beside.remove(&row.id).unwrap_or_default();
            wanted.cut(resource::shown(&self.base, row, beside))
        });
        Ok(shown.collect())
    }

    async fn row(&self, kind: DirectoryKind, id: &str) -> Result<DirectoryRow, Stop> {
        let row = self.parts.store.directory_get(self.scope, kind, id).await?;
        row.ok_or_else(|| Refusal::missing(kind.as_str(), id).into())
    }

    async fn one(&self, kind: DirectoryKind, id: &str, request: &Request) -> Result<Answer, Stop> {
        let row = self.row(kind, id).await?;
        let tag = etag(row.version);
        if request.if_none_match.as_deref().is_some_and(|known| names(known, &tag)) {
            return Ok(Answer { status: 304, etag: Some(tag), ..Answer::default() });
        }
        self.resource(200, &row, &request.query).await
    }

    async fn resource(
        &self,
        status: u16,
        row: &DirectoryRow,
        query: &[(String, String)],
    ) -> Result<Answer, Stop> {
        let wanted = wanted(row.kind, query)?;
        let body = self.shown(std::slice::from_ref(row), &wanted).await?.pop();
        let location = format!("{}/{}/{}", self.base, schema::endpoint(row.kind), row.id);
        Ok(Answer { status, body, location: Some(location), etag: Some(etag(row.version)) })
    }

    async fn make(&self, kind: DirectoryKind, request: &Request) -> Result<Answer, Stop> {
        let body = resource::taken(kind, &parsed(&request.body)?)?;
        wanted(kind, &request.query)?;
        let id = random_id();
        match self.write(kind, &id, body, None).await? {
            DirectoryWritten::Stored => {
                let row = self.row(kind, &id).await?;
                self.resource(201, &row, &request.query).await
            }
            DirectoryWritten::NameTaken | DirectoryWritten::Moved => {
                Err(Refusal::new(409, "It could not be made.").into())
            }
        }
    }

    /// Stores a body, with its members beside it.
    async fn write(
        &self,
        kind: DirectoryKind,
        id: &str,
        mut body: Map<String, Value>,
        over: Option<i64>,
    ) -> Result<DirectoryWritten, Stop> {
        resource::complete(kind, &body)?;
        let members = match kind {
            DirectoryKind::Group => Some(resource::members(&body)?),
            DirectoryKind::User => None,
        };
        if kind == DirectoryKind::Group {
            body.remove("members");
        }
        let name = resource::name(kind, &body);
        let external_id = body.get("externalId").and_then(Value::as_str).map(str::to_owned);
        let write = DirectoryWrite {
            kind,
            id,
            name: &name,
            external_id: external_id.as_deref(),
            body: &body,
            members: members.as_deref(),
            over,
        };
        let written = self.parts.store.directory_write(self.scope, &write).await?;
        match written {
            DirectoryWritten::NameTaken if kind == DirectoryKind::User => {
                Err(Refusal::taken(&name).into())
            }
            written => Ok(written),
        }
    }

    async fn change(
        &self,
        kind: DirectoryKind,
        id: &str,
        request: &Request,
    ) -> Result<Answer, Stop> {
        let given = parsed(&request.body)?;
        wanted(kind, &request.query)?;
        for _ in 0..TRIES {
            let row = self.row(kind, id).await?;
            matches_tag(request, &row)?;
            let before = self.whole(&row).await?;
            let mut body = before.clone();
            if request.method == "PUT" {
                body = resource::taken(kind, &given)?;
            } else {
                patch::apply(kind, &mut body, &given)?;
            }
            if body == before {
                return self.resource(200, &row, &request.query).await;
            }
            match self.write(kind, id, body, Some(row.version)).await? {
                DirectoryWritten::Stored => {
                    let row = self.row(kind, id).await?;
                    return self.resource(200, &row, &request.query).await;
                }
                DirectoryWritten::Moved | DirectoryWritten::NameTaken => {}
            }
        }
        Err(Refusal::new(409, "Others change it at the same time; try again.").into())
    }

    /// A body with its members.
    async fn whole(&self, row: &DirectoryRow) -> Result<Map<String, Value>, Stop> {
        let mut body = row.body.clone();
        if row.kind == DirectoryKind::Group {
            let members = self.parts.store.directory_members(self.scope, &[&row.id]).await?;
            let members: Vec<Value> = members.into_iter().map(|(_, member)| member).collect();
            resource::put(&mut body, "members".to_owned(), members.into());
        }
        Ok(body)
    }

    async fn delete(
        &self,
        kind: DirectoryKind,
        id: &str,
        request: &Request,
    ) -> Result<Answer, Stop> {
        let row = self.row(kind, id).await?;
        matches_tag(request, &row)?;
        if self.parts.store.directory_delete(self.scope, kind, id).await? {
            Ok(Answer { status: 204, ..Answer::default() })
        } else {
            Err(Refusal::missing(kind.as_str(), id).into())
        }
    }
}

fn found(body: Value) -> Answer {
    Answer { status: 200, body: Some(body), ..Answer::default() }
}

fn listed(total: u64, start: u64, resources: Vec<Value>) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total, "startIndex": start, "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

fn parsed(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::syntax(format!("The body is no JSON: {error}.")))
}

fn parameter<'q>(query: &'q [(String, String)], name: &str) -> Option<&'q str> {
    let found = query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn wanted(kind: DirectoryKind, query: &[(String, String)]) -> Result<Wanted, Refusal> {
    Wanted::read(kind, parameter(query, "attributes"), parameter(query, "excludedAttributes"))
}

fn asked(kind: DirectoryKind, query: &[(String, String)]) -> Result<Asked, Refusal> {
    let number = |name: &str| -> Result<Option<i64>, Refusal> {
        let Some(text) = parameter(query, name) else { return Ok(None) };
        let number = text.trim().parse();
        number
            .map(Some)
            .map_err(|_| Refusal::value(format!("{name}: expected a number, got \"{text}\".")))
    };
    let order = parameter(query, "sortBy").map(|text| Place::read(kind, text)).transpose()?;
    let down =
        parameter(query, "sortOrder").is_some_and(|text| text.eq_ignore_ascii_case("descending"));
    let filter = parameter(query, "filter").filter(|text| !text.trim().is_empty());
    // Below one is one; below nothing is nothing.
    let start = number("startIndex")?.map_or(1, |start| u64::try_from(start.max(1)).unwrap_or(1));
    let count = number("count")?.map_or(USUAL, |count| u64::try_from(count.max(0)).unwrap_or(0));
    Ok(Asked {
        kind,
        filter: filter.map(|text| Filter::read(kind, text)).transpose()?,
        order: order.map(|place| (place, down)),
        start,
        count: count.min(MOST),
        wanted: wanted(kind, query)?,
    })
}

/// The parameters of a search that was posted.
fn searched(body: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let Value::Object(given) = parsed(body)? else {
        return Err(Refusal::syntax("The body is no JSON object."));
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(",")
        }
        other => other.to_string(),
    };
    Ok(given.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// The name or the id that a filter asks for, where it asks for nothing else: an index knows those.
fn looked_up(kind: DirectoryKind, filter: Option<&Filter>) -> (Option<String>, Option<String>) {
    let Some(Filter::Compare(place, Op::Eq, Value::String(value))) = filter else {
        return (None, None);
    };
    if place.urn.is_some() || place.part.is_some() {
        return (None, None);
    }
    let is = |name: &str| place.attribute.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name));
    let name = match kind {
        DirectoryKind::User => "userName",
        DirectoryKind::Group => "displayName",
    };
    if is(name) {
        return (Some(value.trim().to_lowercase()), None);
    }
    (None, is("externalId").then(|| value.clone()))
}

/// Whether a list of versions names one.
fn names(given: &str, tag: &str) -> bool {
    let plain = |text: &str| text.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    given.split(',').any(|one| one.trim() == "*" || plain(one) == plain(tag))
}

fn matches_tag(request: &Request, row: &DirectoryRow) -> Result<(), Refusal> {
    let tag = etag(row.version);
    match &request.if_match {
        Some(given) if !names(given, &tag) => {
            Err(Refusal::new(412, format!("It is of version {tag} now.")))
        }
        _ => Ok(()),
    }
}
