//! Help with questions that the rules leave unsure, from a server that speaks the OpenAI protocol.
//!
//! It is asked once for each form, about questions only, never about people, and only when an operator
//! has configured it. Whatever goes wrong with it, the form is what the rules made of it.

use std::sync::Arc;
use std::time::Duration;

use cadre_apply::{Form, UNIFIED_KEYS};
use cadre_connector::{HttpRequest, HttpSend};
use cadre_model::secret::Secret;
use cadre_store::EnvironmentScope;
use serde_json::{Value, json};
use url::Url;

use crate::settings::Parts;

/// Most questions of one request.
const MOST: usize = 60;
/// How long an answer may take.
const TIME: Duration = Duration::from_secs(30);
/// Longest answer that is read, in bytes.
const ANSWER_BYTES: u64 = 256 << 10;

/// A server that helps.
#[derive(Clone)]
pub struct Assistant {
    /// Where its API begins: `https://host/v1`.
    pub base_url: Url,
    /// Its key, where it needs one.
    pub api_key: Option<Secret>,
    /// The model that answers.
    pub model: String,
    /// The way to it. An operator named it, so that it may be inside the own network.
    pub http: Arc<dyn HttpSend>,
}

impl std::fmt::Debug for Assistant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assistant").field("model", &self.model).finish_non_exhaustive()
    }
}

/// Fills in what the questions of a form ask for, where the rules do not say and the form is a new one.
pub(super) async fn help(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting_id: &str,
    form_id: &str,
    form: &mut Form,
) {
    let Some(assistant) = &parts.settings.apply.assistant else { return };
    let unsure: Vec<(String, String)> = form.unsure().into_iter().take(MOST).collect();
    // A form that is stored has been helped with already.
    let known = parts.store.posting_form(scope, posting_id, form_id).await;
    if unsure.is_empty() || !matches!(known, Ok(None)) {
        return;
    }
    match assistant.ask(&unsure).await {
        Ok(keys) => keys.into_iter().for_each(|(id, key)| form.set_unified_key(&id, &key)),
        Err(why) => tracing::warn!(posting.id = posting_id, why, "the assistant did not help"),
    }
}

impl Assistant {
    /// What the questions ask for: ids of questions with the keys that the answer names.
    async fn ask(&self, unsure: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
        let mut place = self.base_url.clone();
        place
            .path_segments_mut()
            .map_err(|()| "its address is none of a server")?
            .pop_if_empty()
            .extend(["chat", "completions"]);
        let mut request = HttpRequest::new("POST", place);
        request.set_header("Content-Type", "application/json");
        if let Some(key) = &self.api_key {
            request.set_header("Authorization", &format!("Bearer {}", key.expose()));
        }
        request.body = Some(self.question(unsure).to_string().into());
        request.max_body_bytes = ANSWER_BYTES;
        request.stays = true;
        let response = self.http.send(request, TIME).await.map_err(|error| error.to_string())?;
        if response.status != 200 {
            return Err(format!("it answered {}", response.status));
        }
        let answer: Value =
            serde_json::from_slice(&response.body).map_err(|_| "its answer is not JSON")?;
        let content = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
        keys(content.ok_or("its answer has no message")?, unsure)
    }

    fn question(&self, unsure: &[(String, String)]) -> Value {
        let task = format!(
            "You sort the questions of a job application form. For each question choose the key that it asks \
             for, or null when none fits. Keys: {}. Answer with one JSON object that has the ids of the \
             questions as names and the keys as values, and with nothing else.",
            UNIFIED_KEYS.join(", ")
        );
        let questions: Vec<Value> =
            unsure.iter().map(|(id, label)| json!({ "id": id, "question": label })).collect();
        json!({
            "model": self.model,
            "temperature": 0,
            "response_format": { "type": "json_object" },
            "messages": [
                { "role": "system", "content": task },
                { "role": "user", "content": Value::from(questions).to_string() },
            ],
        })
    }
}

/// Reads an answer; keys that nobody knows and questions that nobody asked are left out.
fn keys(content: &str, unsure: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    let (from, to) = (content.find('{'), content.rfind('}'));
    let object = from.zip(to).and_then(|(from, to)| content.get(from..=to)).unwrap_or_default();
    let answer: Value =
        serde_json::from_str(object).map_err(|_| "its message holds no JSON object")?;
    let asked = unsure.iter().filter_map(|(id, _)| Some((id.clone(), answer.get(id)?.as_str()?)));
    let known = asked.filter(|(_, key)| UNIFIED_KEYS.contains(key));
    Ok(known.map(|(id, key)| (id, key.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn only_what_was_asked_and_is_known_counts() {
        let unsure = [("q1".to_owned(), "Mail?".to_owned()), ("q2".to_owned(), "Why?".to_owned())];
        let said = "Sure:\n```json\n{\"q1\":\"EMAIL\",\"q2\":\"NICKNAME\",\"q3\":\"EMAIL\"}\n```";
        assert_eq!(keys(said, &unsure), Ok(vec![("q1".to_owned(), "EMAIL".to_owned())]));
        assert_eq!(keys("{\"q1\":null}", &unsure), Ok(vec![]));
        assert!(keys("no", &unsure).is_err());
    }
}
