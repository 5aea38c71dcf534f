//! What `try` and `record` have in common: a folder, an account, and the beginning of its streams.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cadre_connector::manifest::ConnectField;
use cadre_connector::{Account, Excerpt, HttpSend, Wire, WireOptions};
use cadre_jobs::Entry;
use cadre_jobs::authoring::trial::Asked;
use cadre_model::secret::Secret;
use serde_json::{Map, Value};

use crate::Failed;
use crate::config::{Config, Overrides};

/// What stands before the name of a field in the environment.
const VARIABLES: &str = "CADRE_TRY_";

/// Name of the access token where the tool's customers consent on a page of its own.
const ACCESS_TOKEN: &str = "access_token";

/// Flags of `try` and `record`.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// Folder of the connector.
    pub folder: PathBuf,
    /// A stream to read, with those that it hangs on; may repeat. By default all that are mapped.
    #[arg(long = "stream", value_name = "STREAM")]
    pub streams: Vec<String>,
    /// A value of the connect form that is no secret, NAME=VALUE; may repeat.
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// A secret of the connect form, NAME=VALUE. Shells keep what is typed: CADRE_TRY_NAME, --secret-file, or being
    /// asked for it keep it out of their history.
    #[arg(long = "secret", value_name = "NAME=VALUE")]
    secrets: Vec<String>,
    /// A file that holds the value of a field, NAME=PATH; may repeat.
    #[arg(long = "secret-file", value_name = "NAME=PATH")]
    secret_files: Vec<String>,
    /// Most pages of a stream.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    pages: u64,
    /// Most records of a page whose sub-requests are asked.
    #[arg(long, default_value_t = 3)]
    parents: usize,
}

impl Reading {
    /// How much is read.
    pub fn excerpt(&self) -> Excerpt {
        Excerpt { pages: self.pages, parents: self.parents }
    }

    /// What is asked: the form is filled from flags, files, the environment, and the person at the terminal.
    pub fn asked(
        &self,
        entry: &Entry,
        model: Option<String>,
        config: &Config,
    ) -> Result<Asked, Failed> {
        let (account, access_token) = self.account(entry)?;
        Ok(Asked {
            account,
            access_token,
            streams: self.streams.clone(),
            model,
            excerpt: self.excerpt(),
            allow_private: config.allow_private_networks,
        })
    }

    fn account(&self, entry: &Entry) -> Result<(Account, Option<Secret>), Failed> {
        let manifest = entry.connector.manifest();
        let mut form = self.given()?;
        for name in manifest.connect.fields.iter().map(|field| field.name.as_str()) {
            from_environment(&mut form, name);
        }
        let consents = manifest.auth.as_ref().is_some_and(|auth| auth.asks_consent());
        let declared = manifest.connect.fields.iter().any(|field| field.name == ACCESS_TOKEN);
        let mut token = None;
        if consents && !declared {
            from_environment(&mut form, ACCESS_TOKEN);
            let given = form.remove(ACCESS_TOKEN);
            token = given.as_ref().and_then(Value::as_str).map(Secret::from);
            if token.is_none() && std::io::stdin().is_terminal() {
                token = Some(Secret::new(hidden("Access token that a consent brought")?));
            }
            if token.is_none() {
                return Err(format!(
                    "{} is linked by consent: give an access token in {VARIABLES}ACCESS_TOKEN",
                    manifest.label
                ));
            }
        }
        if std::io::stdin().is_terminal() {
            for field in &manifest.connect.fields {
                let needed = !field.optional && field.default.is_none();
                if needed && !form.contains_key(&field.name) {
                    form.insert(field.name.clone(), asked_for(field)?.into());
                }
            }
        }
        let account = manifest.accept(&form).map_err(|problems| {
            let lines: Vec<String> =
                problems.iter().map(|problem| format!("  {problem}")).collect();
            format!(
                "the account of {} is not complete:\n{}\n  Give them with --setting NAME=VALUE, and secrets in \
                 {VARIABLES}NAME or with --secret-file NAME=PATH.",
                manifest.label,
                lines.join("\n")
            )
        })?;
        Ok((account, token))
    }

