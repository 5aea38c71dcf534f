//! Webhooks of real servers: killed on the way, two at once, and the command line about them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cadre_testkit::paged_vendor;
use serde_json::{Value, json};

use super::crash::with_bench_vendor;
use super::process::Caller;

/// What every integration of these stories causes, in this order.
const TYPES: [&str; 3] = ["integration-created", "data-changed", "sync-finished"];

/// A message: `webhook-id` and body.
type Message = (String, Value);

/// A receiver that takes its time, so that a kill finds messages on their way.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    fn start(pause: Duration) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let got: Arc<Mutex<Vec<Message>>> = Arc::default();
        let all = got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let all = all.clone();
                std::thread::spawn(move || serve(stream, pause, &all));
            }
        });
        Receiver { url, got }
    }

    fn count(&self) -> usize {
        self.got.lock().expect("not poisoned").len()
    }

    fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.got.lock().expect("not poisoned"))
    }

    /// Waits until that many different messages came.
    fn wait(&self, different: usize) {
        let end = Instant::now() + Duration::from_secs(90);
        while Instant::now() < end {
            let mut ids: Vec<String> =
                self.got.lock().expect("not poisoned").iter().map(|one| one.0.clone()).collect();
            ids.sort();
            ids.dedup();
            if ids.len() >= different {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{} of {different} messages came", self.count());
    }
}

/// Answers the messages of one connection.
fn serve(stream: TcpStream, pause: Duration, all: &Mutex<Vec<Message>>) {
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    loop {
        let (mut id, mut length, mut lines) = (String::new(), 0, 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            lines += 1;
            let line = line.trim_end();
            if line.is_empty() && lines > 1 {
                break;
            }
            match line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value)) {
                Some((name, value)) if name == "webhook-id" => id = value.trim().to_owned(),
                Some((name, value)) if name == "content-length" => {
                    length = value.trim().parse().expect("a length");
                }
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body = serde_json::from_slice(&body).expect("JSON");
        all.lock().expect("not poisoned").push((id, body));
        std::thread::sleep(pause);
        if writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// The integration that an event is about.
fn subject(body: &Value) -> String {
    let data = &body["data"];
    let id = data.get("integration_id").or_else(|| data.get("id"));
    id.and_then(Value::as_str).expect("an integration").to_owned()
}

/// Holds what came to be complete and in order; a repetition must be the same message.
fn hold_complete(got: &[Message], expected: usize) {
    let mut first: BTreeMap<i64, &Message> = BTreeMap::new();
    let mut latest: BTreeMap<String, i64> = BTreeMap::new();
    for message in got {
        let sequence = message.1["sequence"].as_i64().expect("a number");
        if let Some(earlier) = first.get(&sequence) {
            assert_eq!(*earlier, message, "a repetition is the same");
            continue;
        }
        let before = latest.insert(subject(&message.1), sequence).unwrap_or_default();
        assert!(before < sequence, "{sequence} came after {before}");
        first.insert(sequence, message);
    }
    let numbers: Vec<i64> = first.keys().copied().collect();
    let all: Vec<i64> = (1..).take(expected).collect();
    assert_eq!(numbers, all, "no gap");
    for (integration, _) in latest {
        let of = first.values().filter(|message| subject(&message.1) == integration);
        let types: Vec<&str> = of.map(|message| message.1["type"].as_str().expect("one")).collect();
        assert_eq!(types, TYPES);
    }
}

fn killed(settings: &[(&str, &str)]) {
    const INTEGRATIONS: usize = 8;
    // Each start listens on another port; links in events lead to the one address that is public.
    let mut all = vec![("CADRE_PUBLIC_URL", "https://cadre.example.com")];
    all.extend(settings);
    let installation = with_bench_vendor(&all);
    let vendor = paged_vendor::start(5, Duration::ZERO);
    let receiver = Receiver::start(Duration::from_millis(150));
    let server = installation.serve();
    let key = server.caller().key;
    let caller = Caller::new(&server.url, &key);
    let body = json!({ "url": receiver.url, "types": TYPES });
    let (status, _, made) = caller.send("POST", "/v1/webhook-endpoints", None, Some(&body));
    assert_eq!(status, 200, "{made}");
    let mut server = Some(server);
    for _ in 0..INTEGRATIONS {
        installation.link("benchhr", &[("base_url", &vendor)], &[]);
        // Whatever is on its way is cut off: syncs, ledger, deliveries.
        let before = receiver.count();
        let end = Instant::now() + Duration::from_secs(10);
        while receiver.count() == before && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        server.take().expect("running").process.kill();
        server = Some(installation.serve());
    }
    receiver.wait(INTEGRATIONS * 3);
    hold_complete(&receiver.take(), INTEGRATIONS * 3);
}

#[test]
fn a_killed_server_loses_no_event_on_sqlite() {
    killed(&[]);
}

#[test]
fn a_killed_server_loses_no_event_on_postgres() {
    on_postgres(killed);
}

fn on_postgres(story: fn(&[(&str, &str)])) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server =
        cadre_testkit::postgres::Postgres::start().expect("PostgreSQL; scripts/setup installs it");
    let database = runtime.block_on(server.database());
    story(&[("CADRE_DATABASE_URL", database.url())]);
    runtime.block_on(database.remove());
}

/// Two servers share the work: each message comes once.
fn shared(settings: &[(&str, &str)]) {
    const INTEGRATIONS: usize = 6;
    let installation = with_bench_vendor(settings);
    let vendor = paged_vendor::start(5, Duration::ZERO);
    let receiver = Receiver::start(Duration::from_millis(20));
    let servers = [installation.serve(), installation.serve()];
    let mut create = vec!["webhook", "create", &receiver.url];
    TYPES.iter().for_each(|name| create.extend(["--type", name]));
    let printed = installation.run(&create);
    let id = printed.lines().next().expect("the id").to_owned();
    for _ in 0..INTEGRATIONS {
        installation.link("benchhr", &[("base_url", &vendor)], &[]);
    }
    receiver.wait(INTEGRATIONS * 3);
    // Nothing may come twice afterwards either.
    std::thread::sleep(Duration::from_secs(3));
    let got = receiver.take();
    assert_eq!(got.len(), INTEGRATIONS * 3, "{got:?}");
    hold_complete(&got, INTEGRATIONS * 3);
    let shown = installation.run(&["webhook", "show", &id]);
    assert!(shown.contains("waiting      0"), "{shown}");
    for server in servers {
        assert_eq!(server.process.terminate(), Some(0));
    }
}

#[test]
fn two_servers_deliver_once_on_sqlite() {
    shared(&[]);
}

#[test]
fn two_servers_deliver_once_on_postgres() {
    on_postgres(shared);
}

#[test]
fn the_command_line_says_what_to_do_next() {
    let installation = with_bench_vendor(&[]);
    let receiver = Receiver::start(Duration::ZERO);
    let empty = installation.run(&["webhook", "list"]);
    assert!(empty.contains("cadre webhook create"), "{empty}");
    let printed = installation.run(&["webhook", "create", &receiver.url, "--type", "data-changed"]);
    let id = printed.lines().next().expect("the id").to_owned();
    assert!(printed.contains("secret: whsec_"), "{printed}");
    assert!(printed.contains(&format!("cadre webhook test {id}")), "{printed}");
    let tried = installation.run(&["webhook", "test", &id]);
    assert!(tried.contains("taken: 200"), "{tried}");
    assert_eq!(receiver.take()[0].1["type"], "test");
    let paused = installation.run(&["webhook", "pause", &id]);
    assert!(paused.contains(&format!("cadre webhook resume {id}")), "{paused}");
    let listed = installation.run(&["webhook", "list"]);
    assert!(listed.contains("paused") && listed.contains("data-changed"), "{listed}");
    assert!(!listed.contains("whsec_"), "{listed}");
    installation.run(&["webhook", "resume", &id]);
    assert!(installation.run(&["webhook", "deliveries", &id]).contains("No deliveries yet"));
    let rotated = installation.run(&["webhook", "rotate", &id]);
    assert!(rotated.contains("secret: whsec_"), "{rotated}");
    let words = installation.refuse(&["webhook", "replay", &id]);
    assert!(words.contains("--after") && words.contains("--failed"), "{words}");
    let words = installation.refuse(&["webhook", "create", &receiver.url, "--type", "nothing"]);
    assert!(words.contains("data-changed"), "{words}");
    let words = installation.refuse(&["webhook", "create", "ftp://example.com"]);
    assert!(words.contains("https://"), "{words}");
    installation.run(&["webhook", "delete", &id]);
    let words = installation.refuse(&["webhook", "show", &id]);
    assert!(words.contains("cadre webhook list"), "{words}");
    // Nobody listens any more: the failure says what to look at.
    let port = super::process::free_port();
    let printed = installation.run(&["webhook", "create", &format!("http://127.0.0.1:{port}/")]);
    let id = printed.lines().next().expect("the id").to_owned();
    let words = installation.refuse(&["webhook", "test", &id]);
    assert!(words.contains("Check that the URL"), "{words}");
}
