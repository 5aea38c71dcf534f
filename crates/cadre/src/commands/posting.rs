//! `cadre posting`: public postings, their forms, and applications through them.

use cadre_jobs::Parts;
use cadre_jobs::apply::{inquire, is_page_url, parse};
use cadre_model::time::wire as print_time;
use cadre_store::{
    ApplicationQuery, ApplicationStatus, ArchivedReason, EnvironmentScope, NewPosting,
    PlacedPosting, Posting, PostingQuery,
};
use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::feed::text;
use super::integration::words;
use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Public postings: list them, read their pages, take them down, and look after applications.
#[derive(Debug, clap::Args)]
pub struct PostingCommand {
    #[command(subcommand)]
    what: What,
    /// Environment: `production` or `development`.
    #[arg(long, global = true, default_value = "production")]
    environment: String,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List postings.
    List {
        /// Only of this feed.
        #[arg(long)]
        feed: Option<String>,
        /// Most of them.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Enter a posting by hand.
    Add {
        /// Address of its page.
        url: String,
        /// Label of a new career site that it belongs to.
        #[arg(long)]
        career_site: String,
        /// The employer's own code of the job.
        #[arg(long)]
        job_code: Option<String>,
    },
    /// Read the page of a posting now and print its form.
    Parse {
        /// Id of the posting.
        id: String,
    },
    /// Take a posting down.
    Archive {
        /// Id of the posting.
        id: String,
    },
    /// List applications.
    Applications {
        /// Only those of which nobody knows what came of them.
        #[arg(long)]
        uncertain: bool,
        /// Most of them.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Say what came of an application that nobody knows the end of.
    Settle {
        /// Id of the application.
        id: String,
        /// What came of it; `again` sends it once more.
        #[arg(long = "as", value_enum)]
        end: SettledAs,
    },
}

/// What came of an application, as a person found it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SettledAs {
    /// The employer has it.
    Submitted,
    /// The candidate had applied before.
    Duplicate,
    /// The employer will not get it.
    Failed,
    /// It has not arrived, and is to be sent again.
    Again,
}

impl PostingCommand {
    /// Runs the command.
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let parts = wire::parts(&Config::read(overrides)?).await?;
        let scope = environment_scope(&parts.store, &self.environment).await?;
        match self.what {
            What::List { feed, limit } => list(&parts, &scope, feed, limit).await,
            What::Add { url, career_site, job_code } => {
                add(&parts, &scope, url, &career_site, job_code).await
            }
            What::Parse { id } => read(&parts, &scope, &id).await,
            What::Archive { id } => archive(&parts, &scope, &id).await,
            What::Applications { uncertain, limit } => {
                applications(&parts, &scope, uncertain, limit).await
            }
            What::Settle { id, end } => settle(&parts, &scope, &id, end).await,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the postings are the command's output")]
async fn list(
    parts: &Parts,
    scope: &EnvironmentScope,
    feed_id: Option<String>,
    limit: u32,
) -> Result<(), Failed> {
    let query = PostingQuery { feed_id, limit, ..PostingQuery::default() };
    let postings = parts.store.posting_list(scope, &query).await.map_err(text)?;
    if postings.is_empty() {
        println!("No postings yet. `cadre feed import` or `cadre posting add` brings them.");
    }
    for posting in postings {
        println!("{}", line(&posting));
    }
    Ok(())
}

fn line(posting: &Posting) -> String {
    let mut line = format!("{}  {:<11}  {}", posting.id, posting.availability, posting.url);
    for more in [posting.job_code.as_deref(), posting.note.as_deref()].into_iter().flatten() {
        line.push_str("  ");
        line.push_str(more);
    }
    line
}

#[expect(clippy::print_stdout, reason = "the id is the command's output")]
async fn add(
    parts: &Parts,
    scope: &EnvironmentScope,
    url: String,
    career_site: &str,
    job_code: Option<String>,
) -> Result<(), Failed> {
    if !is_page_url(&url) {
        return Err(format!(
            "expected the address of a page, http://… or https://…, got \"{url}\""
        ));
    }
    let site = parts.store.career_site_create(scope, career_site).await.map_err(text)?;
    let new = NewPosting { career_site_id: site.id, url, job_code, place: None };
    let (PlacedPosting::Placed(posting) | PlacedPosting::AlreadyThere(posting)) =
        parts.store.posting_place(scope, &new).await.map_err(text)?;
    println!("{}", posting.id);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the form is the command's output")]
async fn read(parts: &Parts, scope: &EnvironmentScope, id: &str) -> Result<(), Failed> {
    let posting = find(parts, scope, id).await?;
    parse::now(parts, scope, &posting).await.map_err(words)?;
    let posting = find(parts, scope, id).await?;
    println!("{}", line(&posting));
    let form = inquire::stored(parts, scope, &posting).await.map_err(words)?;
    let blocks = form.map_or(Value::Null, |form| form.blocks());
    print_blocks(&blocks);
    Ok(())
}

/// Prints the questions of a form, and the headings that they stand under.
#[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
fn print_blocks(blocks: &Value) {
    for block in blocks.as_array().into_iter().flatten() {
        let word = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
        if block["block_type"] == "SECTION" {
            println!("  {}:", word("label"));
            print_blocks(&block["children"]);
            continue;
        }
        let required = if block["required"] == true { "required" } else { "optional" };
        println!(
            "  {}  {:<13}  {required}  {}  {}",
            word("question_id"),
            word("question_type"),
            word("label"),
            word("unified_key")
        );
    }
}

async fn find(parts: &Parts, scope: &EnvironmentScope, id: &str) -> Result<Posting, Failed> {
    let found = parts.store.posting_get(scope, id).await.map_err(text)?;
    found.ok_or_else(|| format!("no posting {id} here; `cadre posting list` shows them"))
}

#[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
async fn archive(parts: &Parts, scope: &EnvironmentScope, id: &str) -> Result<(), Failed> {
    let done = parts.store.posting_archive(scope, id, ArchivedReason::Manual).await;
    if !done.map_err(text)? {
        return Err(format!("no posting {id} here that is not archived"));
    }
    println!("archived {id}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the applications are the command's output")]
async fn applications(
    parts: &Parts,
    scope: &EnvironmentScope,
    uncertain: bool,
    limit: u32,
) -> Result<(), Failed> {
    let query = ApplicationQuery { uncertain, limit, ..ApplicationQuery::default() };
    let list = parts.store.application_list(scope, &query).await.map_err(text)?;
    if list.is_empty() {
        println!("No applications.");
    }
    for one in list {
        println!(
            "{}  {}  {:<9}  {:<9}  posting {}  {}",
            print_time(one.created_at),
            one.id,
            one.status,
            one.stage,
            one.posting_id,
            one.note.unwrap_or_default()
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
async fn settle(
    parts: &Parts,
    scope: &EnvironmentScope,
    id: &str,
    end: SettledAs,
) -> Result<(), Failed> {
    let status = match end {
        SettledAs::Submitted => Some(ApplicationStatus::Submitted),
        SettledAs::Duplicate => Some(ApplicationStatus::Duplicate),
        SettledAs::Failed => Some(ApplicationStatus::Failed),
        SettledAs::Again => None,
    };
    let done = parts.store.application_settle(scope, id, status, "Settled by hand.").await;
    if !done.map_err(text)? {
        return Err(format!(
            "no application {id} here that is uncertain; see `cadre posting applications --uncertain`"
        ));
    }
    println!("settled {id}");
    Ok(())
}
