//! Rows out of files on an SFTP server, or out of recorded ones.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use cadre_model::fault::{Code, Fault};
use cadre_model::secret::Secret;
use regex::Regex;
use serde_json::Value;
use tokio::time::Instant;

use super::{Page, RawRecord, restart};
use crate::classify::{Failure, tried};
use crate::exchange::Exchange;
use crate::format::{Batch, DecodeOptions, FormatError, Rows, decode};
use crate::manifest::{self, FilesSection, Template};
use crate::pace::milliseconds;
use crate::request::{BuildError, Built};
use crate::retry::Attempts;
use crate::session::Inner;
use crate::transport::sftp::{Pick, RemoteFile, Sftp, SftpAccount, SftpLimits, choose, no_match};

/// The rows of the files of a stream.
pub(super) struct Files {
    inner: Arc<Inner>,
    pub(super) stream: usize,
    origin: Origin,
    waiting: VecDeque<RemoteFile>,
    options: DecodeOptions,
    current: Option<(String, Rows)>,
    /// The batch after the one handed out: a page must know whether it is the last.
    ahead: Option<Batch>,
    number: u64,
    started: bool,
}

enum Origin {
    Server { sftp: Box<Sftp>, address: String },
    Recorded,
}

impl Files {
    /// Logs in, and picks the files.
    pub(super) async fn open(inner: Arc<Inner>, stream: usize) -> Result<Files, Failure> {
        let Some(section) = &inner.connector.all()[stream].section.files else {
            return Err(Failure::new(
                Code::PlatformUnknownError,
                "internal",
                "The stream reads no files.",
            ));
        };
        let plan = Plan::make(&inner, section).map_err(|error| not_built(&inner, &error))?;
        let options = DecodeOptions { sheet: plan.sheet.clone(), ..DecodeOptions::default() };
        let (origin, files) = match inner.io.http.recorded() {
            Some(recorded) => {
                let all =
                    recorded.files.iter().enumerate().map(|(at, (name, content))| RemoteFile {
                        name: name.clone(),
                        path: name.clone(),
                        size: content.len() as u64,
                        modified: u32::try_from(at).unwrap_or(u32::MAX),
                    });
                let files = choose(all.collect(), &plan.pattern, plan.pick);
                if files.is_empty() {
                    let names: Vec<String> =
                        recorded.files.iter().map(|(name, _)| name.clone()).collect();
                    return Err(no_match(&plan.directory, &plan.pattern, &names).into());
                }
                (Origin::Recorded, files)
            }
            None => {
                let (sftp, files) = inner.log_in_to_files(stream, &plan).await?;
                (Origin::Server { sftp: Box::new(sftp), address: plan.address() }, files)
            }
        };
        Ok(Files {
            inner: inner.clone(),
            stream,
            origin,
            waiting: files.into(),
            options,
            current: None,
            ahead: None,
            number: 0,
            started: false,
        })
    }

    pub(super) async fn next(&mut self) -> Option<Result<Page, Failure>> {
        match self.page().await {
            Ok(page) => page.map(Ok),
            Err(failure) => Some(Err(failure)),
        }
    }

    async fn page(&mut self) -> Result<Option<Page>, Failure> {
        if !self.started {
            self.started = true;
            self.ahead = self.batch().await?;
            if self.ahead.is_none() {
                // Files with a header row alone: read completely, and nothing in them.
                return Ok(Some(Page { number: 1, ..Page::default() }));
            }
        }
        let Some(batch) = self.ahead.take() else { return Ok(None) };
        self.ahead = self.batch().await?;
        self.number += 1;
        let connector = self.inner.connector.clone();
        let stream = &connector.all()[self.stream];
        let problems: Vec<Failure> = batch.problems.into_iter().map(unreadable).collect();
        let incomplete =
            if problems.is_empty() { Vec::new() } else { vec![stream.name().to_owned()] };
        let mut records = Vec::with_capacity(batch.rows.len());
        for row in batch.rows {
            let found = self.records(row)?;
            records.extend(found.into_iter().map(|value| RawRecord {
                stream: stream.name.clone(),
                value,
                parent: None,
            }));
        }
        let next = self.ahead.is_some().then(restart);
        Ok(Some(Page { number: self.number, records, next, total: None, problems, incomplete }))
    }

