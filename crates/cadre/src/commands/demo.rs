//! `cadre demo`: a server with made-up tools, already connected and synced.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cadre_jobs::apply::feed;
use cadre_jobs::connect::{Link, link};
use cadre_jobs::{Parts, worker};
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{EndUser, NewKey};
use serde_json::{Map, Value, json};

use super::integration::words;
use super::{login_link, serve};
use crate::Failed;
use crate::config::{ApplyConfig, Config};
use crate::wire;

/// Flags of `demo`.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Print one JSON object on the first line instead of words.
    #[arg(long)]
    json: bool,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Seed of the made-up data: the same seed gives the same data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Demo {
    /// Starts everything, prints what to try, and serves until it is told to stop.
    pub async fn run(self) -> Result<(), Failed> {
        if !self.json {
            serve::start_log(false);
        }
        let folder = std::env::temp_dir().join(format!("cadre-demo-{}", std::process::id()));
        let config = Config {
            data_dir: folder.clone(),
            listen: SocketAddr::from(([127, 0, 0, 1], self.port)),
            // The made-up tools listen on this machine.
            allow_private_networks: true,
            // The career pages are made up too: they need no long pauses.
            apply: ApplyConfig { host_pause_ms: 100, ..ApplyConfig::default() },
            ..Config::default()
        };
        let served = self.serve(&config).await;
        let _ = std::fs::remove_dir_all(&folder);
        served
    }

    async fn serve(&self, config: &Config) -> Result<(), Failed> {
        let listener = serve::bind(config.listen).await?;
        let url = format!("http://{}", listener.local_addr().map_err(|error| error.to_string())?);
        let sandbox =
            Sandbox::start(SandboxOptions { seed: self.seed, ..SandboxOptions::default() })
                .await
                .map_err(|error| format!("the made-up tools did not start: {error}"))?;
        let parts = wire::parts(config).await?;
        let ready = prepare(&parts, &sandbox, &url).await?;
        let signals = serve::Signals::listen()?;
        self.print(&ready)?;
        serve::run(parts, listener, config, signals).await
    }

    #[expect(clippy::print_stdout, reason = "what to try is the command's output")]
    fn print(&self, ready: &Ready) -> Result<(), Failed> {
        if self.json {
            let line = json!({
                "url": ready.url, "api_key": ready.api_key, "dashboard_url": ready.dashboard_url,
                "integrations": ready.integrations, "pid": std::process::id(), "sandbox_url": ready.sandbox_url,
                "job_feed": ready.job_feed,
            });
            println!("{line}");
            return Ok(());
        }
        let Ready { url, api_key, dashboard_url, integrations, sandbox_url, job_feed } = ready;
        println!("\nCadre is running with made-up tools. Ctrl-C ends it; nothing is kept.\n");
        println!("  Dashboard  {dashboard_url}");
        println!("  API key    {api_key}");
        println!("  Sandbox    {sandbox_url} (faults can be ordered at /admin/faults)");
        for (tool, id) in integrations {
            println!("  {tool:<12} {id}");
        }
        println!("  Job feed   {job_feed} (of {sandbox_url}/careers)");
        let missing = String::from("sandbox:missing");
        let hris = integrations.get("sandboxhris").unwrap_or(&missing);
        let ats = integrations.get("sandboxats").unwrap_or(&missing);
        println!("\nTry:\n");
        println!(
            "  curl -H 'Authorization: Bearer {api_key}' -H 'X-Integration-Id: {hris}' '{url}/v1/hris/employees?page_size=2'\n"
        );
        println!(
            "  curl -H 'Authorization: Bearer {api_key}' -H 'X-Integration-Id: {ats}' '{url}/v1/ats/jobs?statuses=OPEN&page_size=2'\n"
        );
        println!(
            "  curl -H 'Authorization: Bearer {api_key}' -H 'X-Integration-Id: {hris}' '{url}/v1/hris/employees?page_size=0'\n"
        );
        println!(
            "The last one is wrong on purpose: its answer names the mistake, and log_url opens it.\n"
        );
        Ok(())
    }
}

/// What a person, or a program, needs to use the demo.
struct Ready {
    url: String,
    api_key: String,
    dashboard_url: String,
    integrations: BTreeMap<String, String>,
    sandbox_url: String,
    job_feed: String,
}

/// What a customer would type into the connect forms of the made-up tools.
fn connect_forms(sandbox: &Running) -> [(&'static str, Map<String, Value>); 3] {
    let form = |fields: &[(&str, &str)]| -> Map<String, Value> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    };
    let address = ("base_url", sandbox.base_url.as_str());
    let client =
        [("client_id", sandbox.client_id.as_str()), ("client_secret", &sandbox.client_secret)];
    [
        ("sandboxhris", form(&[address, client[0], client[1]])),
        ("sandboxats", form(&[address, ("api_key", &sandbox.api_key)])),
        ("sandboxlms", form(&[address, ("api_key", &sandbox.learning_key)])),
    ]
}

async fn prepare(parts: &Parts, sandbox: &Running, url: &str) -> Result<Ready, Failed> {
    let text = |error: cadre_store::Error| error.to_string();
    let environments = serve::environments(&parts.store).await?;
    let environment = environments.first().ok_or("there is no environment")?;
    let scope = parts
        .store
        .system_scope(&environment.id)
        .await
        .map_err(text)?
        .ok_or("the environment is gone")?;
    let mut integrations = BTreeMap::new();
    for (tool, form) in connect_forms(sandbox) {
        let new = Link {
            tool: tool.to_owned(),
            category: None,
            suffix: Some("demo".into()),
            end_user: EndUser {
                organization_name: "Demo Corp".into(),
                creator_email: None,
                origin_id: None,
            },
            form,
            mapping: None,
            check: true,
        };
        let (integration, _) = link(parts, &scope, new).await.map_err(words)?;
        integrations.insert(tool.to_owned(), integration.id);
    }
    let synced = tokio::time::timeout(Duration::from_secs(120), worker::drain(parts)).await;
    synced.map_err(|_| "the first syncs did not end within two minutes")?.map_err(text)?;
    let feed = parts.store.job_feed_create(&scope, "Sandbox Works").await.map_err(text)?;
    let lines = futures::stream::iter([Ok::<_, std::io::Error>(sandbox.job_feed().into())]);
    feed::import(parts, &scope, &feed.id, lines).await.map_err(words)?;
    let new = NewKey { name: "demo".into(), expires_at: None, allow_list: Vec::new() };
    let (_, key) = parts.store.api_key_create(&scope, new).await.map_err(text)?;
    Ok(Ready {
        url: url.to_owned(),
        api_key: key.expose().to_owned(),
        // Nobody needs an account for what is not kept.
        dashboard_url: format!("{}&next=/", login_link::link(&parts.store, url).await?),
        integrations,
        sandbox_url: sandbox.base_url.clone(),
        job_feed: feed.id,
    })
}
