//! A twin, the product over a store of its own, and the connector between them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use cadre_connector::{HttpRequest, Wire, WireOptions};
use cadre_jobs::catalog::Folder;
use cadre_jobs::connect::{Link, link};
use cadre_jobs::{Catalog, Parts, Settings};
use cadre_model::time::FixedClock;
use cadre_sandbox::SandboxOptions;
use cadre_sandbox::twin::{RunningTwin, Twin};
use cadre_store::{
    EndUser, EnvironmentKind, MasterKey, NewKey, OpenOptions, RunKind, RunTrigger, Store,
};
use cadre_web::{AppState, WebSettings, router};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

/// The moment at which twins and the product begin.
const START: &str = "2026-03-01T12:00:00Z";

/// What there is to say of a tool before it is connected.
#[derive(Clone, Copy)]
pub struct Tool {
    pub name: &'static str,
    /// The twin that plays the vendor, where it has another name than the tool.
    pub twin: &'static str,
    /// Beginnings of addresses in the connector that stand for the twin's.
    pub hosts: &'static [&'static str],
    /// What is typed into the connect form beside the twin's credentials.
    pub form: &'static [(&'static str, &'static str)],
}

/// A tool that is connected and synced.
pub struct Bench {
    pub twin: RunningTwin,
    parts: Parts,
    clock: Arc<FixedClock>,
    router: Router,
    key: String,
    pub integration: String,
    _directory: tempfile::TempDir,
}

