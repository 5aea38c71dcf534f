//! From a file `map/<model>.yaml` to tables.

use cadre_jq::{CompileError, Expr};
use cadre_model::model::ModelDef;
use cadre_model::registry;
use serde_json::Value;

use crate::check;
use crate::moment;
use crate::node::{self, Key, Node, Tree};
use crate::problem::{Problem, known_words};
use crate::table::{FieldMap, Source, Table, Target, Zone};
use crate::value::How;

const TABLE_KEYS: &[&str] = &["from", "each", "when", "deleted", "remote_id", "zone", "fields"];
const FIELD_KEYS: &[&str] = &["value", "format", "zone", "enum", "none"];

/// Variables that mean something in a mapping.
const OFFERED: &[&str] = &["$settings", "$parent", "$lookup", "$now"];

/// Reads a mapping file: the model is named by the file.
pub(crate) fn parse(
    file: &str,
    text: &str,
) -> Result<(&'static ModelDef, Vec<Table>), Vec<Problem>> {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    let mut parsing = Parsing::new(file);
    let Some(model) = registry::model(name) else {
        let known: Vec<&str> = registry::models().iter().map(|model| model.id).collect();
        parsing.problem(None, format!("`{name}` is no model"), Some(known_words(name, &known)));
        return Err(parsing.problems);
    };
    let root = node::parse(file, text).map_err(|problem| vec![problem])?;
    let tables: Vec<Option<Table>> = match &root.tree {
        Tree::List(tables) => tables.iter().map(|table| parsing.table(model, table)).collect(),
        _ => vec![parsing.table(model, &root)],
    };
    if tables.is_empty() {
        parsing.problem(None, "the file holds no table", Some("start with `from:`".into()));
    }
    if parsing.problems.is_empty() {
        Ok((model, tables.into_iter().flatten().collect()))
    } else {
        parsing.problems.sort_by_key(|problem| problem.line);
        Err(parsing.problems)
    }
}

/// Reads one table that names no stream.
pub(crate) fn inline(
    model: &'static ModelDef,
    file: &str,
    table: &Value,
) -> Result<Table, Vec<Problem>> {
    let mut parsing = Parsing::new(file);
    let mut node = Node::from_json(table);
    if let Tree::Map(entries) = &mut node.tree {
        if entries.iter().any(|(key, _)| key.text == "from") {
            parsing.problem(
                None,
                "the table has no `from`: it reads the answer it stands at",
                None,
            );
        }
        let from = Node { line: 0, tree: Tree::Scalar(crate::INLINE.into()) };
        entries.push((Key { text: "from".to_owned(), line: 0 }, from));
    }
    match parsing.table(model, &node) {
        Some(table) if parsing.problems.is_empty() => Ok(table),
        _ => Err(parsing.problems),
    }
}

/// Collects what is wrong while reading.
pub(crate) struct Parsing {
    file: String,
    pub(crate) problems: Vec<Problem>,
}

