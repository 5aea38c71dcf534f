//! A real browser: Chromium without a screen, driven over the WebDriver protocol.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::process::{Running, free_port};

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);
/// The name under which the protocol returns an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
pub struct Browser {
    _driver: Running,
    client: reqwest::blocking::Client,
    session: String,
}

impl Browser {
    /// Starts a browser. `scripts/setup` installs it.
    pub fn start() -> Browser {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver: {error}; scripts/setup installs it"));
        let driver = Running(driver);
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(60)).build();
        let client = client.expect("a client");
        let base = format!("http://127.0.0.1:{port}");
        let end = Instant::now() + PATIENCE;
        while client.get(format!("{base}/status")).send().is_err() {
            assert!(Instant::now() < end, "chromedriver did not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1440,900"];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let mut browser = Browser { _driver: driver, client, session: format!("{base}/session") };
        let made = browser.ask("POST", "", Some(wanted));
        let id = made["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{base}/session/{id}");
        browser
    }

    fn try_ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Value> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.session));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let response = request.send().expect("the driver answers");
        let ok = response.status().is_success();
        let text = response.text().expect("a body");
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if ok { Ok(answer["value"].clone()) } else { Err(answer["value"].clone()) }
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.try_ask(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Opens a page.
    pub fn open(&self, url: &str) {
        self.ask("POST", "/url", Some(json!({ "url": url })));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.ask("GET", "/url", None).as_str().expect("text").to_owned()
    }

    /// Runs a function body in the page.
    pub fn run(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", Some(json!({ "script": script, "args": [] })))
    }

    /// A command of the developer tools.
    pub fn developer(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("POST", "/goog/cdp/execute", Some(body));
    }

    /// Everything that the page shows.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows the words.
    pub fn wait_for(&self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.text().contains(words) {
            assert!(Instant::now() < end, "{words:?} is not on {}:\n{}", self.url(), self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until there is an element; its id.
    fn find(&self, using: &str, value: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let body = json!({ "using": using, "value": value });
            match self.try_ask("POST", "/element", Some(body)) {
                Ok(found) => return found[ELEMENT].as_str().expect("an id").to_owned(),
                Err(error) => assert!(
                    Instant::now() < end,
                    "{value} is not on {}: {error}\n{}",
                    self.url(),
                    self.text()
                ),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks on an element, as a person with a mouse does.
    pub fn click(&self, css: &str) {
        let id = self.find("css selector", css);
        self.ask("POST", &format!("/element/{id}/click"), Some(json!({})));
    }

    /// Clicks on a link with these words.
    pub fn follow(&self, words: &str) {
        let id = self.find("link text", words);
        self.ask("POST", &format!("/element/{id}/click"), Some(json!({})));
    }

    /// Types into a field, after what is there.
    pub fn fill(&self, css: &str, text: &str) {
        let id = self.find("css selector", css);
        self.ask("POST", &format!("/element/{id}/value"), Some(json!({ "text": text })));
    }

    /// What the page complained about: violations of its policy, failed scripts and requests.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.ask("POST", "/se/log", Some(json!({ "type": "browser" })));
        let entries = log.as_array().into_iter().flatten();
        let severe = entries.filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.try_ask("DELETE", "", None);
    }
}