    /// The records of a row: itself, or what the expression makes of it.
    fn records(&self, row: Value) -> Result<Vec<Value>, Failure> {
        let stream = &self.inner.connector.all()[self.stream];
        let Some(expression) = &stream.section.response.records else { return Ok(vec![row]) };
        let outputs = expression.expr().all(&row, &self.inner.vars()).map_err(|error| {
            let rule = format!("{} streams.{}.response.records", manifest::FILE, stream.name());
            let message = format!("A row of `{}` is not what is expected: {error}.", stream.name());
            Failure::new(Code::RemoteInputInvalid, rule, message)
        })?;
        let mut outputs: Vec<Value> =
            outputs.into_iter().map(std::borrow::Cow::into_owned).collect();
        match outputs.as_mut_slice() {
            [Value::Array(items)] => Ok(std::mem::take(items)),
            _ => Ok(outputs),
        }
    }

    /// The next rows of this file, or the first of the next one.
    async fn batch(&mut self) -> Result<Option<Batch>, Failure> {
        loop {
            if self.current.is_none() {
                let Some(file) = self.waiting.pop_front() else { return Ok(None) };
                self.current = Some((file.name.clone(), self.open_file(&file).await?));
            }
            let Some((name, rows)) = self.current.take() else { return Ok(None) };
            let most = self.inner.io.limits.rows_per_page.max(1);
            let (rows, batch) = blocking(move || {
                let mut rows = rows;
                let batch = rows.next_batch(most);
                (rows, batch)
            })
            .await?;
            match batch.map_err(unreadable)? {
                Some(batch) => {
                    self.current = Some((name, rows));
                    return Ok(Some(batch));
                }
                None => self.current = None,
            }
        }
    }

    async fn open_file(&self, file: &RemoteFile) -> Result<Rows, Failure> {
        let (name, options) = (file.name.clone(), self.options.clone());
        let format = self.inner.connector.all()[self.stream].section.response.format;
        let opened = match &self.origin {
            Origin::Recorded => {
                let recorded = self.inner.io.http.recorded();
                let content =
                    recorded.and_then(|all| all.files.iter().find(|(known, _)| *known == name));
                let content = content.map(|(_, content)| content.clone()).unwrap_or_default();
                decode(format, &name, std::io::Cursor::new(content), &options)
            }
            Origin::Server { sftp, address } => {
                let start = Instant::now();
                let content = sftp.read(file).await.map_err(Failure::from);
                let failure = content.as_ref().err();
                self.inner.report_other(
                    self.stream,
                    "READ",
                    &format!("{address}/{}", file.path),
                    start,
                    failure,
                );
                let content = content?;
                blocking(move || decode(format, &name, content, &options)).await?
            }
        };
        opened.map_err(unreadable)
    }
}

/// What is logged in to, and what is looked for there.
struct Plan {
    account: SftpAccount,
    directory: String,
    pattern: Regex,
    pick: Pick,
    sheet: Option<String>,
}

impl Plan {
    fn make(inner: &Inner, section: &FilesSection) -> Built<Plan> {
        let vars = inner.vars().with("$secrets", &inner.secrets);
        let Some(server) = &inner.connector.manifest().sftp else {
            return Err(BuildError("the manifest has no section `sftp`".to_owned()));
        };
        let optional = |template: &Option<Template>| -> Built<Option<String>> {
            let text = template.as_ref().map(|template| template.text(&vars)).transpose()?;
            Ok(text.filter(|text| !text.is_empty()))
        };
        let port = optional(&server.port)?.unwrap_or_else(|| "22".to_owned());
        let port = port.trim().parse().map_err(|_| format!("the port `{port}` is not a number"))?;
        let pattern = section.pattern.text(&vars)?;
        let pattern = Regex::new(&pattern)
            .map_err(|_| format!("the pattern `{pattern}` is not a regular expression"))?;
        Ok(Plan {
            account: SftpAccount {
                host: server.host.text(&vars)?,
                port,
                username: server.username.text(&vars)?,
                password: optional(&server.password)?.map(Secret::from),
                private_key: optional(&server.private_key)?.map(Secret::from),
                host_key: optional(&server.host_key)?,
            },
            directory: optional(&section.directory)?.unwrap_or_else(|| ".".to_owned()),
            pattern,
            pick: match section.pick {
                manifest::Pick::Newest => Pick::Newest,
                manifest::Pick::All => Pick::All,
            },
            sheet: optional(&section.sheet)?,
        })
    }

