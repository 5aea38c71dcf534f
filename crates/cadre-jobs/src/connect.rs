//! Linking an account: the form, the check with the tool, the first sync; and doing it again for an
//! integration whose credentials no longer hold.

use std::sync::Arc;
use std::time::Duration;

pub use cadre_connector::ConsentRequest;
use cadre_connector::auth::Auth;
use cadre_connector::{Account, Io, Session};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_store::{
    Agreed, EndUser, EnvironmentScope, Integration, IntegrationScope, InteractionKind,
    NewIntegration, NewInteraction, RunKind, RunTrigger, ScopeConfig, Setup, StoredGrant,
};
use serde_json::{Map, Value, json};
use url::Url;

use crate::catalog::Entry;
use crate::enqueue::{Enqueued, enqueue_sync};
use crate::grants::{Held, to_stored, with_grant};
use crate::live::Judged;
use crate::observe::Log;
use crate::pin::pinned;
use crate::settings::Parts;
use crate::setup;

mod probe;

use probe::may_not_read;

/// How long an end customer waits for the check of the credentials, its waits included.
const CHECK_TIME: Duration = Duration::from_secs(45);
/// Attempts of one request while they wait.
const CHECK_ATTEMPTS: u32 = 3;

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

/// What an end customer agreed to in a connect flow.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The id of the link that is used up.
    pub link_id: Option<String>,
    /// What they opted out of: models, `model.field`s and actions.
    pub opted_out: Vec<String>,
    /// What the tool granted, where it is asked by OAuth 2.
    pub grant: Option<StoredGrant>,
    /// The scope configuration; the default one, or the one that it has, when absent.
    pub scope_config_id: Option<String>,
    /// Whether they choose which employees are read.
    pub filtering: bool,
    /// Whether they say which of their fields fill the custom fields.
    pub field_mapping: bool,
}

/// Models that the credentials may not read, and what the tool said.
#[derive(Debug, Clone)]
pub struct Missing {
    /// What people call the models.
    pub models: Vec<&'static str>,
    /// What the tool said, and what helps.
    pub words: String,
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
    link_agreed(parts, scope, link, Terms::default()).await
}

/// Links an account as an end customer agreed to it.
///
/// # Errors
///
/// As [`link`]; a link that was used before is refused.
pub async fn link_agreed(
    parts: &Parts,
    scope: &EnvironmentScope,
    link: Link,
    terms: Terms,
) -> Result<(Integration, Enqueued), Fault> {
    let entry = entry(parts, &link.tool)?;
    let manifest = entry.connector.manifest();
    let account = accepted(&entry, &link.form)?;
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
    let config = scope_config(parts, scope, &terms).await?;
    let mut checked = Checked { grant: terms.grant.clone(), ..Checked::default() };
    // Whoever pushes has nothing to be asked for.
    if link.check && manifest.inbound.is_none() {
        let asked = Asked { entry: &entry, account: &account, config: &config, terms: &terms };
        checked = check(parts, scope, asked, (&category, &link.end_user)).await?;
        settings = pinned(&settings, checked.host_key.take()).unwrap_or(settings);
    }
    let setup = setup::begin(parts, scope, &entry, &category, &terms).await.map_err(not_linked)?;
    let new = NewIntegration {
        tool: link.tool,
        category,
        suffix: link.suffix,
        end_user: link.end_user,
        settings,
        secrets: account.secrets,
        scope_config_id: terms.scope_config_id.clone(),
        mapping: link.mapping,
    };
    let agreed = Agreed { setup, ..agreed(terms, checked) };
    let integration =
        parts.store.integration_create_agreed(scope, new, agreed).await.map_err(not_linked)?;
    let integration_scope = parts
        .store
        .integration_scope(scope, &integration.id)
        .await
        .map_err(not_linked)?
        .ok_or_else(|| Fault::unknown("an integration was gone right after it was made"))?;
    let run =
        enqueue_sync(&parts.store, &integration_scope, RunKind::Full, RunTrigger::Setup).await?;
    Ok((integration, run))
}

/// Gives an integration new credentials, and asks for a sync. Its id and its records stay.
///
/// # Errors
///
/// As [`link_agreed`].
pub async fn relink(
    parts: &Parts,
    scope: &EnvironmentScope,
    (here, integration): (&IntegrationScope, &Integration),
    form: &Map<String, Value>,
    terms: Terms,
) -> Result<Enqueued, Fault> {
    let entry = entry(parts, &integration.tool)?;
    let account = accepted(&entry, form)?;
    let account = setup::with_steps(parts, here, integration, &entry, account).await?;
    let terms = Terms {
        scope_config_id: terms
            .scope_config_id
            .or_else(|| Some(integration.scope_config_id.clone())),
        filtering: integration.setup.filtering,
        ..terms
    };
    let config = scope_config(parts, scope, &terms).await?;
    let asked = Asked { entry: &entry, account: &account, config: &config, terms: &terms };
    let whose = (integration.category.as_str(), &integration.end_user);
    let mut checked = match entry.connector.manifest().inbound {
        Some(_) => Checked::default(),
        None => check(parts, scope, asked, whose).await?,
    };
    let pinned = pinned(&account.settings, checked.host_key.take());
    let config_id = terms.scope_config_id.clone();
    let agreed = agreed(terms, checked);
    parts
        .store
        .integration_reconnect_agreed(
            here,
            pinned.as_ref().unwrap_or(&account.settings),
            &account.secrets,
            config_id.as_deref(),
            Some(&agreed),
        )
        .await
        .map_err(not_linked)?;
    enqueue_sync(&parts.store, here, RunKind::Full, RunTrigger::ForceSync).await
}