/// Runs a story on SQLite, and on PostgreSQL where the tests have one.
pub async fn on_both<F: AsyncFn(Bench)>(tool: Tool, story: F) {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", directory.path().join("test.db").display());
    story(Bench::new(&url, directory, tool).await).await;
    if let Ok(base) = std::env::var("CADRE_TEST_POSTGRES_URL") {
        let name = format!("cadre_twins_{}", cadre_model::ids::random_id().to_lowercase());
        statement(&base, format!("CREATE DATABASE {name}")).await;
        let mut url = url::Url::parse(&base).expect("a URL");
        url.set_path(&name);
        let directory = tempfile::tempdir().expect("a directory");
        let bench = Bench::new(url.as_str(), directory, tool).await;
        let store = bench.parts.store.clone();
        story(bench).await;
        store.close().await;
        statement(&base, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}

async fn statement(base: &str, text: String) {
    let connection = <sqlx::PgConnection as sqlx::Connection>::connect(base).await;
    let mut connection = connection.expect("the PostgreSQL of the tests");
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut connection).await;
    done.expect("a statement");
}

impl Bench {
    async fn new(url: &str, directory: tempfile::TempDir, tool: Tool) -> Bench {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let start = START.parse().expect("a moment");
        let options = SandboxOptions {
            employees: 24,
            candidates: 20,
            jobs: 6,
            start,
            rate_limit: None,
            ..SandboxOptions::default()
        };
        let twin = Twin::start(tool.twin, options, Vec::new()).await.expect("a twin");
        let clock = Arc::new(FixedClock::new(start));
        let open = OpenOptions {
            max_connections: 4,
            master_key: MasterKey::random(),
            clock: clock.clone(),
        };
        let store = Store::open(url, open).await.expect("a store");
        let catalog = Catalog::load([connector(tool, &twin.base_url)]);
        let catalog = catalog.map_err(|problems| format!("{problems:?}")).expect("connectors");
        let catalog = Arc::new(catalog);
        let wire = WireOptions { allow_private: true, ..WireOptions::default() };
        let parts = Parts {
            store: store.clone(),
            catalog: Arc::clone(&catalog),
            clock: clock.clone(),
            http: Arc::new(Wire::new(wire).expect("a client")),
            settings: Arc::new(settings()),
            standings: Arc::default(),
        };
        let kind = EnvironmentKind::Production;
        let environment = store.environment_create("production", kind).await.expect("a store");
        let scope = store.system_scope(&environment.id).await.expect("a store").expect("a scope");
        let key = NewKey { name: "test".into(), expires_at: None, allow_list: vec![] };
        let (_, key) = store.api_key_create(&scope, key).await.expect("a key");
        let mut form: Map<String, Value> =
            tool.form.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let asked = catalog.get(tool.name).expect("a connector");
        let asked = &asked.connector.manifest().connect.fields;
        let own = twin.credentials.iter();
        for (name, value) in own.filter(|(name, _)| asked.iter().any(|field| field.name == *name)) {
            form.insert((*name).to_owned(), value.clone().into());
        }
        let wish = Link {
            tool: tool.name.into(),
            category: None,
            suffix: None,
            end_user: EndUser {
                organization_name: "Acme".into(),
                creator_email: None,
                origin_id: None,
            },
            form,
            mapping: None,
            check: true,
        };
        let (integration, _) = link(&parts, &scope, wish).await.expect("an integration");
        let state = AppState::new(parts.clone(), WebSettings::default(), Arc::default());
        let bench = Bench {
            twin,
            router: router(state.expect("valid settings")),
            parts,
            clock,
            key: key.expose().to_owned(),
            integration: integration.id,
            _directory: directory,
        };
        cadre_jobs::worker::drain(&bench.parts).await.expect("a sync");
        assert_eq!(bench.end_of_sync().await, ("SUCCEEDED".into(), String::new()));
        bench
    }

    /// Syncs everything; how it ended, and the code of what ended it.
    pub async fn sync(&self) -> (String, String) {
        self.sync_as(RunKind::Full).await
    }

    /// Syncs so.
    pub async fn sync_as(&self, kind: RunKind) -> (String, String) {
        let scope = self.parts.store.system_integration_scope(&self.integration).await;
        let scope = scope.expect("a store").expect("an integration");
        self.pass().await;
        let trigger = RunTrigger::ForceSync;
        let queued = cadre_jobs::enqueue_sync(&self.parts.store, &scope, kind, trigger).await;
        queued.expect("a run");
        cadre_jobs::worker::drain(&self.parts).await.expect("a sync");
        self.end_of_sync().await
    }

    /// An hour passes, for the twin and for the product: budgets are whole again.
    pub async fn pass(&self) {
        self.clock.advance(jiff::SignedDuration::from_hours(1));
        self.order("POST", "settings", &json!({"advance_seconds": 3_600})).await;
    }

    async fn end_of_sync(&self) -> (String, String) {
        let scope = self.parts.store.system_integration_scope(&self.integration).await;
        let scope = scope.expect("a store").expect("an integration");
        let run = self.parts.store.run_latest(&scope).await.expect("a store").expect("a run");
        (run.state.as_str().to_owned(), run.code.unwrap_or_default())
    }

    /// Every record of a list of the API.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, _, body) =
                self.ask("GET", &format!("{path}?page_size=250{cursor}"), None).await;
            assert_eq!(status, 200, "{path}: {body}");
            all.extend(body["data"]["results"].as_array().expect("results").iter().cloned());
            match body["data"]["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// A request to the product: status, code of the refusal, body.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, String, Value) {
        if method != "GET" {
            self.pass().await;
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("x-integration-id", &self.integration)
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        let answer = self.router.clone().oneshot(request.expect("a request")).await;
        let (parts, body) = answer.expect("an answer").into_parts();
        let code = parts.headers.get("x-cadre-error-code");
        let code = code.and_then(|code| code.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = body.collect().await.expect("a body").to_bytes();
        (parts.status.as_u16(), code, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// An order to the twin.
    pub async fn order(&self, method: &str, what: &str, body: &Value) -> Value {
        let url = format!("{}/admin/{what}", self.twin.base_url);
        let mut request = HttpRequest::new(method, url.parse().expect("a URL"));
        request.set_header("Content-Type", "application/json");
        request.body = (method == "POST").then(|| Bytes::from(body.to_string()));
        let sent = self.parts.http.send(request, Duration::from_secs(5)).await.expect("an answer");
        let text = String::from_utf8_lossy(&sent.body).into_owned();
        assert!(sent.status < 300, "{what}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Changes of the company; the ids of what was changed.
    pub async fn change(&self, changes: Value) -> Vec<u64> {
        let done = self.order("POST", "mutate", &changes).await;
        let done = done["done"].as_array().expect("a list");
        done.iter().map(|one| one["id"].as_u64().expect("a number")).collect()
    }

    /// A list of the company.
    pub async fn company(&self, list: &str) -> Vec<Value> {
        let list = self.order("GET", &format!("tables/{list}"), &Value::Null).await;
        list.as_array().expect("a list").clone()
    }

    /// A fault until [`Bench::heal`].
    pub async fn fail(&self, fault: Value) {
        let mut script = fault;
        script["times"] = 0.into();
        self.order("POST", "faults", &script).await;
    }

    /// Takes all faults back.
    pub async fn heal(&self) {
        self.order("DELETE", "faults", &json!(null)).await;
    }
}

/// The connector of the repository, its vendor's address being the twin's.
fn connector(tool: Tool, twin: &str) -> Folder {
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let mut folder = Folder::read(&connectors.join(tool.name)).expect("a connector");
    for text in folder.files.values_mut() {
        for host in tool.hosts {
            *text = text.replace(host, twin);
        }
        // What the connector allows itself, it allows itself every second: tests do not wait for real.
        for seconds in ["10", "30", "60", "300", "3600"] {
            let long = format!("per_seconds: {seconds}}}");
            *text = text.replace(&long, "per_seconds: 1}");
        }
    }
    let manifest = &folder.files["connector.yaml"];
    assert!(manifest.contains(twin), "the hosts of {} do not stand in it", tool.name);
    folder
}

fn settings() -> Settings {
    let mut settings = Settings {
        live_timeout: Duration::from_secs(8),
        action_timeout: Duration::from_secs(8),
        ..Settings::default()
    };
    settings.read.allow_private = true;
    settings.read.first_backoff = Duration::from_millis(5);
    // What a vendor asks for beyond that ends the read.
    settings.read.max_total_wait = Duration::from_secs(10);
    settings
}
