//! A real OpenSSH server with an SFTP folder, on a port of the loopback device.
//!
//! It runs as whoever runs the tests, with keys and configuration of its own in a temporary folder; the
//! machine's SSH server is not touched. Package `openssh-server` must be installed; nothing of it needs
//! to be running.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian and most others have it. It must be named with its whole path: sshd starts itself again.
const SSHD: &str = "/usr/sbin/sshd";
const START_TIMEOUT: Duration = Duration::from_secs(20);
const START_ATTEMPTS: usize = 5;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct OpenSsh {
    child: Child,
    dir: TempDir,
    port: u16,
    user: String,
}

/// Kinds of keys that a user may log in with.
#[derive(Debug, Clone, Copy)]
pub enum UserKey {
    /// Ed25519 in OpenSSH's own format.
    Ed25519,
    /// RSA in PEM, as older tools write it.
    RsaPem,
    /// Ed25519, encrypted with [`OpenSsh::PASS_PHRASE`].
    Encrypted,
}

impl OpenSsh {
    /// Pass phrase of [`UserKey::Encrypted`].
    pub const PASS_PHRASE: &'static str = "correct horse";

    /// Starts a server that takes the user's keys (and the password of the machine, where it may look).
    ///
    /// # Panics
    ///
    /// When the server does not start; the message says why.
    #[must_use]
    pub fn start() -> Self {
        Self::start_denying("")
    }

    /// Starts a server that refuses some requests of the protocol: a list as for option `-P` of
    /// `sftp-server`, for example `opendir` or `open`.
    ///
    /// # Panics
    ///
    /// When the server does not start; the message says why.
    #[must_use]
    pub fn start_denying(requests: &str) -> Self {
        let deny = if requests.is_empty() { String::new() } else { format!(" -P {requests}") };
        Self::start_with(|root| format!("Subsystem sftp internal-sftp -d {root}{deny}"))
    }

    /// Starts a server that lets users in, but has no SFTP for them.
    ///
    /// # Panics
    ///
    /// When the server does not start; the message says why.
    #[must_use]
    pub fn start_without_sftp() -> Self {
        Self::start_with(|_| String::new())
    }

    fn start_with(subsystem: impl Fn(&str) -> String) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, kind) in [("host_ed25519", "ed25519"), ("host_ecdsa", "ecdsa")] {
            make_key(&dir.path().join(name), kind, "", false);
        }
        fs::create_dir(dir.path().join("files")).expect("a folder for files");
        fs::create_dir(dir.path().join("keys")).expect("a folder for keys");
        fs::write(dir.path().join("authorized_keys"), "").expect("no keys yet");
        // The folder that a server started by root wants; packages make it when the system starts.
        let _ = fs::create_dir_all("/run/sshd");
        let files = dir.path().join("files");
        let subsystem = subsystem(&files.display().to_string());
        for _ in 0..START_ATTEMPTS {
            let port = free_port();
            fs::write(dir.path().join("sshd_config"), config(dir.path(), port, &subsystem))
                .expect("a configuration");
            let child = spawn(dir.path());
            if let Some(child) = wait_until_up(child, port) {
                return Self { child, dir, port, user: user_name() };
            }
        }
        let log = fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        panic!("sshd did not start (is the package openssh-server installed?): {log}");
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user to log in as: the one who runs the tests.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The folder in which a user arrives, to put files into.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// Makes a key, lets its owner in, and returns the text of its private half.
    #[must_use]
    pub fn private_key(&self, kind: UserKey) -> String {
        let path = self.dir.path().join("keys").join(format!("{kind:?}"));
        if !path.exists() {
            match kind {
                UserKey::Ed25519 => make_key(&path, "ed25519", "", false),
                UserKey::RsaPem => make_key(&path, "rsa", "", true),
                UserKey::Encrypted => make_key(&path, "ed25519", Self::PASS_PHRASE, false),
            }
            let public = fs::read_to_string(path.with_extension("pub")).expect("the public half");
            let authorized = self.dir.path().join("authorized_keys");
            let mut known = fs::read_to_string(&authorized).expect("the keys so far");
            known.push_str(&public);
            fs::write(authorized, known).expect("one key more");
        }
        fs::read_to_string(path).expect("the private half")
    }

    /// The `SHA256:…` fingerprint of the server's Ed25519 key, which clients prefer.
    #[must_use]
    pub fn host_key(&self) -> String {
        self.fingerprint("host_ed25519.pub")
    }

    /// The `SHA256:…` fingerprint of the server's other key.
    #[must_use]
    pub fn second_host_key(&self) -> String {
        self.fingerprint("host_ecdsa.pub")
    }

    fn fingerprint(&self, file: &str) -> String {
        let output = Command::new("ssh-keygen")
            .args(["-l", "-E", "sha256", "-f"])
            .arg(self.dir.path().join(file))
            .output()
            .expect("ssh-keygen runs");
        let line = String::from_utf8(output.stdout).expect("text");
        line.split(' ').nth(1).expect("a fingerprint").to_owned()
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(dir: &Path, port: u16, subsystem: &str) -> String {
    let dir = dir.display();
    format!(
        "Port {port}\n\
         ListenAddress 127.0.0.1\n\
         HostKey {dir}/host_ed25519\n\
         HostKey {dir}/host_ecdsa\n\
         PidFile none\n\
         AuthorizedKeysFile {dir}/authorized_keys\n\
         PasswordAuthentication yes\n\
         KbdInteractiveAuthentication no\n\
         UsePAM no\n\
         StrictModes no\n\
         PermitRootLogin yes\n\
         UseDNS no\n\
         MaxStartups 100\n\
         AllowTcpForwarding no\n\
         X11Forwarding no\n\
         {subsystem}\n"
    )
}

fn spawn(dir: &Path) -> Child {
    let log = File::create(dir.join("log")).expect("a log file");
    Command::new(SSHD)
        .args(["-D", "-e", "-f"])
        .arg(dir.join("sshd_config"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("sshd starts; it is in the package openssh-server")
}

fn make_key(path: &Path, kind: &str, pass_phrase: &str, pem: bool) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-N", pass_phrase, "-C", "test", "-f"]).arg(path);
    if pem {
        command.args(["-m", "PEM"]);
    }
    let status = command.status().expect("ssh-keygen runs; it is in the package openssh-client");
    assert!(status.success(), "ssh-keygen makes a key of kind {kind}");
}

fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// A port that was free a moment ago; whoever starts on it must be ready to find it taken.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// Waits until the port is open; `None` when the process ended or never opened it.
pub(crate) fn wait_until_up(mut child: Child, port: u16) -> Option<Child> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let start = Instant::now();
    while start.elapsed() < START_TIMEOUT {
        if child.try_wait().expect("the state of a child").is_some() {
            return None;
        }
        if TcpStream::connect(address).is_ok() {
            return Some(child);
        }
        sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
