//! A `cadre` process that a test owns.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
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

/// Runs a command to its end, which must be this exit code, without a panic; everything it printed.
pub fn fail(code: i32, command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let words = printed(&output);
    assert_eq!(output.status.code(), Some(code), "{command:?}\n{words}");
    assert!(!words.contains("panicked") && !words.contains("thread '"), "{command:?}\n{words}");
    assert!(!words.trim().is_empty(), "{command:?} said nothing");
    words
}

/// Everything a command printed.
pub fn printed(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
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
        self.ready["integrations"][tool]
            .as_str()
            .unwrap_or_else(|| panic!("no {tool} in {}", self.ready))
    }
}

/// A data folder, and the settings under which everything about it is done.
pub struct Installation {
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
    starts: AtomicU32,
}

impl Installation {
    /// A new one; tools on this machine may be reached. `settings` are `CADRE_…` variables.
    pub fn new(settings: &[(&str, &str)]) -> Installation {
        let mut all = vec![
            ("CADRE_ALLOW_PRIVATE_NETWORKS".to_owned(), "true".to_owned()),
            ("CADRE_LEASE_SECONDS".to_owned(), "2".to_owned()),
        ];
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let folder = tempfile::tempdir().expect("a folder");
        Installation { folder, settings: all, starts: AtomicU32::new(0) }
    }

    /// Where it keeps its files; commands run in this folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file beside the data folder; its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// A command of the binary, not yet run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cadre();
        command.args(arguments).arg("--data-dir").arg(self.folder().join("data"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder());
        command
    }

    /// Runs a command that must succeed; what it printed on standard output.
    pub fn run(&self, arguments: &[&str]) -> String {
        succeed(&mut self.command(arguments))
    }

    /// Runs a command that must fail; everything it printed.
    pub fn refuse(&self, arguments: &[&str]) -> String {
        fail(1, &mut self.command(arguments))
    }

    /// Links an account without asking the tool; the id of the integration.
    pub fn link(&self, tool: &str, fields: &[(&str, &str)], more: &[&str]) -> String {
        let mut arguments = vec!["integration", "create", "--tool", tool, "--no-check"];
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.iter().for_each(|field| arguments.extend(["--field", field]));
        arguments.extend(more);
        self.run(&arguments).lines().next().expect("the id").to_owned()
    }

    /// Syncs without a server; everything that was printed, whatever the end.
    pub fn sync(&self, integration: &str) -> String {
        let output =
            self.command(&["integration", "sync", integration]).output().expect("it starts");
        let words = printed(&output);
        assert!(!words.contains("panicked"), "{words}");
        words
    }

    /// The values of the latest sync that did not fit.
    pub fn issues(&self, integration: &str) -> String {
        self.run(&["integration", "issues", integration])
    }

    /// A new API key of the environment for production.
    pub fn key(&self) -> String {
        self.run(&["key", "create"]).trim().to_owned()
    }

    /// Starts `cadre serve` on a free port and waits until it listens.
    pub fn serve(&self) -> Server {
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        let file = |kind: &str| self.folder().join(format!("serve-{start}.{kind}"));
        let open = |path: &Path| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .expect("a file for what it prints")
        };
        let (out, log) = (file("out"), file("log"));
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let child =
            command.stdout(open(&out)).stderr(open(&log)).spawn().expect("the binary starts");
        let mut process = Running(child);
        let url = listening(&mut process, &log);
        let out = std::fs::read_to_string(out).expect("UTF-8");
        let key = out.split_whitespace().find(|word| word.starts_with("ks_")).map(str::to_owned);
        Server { process, url, api_key: key, log }
    }
}

/// A server, started with `cadre serve`.
pub struct Server {
    pub process: Running,
    pub url: String,
    /// Printed at the first start only.
    pub api_key: Option<String>,
    log: PathBuf,
}

impl Server {
    /// A caller with the key of the first start.
    pub fn caller(&self) -> Caller {
        Caller::new(&self.url, self.api_key.as_deref().expect("a key at the first start"))
    }

    /// The process log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("UTF-8")
    }
}

/// Waits until the log says where the server listens.
fn listening(process: &mut Running, log: &Path) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        let text = std::fs::read_to_string(log).expect("UTF-8");
        let line = text.lines().find_map(|line| line.split_once("listening address="));
        if let Some((_, address)) = line {
            return format!("http://{}", address.trim());
        }
        assert!(
            process.0.try_wait().expect("a child can be asked").is_none(),
            "the server ended: {text}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the server did not listen within a minute");
}

/// An answer: status, headers, and the body as JSON, or as text where it is none.
pub type Answer = (u16, reqwest::header::HeaderMap, Value);

/// A caller of the API.
pub struct Caller {
    client: reqwest::blocking::Client,
    pub url: String,
    pub key: String,
}

impl Caller {
    pub fn new(url: &str, key: &str) -> Caller {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder()
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        Caller { client, url: url.to_owned(), key: key.to_owned() }
    }

    /// A request with the key, not yet sent.
    pub fn request(&self, method: &str, path: &str) -> reqwest::blocking::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    /// Sends a request with the key and the integration; status, headers and body.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        integration: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.request(method, path);
        if let Some(integration) = integration {
            request = request.header("X-Integration-Id", integration);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        answer(request)
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

    /// Waits for the end of the first sync.
    pub fn wait_until_readable(&self, integration: &str, path: &str, seconds: u64) {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut last = Value::Null;
        while Instant::now() < end {
            let (status, _, body) =
                self.send("GET", &format!("{path}?page_size=1"), Some(integration), None);
            if status == 200 {
                return;
            }
            last = body;
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the integration could not be read within {seconds} seconds: {last}");
    }
}

/// Sends a request.
pub fn answer(request: reqwest::blocking::RequestBuilder) -> Answer {
    let answer = request.send().expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().expect("text");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, headers, body)
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
