//! `cadre serve`: the server.

use std::net::SocketAddr;
use std::sync::Arc;

use cadre_jobs::{Parts, apply, webhooks, worker};
use cadre_store::{Environment, EnvironmentKind, NewKey, Store};
use cadre_web::{AppState, WebSettings};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::{commands, wire};

/// Flags of `serve`.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

impl Serve {
    /// Serves until it is told to stop.
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let mut config = Config::read(overrides)?;
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        start_log(config.log_json);
        let parts = wire::parts(&config).await?;
        let signals = Signals::listen()?;
        let listener = bind(config.listen).await?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        first_start(&parts.store, &config.public(address)).await?;
        run(parts, listener, &config, signals).await
    }
}

/// Binds the listening socket.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Failed> {
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Choose another with --listen or CADRE_LISTEN."
        )
    })
}

/// Serves the API and does jobs until SIGTERM or Ctrl-C.
pub async fn run(
    parts: Parts,
    listener: TcpListener,
    config: &Config,
    mut signals: Signals,
) -> Result<(), Failed> {
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let (stop, stopped) = watch::channel(false);
    let wake = Arc::new(Notify::new());
    let store = parts.store.clone();
    let public_url = config.public(address);
    let settings = WebSettings {
        public_url: public_url.clone(),
        body_limit_bytes: config.body_limit_bytes,
        trusted_proxies: config.trusted_proxies.clone(),
        product_name: config.product_name.clone(),
        setup_status: config.setup_status,
        requests_per_minute_per_key: config.requests_per_minute_per_key,
        requests_per_minute_per_environment: config.requests_per_minute_per_environment,
        page_cache_bytes: config.page_cache_bytes,
        connect_origins: config.connect_origins.clone(),
        static_ips: config.static_ips.clone(),
    };
    let state = AppState::new(parts.clone(), settings, wake.clone())?;
    let router = cadre_web::router(state.clone());
    let worker = (parts.settings.concurrent_syncs > 0).then(|| {
        let deliveries = webhooks::work(parts.clone(), public_url.into(), stopped.clone());
        let postings = apply::parse::work(parts.clone(), stopped.clone());
        let syncs = worker::work(parts, wake, stopped.clone());
        tokio::spawn(async move { tokio::join!(deliveries, postings, syncs) })
    });
    tracing::info!(%address, "listening");
    let mut until_stop = stopped.clone();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serve = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = until_stop.wait_for(|stop| *stop).await;
    });
    let serving = tokio::spawn(async move { serve.await });
    signals.told_to_stop().await;
    tracing::info!("stopping");
    stop.send_replace(true);
    // Open requests get a while to end; a client that keeps its connection open must not hold us.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), serving).await;
    if let Some(worker) = worker {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), worker).await;
    }
    state.close().await;
    store.close().await;
    Ok(())
}

/// The signals that end a server. They are listened to from before the moment at which anybody is
/// told that the server is there: a signal must never find it unprepared.
pub struct Signals {
    #[cfg(unix)]
    listening: [tokio::signal::unix::Signal; 2],
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> Result<Signals, Failed> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| {
                signal(kind).map_err(|error| format!("signals cannot be listened to: {error}"))
            };
            Ok(Signals {
                listening: [listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?],
            })
        }
        #[cfg(not(unix))]
        Ok(Signals {})
    }

    /// Until one of them comes.
    pub async fn told_to_stop(&mut self) {
        #[cfg(unix)]
        {
            let [terminate, interrupt] = &mut self.listening;
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The environments; the two that every installation has are made at the first start.
pub async fn environments(store: &Store) -> Result<Vec<Environment>, Failed> {
    let words = |error: cadre_store::Error| error.to_string();
    if store.environments().await.map_err(words)?.is_empty() {
        for kind in [EnvironmentKind::Production, EnvironmentKind::Development] {
            store.environment_create(kind.as_str(), kind).await.map_err(words)?;
        }
    }
    store.environments().await.map_err(words)
}

/// At the first start, prints what a person needs: a link to log in, and a key to call with.
#[expect(clippy::print_stdout, reason = "what a person needs at the first start")]
async fn first_start(store: &Store, public_url: &str) -> Result<(), Failed> {
    let words = |error: cadre_store::Error| error.to_string();
    let environments = environments(store).await?;
    for environment in &environments {
        let Some(scope) = store.system_scope(&environment.id).await.map_err(words)? else {
            continue;
        };
        if environment.kind != EnvironmentKind::Production
            || !store.api_key_list(&scope).await.map_err(words)?.is_empty()
        {
            continue;
        }
        let new = NewKey { name: "first start".into(), expires_at: None, allow_list: Vec::new() };
        let (_, key) = store.api_key_create(&scope, new).await.map_err(words)?;
        let link = commands::login_link::link(store, public_url).await?;
        println!("Cadre is ready.\n");
        println!("  Log in (once, within an hour)  {link}");
        println!("  API key (shown only now)       {}\n", key.expose());
        println!(
            "Next: link a tool with `cadre integration create --help`, or make another key with"
        );
        println!("`cadre key create`. `cadre login-link` makes a new link.\n");
    }
    Ok(())
}

/// Starts the process log on standard error.
pub fn start_log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CADRE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr);
    let _ = if json { log.json().try_init() } else { log.try_init() };
}
