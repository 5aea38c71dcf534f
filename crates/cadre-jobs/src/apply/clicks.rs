//! Further visits of a posting's page, which some boards count: ordered with an application, spread over
//! a while at random.

use cadre_connector::HttpRequest;
use cadre_store::{Application, EnvironmentScope, Error, Job, NewJob};
use rand::Rng as _;
use serde_json::json;
use url::Url;

use super::visit::{Patience, visit};
use crate::settings::Parts;

/// Kind of the job that makes one visit.
pub const CLICK: &str = "posting_click";

/// Visits that are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clicks {
    /// How many.
    pub count: u32,
    /// Over how many minutes they are spread.
    pub minutes: u32,
}

impl Clicks {
    /// Queues the visits.
    pub(super) async fn plan(
        self,
        parts: &Parts,
        scope: &EnvironmentScope,
        application: &Application,
        query: &[(String, String)],
    ) -> Result<(), Error> {
        let window = i64::from(self.minutes) * 60_000;
        for number in 0..self.count {
            let wait = rand::rng().random_range(0..window.max(1));
            let job = NewJob {
                kind: CLICK.to_owned(),
                key: format!("{}:{number}", application.id),
                payload: json!({
                    "environment_id": scope.id(), "posting_id": application.posting_id, "query": query,
                }),
                run_at: Some(parts.clock.now_ms() + wait),
                integration_id: None,
            };
            parts.store.job_enqueue(job).await?;
        }
        Ok(())
    }
}

/// Makes one visit. It is a courtesy: what goes wrong with it is not tried again.
pub(crate) async fn run(parts: &Parts, job: &Job) -> Result<(), Error> {
    let text = |name: &str| job.payload[name].as_str().unwrap_or_default();
    let Some(scope) = parts.store.system_scope(text("environment_id")).await? else {
        return Ok(());
    };
    let posting = parts.store.posting_get(&scope, text("posting_id")).await?;
    let Some(posting) = posting.filter(|posting| posting.archived_at.is_none()) else {
        return Ok(());
    };
    let query: Vec<(String, String)> =
        serde_json::from_value(job.payload["query"].clone()).unwrap_or_default();
    let Some(url) = with_query(&posting.url, &query) else { return Ok(()) };
    let visited =
        visit(parts, HttpRequest::new("GET", url), Patience::Caller(parts.settings.lease / 2));
    if let Err(why) = visited.await {
        tracing::debug!(posting.id = %posting.id, ?why, "a further visit of a posting did not work");
    }
    Ok(())
}

/// The address of a page with these parameters in place of what it has under their names.
pub(super) fn with_query(url: &str, query: &[(String, String)]) -> Option<Url> {
    let mut request = HttpRequest::new("GET", Url::parse(url).ok()?);
    for (name, value) in query {
        request.set_query(name, value);
    }
    Some(request.url)
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn parameters_take_the_place_of_those_of_the_same_name() {
        let query = [("utm".to_owned(), "a b".to_owned()), ("new".to_owned(), "1".to_owned())];
        let url = with_query("https://x.example/job?id=7&utm=old#form", &query).expect("a URL");
        assert_eq!(url.as_str(), "https://x.example/job?id=7&utm=a+b&new=1#form");
        let same = "https://x.example/job?id=7&odd";
        assert_eq!(with_query(same, &[]).expect("a URL").as_str(), same);
    }
}
