//! Files on an SFTP server.
//!
//! Everything is spoken by this process itself; no program is started and no file is left behind. The
//! server's key is checked before the log-in, so that a password never goes to a server that is not the
//! pinned one. Nothing here ever writes to the server.
//!
//! What went wrong is classified here, once:
//!
//! | what | code |
//! | --- | --- |
//! | wrong password or key, key text unreadable, server key not the pinned one | `INTEGRATION.AUTHENTICATION_INVALID` |
//! | directory or file may not be read, SFTP not offered to this user | `INTEGRATION.PERMISSION_MISSING` |
//! | directory not there, no file matches, file too large, no SSH at this port | `REMOTE.INPUT_INVALID` |
//! | not reachable, no answer in time, a file that never stops changing | `REMOTE.SERVICE_UNAVAILABLE` |
//! | host in a private network | `PLATFORM.INPUT_INVALID` |
//! | anything else the server says | `REMOTE.UNKNOWN_HTTP_ERROR` |
//!
//! No matching file is `REMOTE.INPUT_INVALID` because it says "correct it, then try again": somebody has
//! to upload a file or correct directory or pattern. `REMOTE.SERVICE_UNAVAILABLE` would promise that
//! waiting helps, and no files as no rows would delete everybody.

mod greeting;
mod login;

use std::io::{Seek, Write};
use std::time::Duration;

use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use regex::Regex;
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{FileAttributes, StatusCode};
use tempfile::SpooledTempFile;
use tokio::io::AsyncReadExt;

use super::refusal::Refusal;

/// A file stays in memory up to this size, in bytes; a larger one goes to a temporary file that has no
/// name and is gone with the process.
const IN_MEMORY_BYTES: usize = 8 << 20;
const CHUNK_BYTES: usize = 256 << 10;
/// Names of other files that the message about a missing one shows.
const NAMES_SHOWN: usize = 5;

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
    /// What the server's key must be: a `SHA256:…` fingerprint, a line of `ssh-keygen -l` or
    /// `ssh-keyscan`, or several of them. `None`: any key is taken; read it from [`Sftp::host_key`] and
    /// pin it.
    pub host_key: Option<String>,
}

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct SftpLimits {
    /// Until the connection stands and the log-in is through.
    pub connect_timeout: Duration,
    /// Until a request (one listing, one chunk) is answered; at least a second.
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

impl Default for SftpLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(30),
            max_file_bytes: 1 << 30,
            rereads: 5,
            reread_pause: Duration::from_secs(2),
            allow_private: false,
        }
    }
}

/// Which of the files that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pick {
    /// The one that was changed last; among equals the last by name.
    #[default]
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

/// A connection that is logged in. It ends when it is dropped.
pub struct Sftp {
    files: SftpSession,
    host_key: String,
    limits: SftpLimits,
    // The connection lives as long as its handle.
    _connection: login::Connection,
}

impl Sftp {
    /// Connects, checks the server's key, logs in.
    ///
    /// # Errors
    ///
    /// As the table at the top of the module says.
    pub async fn connect(account: &SftpAccount, limits: SftpLimits) -> Result<Sftp, Refusal> {
        let timeout = limits.connect_timeout;
        let log_in = login::log_in(account, &limits);
        let (connection, files, host_key) = tokio::time::timeout(timeout, log_in)
            .await
            .map_err(|_| too_slow("the log-in", timeout))??;
        Ok(Sftp { files, host_key, limits, _connection: connection })
    }

    /// The `SHA256:…` fingerprint of the key that the server showed.
    #[must_use]
    pub fn host_key(&self) -> &str {
        &self.host_key
    }

    /// The files of a directory that match and are picked; never none.
    ///
    /// # Errors
    ///
    /// The directory cannot be listed, or no file in it matches.
    pub async fn list(
        &self,
        directory: &str,
        pattern: &Regex,
        pick: Pick,
    ) -> Result<Vec<RemoteFile>, Refusal> {
        let directory = if directory.is_empty() { "." } else { directory };
        let listed = self
            .files
            .read_dir(directory)
            .await
            .map_err(|error| self.refused(&format!("the directory \"{directory}\""), &error))?;
        let mut files = Vec::new();
        for entry in listed {
            let mut attributes = entry.metadata();
            if attributes.file_type().is_symlink() {
                // A link counts as what it leads to; one that leads nowhere is no file.
                match self.files.metadata(entry.path()).await {
                    Ok(target) => attributes = target,
                    Err(_) => continue,
                }
            }
            if attributes.is_dir() {
                continue;
            }
            let (size, modified) = state(&attributes);
            files.push(RemoteFile { name: entry.file_name(), path: entry.path(), size, modified });
        }
        let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
        let chosen = choose(files, pattern, pick);
        if chosen.is_empty() { Err(no_match(directory, pattern, &names)) } else { Ok(chosen) }
    }

