//! The binary: reads the configuration and wires the parts.
//!
//! It decides nothing. Every command is a file in [`commands`]; what it needs of the other crates is
//! put together in [`wire`].

mod builtin;
mod commands;
mod config;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Overrides;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One API over the HR systems that companies already use.
#[derive(Parser)]
#[command(name = "cadre", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Start with `cadre demo` to see everything with made-up data, or with `cadre serve`.\n\
    Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
struct Arguments {
    #[command(flatten)]
    overrides: Overrides,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(commands::serve::Serve),
    /// Run a server with made-up tools, already connected and synced; nothing is kept.
    Demo(commands::demo::Demo),
    /// Run made-up tools, or the twin of a real one, for tests and connector authors.
    Sandbox(commands::sandbox::SandboxCommand),
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Key(commands::key::Key),
    /// Link accounts of tools, list them, sync them.
    #[command(subcommand)]
    Integration(commands::integration::IntegrationCommand),
    /// Fields beyond the unified model that your environment wants.
    #[command(subcommand)]
    CustomField(commands::fields::CustomFieldCommand),
    /// Make links with which end customers link their accounts.
    #[command(subcommand)]
    Link(commands::link::LinkCommand),
    /// Say which models, fields and actions may be used.
    #[command(subcommand)]
    Scope(commands::scope::ScopeCommand),
    /// List environments, make one.
    #[command(subcommand)]
    Environment(commands::environment::EnvironmentCommand),
    /// Tell your own servers what happens: endpoints, deliveries, replay.
    #[command(subcommand)]
    Webhook(commands::webhook::WebhookCommand),
    /// Sources of public postings, and importing into them.
    #[command(subcommand)]
    Feed(commands::feed::FeedCommand),
    /// Public postings, their forms, and applications through them.
    Posting(commands::posting::PostingCommand),
    /// List connectors, check a connector folder.
    #[command(subcommand)]
    Connector(commands::connector::ConnectorCommand),
    /// Look at what happened: calls, actions, syncs, webhooks.
    #[command(subcommand)]
    Logs(commands::logs::Logs),
    /// Say who may log in to the dashboard, and what each may do.
    #[command(subcommand)]
    Person(commands::person::PersonCommand),
    /// Show who did what in the dashboard.
    Audit(commands::audit::Audit),
    /// Make a link that logs in to the dashboard.
    LoginLink,
    /// Look at configuration, database, master key and connectors, and say what is wrong.
    Doctor,
}

/// Why a command failed, in words for whoever typed it.
pub type Failed = String;

#[expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]
fn main() -> ExitCode {
    quiet_about_closed_pipes();
    let arguments = Arguments::parse();
    // Both TLS users of the process share one implementation.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cadre: the runtime did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("cadre: {words}");
            ExitCode::FAILURE
        }
    }
}

/// Ends a command whose reader has left, as `cadre connector show … | head` does, without a word: what
/// prints to standard output panics then.
fn quiet_about_closed_pipes() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or_default();
        if words.starts_with("failed printing to stdout") && words.contains("Broken pipe") {
            std::process::exit(0);
        }
        report(panic);
    }));
}

async fn run(arguments: Arguments) -> Result<(), Failed> {
    let overrides = &arguments.overrides;
    match arguments.command {
        Command::Serve(serve) => serve.run(overrides).await,
        Command::Demo(demo) => demo.run().await,
        Command::Sandbox(sandbox) => sandbox.run().await,
        Command::Key(key) => key.run(overrides).await,
        Command::Integration(integration) => integration.run(overrides).await,
        Command::CustomField(fields) => fields.run(overrides).await,
        Command::Link(link) => link.run(overrides).await,
        Command::Scope(scope) => scope.run(overrides).await,
        Command::Environment(environment) => environment.run(overrides).await,
        Command::Webhook(webhook) => webhook.run(overrides).await,
        Command::Feed(feed) => feed.run(overrides).await,
        Command::Posting(posting) => posting.run(overrides).await,
        Command::Connector(connector) => connector.run(overrides).await,
        Command::Logs(logs) => logs.run(overrides).await,
        Command::Person(person) => person.run(overrides).await,
        Command::Audit(audit) => audit.run(overrides).await,
        Command::LoginLink => commands::login_link::run(overrides).await,
        Command::Doctor => commands::doctor::run(overrides).await,
    }
}