    /// What stands on the command line.
    fn given(&self) -> Result<Map<String, Value>, Failed> {
        let mut form = Map::new();
        for (flag, pairs) in [("--setting", &self.settings), ("--secret", &self.secrets)] {
            for pair in pairs {
                let (name, value) = split(flag, pair)?;
                form.insert(name.to_owned(), value.into());
            }
        }
        for pair in &self.secret_files {
            let (name, path) = split("--secret-file", pair)?;
            let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            form.insert(name.to_owned(), text.trim_end_matches('\n').into());
        }
        Ok(form)
    }
}

/// The configuration, and the guarded client that it asks for.
pub fn outside(overrides: &Overrides) -> Result<(Config, Arc<dyn HttpSend>), Failed> {
    let config = Config::read(overrides)?;
    let options =
        WireOptions { allow_private: config.allow_private_networks, ..WireOptions::default() };
    let http =
        Wire::new(options).map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
    Ok((config, Arc::new(http)))
}

fn split<'a>(flag: &str, pair: &'a str) -> Result<(&'a str, &'a str), Failed> {
    // The text itself may be a secret, and is not repeated.
    pair.split_once('=')
        .ok_or_else(|| format!("{flag}: expected NAME=VALUE, got a text without \"=\""))
}

fn from_environment(form: &mut Map<String, Value>, name: &str) {
    let variable = format!("{VARIABLES}{}", name.to_ascii_uppercase());
    if let Ok(value) = std::env::var(variable)
        && !form.contains_key(name)
    {
        form.insert(name.to_owned(), value.into());
    }
}

/// Asks the person at the terminal for a value; what is secret is not shown.
fn asked_for(field: &ConnectField) -> Result<String, Failed> {
    let example =
        field.example.as_ref().map(|example| format!(", such as {example}")).unwrap_or_default();
    let question = format!("{} ({}{example})", field.label, field.name);
    if field.secret && field.multiline {
        return Err(format!(
            "{}: give its file with --secret-file {}=PATH",
            field.label, field.name
        ));
    }
    if field.secret { hidden(&question) } else { typed(&question) }
}

#[expect(clippy::print_stderr, reason = "a question is no output of the command")]
fn typed(question: &str) -> Result<String, Failed> {
    eprint!("{question}: ");
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

#[expect(clippy::print_stderr, reason = "a word beside a question")]
fn hidden(question: &str) -> Result<String, Failed> {
    let echo = |word: &str| {
        std::process::Command::new("stty").arg(word).status().is_ok_and(|status| status.success())
    };
    let quiet = echo("-echo");
    if !quiet {
        eprintln!("(what is typed will be seen)");
    }
    let answer = typed(question);
    if quiet {
        echo("echo");
        eprintln!();
    }
    answer
}

/// The columns of the terminal; a usual width where there is none.
pub fn width() -> usize {
    const USUAL: usize = 120;
    if !std::io::stdout().is_terminal() {
        return USUAL;
    }
    let mut stty = std::process::Command::new("stty");
    let size = stty.arg("size").stdin(std::process::Stdio::inherit()).output().ok();
    let size = size.and_then(|output| String::from_utf8(output.stdout).ok());
    size.and_then(|size| size.split_whitespace().nth(1)?.parse().ok()).unwrap_or(USUAL).max(60)
}

/// A connector folder, or everything that is wrong with it.
pub fn load(path: &Path) -> Result<Arc<Entry>, Failed> {
    let folder = cadre_jobs::catalog::Folder::read(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let entry = Entry::load(&folder).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
        format!("{} cannot be used:\n{}", path.display(), lines.join("\n"))
    })?;
    Ok(Arc::new(entry))
}
