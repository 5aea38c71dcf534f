//! The folder that a connector begins with: it passes its check, and its comments say what comes next.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

mod first;

pub use first::Kind;

/// What is known of a tool when its connector is begun.
#[derive(Debug, Clone)]
pub struct Start {
    /// The slug: name of the folder.
    pub tool: String,
    /// The tool's name as people know it.
    pub label: String,
    /// What kind of software it is.
    pub kind: Kind,
    /// What paths are appended to. `{name}` in it becomes a setting that customers enter.
    pub base_url: String,
    /// How requests prove who sends them.
    pub auth: AuthKind,
    /// How the next page is found.
    pub paging: PagingKind,
}

/// How requests prove who sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// A bearer token.
    Bearer,
    /// A key in a header.
    Header,
    /// User name and password.
    Basic,
    /// A key in the query.
    Query,
    /// OAuth 2 with client credentials.
    OAuth2,
    /// Nothing.
    None,
}

/// How the next page is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagingKind {
    /// There is one page.
    None,
    /// By the number of the page.
    PageNumber,
    /// By the number of records before it.
    Offset,
    /// By a cursor in the answer.
    Cursor,
    /// By the header `Link`.
    LinkHeader,
    /// By a URL in the answer.
    NextUrl,
}

/// Why no folder can be begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The slug is none.
    #[error(
        "\"{0}\" is no name for a connector: expected lower-case letters, digits, - and _, the first a letter \
         or digit, such as \"acmehr\""
    )]
    Slug(String),
    /// The URL is none.
    #[error("\"{0}\" is no base URL: expected one such as https://api.example.com/v1 ({1})")]
    BaseUrl(String, String),
}

/// A field of the form: name, label, and what it holds in the first case.
struct Field {
    name: String,
    label: String,
    value: String,
    secret: bool,
}

impl Start {
    /// The files of the folder, by path.
    ///
    /// # Errors
    ///
    /// When the slug or the URL cannot be used.
    pub fn files(&self) -> Result<BTreeMap<String, String>, StartError> {
        self.check_slug()?;
        let (template, shown, mut fields) = self.address()?;
        fields.extend(self.credentials());
        let first = self.kind.first();
        let exchanges = self.exchanges(&shown, &first);
        let mut files = BTreeMap::new();
        files.insert("connector.yaml".to_owned(), self.manifest(&template, &fields, &first));
        files.insert(format!("map/{}.yaml", first.model), first.map.to_owned());
        files.insert("cases/first/case.yaml".to_owned(), case(&self.label, &fields));
        files.insert("cases/first/exchanges.json".to_owned(), pretty(&exchanges));
        let records = json!({ first.model: first.expected });
        files.insert("cases/first/records.json".to_owned(), pretty(&records));
        files.insert("README.md".to_owned(), self.readme(&fields));
        Ok(files)
    }

