//! `cadre person`: who may log in to the dashboard, and what each may do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use cadre_model::time::{SystemClock, wire as print_time};
use cadre_store::{NewPerson, Person, Role, Store};
use clap::Subcommand;

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Shortest password, in characters.
const SHORTEST: usize = 12;

/// People who use the dashboard.
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Add a person. Without --password-file a password is made and printed.
    Add {
        /// Their e-mail address.
        email: String,
        /// Their name.
        #[arg(long)]
        name: String,
        /// `read-only`, `support`, `developer` or `admin`.
        #[arg(long, default_value = "read-only", value_parser = role)]
        role: Role,
        /// File with their password: 12 characters or more.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List the people.
    List,
    /// Change what a person may do. Their sessions end.
    Role {
        /// Their e-mail address.
        email: String,
        /// `read-only`, `support`, `developer` or `admin`.
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Let a person log in no more.
    Disable {
        /// Their e-mail address.
        email: String,
    },
    /// Let a person log in again.
    Enable {
        /// Their e-mail address.
        email: String,
    },
    /// Give a person another password. Without --password-file one is made and printed.
    Password {
        /// Their e-mail address.
        email: String,
        /// File with their password: 12 characters or more.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

fn role(name: &str) -> Result<Role, String> {
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    Role::named(name).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

impl PersonCommand {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the people are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let store = wire::store(&config, Arc::new(SystemClock)).await?;
        match self {
            PersonCommand::Add { email, name, role, password_file } => {
                let (password, made) = password(password_file.as_deref())?;
                let new = NewPerson { email, name, role, password };
                let person = store.person_create(new).await.map_err(text)?;
                let person = person.ok_or("there is somebody with this address")?;
                println!("{} may log in as {}", person.email, person.role);
                print_made(made);
            }
            PersonCommand::List => {
                for person in store.people().await.map_err(text)? {
                    let Person { email, name, role, .. } = &person;
                    let seen = person.last_log_in_at.map_or("never".to_owned(), print_time);
                    let off = if person.disabled_at.is_some() { "  disabled" } else { "" };
                    println!("{email}  {role}  {name}  last log-in {seen}{off}");
                }
            }
            PersonCommand::Role { email, role } => {
                let person = find(&store, &email).await?;
                change(&store, &person, role, person.disabled_at.is_some()).await?;
            }
            PersonCommand::Disable { email } => {
                let person = find(&store, &email).await?;
                change(&store, &person, person.role, true).await?;
            }
            PersonCommand::Enable { email } => {
                let person = find(&store, &email).await?;
                change(&store, &person, person.role, false).await?;
            }
            PersonCommand::Password { email, password_file } => {
                let person = find(&store, &email).await?;
                let (password, made) = password(password_file.as_deref())?;
                store.person_password_set(&person.id, &password).await.map_err(text)?;
                println!("the password of {} is changed; their sessions have ended", person.email);
                print_made(made);
            }
        }
        Ok(())
    }
}

/// The password of a file, or one that is made; the second part is what is to be printed.
fn password(file: Option<&Path>) -> Result<(Secret, Option<String>), Failed> {
    let Some(file) = file else {
        let made = random_id();
        return Ok((made.as_str().into(), Some(made)));
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let password = text.trim_end_matches(['\n', '\r']);
    if password.chars().count() < SHORTEST {
        return Err(format!("{}: expected {SHORTEST} characters or more", file.display()));
    }
    Ok((password.into(), None))
}

#[expect(clippy::print_stdout, reason = "it is shown once, here")]
fn print_made(made: Option<String>) {
    if let Some(made) = made {
        println!("password: {made}");
    }
}

async fn find(store: &Store, email: &str) -> Result<Person, Failed> {
    let people = store.people().await.map_err(text)?;
    let found = people.into_iter().find(|person| person.email.eq_ignore_ascii_case(email));
    found.ok_or_else(|| format!("nobody has the address {email}; `cadre person list` shows them"))
}

#[expect(clippy::print_stdout, reason = "the outcome is the command's output")]
async fn change(store: &Store, person: &Person, role: Role, off: bool) -> Result<(), Failed> {
    if !store.person_change(&person.id, role, off).await.map_err(text)? {
        return Err("there must be one admin who can log in; make somebody else one first".into());
    }
    let may = if off { "may not log in" } else { "may log in" };
    println!("{} {may} as {role}", person.email);
    Ok(())
}

fn text(error: cadre_store::Error) -> Failed {
    error.to_string()
}
