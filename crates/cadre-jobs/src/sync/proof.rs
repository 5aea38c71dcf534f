//! What a run may conclude about records that it did not see.
//!
//! A record is marked as deleted only when a pass proves it: every stream that feeds its model was read to
//! its end, the tool's own totals agree, every row could be told apart, and the loss is believable. Where
//! the end was reached but the proof is missing, what was not seen is suspect, and stays.

use std::collections::BTreeMap;

use cadre_store::{IntegrationIssueKind, IntegrationIssueState, Observed};

use super::run::{MOST_ISSUES, StreamEnd, Sync};

/// What a run proved.
pub(super) struct Proofs {
    /// By model.
    pub(super) models: BTreeMap<&'static str, OfModel>,
    /// What was kept although it was not seen, and why.
    pub(super) kept: Option<String>,
    /// Whether so many were gone that only an accepted drop let them go.
    pub(super) used_drop: bool,
}

/// What a run proved about a model.
pub(super) struct OfModel {
    pub(super) proof: Proof,
    /// How many were marked as deleted.
    pub(super) deleted: u64,
    /// How many were not seen, and stay.
    pub(super) suspect: u64,
}

/// How far a run can vouch for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Every record that there is was seen.
    Complete,
    /// The scope configuration switches the model off.
    SwitchedOff,
    /// Only what changed was asked for, and all of it came.
    ChangesOnly,
    /// The end was reached, and something that should have come did not.
    NotWhole,
    /// Rows came that cannot be told apart.
    Unidentified,
    /// More is missing than can be believed.
    Unbelievable,
    /// A stream was not read to its end.
    Unfinished,
}

impl Proof {
    /// The word in receipts.
    pub(super) fn word(self) -> &'static str {
        match self {
            Proof::Complete => "complete",
            Proof::SwitchedOff => "switched_off",
            Proof::ChangesOnly => "changes_only",
            Proof::NotWhole => "not_whole",
            Proof::Unidentified => "unidentified_rows",
            Proof::Unbelievable => "unbelievable_drop",
            Proof::Unfinished => "unfinished",
        }
    }
}

/// Marks as deleted what a complete pass did not see, and as suspect what may be gone.
pub(super) async fn prove(
    sync: &Sync<'_>,
    ends: &BTreeMap<String, StreamEnd>,
) -> Result<Proofs, cadre_store::Error> {
    let store = &sync.parts.store;
    // A row that nobody knows may be any record: what looks gone may be it.
    let unidentified = store.run_unidentified(&sync.scope, &sync.run.id).await?;
    let mut models = BTreeMap::new();
    let mut drops = Vec::new();
    let mut used_drop = false;
    for model in &sync.models {
        let mut proof = reached(sync, model, ends);
        if proof == Proof::Complete {
            let live = store.records_count(&sync.scope, model, false).await?;
            let unseen = store.records_unseen(&sync.scope, &sync.run.id, model).await?;
            if unseen > 0 && unidentified.iter().any(|known| known == model) {
                proof = Proof::Unidentified;
            } else if is_unbelievable(sync, unseen, live) {
                used_drop |= sync.integration.drop_accepted;
                if !sync.integration.drop_accepted {
                    proof = Proof::Unbelievable;
                    drops.push((*model, unseen, live));
                }
            }
        }
        models.insert(*model, settle(sync, model, proof).await?);
    }
    // What the scope configuration switches off is gone for callers, also inside of other records.
    let off = sync.maps.iter().map(|map| map.model().id);
    for model in off.filter(|model| !sync.models.contains(model)) {
        models.insert(model, settle(sync, model, Proof::SwitchedOff).await?);
    }
    note_drop(sync, &models, &drops).await?;
    // Somebody has looked at a drop that is snoozed, and keeps the records.
    let snoozed: Vec<String> = store
        .integration_issues(&sync.scope, MOST_ISSUES)
        .await?
        .into_iter()
        .filter(|issue| issue.kind == IntegrationIssueKind::DropHeld)
        .filter(|issue| issue.state == IntegrationIssueState::Snoozed)
        .map(|issue| issue.subject)
        .collect();
    drops.retain(|(model, ..)| !snoozed.iter().any(|subject| subject == model));
    let kept = kept(&models, &drops, sync.scope.id());
    Ok(Proofs { models, kept, used_drop })
}

