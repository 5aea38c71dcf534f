//! `cadre webhook`: who is told what happens.

use cadre_jobs::Parts;
use cadre_jobs::webhooks::{check_url, send_test};
use cadre_model::time::wire as print_time;
use cadre_store::{
    Delivery, DeliveryState, Endpoint, EndpointChange, EndpointState, EnvironmentScope, EventType,
    NewEndpoint, Replay, new_secret,
};
use clap::Subcommand;

use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Webhook endpoints: your own servers, told what happens.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Tell a URL about events from now on. Prints the id and the secret, which is not shown again.
    Create {
        /// Where events are posted to; https, unless private networks are allowed.
        url: String,
        /// A type of event, as `data-changed`; may be given several times. Without it: every type.
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        /// File with a secret of your own, as the receiver has it already. Without it one is made.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<std::path::PathBuf>,
        /// Begin after this place in the ledger, instead of with the next event; 0 is its beginning.
        #[arg(long, value_name = "SEQUENCE")]
        after: Option<i64>,
        /// Leave the number of the delivery out of the body, for receivers that accept no further
        /// member; it still stands in the header `webhook-id`.
        #[arg(long)]
        unnumbered: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List the endpoints of an environment.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show an endpoint: what it is told, how far, and how it does.
    Show {
        /// Id of the endpoint.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Stop telling an endpoint. Its events wait and come in order once it is resumed.
    Pause {
        /// Id of the endpoint.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Tell a paused or disabled endpoint again, beginning with what waits.
    Resume {
        /// Id of the endpoint.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Send one message of type `test` now and show the answer.
    Test {
        /// Id of the endpoint.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Tell an endpoint again: a range of the ledger, a range of its own numbers, or what was given up.
    Replay {
        /// Id of the endpoint.
        id: String,
        /// Events after this place in the ledger.
        #[arg(long, value_name = "SEQUENCE", conflicts_with_all = ["from", "failed"])]
        after: Option<i64>,
        /// With --after: events up to this place.
        #[arg(long, value_name = "SEQUENCE", requires = "after")]
        until: Option<i64>,
        /// Deliveries from this number on, as a receiver with a gap knows it.
        #[arg(long, value_name = "NUMBER", conflicts_with = "failed")]
        from: Option<i64>,
        /// With --from: deliveries up to this number.
        #[arg(long, value_name = "NUMBER", requires = "from")]
        to: Option<i64>,
        /// Deliveries that were given up.
        #[arg(long)]
        failed: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Make a new secret. For a while messages are signed with the old one too.
    Rotate {
        /// Id of the endpoint.
        id: String,
        /// Hours for which the old secret also counts.
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        keep_old_hours: u32,
        #[command(flatten)]
        place: Place,
    },
    /// Delete an endpoint with its deliveries; the ledger stays.
    Delete {
        /// Id of the endpoint.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the latest deliveries of an endpoint, newest first.
    Deliveries {
        /// Id of the endpoint.
        id: String,
        /// Only those that are `pending`, `delivered` or `failed`.
        #[arg(long)]
        state: Option<String>,
        /// Most of them.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the command looks.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Environment: `production` or `development`.
    #[arg(long, default_value = "production")]
    environment: String,
}

impl WebhookCommand {
    /// Runs the command.
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let parts = wire::parts(&config).await?;
        let environment = match &self {
            WebhookCommand::Create { place, .. }
            | WebhookCommand::List { place }
            | WebhookCommand::Show { place, .. }
            | WebhookCommand::Pause { place, .. }
            | WebhookCommand::Resume { place, .. }
            | WebhookCommand::Test { place, .. }
            | WebhookCommand::Replay { place, .. }
            | WebhookCommand::Rotate { place, .. }
            | WebhookCommand::Delete { place, .. }
            | WebhookCommand::Deliveries { place, .. } => &place.environment,
        };
        let scope = environment_scope(&parts.store, environment).await?;
        let here = Here { parts: &parts, scope, allow_private: config.allow_private_networks };
        self.perform(&here).await
    }

    #[expect(clippy::print_stdout, reason = "the endpoints are the command's output")]
    async fn perform(self, here: &Here<'_>) -> Result<(), Failed> {
        let store = &here.parts.store;
        match self {
            WebhookCommand::Create { url, types, secret_file, after, unnumbered, .. } => {
                let secret = match secret_file {
                    Some(path) => std::fs::read_to_string(&path)
                        .map_err(|error| format!("{}: {error}", path.display()))?
                        .trim()
                        .into(),
                    None => new_secret(),
                };
                here.create(&url, &types, secret, after, !unnumbered).await?;
            }
            WebhookCommand::List { .. } => here.list().await?,
            WebhookCommand::Show { id, .. } => here.show(&here.endpoint(&id).await?).await?,
            WebhookCommand::Pause { id, .. } => {
                here.set(&id, EndpointState::Paused).await?;
                println!(
                    "{id} is paused; its events wait. `cadre webhook resume {id}` sends them."
                );
            }
            WebhookCommand::Resume { id, .. } => {
                here.set(&id, EndpointState::Enabled).await?;
                println!("{id} is told again; a running server sends what waits.");
            }
            WebhookCommand::Test { id, .. } => here.test(&id).await?,
            WebhookCommand::Replay { id, after, until, from, to, failed, .. } => {
                let replay = match (after, from, failed) {
                    (Some(after), _, _) => Replay::Events { after, until },
                    (_, Some(from), _) => Replay::Deliveries { from, to: to.unwrap_or(i64::MAX) },
                    (_, _, true) => Replay::Failed,
                    _ => {
                        return Err(
                            "say what to tell again: --after SEQUENCE, --from NUMBER or --failed"
                                .into(),
                        );
                    }
                };
                here.replay(&id, replay).await?;
            }
            WebhookCommand::Rotate { id, keep_old_hours, .. } => {
                here.rotate(&id, keep_old_hours).await?;
            }
            WebhookCommand::Delete { id, .. } => {
                if !store.endpoint_delete(&here.scope, &id).await.map_err(text)? {
                    return Err(here.unknown(&id));
                }
                println!("deleted {id}");
            }
            WebhookCommand::Deliveries { id, state, limit, .. } => {
                here.deliveries(&id, state.as_deref(), limit).await?;
            }
        }
        Ok(())
    }
}

/// An environment of this installation.
struct Here<'a> {
    parts: &'a Parts,
    scope: EnvironmentScope,
    allow_private: bool,
}

#[expect(clippy::print_stdout, reason = "the endpoints are the command's output")]
impl Here<'_> {
    fn unknown(&self, id: &str) -> Failed {
        format!("no endpoint {id} in {}; `cadre webhook list` shows them", self.scope.slug())
    }

    async fn endpoint(&self, id: &str) -> Result<Endpoint, Failed> {
        let found = self.parts.store.endpoint_get(&self.scope, id).await.map_err(text)?;
        found.ok_or_else(|| self.unknown(id))
    }

    async fn create(
        &self,
        url: &str,
        types: &[String],
        secret: cadre_model::secret::Secret,
        after: Option<i64>,
        numbered: bool,
    ) -> Result<(), Failed> {
        check_url(url, self.allow_private).map_err(|words| format!("URL: expected {words}"))?;
        if secret.expose().len() < 16 {
            return Err("the secret: expected at least 16 characters".into());
        }
        let types = types.iter().map(|name| event_type(name)).collect::<Result<_, _>>()?;
        let shown = secret.expose().to_owned();
        let new = NewEndpoint { url: url.to_owned(), types, numbered, secret, after };
        let made = self.parts.store.endpoint_create(&self.scope, new).await.map_err(text)?;
        println!("{}", made.id);
        println!("secret: {shown}");
        println!(
            "A running server sends events to it. Try it with `cadre webhook test {}`; \
             docs/concepts/events.md shows how to check signatures.",
            made.id
        );
        Ok(())
    }

    async fn list(&self) -> Result<(), Failed> {
        let endpoints = self.parts.store.endpoint_list(&self.scope).await.map_err(text)?;
        if endpoints.is_empty() {
            println!(
                "No endpoints in {}. Make one with `cadre webhook create URL`.",
                self.scope.slug()
            );
        }
        for endpoint in endpoints {
            let types = types_words(&endpoint);
            println!("{}  {}  {types}  {}", endpoint.id, endpoint.state, endpoint.url);
        }
        Ok(())
    }

    async fn show(&self, endpoint: &Endpoint) -> Result<(), Failed> {
        let store = &self.parts.store;
        let (waiting, failed) =
            store.delivery_counts(&self.scope, &endpoint.id).await.map_err(text)?;
        let head = store.event_head(&self.scope).await.map_err(text)?;
        println!("id           {}", endpoint.id);
        println!("url          {}", endpoint.url);
        println!("types        {}", types_words(endpoint));
        println!("state        {}", endpoint.state);
        if let Some(reason) = &endpoint.state_reason {
            println!("reason       {reason}");
        }
        println!("last number  {}", endpoint.last_sequence);
        println!("waiting      {waiting}");
        println!("given up     {failed}");
        println!("ledger       {} of {head} events read", endpoint.read_through);
        if let Some(since) = endpoint.failing_since {
            println!("failing      since {}", print_time(since));
        }
        if endpoint.state != EndpointState::Enabled {
            println!("\n`cadre webhook resume {}` sends what waits.", endpoint.id);
        } else if endpoint.failing_since.is_some() || failed > 0 {
            println!("\n`cadre webhook deliveries {}` says why.", endpoint.id);
        }
        Ok(())
    }

    async fn set(&self, id: &str, state: EndpointState) -> Result<(), Failed> {
        let change = EndpointChange { state: Some(state), ..EndpointChange::default() };
        let changed = self.parts.store.endpoint_change(&self.scope, id, change).await;
        changed.map_err(text)?.map(drop).ok_or_else(|| self.unknown(id))
    }

    async fn test(&self, id: &str) -> Result<(), Failed> {
        let endpoint = self.endpoint(id).await?;
        let secrets = self.parts.store.endpoint_secrets(&self.scope, id).await.map_err(text)?;
        let secrets = secrets.ok_or_else(|| self.unknown(id))?;
        let (outcome, _) = send_test(self.parts, &endpoint, &secrets).await.map_err(text)?;
        match outcome.fault {
            None => {
                let status = outcome.status.unwrap_or_default();
                println!("taken: {status} after {} ms", outcome.exchange.duration_ms);
                Ok(())
            }
            Some(fault) => Err(super::integration::words(fault)),
        }
    }

    async fn replay(&self, id: &str, mut replay: Replay) -> Result<(), Failed> {
        let (mut again, mut new) = (0, 0);
        loop {
            let done = self.parts.store.deliveries_replay(&self.scope, id, replay).await;
            let done = done.map_err(text)?.ok_or_else(|| self.unknown(id))?;
            again += done.again;
            new += done.new;
            let Some(through) = done.through.filter(|_| done.more) else { break };
            replay = match replay {
                Replay::Events { until, .. } => Replay::Events { after: through, until },
                Replay::Deliveries { to, .. } => Replay::Deliveries { from: through + 1, to },
                Replay::Failed => Replay::Failed,
            };
        }
        println!(
            "{again} deliveries are due again, and {new} new ones; a running server sends them."
        );
        Ok(())
    }

    async fn rotate(&self, id: &str, keep_old_hours: u32) -> Result<(), Failed> {
        let secret = new_secret();
        let until = self.parts.clock.now_ms() + i64::from(keep_old_hours) * HOUR_MS;
        let shown = secret.expose().to_owned();
        let store = &self.parts.store;
        let there = store.endpoint_secret_rotate(&self.scope, id, secret, until).await;
        if !there.map_err(text)? {
            return Err(self.unknown(id));
        }
        println!("secret: {shown}");
        println!(
            "Until {} webhook-signature holds a signature of each secret, and X-Kombo-Signature is made \
             with the old one. Let the receiver accept both until then.",
            print_time(until)
        );
        Ok(())
    }

    async fn deliveries(&self, id: &str, state: Option<&str>, limit: u32) -> Result<(), Failed> {
        self.endpoint(id).await?;
        let state = state.map(delivery_state).transpose()?;
        let list = self.parts.store.delivery_list(&self.scope, id, state, None, limit).await;
        let list = list.map_err(text)?;
        if list.is_empty() {
            println!("No deliveries yet.");
        }
        for one in list {
            println!("{}", delivery_words(&one));
        }
        Ok(())
    }
}

fn delivery_words(one: &Delivery) -> String {
    let status = one.last_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let mut line = format!(
        "{:>6}  {}  {}  {} attempts  {status}  {}",
        one.sequence,
        one.state,
        one.event.event_type,
        one.attempts,
        one.event.integration_id.as_deref().unwrap_or("-")
    );
    if one.state == DeliveryState::Pending {
        line.push_str(&format!("  next {}", print_time(one.next_at)));
    }
    if let Some(error) = one.last_error.as_ref().filter(|_| one.state != DeliveryState::Delivered) {
        line.push_str(&format!("  {error}"));
    }
    line
}

fn types_words(endpoint: &Endpoint) -> String {
    if endpoint.types.is_empty() {
        return "every type".to_owned();
    }
    let names: Vec<&str> = endpoint.types.iter().map(|known| known.as_str()).collect();
    names.join(",")
}

fn event_type(name: &str) -> Result<EventType, Failed> {
    EventType::named(name).ok_or_else(|| {
        let known: Vec<&str> = EventType::ALL.iter().map(|known| known.as_str()).collect();
        format!("--type: expected one of {}, got \"{name}\"", known.join(", "))
    })
}

fn delivery_state(name: &str) -> Result<DeliveryState, Failed> {
    match name {
        "pending" => Ok(DeliveryState::Pending),
        "delivered" => Ok(DeliveryState::Delivered),
        "failed" => Ok(DeliveryState::Failed),
        other => Err(format!("--state: expected pending, delivered or failed, got \"{other}\"")),
    }
}

fn text(error: cadre_store::Error) -> Failed {
    error.to_string()
}
