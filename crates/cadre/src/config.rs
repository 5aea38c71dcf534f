//! The configuration: defaults, then a file, then `CADRE_…` variables, then flags.
//!
//! Every key is a field of [`Config`], its doc comment is its documentation. An unknown key in the
//! file is an error that names it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cadre_jobs::sync::quality::Quality;
use cadre_model::model::ModelDef;
use cadre_model::registry;
use cadre_model::secret::Secret;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// The configuration of a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder for everything that Cadre keeps on disk: the SQLite database and the master key.
    pub data_dir: PathBuf,
    /// `sqlite:<path>` or `postgres://user:password@host/database`. Absent: SQLite in the data folder.
    pub database_url: Option<String>,
    /// Most connections to the database.
    pub database_connections: u32,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How callers and people reach this server, without a slash at the end; links start with it.
    /// Absent: `http://` and the address it listens on.
    pub public_url: Option<String>,
    /// 64 hexadecimal digits that credentials are encrypted with. Absent: the file `master.key` in
    /// the data folder, which is made at the first start.
    pub master_key: Option<String>,
    /// Folder with connectors of your own, which go over the built-in ones by name.
    pub connectors_dir: Option<PathBuf>,
    /// Whether tools, and receivers of webhooks, may be reached at private and loopback addresses.
    pub allow_private_networks: bool,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Largest body of a request, in bytes.
    pub body_limit_bytes: usize,
    /// Requests that one API key may send per minute; 0 is no limit.
    pub requests_per_minute_per_key: u32,
    /// Requests that one environment may send per minute; 0 is no limit.
    pub requests_per_minute_per_environment: u32,
    /// Rendered pages of lists that are kept in memory, in bytes; 0 keeps none.
    pub page_cache_bytes: u64,
    /// Name that stands in the title of `REMOTE.RATE_LIMIT_EXCEEDED`.
    pub product_name: String,
    /// Status of the three setup codes: 503, or 409 as later clients expect.
    pub setup_status: u16,
    /// How many syncs this process runs at once; 0 makes it answer the API only, without delivering
    /// webhooks.
    pub concurrent_syncs: usize,
    /// Issuer of an identity provider (OpenID Connect) that people may log in to the dashboard with.
    pub oidc_issuer: Option<String>,
    /// The id of this server at the identity provider.
    pub oidc_client_id: Option<String>,
    /// The secret of this server at the identity provider.
    pub oidc_client_secret: Option<String>,
    /// How long a job stays with its worker without a sign of life, in seconds.
    pub lease_seconds: u64,
    /// How long one call may talk to a tool, its waits included, in seconds.
    pub live_seconds: u64,
    /// Origins whose pages may show the connect flow in a frame. Empty: any.
    pub connect_origins: Vec<String>,
    /// The addresses that all requests to tools come from, where you guarantee them.
    pub static_ips: Vec<String>,
    /// The OAuth client that you registered with a tool, by the tool's slug.
    pub oauth: BTreeMap<String, OAuthClientConfig>,
    /// Public postings (AI Apply).
    pub apply: ApplyConfig,
    /// What the first sync of an integration must show before its data can be read.
    pub quality: QualityConfig,
    /// Whether the process log is JSON, one object a line.
    pub log_json: bool,
}

/// An OAuth client that the operator registered with a tool.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthClientConfig {
    /// Its id.
    pub client_id: String,
    /// Its secret; left out for a client without one.
    #[serde(default, skip_serializing)]
    pub client_secret: Secret,
}

/// Quality checks of first syncs. A share is a number from 0 to 1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QualityConfig {
    /// Whether first syncs are checked at all.
    pub enabled: bool,
    /// How many records of a model there must be, by model, where the tool offers it.
    pub least_records: BTreeMap<String, u64>,
    /// The share of records that must have a field, by `model.field`, where the tool offers it.
    pub least_filled: BTreeMap<String, f64>,
    /// Largest share of the references between two models that may lead to no record.
    pub broken_references: f64,
    /// Largest share of the rows of a model that may not become a record.
    pub refused: f64,
    /// With fewer records or references than this, a share is not judged.
    pub from: u64,
}

impl Default for QualityConfig {
    fn default() -> Self {
        let Quality { enabled, least_records, least_filled, broken_references, refused, from } =
            Quality::default();
        let records = least_records.into_iter().map(|(model, least)| (model.to_owned(), least));
        let filled = least_filled
            .into_iter()
            .map(|(model, field, share)| (format!("{model}.{field}"), share));
        Self {
            enabled,
            least_records: records.collect(),
            least_filled: filled.collect(),
            broken_references,
            refused,
            from,
        }
    }
}

impl QualityConfig {
    /// The checks that this stands for.
    ///
    /// # Errors
    ///
    /// Words that name the key of a model or field that does not exist, or of a share that is none.
    pub fn checks(&self) -> Result<Quality, String> {
        let mut quality = Quality {
            enabled: self.enabled,
            least_records: Vec::new(),
            least_filled: Vec::new(),
            broken_references: share("quality.broken_references", self.broken_references)?,
            refused: share("quality.refused", self.refused)?,
            from: self.from,
        };
        for (model, least) in &self.least_records {
            let known = model_named("quality.least_records", model)?;
            quality.least_records.push((known.id, *least));
        }
        for (place, least) in &self.least_filled {
            let key = format!("quality.least_filled.\"{place}\"");
            let (model, field) = place
                .split_once('.')
                .ok_or_else(|| format!("{key}: expected \"model.field\" as its name"))?;
            let known = model_named("quality.least_filled", model)?;
            let field = known.shape.fields.iter().find(|known| known.name == field);
            let field = field.ok_or_else(|| format!("{key}: {model} has no such field"))?;
            quality.least_filled.push((known.id, field.name, share(&key, *least)?));
        }
        Ok(quality)
    }
}