impl Parsing {
    pub(crate) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new() }
    }

    /// Notes a problem; line 0 stands for an unknown one.
    pub(crate) fn problem(
        &mut self,
        line: Option<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let line = line.filter(|line| *line > 0);
        self.problems.push(Problem {
            file: self.file.clone(),
            line,
            message: message.into(),
            hint,
        });
    }

    fn table(&mut self, model: &'static ModelDef, node: &Node) -> Option<Table> {
        let Tree::Map(entries) = &node.tree else {
            let hint = "a table has the keys from, each, when, deleted, remote_id, zone and fields";
            self.problem(Some(node.line), "a table is expected here", Some(hint.into()));
            return None;
        };
        self.keys(entries, TABLE_KEYS, "key");
        let get =
            |name: &str| entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
        for needed in ["from", "remote_id", "fields"] {
            if get(needed).is_none() {
                self.problem(Some(node.line), format!("the key `{needed}` is missing"), None);
            }
        }
        let from = get("from").and_then(|node| {
            let from = node.text().filter(|from| !from.is_empty());
            if from.is_none() {
                self.problem(Some(node.line), "`from` names a stream", None);
            }
            from
        });
        let each = get("each").map(|node| self.expression("each", node));
        let when = get("when").map(|node| self.expression("when", node));
        let deleted = get("deleted").map(|node| self.expression("deleted", node));
        let remote_id = get("remote_id").and_then(|node| self.expression("remote_id", node));
        let zone = get("zone").map(|node| self.zone(node));
        let fields = get("fields").and_then(|node| self.fields(model, node));
        if let Some(fields) = &fields {
            self.required(model, fields, node.line);
        }
        Some(Table {
            from: from?,
            each: each.map_or(Some(None), |each| each.map(Some))?,
            when: when.map_or(Some(None), |when| when.map(Some))?,
            deleted: deleted.map_or(Some(None), |deleted| deleted.map(Some))?,
            remote_id: remote_id?,
            zone: zone.map_or(Some(None), |zone| zone.map(Some))?,
            fields: fields?,
        })
    }

    fn keys(&mut self, entries: &[(Key, Node)], known: &[&str], what: &str) {
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            let hint = known_words(&key.text, known);
            self.problem(Some(key.line), format!("unknown {what} `{}`", key.text), Some(hint));
        }
        for (at, (key, _)) in entries.iter().enumerate() {
            if entries[..at].iter().any(|(earlier, _)| earlier.text == key.text) {
                self.problem(Some(key.line), format!("`{}` is there twice", key.text), None);
            }
        }
    }

    fn fields(&mut self, model: &'static ModelDef, node: &Node) -> Option<Vec<FieldMap>> {
        let Tree::Map(entries) = &node.tree else {
            self.problem(Some(node.line), "`fields` holds one line per field", None);
            return None;
        };
        let known = check::names(model);
        self.keys(entries, &known, &format!("field of {}", model.id));
        let mut fields = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            let Some(target) = check::target(model, &key.text) else { continue };
            let line = if node.line > 0 { node.line } else { key.line };
            let node = &Node { line, tree: node.tree.clone() };
            fields.extend(self.source(target, node).map(|source| FieldMap { target, source }));
        }
        Some(fields)
    }

    fn source(&mut self, target: Target, node: &Node) -> Option<Source> {
        let name = target.name();
        let Tree::Map(entries) = &node.tree else {
            let expr = self.expression(name, node)?;
            return Some(Source::Value { expr, how: How::default() });
        };
        self.keys(entries, FIELD_KEYS, &format!("key of `{name}`"));
        let get =
            |name: &str| entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
        if let Some(reason) = get("none") {
            if entries.len() > 1 {
                self.problem(Some(node.line), format!("`{name}` has `none` and more"), None);
            }
            return Some(Source::None(reason.text().unwrap_or_default()));
        }
        let Some(value) = get("value") else {
            let hint = "write `value:` with an expression, or `none:` with the reason";
            self.problem(Some(node.line), format!("`{name}` has no `value`"), Some(hint.into()));
            return None;
        };
        let expr = self.expression(name, value);
        let how = self.how(target, get("format"), get("zone"), get("enum"));
        Some(Source::Value { expr: expr?, how: how? })
    }

    /// How a value is to be read; checked against the field's type.
    pub(crate) fn how(
        &mut self,
        target: Target,
        format: Option<&Node>,
        zone: Option<&Node>,
        table: Option<&Node>,
    ) -> Option<How> {
        let mut how = How::default();
        let before = self.problems.len();
        if let Some(node) = format {
            match node.text().filter(|format| moment::is_format(format)) {
                Some(format) => how.format = Some(format),
                None => {
                    let hint = "write it as in strptime: \"%d.%m.%Y\"";
                    self.problem(Some(node.line), "no date format", Some(hint.into()));
                }
            }
        }
        how.zone = zone.and_then(|node| self.zone(node));
        if (format.is_some() || zone.is_some()) && !check::has_dates(target) {
            let line = format.or(zone).map(|node| node.line);
            let message = format!("`{}` holds no date or time", target.name());
            self.problem(line, message, Some("leave `format` and `zone` out".into()));
        }
        if let Some(node) = table {
            how.table = self.enum_table(target, node);
        }
        (self.problems.len() == before).then_some(how)
    }

    fn enum_table(&mut self, target: Target, node: &Node) -> Vec<(String, Value)> {
        let Tree::Map(entries) = &node.tree else {
            let hint = "write {theirs: OURS, …}";
            self.problem(Some(node.line), "`enum` is a table", Some(hint.into()));
            return Vec::new();
        };
        let mut table: Vec<(String, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Tree::Scalar(ours) = &value.tree else {
                self.problem(
                    Some(key.line),
                    format!("`{}` leads to no single value", key.text),
                    None,
                );
                continue;
            };
            let theirs = key.text.trim().to_lowercase();
            if table.iter().any(|(earlier, _)| *earlier == theirs) {
                let hint = "values are compared without case";
                self.problem(
                    Some(key.line),
                    format!("`{}` is there twice", key.text),
                    Some(hint.into()),
                );
            }
            match check::enum_value(target, ours) {
                Ok(ours) => table.push((theirs, ours)),
                Err((message, hint)) => self.problem(Some(key.line), message, Some(hint)),
            }
        }
        table
    }

    /// A name, an offset, or `{jq: EXPR}`.
    fn zone(&mut self, node: &Node) -> Option<Zone> {
        if let Tree::Map(entries) = &node.tree {
            self.keys(entries, &["jq"], "key of `zone`");
            if let Some((_, node)) = entries.iter().find(|(key, _)| key.text == "jq") {
                return self.expression("zone", node).map(Zone::Computed);
            }
        }
        let text = node.text().unwrap_or_default();
        if let Some(zone) = moment::zone(text.trim()).filter(|_| !text.trim().is_empty()) {
            return Some(Zone::Known(zone));
        }
        let hint = "write an IANA name such as Europe/Berlin, an offset, or {jq: EXPR}";
        self.problem(Some(node.line), format!("unknown zone `{text}`"), Some(hint.into()));
        None
    }

    /// Compiles an expression; a list of expressions is an array of their values.
    pub(crate) fn expression(&mut self, name: &str, node: &Node) -> Option<Expr> {
        if let Tree::List(items) = &node.tree {
            let mut parts = Vec::with_capacity(items.len());
            for item in items {
                parts.push(format!("({})", self.expression(name, item)?.source()));
            }
            return self.compiled(name, &format!("[{}]", parts.join(", ")), node.line);
        }
        let Some(source) = node.text() else {
            let hint = "write an expression, or `{none: \"why\"}` where there is nothing to read";
            self.problem(Some(node.line), format!("`{name}` has no value"), Some(hint.into()));
            return None;
        };
        self.compiled(name, &source, node.line)
    }

    fn compiled(&mut self, name: &str, source: &str, line: usize) -> Option<Expr> {
        match Expr::compile(source) {
            Ok(expr) => {
                let strange: Vec<&str> =
                    expr.variables().into_iter().filter(|used| !OFFERED.contains(used)).collect();
                for variable in &strange {
                    let message = format!("`{name}`: `{variable}` means nothing in a mapping");
                    let hint = format!("offered here: {}", OFFERED.join(", "));
                    self.problem(Some(line), message, Some(hint));
                }
                strange.is_empty().then_some(expr)
            }
            Err(error) => {
                let (line, place) = place(source, line, &error);
                self.problem(Some(line), format!("`{name}`: {error}{place}"), error.hint);
                None
            }
        }
    }

    /// Every field that a record cannot be without must have a source.
    fn required(&mut self, model: &'static ModelDef, fields: &[FieldMap], line: usize) {
        for field in check::required(model) {
            let mapped = fields.iter().any(|map| {
                map.target.name() == field.name && matches!(map.source, Source::Value { .. })
            });
            // A field whose line is wrong has been complained about.
            if !mapped && self.problems.is_empty() {
                let message = format!("`{}` is missing: no record can be without it", field.name);
                self.problem(Some(line), message, None);
            }
        }
    }
}

/// The line of an error inside an expression, and words that show the place.
fn place(source: &str, line: usize, error: &CompileError) -> (usize, String) {
    let (before, after) = source.split_at_checked(error.offset).unwrap_or((source, ""));
    let rows = before.matches('\n').count();
    // A block's line is that of its first row of text.
    let line = line + rows;
    let found: String = after.lines().next().unwrap_or_default().chars().take(30).collect();
    if found.trim().is_empty() { (line, String::new()) } else { (line, format!(", at `{found}`")) }
}
