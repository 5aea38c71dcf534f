//! Joining: a page of records with everything that they show.
//!
//! A record's body is stored ready to serve, so it is never parsed: the text grows at its end. Linked
//! records are fetched for the whole page at once, one statement for links that the records name and
//! one for links that point back at them, at each level of nesting. Each linked record is rendered once
//! for each way in which it is shown.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use cadre_model::model::{Join, ModelDef, Relation, View};
use cadre_model::registry::model;
use cadre_model::shape::{Field, Kind};
use cadre_model::time::wire;
use serde_json::value::RawValue;
use sqlx::Row;

use super::list::{Stored, stored};
use super::sql::array;
use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

/// A relation and what is shown of it.
type Shown<'v> = (&'static Relation, &'v View);

/// Renders a page as a JSON array.
pub(super) async fn page(
    store: &Store,
    scope: &IntegrationScope,
    def: &'static ModelDef,
    rows: &[Stored],
    include_deleted: bool,
    hidden: &HashSet<&str>,
) -> Result<String, Error> {
    let shown: Vec<Shown<'_>> =
        def.relations.iter().filter(|r| !hidden.contains(r.name)).map(|r| (r, &r.view)).collect();
    let joined = Joining { store, scope, include_deleted }.join(def, rows, &shown).await?;
    let mut page = String::with_capacity(rows.iter().map(|row| row.body.len() * 2 + 256).sum());
    page.push('[');
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            page.push(',');
        }
        record(&mut page, def, row, &joined[at], hidden);
    }
    page.push(']');
    Ok(page)
}

/// One record: its body, its times, its relations, its extensions.
fn record(
    page: &mut String,
    def: &ModelDef,
    row: &Stored,
    joined: &[(&'static str, String)],
    hidden: &HashSet<&str>,
) {
    if hidden.is_empty() {
        page.push_str(row.body.strip_suffix('}').unwrap_or(&row.body));
    } else {
        page.push_str(&without_hidden(def, &row.body, hidden));
    }
    page.push_str(",\"changed_at\":\"");
    page.push_str(&wire(row.changed_at));
    page.push_str("\",\"remote_deleted_at\":");
    push_time(page, row.remote_deleted_at);
    for (name, text) in joined {
        push_name(page, name);
        page.push_str(text);
    }
    for relation in def.relations.iter().filter(|relation| hidden.contains(relation.name)) {
        push_name(page, relation.name);
        page.push_str(if relation.join.many() { "[]" } else { "null" });
    }
    let own = own_extensions(row);
    for (has, name, empty) in extensions(def) {
        if has {
            push_name(page, name);
            let value = own.get(name).filter(|_| !hidden.contains(name));
            page.push_str(value.unwrap_or(empty));
        }
    }
    page.push('}');
}

fn extensions(def: &ModelDef) -> [(bool, &'static str, &'static str); 3] {
    [
        (def.extensions.custom_fields, "custom_fields", "{}"),
        (def.extensions.integration_fields, "integration_fields", "[]"),
        (def.extensions.remote_data, "remote_data", "null"),
    ]
}

/// The extensions that are stored of a record; most have none.
fn own_extensions(record: &Stored) -> indexed::Fields<'_> {
    if record.extensions.is_empty() {
        return indexed::Fields::default();
    }
    serde_json::from_str(&record.extensions).unwrap_or_default()
}

fn push_name(text: &mut String, name: &str) {
    let _ = write!(text, ",\"{name}\":");
}

fn push_time(text: &mut String, at: Option<i64>) {
    match at {
        Some(at) => {
            let _ = write!(text, "\"{}\"", wire(at));
        }
        None => text.push_str("null"),
    }
}

/// The body without its closing brace, hidden fields as null. Fields that cannot be null stay.
fn without_hidden(def: &ModelDef, body: &str, hidden: &HashSet<&str>) -> String {
    let Ok(fields) = serde_json::from_str::<indexed::Fields<'_>>(body) else {
        return body.strip_suffix('}').unwrap_or(body).to_owned();
    };
    let mut text = String::with_capacity(body.len());
    for (at, (name, value)) in fields.0.iter().enumerate() {
        text.push(if at == 0 { '{' } else { ',' });
        let hide = hidden.contains(name.as_ref())
            && def.shape.field(name).is_some_and(|field| field.nullable);
        let _ = write!(text, "\"{name}\":{}", if hide { "null" } else { value.get() });
    }
    text
}

