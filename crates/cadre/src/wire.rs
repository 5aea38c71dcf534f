//! Putting the parts together.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cadre_connector::{OAuthClient, Wire, WireOptions};
use cadre_jobs::apply::{ApplySettings, Assistant};
use cadre_jobs::catalog::{Folder, folders_below};
use cadre_jobs::oidc::Provider;
use cadre_jobs::{Catalog, Parts, Settings};
use cadre_model::secret::Secret;
use cadre_model::time::{Clock, SystemClock};
use cadre_store::{MasterKey, OpenOptions, Store};

use crate::Failed;
use crate::builtin;
use crate::config::{AssistantConfig, Config, OAuthClientConfig};

/// Opens the database, loads the connectors, builds the guarded client.
pub async fn parts(config: &Config) -> Result<Parts, Failed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = store(config, clock.clone()).await?;
    let catalog = Arc::new(catalog(config)?);
    let options =
        WireOptions { allow_private: config.allow_private_networks, ..WireOptions::default() };
    let http =
        Wire::new(options).map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
    let mut settings = Settings {
        concurrent_syncs: config.concurrent_syncs,
        lease: Duration::from_secs(config.lease_seconds.max(1)),
        live_timeout: Duration::from_secs(config.live_seconds.max(1)),
        oauth_clients: oauth_clients(config),
        public_url: config.public_url.clone(),
        ..Settings::default()
    };
    settings.read.allow_private = config.allow_private_networks;
    settings.identity_provider = identity_provider(config);
    settings.apply = apply(config)?;
    settings.quality = config.quality.checks()?;
    Ok(Parts {
        store,
        catalog,
        clock,
        http: Arc::new(http),
        settings: Arc::new(settings),
        standings: Arc::default(),
    })
}

/// The software that customers consent to, as the operator registered it with each tool.
fn oauth_clients(config: &Config) -> BTreeMap<String, OAuthClient> {
    let client = |client: &OAuthClientConfig| OAuthClient {
        client_id: client.client_id.clone(),
        client_secret: client.client_secret.clone(),
    };
    config.oauth.iter().map(|(tool, config)| (tool.clone(), client(config))).collect()
}

/// How public postings are treated.
fn apply(config: &Config) -> Result<ApplySettings, Failed> {
    let of = &config.apply;
    Ok(ApplySettings {
        parse_at_once: of.parse_at_once,
        host_pause: Duration::from_millis(of.host_pause_ms),
        reparse_every: Duration::from_secs(of.reparse_hours.max(1) * 3_600),
        import_timeout: Duration::from_secs(of.import_seconds.max(1)),
        assistant: of.assistant.as_ref().map(assistant).transpose()?,
        ..ApplySettings::default()
    })
}

/// The operator named the server, so that it may stand in the own network.
fn assistant(config: &AssistantConfig) -> Result<Assistant, Failed> {
    let options = WireOptions { allow_private: true, ..WireOptions::default() };
    let http =
        Wire::new(options).map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
    Ok(Assistant {
        base_url: config
            .base_url
            .parse()
            .map_err(|error| format!("apply.assistant.base_url: {error}"))?,
        api_key: config.api_key.clone(),
        model: config.model.clone(),
        http: Arc::new(http),
    })
}

fn identity_provider(config: &Config) -> Option<Provider> {
    Some(Provider {
        issuer: config.oidc_issuer.as_deref()?.trim_end_matches('/').to_owned(),
        client_id: config.oidc_client_id.clone()?,
        client_secret: Secret::from(config.oidc_client_secret.as_deref()?),
    })
}

/// Opens the database, making the data folder and the master key at the first start.
pub async fn store(config: &Config, clock: Arc<dyn Clock>) -> Result<Store, Failed> {
    if config.database_url.is_none() || config.master_key.is_none() {
        fs::create_dir_all(&config.data_dir).map_err(|error| {
            format!("the data folder {} cannot be made: {error}", config.data_dir.display())
        })?;
    }
    let master_key = master_key(config)?;
    let options = OpenOptions { max_connections: config.database_connections, master_key, clock };
    Store::open(&config.database(), options).await.map_err(|error| {
        format!("{error}\n  Set the database with --database-url or CADRE_DATABASE_URL: sqlite:<path> or postgres://user:password@host/database")
    })
}

fn master_key(config: &Config) -> Result<MasterKey, Failed> {
    if let Some(text) = &config.master_key {
        return MasterKey::parse(&Secret::from(text.as_str()))
            .map_err(|error| format!("master_key: {error}"));
    }
    let path = config.data_dir.join("master.key");
    if path.exists() {
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        return MasterKey::parse(&Secret::from(text.trim()))
            .map_err(|error| format!("{}: {error}", path.display()));
    }
    let key = MasterKey::random();
    write_private(&path, key.print().expose())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(key)
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// The connectors of the operator, which are looked through at once, and the built-in ones.
pub fn catalog(config: &Config) -> Result<Catalog, Failed> {
    let mut own = Vec::new();
    if let Some(directory) = &config.connectors_dir {
        let say = |error| format!("{}: {error}", directory.display());
        for path in folders_below(directory).map_err(say)? {
            let folder =
                Folder::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            own.push(folder);
        }
    }
    let own = Catalog::load(own).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        format!("connectors cannot be loaded:\n{}", lines.join("\n"))
    })?;
    Ok(own.with_checked(builtin::folders()))
}
