//! `cadre sandbox`: the made-up vendors, or the twin of a real one, without the product.

use cadre_sandbox::fault::Script;
use cadre_sandbox::twin::{self, Twin};
use cadre_sandbox::{RateLimit, Sandbox, SandboxOptions};
use serde_json::{Map, Value, json};

use super::serve;
use crate::Failed;

/// Flags of `sandbox`.
#[derive(Debug, clap::Args)]
pub struct SandboxCommand {
    /// Tool whose twin is to run; without it, the two made-up tools do.
    #[arg(long)]
    tool: Option<String>,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
    /// Port on this machine; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Seed of the made-up data: the same seed gives the same data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many people the company has; there are as many candidates.
    #[arg(long, default_value_t = 60)]
    people: usize,
    /// Requests that are taken in ten seconds, in place of the vendor's budget; 0 is without end.
    #[arg(long)]
    budget: Option<u32>,
    /// A fault before the first request, as JSON: {"fault": "status", "status": 500}. May repeat.
    #[arg(long = "fault")]
    faults: Vec<String>,
}

impl SandboxCommand {
    /// Starts it, prints its address and credentials, and serves until it is told to stop.
    pub async fn run(self) -> Result<(), Failed> {
        let mut signals = serve::Signals::listen()?;
        match &self.tool {
            Some(tool) => {
                let faults =
                    self.faults.iter().map(|text| script(text)).collect::<Result<_, _>>()?;
                let budget = self.budget(twin::published_budget(tool));
                let started = Twin::start(tool, self.options(budget), faults).await;
                let running = started.map_err(|error| error.to_string())?;
                let form = running.credentials.iter();
                let form = form.map(|(name, value)| ((*name).to_owned(), value.clone().into()));
                self.print(tool, &running.base_url, form.collect());
                signals.told_to_stop().await;
            }
            None if !self.faults.is_empty() => {
                return Err("--fault belongs to --tool; the made-up tools take faults at \
                            /admin/faults"
                    .to_owned());
            }
            None => {
                let options = self.options(self.budget(SandboxOptions::default().rate_limit));
                let running = Sandbox::start(options).await.map_err(|error| error.to_string())?;
                let form = json!({"client_id": running.client_id,
                    "client_secret": running.client_secret, "api_key": running.api_key});
                let form = form.as_object().cloned().unwrap_or_default();
                self.print("the made-up tools", &running.base_url, form);
                signals.told_to_stop().await;
            }
        }
        Ok(())
    }

    fn budget(&self, own: Option<RateLimit>) -> Option<RateLimit> {
        match self.budget {
            None => own,
            Some(0) => None,
            Some(requests) => Some(RateLimit { requests, per_seconds: 10 }),
        }
    }

    fn options(&self, rate_limit: Option<RateLimit>) -> SandboxOptions {
        SandboxOptions {
            seed: self.seed,
            port: self.port,
            employees: self.people,
            candidates: self.people,
            rate_limit,
            ..SandboxOptions::default()
        }
    }

    #[expect(clippy::print_stdout, reason = "address and credentials are the command's output")]
    fn print(&self, name: &str, url: &str, form: Map<String, Value>) {
        if self.json {
            println!("{}", json!({"tool": self.tool, "url": url, "credentials": form}));
            return;
        }
        println!("{name} at {url}. Ctrl-C ends it; nothing is kept.\n");
        for (field, value) in &form {
            println!("  {field:<16} {}", value.as_str().unwrap_or_default());
        }
        println!("\nOrders (faults, changes, clock, what came in) go to {url}/admin");
    }
}

fn script(text: &str) -> Result<Script, Failed> {
    serde_json::from_str(text).map_err(|error| format!("--fault {text}: {error}"))
}
