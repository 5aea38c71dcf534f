//! A caller for measuring: threads that each keep one connection and send one request after another.
//!
//! It does as little as a caller can: on a machine with few cores, what the caller costs is taken
//! from the server.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest head of an answer, in bytes.
const HEAD: usize = 16 << 10;

/// What is asked of a server.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host and port.
    pub address: String,
    /// Paths with their queries; they are asked for in turn.
    pub paths: Vec<String>,
    /// Headers of every request, each line ended by CR LF.
    pub headers: String,
}

/// What a round of requests took.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// From the first request to the end of the last answer.
    pub elapsed: Duration,
    /// Requests that were answered.
    pub requests: usize,
    /// Bytes of their bodies.
    pub bytes: usize,
}

impl Round {
    /// Requests per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// Sends `requests` requests over `connections` connections.
///
/// # Errors
///
/// When a connection fails, or an answer is not a 200 with a stated length.
pub fn round(target: &Target, connections: usize, requests: usize) -> Result<Round> {
    let next = AtomicUsize::new(0);
    let mut lines = Vec::new();
    for _ in 0..connections {
        lines.push(Line::open(target)?);
    }
    let start = Instant::now();
    let bytes = std::thread::scope(|scope| {
        let threads: Vec<_> = lines
            .into_iter()
            .map(|mut line| {
                let next = &next;
                scope.spawn(move || -> Result<usize> {
                    let mut bytes = 0;
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= requests {
                            return Ok(bytes);
                        }
                        bytes += line.get(&target.paths[at % target.paths.len()])?.len();
                    }
                })
            })
            .collect();
        let ends = threads.into_iter().map(|thread| thread.join().expect("a caller panicked"));
        ends.sum::<Result<usize>>()
    })?;
    Ok(Round { elapsed: start.elapsed(), requests, bytes })
}

/// One connection.
pub struct Line<'a> {
    target: &'a Target,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl<'a> Line<'a> {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub fn open(target: &'a Target) -> Result<Line<'a>> {
        let stream = TcpStream::connect(&target.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Line { target, stream, buffer: vec![0; 1 << 20] })
    }

    /// Sends one request; the body of the answer.
    ///
    /// # Errors
    ///
    /// When the connection fails, or the answer is not a 200 with a stated length.
    pub fn get(&mut self, path: &str) -> Result<&[u8]> {
        let Target { address, headers, .. } = self.target;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        self.stream.write_all(request.as_bytes())?;
        let mut filled = 0;
        let body = loop {
            let read = self.stream.read(&mut self.buffer[filled..])?;
            if read == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the server hung up"));
            }
            filled += read;
            let head = &self.buffer[..filled.min(HEAD)];
            if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..body]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.and_then(|length| length.trim().parse::<usize>().ok());
        let (true, Some(length)) = (head.starts_with("http/1.1 200"), length) else {
            let shown = String::from_utf8_lossy(&self.buffer[..filled.min(2_000)]).into_owned();
            return Err(Error::other(format!("{path}: {shown}")));
        };
        let end = body + length;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        if filled < end {
            self.stream.read_exact(&mut self.buffer[filled..end])?;
        }
        Ok(&self.buffer[body..end])
    }
}
