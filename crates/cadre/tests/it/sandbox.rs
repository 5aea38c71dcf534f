//! The made-up tools, told by a test what goes wrong.

use cadre_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};

/// Running tools; they run until the tests end.
pub struct Tools {
    pub base_url: String,
    pub client_id: String,
    pub client_secret: String,
    client: reqwest::blocking::Client,
}

impl Tools {
    /// Starts them with this many employees.
    pub fn start(employees: usize) -> Tools {
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let options =
                    SandboxOptions { employees, rate_limit: None, ..SandboxOptions::default() };
                let running = Sandbox::start(options).await.expect("the tools start");
                let credentials = (
                    running.base_url.clone(),
                    running.client_id.clone(),
                    running.client_secret.clone(),
                );
                send.send(credentials).expect("the test waits");
                // Until the process ends.
                std::future::pending::<()>().await;
                drop(running);
            });
        });
        let (base_url, client_id, client_secret) = receive.recv().expect("the tools start");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Tools { base_url, client_id, client_secret, client: reqwest::blocking::Client::new() }
    }

    /// The connect form of the HRIS.
    pub fn form(&self) -> [(&str, &str); 3] {
        [
            ("base_url", &self.base_url),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ]
    }

    /// Orders a fault for the requests whose path begins so and whose query contains this; `times` 0 is
    /// until [`Tools::heal`].
    pub fn fail(&self, path: &str, query: &str, times: u32, fault: &str) {
        let order =
            json!({"match": {"path": path, "query": query}, "times": times, "fault": fault});
        self.admin(reqwest::Method::POST, "faults", &order);
    }

    /// Takes all faults back.
    pub fn heal(&self) {
        self.admin(reqwest::Method::DELETE, "faults", &Value::Null);
    }

    /// Changes the data.
    pub fn change(&self, changes: &Value) {
        self.admin(reqwest::Method::POST, "mutate", changes);
    }

    fn admin(&self, method: reqwest::Method, what: &str, body: &Value) {
        let url = format!("{}/admin/{what}", self.base_url);
        let request = self.client.request(method, url).header("Content-Type", "application/json");
        let answer = request.body(body.to_string()).send().expect("the tools answer");
        assert!(answer.status().is_success(), "{}", answer.text().expect("text"));
    }
}
