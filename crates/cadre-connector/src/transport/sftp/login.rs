//! From a host name to an SFTP session: connection, server key, log-in, subsystem.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, MethodKind, MethodSet};
use russh_sftp::client::SftpSession;

use super::greeting::{Heard, Listened};
use super::{SftpAccount, SftpLimits};
use crate::transport::dial::dial;
use crate::transport::refusal::Refusal;

/// Rounds of questions that are answered in a log-in by questions.
const MAX_QUESTION_ROUNDS: usize = 4;

pub(super) type Connection = Handle<KeyCheck>;

/// Connects, checks the server's key, logs in, opens SFTP. Returns the fingerprint of the key as well.
pub(super) async fn log_in(
    account: &SftpAccount,
    limits: &SftpLimits,
) -> Result<(Connection, SftpSession, String), Refusal> {
    let pinned = match account.host_key.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(text) => Some(fingerprints(text)?),
    };
    let (mut connection, host_key) = shake_hands(account, limits, pinned.as_deref()).await?;
    authenticate(&mut connection, account).await?;
    let files = open_sftp(&connection, limits).await?;
    Ok((connection, files, host_key))
}

/// What the server showed, told to the one who waits for the connection.
#[derive(Default)]
struct Shown {
    fingerprint: String,
    algorithm: Option<Algorithm>,
}

/// Decides about the server's key, during the key exchange.
pub(super) struct KeyCheck {
    pinned: Option<Vec<String>>,
    shown: Arc<Mutex<Shown>>,
}

impl client::Handler for KeyCheck {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let (fingerprint, algorithm) = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                (key.fingerprint(HashAlg::Sha256), key.algorithm())
            }
            PublicKeyOrCertificate::Certificate(certificate) => (
                certificate.public_key().fingerprint(HashAlg::Sha256),
                certificate.public_key().algorithm(),
            ),
        };
        let fingerprint = fingerprint.to_string();
        let known = self.pinned.as_ref().is_none_or(|pinned| pinned.contains(&fingerprint));
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Shown { fingerprint, algorithm: Some(algorithm) };
        Ok(known)
    }
}

/// Connects and checks the key. A server has a key of each kind and shows the one we prefer; when that
/// is not the pinned one, the pinned one may be of another kind, so those are asked for as well.
async fn shake_hands(
    account: &SftpAccount,
    limits: &SftpLimits,
    pinned: Option<&[String]>,
) -> Result<(Connection, String), Refusal> {
    let mut kinds: Vec<Algorithm> = client::Config::default().preferred.key.to_vec();
    let mut seen = Vec::new();
    loop {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let check = KeyCheck { pinned: pinned.map(<[String]>::to_vec), shown: Arc::clone(&shown) };
        let stream =
            dial(&account.host, account.port, limits.allow_private, limits.connect_timeout).await?;
        let mut config = client::Config { nodelay: true, ..client::Config::default() };
        config.preferred.key = Cow::Owned(kinds.clone());
        let heard = Heard::default();
        let stream = Listened::new(stream, heard.clone());
        let outcome = client::connect_stream(Arc::new(config), stream, check).await;
        let shown = std::mem::take(&mut *shown.lock().unwrap_or_else(PoisonError::into_inner));
        match outcome {
            Ok(connection) => return Ok((connection, shown.fingerprint)),
            Err(russh::Error::UnknownKey) => {
                seen.push(shown.fingerprint);
                kinds.retain(|kind| !same_kind(kind, shown.algorithm.as_ref()));
                if kinds.is_empty() {
                    return Err(other_key(account, &seen));
                }
            }
            Err(russh::Error::NoCommonAlgo { .. }) if !seen.is_empty() => {
                return Err(other_key(account, &seen));
            }
            Err(error) if heard.foreign() => return Err(not_ssh(account).context(error)),
            Err(error) => return Err(broken(account, "setting up the connection", &error)),
        }
    }
}

/// Whether two algorithms use the same key: RSA has one key and several ways to sign with it.
fn same_kind(kind: &Algorithm, shown: Option<&Algorithm>) -> bool {
    match shown {
        // A key of unknown kind would be shown for ever.
        None => true,
        Some(Algorithm::Rsa { .. }) => matches!(kind, Algorithm::Rsa { .. }),
        Some(shown) => kind == shown,
    }
}

fn other_key(account: &SftpAccount, seen: &[String]) -> Refusal {
    Refusal::new(
        Code::IntegrationAuthenticationInvalid,
        "SSH host key",
        format!(
            "The server at {}:{} shows another key than the pinned one: {}. Nothing was sent to it.",
            account.host,
            account.port,
            seen.join(", ")
        ),
    )
    .hint(
        "Ask whoever runs the server whether its key was changed, and only then connect again \
         with the new fingerprint.",
    )
}

