//! A sandbox of one's own and a client that knows how its vendors page.

use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// A running sandbox and a client for it.
pub(crate) struct Caller {
    pub(crate) running: Running,
    pub(crate) http: Client,
}

pub(crate) async fn start() -> Caller {
    start_with(SandboxOptions::default()).await
}

pub(crate) async fn start_with(options: SandboxOptions) -> Caller {
    let running = Sandbox::start(options).await.unwrap();
    Caller { running, http: http() }
}

/// A client that asks this machine only.
pub(crate) fn http() -> Client {
    Client::builder().no_proxy().tls_backend_preconfigured(no_tls()).build().unwrap()
}

/// Nothing here is encrypted, but a client wants to know how it would be.
fn no_tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

impl Caller {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url)
    }

    /// Logs in to Sandbox HR.
    pub(crate) async fn token(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.running.client_id.as_str()),
            ("client_secret", self.running.client_secret.as_str()),
        ];
        let response =
            self.http.post(self.url("/hris/oauth/token")).form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn hris(&self, token: &str, path: &str) -> Response {
        self.http.get(self.url(&format!("/hris/v1{path}"))).bearer_auth(token).send().await.unwrap()
    }

    pub(crate) async fn hris_json(&self, token: &str, path: &str) -> Value {
        let response = self.hris(token, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn ats(&self, path: &str) -> Response {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(&format!("/ats/v1{path}"))
        };
        self.http.get(url).basic_auth(&self.running.api_key, Some("")).send().await.unwrap()
    }

    /// Every record of a list of Sandbox HR.
    pub(crate) async fn hris_all(&self, token: &str, list: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let body = self.hris_json(token, &format!("/{list}?page_size=200&page={page}")).await;
            all.extend(body["data"].as_array().unwrap().iter().cloned());
            if page >= body["meta"]["total_pages"].as_u64().unwrap() {
                break;
            }
        }
        all
    }

    /// Every record of a list of Sandbox ATS, and how many pages they came on.
    pub(crate) async fn ats_all(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut all, mut pages, mut next) = (Vec::new(), 0, Some(path.to_owned()));
        while let Some(path) = next {
            let response = self.ats(&path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            next = next_page(&response);
            pages += 1;
            all.extend(response.json::<Vec<Value>>().await.unwrap());
        }
        (all, pages)
    }

    pub(crate) async fn admin(&self, path: &str, body: Value) -> Value {
        let response =
            self.http.post(self.url(&format!("/admin/{path}"))).json(&body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{status} {text}");
        serde_json::from_str(&text).unwrap_or(json!(null))
    }
}

/// The address in the `Link` header that is marked `next`.
pub(crate) fn next_page(response: &Response) -> Option<String> {
    let header = response.headers().get("link")?.to_str().unwrap();
    let part = header.split(", ").find(|part| part.ends_with("rel=\"next\""))?;
    Some(part.split_once('>')?.0.trim_start_matches('<').to_owned())
}
