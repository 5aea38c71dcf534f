//! A connector bound to one account: what a run talks to.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cadre_jq::Vars;
use cadre_model::secret::Secret;
use cadre_model::time::Clock;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::auth::Tokens;
use crate::budget::Budget;
use crate::classify::Failure;
use crate::connector::{Connector, Stream};
use crate::exchange::{HttpSend, Observer};
use crate::grant::Granted;
use crate::manifest::TransportKind;
use crate::pace::{Pace, milliseconds};
use crate::read::{Page, Reader};
use crate::redact::Redactor;
use crate::send::Call;

/// After so many refusals, and nothing else, an optional stream of sub-requests is asked no more.
const CLOSED_AFTER: u64 = 3;

/// What the customer entered.
#[derive(Debug, Clone)]
pub struct Account {
    /// The values that are no secrets, by name.
    pub settings: Value,
    /// The secrets, by name.
    pub secrets: BTreeMap<String, Secret>,
}

/// The outside, as a session needs it.
#[derive(Clone)]
pub struct Io {
    /// Sends requests.
    pub http: Arc<dyn HttpSend>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub observer: Arc<dyn Observer>,
    /// Limits of a read.
    pub limits: ReadLimits,
}

/// Limits of a read.
#[derive(Debug, Clone)]
pub struct ReadLimits {
    /// Most bytes of an answer's body, uncompressed.
    pub max_body_bytes: u64,
    /// Most bytes of a file.
    pub max_file_bytes: u64,
    /// Most rows of a file in one page.
    pub rows_per_page: usize,
    /// Most records of a lookup.
    pub max_lookup_records: usize,
    /// Attempts of one request, the first included.
    pub max_attempts: u32,
    /// Longest time that one request waits between its attempts, summed up.
    pub max_total_wait: Duration,
    /// Wait before the second attempt, where the vendor names none.
    pub first_backoff: Duration,
    /// Longest wait between two attempts, where the vendor names none.
    pub longest_backoff: Duration,
    /// Whether SFTP and LDAP servers inside private networks may be asked. HTTP has its own switch, in
    /// [`crate::WireOptions`].
    pub allow_private: bool,
    /// Whether waits are reported but not slept: for replays.
    pub skip_waits: bool,
    /// How long everything that a session does may take together; `None` is no limit.
    pub total: Option<Duration>,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_body_bytes: 64 << 20,
            max_file_bytes: 1 << 30,
            rows_per_page: 1000,
            max_lookup_records: 100_000,
            max_attempts: 6,
            max_total_wait: Duration::from_secs(600),
            first_backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(30),
            allow_private: false,
            skip_waits: false,
            total: None,
        }
    }
}

/// What outlives one piece of work with an account: its log-in and its budget. Cheap to clone.
#[derive(Clone)]
pub struct Standing {
    pace: Arc<Pace>,
    budget: Arc<Budget>,
    tokens: Arc<Tokens>,
    redactor: Arc<RwLock<Arc<Redactor>>>,
}

impl Standing {
    fn new(connector: &Connector, account: &Account, io: &Io) -> Standing {
        let redactor = Redactor::new(account.secrets.values().map(Secret::expose));
        let pace = Arc::new(Pace::new(io.limits.skip_waits));
        let budget = Budget::new(&connector.manifest().limits, pace.clone(), io.clock.clone());
        Standing {
            pace,
            budget: Arc::new(budget),
            tokens: Arc::default(),
            redactor: Arc::new(RwLock::new(Arc::new(redactor))),
        }
    }
}

/// A connector bound to one account, for one piece of work.
pub struct Session {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connector: Arc<Connector>,
    pub(crate) settings: Value,
    pub(crate) secrets: Value,
    pub(crate) now: Value,
    pub(crate) io: Io,
    pub(crate) pace: Arc<Pace>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) redactor: Arc<RwLock<Arc<Redactor>>>,
    /// When everything must be over.
    until: Option<Instant>,
    /// `$lookup`, once it is read.
    pub(crate) lookups: OnceCell<Value>,
    /// Pages that a lookup has read, of streams that are to be read themselves.
    pub(crate) held: Mutex<HashMap<usize, VecDeque<Page>>>,
    /// Optional streams that a lookup needed and that are forbidden.
    pub(crate) lookup_problems: Mutex<Vec<Failure>>,
    /// Streams of which only what changed is wanted, and since when.
    pub(crate) since: HashMap<usize, Value>,
    /// The streams that are wanted; all when `None`.
    pub(crate) only: Option<HashSet<String>>,
    /// By stream: sub-requests that went well, and that were forbidden.
    pub(crate) outcomes: Vec<(AtomicU64, AtomicU64)>,
    /// `$report` of streams, once it is prepared.
    pub(crate) reports: tokio::sync::Mutex<HashMap<usize, Value>>,
    /// What a consent brought, where the tool is asked for one.
    pub(crate) granted: Option<Granted>,
    /// The key that an SFTP server showed.
    pub(crate) host_key: Mutex<Option<String>>,
}