/// How far the streams that feed a model were read.
fn reached(sync: &Sync<'_>, model: &str, ends: &BTreeMap<String, StreamEnd>) -> Proof {
    let feeding =
        sync.maps.iter().filter(|map| map.model().id == model).flat_map(|map| map.streams());
    let mut proof = Proof::Complete;
    for stream in feeding {
        let Some(end) = ends.get(&sync.entry.root_of(stream)) else { return Proof::Unfinished };
        if !end.complete {
            return Proof::Unfinished;
        }
        if end.incomplete.contains(stream) {
            // A stream that is forbidden says nothing about its records.
            let forbidden = end.problems.iter().all(cadre_connector::Failure::is_absence);
            return if forbidden { Proof::Unfinished } else { Proof::NotWhole };
        }
        if end.since.is_some() {
            proof = Proof::ChangesOnly;
        }
    }
    proof
}

fn is_unbelievable(sync: &Sync<'_>, unseen: u64, live: u64) -> bool {
    let settings = &sync.parts.settings;
    live >= settings.suspicious_drop_from && unseen as f64 > live as f64 * settings.suspicious_drop
}

async fn settle(sync: &Sync<'_>, model: &str, proof: Proof) -> Result<OfModel, cadre_store::Error> {
    let store = &sync.parts.store;
    let (scope, run_id) = (&sync.scope, sync.run.id.as_str());
    let (mut deleted, mut suspect) = (0, 0);
    match proof {
        Proof::Complete | Proof::SwitchedOff => {
            deleted = store.records_delete_unseen(scope, run_id, model, sync.job).await?;
            store.records_suspect_none(scope, model).await?;
        }
        Proof::NotWhole | Proof::Unidentified | Proof::Unbelievable => {
            suspect = store.records_suspect_unseen(scope, run_id, model).await?;
        }
        Proof::ChangesOnly | Proof::Unfinished => {}
    }
    Ok(OfModel { proof, deleted, suspect })
}

/// What was kept although it was not seen, in words.
fn kept(
    models: &BTreeMap<&'static str, OfModel>,
    drops: &[(&'static str, u64, u64)],
    integration_id: &str,
) -> Option<String> {
    let mut words = Vec::new();
    if !drops.is_empty() {
        words.push(drop_words(drops, integration_id));
    }
    let unidentified: Vec<String> = models
        .iter()
        .filter(|(_, of)| of.proof == Proof::Unidentified)
        .map(|(model, of)| format!("{} of {model}", of.suspect))
        .collect();
    if !unidentified.is_empty() {
        words.push(format!(
            "Not all rows could be told apart, so records that were not seen were kept: {}. The issues \
             say which rows.",
            unidentified.join(", ")
        ));
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn drop_words(drops: &[(&'static str, u64, u64)], integration_id: &str) -> String {
    let of: Vec<String> = drops
        .iter()
        .map(|(model, unseen, live)| format!("{unseen} of {live} records of {model}"))
        .collect();
    format!(
        "The tool no longer returned {}. That is too many to believe: they were kept. If they are really \
         gone, run `cadre integration accept-drop {integration_id}` and sync again; if they are not, \
         `cadre integration reject-drop {integration_id}` keeps them and ends the question.",
        of.join(", ")
    )
}

/// A drop that is held is an issue of the integration for as long as it is seen.
async fn note_drop(
    sync: &Sync<'_>,
    models: &BTreeMap<&'static str, OfModel>,
    drops: &[(&'static str, u64, u64)],
) -> Result<(), cadre_store::Error> {
    let store = &sync.parts.store;
    for drop in drops {
        let observed = Observed {
            kind: IntegrationIssueKind::DropHeld,
            subject: drop.0.to_owned(),
            message: drop_words(&[*drop], sync.scope.id()),
            hint: Some(
                "Look into the tool: are these records gone, or may the credentials not see them any more?"
                    .to_owned(),
            ),
        };
        store.integration_issue_raise(&sync.scope, &observed).await?;
    }
    let over =
        models.iter().filter(|(_, of)| matches!(of.proof, Proof::Complete | Proof::SwitchedOff));
    for (model, _) in over {
        let kind = IntegrationIssueKind::DropHeld;
        store.integration_issue_resolve(&sync.scope, kind, model).await?;
    }
    Ok(())
}
