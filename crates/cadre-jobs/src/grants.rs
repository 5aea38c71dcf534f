//! What tools granted by OAuth 2, as sessions hold and renew it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cadre_connector::{Grant, GrantKeeper, OAuthClient, Session};
use cadre_store::{IntegrationScope, Store, StoredGrant};

use crate::settings::Parts;

/// How long renewing a grant may take before another process tries.
const LEASE_MS: i64 = 30_000;

/// The session, with what it needs to renew the grant that is kept here.
pub(crate) fn with_grant(parts: &Parts, session: Session, keeper: Arc<dyn GrantKeeper>) -> Session {
    let tool = session.connector().tool();
    let client: Option<OAuthClient> = parts.settings.oauth_clients.get(tool).cloned();
    session.with_grant(client, keeper)
}

/// The session of an integration, with the grant that the store keeps for all processes.
pub(crate) fn with_stored_grant(
    parts: &Parts,
    session: Session,
    scope: &IntegrationScope,
) -> Session {
    with_grant(parts, session, Arc::new(Kept { store: parts.store.clone(), scope: scope.clone() }))
}

/// A grant of an account that is not linked yet: only this process knows it.
pub(crate) struct Held(Mutex<Option<StoredGrant>>);

impl Held {
    pub(crate) fn new(grant: Option<StoredGrant>) -> Self {
        Self(Mutex::new(grant))
    }

    /// The grant as it is now.
    pub(crate) fn take(&self) -> Option<StoredGrant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl GrantKeeper for Held {
    async fn read(&self) -> Result<Option<Grant>, String> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map(of_stored))
    }

    async fn lease(&self) -> Result<Option<String>, String> {
        Ok(Some(String::new()))
    }

    async fn renewed(&self, _lease: &str, grant: Option<&Grant>) -> Result<(), String> {
        if let Some(grant) = grant {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(to_stored(grant));
        }
        Ok(())
    }
}

/// A grant of an integration, which all processes see.
struct Kept {
    store: Store,
    scope: IntegrationScope,
}

#[async_trait]
impl GrantKeeper for Kept {
    async fn read(&self) -> Result<Option<Grant>, String> {
        let grant = self.store.grant_get(&self.scope).await;
        grant.map(|grant| grant.map(of_stored)).map_err(|error| error.to_string())
    }

    async fn lease(&self) -> Result<Option<String>, String> {
        self.store.grant_lease(&self.scope, LEASE_MS).await.map_err(|error| error.to_string())
    }

    async fn renewed(&self, lease: &str, grant: Option<&Grant>) -> Result<(), String> {
        let stored = grant.map(to_stored);
        let written = self.store.grant_renewed(&self.scope, lease, stored.as_ref()).await;
        written.map_err(|error| error.to_string())
    }
}

fn of_stored(stored: StoredGrant) -> Grant {
    let StoredGrant { access_token, refresh_token, expires_at } = stored;
    Grant { access_token, refresh_token, expires_at }
}

/// The grant as the store keeps it.
#[must_use]
pub fn to_stored(grant: &Grant) -> StoredGrant {
    StoredGrant {
        access_token: grant.access_token.clone(),
        refresh_token: grant.refresh_token.clone(),
        expires_at: grant.expires_at,
    }
}