impl Session {
    /// Binds a connector to an account. Nothing is asked yet.
    #[must_use]
    pub fn new(connector: Arc<Connector>, account: Account, io: Io) -> Session {
        let standing = Standing::new(&connector, &account, &io);
        Session::on(&standing, connector, account, io)
    }

    /// Goes on with the log-in and the budget of an earlier session of the same account.
    #[must_use]
    pub fn on(standing: &Standing, connector: Arc<Connector>, account: Account, io: Io) -> Session {
        let Standing { pace, budget, tokens, redactor } = standing.clone();
        let settings = connector.manifest().with_defaults(account.settings);
        let secrets = account
            .secrets
            .iter()
            .map(|(name, secret)| (name.clone(), secret.expose().into()))
            .collect();
        let now = cadre_model::time::wire(io.clock.now_ms());
        let inner = Inner {
            settings,
            secrets: Value::Object(secrets),
            now: Value::String(now),
            pace,
            budget,
            tokens,
            redactor,
            until: io.limits.total.map(|total| Instant::now() + total),
            lookups: OnceCell::new(),
            held: Mutex::default(),
            lookup_problems: Mutex::default(),
            since: HashMap::new(),
            only: None,
            outcomes: connector.all().iter().map(|_| Default::default()).collect(),
            reports: tokio::sync::Mutex::default(),
            granted: None,
            host_key: Mutex::default(),
            connector,
            io,
        };
        Session { inner: Arc::new(inner) }
    }