    /// Reads a file whole, unchanged from its first byte to its last, and rewinds it. A file that changes
    /// meanwhile is read again, a few times.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large, or never stops changing.
    pub async fn read(&self, file: &RemoteFile) -> Result<SpooledTempFile, Refusal> {
        let mut gone = None;
        for attempt in 0..=self.limits.rereads {
            if attempt > 0 {
                tokio::time::sleep(self.limits.reread_pause).await;
            }
            match self.read_once(file).await {
                Ok(Some(content)) => return Ok(content),
                Ok(None) => gone = None,
                // Between being listed and being opened a file may be replaced: removed and put anew.
                Err(Broken::Sftp(error)) if is_gone(&error) => gone = Some(error),
                Err(Broken::Sftp(error)) => return Err(self.refused(&what(file), &error)),
                Err(Broken::Refused(refusal)) => return Err(refusal),
            }
        }
        match gone {
            Some(error) => Err(self.refused(&what(file), &error)),
            None => Err(Refusal::new(
                Code::RemoteServiceUnavailable,
                "SFTP file keeps changing",
                format!(
                    "\"{}\" was still changing after {} tries to read it.",
                    file.name,
                    self.limits.rereads + 1
                ),
            )
            .hint(
                "Upload under another name, for example with .part at its end, and rename the \
                 file when it is complete.",
            )),
        }
    }

    /// Reads the file; `None` when it changed on the way.
    async fn read_once(&self, file: &RemoteFile) -> Result<Option<SpooledTempFile>, Broken> {
        let mut handle = self.files.open(&file.path).await?;
        let before = state(&handle.metadata().await?);
        if before.0 > self.limits.max_file_bytes {
            return Err(Broken::Refused(self.too_large(file)));
        }
        let mut content = SpooledTempFile::new(IN_MEMORY_BYTES);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut read: u64 = 0;
        loop {
            let length = handle.read(&mut chunk).await.map_err(sftp_error)?;
            if length == 0 {
                break;
            }
            read += length as u64;
            if read > self.limits.max_file_bytes {
                return Err(Broken::Refused(self.too_large(file)));
            }
            content
                .write_all(&chunk[..length])
                .map_err(|error| Broken::Refused(no_room(file, &error)))?;
        }
        // The open file says whether it was written to, its path whether another one took its place.
        let after = state(&handle.metadata().await?);
        let named = state(&self.files.metadata(&file.path).await?);
        // What could be read was read; whether the server minds closing tells nothing about it.
        let _ = handle.close().await;
        if before != after || after != named || read != after.0 {
            return Ok(None);
        }
        content.rewind().map_err(|error| Broken::Refused(no_room(file, &error)))?;
        Ok(Some(content))
    }

    fn too_large(&self, file: &RemoteFile) -> Refusal {
        let limit = self.limits.max_file_bytes >> 20;
        Refusal::new(
            Code::RemoteInputInvalid,
            "SFTP file too large",
            format!("\"{}\" is larger than the {limit} MiB that are read of a file.", file.name),
        )
        .hint("Check that the pattern matches the right file, or split the export.")
    }

    /// Turns a failure of the protocol into a refusal that names what was being read.
    fn refused(&self, what: &str, error: &SftpError) -> Refusal {
        let (code, rule, message) = match error {
            SftpError::Status(status) => {
                let said = &status.error_message;
                match status.status_code {
                    StatusCode::PermissionDenied => (
                        Code::IntegrationPermissionMissing,
                        "SFTP status 3",
                        format!("The user may not read {what}."),
                    ),
                    StatusCode::NoSuchFile => (
                        Code::RemoteInputInvalid,
                        "SFTP status 2",
                        format!("The server has not got {what}."),
                    ),
                    StatusCode::NoConnection | StatusCode::ConnectionLost => (
                        Code::RemoteServiceUnavailable,
                        "SFTP connection lost",
                        format!("The connection was lost while reading {what}."),
                    ),
                    other => (
                        Code::RemoteUnknownHttpError,
                        "SFTP status",
                        format!("The server refused to read {what}: {other} ({said})."),
                    ),
                }
            }
            SftpError::Timeout => return too_slow(what, self.limits.request_timeout),
            SftpError::IO(_)
            | SftpError::Limited(_)
            | SftpError::UnexpectedPacket
            | SftpError::UnexpectedBehavior(_) => (
                Code::RemoteServiceUnavailable,
                "SFTP connection lost",
                format!("The connection broke off while reading {what}."),
            ),
        };
        let refusal = Refusal::new(code, rule, message).context(error);
        match code {
            Code::IntegrationPermissionMissing => refusal.hint("Give the user the right to read it."),
            Code::RemoteInputInvalid => refusal.hint(
                "Check the spelling of the directory, and what the directory is that the user sees after the log-in.",
            ),
            _ => refusal,
        }
    }
}

