//! What stands around a page: the environment it is in, where else one can go, who looks.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use cadre_store::{EnvironmentKind, EnvironmentScope, IntegrationFound, IntegrationScope, Role};
use http::request::Parts;

use super::door::Visitor;
use super::page::Trouble;
use crate::gate;
use crate::listing::Pairs;
use crate::scope::unavailable;
use crate::state::AppState;

/// What stands around a page.
#[derive(Debug)]
pub(super) struct Shell {
    /// The path of the environment's pages: `/env/production`.
    pub(super) base: String,
    /// The environment's name.
    pub(super) environment: String,
    /// Whether customers' data is in it.
    pub(super) production: bool,
    /// The other environments by name.
    pub(super) others: Vec<String>,
    /// Which part of the menu the page belongs to.
    pub(super) section: &'static str,
    /// Who looks.
    pub(super) name: String,
    /// What they may do.
    pub(super) role: Role,
    /// The token of the page's forms.
    pub(super) csrf: String,
    /// What was just done, in words.
    pub(super) done: Option<&'static str>,
}

impl Shell {
    /// Whether the visitor may keep integrations going.
    pub(super) fn support(&self) -> bool {
        self.role >= Role::Support
    }

    /// Whether the visitor may change what software sees.
    pub(super) fn developer(&self) -> bool {
        self.role >= Role::Developer
    }

    /// Whether the visitor may do everything.
    pub(super) fn admin(&self) -> bool {
        self.role >= Role::Admin
    }
}

/// What an act says on the page that follows it.
const DONE: &[(&str, &str)] = &[
    ("sync", "A sync is queued. This page follows it."),
    ("sync-there", "A sync was already queued or running: that one is shown."),
    ("cancel", "The sync ends at its next page. What it has read is kept."),
    ("pause", "The integration is switched off: no syncs, no reads. Everything is kept."),
    ("resume", "The integration is switched on; a sync is due now."),
    ("delete", "The integration is deleted. Its credentials are erased now, its data in 14 days."),
    ("issue-snooze", "Snoozed until it is over."),
    ("issue-accept", "Accepted. The next sync takes the data as it is."),
    ("issue-reopen", "The issue is open again."),
    ("drop-accept", "The next sync marks as deleted what the tool no longer returns."),
    ("drop-reject", "The records stay. The question is not asked again until they are back."),
    ("quality-accept", "The integration can be read now."),
    (
        "unlock",
        "The set-up counts as finished. The integration can be read once a sync has ended well.",
    ),
    ("scope", "The scope configuration is changed. It holds from the next full sync."),
    ("steps", "Saved. A step that is open now locks reads until it is done."),
    ("filter", "The filter is confirmed. A sync that goes by it is on its way."),
    ("interval", "The schedule is changed."),
    ("assigned", "The scope configuration holds from the next full sync."),
    ("scope-created", "Made. Say below what may be used."),
    ("scope-renamed", "Renamed."),
    ("scope-default", "New integrations get it from now on."),
    ("scope-deleted", "The scope configuration is deleted."),
    ("remapped", "Saved. The stored records are made once more in the background."),
    ("remapped-sync", "Saved. Records get other ids, so that a full sync is queued."),
    ("key-revoked", "The key is revoked: it does not work any more."),
    ("endpoint-pause", "Paused. Its events wait and come in order once it is resumed."),
    ("endpoint-resume", "It is told again, beginning with what waits."),
    ("endpoint-types", "Changed. It holds for events from now on."),
    ("endpoint-delete", "The endpoint is deleted with its deliveries. The ledger of events stays."),
    ("replay", "What was asked for is due again."),
    ("feed", "The feed is there. Send it lines with its id."),
    ("posting-parse", "The page is read before all others."),
    ("posting-archive", "Archived. Nobody can apply to it any more."),
    ("application", "Settled. Whoever listens is told."),
    ("environment", "The environment is made."),
    ("person", "The change is saved. Their sessions have ended."),
    ("person-added", "They can log in now. Give them the password by a safe way."),
    ("password", "The password is changed."),
    ("welcome", "Your account is made, and you are logged in with it."),
];

/// An environment that the path names, and who looks at it.
#[derive(Debug, Clone)]
pub(super) struct Here {
    pub(super) visitor: Visitor,
    pub(super) scope: EnvironmentScope,
    query: String,
}

impl Here {
    /// Puts together what is known: the path named this environment.
    pub(super) fn new(visitor: Visitor, scope: EnvironmentScope, query: Option<&str>) -> Self {
        Self { visitor, scope, query: query.unwrap_or_default().to_owned() }
    }

