//! A real SCIM 2.0 service (`scim2-server` of PyPI), on a port of the loopback device.
//!
//! `scripts/setup` installs it under `target/servers`. It keeps what it is given in memory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::openssh::{free_port, wait_until_up};

const START_ATTEMPTS: usize = 5;

/// A running service; it ends when this is dropped.
#[derive(Debug)]
pub struct ScimService {
    child: Child,
    port: u16,
}

impl ScimService {
    /// The bearer token that it takes.
    pub const TOKEN: &'static str = "scim-test-token";

    /// Starts a service without users and groups.
    ///
    /// # Panics
    ///
    /// When it does not start; the message says why.
    #[must_use]
    pub fn start() -> Self {
        for _ in 0..START_ATTEMPTS {
            let port = free_port();
            let child = Command::new(installed("scim2-server"))
                .args(["--hostname", "127.0.0.1", "--port", &port.to_string()])
                .args(["--bearer-token", Self::TOKEN])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("scim2-server runs; scripts/setup installs it");
            if let Some(child) = wait_until_up(child, port) {
                return Self { child, port };
            }
        }
        panic!("scim2-server did not start: run target/servers/bin/scim2-server to see why");
    }

    /// Where it is, up to the version.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v2", self.port)
    }
}

impl Drop for ScimService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of the Python environment that `scripts/setup` makes.
pub(crate) fn installed(program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers/bin");
    let path = root.join(program);
    assert!(path.exists(), "{program} is not installed: run scripts/setup");
    path
}