/// Of the files of a directory, those that match and are picked.
///
/// Names that begin with a dot, and those of unfinished uploads, never match.
#[must_use]
pub fn choose(files: Vec<RemoteFile>, pattern: &Regex, pick: Pick) -> Vec<RemoteFile> {
    let mut files: Vec<RemoteFile> = files
        .into_iter()
        .filter(|file| is_finished(&file.name) && pattern.is_match(&file.name))
        .collect();
    files.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
    match pick {
        Pick::All => files,
        Pick::Newest => files.pop().into_iter().collect(),
    }
}

/// What to say when [`choose`] leaves nothing of the files of these names.
#[must_use]
pub fn no_match(directory: &str, pattern: &Regex, names: &[String]) -> Refusal {
    let there = match names {
        [] => "the directory is empty".to_owned(),
        names => {
            let shown: Vec<_> =
                names.iter().take(NAMES_SHOWN).map(|name| format!("\"{name}\"")).collect();
            let more = names.len() - shown.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("there are {}{more}", shown.join(", "))
        }
    };
    Refusal::new(
        Code::RemoteInputInvalid,
        "SFTP no matching file",
        format!("No file in \"{directory}\" matches {pattern}: {there}."),
    )
    .hint("Upload a file of that name, or correct directory or pattern.")
}

/// Whether a name is that of a file somebody has finished writing.
fn is_finished(name: &str) -> bool {
    const UNFINISHED: [&str; 6] = [".tmp", ".part", ".partial", ".filepart", ".crdownload", "~"];
    let lower = name.to_lowercase();
    !name.starts_with('.') && !UNFINISHED.iter().any(|end| lower.ends_with(end))
}

enum Broken {
    Sftp(SftpError),
    Refused(Refusal),
}

impl From<SftpError> for Broken {
    fn from(error: SftpError) -> Self {
        Broken::Sftp(error)
    }
}

/// Reading through the file hides the protocol's error inside an I/O error; this digs it out again.
fn sftp_error(error: std::io::Error) -> Broken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<SftpError>()).cloned();
    Broken::Sftp(inner.unwrap_or_else(|| error.into()))
}

fn is_gone(error: &SftpError) -> bool {
    matches!(error, SftpError::Status(status) if status.status_code == StatusCode::NoSuchFile)
}

/// Size and last change: what tells one state of a file from another.
fn state(attributes: &FileAttributes) -> (u64, u32) {
    (attributes.size.unwrap_or(0), attributes.mtime.unwrap_or(0))
}

fn what(file: &RemoteFile) -> String {
    format!("the file \"{}\"", file.path)
}

fn too_slow(what: &str, timeout: Duration) -> Refusal {
    Refusal::new(
        Code::RemoteServiceUnavailable,
        "SFTP time is over",
        format!("The server did not finish {what} within {} s.", timeout.as_secs_f32()),
    )
}

fn no_room(file: &RemoteFile, error: &std::io::Error) -> Refusal {
    Refusal::new(
        Code::PlatformUnknownError,
        "temporary file",
        format!("\"{}\" could not be kept in a temporary file.", file.name),
    )
    .hint("Check that the server of Cadre has room for temporary files.")
    .context(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, modified: u32) -> RemoteFile {
        RemoteFile { name: name.to_owned(), path: name.to_owned(), size: 1, modified }
    }

    #[test]
    fn the_newest_finished_file_that_matches_is_chosen() {
        let files = vec![
            file("employees_2.csv", 20),
            file("employees_1.csv", 20),
            file("employees_3.csv", 10),
            file("employees_4.csv.part", 99),
            file(".employees_5.csv", 99),
            file("other.csv", 99),
        ];
        let pattern = Regex::new("employees.*").expect("a pattern");
        let names = |pick| -> Vec<String> {
            choose(files.clone(), &pattern, pick).into_iter().map(|file| file.name).collect()
        };
        assert_eq!(names(Pick::Newest), ["employees_2.csv"]);
        assert_eq!(names(Pick::All), ["employees_3.csv", "employees_1.csv", "employees_2.csv"]);
    }

    #[test]
    fn a_missing_file_is_told_with_what_is_there_instead() {
        let pattern = Regex::new("^x$").expect("a pattern");
        let names: Vec<String> = (0..7).map(|number| format!("{number}.csv")).collect();
        let refusal = no_match("in", &pattern, &names);
        assert_eq!(refusal.fault.code, Code::RemoteInputInvalid);
        assert!(
            refusal.fault.message.ends_with("\"4.csv\" and 2 more."),
            "{}",
            refusal.fault.message
        );
        assert!(no_match("in", &pattern, &[]).fault.message.contains("empty"));
    }
}