fn not_linked(error: cadre_store::Error) -> Fault {
    match error {
        cadre_store::Error::LinkUsed => {
            Fault::new(Code::PlatformInputInvalid, "This link was used before, or it has ended.")
                .hint("Ask for a new one.")
        }
        error => Fault::unknown(format!("link an account: {error}")),
    }
}

fn agreed(terms: Terms, checked: Checked) -> Agreed {
    let missing: Vec<Value> = checked
        .missing
        .iter()
        .map(|missing| json!({ "models": missing.models, "words": missing.words }))
        .collect();
    Agreed {
        link_id: terms.link_id,
        opted_out: terms.opted_out,
        grant: checked.grant,
        outcome: json!({ "missing": missing }),
        setup: Setup::default(),
    }
}

fn entry(parts: &Parts, tool: &str) -> Result<Arc<Entry>, Fault> {
    parts.catalog.get(tool).ok_or_else(|| {
        let known: Vec<_> = parts.catalog.entries().map(|entry| entry.tool().to_owned()).collect();
        Fault::new(
            Code::PlatformInputInvalid,
            format!("tool: there is no connector for \"{tool}\"; there are {}.", known.join(", ")),
        )
    })
}

fn accepted(entry: &Entry, form: &Map<String, Value>) -> Result<Account, Fault> {
    entry.connector.manifest().accept(form).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Fault::new(Code::PlatformInputInvalid, words.join("; "))
    })
}

/// The scope configuration that will hold, with what the end customer opted out of.
async fn scope_config(
    parts: &Parts,
    scope: &EnvironmentScope,
    terms: &Terms,
) -> Result<ScopeConfig, Fault> {
    let unavailable = |error: cadre_store::Error| Fault::unknown(error);
    let named = match &terms.scope_config_id {
        Some(id) => parts.store.scope_config_get(scope, id).await.map_err(unavailable)?,
        None => None,
    };
    let mut config = match named {
        Some(config) => config,
        None => parts.store.scope_config_default(scope).await.map_err(unavailable)?,
    };
    config.opted_out.clone_from(&terms.opted_out);
    Ok(config)
}

/// What is asked of a tool before an account is linked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    entry: &'a Arc<Entry>,
    account: &'a Account,
    config: &'a ScopeConfig,
    terms: &'a Terms,
}

/// What a check found.
#[derive(Debug, Default)]
struct Checked {
    /// The key that a server of files showed.
    host_key: Option<String>,
    /// What may not be read.
    missing: Vec<Missing>,
    /// What the tool granted, renewed if that was needed.
    grant: Option<StoredGrant>,
}

/// Whose account of which tool, as far as the form is filled in.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The slug of the tool.
    pub tool: &'a str,
    /// `HRIS` or `ATS`.
    pub category: &'a str,
    /// The customer.
    pub end_user: &'a EndUser,
    /// What was typed into the connect form.
    pub form: &'a Map<String, Value>,
}

/// Whether accounts of a tool can be linked: where customers consent, the operator must have registered
/// a client with the tool.
#[must_use]
pub fn ready(parts: &Parts, entry: &Entry) -> bool {
    match &entry.connector.manifest().auth {
        Some(Auth::OAuth2AuthorizationCode(oauth)) if oauth.needs_client() => {
            parts.settings.oauth_clients.contains_key(entry.tool())
        }
        _ => true,
    }
}

/// The address of the page on which the customer consents.
///
/// # Errors
///
/// When the tool asks for no consent, or no client is configured for it.
pub fn consent_page(
    parts: &Parts,
    tool: &str,
    form: &Map<String, Value>,
    request: &ConsentRequest,
) -> Result<Url, Fault> {
    let entry = entry(parts, tool)?;
    let account = accepted(&entry, form)?;
    let log = Arc::new(Log::new(random_id(), 0, parts.clock.clone()));
    let (session, _) = session(parts, &entry, &account, None, &log);
    session.consent_page(request).map_err(|failure| failure.fault)
}

/// Exchanges the code that the customer came back with for a grant.
///
/// # Errors
///
/// What the tool said.
pub async fn consented(
    parts: &Parts,
    scope: &EnvironmentScope,
    whose: Whose<'_>,
    code: &str,
    request: &ConsentRequest,
) -> Result<StoredGrant, Fault> {
    let entry = entry(parts, whose.tool)?;
    let account = accepted(&entry, whose.form)?;
    let flow = Flow::begin(parts, scope, &entry, (whose.category, whose.end_user));
    let (session, _) = session(parts, &entry, &account, None, &flow.log);
    let outcome = session.consented(code, request).await;
    flow.end(outcome.map_err(Judged::from)).await.map(|grant| to_stored(&grant))
}

