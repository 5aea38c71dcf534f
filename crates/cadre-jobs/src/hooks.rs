//! What tools tell by themselves: a message is proved, kept, and leads to asking the tool for what it is
//! about. What a message says is never taken for the data itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cadre_connector::manifest::{Algorithm, Encoding, Handshake, HooksSection, Proof};
use cadre_connector::{Account, Failure, Io, Session};
use cadre_jq::Vars;
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::record_id;
use cadre_store::{
    Hook, IntegrationIssueKind, IntegrationScope, IntegrationStatus, InteractionKind, Job,
    NewInteraction, NewJob, Observed, RunKind, RunTrigger, Store,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::catalog::Entry;
use crate::enqueue::{enqueue_sync, possible_kind};
use crate::fields::again::Making;
use crate::observe::Log;
use crate::scim::inbox;
use crate::settings::Parts;

/// Kind of the job that asks for what a message was about.
pub const FETCH: &str = "fetch";

/// Messages about one thing within so many milliseconds lead to one question.
const TOGETHER_MS: i64 = 1_000;

/// How far back calls are judged, and how few say nothing.
const JUDGED_MS: i64 = 6 * 3_600_000;
const ENOUGH_CALLS: i64 = 5;

/// How long a deletion waits for the tool.
const GOODBYE: Duration = Duration::from_secs(8);

/// Most messages of one call that are looked at.
const MOST: usize = 1_000;

/// Longest body that is kept in the log, in bytes.
const KEPT: usize = 16 * 1024;

/// A call of a tool.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// So many questions follow.
    Taken(usize),
    /// It only wants this answer.
    Handshake(Value),
    /// Nobody has this address.
    Unknown,
    /// It is not the tool that called.
    Unproved,
}

/// Takes a call at the address with this token.
///
/// # Errors
///
/// When the database fails; the tool is to call again.
pub async fn receive(
    parts: &Parts,
    token: &str,
    call: &Incoming,
) -> Result<Received, cadre_store::Error> {
    let store = &parts.store;
    let Some((scope, hook)) = store.system_hook(token).await? else {
        return Ok(Received::Unknown);
    };
    let Some(integration) = store.integration_get(&scope).await? else {
        return Ok(Received::Unknown);
    };
    let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(Received::Unknown) };
    let Some(hooks) = &entry.connector.manifest().webhooks else { return Ok(Received::Unknown) };
    let began_at = parts.clock.now_ms();
    let text = String::from_utf8_lossy(&call.body);
    let mut interaction = NewInteraction {
        environment_id: scope.environment_id().to_owned(),
        integration_id: Some(scope.id().to_owned()),
        title: format!("Webhook of {}", entry.connector.manifest().label),
        // Nobody has agreed that whoever it is about may be known here.
        request: (!integration.setup.filtering)
            .then(|| json!({ "body": text.chars().take(KEPT).collect::<String>() })),
        ..NewInteraction::new(InteractionKind::WebhookIn, began_at)
    };
    let settings = &integration.settings;
    if let Some(answer) = hooks.handshake.as_ref().and_then(|wanted| shaken(wanted, call, settings))
    {
        interaction.status = Some(200);
        interaction.ended_at = Some(parts.clock.now_ms());
        store.interaction_write(interaction).await?;
        return Ok(Received::Handshake(answer));
    }
    if !proved(&hooks.proof, &hook, call, settings) {
        let words = "The call does not prove that it comes from the tool.";
        interaction.fault = Some(Fault::new(Code::PlatformAuthenticationInvalid, words));
        interaction.status = Some(401);
        interaction.ended_at = Some(parts.clock.now_ms());
        store.interaction_write(interaction).await?;
        judge_calls(parts, &scope).await?;
        return Ok(Received::Unproved);
    }
    let wanted = match integration.status {
        IntegrationStatus::Inactive => Vec::new(),
        _ => questions(hooks, call, settings),
    };
    for question in &wanted {
        ask(store, &scope, question, began_at).await?;
    }
    store.hook_called(&scope).await?;
    interaction.status = Some(200);
    interaction.response = Some(json!({ "asked": wanted }));
    interaction.ended_at = Some(parts.clock.now_ms());
    store.interaction_write(interaction).await?;
    judge_calls(parts, &scope).await?;
    Ok(Received::Taken(wanted.len()))
}

