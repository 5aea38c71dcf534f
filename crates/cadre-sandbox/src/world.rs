//! What the server holds: the tables of the vendors, and everything a test can turn.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::Instant;

use crate::drift::Drift;
use crate::fault::Script;
use crate::hooks::Subscriber;
use crate::hris::consent::Consents;
use crate::plan::Plan;
use crate::table::Tables;
use crate::tool::Tool;
use crate::{RateLimit, SandboxOptions, ats, hris, lms};

/// Requests that are remembered for `GET /admin/requests`.
const REMEMBERED_REQUESTS: usize = 20_000;

/// What the vendors expect of a caller.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
    pub(crate) learning_key: String,
}

/// A request that came in.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// 0 when the connection was dropped without an answer.
    pub(crate) status: u16,
}

/// An answer that can be given once more.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A window of the budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) begun: Instant,
    pub(crate) used: u32,
}

/// Everything that changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) hris: Tables,
    pub(crate) ats: Tables,
    pub(crate) lms: Tables,
    /// Access tokens and when they end.
    pub(crate) tokens: HashMap<String, Timestamp>,
    pub(crate) tokens_given: u64,
    pub(crate) consents: Consents,
    pub(crate) faults: Vec<Script>,
    pub(crate) forbidden: BTreeSet<(Tool, String)>,
    pub(crate) seen: VecDeque<Seen>,
    pub(crate) last_pages: HashMap<String, Saved>,
    pub(crate) windows: HashMap<Tool, Window>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) slow_ms: u64,
    pub(crate) skew: SignedDuration,
    /// Changes made so far, which the dice of the next one depend on.
    pub(crate) mutations: usize,
    /// Who is told what is done in Sandbox HR.
    pub(crate) subscribers: Vec<Subscriber>,
    /// How records of Sandbox HR go out.
    pub(crate) drifts: Vec<Drift>,
}

impl State {
    /// The tables of a vendor.
    pub(crate) fn tables(&mut self, tool: Tool) -> &mut Tables {
        match tool {
            Tool::Hris => &mut self.hris,
            Tool::Ats => &mut self.ats,
            Tool::Lms => &mut self.lms,
        }
    }

    /// Remembers a request.
    pub(crate) fn saw(&mut self, seen: Seen) {
        if self.seen.len() == REMEMBERED_REQUESTS {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
    }
}

/// The server's state.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) token_seconds: u32,
    pub(crate) credentials: Credentials,
    begun: Instant,
    state: Mutex<State>,
}

impl World {
    /// Fills the tables.
    pub(crate) fn new(options: SandboxOptions) -> World {
        let plan = Plan {
            seed: options.seed,
            start: options.start,
            // One of each, or there is nothing to refer to.
            employees: options.employees.max(1),
            candidates: options.candidates.max(1),
            jobs: options.jobs.max(1),
        };
        World {
            plan,
            token_seconds: options.token_seconds,
            credentials: Credentials {
                client_id: "sandbox-client".to_owned(),
                client_secret: format!("sandbox-secret-{}", options.seed),
                api_key: format!("sandbox-key-{}", options.seed),
                learning_key: format!("sandbox-learning-key-{}", options.seed),
            },
            begun: Instant::now(),
            state: Mutex::new(State {
                hris: hris::seed(&plan),
                ats: ats::seed(&plan),
                lms: lms::seed(&plan),
                tokens: HashMap::new(),
                tokens_given: 0,
                consents: Consents::default(),
                faults: Vec::new(),
                forbidden: BTreeSet::new(),
                seen: VecDeque::new(),
                last_pages: HashMap::new(),
                windows: HashMap::new(),
                rate_limit: options.rate_limit,
                slow_ms: options.slow_ms,
                skew: SignedDuration::ZERO,
                mutations: 0,
                subscribers: Vec::new(),
                drifts: Vec::new(),
            }),
        }
    }

    /// The state, for a moment: never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present moment of the sandbox: its start, plus the time since, plus what a test added.
    pub(crate) fn now(&self, state: &State) -> Timestamp {
        let passed = SignedDuration::try_from(self.begun.elapsed()).unwrap_or(SignedDuration::ZERO);
        // Whole seconds, as many vendors have it.
        let now = self.plan.start + passed + state.skew;
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}
