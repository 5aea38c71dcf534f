//! A vendor for measuring: employees of about 1.3 KB each, page by page, on loopback.
//!
//! `GET /employees?page=N&per_page=100` answers `{"data": […], "total": 20000}`. The data is the same
//! for every run. `POST /change` changes every hundredth employee, and `changed_since` asks for those that
//! changed.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

/// Of so many employees one changes.
const ONE_OF: u64 = 100;

#[derive(Clone)]
struct Vendor {
    employees: u64,
    delay: Duration,
    /// How often some have changed.
    changes: Arc<AtomicU64>,
}

#[derive(Deserialize)]
struct Page {
    page: Option<u64>,
    per_page: Option<u64>,
    changed_since: Option<String>,
}

/// Serves `employees` employees on the listener until the task is dropped.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    employees: u64,
    delay: Duration,
) -> std::io::Result<()> {
    let vendor = Vendor { employees, delay, changes: Arc::default() };
    let router = axum::Router::new()
        .route("/employees", get(self::employees))
        .route("/change", post(change))
        .with_state(vendor);
    axum::serve(listener, router).await
}

/// Starts the vendor on a thread of its own for as long as the process lives; its address.
#[must_use]
pub fn start(employees: u64, delay: Duration) -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a socket");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            serve(listener, employees, delay).await
        })
    });
    format!("http://{address}")
}

async fn change(State(vendor): State<Vendor>) {
    vendor.changes.fetch_add(1, Ordering::Relaxed);
}

async fn employees(State(vendor): State<Vendor>, Query(page): Query<Page>) -> impl IntoResponse {
    tokio::time::sleep(vendor.delay).await;
    let (number, size) = (page.page.unwrap_or(1).max(1), page.per_page.unwrap_or(100).min(500));
    let changes = vendor.changes.load(Ordering::Relaxed);
    // Those that change do so later than any moment that is asked for; all others did long ago.
    let step = if page.changed_since.is_some() { ONE_OF } else { 1 };
    let total = vendor.employees.div_ceil(step);
    let first = (number - 1) * size;
    let mut body = String::with_capacity(usize::try_from(size).unwrap_or(0) * 1_400 + 64);
    body.push_str("{\"data\":[");
    for at in first..(first + size).min(total) {
        if at > first {
            body.push(',');
        }
        changed(&mut body, at * step, changes);
    }
    let _ = write!(body, "],\"total\":{total}}}");
    ([(CONTENT_TYPE, "application/json")], body)
}

/// Writes one employee as it is after so many changes.
fn changed(body: &mut String, id: u64, changes: u64) {
    if !id.is_multiple_of(ONE_OF) || changes == 0 {
        return employee(body, id);
    }
    let mut text = String::new();
    employee(&mut text, id);
    let text = text.replace("Specialist", &format!("Specialist after {changes}"));
    let hour = 8 + changes % 15;
    body.push_str(&text.replace("2026-01-01T08:00:00Z", &format!("2026-01-01T{hour:02}:00:00Z")));
}

/// Writes one employee of about 1.3 KB: what an HR tool says of a person, with words that vary by id.
pub fn employee(body: &mut String, id: u64) {
    let (first, last) = (FIRST[(id % 16) as usize], LAST[(id / 16 % 16) as usize]);
    let status = ["active", "active", "active", "on_leave", "terminated"][(id % 5) as usize];
    let (day, month, year) = (id % 28 + 1, id % 12 + 1, 1960 + id % 45);
    let _ = write!(
        body,
        r#"{{"id":{id},"employee_number":"E-{id:06}","first_name":"{first}","last_name":"{last}","display_name":"{first} {last}","job":{{"title":"Specialist {}","level":"L{}","family":"Operations"}},"email":"{}.{}.{id}@example.org","personal_email":"p{id}@example.com","mobile":"+49 151 {id:08}","status":"{status}","employment_type":"full_time","gender":"{}","birth_date":"{year}-{month:02}-{day:02}","start_date":"{}-{month:02}-{day:02}","end_date":null,"weekly_hours":{},"manager_id":{},"department":{{"id":"d{}","name":"Department {}"}},"office":{{"id":"o{}","name":"Office {}"}},"company":{{"id":"c{}","name":"Company {}"}},"address":{{"street":"Example Street {}","zip":"{:05}","city":"Köln","state":"NRW","country":"DE"}},"bank":{{"iban":"DE89370400440532013000","bic":"COBADEFFXXX","holder":"{first} {last}"}},"created_at":"2020-01-01T08:00:00Z","updated_at":"{}","notes":"{}","attributes":{{"shirt_size":"M","badge":"{id:08}","parking":"P{}","shift":"early","union_member":false,"cost_object":"{:06}"}}}}"#,
        id % 40,
        id % 7,
        first.to_lowercase(),
        last.to_lowercase(),
        if id.is_multiple_of(2) { "female" } else { "male" },
        2000 + id % 25,
        20 + id % 21,
        id / 10,
        id % 50,
        id % 50,
        id % 12,
        id % 12,
        id % 4,
        id % 4,
        id % 200,
        10_000 + id % 80_000,
        if id.is_multiple_of(ONE_OF) { "2026-01-01T08:00:00Z" } else { "2025-12-01T08:00:00Z" },
        "A remark that somebody wrote about the person and nobody reads. ".repeat(4),
        id % 300,
        id % 999,
    );
}

const FIRST: [&str; 16] = [
    "Ada", "Bela", "Cleo", "Dara", "Edda", "Finn", "Gesa", "Hanno", "Ines", "Jorik", "Kaja",
    "Levi", "Mira", "Nils", "Oda", "Pia",
];
const LAST: [&str; 16] = [
    "Amsel", "Birke", "Clausen", "Dohle", "Esche", "Falke", "Ginster", "Hasel", "Ilex", "Jasmin",
    "Kiefer", "Linde", "Meise", "Nuss", "Otter", "Pappel",
];