/// An issue for as long as half or more of the calls of the last hours failed.
pub(crate) async fn judge_calls(
    parts: &Parts,
    scope: &IntegrationScope,
) -> Result<(), cadre_store::Error> {
    let store = &parts.store;
    let (all, failed) = store.incoming_calls(scope, parts.clock.now_ms() - JUDGED_MS).await?;
    let kind = IntegrationIssueKind::IncomingWebhookFailing;
    if all < ENOUGH_CALLS || failed * 2 < all {
        return store.integration_issue_resolve(scope, kind, "").await.map(drop);
    }
    let observed = Observed {
        kind,
        subject: String::new(),
        message: format!("{failed} of {all} calls of the tool in the last six hours were refused."),
        hint: Some(format!(
            "Look into the log which and why. `cadre integration address {}` shows the address and the \
             secret that the tool must use.",
            scope.id()
        )),
    };
    store.integration_issue_raise(scope, &observed).await.map(drop)
}

/// Queues a question. It is asked a moment after the last second in which it can still be joined, so that
/// what is told meanwhile is part of the answer.
async fn ask(
    store: &Store,
    scope: &IntegrationScope,
    question: &Value,
    now: i64,
) -> Result<(), cadre_store::Error> {
    let window = now.div_euclid(TOGETHER_MS);
    let new = NewJob {
        kind: FETCH.to_owned(),
        key: format!("{} {question} {window}", scope.id()),
        payload: json!({ "question": question, "since": now }),
        run_at: Some((window + 1) * TOGETHER_MS),
        integration_id: Some(scope.id().to_owned()),
    };
    store.job_enqueue(new).await.map(drop)
}

fn header<'c>(call: &'c Incoming, name: &str) -> Option<&'c str> {
    let found = call.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Whether two texts are the same, in a time that does not tell how much of them is.
pub(crate) fn same(given: &[u8], expected: &[u8]) -> bool {
    let difference = given.iter().zip(expected).fold(0, |sum, (a, b)| sum | (a ^ b));
    given.len() == expected.len() && difference == 0
}

pub(crate) fn proved(proof: &Proof, hook: &Hook, call: &Incoming, settings: &Value) -> bool {
    let secret = hook.secret.expose();
    match proof {
        Proof::Url => true,
        Proof::Header { name, prefix } => header(call, name)
            .is_some_and(|given| same(given.as_bytes(), format!("{prefix}{secret}").as_bytes())),
        Proof::BasicUser => {
            let expected = format!("Basic {}", STANDARD.encode(format!("{secret}:")));
            header(call, "authorization")
                .is_some_and(|given| same(given.as_bytes(), expected.as_bytes()))
        }
        Proof::Basic { username } => {
            let expected = format!("Basic {}", STANDARD.encode(format!("{username}:{secret}")));
            header(call, "authorization")
                .is_some_and(|given| same(given.as_bytes(), expected.as_bytes()))
        }
        Proof::Hmac { header: name, algorithm, encoding, prefix, signed } => {
            let Some(given) =
                header(call, name).and_then(|text| text.strip_prefix(prefix.as_str()))
            else {
                return false;
            };
            let message = match signed {
                None => call.body.clone(),
                Some(signed) => {
                    let headers = headers(call);
                    let vars = Vars::new().with("$settings", settings).with("$headers", &headers);
                    let body = Value::from(String::from_utf8_lossy(&call.body));
                    match signed.value(&body, &vars) {
                        Ok(Value::String(text)) => text.into_bytes(),
                        _ => return false,
                    }
                }
            };
            let mac = match algorithm {
                Algorithm::Sha256 => mac_256(secret, &message),
                Algorithm::Sha512 => mac_512(secret, &message),
                Algorithm::Sha1 => mac_1(secret, &message),
            };
            let expected = match encoding {
                Encoding::Hex => mac.iter().map(|byte| format!("{byte:02x}")).collect(),
                Encoding::Base64 => STANDARD.encode(mac),
            };
            let given = match encoding {
                Encoding::Hex => given.trim().to_ascii_lowercase(),
                Encoding::Base64 => given.trim().to_owned(),
            };
            same(given.as_bytes(), expected.as_bytes())
        }
    }
}

