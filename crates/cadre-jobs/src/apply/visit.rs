//! The only way to a public page: through the guarded client, as the host's robots rules allow, and with
//! a pause between two requests to the same host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cadre_connector::{HttpRequest, HttpResponse, SendError};
use rand::Rng as _;
use url::Url;

use super::cookies::Jar;
use super::robots::Robots;
use crate::settings::Parts;

/// The name by which robots rules know us.
const NAME: &str = "cadre";
/// How long rules are believed.
const RULES_LAST: Duration = Duration::from_secs(3_600);
/// How long a host whose rules cannot be had is left alone.
const HOST_RESTS: Duration = Duration::from_secs(60);
/// Longest file of rules that is read, in bytes.
const RULES_BYTES: u64 = 512 << 10;
/// Longest pause that rules can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Most redirects of one visit.
const REDIRECTS: usize = 5;
/// Most hosts that are remembered.
const MOST_HOSTS: usize = 20_000;

/// How hosts of public pages are treated. What is known is of this process.
#[derive(Default)]
pub struct Hosts {
    known: Mutex<HashMap<String, Arc<Host>>>,
}

#[derive(Default)]
struct Host {
    rules: tokio::sync::Mutex<Option<(Instant, Rules)>>,
    times: Mutex<Times>,
}

/// What is known of the rules of a host.
enum Rules {
    Known(Robots),
    /// They cannot be had, and so the host is not asked for anything else.
    Missing(NoPage),
}

#[derive(Default)]
struct Times {
    /// When the next request may go.
    next: Option<Instant>,
    /// Up to when visits are put off already.
    booked: Option<Instant>,
    /// The pause that the rules ask for.
    pause: Option<Duration>,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoPage {
    /// The host is asked as often as it should be; there is room for this visit after so long.
    Busy(Duration),
    /// The host's rules forbid it.
    Forbidden,
    /// The host asks to be left alone, with an answer that says so; for how long, if it says.
    Later(String, Option<Duration>),
    /// There is no answer; nothing has reached the host.
    Unreached(String),
    /// There is no answer; whether the request has reached the host is not known.
    Unanswered(String),
}

impl NoPage {
    pub(super) fn words(&self) -> String {
        match self {
            NoPage::Busy(_) => "Its host is being asked as often as it should be.".to_owned(),
            NoPage::Forbidden => "The robots rules of the host forbid reading the page.".to_owned(),
            NoPage::Later(words, _) | NoPage::Unreached(words) | NoPage::Unanswered(words) => {
                words.clone()
            }
        }
    }
}

/// An answer, and the address that it came from in the end.
pub(super) struct Visited {
    pub url: Url,
    pub response: HttpResponse,
    /// The cookies that the last request carried.
    cookie: Option<String>,
}

impl Visited {
    fn of(request: HttpRequest, response: HttpResponse) -> Visited {
        let cookie = request.header("cookie").map(str::to_owned);
        Visited { url: request.url, response, cookie }
    }

    /// A request for what the page leads to: it carries the page's cookies where it goes to the same host.
    pub fn onward(&self, mut request: HttpRequest) -> HttpRequest {
        request.set_header("Referer", self.url.as_str());
        if request.url.origin() == self.url.origin() {
            if let Some(cookie) = &self.cookie {
                request.set_header("Cookie", cookie);
            }
            Jar::of(&self.response).add_to(&mut request);
        }
        request
    }
}

/// What a visit may wait for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// A little; else it is put off.
    Queue,
    /// A caller waits: up to so long.
    Caller(Duration),
}

/// What came of sending a form.
pub(super) enum Posted {
    /// The answer, or the page that it leads to.
    Answered(Visited),
    /// Nothing has reached the host.
    NotSent(NoPage),
    /// It may have reached the host, and nobody knows what came of it.
    Unknown(NoPage),
}

/// Asks for a page and follows where it leads.
pub(super) async fn visit(
    parts: &Parts,
    request: HttpRequest,
    patience: Patience,
) -> Result<Visited, NoPage> {
    follow(parts, request, patience, true).await
}

