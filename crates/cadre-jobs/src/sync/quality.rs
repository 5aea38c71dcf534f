//! Quality checks after the first sync: whether the data can be believed before anybody reads it.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use cadre_model::registry::{self, models};
use cadre_store::{IntegrationIssueKind, Observed, QaStatus};

use super::run::Sync;

/// What the first sync of an integration must show.
#[derive(Debug, Clone)]
pub struct Quality {
    /// Whether it is looked at all.
    pub enabled: bool,
    /// Models of which there must be so many records, where the tool offers them.
    pub least_records: Vec<(&'static str, u64)>,
    /// Fields that must be filled in so large a share of the records, where the tool offers them.
    pub least_filled: Vec<(&'static str, &'static str, f64)>,
    /// Largest share of references of a model that may lead nowhere.
    pub broken_references: f64,
    /// Largest share of rows that could not become a record.
    pub refused: f64,
    /// With how few records or references a share means nothing.
    pub from: u64,
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            enabled: true,
            least_records: vec![("hris_employees", 1)],
            least_filled: vec![
                ("hris_employees", "last_name", 0.5),
                ("ats_candidates", "last_name", 0.5),
                ("ats_jobs", "name", 0.5),
            ],
            broken_references: 0.5,
            refused: 0.2,
            from: 20,
        }
    }
}

/// Judges the data of an integration that has not passed yet.
pub(super) async fn judge(sync: &Sync<'_>) -> Result<(), cadre_store::Error> {
    let store = &sync.parts.store;
    let quality = &sync.parts.settings.quality;
    let Some(integration) = store.integration_get(&sync.scope).await? else { return Ok(()) };
    if !quality.enabled || integration.qa_status == QaStatus::Passed {
        return Ok(());
    }
    let mut findings = counts(sync, quality);
    findings.extend(references(sync, quality).await?);
    let kind = IntegrationIssueKind::QualityFailed;
    if findings.is_empty() {
        store.integration_issue_resolve(&sync.scope, kind, "").await?;
        return store.integration_qa_status_set(&sync.scope, QaStatus::Passed).await;
    }
    let observed = Observed {
        kind,
        subject: String::new(),
        message: findings.join(" "),
        hint: Some(format!(
            "Correct what is wrong in the tool or in the connector and sync again, or, if the data is \
             right, run `cadre integration accept-quality {}`.",
            sync.scope.id()
        )),
    };
    store.integration_issue_raise(&sync.scope, &observed).await?;
    store.integration_qa_status_set(&sync.scope, QaStatus::Failed).await
}

fn counts(sync: &Sync<'_>, quality: &Quality) -> Vec<String> {
    let filled = sync.filled.lock().unwrap_or_else(PoisonError::into_inner);
    let mut findings = Vec::new();
    for (model, least) in &quality.least_records {
        let came = filled.of(model).map_or(0, |came| came.records);
        if sync.models.contains(model) && came < *least {
            findings
                .push(format!("{came} records of {model} came; at least {least} are expected."));
        }
    }
    for (model, field, least) in &quality.least_filled {
        let maps = sync.maps.iter().filter(|map| map.model().id == *model);
        let offered = maps.flat_map(cadre_map::Mapping::offered_fields).any(|name| name == *field);
        let Some(came) = filled.of(model) else { continue };
        let with = came.fields.get(field).copied().unwrap_or_default();
        let enough = with as f64 >= came.records as f64 * least;
        if offered
            && sync.scope_config.field_enabled(model, field)
            && came.records >= quality.from
            && !enough
        {
            findings.push(format!(
                "Only {with} of {} records of {model} have a `{field}`.",
                came.records
            ));
        }
    }
    for model in &sync.models {
        let Some(came) = filled.of(model) else { continue };
        let rows = came.records + came.refused;
        if rows >= quality.from && came.refused as f64 > rows as f64 * quality.refused {
            findings.push(format!(
                "{} of {rows} rows of {model} could not become records; the issues say why.",
                came.refused
            ));
        }
    }
    findings
}

async fn references(sync: &Sync<'_>, quality: &Quality) -> Result<Vec<String>, cadre_store::Error> {
    let mut findings = Vec::new();
    let bounded = bounded(sync).await?;
    for model in models().iter().filter(|model| sync.models.contains(model.id)) {
        for relation in model.relations {
            // Only where the target is mirrored at all can a reference be expected to lead somewhere.
            let targets = registry::model(relation.target).map(|target| target.id);
            let mirrored =
                |target: &&str| sync.models.contains(target) && !bounded.contains(target);
            let Some(target) = targets.filter(mirrored) else { continue };
            let Some(field) = relation.join.own_links(relation.name) else { continue };
            let (all, broken) =
                sync.parts.store.records_broken_links(&sync.scope, model.id, field, target).await?;
            if all >= quality.from && broken as f64 > all as f64 * quality.broken_references {
                findings.push(format!(
                    "{broken} of {all} references from {} by `{field}` lead to no record of {target}.",
                    model.id
                ));
            }
        }
    }
    Ok(findings)
}

/// The models whose old records are left out because somebody wants recent data only.
async fn bounded(sync: &Sync<'_>) -> Result<BTreeSet<&'static str>, cadre_store::Error> {
    if sync.parts.store.integration_recent(&sync.scope).await?.is_none() {
        return Ok(BTreeSet::new());
    }
    let is_bounded = |stream: &str| {
        let stream = sync.entry.connector.stream(&sync.entry.root_of(stream));
        stream.is_some_and(cadre_connector::Stream::can_be_bounded)
    };
    let maps = sync.maps.iter().filter(|map| map.streams().any(is_bounded));
    Ok(maps.map(|map| map.model().id).collect())
}
