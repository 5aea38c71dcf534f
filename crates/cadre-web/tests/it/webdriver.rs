//! A real browser, driven over WebDriver.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cadre_connector::{HttpRequest, HttpSend};
use serde_json::{Value, json};

/// Under this name WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(15);

/// A browser without a window. It ends when this is dropped.
pub struct Browser {
    http: Arc<dyn HttpSend>,
    base: String,
    driver: Child,
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Browser {
    pub async fn start(http: Arc<dyn HttpSend>) -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .args([format!("--port={port}"), "--log-level=SEVERE".to_owned()])
            .stdout(Stdio::null())
            .spawn()
            .expect("chromedriver; scripts/setup installs it");
        let mut browser = Self { http, base: format!("http://127.0.0.1:{port}"), driver };
        let options = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": options },
        } } });
        for _ in 0..100 {
            if let Some(value) = browser.ask("POST", "/session", Some(&capabilities)).await {
                let id = value["sessionId"].as_str().unwrap_or_else(|| panic!("{value}"));
                browser.base = format!("{}/session/{id}", browser.base);
                return browser;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the browser did not start");
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Value> {
        let url = format!("{}{path}", self.base).parse().expect("a URL");
        let mut request = HttpRequest::new(method, url);
        request.set_header("Content-Type", "application/json");
        request.body = body.map(|body| Bytes::from(body.to_string()));
        let answer = self.http.send(request, Duration::from_secs(30)).await.ok()?;
        let answer: Value = serde_json::from_slice(&answer.body).ok()?;
        Some(answer["value"].clone())
    }

    /// A command that must succeed.
    async fn command(&self, path: &str, body: Value) -> Value {
        let value = self.ask("POST", path, Some(&body)).await.expect("an answer of the driver");
        assert!(value.get("error").is_none(), "{path} {body}: {value}");
        value
    }

    pub async fn go(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// The size of the page: a phone's is too small for a window.
    pub async fn size(&self, width: u32, height: u32) {
        let params = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
        });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": params });
        self.command("/goog/cdp/execute", command).await;
    }

    /// Which colours the reader's system asks for: `light` or `dark`.
    pub async fn colours(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let command =
            json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.command("/goog/cdp/execute", command).await;
    }

    /// The value of a script's `return`.
    pub async fn run(&self, script: &str, arguments: Value) -> Value {
        self.command("/execute/sync", json!({ "script": script, "args": arguments })).await
    }

    /// What a script's promise comes to.
    pub async fn run_to_its_end(&self, script: &str) -> Value {
        let script =
            format!("const done = arguments[0]; ({script}).then(done, (e) => done(String(e)));");
        self.command("/execute/async", json!({ "script": script, "args": [] })).await
    }

    /// The element, once it is there.
    pub async fn wait(&self, css: &str) -> Value {
        let begun = std::time::Instant::now();
        let wanted = json!({ "using": "css selector", "value": css });
        loop {
            let found = self.ask("POST", "/element", Some(&wanted)).await.unwrap_or_default();
            if found.get(ELEMENT).is_some() {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                let page = self.ask("GET", "/source", None).await.unwrap_or_default();
                panic!("{css} is not on the page: {page}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until an element has these words in it.
    pub async fn wait_for_words(&self, css: &str, words: &str) {
        let begun = std::time::Instant::now();
        let script = "return document.querySelector(arguments[0])?.textContent ?? '';";
        loop {
            let shown = self.run(script, json!([css, words])).await;
            if shown.as_str().is_some_and(|shown| shown.contains(words)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{css} says {shown}, not {words}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn click(&self, css: &str) {
        let element = self.wait(css).await;
        let id = element[ELEMENT].as_str().expect("an id");
        self.command(&format!("/element/{id}/click"), json!({})).await;
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.wait(css).await;
        let id = element[ELEMENT].as_str().expect("an id");
        self.command(&format!("/element/{id}/clear"), json!({})).await;
        self.command(&format!("/element/{id}/value"), json!({ "text": text })).await;
    }

    /// Into a frame, or out of all of them.
    pub async fn enter(&self, css: Option<&str>) {
        let id = match css {
            Some(css) => self.wait(css).await,
            None => Value::Null,
        };
        self.command("/frame", json!({ "id": id })).await;
    }

    /// The names of the windows; a new one comes last.
    pub async fn windows(&self) -> Vec<Value> {
        let handles = self.ask("GET", "/window/handles", None).await.unwrap_or_default();
        handles.as_array().cloned().unwrap_or_default()
    }

    pub async fn switch(&self, window: &Value) {
        self.command("/window", json!({ "handle": window })).await;
    }

    pub async fn close_window(&self) {
        self.ask("DELETE", "/window", None).await.expect("an answer of the driver");
    }

    /// Keeps a picture of the page under `target/screenshots`.
    pub async fn picture(&self, name: &str) {
        let picture = self.ask("GET", "/screenshot", None).await.unwrap_or_default();
        let picture = STANDARD.decode(picture.as_str().unwrap_or_default()).expect("a picture");
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("a file");
    }

    /// Holds the page to be accessible, and not wider than it may be.
    pub async fn is_fine(&self, name: &str) {
        assert_eq!(self.flaws(name).await, Vec::<String>::new());
    }

    /// What is not accessible about the page, and whether it is wider than it may be.
    pub async fn flaws(&self, name: &str) -> Vec<String> {
        let axe = root().join("target/connect-sdk/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(axe).expect("axe; scripts/setup installs it");
        self.run(&axe, json!([])).await;
        let script = "axe.run().then((r) => r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`))";
        let found = self.run_to_its_end(script).await;
        let found = found.as_array().cloned().unwrap_or_default();
        let mut flaws: Vec<String> = found
            .iter()
            .map(|one| format!("{name}: {}", one.as_str().unwrap_or_default()))
            .collect();
        // The place for a scroll bar that is kept free belongs to the window, not to the page.
        let wide = "return document.documentElement.scrollWidth > window.innerWidth;";
        if self.run(wide, json!([])).await != false {
            flaws.push(format!("{name} is too wide"));
        }
        flaws
    }

    pub async fn stop(self) {
        self.ask("DELETE", "", None).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