/// Sends a form, once, and follows where its answer leads. A person asked for it: rules for robots, which
/// are about reading, have no say in it.
pub(super) async fn post(parts: &Parts, request: HttpRequest) -> Posted {
    let mut request = HttpRequest { takes_redirects: true, ..request };
    request.max_body_bytes = parts.settings.apply.page_bytes;
    let patience = Patience::Caller(parts.settings.apply.page_timeout);
    let response = match once(parts, &request, patience, false).await {
        Ok(response) => response,
        Err(why @ (NoPage::Busy(_) | NoPage::Forbidden | NoPage::Unreached(_))) => {
            return Posted::NotSent(why);
        }
        Err(why) => return Posted::Unknown(why),
    };
    let Some(next) = led(&request, &response) else {
        return Posted::Answered(Visited::of(request, response));
    };
    match follow(parts, next, patience, false).await {
        Ok(visited) => Posted::Answered(visited),
        Err(why) => Posted::Unknown(why),
    }
}

async fn follow(
    parts: &Parts,
    request: HttpRequest,
    patience: Patience,
    heed: bool,
) -> Result<Visited, NoPage> {
    let mut request = HttpRequest { takes_redirects: true, ..request };
    request.max_body_bytes = parts.settings.apply.page_bytes;
    for _ in 0..=REDIRECTS {
        let response = once(parts, &request, patience, heed).await?;
        match led(&request, &response) {
            Some(next) => request = next,
            None => return Ok(Visited::of(request, response)),
        }
    }
    let words =
        format!("The page leads from one address to the next, more than {REDIRECTS} times.");
    Err(NoPage::Unreached(words))
}

/// The request that an answer leads to. A form is not sent again: the page is looked at.
fn led(request: &HttpRequest, response: &HttpResponse) -> Option<HttpRequest> {
    let mut next = HttpRequest { url: target(request, response)?, ..request.clone() };
    if next.url.origin() == request.url.origin() {
        Jar::of(response).add_to(&mut next);
    } else {
        next.headers.retain(|(name, _)| {
            !name.eq_ignore_ascii_case("cookie") && !name.eq_ignore_ascii_case("authorization")
        });
    }
    if next.method != "GET" {
        next.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        (next.method, next.body) = ("GET".to_owned(), None);
    }
    Some(next)
}

async fn once(
    parts: &Parts,
    request: &HttpRequest,
    patience: Patience,
    heed: bool,
) -> Result<HttpResponse, NoPage> {
    let host = parts.standings.hosts.host(&request.url);
    let path = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    };
    if heed && !host.allows(parts, &request.url, &path, patience).await? {
        return Err(NoPage::Forbidden);
    }
    let wait = host.turn(parts.settings.apply.host_pause, patience).map_err(NoPage::Busy)?;
    tokio::time::sleep(wait).await;
    let sent = parts.http.send(request.clone(), parts.settings.apply.page_timeout).await;
    let response = sent.map_err(no_page)?;
    if matches!(response.status, 429 | 503) {
        let after = response.header("retry-after").and_then(|text| text.trim().parse().ok());
        let words = format!("The host asked to be left alone: it answered {}.", response.status);
        return Err(NoPage::Later(words, after.map(Duration::from_secs)));
    }
    Ok(response)
}

fn no_page(error: SendError) -> NoPage {
    let words = format!("There was no page: {error}.");
    match error {
        SendError::Connect(_)
        | SendError::Blocked(_)
        | SendError::Unsendable(_)
        | SendError::CertificateRefused(_) => NoPage::Unreached(words),
        SendError::Unanswered(_)
        | SendError::Timeout(_)
        | SendError::Cut(_)
        | SendError::TooLarge(_) => NoPage::Unanswered(words),
    }
}

/// Where an answer leads to.
fn target(request: &HttpRequest, response: &HttpResponse) -> Option<Url> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = request.url.join(response.header("location")?).ok()?;
    let safe =
        target.scheme() == "https" || target.scheme() == "http" && request.url.scheme() == "http";
    safe.then_some(target)
}

impl Hosts {
    fn host(&self, url: &Url) -> Arc<Host> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let name = url.origin().ascii_serialization();
        if known.len() >= MOST_HOSTS && !known.contains_key(&name) {
            known.clear();
        }
        known.entry(name).or_default().clone()
    }
}

