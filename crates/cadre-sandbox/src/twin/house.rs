//! The room in which a twin lives: its tables, its clock, its budget, its tokens, what was ordered of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::RateLimit;
use crate::fault::Script;
use crate::plan::Plan;
use crate::table::{Row, Tables, merge};
use crate::twin::company;
use crate::world::{Saved, Seen};

/// Requests that are remembered.
const REMEMBERED_REQUESTS: usize = 20_000;

/// Something that happened to a record, for change feeds and webhooks.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// `added`, `changed` or `deleted`.
    pub(crate) what: &'static str,
    pub(crate) list: &'static str,
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// The record before it was changed or deleted; null for a new one.
    pub(crate) before: Value,
}

/// Somebody who is to be told of events.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) secret: String,
    /// Names of the vendor's events; empty means all.
    pub(crate) events: Vec<String>,
}

/// Everything a twin holds. One lock guards it; it is never held across an await.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) plan: Plan,
    /// The neutral truth, which vendors only dress: see [`company`].
    pub(crate) tables: Tables,
    /// Tokens and when they end.
    pub(crate) tokens: HashMap<String, Timestamp>,
    tokens_given: u64,
    pub(crate) faults: Vec<Script>,
    /// Names that the credentials may not use: beginnings of paths, functions, operations.
    pub(crate) forbidden: BTreeSet<String>,
    pub(crate) seen: VecDeque<Seen>,
    pub(crate) last_pages: HashMap<String, Saved>,
    pub(crate) budget: Option<RateLimit>,
    window: Option<(Timestamp, u32)>,
    pub(crate) skew: SignedDuration,
    pub(crate) slow_ms: u64,
    /// What happened since the twin was founded.
    pub(crate) journal: Vec<Event>,
    /// How much of the journal was told to subscribers.
    pub(crate) told: usize,
    pub(crate) subscribers: Vec<Subscriber>,
    /// What a vendor keeps beside the tables, by a name of its own.
    pub(crate) notes: BTreeMap<String, Value>,
    begun: Instant,
}

impl House {
    /// A founded company.
    pub(crate) fn new(plan: Plan, budget: Option<RateLimit>) -> House {
        House {
            plan,
            tables: company::found(&plan),
            tokens: HashMap::new(),
            tokens_given: 0,
            faults: Vec::new(),
            forbidden: BTreeSet::new(),
            seen: VecDeque::new(),
            last_pages: HashMap::new(),
            budget,
            window: None,
            skew: SignedDuration::ZERO,
            slow_ms: 0,
            journal: Vec::new(),
            told: 0,
            subscribers: Vec::new(),
            notes: BTreeMap::new(),
            begun: Instant::now(),
        }
    }

    /// The present moment of the twin, in whole milliseconds.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.begun.elapsed()).unwrap_or(SignedDuration::ZERO);
        let now = self.plan.start + passed + self.skew;
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// The present day, in UTC.
    pub(crate) fn today(&self) -> String {
        day(&self.now().to_string())
    }

    /// Takes one request off the budget: limit, what is left, seconds to the next window. `Err` holds
    /// the seconds when nothing is left.
    pub(crate) fn charge(&mut self) -> Result<Option<(u32, u32, u64)>, u64> {
        let Some(limit) = self.budget else { return Ok(None) };
        let now = self.now();
        let length =
            SignedDuration::from_secs(i64::try_from(limit.per_seconds).unwrap_or(i64::MAX));
        let (begun, used) = match self.window {
            Some((begun, used)) if now.duration_since(begun) < length => (begun, used),
            _ => (now, 0),
        };
        let left = length - now.duration_since(begun);
        // Rounded up, so that whoever waits that long finds the budget whole.
        let seconds = u64::try_from(left.as_millis()).unwrap_or(0).div_ceil(1_000);
        if used >= limit.requests {
            return Err(seconds);
        }
        self.window = Some((begun, used + 1));
        Ok(Some((limit.requests, limit.requests - used - 1, seconds)))
    }