fn mac_1(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn mac_256(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn mac_512(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn headers(call: &Incoming) -> Value {
    let entries = call.headers.iter();
    Value::Object(entries.map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect())
}

/// What is to be asked, each once: `{stream, id?, model?}`.
fn questions(hooks: &HooksSection, call: &Incoming, settings: &Value) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_else(|_| form(&call.body));
    let headers = headers(call);
    let vars = Vars::new().with("$settings", settings).with("$headers", &headers);
    let messages = match &hooks.messages {
        None => vec![body],
        Some(expression) => match expression.expr().all(&body, &vars) {
            Ok(found) => found.into_iter().map(std::borrow::Cow::into_owned).collect(),
            Err(_) => Vec::new(),
        },
    };
    let mut wanted: Vec<Value> = Vec::new();
    for message in messages.iter().take(MOST) {
        let fits = |when: &cadre_connector::manifest::Expression| when.holds(message, &vars);
        let rule = hooks.events.iter().find(|rule| rule.when.as_ref().is_none_or(fits));
        let Some(rule) = rule else { continue };
        let id = rule.id.as_ref().and_then(|id| match id.value(message, &vars) {
            Ok(Value::String(id)) if !id.is_empty() => Some(id),
            Ok(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        });
        let question = json!({ "stream": rule.stream, "id": id, "model": rule.model });
        if !wanted.contains(&question) {
            wanted.push(question);
        }
    }
    wanted
}

/// What a call is answered that only asks whether the address is there.
fn shaken(wanted: &Handshake, call: &Incoming, settings: &Value) -> Option<Value> {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_else(|_| form(&call.body));
    let headers = headers(call);
    let vars = Vars::new().with("$settings", settings).with("$headers", &headers);
    if !wanted.when.holds(&body, &vars) {
        return None;
    }
    wanted.answer.value(&body, &vars).ok()
}

/// A body that is a form, as an object.
pub(crate) fn form(body: &[u8]) -> Value {
    let fields: Map<String, Value> = url::form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
        .collect();
    Value::Object(fields)
}

/// Does a job: asks the tool for what a message was about.
///
/// # Errors
///
/// When the database fails, or the tool could not be asked: the job is then tried again.
pub(crate) async fn fetch(parts: &Parts, job: &Job) -> Result<(), String> {
    let words = |error: cadre_store::Error| error.to_string();
    let store = &parts.store;
    let integration_id = job.integration_id.as_deref().unwrap_or_default();
    let scope = store.system_integration_scope(integration_id).await.map_err(words)?;
    let Some(scope) = scope else { return Ok(()) };
    if job.payload["directory"] == true {
        return inbox::apply(parts, &scope, job).await;
    }
    let question = &job.payload["question"];
    let stream = question["stream"].as_str().unwrap_or_default();
    let Some(id) = question["id"].as_str() else {
        return sync(parts, &scope).await;
    };
    let Some(making) = Making::load(parts, &scope).await.map_err(words)? else { return Ok(()) };
    // Nothing is read one by one before the first sync has shown what there is.
    if making.integration.first_synced_at.is_none() {
        return Ok(());
    }
    // Whose it is, and whether they may be stored, is for a sync to find out.
    if making.integration.setup.filtering {
        return sync(parts, &scope).await;
    }
    let (session, log) =
        session(parts, &scope, &making.entry, &making.integration.settings).await?;
    let asked = async {
        session.lookups().await?;
        session.one(stream, id).await
    };
    let asked = asked.await;
    log.write(store).await;
    match asked {
        Ok(Some(raw)) => {
            let (records, deleted) = making.made_of(stream, &raw, session.lookup_values());
            store.records_learn(&scope, &records).await.map_err(words)?;
            for (model, id) in deleted {
                store.records_forget(&scope, model, &[id]).await.map_err(words)?;
            }
        }
        Ok(None) => match question["model"].as_str().filter(|model| making.has(model)) {
            Some(model) => {
                let gone = record_id(scope.id(), model, id);
                store.records_forget(&scope, model, &[gone]).await.map_err(words)?;
            }
            None => sync(parts, &scope).await?,
        },
        Err(failure) if failure.retry => return Err(failure.fault.message),
        // The next sync says what is wrong with the account.
        Err(_) => sync(parts, &scope).await?,
    }
    let since = job.payload["since"].as_i64().unwrap_or_default();
    match store.records_changed_finish(&scope, since, job).await {
        Err(error) if !error.is_lease_lost() => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Has the tool synced. A sync that is going on may have passed what changed: another one follows it.
pub(crate) async fn sync(parts: &Parts, scope: &IntegrationScope) -> Result<(), String> {
    let store = &parts.store;
    let integration = store.integration_get(scope).await.map_err(|error| error.to_string())?;
    let Some(integration) = integration else { return Ok(()) };
    let kind = possible_kind(&parts.catalog, &integration.tool, RunKind::Delta);
    let asked = enqueue_sync(store, scope, kind, RunTrigger::Webhook).await;
    let asked = asked.map_err(|fault| fault.message)?;
    let run = store.run_get(scope, &asked.run_id).await.map_err(|error| error.to_string())?;
    if asked.already_queued && run.is_some_and(|run| run.started_at.is_some()) {
        return Err("a sync is going on; another one follows it".to_owned());
    }
    Ok(())
}

async fn session(
    parts: &Parts,
    scope: &IntegrationScope,
    entry: &std::sync::Arc<Entry>,
    settings: &Value,
) -> Result<(Session, std::sync::Arc<Log>), String> {
    let secrets = parts.store.integration_secrets(scope).await.map_err(|e| e.to_string())?;
    let account = Account { settings: settings.clone(), secrets };
    let interaction = NewInteraction {
        environment_id: scope.environment_id().to_owned(),
        integration_id: Some(scope.id().to_owned()),
        title: format!("Webhook of {}: asking", entry.connector.manifest().label),
        ended_at: Some(parts.clock.now_ms()),
        ..NewInteraction::new(InteractionKind::WebhookIn, parts.clock.now_ms())
    };
    let id = interaction.id.clone();
    parts.store.interaction_write(interaction).await.map_err(|error| error.to_string())?;
    let log = std::sync::Arc::new(Log::new(id, u64::MAX, parts.clock.clone()));
    let io = Io {
        http: inbox::client(parts, scope, entry),
        clock: parts.clock.clone(),
        observer: log.clone(),
        limits: parts.settings.read.clone(),
    };
    let connector = entry.connector.clone();
    Ok((parts.standings.session(scope.id(), connector, account, io), log))
}

/// Where an integration's tool is to call; `None` while this server has no address of its own.
///
/// # Errors
///
/// When the database fails.
pub async fn address(
    parts: &Parts,
    scope: &IntegrationScope,
) -> Result<Option<(String, Hook)>, cadre_store::Error> {
    let Some(base) = &parts.settings.public_url else { return Ok(None) };
    let hook = parts.store.hook(scope).await?;
    Ok(Some((format!("{base}/hooks/{}", hook.token), hook)))
}

/// Asks the tool to tell what happens, where it can be asked and was not yet. A refusal is no failure of
/// anything: the tool is asked again after the next sync.
pub(crate) async fn subscribe(
    parts: &Parts,
    scope: &IntegrationScope,
    entry: &Entry,
    session: &Session,
) -> Result<(), cadre_store::Error> {
    if !entry.connector.subscribes() {
        return Ok(());
    }
    let Some((url, hook)) = address(parts, scope).await? else { return Ok(()) };
    if hook.subscribed_at.is_some() {
        return Ok(());
    }
    let answer: Result<Value, Failure> = session.subscribe(&url, hook.secret.expose()).await;
    match answer {
        Ok(answer) => {
            let id = match &answer["id"] {
                Value::Null => None,
                Value::String(id) => Some(id.clone()),
                other => Some(other.to_string()),
            };
            let secret = answer["secret"].as_str().map(cadre_model::secret::Secret::from);
            parts.store.hook_subscribed(scope, id.as_deref(), secret.as_ref()).await
        }
        Err(failure) => {
            tracing::info!(
                integration.id = scope.id(),
                code = failure.fault.code.as_str(),
                "the tool was asked to tell what happens, and refused"
            );
            Ok(())
        }
    }
}

/// Asks the tool not to tell any more, before an integration is deleted and its credentials go. Nobody waits
/// for it long, and a refusal stops nothing: the address answers nobody any more.
pub async fn unsubscribe(parts: &Parts, scope: &IntegrationScope) {
    match tokio::time::timeout(GOODBYE, say_goodbye(parts, scope)).await {
        Ok(Ok(())) => {}
        Ok(Err(words)) => {
            tracing::info!(integration.id = scope.id(), words, "a tool was not unsubscribed from");
        }
        Err(_) => tracing::info!(integration.id = scope.id(), "a tool did not unsubscribe in time"),
    }
}

async fn say_goodbye(parts: &Parts, scope: &IntegrationScope) -> Result<(), String> {
    let words = |error: cadre_store::Error| error.to_string();
    let Some(integration) = parts.store.integration_get(scope).await.map_err(words)? else {
        return Ok(());
    };
    let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(()) };
    let Some(hook) = parts.store.hook_known(scope).await.map_err(words)? else { return Ok(()) };
    if !entry.connector.unsubscribes() || hook.subscribed_at.is_none() {
        return Ok(());
    }
    let base = parts.settings.public_url.as_deref().unwrap_or_default();
    let url = format!("{base}/hooks/{}", hook.token);
    let (session, log) = session(parts, scope, &entry, &integration.settings).await?;
    let done = session.unsubscribe(hook.remote_id.as_deref(), &url).await;
    log.write(&parts.store).await;
    done.map_err(|failure| failure.fault.message)
}

#[cfg(test)]
mod tests {
    use super::{mac_1, mac_256, same};

    /// RFC 2202, test case 2.
    #[test]
    fn known_answer_of_the_old_hash() {
        let mac = mac_1("Jefe", b"what do ya want for nothing?");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    /// RFC 4231, test case 2.
    #[test]
    fn known_answer() {
        let mac = mac_256("Jefe", b"what do ya want for nothing?");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(same(b"ab", b"ab") && !same(b"ab", b"abc") && !same(b"ab", b"ac"));
    }
}