fn share(key: &str, value: f64) -> Result<f64, String> {
    let fits = (0.0..=1.0).contains(&value);
    if fits { Ok(value) } else { Err(format!("{key}: expected a share from 0 to 1, got {value}")) }
}

fn model_named(key: &str, name: &str) -> Result<&'static ModelDef, String> {
    registry::model(name).ok_or_else(|| format!("{key}: there is no model \"{name}\""))
}

/// Public postings: how their pages are read, and who helps with that.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyConfig {
    /// How many pages this process reads at once; 0 reads none and sends no applications.
    pub parse_at_once: usize,
    /// The pause between two requests to the same host, in milliseconds.
    pub host_pause_ms: u64,
    /// After how many hours the page of a posting is read again.
    pub reparse_hours: u64,
    /// How long an import into a feed may take, in seconds.
    pub import_seconds: u64,
    /// A server that helps with questions which the rules leave unsure. Absent: nobody is asked.
    pub assistant: Option<AssistantConfig>,
}

/// A server that speaks the OpenAI protocol. It is told the questions of forms, never answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssistantConfig {
    /// Where its API begins, such as `https://host/v1`.
    pub base_url: String,
    /// Its key, where it needs one.
    #[serde(default, skip_serializing)]
    pub api_key: Option<Secret>,
    /// The model that answers.
    pub model: String,
}

impl Default for ApplyConfig {
    fn default() -> Self {
        Self {
            parse_at_once: 5,
            host_pause_ms: 1_000,
            reparse_hours: 24,
            import_seconds: 300,
            assistant: None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("cadre-data"),
            database_url: None,
            database_connections: 10,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            master_key: None,
            connectors_dir: None,
            allow_private_networks: false,
            trusted_proxies: Vec::new(),
            body_limit_bytes: 40 * 1024 * 1024,
            requests_per_minute_per_key: 60_000,
            requests_per_minute_per_environment: 120_000,
            page_cache_bytes: 64 * 1024 * 1024,
            product_name: "Kombo".into(),
            setup_status: 503,
            concurrent_syncs: 4,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            lease_seconds: 30,
            live_seconds: 20,
            connect_origins: Vec::new(),
            static_ips: Vec::new(),
            oauth: BTreeMap::new(),
            apply: ApplyConfig::default(),
            quality: QualityConfig::default(),
            log_json: false,
        }
    }
}

/// What the command line says over the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Overrides {
    /// Configuration file (TOML). Without it, `cadre.toml` in the working folder is read if it is there.
    #[arg(long, global = true, value_name = "FILE", env = "CADRE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder for the database and the master key.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// `sqlite:<path>` or `postgres://user:password@host/database`.
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    ///
    /// Words that name the key, what was expected, what came and where it came from.
    pub fn read(overrides: &Overrides) -> Result<Config, String> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        let default_file = Path::new("cadre.toml");
        match &overrides.config {
            Some(file) if !file.is_file() => {
                return Err(format!("the configuration file {} is not there", file.display()));
            }
            Some(file) => figment = figment.merge(Toml::file_exact(file)),
            None if default_file.is_file() => {
                figment = figment.merge(Toml::file_exact(default_file))
            }
            None => {}
        }
        // CADRE_CONFIG names the file, CADRE_LOG says what is logged, CADRE_TRY_… are fields of a form that
        // `connector try` fills in, and CADRE_TEST_… belong to the tests.
        // CADRE_OAUTH__TOOL__CLIENT_ID is the key `client_id` of the table `oauth.tool`.
        let variables = Env::prefixed("CADRE_")
            .filter(|key| key != "config" && key != "log" && !key.starts_with("test_"))
            .filter(|key| !key.starts_with("try_"));
        figment = figment.merge(variables.split("__"));
        if let Some(folder) = &overrides.data_dir {
            figment = figment.merge(Serialized::default("data_dir", folder));
        }
        if let Some(url) = &overrides.database_url {
            figment = figment.merge(Serialized::default("database_url", url));
        }
        let config: Config = figment.extract().map_err(|error| {
            let words: Vec<String> = error.into_iter().map(|error| error.to_string()).collect();
            format!("the configuration cannot be used: {}", words.join("; "))
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.setup_status != 503 && self.setup_status != 409 {
            return Err(format!("setup_status: expected 503 or 409, got {}", self.setup_status));
        }
        if let Some(url) = &self.public_url
            && (!url.starts_with("http://") && !url.starts_with("https://") || url.ends_with('/'))
        {
            return Err(format!(
                "public_url: expected http://… or https://… without a slash at the end, got \"{url}\""
            ));
        }
        if let Some(assistant) = &self.apply.assistant
            && !assistant.base_url.starts_with("http://")
            && !assistant.base_url.starts_with("https://")
        {
            let got = &assistant.base_url;
            return Err(format!(
                "apply.assistant.base_url: expected http://… or https://…, got \"{got}\""
            ));
        }
        self.quality.checks()?;
        let oidc = [&self.oidc_issuer, &self.oidc_client_id, &self.oidc_client_secret];
        if oidc.iter().any(|key| key.is_some()) && oidc.iter().any(|key| key.is_none()) {
            return Err("oidc_issuer, oidc_client_id and oidc_client_secret belong together".into());
        }
        if let Some(folder) = &self.connectors_dir
            && !folder.is_dir()
        {
            return Err(format!("connectors_dir: {} is not a folder", folder.display()));
        }
        Ok(())
    }

    /// The database's URL: as configured, or SQLite in the data folder.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data_dir.join("cadre.db").display()))
    }

    /// How callers and people reach this server.
    #[must_use]
    pub fn public(&self, listening: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{listening}"))
    }
}
