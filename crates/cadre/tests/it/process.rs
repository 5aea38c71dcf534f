//! A `cadre` process that a test owns.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary under test.
pub fn cadre() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cadre"));
    // The machine's own settings must not reach a test.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CADRE_")) {
        command.env_remove(name);
    }
    command
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project's root")
}

/// Runs a command to its end; panics with everything it printed if it failed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{command:?}\n{}", printed(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Everything a command printed.
pub fn printed(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A running process, ended when the test ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends SIGTERM and waits for the end; the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = self.pid().to_string();
        succeed(Command::new("kill").args(["-TERM", &pid]));
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if let Some(status) = self.0.try_wait().expect("a child can be waited for") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the process did not end within 30 seconds of SIGTERM");
    }

    /// Sends SIGKILL: nothing of the process gets a chance to tidy up.
    pub fn kill(mut self) {
        self.0.kill().expect("a child can be killed");
        self.0.wait().expect("a child can be waited for");
    }
}

/// A running demo and what its first line says.
pub struct Demo {
    pub process: Running,
    pub ready: Value,
}

impl Demo {
    /// Starts `cadre demo --json` on a free port and waits for its first line.
    pub fn start() -> Demo {
        let mut child = cadre()
            .args(["demo", "--json", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("the first line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line:?}"));
        Demo { process: Running(child), ready }
    }

    pub fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.ready))
    }

    pub fn integration(&self, tool: &str) -> &str {
        self.ready["integrations"][tool].as_str().unwrap_or_else(|| panic!("no {tool} in {}", self.ready))
    }
}

/// A server over a data folder of its own, started with `cadre serve`.
pub struct Server {
    pub process: Running,
    pub url: String,
    pub api_key: Option<String>,
}

impl Server {
    /// Starts `cadre serve`; `settings` are `CADRE_…` variables.
    pub fn start(data: &Path, settings: &[(&str, &str)]) -> Server {
        let port = free_port();
        let mut command = cadre();
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]).arg("--data-dir").arg(data);
        command.envs(settings.iter().copied()).stdout(Stdio::piped()).current_dir(data);
        let mut child = command.spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("piped");
        let (send, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let url = format!("http://127.0.0.1:{port}");
        let mut process = Running(child);
        wait_for(&url, &mut process);
        let printed: Vec<String> = lines.try_iter().collect();
        let key = printed.iter().find_map(|line| line.split_whitespace().find(|word| word.starts_with("ks_")));
        Server { process, url, api_key: key.map(str::to_owned) }
    }
}

fn wait_for(url: &str, process: &mut Running) {
    let address = url.trim_start_matches("http://").to_owned();
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if std::net::TcpStream::connect(&address).is_ok() {
            return;
        }
        assert!(process.0.try_wait().expect("a child can be asked").is_none(), "the server ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{url} did not answer within a minute");
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// A caller of the API.
pub struct Caller {
    client: reqwest::blocking::Client,
    pub url: String,
    pub key: String,
}

impl Caller {
    pub fn new(url: &str, key: &str) -> Caller {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
        Caller { client, url: url.to_owned(), key: key.to_owned() }
    }

    /// Sends a request with the key and the integration; status, headers and body.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        integration: Option<&str>,
        body: Option<&Value>,
    ) -> (u16, reqwest::header::HeaderMap, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        if let Some(integration) = integration {
            request = request.header("X-Integration-Id", integration);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let answer = request.send().expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().expect("text");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (status, headers, body)
    }

    /// Reads a whole list, page by page.
    pub fn list(&self, path: &str, integration: &str, page_size: u32) -> Vec<Value> {
        let mut records = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
            let glue = if path.contains('?') { '&' } else { '?' };
            let page = format!("{path}{glue}page_size={page_size}{query}");
            let (status, _, body) = self.send("GET", &page, Some(integration), None);
            assert_eq!(status, 200, "{page}: {body}");
            records.extend(body["data"]["results"].as_array().expect("results").iter().cloned());
            match body["data"]["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return records,
            }
        }
    }
}
