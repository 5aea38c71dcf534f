//! A real Tryton server with the module *company*, on a port of the loopback device.
//!
//! `scripts/setup` installs it under `target/servers`, and makes the database that each server starts
//! with a copy of: making one takes longer than all the tests on it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::openssh::{free_port, wait_until_up};
use crate::scim_service::installed;

const START_ATTEMPTS: usize = 5;

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Tryton {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Tryton {
    /// Name of the database.
    pub const DATABASE: &'static str = "cadre";
    /// Name of its user, who may do everything.
    pub const USER: &'static str = "admin";
    /// Their password; `scripts/setup` sets it.
    pub const PASSWORD: &'static str = "tryton-test-password";

    /// Starts a server with a database that has no companies and no employees.
    ///
    /// # Panics
    ///
    /// When it does not start; the message says why.
    #[must_use]
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers/data");
        fs::copy(made.join("cadre.sqlite"), dir.path().join("cadre.sqlite"))
            .expect("the database is there; scripts/setup makes it");
        let config = dir.path().join("trytond.conf");
        for _ in 0..START_ATTEMPTS {
            let port = free_port();
            let path = dir.path().display();
            let text = format!(
                "[database]\nuri = sqlite://\npath = {path}\n[web]\nlisten = 127.0.0.1:{port}\n"
            );
            fs::write(&config, text).expect("a configuration");
            let child = Command::new(installed("trytond"))
                .arg("-c")
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("trytond runs; scripts/setup installs it");
            if let Some(child) = wait_until_up(child, port) {
                return Self { child, port, _dir: dir };
            }
        }
        panic!("trytond did not start: run target/servers/bin/trytond to see why");
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Tryton {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
