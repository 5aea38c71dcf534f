//! How a server begins to speak: one that is no SSH server is found out by it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a server introduces itself with; the second one speaks version 1 as well.
const SSH: [&[u8]; 2] = [b"SSH-2.0-", b"SSH-1.99-"];
/// How other servers begin: version 1 of SSH, the web, mail. What begins in another way may be an SSH
/// server that says why it closes the connection (`Exceeded MaxStartups`).
const OTHERS: [&[u8]; 4] = [b"SSH-1.", b"HTTP/", b"+OK", b"* OK"];
/// How TLS refuses what is no TLS. No line ends there.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];
const LONGEST: usize = 9;

/// What was heard, for the one who waits for the connection.
#[derive(Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Words>>);

#[derive(Default)]
struct Words {
    ssh: bool,
    foreign: bool,
    /// The beginning of the line that is being heard. Lines may stand before the introduction.
    line: Vec<u8>,
}

impl Heard {
    /// Whether the server speaks something else than SSH.
    pub(super) fn foreign(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).foreign
    }

    /// Takes in what the server says. `false`: there is no need to go on listening.
    fn hear(&self, said: &[u8]) -> io::Result<bool> {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.hear(said);
        if words.foreign {
            // Such a server may wait for a command that never comes.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not SSH"));
        }
        Ok(!words.ssh)
    }
}

impl Words {
    fn hear(&mut self, said: &[u8]) {
        for byte in said {
            if self.ssh || self.foreign {
                return;
            }
            if *byte == b'\n' {
                self.end_line();
            } else if self.line.len() < LONGEST {
                self.line.push(*byte);
                self.ssh = SSH.iter().any(|start| self.line.starts_with(start));
                self.foreign = self.line == TLS_ALERT;
            } else {
                self.foreign = is_foreign(&self.line);
            }
        }
    }

    fn end_line(&mut self) {
        self.foreign = is_foreign(&self.line);
        self.line.clear();
    }
}

/// Whether a line that is no introduction of SSH is that of another protocol.
fn is_foreign(line: &[u8]) -> bool {
    // A number of three digits, as FTP and mail servers begin.
    let reply = matches!(line, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]);
    reply || OTHERS.iter().any(|start| line.starts_with(start))
}

/// A connection that is listened to until SSH is heard.
pub(super) struct Listened<S> {
    stream: S,
    heard: Option<Heard>,
}

impl<S> Listened<S> {
    pub(super) fn new(stream: S, heard: Heard) -> Self {
        Self { stream, heard: Some(heard) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        if let Some(heard) = &this.heard {
            let said = buffer.filled().get(before..).unwrap_or_default();
            if !heard.hear(said)? {
                this.heard = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::Heard;

    /// Whether what is said in these parts is foreign; then the connection is broken off, too.
    fn foreign(parts: &[&str]) -> bool {
        let heard = Heard::default();
        let broken_off = parts.iter().any(|part| heard.hear(part.as_bytes()).is_err());
        assert_eq!(heard.foreign(), broken_off);
        broken_off
    }

    #[test]
    fn a_server_is_known_by_how_it_begins() {
        let cases: [(&[&str], bool); 11] = [
            (&[], false),
            (&["SSH-2.0-OpenSSH_9.6\r\n"], false),
            (&["SS", "H-1.99-", "Cisco\r\n"], false),
            (&["No access without leave.\r\n", "SSH-2.0-x\r\n"], false),
            (&["Exceeded MaxStartups\r\n"], false),
            (&["SSH-1.5-OpenSSH_3.0\r\n"], true),
            (&["HTTP/1.1 400 Bad Request\r\n\r\n"], true),
            (&["22", "0 ProFTPD Server ready.\r\n"], true),
            (&["220-Welcome\r\n220 ready\r\n"], true),
            (&["* OK\r\n"], true),
            (&["\u{15}\u{3}\u{3}\0\u{2}\u{2}F"], true),
        ];
        for (parts, expected) in cases {
            assert_eq!(foreign(parts), expected, "{parts:?}");
        }
    }
}