/// Reads the fingerprints out of what a person pasted.
fn fingerprints(text: &str) -> Result<Vec<String>, Refusal> {
    let words = text.split(|mark: char| mark.is_whitespace() || mark == ',');
    let found: Vec<String> = words.filter_map(fingerprint).collect();
    if found.is_empty() {
        return Err(Refusal::new(
            Code::IntegrationAuthenticationInvalid,
            "SSH host key",
            "The host key is not a SHA256 fingerprint.",
        )
        .hint(
            "It looks like SHA256:uNiV… and is printed by: ssh-keyscan HOST | ssh-keygen -lf -",
        ));
    }
    Ok(found)
}

fn fingerprint(word: &str) -> Option<String> {
    const SHA256_CHARACTERS: usize = 43;
    if let Some(hash) = word.strip_prefix("SHA256:") {
        return Some(format!("SHA256:{}", hash.trim_end_matches('=')));
    }
    if word.starts_with("AAAA") {
        let blob = base64::engine::general_purpose::STANDARD.decode(word).ok()?;
        let key = russh::keys::key::parse_public_key(&blob).ok()?;
        return Some(key.fingerprint(HashAlg::Sha256).to_string());
    }
    let hash = word.trim_end_matches('=');
    let plain = hash.len() == SHA256_CHARACTERS
        && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    plain.then(|| format!("SHA256:{hash}"))
}

async fn authenticate(connection: &mut Connection, account: &SftpAccount) -> Result<(), Refusal> {
    let failed = |error: russh::Error| broken(account, "logging in", &error);
    let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
    let (key, password) = (given(&account.private_key), given(&account.password));
    if key.is_none() && password.is_none() {
        return Err(refused(account, "Neither a password nor a private key is given.", None));
    }
    let mut methods = None;
    if let Some(key) = &key {
        let key = with_hash(connection, key, password.as_ref()).await?;
        match connection.authenticate_publickey(&account.username, key).await.map_err(failed)? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => methods = Some(remaining_methods),
        }
    }
    let takes =
        |methods: &Option<MethodSet>, kind| methods.as_ref().is_none_or(|set| set.contains(&kind));
    if let (Some(password), true) = (&password, takes(&methods, MethodKind::Password)) {
        let answer = connection.authenticate_password(&account.username, password.expose()).await;
        match answer.map_err(failed)? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure { remaining_methods, .. } => {
                // A password that was looked at and refused is not offered a second time by other means:
                // servers lock accounts after a few of them.
                if remaining_methods.contains(&MethodKind::Password) {
                    return Err(refused(
                        account,
                        "The server refused the password.",
                        Some(remaining_methods),
                    ));
                }
                methods = Some(remaining_methods);
            }
        }
    }
    if let (Some(password), true) = (&password, takes(&methods, MethodKind::KeyboardInteractive)) {
        if answer_questions(connection, &account.username, password).await.map_err(failed)? {
            return Ok(());
        }
        return Err(refused(account, "The server refused the password.", methods));
    }
    let what = if key.is_some() { "private key" } else { "password" };
    Err(refused(account, &format!("The server refused the {what}."), methods))
}

