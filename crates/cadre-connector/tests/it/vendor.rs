//! A vendor on loopback, and a session that reads from it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use cadre_connector::{
    Account, Connector, Exchange, Io, Observer, Page, RawRecord, ReadLimits, Reader, Session, Wire,
    WireOptions,
};
use cadre_model::time::SystemClock;
use serde_json::{Value, json};

/// What was reported.
#[derive(Default)]
pub struct Seen {
    pub exchanges: Mutex<Vec<Exchange>>,
    pub waits: Mutex<Vec<(String, u64)>>,
}

impl Observer for Seen {
    fn exchange(&self, exchange: &Exchange) {
        self.exchanges.lock().expect("lock").push(exchange.clone());
    }
    fn wait(&self, why: &str, ms: u64) {
        self.waits.lock().expect("lock").push((why.to_owned(), ms));
    }
}

impl Seen {
    /// `METHOD path?query status` of every exchange.
    pub fn lines(&self) -> Vec<String> {
        let exchanges = self.exchanges.lock().expect("lock");
        exchanges
            .iter()
            .map(|exchange| {
                let path = exchange.url.splitn(4, '/').nth(3).unwrap_or_default();
                let status = exchange.status.map_or("-".to_owned(), |status| status.to_string());
                format!("{} /{path} {status}", exchange.method)
            })
            .collect()
    }
}

/// A session on a server, and what it reports.
pub struct Setup {
    pub session: Session,
    pub seen: Arc<Seen>,
}

/// Starts the server; its base URL.
pub async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A session with the rest of a manifest: everything after the base URL.
pub async fn setup(router: Router, manifest: &str) -> Setup {
    setup_with(router, manifest, |_| {}).await
}

pub async fn setup_with(
    router: Router,
    manifest: &str,
    change: impl FnOnce(&mut ReadLimits),
) -> Setup {
    let base = serve(router).await;
    at(&base, manifest, change)
}

pub fn at(base: &str, manifest: &str, change: impl FnOnce(&mut ReadLimits)) -> Setup {
    with_account(base, manifest, "s3cret-key", change)
}

/// The same with another secret.
pub fn with_account(
    base: &str,
    manifest: &str,
    key: &str,
    change: impl FnOnce(&mut ReadLimits),
) -> Setup {
    let own = manifest.starts_with("base_url:");
    let base_url = if own { "" } else { "base_url: \\($settings.base)\n" };
    let text = format!(
        "tool: acme\nlabel: Acme\ncategories: [HRIS]\n\
         connect: {{fields: [{{name: base, label: Base}}, {{name: key, label: Key, secret: true}}]}}\n\
         {base_url}{manifest}"
    );
    let connector = Connector::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let account = Account {
        settings: json!({"base": base}),
        secrets: [("key".to_owned(), key.to_owned().into())].into(),
    };
    let mut limits = ReadLimits {
        first_backoff: Duration::from_millis(10),
        max_total_wait: Duration::from_secs(5),
        max_attempts: 4,
        ..ReadLimits::default()
    };
    change(&mut limits);
    let seen = Arc::new(Seen::default());
    let io = Io {
        http: Arc::new(
            Wire::new(WireOptions { allow_private: true, ..WireOptions::default() })
                .expect("client"),
        ),
        clock: Arc::new(SystemClock),
        observer: seen.clone(),
        limits,
    };
    Setup { session: Session::new(Arc::new(connector), account, io), seen }
}

/// Every page that is left.
pub async fn pages(reader: &mut Reader) -> Vec<Page> {
    let mut pages = Vec::new();
    while let Some(page) = reader.next().await {
        pages.push(page.unwrap_or_else(|failure| panic!("{failure:?}")));
    }
    pages
}

/// The ids of the records of pages, with stream and parent.
pub fn ids(pages: &[Page]) -> Vec<String> {
    let id = |record: &Value| record["id"].to_string();
    let named = |record: &RawRecord| match &record.parent {
        Some(parent) => format!("{}/{}:{}", id(parent), record.stream, id(&record.value)),
        None => id(&record.value),
    };
    pages.iter().flat_map(|page| page.records.iter().map(named)).collect()
}
