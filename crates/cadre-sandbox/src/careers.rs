//! Career pages of an employer that does not exist.
//!
//! Each page is built in another way, and has a hidden token that holds for one visit. Who has applied
//! to which job is kept as long as the server runs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

/// The jobs that the feed names: path, title, code, country.
const JOBS: &[(&str, &str, &str, &str)] = &[
    ("baker", "Baker", "B-1", "GB"),
    ("gaertner", "Gärtner (m/w/d)", "G-7", "DE"),
    ("cuisinier", "Cuisinier", "C-3", "FR"),
    ("driver", "Driver", "D-2", "US"),
    ("astronaut", "Astronaut", "A-9", "US"),
];

#[derive(Default)]
struct Office {
    /// How many pages were shown: the tokens count on.
    visits: u64,
    /// Tokens that were not used yet.
    tokens: HashSet<String>,
    /// Job and address of everybody who has applied.
    applied: HashSet<(String, String)>,
}

type Shared = State<Arc<Mutex<Office>>>;

/// The pages.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(list))
        .route("/feed.ndjson", get(lines))
        .route("/{job}", get(page))
        .route("/{job}/apply", post(apply))
        .with_state(Arc::default())
}

/// The postings as the lines of a job feed.
pub(crate) fn feed(base_url: &str) -> String {
    let line = |(path, _, code, country): &(&str, &str, &str, &str)| {
        let line = json!({
            "url": format!("{base_url}/careers/{path}"), "career_site_label": "Sandbox Works",
            "job_code": code, "location": { "country": country },
        });
        format!("{line}\n")
    };
    JOBS.iter().map(line).collect()
}

async fn list() -> Html<String> {
    let items: String = JOBS
        .iter()
        .map(|(path, title, ..)| format!("<li><a href='/careers/{path}'>{title}</a></li>"))
        .collect();
    Html(format!("<!doctype html><title>Careers</title><h1>Open positions</h1><ul>{items}</ul>"))
}

async fn lines(headers: HeaderMap) -> Response {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    ([("content-type", "application/x-ndjson")], feed(&format!("http://{host}"))).into_response()
}

async fn page(State(office): Shared, Path(job): Path<String>) -> Response {
    let Some((_, title, code, country)) = JOBS.iter().find(|(path, ..)| *path == job) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let data = json!({
        "@context": "https://schema.org", "@type": "JobPosting", "title": title, "identifier": code,
        "datePosted": "2026-01-10", "employmentType": "FULL_TIME",
        "description": format!("We look for a {title}."),
        "jobLocation": { "@type": "Place", "address": { "addressCountry": country } },
    });
    let token = {
        let mut office = office.lock().unwrap_or_else(PoisonError::into_inner);
        office.visits += 1;
        let token = format!("visit-{}", office.visits);
        office.tokens.insert(token.clone());
        token
    };
    let form = form(&job, &token);
    Html(format!(
        "<!doctype html><html><head><title>{title}</title>\
         <script type=\"application/ld+json\">{data}</script></head><body><h1>{title}</h1>{form}</body></html>"
    ))
    .into_response()
}

fn form(job: &str, token: &str) -> String {
    let hidden = format!("<input type='hidden' name='token' value='{token}'>");
    match job {
        "baker" => format!(
            "<form action='/careers/baker/apply' method='post' enctype='multipart/form-data'>{hidden}
             <label for='fn'>First name *</label><input id='fn' name='first_name' required>
             <label for='ln'>Last name *</label><input id='ln' name='last_name' required>
             <label for='em'>E-mail address *</label><input id='em' type='email' name='email' required>
             <label for='ph'>Phone</label><input id='ph' type='tel' name='phone'>
             <label for='cv'>Resume *</label><input id='cv' type='file' name='resume' accept='.pdf' required>
             <label for='sd'>Earliest start date</label><input id='sd' type='date' name='start'>
             <label><input type='checkbox' name='privacy' value='yes' required> I have read the privacy policy</label>
             <button type='submit'>Apply</button></form>"
        ),
        "gaertner" => format!(
            "<form action='/careers/gaertner/apply' method='post' enctype='multipart/form-data'>{hidden}
             <p><label>Vorname* <input name='vorname' required></label></p>
             <p><label>Nachname* <input name='nachname' required></label></p>
             <p><label>E-Mail* <input name='email' type='email' required></label></p>
             <fieldset><legend>Führerschein Klasse B? *</legend>
             <label><input type='radio' name='licence' value='1' required> Ja</label>
             <label><input type='radio' name='licence' value='0'> Nein</label></fieldset>
             <fieldset><legend>Geräte</legend>
             <label><input type='checkbox' name='tools[]' value='saw'> Säge</label>
             <label><input type='checkbox' name='tools[]' value='mower'> Mäher</label></fieldset>
             <p><label>Lebenslauf <input type='file' name='cv'></label></p><input type='submit' name='send' value='Bewerben'></form>"
        ),
        "cuisinier" => format!(
            "<form action='/careers/cuisinier/apply' method='post'>{hidden}
             <div><label for='n'>Nom complet</label><input id='n' name='name' required></div>
             <div><label for='m'>Adresse électronique</label><input id='m' name='email' type='email' required></div>
             <div><label for='p'>Pays</label><select id='p' name='country' required><option value=''>Choisir</option>\
             <option value='fr'>France</option><option value='be'>Belgique</option></select></div>
             <div><label for='w'>Votre motivation</label><textarea id='w' name='why'></textarea></div>
             <button>Postuler</button></form>"
        ),
        "driver" => "<p>Call us to apply.</p>".to_owned(),
        _ => "<p>This position has been filled.</p>".to_owned(),
    }
}

async fn apply(State(office): Shared, Path(job): Path<String>, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body);
    let (token, email) = (value(&text, "token"), value(&text, "email"));
    let mut office = office.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(email) = email.filter(|email| email.contains('@')) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "An e-mail address is missing.").into_response();
    };
    if !token.is_some_and(|token| office.tokens.remove(&token)) {
        return (StatusCode::FORBIDDEN, "This form has expired.").into_response();
    }
    if !office.applied.insert((job, email.to_lowercase())) {
        return Html("<h1>You have already applied for this job.</h1>").into_response();
    }
    Html("<h1>Thank you for your application!</h1><p>We will be in touch.</p>").into_response()
}

/// The value of a field of a form, whichever way it is written.
fn value(body: &str, name: &str) -> Option<String> {
    if let Some((_, after)) = body.split_once(&format!("name=\"{name}\"")) {
        let (_, after) = after.split_once("\r\n\r\n")?;
        return after.split("\r\n").next().map(str::to_owned);
    }
    let pair = body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    Some(pair.replace("%40", "@").replace("%2B", "+"))
}