    /// What the next session of the same account goes on with.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Inner { pace, budget, tokens, redactor, .. } = &*self.inner;
        Standing {
            pace: pace.clone(),
            budget: budget.clone(),
            tokens: tokens.clone(),
            redactor: redactor.clone(),
        }
    }

    /// Reads only these streams of sub-requests (and those that they hang on). To be said before the
    /// first read.
    #[must_use]
    pub fn only(mut self, streams: impl IntoIterator<Item = String>) -> Session {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            let mut wanted: HashSet<String> = HashSet::new();
            for name in streams {
                let mut up = inner.connector.stream(&name);
                while let Some(stream) = up {
                    wanted.insert(stream.name().to_owned());
                    up = stream.parent().and_then(|parent| inner.connector.stream(parent));
                }
            }
            inner.only = Some(wanted);
        }
        self
    }

    /// Reads of these streams only what changed since the moment, in the wire form. Streams that cannot
    /// tell are read whole. To be said before the first read.
    #[must_use]
    pub fn since(mut self, streams: impl IntoIterator<Item = (String, String)>) -> Session {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            for (name, since) in streams {
                let at = inner.connector.index(&name);
                if let Some(at) = at.filter(|at| inner.connector.all()[*at].section.delta.is_some())
                {
                    inner.since.insert(at, since.into());
                }
            }
        }
        self
    }

    /// The connector.
    #[must_use]
    pub fn connector(&self) -> &Arc<Connector> {
        &self.inner.connector
    }

    /// Asks the tool whether the credentials work.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn check(&self) -> Result<(), Failure> {
        self.inner.check().await
    }

    /// Asks for the first page of a root stream, over HTTP only: whether it may be read.
    ///
    /// # Errors
    ///
    /// What the tool said, classified; also where the stream may be missing.
    pub async fn probe(&self, stream: &str) -> Result<(), Failure> {
        if self.inner.connector.manifest().transport != TransportKind::Http {
            return Ok(());
        }
        self.inner.first_page(stream).await
    }

    /// Reads a root stream; its sub-requests come along with each page. With the token of a
    /// [`Page`] the read goes on after that page.
    #[must_use]
    pub fn read(&self, stream: &str, resume: Option<Value>) -> Reader {
        Reader::new(self.inner.clone(), stream, resume)
    }

    /// Reads the lookups, if that has not been done yet.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn lookups(&self) -> Result<(), Failure> {
        self.inner.read_lookups().await.map(|_| ())
    }

    /// `$lookup`: `{name: {key: record}}`; `null` before [`Session::lookups`].
    #[must_use]
    pub fn lookup_values(&self) -> &Value {
        self.inner.lookup()
    }

    /// `$settings`, with defaults.
    #[must_use]
    pub fn settings(&self) -> &Value {
        &self.inner.settings
    }

    /// `$now`: the moment this session was made.
    #[must_use]
    pub fn now(&self) -> &Value {
        &self.inner.now
    }

    /// The `SHA256:…` fingerprint of the key that the SFTP server showed, to be pinned by the caller.
    #[must_use]
    pub fn host_key(&self) -> Option<String> {
        self.inner.host_key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

static NULL: Value = Value::Null;

impl Inner {
    /// `$lookup`, as far as it is read.
    pub(crate) fn lookup(&self) -> &Value {
        self.lookups.get().unwrap_or(&NULL)
    }

    /// The variables that no request and no answer changes.
    pub(crate) fn vars(&self) -> Vars<'_> {
        Vars::new()
            .with("$settings", &self.settings)
            .with("$now", &self.now)
            .with("$lookup", self.lookup())
    }

    /// The variables of a request about a record: of the parent stream, or of the store.
    pub(crate) fn vars_about<'a>(&'a self, record: &'a Value) -> Vars<'a> {
        // A stream may name the first only, a live read the second only: the check sees to it.
        self.vars().with("$parent", record).with("$record", record)
    }

    /// The variables of a request: of a step, or about a record.
    pub(crate) fn vars_of<'a>(&'a self, call: &Call<'a>) -> Vars<'a> {
        match call.step {
            Some(step) => step.fill(self.vars()),
            None => self.vars_about(call.parent),
        }
    }

    /// How much time is left, in tenths of a second; `None` without a limit.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(Instant::now());
        Some(Duration::from_millis(milliseconds(left) / 100 * 100))
    }

    /// Whether a stream belongs to what this account is connected for.
    pub(crate) fn is_for(&self, stream: &Stream) -> bool {
        let when = stream.section.when.as_ref();
        when.is_none_or(|when| when.holds(&NULL, &Vars::new().with("$settings", &self.settings)))
    }

    /// Whether a stream is to be read for itself.
    pub(crate) fn wants(&self, stream: &Stream) -> bool {
        self.is_for(stream) && self.only.as_ref().is_none_or(|only| only.contains(stream.name()))
    }

    /// Whether a stream of sub-requests has been forbidden so often that asking on is in vain: for the
    /// first few records that were asked about, and for none of them allowed.
    pub(crate) fn is_closed(&self, at: usize) -> bool {
        let (well, forbidden) = &self.outcomes[at];
        well.load(Ordering::Relaxed) == 0 && forbidden.load(Ordering::Relaxed) >= CLOSED_AFTER
    }

    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        self.redactor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the redactor learn more secrets.
    pub(crate) fn teach(&self, lesson: impl FnOnce(&mut Redactor)) {
        let mut redactor = self.redactor.write().unwrap_or_else(PoisonError::into_inner);
        lesson(Arc::make_mut(&mut redactor));
    }

    async fn check(self: &Arc<Self>) -> Result<(), Failure> {
        let manifest = self.connector.manifest();
        let section = manifest.check.as_ref();
        if let Some((section, request)) =
            section.and_then(|check| Some((check, check.request.as_ref()?)))
        {
            return self.ask_for_check(request, &section.response).await;
        }
        let named = section.and_then(|check| check.stream.as_deref());
        let mut all = self.connector.streams().iter();
        let named = named.and_then(|name| self.connector.stream(name));
        let named = named.filter(|stream| self.is_for(stream));
        let first = named.or_else(|| all.find(|one| one.parent().is_none() && self.is_for(one)));
        let Some(stream) = first else { return Ok(()) };
        self.first_page(stream.name()).await
    }

    async fn first_page(self: &Arc<Self>, stream: &str) -> Result<(), Failure> {
        let mut reader = Reader::plain(self.clone(), stream);
        match reader.next().await {
            Some(Err(failure)) => Err(failure),
            // A page of an optional stream says with a problem that it is forbidden.
            Some(Ok(page)) => page.problems.into_iter().next().map_or(Ok(()), Err),
            None => Ok(()),
        }
    }
}