    fn address(&self) -> String {
        format!("sftp://{}@{}:{}", self.account.username, self.account.host, self.account.port)
    }
}

impl Inner {
    async fn log_in_to_files(
        &self,
        stream: usize,
        plan: &Plan,
    ) -> Result<(Sftp, Vec<RemoteFile>), Failure> {
        let timeout = Duration::from_secs(self.connector.manifest().limits.timeout_seconds);
        let limits = SftpLimits {
            request_timeout: timeout,
            max_file_bytes: self.io.limits.max_file_bytes,
            allow_private: self.io.limits.allow_private,
            ..SftpLimits::default()
        };
        let sftp = self
            .repeated(async || {
                let start = Instant::now();
                let sftp =
                    Sftp::connect(&plan.account, limits.clone()).await.map_err(Failure::from);
                self.report_other(stream, "CONNECT", &plan.address(), start, sftp.as_ref().err());
                sftp
            })
            .await?;
        *self.host_key.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(sftp.host_key().to_owned());
        let start = Instant::now();
        let files =
            sftp.list(&plan.directory, &plan.pattern, plan.pick).await.map_err(Failure::from);
        let place = format!("{}/{}", plan.address(), plan.directory);
        self.report_other(stream, "LIST", &place, start, files.as_ref().err());
        Ok((sftp, files?))
    }

    /// Does something again for as long as its failure says that this may help.
    pub(super) async fn repeated<T, F>(&self, mut work: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut attempts = Attempts::new(&self.io.limits);
        loop {
            let failure = match work().await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let pause = if failure.retry { attempts.failed(None) } else { None };
            let Some(pause) = pause else { return Err(tried(failure, attempts.made(), None)) };
            self.io.observer.wait("backoff before another attempt", milliseconds(pause));
            self.pace.sleep(pause).await;
        }
    }

    /// Reports what was done over another transport than HTTP.
    pub(super) fn report_other(
        &self,
        stream: usize,
        method: &str,
        url: &str,
        start: Instant,
        failure: Option<&Failure>,
    ) {
        let redactor = self.redactor();
        self.io.observer.exchange(&Exchange {
            purpose: self.connector.all()[stream].name().to_owned(),
            method: method.to_owned(),
            url: redactor.text(url),
            duration_ms: milliseconds(start.elapsed()),
            rule: failure.map(|failure| failure.rule.clone()),
            error: failure.map(|failure| redactor.text(&failure.fault.message)),
            ..Exchange::default()
        });
    }
}

pub(super) fn not_built(inner: &Inner, error: &BuildError) -> Failure {
    let label = &inner.connector.manifest().label;
    let message = inner.redactor().text(&format!("{label} cannot be asked: {}.", error.0));
    Failure::new(Code::PlatformInputInvalid, "default: request cannot be built", message)
        .hint("Check the settings of the integration.")
}

fn unreadable(error: FormatError) -> Failure {
    let fault: Fault = error.into();
    let mut failure =
        Failure::new(fault.code, "default: file or row cannot be read", fault.message);
    failure.fault.hint = fault.hint;
    failure
}

/// Reading and parsing a file blocks: not on the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let mut failure = Failure::new(
            Code::PlatformUnknownError,
            "internal",
            "Something went wrong while a file was read.",
        );
        failure.fault = failure.fault.context(error.to_string());
        failure
    })
}