/// Notes that the customer did not consent, or that the tool did not let them; the fault says so.
pub async fn consent_refused(
    parts: &Parts,
    scope: &EnvironmentScope,
    whose: Whose<'_>,
    words: &str,
    said: Option<&str>,
) -> Fault {
    let entry = match entry(parts, whose.tool) {
        Ok(entry) => entry,
        Err(fault) => return fault,
    };
    let flow = Flow::begin(parts, scope, &entry, (whose.category, whose.end_user));
    let said = said.map(|said| said.chars().take(200).collect::<String>());
    let message = said.map_or_else(|| words.to_owned(), |said| format!("{words} ({said})"));
    let code = Code::IntegrationAuthenticationInvalid;
    let fault = Fault::new(code, message).hint("Begin again, and agree.");
    let rule = Some("consent refused".to_owned());
    let judged = Judged { fault: Box::new(fault.clone()), rule };
    let ended: Result<(), Fault> = flow.end(Err(judged)).await;
    ended.err().unwrap_or(fault)
}

fn session(
    parts: &Parts,
    entry: &Arc<Entry>,
    account: &Account,
    grant: Option<StoredGrant>,
    log: &Arc<Log>,
) -> (Session, Arc<Held>) {
    let mut limits = parts.settings.read.clone();
    limits.max_attempts = limits.max_attempts.min(CHECK_ATTEMPTS);
    limits.max_total_wait = limits.max_total_wait.min(CHECK_TIME);
    limits.total = Some(CHECK_TIME);
    let io =
        Io { http: parts.http.clone(), clock: parts.clock.clone(), observer: log.clone(), limits };
    let held = Arc::new(Held::new(grant));
    let session = Session::new(entry.connector.clone(), account.clone(), io);
    (with_grant(parts, session, held.clone()), held)
}

/// One try to link an account, and its log.
struct Flow<'a> {
    parts: &'a Parts,
    scope: &'a EnvironmentScope,
    entry: &'a Entry,
    category: &'a str,
    end_user: &'a EndUser,
    interaction_id: String,
    started_at: i64,
    log: Arc<Log>,
}

impl<'a> Flow<'a> {
    fn begin(
        parts: &'a Parts,
        scope: &'a EnvironmentScope,
        entry: &'a Entry,
        (category, end_user): (&'a str, &'a EndUser),
    ) -> Self {
        let interaction_id = random_id();
        let log = Arc::new(Log::new(interaction_id.clone(), u64::MAX, parts.clock.clone()));
        let started_at = parts.clock.now_ms();
        Self { parts, scope, entry, category, end_user, interaction_id, started_at, log }
    }

    /// Writes down how it ended; callers are told of a failure.
    async fn end<T>(self, outcome: Result<T, Judged>) -> Result<T, Fault> {
        let judged = outcome.as_ref().err();
        let fault = judged.map(|judged| (*judged.fault).clone());
        let interaction = NewInteraction {
            id: self.interaction_id,
            environment_id: self.scope.id().to_owned(),
            title: format!("Connect {}", self.entry.connector.manifest().label),
            fault: fault.clone(),
            rule: judged.and_then(|judged| judged.rule.clone()),
            ended_at: Some(self.parts.clock.now_ms()),
            request: Some(json!({"tool": self.entry.tool()})),
            ..NewInteraction::new(InteractionKind::ConnectionFlow, self.started_at)
        };
        let store = &self.parts.store;
        let written = if fault.is_some() {
            let tool = (self.entry.tool(), self.category);
            store.connection_flow_failed(interaction, tool, self.end_user).await
        } else {
            store.interaction_write(interaction).await
        };
        if let Err(error) = written {
            tracing::warn!(%error, "a connection flow was not written to the log");
        }
        self.log.write(store).await;
        outcome.map_err(|judged| *judged.fault)
    }
}

/// Asks the tool whether the credentials work, and what they may not read; the exchanges are kept as a
/// connection flow.
async fn check(
    parts: &Parts,
    scope: &EnvironmentScope,
    asked: Asked<'_>,
    whose: (&str, &EndUser),
) -> Result<Checked, Fault> {
    let entry = asked.entry;
    let mut flow = Flow::begin(parts, scope, entry, whose);
    if asked.terms.filtering {
        flow.log = Arc::new(Log::without_content(flow.interaction_id.clone(), parts.clock.clone()));
    }
    let grant = asked.terms.grant.clone();
    let (session, held) = session(parts, entry, asked.account, grant, &flow.log);
    let mut outcome = session.check().await.map(|()| Vec::new());
    // At a terminal one hears of it from the first sync.
    if outcome.is_ok() && asked.terms.link_id.is_some() {
        outcome = may_not_read(&session, entry, asked.config).await;
    }
    let missing = flow.end(outcome.map_err(Judged::from)).await?;
    Ok(Checked { host_key: session.host_key(), missing, grant: held.take() })
}