    fn check_slug(&self) -> Result<(), StartError> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let well = self.tool.starts_with(letter)
            && self.tool.chars().all(|c| letter(c) || c == '-' || c == '_');
        if well { Ok(()) } else { Err(StartError::Slug(self.tool.clone())) }
    }

    /// The address as a template, as the first case has it, and the settings that it asks for.
    fn address(&self) -> Result<(String, String, Vec<Field>), StartError> {
        let text = self.base_url.trim_end_matches('/');
        let wrong = |why: &str| StartError::BaseUrl(self.base_url.clone(), why.to_owned());
        let (mut template, mut shown, mut fields) = (String::new(), String::new(), Vec::new());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| wrong("a { has no } behind it"))?;
            let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(letters) {
                return Err(wrong("between { and } stands the name of a setting"));
            }
            template.push_str(&format!("{before}\\($settings.{name})"));
            shown.push_str(&format!("{before}example"));
            if !fields.iter().any(|field: &Field| field.name == name) {
                let label = labelled(name);
                fields.push(Field {
                    name: name.to_owned(),
                    label,
                    value: "example".into(),
                    secret: false,
                });
            }
            rest = behind;
        }
        template.push_str(rest);
        shown.push_str(rest);
        let url = url::Url::parse(&shown).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it begins with https:// and a host"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("paths are appended to it, so it has no ? and no #"));
        }
        Ok((template, shown, fields))
    }

    fn credentials(&self) -> Vec<Field> {
        let field = |name: &str, label: &str, value: &str, secret| Field {
            name: name.to_owned(),
            label: label.to_owned(),
            value: value.to_owned(),
            secret,
        };
        match self.auth {
            AuthKind::None => Vec::new(),
            AuthKind::Bearer => vec![field("access_token", "Access token", "case-token", true)],
            AuthKind::Header | AuthKind::Query => {
                vec![field("api_key", "API key", "case-key", true)]
            }
            AuthKind::Basic => vec![
                field("username", "User name", "case-user", false),
                field("password", "Password", "case-password", true),
            ],
            AuthKind::OAuth2 => vec![
                field("client_id", "Client ID", "case-client", false),
                field("client_secret", "Client secret", "case-secret", true),
            ],
        }
    }

    fn auth_lines(&self, address: &str) -> String {
        match self.auth {
            AuthKind::None => "auth: {type: none}".to_owned(),
            AuthKind::Bearer => {
                r"auth: {type: bearer, token: \($secrets.access_token)}".to_owned()
            }
            AuthKind::Header => {
                r"auth: {type: header, name: X-Api-Key, value: \($secrets.api_key)}".to_owned()
            }
            AuthKind::Query => {
                r"auth: {type: query, name: api_key, value: \($secrets.api_key)}".to_owned()
            }
            AuthKind::Basic => {
                r"auth: {type: basic, username: \($settings.username), password: \($secrets.password)}"
                    .to_owned()
            }
            AuthKind::OAuth2 => format!(
                "auth:\n  type: oauth2_client_credentials\n  token_url: {address}/oauth/token\n  \
                 client_id: \\($settings.client_id)\n  client_secret: \\($secrets.client_secret)"
            ),
        }
    }

    fn manifest(&self, address: &str, fields: &[Field], first: &first::First) -> String {
        let mut form = String::new();
        for field in fields {
            form.push_str(&format!("    - name: {}\n      label: {}\n", field.name, field.label));
            if field.secret {
                form.push_str("      secret: true               # stored encrypted, shown nowhere; `$secrets.…`\n");
            } else if field.value == "example" {
                form.push_str(&format!("      example: {}\n", field.value));
            }
            form.push_str("      help: Where the customer finds it.\n");
        }
        let form = if form.is_empty() {
            "connect: {fields: []}".to_owned()
        } else {
            format!("connect:\n  fields:\n{}", form.trim_end())
        };
        let (paging, about) = self.paging.lines();
        MANIFEST
            .replace("<tool>", &self.tool)
            .replace("<label>", &Value::from(self.label.as_str()).to_string())
            .replace("<category>", self.kind.as_str())
            .replace("<form>", &form)
            .replace("<base_url>", address)
            .replace("<auth>", &self.auth_lines(address))
            .replace("<stream>", first.stream)
            .replace("<about paging>", about)
            .replace("<paging>", paging)
    }

    fn readme(&self, fields: &[Field]) -> String {
        let fields: Vec<String> = fields
            .iter()
            .map(|field| format!("* **{}**: where it is found, step by step.", field.label))
            .collect();
        let fields =
            if fields.is_empty() { "Nothing is asked for.".to_owned() } else { fields.join("\n") };
        README.replace("<label>", &self.label).replace("<fields>", &fields)
    }

    fn exchanges(&self, address: &str, first: &first::First) -> Value {
        let mut all = Vec::new();
        if self.auth == AuthKind::OAuth2 {
            all.push(json!({
                "request": {
                    "method": "POST",
                    "url": format!("{address}/oauth/token"),
                    "body": {
                        "grant_type": "client_credentials",
                        "client_id": "case-client",
                        "client_secret": "case-secret",
                    },
                },
                "response": {"body": {"access_token": "case-token", "expires_in": 3600}},
            }));
        }
        let url = format!("{address}/{}", first.stream);
        for (query, response) in self.paging.pages(&url, &first.raw) {
            let mut query = query;
            if self.auth == AuthKind::Query {
                query.push("api_key=case-key".to_owned());
            }
            let query =
                if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
            let mut request = Map::new();
            request.insert("url".to_owned(), format!("{url}{query}").into());
            if let Some((name, value)) = self.sent() {
                request.insert("headers".to_owned(), json!({ name: value }));
            }
            all.push(json!({"request": request, "response": response}));
        }
        Value::Array(all)
    }

    /// The header that proves who asks, with what the first case holds.
    fn sent(&self) -> Option<(&'static str, String)> {
        match self.auth {
            AuthKind::Bearer | AuthKind::OAuth2 => {
                Some(("Authorization", "Bearer case-token".to_owned()))
            }
            AuthKind::Header => Some(("X-Api-Key", "case-key".to_owned())),
            AuthKind::Basic => {
                let pair = STANDARD.encode("case-user:case-password");
                Some(("Authorization", format!("Basic {pair}")))
            }
            AuthKind::Query | AuthKind::None => None,
        }
    }
}

