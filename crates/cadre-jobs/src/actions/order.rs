//! The result of an assessment: what is particular about an action whose path names an order.

use cadre_model::action::{RESULT, Wrong};
use cadre_model::fault::Fault;
use cadre_store::OrderStatus;
use serde_json::{Value, json};

use super::prepare::{Prepared, refuse, wrong};
use super::{Failed, Work};

impl Work<'_> {
    /// `$record`: the order, with what the tool said when it ordered.
    pub(super) async fn order_named(
        &self,
        path: &str,
        id: &str,
    ) -> Result<Result<Value, Wrong>, Failed> {
        let shown: String = id.chars().take(60).collect();
        Ok(match self.parts.store.assessment_order(self.scope, id).await? {
            None => {
                Err(wrong(path, "the `id` of an order of this integration", format!("{shown:?}")))
            }
            Some(order) if !order.takes_result() => {
                let got = format!("`{shown}`, which is {}", order.status.as_str());
                Err(wrong(path, "an order that is OPEN", got))
            }
            Some(order) => Ok(json!({
                "id": order.id, "remote_id": order.id, "package_id": order.package_id,
                "context": order.context, "body": order.body,
            })),
        })
    }

    /// Stores a result before the tool hears of it: some only hear that there is one, and ask for it at once.
    pub(super) async fn keep_result(&self, prepared: &Prepared) -> Result<(), Failed> {
        if self.order.action.id != RESULT {
            return Ok(());
        }
        let mut result = self.order.checked.value.clone();
        // Files go to the tool, and are not kept here.
        let names = result["attachments"].as_array().map(|files| {
            files.iter().map(|file| json!({ "name": file["name"] })).collect::<Vec<_>>()
        });
        result["attachments"] = names.unwrap_or_default().into();
        let status = match result["status"].as_str() {
            Some("COMPLETED") => OrderStatus::Completed,
            Some("CANCELLED") => OrderStatus::Cancelled,
            _ => OrderStatus::Open,
        };
        let id = prepared.record["id"].as_str().unwrap_or_default();
        let kept = self.parts.store.assessment_order_result(self.scope, id, status, &result);
        if kept.await? {
            return Ok(());
        }
        let got = "one that got its result in the meantime".to_owned();
        let problem = wrong("path.assessment_order_id", "an order that is OPEN", got);
        refuse(vec![problem]).map_err(|fault: Fault| fault.into())
    }

    /// Notes that the tool has the result.
    pub(super) async fn handed_over(&self, prepared: &Prepared) -> Result<(), Failed> {
        if self.order.action.id == RESULT {
            let id = prepared.record["id"].as_str().unwrap_or_default();
            self.parts.store.assessment_order_handed_over(self.scope, id).await?;
        }
        Ok(())
    }
}

/// What is wrong with a result that does not say when it was.
pub(super) fn ended_when(action: &str, input: &Value) -> Option<Wrong> {
    let missing = action == RESULT
        && matches!(input["status"].as_str(), Some("COMPLETED" | "CANCELLED"))
        && input["completed_at"].is_null();
    missing.then(|| {
        wrong(
            "body.completed_at",
            "a moment, where the order is not open any more",
            "nothing".to_owned(),
        )
    })
}
