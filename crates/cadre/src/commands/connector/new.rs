//! `cadre connector new`: a folder to begin with.

use std::path::{Path, PathBuf};

use cadre_jobs::authoring::schema;
use cadre_jobs::authoring::start::{AuthKind, Kind, PagingKind, Start};
use clap::ValueEnum;

use crate::config::{Config, Overrides};
use crate::{Failed, builtin};

/// Flags of `connector new`.
#[derive(Debug, clap::Args)]
pub struct New {
    /// Slug of the tool: name of the folder, and what callers use. Lower-case letters, digits, - and _.
    name: String,
    /// The tool's name as people know it; by default the slug.
    #[arg(long)]
    label: Option<String>,
    /// What kind of software the tool is.
    #[arg(long, value_enum, ignore_case = true, default_value = "hris")]
    category: CategoryArg,
    /// What paths are appended to. {name} in it becomes a field of the form: https://{subdomain}.acme.example/v1
    #[arg(long, value_name = "URL", default_value = "https://api.example.com/v1")]
    base_url: String,
    /// How requests prove who sends them.
    #[arg(long, value_enum, default_value = "bearer")]
    auth: AuthArg,
    /// How the next page is found.
    #[arg(long, value_enum, default_value = "none")]
    paging: PagingArg,
    /// Folder of your connectors; by default `connectors_dir` of the configuration, or `connectors`.
    #[arg(long = "in", value_name = "DIR")]
    within: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CategoryArg {
    /// HR information.
    Hris,
    /// Applicant tracking.
    Ats,
    /// Learning management.
    Lms,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AuthArg {
    /// A bearer token that the customer has.
    Bearer,
    /// A key in a header.
    Header,
    /// User name and password.
    Basic,
    /// A key in the query.
    Query,
    /// OAuth 2 with client credentials.
    #[value(name = "oauth2-client-credentials", alias = "oauth2")]
    OAuth2,
    /// Nothing.
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PagingArg {
    /// There is one page.
    None,
    /// By the number of the page.
    PageNumber,
    /// By the number of records before it.
    Offset,
    /// By a cursor in the answer.
    Cursor,
    /// By the header `Link`.
    LinkHeader,
    /// By a URL in the answer.
    NextUrl,
}

impl New {
    /// Writes the folder.
    #[expect(clippy::print_stdout, reason = "what was written is the command's output")]
    pub fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let within = match self.within.clone() {
            Some(folder) => folder,
            None => Config::read(overrides)?.connectors_dir.unwrap_or_else(|| "connectors".into()),
        };
        let folder = within.join(&self.name);
        let built_in = builtin::folders().iter().any(|folder| folder.name == self.name);
        let start = self.start();
        let files = start.files().map_err(|error| error.to_string())?;
        if folder.symlink_metadata().is_ok() {
            return Err(format!(
                "{} is there already and was left as it is; choose another name, or take it away first",
                folder.display()
            ));
        }
        for (path, text) in &files {
            write(&folder.join(path), text)?;
        }
        for (path, text) in &schema::files() {
            write(&within.join(schema::FOLDER).join(path), text)?;
        }
        println!("{} is begun:", folder.display());
        for path in files.keys() {
            println!("  {path}");
        }
        if built_in {
            println!("A connector of this name comes with Cadre; this folder goes over it.");
        }
        println!(
            "\nNext: `cadre connector check {}`, then put in what the tool says.",
            folder.display()
        );
        println!("`cadre connector try {}` asks it.", folder.display());
        Ok(())
    }

    fn start(self) -> Start {
        Start {
            label: self.label.unwrap_or_else(|| self.name.clone()),
            tool: self.name,
            kind: match self.category {
                CategoryArg::Hris => Kind::Hris,
                CategoryArg::Ats => Kind::Ats,
                CategoryArg::Lms => Kind::Lms,
            },
            base_url: self.base_url,
            auth: match self.auth {
                AuthArg::Bearer => AuthKind::Bearer,
                AuthArg::Header => AuthKind::Header,
                AuthArg::Basic => AuthKind::Basic,
                AuthArg::Query => AuthKind::Query,
                AuthArg::OAuth2 => AuthKind::OAuth2,
                AuthArg::None => AuthKind::None,
            },
            paging: match self.paging {
                PagingArg::None => PagingKind::None,
                PagingArg::PageNumber => PagingKind::PageNumber,
                PagingArg::Offset => PagingKind::Offset,
                PagingArg::Cursor => PagingKind::Cursor,
                PagingArg::LinkHeader => PagingKind::LinkHeader,
                PagingArg::NextUrl => PagingKind::NextUrl,
            },
        }
    }
}

/// Writes a file, and the folders above it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failed> {
    let say = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(say)?;
    }
    std::fs::write(path, text).map_err(say)
}
