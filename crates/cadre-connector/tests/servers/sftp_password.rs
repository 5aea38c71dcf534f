//! Logging in with a password. OpenSSH would compare it with that of the machine's user, which tests do
//! not know, so a server in this process asks for it, both ways that servers do. It has no SFTP: a
//! log-in that worked shows by being refused that.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cadre_connector::transport::sftp::{Sftp, SftpAccount, SftpLimits};
use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, Config, Handler, Response};
use russh::{MethodKind, MethodSet};
use tokio::net::TcpListener;

const PASSWORD: &str = "let me in";

struct Server {
    asks: MethodKind,
    tries: Arc<AtomicUsize>,
}

impl Server {
    fn judge(&self, password: &[u8]) -> Auth {
        self.tries.fetch_add(1, Ordering::Relaxed);
        if password == PASSWORD.as_bytes() { Auth::Accept } else { Auth::reject() }
    }
}

impl Handler for Server {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(if self.asks == MethodKind::Password {
            self.judge(password.as_bytes())
        } else {
            Auth::reject()
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Borrowed(&[(Cow::Borrowed("Password: "), false)]),
            });
        };
        let answer = response.next().unwrap_or_default();
        Ok(self.judge(&answer))
    }
}

/// Starts a server that asks for the password in one way; returns its port and the counter of tries.
async fn serve(asks: MethodKind) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("bound").port();
    let key =
        PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).expect("a key");
    let config = Arc::new(Config {
        keys: vec![key],
        methods: MethodSet::from([asks].as_slice()),
        auth_rejection_time: Duration::ZERO,
        ..Config::default()
    });
    let tries = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tries);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = Server { asks, tries: Arc::clone(&counter) };
            if let Ok(session) =
                russh::server::run_stream(Arc::clone(&config), stream, server).await
            {
                tokio::spawn(session);
            }
        }
    });
    (port, tries)
}

async fn log_in(port: u16, password: &str) -> Code {
    let account = SftpAccount {
        host: "localhost".to_owned(),
        port,
        username: "anna".to_owned(),
        password: Some(Secret::from(password)),
        private_key: None,
        host_key: None,
    };
    let limits = SftpLimits { allow_private: true, ..SftpLimits::default() };
    Sftp::connect(&account, limits).await.err().expect("there is no SFTP").fault.code
}

#[tokio::test]
async fn a_password_is_taken_however_the_server_asks_for_it() {
    for asks in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let (port, tries) = serve(asks).await;
        assert_eq!(log_in(port, PASSWORD).await, Code::IntegrationPermissionMissing, "{asks:?}");
        assert_eq!(log_in(port, "wrong").await, Code::IntegrationAuthenticationInvalid, "{asks:?}");
        assert_eq!(tries.load(Ordering::Relaxed), 2, "a wrong password is offered once: {asks:?}");
    }
}