/// A linked record by its place in the page: `(id, remote id, attributes)`.
struct Link<'a> {
    id: Cow<'a, str>,
    remote_id: Cow<'a, str>,
    attributes: Option<&'a RawValue>,
}

struct Joining<'a> {
    store: &'a Store,
    scope: &'a IntegrationScope,
    include_deleted: bool,
}

/// Linked records by model and id.
type Targets = HashMap<(&'static str, String), Arc<Stored>>;
/// Records that point back, by relation and record.
type Backs = HashMap<(&'static str, String), Vec<Arc<Stored>>>;

impl Joining<'_> {
    /// For each row the text of each shown relation.
    async fn join(
        &self,
        def: &'static ModelDef,
        rows: &[Stored],
        shown: &[Shown<'_>],
    ) -> Result<Vec<Vec<(&'static str, String)>>, Error> {
        if shown.is_empty() || rows.is_empty() {
            return Ok(rows.iter().map(|_| Vec::new()).collect());
        }
        let links: Vec<indexed::Links<'_>> = rows
            .iter()
            .map(|row| {
                serde_json::from_str(&row.links).map_err(|_| Error::damaged("links", &row.links))
            })
            .collect::<Result<_, _>>()?;
        let targets = self.targets(shown, &links).await?;
        let backs = self.backs(rows, shown).await?;
        let mut texts: Vec<Vec<(&'static str, String)>> =
            rows.iter().map(|_| Vec::with_capacity(shown.len())).collect();
        for (relation, view) in shown {
            let Some(target) = model(relation.target) else { continue };
            let found = relation_targets(def, relation, &links, rows, &targets, &backs);
            let nested = self.nested(target, &found, view).await?;
            let mut rendered: HashMap<&str, String> = HashMap::new();
            for (at, row) in rows.iter().enumerate() {
                let text = match relation.join {
                    Join::Back(_) => {
                        let records = backs.get(&(relation.name, row.id.clone()));
                        let items = records.into_iter().flatten().map(|record| {
                            let text =
                                project(target, record, view, nested.get(record.id.as_str()));
                            wrap(view, &record.id, text)
                        });
                        list(items)
                    }
                    join => {
                        let key =
                            if let Join::SameAs(other) = join { other } else { link_key(relation) };
                        let mut items = Vec::new();
                        for link in links[at].get(key) {
                            let place = (relation.target, link.id.to_string());
                            let record = targets.get(&place).filter(|record| {
                                !join.many()
                                    || self.include_deleted
                                    || record.remote_deleted_at.is_none()
                            });
                            let text = match record {
                                Some(record) => {
                                    let id = record.id.as_str();
                                    let text = rendered.entry(id).or_insert_with(|| {
                                        project(target, record, view, nested.get(id))
                                    });
                                    wrap(view, id, with_attributes(text, link.attributes))
                                }
                                None if join.many() || relation.nullable => continue,
                                None => stub(target, link, view, row.changed_at),
                            };
                            items.push(text);
                        }
                        if join.many() {
                            list(items.into_iter())
                        } else {
                            items.pop().unwrap_or_else(|| "null".to_owned())
                        }
                    }
                };
                texts[at].push((relation.name, text));
            }
        }
        Ok(texts)
    }

    /// The relations of linked records that a view shows: texts by record id.
    async fn nested(
        &self,
        target: &'static ModelDef,
        found: &BTreeMap<String, Arc<Stored>>,
        view: &View,
    ) -> Result<HashMap<String, Vec<(&'static str, String)>>, Error> {
        if view.relations.is_empty() {
            return Ok(HashMap::new());
        }
        let shown: Vec<Shown<'_>> = view
            .relations
            .iter()
            .filter_map(|(name, view)| target.relation(name).map(|relation| (relation, view)))
            .collect();
        let rows: Vec<Stored> = found.values().map(|record| record.copy()).collect();
        let texts = Box::pin(self.join(target, &rows, &shown)).await?;
        Ok(rows.into_iter().map(|row| row.id).zip(texts).collect())
    }

    /// Every record that the rows name, in one statement.
    async fn targets(
        &self,
        shown: &[Shown<'_>],
        links: &[indexed::Links<'_>],
    ) -> Result<Targets, Error> {
        let mut wanted: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
        for (relation, _) in
            shown.iter().filter(|(relation, _)| !matches!(relation.join, Join::Back(_)))
        {
            let key =
                if let Join::SameAs(other) = relation.join { other } else { link_key(relation) };
            let ids = wanted.entry(relation.target).or_default();
            ids.extend(links.iter().flat_map(|links| links.get(key)).map(|link| link.id.as_ref()));
        }
        wanted.retain(|_, ids| !ids.is_empty());
        let parts: Vec<String> = wanted
            .keys()
            .enumerate()
            .map(|(at, target)| {
                let among = self.store.backend().among("id", &format!("${}", at + 2));
                format!(
                    "SELECT model, id, remote_id, body, links, extensions, changed_at, remote_deleted_at FROM records
                     WHERE integration_id = $1 AND model = '{target}' AND {among}"
                )
            })
            .collect();
        if parts.is_empty() {
            return Ok(Targets::new());
        }
        let sql = parts.join(" UNION ALL ");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.scope.id());
        for ids in wanted.values() {
            query = query.bind(array(ids));
        }
        let rows = query.fetch_all(self.store.read()).await.attempt("read linked records")?;
        Ok(rows
            .iter()
            .filter_map(|row| {
                let def = model(row.get::<&str, _>("model"))?;
                let record = stored(row);
                Some(((def.id, record.id.clone()), Arc::new(record)))
            })
            .collect())
    }

    /// Every record that points back at the rows, in one statement.
    async fn backs(&self, rows: &[Stored], shown: &[Shown<'_>]) -> Result<Backs, Error> {
        let among = self.store.backend().among("f.target_id", "$2");
        let live = if self.include_deleted { "" } else { " AND r.remote_deleted_at IS NULL" };
        let parts: Vec<String> = shown
            .iter()
            .filter_map(|(relation, _)| match relation.join {
                Join::Back(field) => Some(format!(
                    "SELECT '{}' AS relation, f.target_id, r.id, r.remote_id, r.body, r.links, r.extensions,
                         r.changed_at, r.remote_deleted_at
                     FROM record_refs f JOIN records r
                       ON r.integration_id = f.integration_id AND r.model = f.model AND r.id = f.id{live}
                     WHERE f.integration_id = $1 AND f.model = '{}' AND f.field = '{field}'
                       AND {among}",
                    relation.name, relation.target
                )),
                _ => None,
            })
            .collect();
        if parts.is_empty() {
            return Ok(Backs::new());
        }
        let query = sqlx::query(sqlx::AssertSqlSafe(parts.join(" UNION ALL ")))
            .bind(self.scope.id())
            .bind(array(rows.iter().map(|row| &row.id)));
        let mut backs = Backs::new();
        for row in query.fetch_all(self.store.read()).await.attempt("read linked records")? {
            let name: &str = row.get("relation");
            let Some((relation, _)) = shown.iter().find(|(relation, _)| relation.name == name)
            else {
                continue;
            };
            let place = (relation.name, row.get::<String, _>("target_id"));
            backs.entry(place).or_default().push(Arc::new(stored(&row)));
        }
        for records in backs.values_mut() {
            records.sort_by(|a, b| a.id.cmp(&b.id));
        }
        Ok(backs)
    }
}

impl Stored {
    fn copy(&self) -> Stored {
        Stored {
            id: self.id.clone(),
            remote_id: self.remote_id.clone(),
            body: self.body.clone(),
            links: self.links.clone(),
            extensions: self.extensions.clone(),
            changed_at: self.changed_at,
            remote_deleted_at: self.remote_deleted_at,
        }
    }
}

/// Under which name a relation's links are stored.
fn link_key(relation: &Relation) -> &'static str {
    match relation.join {
        Join::Field(field) => field,
        _ => relation.name,
    }
}

/// The linked records of one relation, each once.
fn relation_targets(
    _def: &ModelDef,
    relation: &Relation,
    links: &[indexed::Links<'_>],
    rows: &[Stored],
    targets: &Targets,
    backs: &Backs,
) -> BTreeMap<String, Arc<Stored>> {
    let mut found = BTreeMap::new();
    if let Join::Back(_) = relation.join {
        for row in rows {
            for record in backs.get(&(relation.name, row.id.clone())).into_iter().flatten() {
                found.insert(record.id.clone(), record.clone());
            }
        }
        return found;
    }
    let key = if let Join::SameAs(other) = relation.join { other } else { link_key(relation) };
    for link in links.iter().flat_map(|links| links.get(key)) {
        if let Some(record) = targets.get(&(relation.target, link.id.to_string())) {
            found.insert(record.id.clone(), record.clone());
        }
    }
    found
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut text = String::from("[");
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

/// What a view shows of a record.
fn project(
    target: &ModelDef,
    record: &Stored,
    view: &View,
    nested: Option<&Vec<(&'static str, String)>>,
) -> String {
    let fields: indexed::Fields<'_> = serde_json::from_str(&record.body).unwrap_or_default();
    let own = own_extensions(record);
    let mut text = String::with_capacity(record.body.len() / 2 + 64);
    text.push('{');
    for name in view.fields {
        let value: Cow<'_, str> = match *name {
            "changed_at" => Cow::Owned(format!("\"{}\"", wire(record.changed_at))),
            "remote_deleted_at" => {
                let mut time = String::new();
                push_time(&mut time, record.remote_deleted_at);
                Cow::Owned(time)
            }
            name => match fields.get(name).or_else(|| own.get(name)) {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Borrowed(empty_extension(target, name)),
            },
        };
        separate(&mut text);
        let _ = write!(text, "\"{name}\":{value}");
    }
    for (name, value) in view.constants {
        separate(&mut text);
        let _ = write!(text, "\"{name}\":\"{value}\"");
    }
    for (name, value) in nested.into_iter().flatten() {
        separate(&mut text);
        let _ = write!(text, "\"{name}\":{value}");
    }
    text.push('}');
    text
}

fn separate(text: &mut String) {
    if text.len() > 1 {
        text.push(',');
    }
}

fn empty_extension(target: &ModelDef, name: &str) -> &'static str {
    extensions(target)
        .into_iter()
        .find(|(_, extension, _)| *extension == name)
        .map_or("null", |(_, _, empty)| empty)
}

/// Puts what a link says beside what its target says.
fn with_attributes(text: &str, attributes: Option<&RawValue>) -> String {
    let inner = attributes
        .map(|raw| raw.get().trim())
        .and_then(|raw| raw.strip_prefix('{')?.strip_suffix('}'));
    match inner.filter(|inner| !inner.trim().is_empty()) {
        Some(inner) => format!("{},{inner}}}", text.strip_suffix('}').unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// Where a view stands one level deeper: the target inside, what the link says outside.
fn wrap(view: &View, id: &str, text: String) -> String {
    let Some((id_name, name)) = view.wrapped else { return text };
    // The attributes stand at the end of the text, after the fields of the view.
    let own = view.fields.len() + view.constants.len() + view.relations.len();
    let fields: indexed::Fields<'_> = serde_json::from_str(&text).unwrap_or_default();
    let (inside, outside) = fields.0.split_at(own.min(fields.0.len()));
    let inside: Vec<String> =
        inside.iter().map(|(name, value)| format!("\"{name}\":{}", value.get())).collect();
    let mut wrapped = format!("{{\"{id_name}\":\"{id}\",\"{name}\":{{{}}}", inside.join(","));
    for (name, value) in outside {
        let _ = write!(wrapped, ",\"{name}\":{}", value.get());
    }
    wrapped.push('}');
    wrapped
}

/// A linked record that is not there, where null is not allowed: what the link tells of it.
fn stub(target: &ModelDef, link: &Link<'_>, view: &View, changed_at: i64) -> String {
    let mut text = String::from("{");
    for name in view.fields {
        separate(&mut text);
        let value = match *name {
            "id" => format!("\"{}\"", link.id),
            "remote_id" => serde_json::Value::from(link.remote_id.as_ref()).to_string(),
            "changed_at" => format!("\"{}\"", wire(changed_at)),
            name => target
                .shape
                .field(name)
                .map_or(empty_extension(target, name), empty_value)
                .to_owned(),
        };
        let _ = write!(text, "\"{name}\":{value}");
    }
    for (name, _) in view.relations {
        let many = target.relation(name).is_some_and(|relation| relation.join.many());
        separate(&mut text);
        let _ = write!(text, "\"{name}\":{}", if many { "[]" } else { "null" });
    }
    text.push('}');
    text
}

fn empty_value(field: &Field) -> &'static str {
    match field.kind {
        Kind::List(_) if !field.nullable => "[]",
        Kind::Object(_) if !field.nullable => "{}",
        _ => "null",
    }
}

/// Reading stored JSON without copying its values.
mod indexed {
    use std::borrow::Cow;
    use std::fmt;

    use serde::de::{MapAccess, SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer};
    use serde_json::value::RawValue;

    use super::Link;

    /// The fields of an object in their order.
    #[derive(Default)]
    pub(super) struct Fields<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

    impl Fields<'_> {
        pub(super) fn get(&self, name: &str) -> Option<&str> {
            self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
        }
    }

    impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut fields = Vec::with_capacity(32);
                    while let Some(name) = map.next_key::<Name<'de>>()? {
                        fields.push((name.0, map.next_value()?));
                    }
                    Ok(fields)
                }
            }
            deserializer.deserialize_map(Visit).map(Fields)
        }
    }

    /// A text, borrowed where it holds no escapes.
    #[derive(Deserialize)]
    struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

    /// The links of a record, by field or relation.
    pub(super) struct Links<'a>(Vec<(Cow<'a, str>, Vec<Link<'a>>)>);

    impl<'a> Links<'a> {
        pub(super) fn get(&self, name: &str) -> &[Link<'a>] {
            self.0.iter().find(|(known, _)| known == name).map_or(&[], |(_, links)| links)
        }
    }

    impl<'de: 'a, 'a> Deserialize<'de> for Links<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Vec<(Cow<'de, str>, Vec<Link<'de>>)>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("links by relation")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut links = Vec::with_capacity(8);
                    while let Some(name) = map.next_key::<Name<'de>>()? {
                        links.push((name.0, map.next_value()?));
                    }
                    Ok(links)
                }
            }
            deserializer.deserialize_map(Visit).map(Links)
        }
    }

    impl<'de: 'a, 'a> Deserialize<'de> for Link<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Link<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("[id, remote id, attributes?]")
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                    let short = || serde::de::Error::custom("a link is too short");
                    let id = seq.next_element::<Name<'de>>()?.ok_or_else(short)?.0;
                    let remote_id = seq.next_element::<Name<'de>>()?.ok_or_else(short)?.0;
                    let attributes = seq.next_element()?;
                    Ok(Link { id, remote_id, attributes })
                }
            }
            deserializer.deserialize_seq(Visit)
        }
    }
}
