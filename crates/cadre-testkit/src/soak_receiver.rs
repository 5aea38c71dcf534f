//! Who is told in the fault harness: a process of its own, which is killed at random points. It checks each
//! signature, writes down what it takes before it answers, and sometimes answers badly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use sha2::Sha256;

/// Set for the process that is the receiver: what it needs, as JSON.
pub const RECEIVER: &str = "CADRE_SOAK_RECEIVER";

/// The receiver, seen from the harness.
pub struct Receiver {
    program: PathBuf,
    file: PathBuf,
    secret: String,
    seed: u64,
    address: SocketAddr,
    process: Option<Child>,
    /// How often it was killed.
    pub killed: u64,
}

/// What it took, and what is wrong about that.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Told {
    /// Different messages.
    pub messages: u64,
    /// Messages that came again.
    pub again: u64,
    /// Numbers that never came although higher ones were given.
    pub lost: u64,
    /// Messages that came before an earlier one about the same thing.
    pub out_of_order: u64,
    /// Numbers that came with another message, and signatures that were wrong.
    pub false_numbers: u64,
}

impl Receiver {
    /// Starts it on a port of its own. `program` is a binary that calls [`receive`] when it is told so.
    ///
    /// # Errors
    ///
    /// When the process does not start.
    pub fn start(program: &Path, file: PathBuf, secret: &str, seed: u64) -> Result<Receiver> {
        let mut receiver = Receiver {
            program: program.to_owned(),
            file,
            secret: secret.to_owned(),
            seed,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            process: None,
            killed: 0,
        };
        receiver.revive()?;
        Ok(receiver)
    }

    /// Where messages go.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Starts it again where it was, if it is not there.
    ///
    /// # Errors
    ///
    /// When the process does not start.
    pub fn revive(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        self.seed = self.seed.wrapping_add(1);
        let told = json!({
            "address": self.address, "file": self.file, "secret": self.secret, "seed": self.seed,
        });
        let mut process = Command::new(&self.program)
            .env(RECEIVER, told.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| Error::other("no output"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        self.address = line.trim().parse().map_err(Error::other)?;
        self.process = Some(process);
        Ok(())
    }

    /// SIGKILL, wherever it is.
    ///
    /// # Errors
    ///
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
            self.killed += 1;
        }
        Ok(())
    }

    /// Looks at everything that was taken: `last` is the number of the latest message.
    ///
    /// # Errors
    ///
    /// When what was written down cannot be read.
    pub fn judge(&self, last: i64) -> Result<Told> {
        let mut told = Told::default();
        let mut seen: BTreeMap<i64, String> = BTreeMap::new();
        let mut latest: BTreeMap<String, i64> = BTreeMap::new();
        for line in BufReader::new(File::open(&self.file)?).lines() {
            let line = line?;
            let mut words = line.split(' ');
            let sequence = words.next().and_then(|word| word.parse::<i64>().ok()).unwrap_or(-1);
            let id = words.next().unwrap_or_default().to_owned();
            let subject = words.next().unwrap_or_default().to_owned();
            match seen.get(&sequence) {
                _ if sequence < 1 => told.false_numbers += 1,
                Some(known) if *known == id => told.again += 1,
                Some(_) => told.false_numbers += 1,
                None => {
                    seen.insert(sequence, id);
                    let before = latest.insert(subject, sequence).unwrap_or_default();
                    told.out_of_order += u64::from(before > sequence);
                }
            }
        }
        told.messages = seen.len() as u64;
        let all: BTreeSet<i64> = (1..=last).collect();
        told.lost = all.iter().filter(|number| !seen.contains_key(number)).count() as u64;
        told.false_numbers += seen.keys().filter(|number| !all.contains(number)).count() as u64;
        Ok(told)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

struct Taking {
    file: Mutex<File>,
    secret: String,
    dice: Mutex<StdRng>,
}

/// Is the receiver: takes messages until standard input is closed.
///
/// # Errors
///
/// When it cannot listen, or not write.
pub async fn receive(told: &str) -> Result<()> {
    let told: Value = serde_json::from_str(told)?;
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let taking = Taking {
        file: Mutex::new(OpenOptions::new().create(true).append(true).open(text("file"))?),
        secret: text("secret"),
        dice: Mutex::new(StdRng::seed_from_u64(told["seed"].as_u64().unwrap_or_default())),
    };
    let router = axum::Router::new().fallback(take).with_state(Arc::new(taking));
    let listener = tokio::net::TcpListener::bind(text("address")).await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    std::io::stdout().flush()?;
    let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        served = axum::serve(listener, router) => served,
        _ = closed => Ok(()),
    }
}

async fn take(State(taking): State<Arc<Taking>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(taking.secret.as_bytes()).expect("a key of any length");
    mac.update(&body);
    let expected = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let signed = header("x-kombo-signature") == Some(&expected);
    let sequence = if signed { message["sequence"].as_i64().unwrap_or(-1) } else { -1 };
    let data = &message["data"];
    let issue = data["issue"]["id"].as_str();
    let subject = issue.or_else(|| data["integration_id"].as_str()).unwrap_or("-");
    let line = format!("{sequence} {} {subject}\n", header("webhook-id").unwrap_or("-"));
    let fate = taking.dice.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..100);
    if fate < 5 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let mut file = taking.file.lock().unwrap_or_else(PoisonError::into_inner);
    // One write: a process that is killed has written a line, or has not.
    if file.write_all(line.as_bytes()).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    // It has worked on the message, and its answer is lost.
    if fate < 8 { StatusCode::BAD_GATEWAY } else { StatusCode::NO_CONTENT }
}
