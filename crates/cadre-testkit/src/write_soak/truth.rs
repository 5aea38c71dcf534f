//! What the made-up tools really hold.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Outcome, WriteSoak};

/// How often an order had its effect.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Effect {
    pub(super) times: u64,
    pub(super) files: u64,
}

impl WriteSoak {
    /// How often each order had its effect, by its mark. An application counts with its file.
    pub(super) async fn effects(&self) -> Outcome<BTreeMap<String, Effect>> {
        let mut found: BTreeMap<String, Effect> = BTreeMap::new();
        let mut marks: HashMap<String, String> = HashMap::new();
        for candidate in self.ats_rows("candidates").await? {
            let mail = candidate["emails"][0]["address"].as_str().unwrap_or_default().to_owned();
            if mail.ends_with("@soak.example") {
                marks.insert(candidate["id"].as_str().unwrap_or_default().to_owned(), mail);
            }
        }
        for application in self.ats_rows("applications").await? {
            if let Some(mark) = marks.get(application["candidate_id"].as_str().unwrap_or_default())
            {
                found.entry(mark.clone()).or_default().times += 1;
            }
        }
        for file in self.ats_rows("attachments").await? {
            if let Some(mark) = marks.get(file["candidate_id"].as_str().unwrap_or_default()) {
                found.entry(mark.clone()).or_default().files += 1;
            }
        }
        for note in self.ats_rows("notes").await? {
            let html = note["html"].as_str().unwrap_or_default();
            if let Some(text) = html.strip_prefix("<p>").and_then(|text| text.strip_suffix("</p>"))
            {
                found.entry(text.to_owned()).or_default().times += 1;
            }
        }
        for absence in self.hris_rows("absences").await? {
            let from = absence["from"].as_str().unwrap_or_default();
            if from.starts_with("203") {
                let mark = format!("{} {from}", printed(&absence["employee"]["id"]));
                found.entry(mark).or_default().times += 1;
            }
        }
        Ok(found)
    }

    pub(super) async fn ats_rows(&self, list: &str) -> Outcome<Vec<Value>> {
        let mut rows = Vec::new();
        let mut url = format!("{}/ats/v1/{list}?per_page=100", self.sandbox.base_url);
        loop {
            let request = self.client.get(&url).basic_auth(&self.sandbox.api_key, Some(""));
            let answer = request.send().await?.error_for_status()?;
            let link = answer.headers().get("link").and_then(|link| link.to_str().ok());
            let next = link.and_then(|link| {
                link.split(',').find(|part| part.contains("rel=\"next\"")).map(str::to_owned)
            });
            let page: Vec<Value> = serde_json::from_str(&answer.text().await?)?;
            rows.extend(page);
            match next.as_deref().and_then(|next| next.split_once('<')?.1.split_once('>')) {
                Some((next, _)) => url = next.to_owned(),
                None => return Ok(rows),
            }
        }
    }

    pub(super) async fn hris_rows(&self, list: &str) -> Outcome<Vec<Value>> {
        let base = &self.sandbox.base_url;
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            self.sandbox.client_id, self.sandbox.client_secret
        );
        let request = self.client.post(format!("{base}/hris/oauth/token"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let text = request.body(form).send().await?.error_for_status()?.text().await?;
        let token: Value = serde_json::from_str(&text)?;
        let token = token["access_token"].as_str().unwrap_or_default().to_owned();
        let mut rows = Vec::new();
        for page in 1.. {
            let url = format!("{base}/hris/v1/{list}?page={page}&page_size=200");
            let text = self.client.get(url).bearer_auth(&token).send().await?.text().await?;
            let answer: Value = serde_json::from_str(&text)?;
            let found = answer["data"].as_array().ok_or("no list")?;
            rows.extend(found.iter().cloned());
            if rows.len() as u64 >= answer["meta"]["total"].as_u64().unwrap_or(0) {
                break;
            }
        }
        Ok(rows)
    }
}

fn printed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
