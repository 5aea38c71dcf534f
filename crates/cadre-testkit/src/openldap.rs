//! A real OpenLDAP server with a small company in it, on a port of the loopback device.
//!
//! It runs as whoever runs the tests, with configuration and database of its own in a temporary folder.
//! Packages `slapd` and `openssl` must be installed; nothing of them needs to be running.
//!
//! The company is `openldap/company.ldif`. Who may log in, always with [`OpenLdap::PASSWORD`]:
//!
//! | name | may |
//! | --- | --- |
//! | [`OpenLdap::READER`] | read everything |
//! | [`OpenLdap::LIMITED`] | read everything, three entries at a time without paging |
//! | [`OpenLdap::CAPPED`] | read everything, but only three entries of any search |
//! | [`OpenLdap::FORBIDDEN`] | know that people are there, but not search them |

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::openssh::{free_port, wait_until_up};

const SLAPD: &str = "/usr/sbin/slapd";
const SLAPADD: &str = "/usr/sbin/slapadd";
const START_ATTEMPTS: usize = 5;
const COMPANY: &str = include_str!("openldap/company.ldif");

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct OpenLdap {
    child: Child,
    dir: TempDir,
    port: u16,
    tls_port: u16,
}

impl OpenLdap {
    /// What everything is below.
    pub const BASE: &'static str = "dc=example,dc=org";
    /// Password of every user.
    pub const PASSWORD: &'static str = "reading is fine";
    /// May read everything.
    pub const READER: &'static str = "cn=reader,ou=Services,dc=example,dc=org";
    /// Gets three entries at most when it does not ask for pages.
    pub const LIMITED: &'static str = "cn=limited,ou=Services,dc=example,dc=org";
    /// Gets three entries at most, in pages or not.
    pub const CAPPED: &'static str = "cn=capped,ou=Services,dc=example,dc=org";
    /// May not search the people.
    pub const FORBIDDEN: &'static str = "cn=forbidden,ou=Services,dc=example,dc=org";

    /// Starts the server with the company in it.
    ///
    /// # Panics
    ///
    /// When the server does not start; the message says why.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// Starts the server with more entries than the company has: an LDIF of entries.
    ///
    /// # Panics
    ///
    /// When the server does not start, or does not take the entries; the message says why.
    #[must_use]
    pub fn start_with(more: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(dir.path().join("db")).expect("a folder for the database");
        make_certificate(dir.path());
        fs::write(dir.path().join("slapd.conf"), config(dir.path())).expect("a configuration");
        fs::write(dir.path().join("company.ldif"), format!("{COMPANY}\n{more}"))
            .expect("the entries");
        load(dir.path());
        for _ in 0..START_ATTEMPTS {
            let (port, tls_port) = (free_port(), free_port());
            let child = spawn(dir.path(), port, tls_port);
            if let Some(child) = wait_until_up(child, port) {
                return Self { child, dir, port, tls_port };
            }
        }
        let log = fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        panic!("slapd did not start (is the package slapd installed?): {log}");
    }

    /// `ldap://127.0.0.1:…`
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// `ldaps://localhost:…`; the certificate is for this name.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("ldaps://localhost:{}", self.tls_port)
    }

    /// `ldap://localhost:…`; the name that the certificate is for, to be used with StartTLS.
    #[must_use]
    pub fn starttls_url(&self) -> String {
        format!("ldap://localhost:{}", self.port)
    }

    /// The certificate to trust, as PEM.
    #[must_use]
    pub fn certificate(&self) -> String {
        fs::read_to_string(self.dir.path().join("cert.pem")).expect("a certificate")
    }

    /// Changes entries: an LDIF of changes, as for `ldapmodify` (package `ldap-utils`).
    ///
    /// # Panics
    ///
    /// When the server does not take them.
    pub fn modify(&self, ldif: &str) {
        let file = self.dir.path().join("changes.ldif");
        fs::write(&file, ldif).expect("the changes");
        let output = Command::new("ldapmodify")
            .args([
                "-x",
                "-H",
                &self.url(),
                "-D",
                "cn=admin,dc=example,dc=org",
                "-w",
                Self::PASSWORD,
                "-f",
            ])
            .arg(file)
            .output()
            .expect("ldapmodify runs; it is in the package ldap-utils");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for OpenLdap {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(dir: &Path) -> String {
    let dir = dir.display();
    let password = OpenLdap::PASSWORD;
    format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         include /etc/ldap/schema/nis.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         TLSCertificateFile {dir}/cert.pem\n\
         TLSCertificateKeyFile {dir}/key.pem\n\
         database mdb\n\
         maxsize 67108864\n\
         suffix \"{base}\"\n\
         rootdn \"cn=admin,{base}\"\n\
         rootpw \"{password}\"\n\
         directory {dir}/db\n\
         limits dn.exact=\"{limited}\" size=3 size.prtotal=unlimited\n\
         limits dn.exact=\"{capped}\" size=3 size.prtotal=3\n\
         limits * size=unlimited\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to dn.subtree=\"ou=People,{base}\" by dn.exact=\"{forbidden}\" disclose by users read\n\
         access to * by users read by anonymous auth\n",
        base = OpenLdap::BASE,
        limited = OpenLdap::LIMITED,
        capped = OpenLdap::CAPPED,
        forbidden = OpenLdap::FORBIDDEN,
    )
}

fn make_certificate(dir: &Path) {
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        // It stands for itself, not for others: rustls does not take an authority for a server.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .output()
        .expect("openssl runs; it is in the package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn load(dir: &Path) {
    let output = Command::new(SLAPADD)
        .arg("-f")
        .arg(dir.join("slapd.conf"))
        .arg("-l")
        .arg(dir.join("company.ldif"))
        .output()
        .expect("slapadd runs; it is in the package slapd");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn spawn(dir: &Path, port: u16, tls_port: u16) -> Child {
    let log = File::create(dir.join("log")).expect("a log file");
    Command::new(SLAPD)
        .arg("-h")
        .arg(format!("ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{tls_port}/"))
        .arg("-f")
        .arg(dir.join("slapd.conf"))
        // Any level keeps it in the foreground; this one logs nothing but failures.
        .args(["-d", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("slapd starts; it is in the package slapd")
}