/// `sub_domain` as people read it: `Sub domain`.
fn labelled(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn case(label: &str, fields: &[Field]) -> String {
    let part = |secret: bool| -> Map<String, Value> {
        let fields = fields.iter().filter(|field| field.secret == secret);
        fields.map(|field| (field.name.clone(), field.value.clone().into())).collect()
    };
    CASE.replace("<label>", label)
        .replace("<settings>", &Value::Object(part(false)).to_string())
        .replace("<secrets>", &Value::Object(part(true)).to_string())
}

impl PagingKind {
    /// The value of `paging`, and a word about it.
    fn lines(self) -> (&'static str, &'static str) {
        match self {
            PagingKind::None => ("{type: none}", "There is one page, and that is said."),
            PagingKind::PageNumber => (
                "{type: page_number, param: page, size_param: per_page, size: 100}",
                "Without `total:`, `pages:` or `more:`, a page with fewer records than `size` is the last.",
            ),
            PagingKind::Offset => (
                "{type: offset, param: offset, size_param: limit, size: 100}",
                "Without `total:` or `more:`, a page with fewer records than `size` is the last.",
            ),
            PagingKind::Cursor => (
                "{type: cursor, param: cursor, next: .next}",
                "`next` finds the cursor in the answer; null or nothing ends.",
            ),
            PagingKind::LinkHeader => (
                "{type: link_header, rel: next}",
                "The answer's header `Link` leads on, with rel=\"next\".",
            ),
            PagingKind::NextUrl => (
                "{type: next_url, url: .next}",
                "`url` finds the next URL in the answer; null or nothing ends.",
            ),
        }
    }

    /// The pages of the first case: what the query asks, and the answer.
    fn pages(self, url: &str, records: &[Value; 2]) -> Vec<(Vec<String>, Value)> {
        let [one, two] = records;
        let all = json!({"body": {"data": [one, two]}});
        let asked = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            PagingKind::None => vec![(Vec::new(), all)],
            PagingKind::PageNumber => vec![(asked(&["page=1", "per_page=100"]), all)],
            PagingKind::Offset => vec![(asked(&["offset=0", "limit=100"]), all)],
            PagingKind::Cursor => vec![
                (Vec::new(), json!({"body": {"data": [one], "next": "c2"}})),
                (asked(&["cursor=c2"]), json!({"body": {"data": [two], "next": null}})),
            ],
            PagingKind::LinkHeader => {
                let link = format!("<{url}?page=2>; rel=\"next\"");
                vec![
                    (Vec::new(), json!({"headers": {"Link": link}, "body": {"data": [one]}})),
                    (asked(&["page=2"]), json!({"body": {"data": [two]}})),
                ]
            }
            PagingKind::NextUrl => vec![
                (Vec::new(), json!({"body": {"data": [one], "next": format!("{url}?page=2")}})),
                (asked(&["page=2"]), json!({"body": {"data": [two], "next": null}})),
            ],
        }
    }
}

const MANIFEST: &str = include_str!("start/connector.yaml");
const CASE: &str = include_str!("start/case.yaml");
const README: &str = include_str!("start/README.md");

#[cfg(test)]
mod tests;
