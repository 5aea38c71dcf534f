//! Connections that are opened with a client's certificate, against a server that asks for one.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cadre_connector::{ClientIdentity, HttpRequest, HttpSend, SendError, Wire, WireOptions};
use tempfile::TempDir;

use crate::openssh::{free_port, wait_until_up};

/// Says to this very program that it is the one that trusts the test's authority.
const FOLDER: &str = "CADRE_TEST_CERTIFICATES";

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let output = output.expect("openssl runs; it is in the package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Two authorities; a server and a client of the first, and a client of the second.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for authority in ["ours", "theirs"] {
        let subject = format!("-subj /CN={authority}");
        openssl(
            at,
            &format!(
                "req -x509 {key} -days 30 {subject} -keyout {authority}.key -out {authority}.pem"
            ),
        );
    }
    std::fs::write(at.join("server.ext"), "subjectAltName=DNS:localhost\n").expect("written");
    std::fs::write(at.join("client.ext"), "extendedKeyUsage=clientAuth\n").expect("written");
    for (name, authority, kind) in [
        ("server", "ours", "server"),
        ("client", "ours", "client"),
        ("stranger", "theirs", "client"),
    ] {
        openssl(at, &format!("req -new {key} -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        let signer = format!("-CA {authority}.pem -CAkey {authority}.key -CAcreateserial");
        openssl(
            at,
            &format!(
                "x509 -req -days 30 -in {name}.csr {signer} -extfile {kind}.ext -out {name}.pem"
            ),
        );
    }
    folder
}

/// A server that ends when this is dropped.
struct Server(Child, u16);

impl Server {
    fn start(folder: &Path) -> Server {
        for _ in 0..5 {
            let port = free_port();
            let child = Command::new("openssl")
                .args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}")])
                .args(["-cert", "server.pem", "-key", "server.key", "-CAfile", "ours.pem"])
                .args(["-Verify", "2", "-verify_return_error"])
                .current_dir(folder)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("openssl runs");
            if let Some(child) = wait_until_up(child, port) {
                return Server(child, port);
            }
        }
        panic!("openssl s_server did not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn ask(folder: &Path, port: u16, name: Option<&str>) -> Result<u16, SendError> {
    let read = |ending: &str, name: &str| {
        std::fs::read_to_string(folder.join(format!("{name}.{ending}"))).expect("made before")
    };
    let url = format!("https://localhost:{port}/").parse().expect("a URL");
    let mut request = HttpRequest::new("GET", url);
    request.identity = name.map(|name| ClientIdentity::new(&read("pem", name), &read("key", name)));
    let options = WireOptions { allow_private: true, ..WireOptions::default() };
    let wire = Wire::new(options).expect("a client");
    Ok(wire.send(request, Duration::from_secs(10)).await?.status)
}

#[tokio::test]
async fn a_certificate_opens_the_connection() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        // What is trusted is read from the environment, which a running program does not change: this
        // test runs once more, in a program of its own.
        let folder = certificates();
        let this = std::env::current_exe().expect("this program");
        let test = "certificate::a_certificate_opens_the_connection";
        let output = Command::new(this)
            .args([test, "--exact", "--nocapture"])
            .env("SSL_CERT_FILE", folder.path().join("ours.pem"))
            .env(FOLDER, folder.path())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        return;
    };
    let folder = Path::new(&folder);
    let server = Server::start(folder);
    assert_eq!(ask(folder, server.1, Some("client")).await, Ok(200));
    let error = ask(folder, server.1, Some("stranger")).await.expect_err("a stranger");
    assert!(matches!(error, SendError::CertificateRefused(_)), "{error:?}");
    assert!(ask(folder, server.1, None).await.is_err());
    let mut broken = HttpRequest::new("GET", "https://localhost/".parse().expect("a URL"));
    broken.identity = Some(ClientIdentity::new("no certificate", "no key"));
    let wire = Wire::new(WireOptions { allow_private: true, ..WireOptions::default() });
    let sent = wire.expect("a client").send(broken, Duration::from_secs(5)).await;
    assert!(matches!(sent, Err(SendError::Unsendable(_))), "{sent:?}");
}
