//! Linking an account of a tool: the form, the check with the tool, the first sync.

use std::sync::Arc;

use cadre_connector::{Account, Io, Session};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_store::{
    EndUser, EnvironmentScope, Integration, InteractionKind, NewIntegration, NewInteraction,
    RunKind, RunTrigger,
};
use serde_json::{Map, Value, json};

use crate::enqueue::{Enqueued, enqueue_sync};
use crate::observe::Log;
use crate::pin::pinned;
use crate::settings::Parts;

/// What linking an account takes.
#[derive(Debug, Clone)]
pub struct Link {
    /// The slug of the tool.
    pub tool: String,
    /// `HRIS` or `ATS`; by default the first category of the tool.
    pub category: Option<String>,
    /// What stands after the colon of the integration's id; made up when absent.
    pub suffix: Option<String>,
    /// Who the account belongs to.
    pub end_user: EndUser,
    /// What was typed into the connect form, secrets included.
    pub form: Map<String, Value>,
    /// The integration's own mapping, which goes over the connector's.
    pub mapping: Option<Value>,
    /// Whether the tool is asked if the credentials work.
    pub check: bool,
}

/// Links an account and asks for its first sync.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` names every field of the form that is wrong; a failed check says what
/// the tool said.
pub async fn link(
    parts: &Parts,
    scope: &EnvironmentScope,
    link: Link,
) -> Result<(Integration, Enqueued), Fault> {
    let entry = parts.catalog.get(&link.tool).ok_or_else(|| {
        let known: Vec<_> = parts.catalog.entries().map(|entry| entry.tool().to_owned()).collect();
        Fault::new(
            Code::PlatformInputInvalid,
            format!(
                "tool: there is no connector for \"{}\"; there are {}.",
                link.tool,
                known.join(", ")
            ),
        )
    })?;
    let manifest = entry.connector.manifest();
    let account = manifest.accept(&link.form).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Fault::new(Code::PlatformInputInvalid, words.join("; "))
    })?;
    let categories: Vec<&str> =
        manifest.categories.iter().map(|category| category.as_str()).collect();
    let category =
        link.category.unwrap_or_else(|| categories.first().copied().unwrap_or_default().to_owned());
    if !categories.contains(&category.as_str()) {
        return Err(Fault::new(
            Code::PlatformInputInvalid,
            format!("category: expected one of {}, got \"{category}\".", categories.join(", ")),
        ));
    }
    if let Some(mapping) = &link.mapping {
        cadre_map::Overlay::parse(mapping).map_err(|problems| {
            let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Fault::new(Code::PlatformInputInvalid, format!("mapping: {}", words.join("; ")))
        })?;
    }
    let mut settings = account.settings.clone();
    if link.check {
        let host_key = check(parts, scope, &entry, &account, (&category, &link.end_user)).await?;
        settings = pinned(&settings, host_key).unwrap_or(settings);
    }
    let new = NewIntegration {
        tool: link.tool,
        category,
        suffix: link.suffix,
        end_user: link.end_user,
        settings,
        secrets: account.secrets,
        scope_config_id: None,
        mapping: link.mapping,
    };
    let unavailable =
        |error: cadre_store::Error| Fault::unknown(format!("link an account: {error}"));
    let integration = parts.store.integration_create(scope, new).await.map_err(unavailable)?;
    let integration_scope = parts
        .store
        .integration_scope(scope, &integration.id)
        .await
        .map_err(unavailable)?
        .ok_or_else(|| Fault::unknown("an integration was gone right after it was made"))?;
    let run =
        enqueue_sync(&parts.store, &integration_scope, RunKind::Full, RunTrigger::Setup).await?;
    Ok((integration, run))
}

/// Asks the tool whether the credentials work; the exchanges are kept as a connection flow. Returns
/// the key that a server of files showed.
async fn check(
    parts: &Parts,
    scope: &EnvironmentScope,
    entry: &Arc<crate::catalog::Entry>,
    account: &Account,
    (category, end_user): (&str, &EndUser),
) -> Result<Option<String>, Fault> {
    let interaction_id = random_id();
    let started_at = parts.clock.now_ms();
    let log = Arc::new(Log::new(interaction_id.clone(), u64::MAX, parts.clock.clone()));
    let io = Io {
        http: parts.http.clone(),
        clock: parts.clock.clone(),
        observer: log.clone(),
        limits: parts.settings.read.clone(),
    };
    let session = Session::new(entry.connector.clone(), account.clone(), io);
    let outcome = session.check().await;
    let fault = outcome.as_ref().err().map(|failure| failure.fault.clone());
    let interaction = NewInteraction {
        id: interaction_id,
        environment_id: scope.id().to_owned(),
        title: format!("Connect {}", entry.connector.manifest().label),
        fault: fault.clone(),
        rule: outcome.as_ref().err().map(|failure| failure.rule.clone()),
        ended_at: Some(parts.clock.now_ms()),
        request: Some(json!({"tool": entry.tool()})),
        ..NewInteraction::new(InteractionKind::ConnectionFlow, started_at)
    };
    let written = if fault.is_some() {
        let tool = (entry.tool(), category);
        parts.store.connection_flow_failed(interaction, tool, end_user).await
    } else {
        parts.store.interaction_write(interaction).await
    };
    if let Err(error) = written {
        tracing::warn!(%error, "a connection flow was not written to the log");
    }
    log.write(&parts.store).await;
    fault.map_or_else(|| Ok(session.host_key()), Err)
}
