//! `cadre doctor`: looks at everything a server needs, and says what is wrong.

use std::sync::Arc;

use cadre_model::time::SystemClock;

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Checks one thing after the other and prints a line for each.
#[expect(clippy::print_stdout, reason = "the findings are the command's output")]
pub async fn run(overrides: &Overrides) -> Result<(), Failed> {
    let mut failed = 0;
    let mut report = |what: &str, outcome: Result<String, Failed>| match outcome {
        Ok(words) => println!("ok      {what}: {words}"),
        Err(words) => {
            failed += 1;
            println!("failed  {what}: {words}");
        }
    };
    let config = match Config::read(overrides) {
        Ok(config) => {
            report("configuration", Ok(format!("data in {}", config.data_dir.display())));
            config
        }
        Err(words) => {
            report("configuration", Err(words));
            return Err("one check failed".into());
        }
    };
    report(
        "connectors",
        wire::catalog(&config).map(|catalog| format!("{} loaded", catalog.entries().count())),
    );
    let store = wire::store(&config, Arc::new(SystemClock)).await;
    let open = match &store {
        Ok(store) => store
            .ping()
            .await
            .map(|()| format!("{} answers", store.backend()))
            .map_err(|e| e.to_string()),
        Err(words) => Err(words.clone()),
    };
    report("database", open);
    if let Ok(store) = &store {
        report("master key", secrets_readable(store).await);
    }
    match std::net::TcpListener::bind(config.listen) {
        Ok(_) => report("address", Ok(format!("{} is free", config.listen))),
        Err(error) => report(
            "address",
            Ok(format!("{} is taken ({error}); fine if that is a running Cadre", config.listen)),
        ),
    }
    match failed {
        0 => Ok(()),
        1 => Err("one check failed".into()),
        more => Err(format!("{more} checks failed")),
    }
}

/// Whether the stored credentials can be read with this master key.
async fn secrets_readable(store: &cadre_store::Store) -> Result<String, Failed> {
    let words = |error: cadre_store::Error| error.to_string();
    let mut count = 0;
    for environment in store.environments().await.map_err(words)? {
        let Some(scope) = store.system_scope(&environment.id).await.map_err(words)? else {
            continue;
        };
        for integration in store.integration_list(&scope).await.map_err(words)? {
            if let Some(scope) =
                store.integration_scope(&scope, &integration.id).await.map_err(words)?
            {
                store.integration_secrets(&scope).await.map_err(|error| {
                    format!("the credentials of {} cannot be read: {error}. Is master_key the one they were stored with?", integration.id)
                })?;
                count += 1;
            }
        }
    }
    Ok(format!("opens the credentials of {count} integrations"))
}
