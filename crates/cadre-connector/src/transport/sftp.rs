//! Files on an SFTP server.

use std::time::Duration;

use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use regex::Regex;
use tempfile::SpooledTempFile;

use super::refusal::Refusal;

/// Where to log in, and as whom. A private key goes before a password when both are there.
#[derive(Debug, Clone)]
pub struct SftpAccount {
    /// Name or address of the server.
    pub host: String,
    /// Port, usually 22.
    pub port: u16,
    /// User name.
    pub username: String,
    /// Password; also the pass phrase of an encrypted private key.
    pub password: Option<Secret>,
    /// Private key as OpenSSH, PEM or PuTTY text.
    pub private_key: Option<Secret>,
    /// `SHA256:…` fingerprint that the server's key must have. `None`: any key is taken; read it
    /// from [`Sftp::host_key`] and pin it.
    pub host_key: Option<String>,
}

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct SftpLimits {
    /// Until the connection stands and the log-in is through.
    pub connect_timeout: Duration,
    /// Until a request (one listing, one chunk) is answered.
    pub request_timeout: Duration,
    /// Largest file that is read, in bytes.
    pub max_file_bytes: u64,
    /// How often a file that changes under the reader is read again.
    pub rereads: u32,
    /// How long to wait before it is read again.
    pub reread_pause: Duration,
    /// Whether hosts in private networks are allowed: the same setting as for HTTP.
    pub allow_private: bool,
}

/// Which of the files that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The one that was changed last; among equals the last by name.
    Newest,
    /// All, oldest first.
    All,
}

/// A file as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Name without directory.
    pub name: String,
    /// Path to open it by.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Last change, seconds since 1970.
    pub modified: u32,
}

/// A connection that is logged in.
pub struct Sftp {
    host_key: String,
}

impl Sftp {
    /// Connects, checks the server's key, logs in.
    ///
    /// # Errors
    ///
    /// See the table at [`Refusal`] constructors below.
    pub async fn connect(account: &SftpAccount, limits: SftpLimits) -> Result<Sftp, Refusal> {
        let _ = (account, limits);
        Err(Refusal::new(Code::PlatformUnknownError, "not built yet", "SFTP is not built yet."))
    }

    /// The `SHA256:…` fingerprint of the key that the server showed.
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The files of a directory that match and are picked; never empty.
    pub async fn list(
        &self,
        directory: &str,
        pattern: &Regex,
        pick: Pick,
    ) -> Result<Vec<RemoteFile>, Refusal> {
        let _ = (directory, pattern, pick);
        Err(Refusal::new(Code::PlatformUnknownError, "not built yet", "SFTP is not built yet."))
    }

    /// Reads a file whole, unchanged from first to last byte, and rewinds it.
    pub async fn read(&self, file: &RemoteFile) -> Result<SpooledTempFile, Refusal> {
        let _ = file;
        Err(Refusal::new(Code::PlatformUnknownError, "not built yet", "SFTP is not built yet."))
    }
}

/// Of the files of a directory, those that match and are picked.
///
/// Names that begin with a dot, and those of unfinished uploads, never match.
#[must_use]
pub fn choose(files: Vec<RemoteFile>, pattern: &Regex, pick: Pick) -> Vec<RemoteFile> {
    let mut files: Vec<RemoteFile> =
        files.into_iter().filter(|file| is_finished(&file.name) && pattern.is_match(&file.name)).collect();
    files.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
    match pick {
        Pick::All => files,
        Pick::Newest => files.pop().into_iter().collect(),
    }
}

/// Whether a name is that of a file somebody has finished writing.
fn is_finished(name: &str) -> bool {
    let lower = name.to_lowercase();
    !name.starts_with('.')
        && ![".tmp", ".part", ".partial", ".filepart", ".crdownload", "~"].iter().any(|end| lower.ends_with(end))
}