    /// A new token that holds for so long. Its text says nothing, as that of vendors.
    pub(crate) fn give_token(&mut self, seconds: i64) -> String {
        self.tokens_given += 1;
        let token = format!("twin-token-{}-{}", self.plan.seed, self.tokens_given);
        let end = self.now() + SignedDuration::from_secs(seconds);
        self.tokens.insert(token.clone(), end);
        token
    }

    /// Whether a token was given and has not ended.
    pub(crate) fn token_holds(&self, token: &str) -> bool {
        self.tokens.get(token).is_some_and(|end| *end > self.now())
    }

    /// The records of a list, in the order in which they were made.
    pub(crate) fn rows(&self, list: &str) -> impl Iterator<Item = &Row> {
        self.tables.get(list).into_iter().flat_map(|table| table.rows())
    }

    /// A record; `Null` when there is none.
    pub(crate) fn get(&self, list: &str, id: impl ToString) -> &Value {
        let table = self.tables.get(list);
        table.and_then(|table| table.get(&id.to_string())).map_or(&Value::Null, |row| &row.value)
    }

    /// The first record with this value in this field.
    pub(crate) fn find(&self, list: &str, fits: impl Fn(&Value) -> bool) -> Option<&Value> {
        self.rows(list).map(|row| &row.value).find(|value| fits(value))
    }

    /// Adds a record under the next number; the number.
    pub(crate) fn add(&mut self, list: &'static str, mut value: Value) -> u64 {
        let now = self.now();
        let table = self.tables.entry(list).or_default();
        let id = company::first_number(list) + table.added() as u64;
        value["id"] = id.into();
        table.add(value, now, now);
        self.happened("added", list, &id.to_string(), Value::Null);
        id
    }

    /// Changes fields of a record: objects are merged, other values replaced. Says whether it is there.
    pub(crate) fn change(&mut self, list: &'static str, id: impl ToString, patch: Value) -> bool {
        let (now, id) = (self.now(), id.to_string());
        let before = self.get(list, &id).clone();
        let Value::Object(patch) = patch else { return false };
        let Some(table) = self.tables.get_mut(list) else { return false };
        let known = table.change(&id, now, |object: &mut Map<String, Value>| merge(object, patch));
        if known {
            self.happened("changed", list, &id, before);
        }
        known
    }

    /// Takes a record out without a trace but the journal's. Says whether it was there.
    pub(crate) fn delete(&mut self, list: &'static str, id: impl ToString) -> bool {
        let id = id.to_string();
        let before = self.get(list, &id).clone();
        let known = self.tables.get_mut(list).is_some_and(|table| table.delete(&id));
        if known {
            self.happened("deleted", list, &id, before);
        }
        known
    }

    fn happened(&mut self, what: &'static str, list: &'static str, id: &str, before: Value) {
        let at = self.now();
        self.journal.push(Event { what, list, id: id.to_owned(), at, before });
    }

    /// Remembers a request.
    pub(crate) fn saw(&mut self, seen: Seen) {
        if self.seen.len() == REMEMBERED_REQUESTS {
            self.seen.pop_front();
        }
        self.seen.push_back(seen);
    }
}

/// The day of a moment or of a day.
pub(crate) fn day(moment: &str) -> String {
    moment.chars().take(10).collect()
}

/// A moment as milliseconds of the epoch; a day is its midnight in UTC. `Null` for what is neither.
pub(crate) fn millis(moment: &Value) -> Value {
    let text = moment.as_str().unwrap_or_default();
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse::<Timestamp>().map_or(Value::Null, |at| at.as_millisecond().into())
}

/// The text of a field; empty when it has none.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Whether a number is the one in a text.
pub(crate) fn is(number: &Value, text: &str) -> bool {
    number.as_u64().is_some_and(|number| text.parse() == Ok(number))
}

/// Given and family name in one.
pub(crate) fn full_name(person: &Value) -> String {
    format!("{} {}", text(person, "first"), text(person, "last"))
}
