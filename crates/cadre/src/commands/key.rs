//! `cadre key`: API keys.

use std::sync::Arc;

use cadre_model::time::{Clock, SystemClock, wire as print_time};
use cadre_store::{EnvironmentScope, NewKey, Store};
use cadre_web::address::Network;
use clap::Subcommand;

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// API keys. A key belongs to one environment.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Create a key and print it. It is not shown again.
    Create {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
        /// What the key is for.
        #[arg(long, default_value = "unnamed")]
        name: String,
        /// Days after which the key no longer works.
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u32>,
        /// Address or network (CIDR) that may use the key; may be given several times.
        #[arg(long = "allow", value_name = "ADDRESS")]
        allow_list: Vec<String>,
    },
    /// List the keys of an environment.
    List {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Say from which addresses keys of an environment may be used; without any, from everywhere.
    Restrict {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
        /// Address or network (CIDR); may be given several times.
        #[arg(long = "allow", value_name = "ADDRESS")]
        allow_list: Vec<String>,
    },
    /// Revoke a key at once.
    Revoke {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
        /// Id of the key, as `cadre key list` prints it.
        id: String,
    },
}

impl Key {
    /// Runs the command.
    #[expect(clippy::print_stdout, reason = "the keys are the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let clock = SystemClock;
        let store = wire::store(&config, Arc::new(clock)).await?;
        match self {
            Key::Create { environment, name, expires_in_days, allow_list } => {
                check_addresses(&allow_list)?;
                let scope = environment_scope(&store, &environment).await?;
                let expires_at =
                    expires_in_days.map(|days| clock.now_ms() + i64::from(days) * 86_400_000);
                let new = NewKey { name, expires_at, allow_list };
                let (_, plain) =
                    store.api_key_create(&scope, new).await.map_err(|e| e.to_string())?;
                println!("{}", plain.expose());
            }
            Key::List { environment } => {
                let scope = environment_scope(&store, &environment).await?;
                for key in store.api_key_list(&scope).await.map_err(|e| e.to_string())? {
                    let until = match (key.revoked_at, key.expires_at) {
                        (Some(at), _) => format!("revoked {}", print_time(at)),
                        (None, Some(at)) => format!("until {}", print_time(at)),
                        (None, None) => "no end".into(),
                    };
                    println!("{}  {}…  {until}  {}", key.id, key.prefix, key.name);
                }
            }
            Key::Restrict { environment, allow_list } => {
                check_addresses(&allow_list)?;
                let scope = environment_scope(&store, &environment).await?;
                let set = store.environment_allow_list_set(&scope, &allow_list).await;
                set.map_err(|error| error.to_string())?;
                let from = match allow_list.as_slice() {
                    [] => "everywhere".to_owned(),
                    list => list.join(", "),
                };
                println!("keys of {environment} may be used from {from}");
            }
            Key::Revoke { environment, id } => {
                let scope = environment_scope(&store, &environment).await?;
                if !store.api_key_revoke(&scope, &id).await.map_err(|e| e.to_string())? {
                    return Err(format!(
                        "no key {id} in {environment}; `cadre key list` shows the keys"
                    ));
                }
                println!("revoked {id}");
            }
        }
        Ok(())
    }
}

/// Every entry of an allow-list is an address or a network.
fn check_addresses(allow_list: &[String]) -> Result<(), Failed> {
    for entry in allow_list {
        entry.parse::<Network>().map_err(|error| format!("--allow: {error}"))?;
    }
    Ok(())
}

/// The scope of an environment that the command line names.
pub async fn environment_scope(store: &Store, name: &str) -> Result<EnvironmentScope, Failed> {
    let known = super::serve::environments(store).await?;
    let found = known.iter().find(|environment| environment.slug == name || environment.id == name);
    let Some(found) = found else {
        let names: Vec<&str> = known.iter().map(|environment| environment.slug.as_str()).collect();
        return Err(format!("no environment \"{name}\"; there are {}", names.join(", ")));
    };
    let scope = store.system_scope(&found.id).await.map_err(|error| error.to_string())?;
    scope.ok_or_else(|| format!("the environment \"{name}\" is gone"))
}
