//! `cadre feed`: sources of public postings, and importing into them.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use cadre_jobs::Parts;
use cadre_jobs::apply::feed;
use cadre_model::time::wire as print_time;
use cadre_store::{EnvironmentScope, SiteQuery};
use clap::Subcommand;
use futures::Stream;
use tokio::io::AsyncReadExt as _;

use super::integration::words;
use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// How much of a file is read at once, in bytes.
const PART_BYTES: usize = 64 << 10;

/// Job feeds. A feed is one source of public postings.
#[derive(Debug, Subcommand)]
pub enum FeedCommand {
    /// Create a feed and print its id.
    Create {
        /// What it is called.
        label: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// List the feeds of an environment, each with its latest import.
    List {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Import a file into a feed: one JSON object a line. Postings that it does not name are archived.
    Import {
        /// Id of the feed.
        feed: String,
        /// The file; `-` is standard input.
        file: PathBuf,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// List the latest imports of a feed.
    Imports {
        /// Id of the feed.
        feed: String,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
}

impl FeedCommand {
    /// Runs the command.
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let parts = wire::parts(&Config::read(overrides)?).await?;
        match self {
            FeedCommand::Create { label, environment } => {
                let scope = environment_scope(&parts.store, &environment).await?;
                create(&parts, &scope, &label).await
            }
            FeedCommand::List { environment } => {
                let scope = environment_scope(&parts.store, &environment).await?;
                list(&parts, &scope).await
            }
            FeedCommand::Import { feed, file, environment } => {
                let scope = environment_scope(&parts.store, &environment).await?;
                import(&parts, &scope, &feed, &file).await
            }
            FeedCommand::Imports { feed, environment } => {
                let scope = environment_scope(&parts.store, &environment).await?;
                imports(&parts, &scope, &feed).await
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "the id is the command's output")]
async fn create(parts: &Parts, scope: &EnvironmentScope, label: &str) -> Result<(), Failed> {
    if label.trim().is_empty() {
        return Err("a feed needs a label".to_owned());
    }
    let feed = parts.store.job_feed_create(scope, label).await.map_err(text)?;
    println!("{}", feed.id);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the feeds are the command's output")]
async fn list(parts: &Parts, scope: &EnvironmentScope) -> Result<(), Failed> {
    let query = SiteQuery { limit: 1_000, ..SiteQuery::default() };
    let feeds = parts.store.job_feed_list(scope, &query).await.map_err(text)?;
    if feeds.is_empty() {
        println!("No feed yet. `cadre feed create LABEL` makes one.");
    }
    for feed in feeds {
        let latest = parts.store.feed_import_list(scope, Some(&feed.id), 1).await.map_err(text)?;
        let counts = parts.store.posting_counts(scope, Some(&feed.id)).await.map_err(text)?;
        let counts: Vec<String> =
            counts.iter().map(|(state, many)| format!("{many} {}", state.as_str())).collect();
        let import = latest.first().map_or_else(
            || "never imported".to_owned(),
            |import| format!("imported {} ({})", print_time(import.started_at), import.state),
        );
        println!("{}  {import}  {}  {}", feed.id, counts.join(", "), feed.label);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the counts are the command's output")]
async fn import(
    parts: &Parts,
    scope: &EnvironmentScope,
    feed: &str,
    file: &Path,
) -> Result<(), Failed> {
    let source: Box<dyn tokio::io::AsyncRead + Send + Unpin> = if file == Path::new("-") {
        Box::new(tokio::io::stdin())
    } else {
        let opened = tokio::fs::File::open(file).await;
        Box::new(opened.map_err(|error| format!("{}: {error}", file.display()))?)
    };
    let counts = feed::import(parts, scope, feed, parts_of(source)).await.map_err(words)?;
    println!(
        "{} lines: {} postings are new, {} were archived",
        counts.processed, counts.created, counts.archived
    );
    Ok(())
}

/// A file, part by part.
fn parts_of(
    source: Box<dyn tokio::io::AsyncRead + Send + Unpin>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    futures::stream::try_unfold(source, async |mut source| {
        let mut part = vec![0; PART_BYTES];
        let read = source.read(&mut part).await?;
        part.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(part), source)))
    })
}

#[expect(clippy::print_stdout, reason = "the imports are the command's output")]
async fn imports(parts: &Parts, scope: &EnvironmentScope, feed: &str) -> Result<(), Failed> {
    let list = parts.store.feed_import_list(scope, Some(feed), 50).await.map_err(text)?;
    if list.is_empty() {
        println!("No import into this feed yet.");
    }
    for import in list {
        let counts = import.counts;
        println!(
            "{}  {}  {} lines, {} new, {} archived  {}",
            print_time(import.started_at),
            import.state,
            counts.processed,
            counts.created,
            counts.archived,
            import.message.unwrap_or_default()
        );
    }
    Ok(())
}

pub(super) fn text(error: cadre_store::Error) -> Failed {
    error.to_string()
}
