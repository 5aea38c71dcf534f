//! `cadre logs`: what happened, in the terminal.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cadre_model::fault::Code;
use cadre_model::time::{Clock, SystemClock, wire as print_time};
use cadre_store::{
    ExchangeRow, Interaction, InteractionFilter, InteractionKind, InteractionState, Store,
};
use clap::{Args, Subcommand};

use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// How often `follow` looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long an interaction may have been under way when `follow` first sees it, in milliseconds.
const LOOK_BACK_MS: i64 = 10 * 60_000;
/// Longest body that is printed, in characters.
const BODY: usize = 2_000;

/// The log: calls, actions, syncs, webhooks, each with what was sent and what came back.
#[derive(Debug, Subcommand)]
pub enum Logs {
    /// List what happened, newest last.
    List {
        #[command(flatten)]
        which: Which,
        /// How many, at most.
        #[arg(long, default_value_t = 30)]
        limit: u32,
    },
    /// Print what happens, until it is interrupted.
    Follow {
        #[command(flatten)]
        which: Which,
        /// End after so many seconds.
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
    /// Show one interaction: what went wrong, who must act, every exchange with the tool.
    Show {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
        /// Id of the interaction; the end of a `log_url`.
        id: String,
    },
}

/// Which interactions are wanted.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Environment: `production` or `development`.
    #[arg(long, default_value = "production")]
    environment: String,
    /// Kind: api, action, passthrough, sync, connection_flow, webhook_out or webhook_in.
    #[arg(long = "type", value_name = "KIND")]
    kind: Option<String>,
    /// State: running, succeeded or failed.
    #[arg(long)]
    state: Option<String>,
    /// Id of an integration.
    #[arg(long)]
    integration: Option<String>,
    /// Error code, such as REMOTE.SERVICE_UNAVAILABLE.
    #[arg(long)]
    code: Option<String>,
    /// Only what began after this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    after: Option<jiff::Timestamp>,
    /// Only what began before this moment (RFC 3339).
    #[arg(long, value_name = "MOMENT")]
    before: Option<jiff::Timestamp>,
}

impl Which {
    fn filter(&self, limit: u32) -> Result<InteractionFilter, Failed> {
        let kinds = InteractionKind::ALL;
        let states = InteractionState::ALL;
        let kind = self.kind.as_deref().map(|text| {
            let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let known = kinds.iter().find(|kind| kind.as_str() == text).copied();
            known.ok_or_else(|| format!("--type: expected one of {}, got {text}", words.join(", ")))
        });
        let state = self.state.as_deref().map(|text| {
            let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            let known = states.iter().find(|state| state.as_str() == text).copied();
            known
                .ok_or_else(|| format!("--state: expected one of {}, got {text}", words.join(", ")))
        });
        if let Some(code) = self.code.as_deref().filter(|code| Code::parse(code).is_none()) {
            return Err(format!(
                "--code: {code} is no error code; docs/concepts/error-codes.md has all"
            ));
        }
        Ok(InteractionFilter {
            kind: kind.transpose()?,
            state: state.transpose()?,
            integration_id: self.integration.clone(),
            code: self.code.clone(),
            since: self.after.map(jiff::Timestamp::as_millisecond),
            before: self.before.map(jiff::Timestamp::as_millisecond),
            limit,
            ..InteractionFilter::default()
        })
    }
}

impl Logs {
    /// Runs the command.
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let store = wire::store(&config, Arc::new(SystemClock)).await?;
        match self {
            Logs::List { which, limit } => {
                let scope = environment_scope(&store, &which.environment).await?;
                let found = store.interaction_list(&scope, &which.filter(limit)?).await;
                for one in found.map_err(|error| error.to_string())?.iter().rev() {
                    print_line(one);
                }
                Ok(())
            }
            Logs::Follow { which, seconds } => follow(&store, &which, seconds).await,
            Logs::Show { environment, id } => show(&store, &environment, &id).await,
        }
    }
}

async fn follow(store: &Store, which: &Which, seconds: Option<u64>) -> Result<(), Failed> {
    let scope = environment_scope(store, &which.environment).await?;
    let began = SystemClock.now_ms();
    let mut seen = HashSet::new();
    loop {
        let now = SystemClock.now_ms();
        let since = which.after.map_or(began, jiff::Timestamp::as_millisecond);
        let mut filter = which.filter(250)?;
        // What takes long is written when it has ended, under the moment at which it began.
        filter.since = Some(since.max(now - LOOK_BACK_MS));
        let found = store.interaction_list(&scope, &filter).await;
        for one in found.map_err(|error| error.to_string())?.iter().rev() {
            if one.state() != InteractionState::Running && seen.insert(one.id.clone()) {
                print_line(one);
            }
        }
        if seconds.is_some_and(|seconds| {
            now - began >= i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
        }) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[expect(clippy::print_stdout, reason = "the log is the command's output")]
fn print_line(one: &Interaction) {
    let took = one.duration_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
    let end = match (&one.code, one.status) {
        (Some(code), _) => code.clone(),
        (None, Some(status)) => status.to_string(),
        (None, None) => one.state().as_str().to_owned(),
    };
    println!(
        "{}  {}  {:<15} {:<10} {end}  {}",
        print_time(one.started_at),
        one.id,
        one.kind.as_str(),
        took,
        one.title
    );
}

#[expect(clippy::print_stdout, reason = "the log is the command's output")]
async fn show(store: &Store, environment: &str, id: &str) -> Result<(), Failed> {
    let scope = environment_scope(store, environment).await?;
    let words = |error: cadre_store::Error| error.to_string();
    let found = store.interaction_get(&scope, id).await.map_err(words)?;
    let one = found.ok_or_else(|| {
        format!("no interaction {id} in {environment}; logs are kept for a limited time")
    })?;
    print_line(&one);
    if let Some(integration) = &one.integration_id {
        println!("integration: {integration}");
    }
    if let Some(code) = &one.code {
        let known = Code::parse(code);
        println!("message:     {}", one.message.as_deref().unwrap_or_default());
        if let Some(known) = known {
            let cause = serde_json::to_value(known.cause(one.rule.as_deref())).unwrap_or_default();
            let who = serde_json::to_value(known.who()).unwrap_or_default();
            println!("cause:       {}", cause.as_str().unwrap_or_default());
            println!("must act:    {}", who.as_str().unwrap_or_default());
        }
        if let Some(rule) = &one.rule {
            println!("rule:        {rule}");
        }
        let next = one.hint.as_deref().or(known.map(Code::hint));
        println!("next step:   {}", next.unwrap_or_default());
        if let Some(context) = &one.context {
            println!("details:     {context}");
        }
    }
    if let Some(request) = &one.request {
        println!("request:     {}", shortened(&request.to_string()));
    }
    for exchange in store.exchange_list(&scope, id).await.map_err(words)? {
        print_exchange(&exchange);
    }
    for part in store.interaction_children(&scope, id).await.map_err(words)? {
        print_line(&part);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the log is the command's output")]
fn print_exchange(exchange: &ExchangeRow) {
    let end = match (&exchange.status, &exchange.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let number = exchange.seq + 1;
    println!(
        "\n{number}. {} {} -> {end} ({} ms)",
        exchange.method, exchange.url, exchange.duration_ms
    );
    for (mark, body) in [(">", &exchange.request_body), ("<", &exchange.response_body)] {
        if let Some(body) = body.as_deref().filter(|body| !body.is_empty()) {
            println!("   {mark} {}", shortened(body));
        }
    }
    if let Some(rule) = &exchange.rule {
        println!("   rule: {rule}");
    }
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(BODY).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
