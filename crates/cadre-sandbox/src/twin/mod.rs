//! Twins: servers that behave as a vendor documents its API, over a company that does not exist.
//!
//! A twin is one file that says how its vendor asks for a log-in, pages, filters, fails and writes.
//! Everything else is here and shared: the company ([`company`]) with its clock and dice, requests and
//! answers taken apart ([`call`]), budget, tokens, journal ([`house`]), faults and orders ([`door`]).
//!
//! Twins are written from the vendors' documentation, named at the top of each file, and never from a
//! connector: where the two disagree, one of them has misread the vendor.
//!
//! To add one: a file with a unit struct that is a [`Vendor`], and a line in [`VENDORS`].

mod bamboohr;
mod call;
mod change;
mod company;
mod door;
mod greenhouse;
mod hibob;
mod house;
mod lever;
mod moodle;
mod personio;
mod successfactors;
mod workday;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::fault::Script;
use crate::plan::Plan;
use crate::{RateLimit, SandboxOptions};
use call::{Call, Reply};
use house::{Event, House, Subscriber};

/// A message to a subscriber: headers and body.
pub(crate) type Message = (Vec<(&'static str, String)>, String);

/// How a vendor behaves.
pub(crate) trait Vendor: Send + Sync + std::fmt::Debug {
    /// What a customer types into a connect form, by name. Made from the seed.
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)>;

    /// How many requests it takes; `None` where no figure is published.
    fn budget(&self) -> Option<RateLimit>;

    /// The headers with which it tells of its budget: limit, what is left, seconds, the moment now.
    fn budget_headers(&self, _: (u32, u32, u64), _: Timestamp) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// An error with this status, in the vendor's form.
    fn error(&self, status: u16, words: &str) -> Reply;

    /// The answer beyond the budget.
    fn throttled(&self, seconds: u64, now: Timestamp) -> Reply;

    /// Answers a request that passed faults and budget.
    fn answer(&self, house: &mut House, call: &Call) -> Reply;

    /// What a subscriber is told of an event; `None` when nothing. `serial` counts messages.
    fn message(&self, _: &House, _: &Event, _: &Subscriber, _: usize) -> Option<Message> {
        None
    }
}

/// All twins, by the slug of their tool.
const VENDORS: &[(&str, &dyn Vendor)] = &[
    ("bamboohr", &bamboohr::BambooHr),
    ("greenhouse", &greenhouse::Greenhouse),
    ("hibob", &hibob::HiBob),
    ("lever", &lever::Lever),
    ("moodle", &moodle::Moodle),
    ("personio", &personio::Personio),
    ("successfactors", &successfactors::SuccessFactors),
    ("workday", &workday::Workday),
];

/// The tools that have a twin.
#[must_use]
pub fn tools() -> Vec<&'static str> {
    VENDORS.iter().map(|(name, _)| *name).collect()
}

/// A twin that is not started yet.
#[derive(Debug)]
pub struct Twin {
    pub(crate) vendor: &'static dyn Vendor,
    house: Mutex<House>,
}

impl Twin {
    /// The state, for a moment: never held across an await.
    pub(crate) fn house(&self) -> MutexGuard<'_, House> {
        self.house.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Founds the company of a tool's twin and starts it on the loopback address, with faults that are
    /// ordered before the first request. `options.rate_limit` is the budget; `None` is none.
    ///
    /// # Errors
    ///
    /// There is no twin of the tool, or the port cannot be opened.
    pub async fn start(
        tool: &str,
        options: SandboxOptions,
        faults: Vec<Script>,
    ) -> std::io::Result<RunningTwin> {
        let (tool, vendor) = VENDORS.iter().find(|(name, _)| *name == tool).ok_or_else(|| {
            let words = format!("there is no twin of `{tool}`: there are {}", tools().join(", "));
            std::io::Error::new(std::io::ErrorKind::NotFound, words)
        })?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = tokio::net::TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        let plan = Plan {
            seed: options.seed,
            start: options.start,
            employees: options.employees.max(6),
            candidates: options.candidates.max(1),
            jobs: options.jobs.max(1),
        };
        let mut house = House::new(plan, options.rate_limit);
        house.faults = faults;
        house.slow_ms = options.slow_ms;
        let twin = Arc::new(Twin { vendor: *vendor, house: Mutex::new(house) });
        let task = tokio::spawn(crate::server::serve(listener, door::router(twin)));
        Ok(RunningTwin {
            tool,
            base_url: format!("http://127.0.0.1:{port}"),
            credentials: vendor.credentials(options.seed),
            task,
        })
    }
}

/// The budget that a tool's vendor publishes; `None` where it publishes none.
#[must_use]
pub fn published_budget(tool: &str) -> Option<RateLimit> {
    VENDORS.iter().find(|(name, _)| *name == tool).and_then(|(_, vendor)| vendor.budget())
}

/// A running twin. It ends when this is dropped.
#[derive(Debug)]
pub struct RunningTwin {
    /// The tool it plays.
    pub tool: &'static str,
    /// Where it is, in place of the vendor's host: `http://127.0.0.1:4020`.
    pub base_url: String,
    /// What a customer would type into a connect form, by name.
    pub credentials: Vec<(&'static str, String)>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for RunningTwin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A page of a list: how many there are in all, and those from `skip` on.
fn page(all: Vec<Value>, skip: usize, take: usize) -> (usize, Vec<Value>) {
    (all.len(), all.into_iter().skip(skip).take(take).collect())
}
