//! What an account may not read, found before its first sync.

use std::collections::BTreeSet;

use cadre_connector::{Failure, Session};
use cadre_model::fault::Code;
use cadre_store::ScopeConfig;
use futures::StreamExt as _;

use super::Missing;
use crate::catalog::Entry;

/// Looks at the first page of every stream that would be read. What the customer may go without is
/// told; a stream that must be there and is forbidden is a failure.
pub(super) async fn may_not_read(
    session: &Session,
    entry: &Entry,
    config: &ScopeConfig,
) -> Result<Vec<Missing>, Failure> {
    let models: BTreeSet<&'static str> = entry
        .maps
        .iter()
        .map(|map| map.model().id)
        .filter(|model| config.model_enabled(model))
        .collect();
    let roots = entry.roots_feeding(&models);
    let mut probes = futures::stream::iter(roots.into_iter().map(|root| async move {
        let outcome = session.probe(&root).await;
        (root, outcome)
    }))
    .buffered(4);
    let mut missing = Vec::new();
    while let Some((root, outcome)) = probes.next().await {
        let Err(failure) = outcome else { continue };
        if failure.fault.code != Code::IntegrationPermissionMissing {
            // The check itself went well: what else is wrong is the sync's to see and to repeat.
            continue;
        }
        if !entry.may_be_missing(&root, &failure) {
            return Err(failure);
        }
        let models = entry.maps.iter().filter(|map| {
            models.contains(map.model().id)
                && map.streams().any(|stream| entry.root_of(stream) == root)
        });
        let words = format!("{} {}", failure.fault.message, failure.fault.next_step());
        missing.push(Missing { models: models.map(|map| map.model().label).collect(), words });
    }
    Ok(missing)
}