    /// The path of the environment's pages.
    pub(super) fn base(&self) -> String {
        format!("/env/{}", self.scope.slug())
    }

    /// A parameter of the query, if it is there and not empty.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        let pairs = Pairs::parse(Some(&self.query), &mut Vec::new());
        let value = pairs.all(name).next().map(str::trim).filter(|value| !value.is_empty());
        value.map(str::to_owned)
    }

    /// What stands around a page of this part of the menu.
    pub(super) fn shell(&self, section: &'static str) -> Shell {
        let done = self.asked("done");
        let done = DONE.iter().find(|(code, _)| Some(*code) == done.as_deref());
        let others = self.visitor.environments.iter().map(|scope| scope.slug().to_owned());
        Shell {
            base: self.base(),
            environment: self.scope.slug().to_owned(),
            production: self.scope.kind() == EnvironmentKind::Production,
            others: others.filter(|slug| slug != self.scope.slug()).collect(),
            section,
            name: self.visitor.name.clone(),
            role: self.visitor.role,
            csrf: self.visitor.csrf.clone(),
            done: done.map(|(_, words)| *words),
        }
    }

    /// Notes what the visitor did in this environment.
    pub(super) async fn note(
        &self,
        state: &AppState,
        act: &str,
        subject: &str,
        detail: impl Into<String>,
    ) -> Result<(), Trouble> {
        self.visitor.note(state, Some(&self.scope), act, subject, detail).await
    }
}

/// The variable parts of the path, by name.
#[derive(Debug, Clone)]
pub(super) struct Named(Vec<(String, String)>);

impl Named {
    /// One of them; empty when the path has none of that name.
    pub(super) fn part(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let missing = |_| Trouble::Missing("What this path names").into_response();
        let params = params.map_err(missing)?;
        Ok(Self(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

impl FromRequestParts<AppState> for Here {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        let named = Named::from_request_parts(parts, state).await?;
        let slug = named.part("env");
        let scope = visitor.environments.iter().find(|scope| scope.slug() == slug).cloned();
        match scope {
            Some(scope) => Ok(Here::new(visitor, scope, parts.uri.query())),
            None => Err(Trouble::Missing("An environment of this name").into_response()),
        }
    }
}

/// An integration of the environment that the path names.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) here: Here,
    pub(super) scope: IntegrationScope,
    pub(super) found: IntegrationFound,
}

impl Chosen {
    /// The path of the integration's pages.
    pub(super) fn base(&self) -> String {
        format!("{}/integrations/{}", self.here.base(), self.scope.id())
    }

    /// Notes what the visitor did with this integration.
    pub(super) async fn note(
        &self,
        state: &AppState,
        act: &str,
        detail: impl Into<String>,
    ) -> Result<(), Trouble> {
        self.here.note(state, act, self.scope.id(), detail).await
    }

    /// What stands at the top of the integration's pages.
    pub(super) fn header(&self, state: &AppState, tab: &'static str) -> Header {
        let integration = &self.found.integration;
        Header {
            base: self.base(),
            id: integration.id.clone(),
            tool: integration.tool.clone(),
            label: gate::label(state, integration),
            organisation: integration.end_user.organization_name.clone(),
            state: super::integrations::state_badge(self.found.state),
            issues: self.found.open_issues,
            assesses: state
                .catalog
                .get(&integration.tool)
                .is_some_and(|entry| entry.connector.manifest().assessment.is_some()),
            tab,
        }
    }
}

impl FromRequestParts<AppState> for Chosen {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let here = Here::from_request_parts(parts, state).await?;
        let named = Named::from_request_parts(parts, state).await?;
        let id = named.part("integration");
        let refuse = |error| unavailable(error).into_response();
        let missing = || Trouble::Missing("An integration with this id").into_response();
        let scope = state.store.integration_scope(&here.scope, id).await.map_err(refuse)?;
        let scope = scope.ok_or_else(missing)?;
        let found = state.store.integration_found(&scope).await.map_err(refuse)?;
        Ok(Self { here, scope, found: found.ok_or_else(missing)? })
    }
}

/// What stands at the top of an integration's pages.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) base: String,
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) label: String,
    pub(super) organisation: String,
    pub(super) state: super::page::Badge,
    pub(super) issues: i64,
    /// Whether assessments can be ordered in the tool.
    pub(super) assesses: bool,
    pub(super) tab: &'static str,
}
