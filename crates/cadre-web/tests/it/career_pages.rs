//! Made-up career pages on the loopback address, which behave as a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};

/// What happened to the pages.
#[derive(Debug, Default)]
pub struct Seen {
    /// Bodies of applications, with the cookie that they came with.
    pub applications: Vec<(String, String)>,
    /// Queries of visits.
    pub visits: Vec<Option<String>>,
    /// Pages fail while this is set.
    pub down: bool,
    /// One more required question.
    pub asks_more: bool,
}

/// A server of career pages.
pub struct CareerPages {
    pub url: String,
    pub seen: Arc<Mutex<Seen>>,
}

type Shared = State<Arc<Mutex<Seen>>>;

const JOB: &str = r#"<script type="application/ld+json">{"@context":"https://schema.org","@type":"JobPosting",
"title":"Baker","employmentType":"PART_TIME","datePosted":"2026-02-01",
"jobLocation":{"address":{"addressLocality":"Köln","addressCountry":"DE"}}}</script>"#;

impl CareerPages {
    pub async fn start() -> CareerPages {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let pages = Router::new()
            .route("/robots.txt", get(async || "User-agent: *\nDisallow: /secret\n"))
            .route("/jobs/{job}", get(job))
            .route("/jobs/{job}/apply", post(apply))
            .route("/thanks", get(async || Html("<h1>Thank you for applying!</h1>")))
            .route("/secret", get(async || Html("nothing for robots")))
            .with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, pages).await });
        CareerPages { url, seen }
    }

    pub fn job(&self, name: &str) -> String {
        format!("{}/jobs/{name}", self.url)
    }

    pub fn applications(&self) -> Vec<(String, String)> {
        self.seen.lock().expect("not poisoned").applications.clone()
    }

    pub fn set(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().expect("not poisoned"));
    }
}

async fn job(State(seen): Shared, Path(job): Path<String>, RawQuery(query): RawQuery) -> Response {
    let (visit, down, more) = {
        let mut seen = seen.lock().expect("not poisoned");
        seen.visits.push(query);
        (seen.visits.len(), seen.down, seen.asks_more)
    };
    if down {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    match job.as_str() {
        "gone" => StatusCode::NOT_FOUND.into_response(),
        "filled" => Html("<p>We are sorry: this position has been filled.</p>").into_response(),
        "none" => Html("<form action=/search method=post><input name=q></form>").into_response(),
        _ => {
            let more =
                if more { "<label>Shoe size <input name=shoe required></label>" } else { "" };
            let page = format!(
                "<!doctype html><title>Job</title>{JOB}
                 <form action='/jobs/{job}/apply' method=post enctype='multipart/form-data'>
                 <input type=hidden name=token value='t{visit}'>
                 <label for=a>First name *</label><input id=a name=first>
                 <label>Last name <input name=last required></label>
                 <label>E-mail <input type=email name=mail required></label>
                 <label>CV <input type=file name=cv required></label>
                 <label>Gender <select name=sex><option value=''>-<option value=f>Female<option value=m>Male</select></label>
                 <fieldset><legend>Shift *</legend>
                 <label><input type=radio name=shift value=1> Day</label><label><input type=radio name=shift value=2> Night</label>
                 </fieldset>
                 <label><input type=checkbox name=ok value=yes required> I accept the privacy policy</label>{more}
                 <button name=go value=1>Apply</button></form>"
            );
            let cookie = format!("visit=v{visit}; Path=/; HttpOnly");
            ([("set-cookie", cookie)], Html(page)).into_response()
        }
    }
}

async fn apply(
    State(seen): Shared,
    Path(job): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let cookie = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let earlier = {
        let mut seen = seen.lock().expect("not poisoned");
        seen.applications.push((body.clone(), cookie.to_owned()));
        seen.applications.len() - 1
    };
    match job.as_str() {
        "silent" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            StatusCode::OK.into_response()
        }
        "picky" => (StatusCode::UNPROCESSABLE_ENTITY, "No.").into_response(),
        "known" if earlier > 0 => {
            Html("<p>You have already applied for this job.</p>").into_response()
        }
        _ => Redirect::to("/thanks").into_response(),
    }
}