/// Answers what a server asks in place of taking a password: the password, wherever it is hidden.
async fn answer_questions(
    connection: &mut Connection,
    username: &str,
    password: &Secret,
) -> Result<bool, russh::Error> {
    let mut answer = connection.authenticate_keyboard_interactive_start(username, None).await?;
    for _ in 0..MAX_QUESTION_ROUNDS {
        let prompts = match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let answers = prompts
            .iter()
            .map(|prompt| if prompt.echo { String::new() } else { password.expose().to_owned() })
            .collect();
        answer = connection.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(false)
}

/// The private key, with the way of signing that the server takes.
async fn with_hash(
    connection: &Connection,
    key: &Secret,
    password: Option<&Secret>,
) -> Result<PrivateKeyWithHashAlg, Refusal> {
    // A form may have turned the ends of lines into the two characters \n.
    let text = key.expose().replace("\\n", "\n");
    let pass_phrase = password.map(Secret::expose);
    let key = russh::keys::decode_secret_key(&text, pass_phrase)
        .or_else(|error| match pass_phrase {
            // The password may be for the log-in, and the key without a pass phrase.
            Some(_) => russh::keys::decode_secret_key(&text, None),
            None => Err(error),
        })
        .map_err(|error| unreadable_key(&error))?;
    let hash = if key.algorithm().is_rsa() {
        // A server that does not say takes at least SHA-256, unless it is from before 2016.
        connection.best_supported_rsa_hash().await.ok().flatten().unwrap_or(Some(HashAlg::Sha256))
    } else {
        None
    };
    Ok(PrivateKeyWithHashAlg::new(Arc::new(key), hash))
}

fn unreadable_key(error: &russh::keys::Error) -> Refusal {
    let message = match error {
        russh::keys::Error::KeyIsEncrypted => {
            "The private key is encrypted, and its pass phrase is not given or wrong."
        }
        _ => "The private key cannot be read.",
    };
    Refusal::new(Code::IntegrationAuthenticationInvalid, "SSH private key", message)
        .hint(
            "Paste the whole key with its first and last line; put its pass phrase, if it has \
             one, into the password field.",
        )
        .context(error)
}

fn refused(account: &SftpAccount, what: &str, methods: Option<MethodSet>) -> Refusal {
    let offered: Vec<String> =
        methods.iter().flat_map(|set| set.iter()).map(String::from).collect();
    let offered = match offered.as_slice() {
        [] => String::new(),
        names => format!(" It takes: {}.", names.join(", ")),
    };
    Refusal::new(
        Code::IntegrationAuthenticationInvalid,
        "SSH log-in refused",
        format!("Could not log in as \"{}\": {what}{offered}", account.username),
    )
    .hint("Check user name, password and private key, and that the server knows the public key.")
}

fn not_ssh(account: &SftpAccount) -> Refusal {
    Refusal::new(
        Code::RemoteInputInvalid,
        "not SSH",
        format!("{}:{} does not speak SSH, or only its first version.", account.host, account.port),
    )
    .hint("Check host and port; SFTP is usually on port 22. FTP and FTPS are something else.")
}

fn broken(account: &SftpAccount, doing: &str, error: &russh::Error) -> Refusal {
    let place = format!("{}:{}", account.host, account.port);
    let refusal = match error {
        russh::Error::NoCommonAlgo { kind, .. } => Refusal::new(
            Code::RemoteUnknownHttpError,
            "SSH algorithms",
            format!("{place} offers no {kind:?} algorithm that is considered safe today."),
        )
        .hint("The server's SSH software is out of date; ask whoever runs it."),
        russh::Error::Version => not_ssh(account),
        _ => Refusal::new(
            Code::RemoteServiceUnavailable,
            "SSH connection lost",
            format!("{place} closed the connection while {doing}."),
        ),
    };
    refusal.context(error)
}

async fn open_sftp(connection: &Connection, limits: &SftpLimits) -> Result<SftpSession, Refusal> {
    let not_offered = |cause: String| {
        Refusal::new(
            Code::IntegrationPermissionMissing,
            "SFTP not offered",
            "The log-in worked, but the server does not offer SFTP to this user.",
        )
        .hint("Ask whoever runs the server to allow SFTP for the user.")
        .context(cause)
    };
    let mut channel =
        connection.channel_open_session().await.map_err(|error| not_offered(error.to_string()))?;
    channel
        .request_subsystem(true, "sftp")
        .await
        .map_err(|error| not_offered(error.to_string()))?;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => break,
            Some(ChannelMsg::Failure | ChannelMsg::Close) | None => {
                return Err(not_offered("subsystem sftp refused".to_owned()));
            }
            Some(_) => {}
        }
    }
    let config = russh_sftp::client::Config {
        request_timeout_secs: limits.request_timeout.as_secs().max(1),
        ..russh_sftp::client::Config::default()
    };
    SftpSession::new_with_config(channel.into_stream(), config)
        .await
        .map_err(|error| not_offered(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_however_they_are_pasted() {
        let hash = "SHA256:A6vh0OHNUaiQDkvLCUAsR3kiAGyn0WvQ6ZI8WcWy4kA";
        let bare = &hash["SHA256:".len()..];
        for text in [
            hash.to_owned(),
            format!(" {hash}= "),
            format!("256 {hash} root@host (ED25519)"),
            bare.to_owned(),
        ] {
            assert_eq!(fingerprints(&text), Ok(vec![hash.to_owned()]), "{text}");
        }
        let two = format!("{hash},\n{}", hash.replace(":A", ":B"));
        assert_eq!(fingerprints(&two).map(|found| found.len()), Ok(2));
        let md5 = fingerprints("MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48");
        assert_eq!(md5.expect_err("md5").fault.code, Code::IntegrationAuthenticationInvalid);
    }
}