impl Host {
    async fn allows(
        &self,
        parts: &Parts,
        url: &Url,
        path: &str,
        patience: Patience,
    ) -> Result<bool, NoPage> {
        let mut rules = self.rules.lock().await;
        let fresh = rules.as_ref().is_some_and(|(at, rules)| {
            let lasts = if matches!(rules, Rules::Known(_)) { RULES_LAST } else { HOST_RESTS };
            at.elapsed() < lasts
        });
        if !fresh {
            *rules = Some((Instant::now(), self.read_rules(parts, url).await));
        }
        match rules.as_ref().map(|(_, rules)| rules) {
            Some(Rules::Known(rules)) => Ok(rules.allows(path)),
            // Others that wait for the same host need not find out one by one.
            Some(Rules::Missing(_)) if fresh && patience == Patience::Queue => {
                let now = Instant::now();
                let until = self.book(now + HOST_RESTS, parts.settings.apply.host_pause);
                Err(NoPage::Busy(until - now))
            }
            Some(Rules::Missing(why)) => Err(why.clone()),
            None => Ok(true),
        }
    }

    async fn read_rules(&self, parts: &Parts, url: &Url) -> Rules {
        let read = match read_rules(parts, url).await {
            Ok(read) => read,
            Err(why) => return Rules::Missing(why),
        };
        let pause = read.pause_seconds.and_then(|pause| Duration::try_from_secs_f64(pause).ok());
        self.times.lock().unwrap_or_else(PoisonError::into_inner).pause =
            pause.map(|pause| pause.min(LONGEST_PAUSE));
        Rules::Known(read)
    }

    /// Puts a visit off behind those that are put off already, not before a moment.
    fn book(&self, from: Instant, pause: Duration) -> Instant {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let booked = times.booked.unwrap_or(from).max(from) + pause;
        times.booked = Some(booked);
        booked
    }

    /// Takes the next turn: how long to wait for it; or when there is room, where that is too long.
    fn turn(&self, usual: Duration, patience: Patience) -> Result<Duration, Duration> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let pause = times.pause.unwrap_or(usual).max(usual);
        let next = times.next.unwrap_or(now).max(now);
        let wait = next - now;
        let most = match patience {
            Patience::Queue => pause * 2,
            Patience::Caller(most) => most,
        };
        if wait > most {
            drop(times);
            return Err(self.book(next, pause) - now);
        }
        // A little more or less, so that visits do not look like a clock.
        let jitter = rand::rng().random_range(0.9..1.3);
        times.next = Some(next + pause.mul_f64(jitter));
        Ok(wait)
    }
}

/// Reads the rules of a host. Without any, everything is allowed; while they cannot be had, nothing is.
async fn read_rules(parts: &Parts, url: &Url) -> Result<Robots, NoPage> {
    let Ok(place) = url.join("/robots.txt") else { return Ok(Robots::nothing()) };
    let mut request = HttpRequest::new("GET", place);
    request.max_body_bytes = RULES_BYTES;
    match parts.http.send(request, parts.settings.apply.page_timeout).await {
        Ok(response) if (200..300).contains(&response.status) => {
            Ok(Robots::parse(&String::from_utf8_lossy(&response.body), NAME))
        }
        Ok(response) if response.status < 500 && response.status != 429 => Ok(Robots::default()),
        Ok(response) => {
            let words = format!(
                "The robots rules of the host cannot be had: it answered {}.",
                response.status
            );
            Err(NoPage::Later(words, None))
        }
        Err(SendError::TooLarge(_)) => Ok(Robots::nothing()),
        Err(error) => Err(NoPage::Unreached(format!("The host does not answer: {error}."))),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Host, Patience};

    #[test]
    fn visits_take_turns_and_the_rest_is_put_off_one_behind_the_other() {
        let host = Host::default();
        let second = Duration::from_secs(1);
        assert_eq!(host.turn(second, Patience::Queue), Ok(Duration::ZERO));
        assert!(host.turn(second, Patience::Queue).expect("soon") > second / 2);
        let far = loop {
            if let Err(far) = host.turn(second, Patience::Queue) {
                break far;
            }
        };
        let further = host.turn(second, Patience::Queue).expect_err("behind it");
        assert!(further > far, "{further:?} {far:?}");
        assert!(host.turn(second, Patience::Caller(second * 20)).is_ok());
    }
}
