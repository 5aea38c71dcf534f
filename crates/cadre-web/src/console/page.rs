//! What all pages share: how they are sent, what goes wrong, words and moments.

use std::fmt;

use askama::Template;
use axum::response::{IntoResponse, Response};
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::{Interaction, RunState};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::refuse::{Finished, Refused};
use crate::scope::unavailable;

/// Why there is no page.
#[derive(Debug)]
pub enum Trouble {
    /// The store failed.
    Store(cadre_store::Error),
    /// Something failed that has a code.
    Fault(Fault),
    /// What was asked for is not there.
    Missing(&'static str),
}

impl From<cadre_store::Error> for Trouble {
    fn from(error: cadre_store::Error) -> Self {
        Trouble::Store(error)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble::Fault(fault)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Trouble::Store(error) => unavailable(error).into_response(),
            Trouble::Fault(fault) => notice(
                StatusCode::CONFLICT,
                Notice {
                    title: "That did not work",
                    lines: vec![fault.message.clone(), fault.next_step().to_owned()],
                    command: None,
                },
            ),
            Trouble::Missing(what) => notice(
                StatusCode::NOT_FOUND,
                Notice {
                    title: "Not here",
                    lines: vec![format!("{what} is not in this environment.")],
                    command: None,
                },
            ),
        }
    }
}

/// What a page's handler answers.
pub(super) type Shown = Result<Response, Trouble>;

pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// A page that says one thing.
#[derive(Debug, Template)]
#[template(path = "notice.html")]
pub(super) struct Notice {
    pub(super) title: &'static str,
    pub(super) lines: Vec<String>,
    pub(super) command: Option<String>,
}

/// Answers with a page that says one thing.
pub(super) fn notice(status: StatusCode, notice: Notice) -> Response {
    html_as(status, &notice)
}

/// Something that is not there: as a page for people, as an envelope for programs.
pub(super) fn not_found(headers: &HeaderMap, title: &'static str, words: &str) -> Response {
    if !wants_html(headers) {
        return Refused::new(Code::PlatformInputInvalid, words).into_response();
    }
    notice(StatusCode::NOT_FOUND, Notice { title, lines: vec![words.to_owned()], command: None })
}

/// Answers with a page.
pub(super) fn html(page: &impl Template) -> Response {
    html_as(StatusCode::OK, page)
}

/// Answers with a page and a status. It may load nothing from elsewhere, run no script but the two
/// files of this server, and be in no frame.
pub(super) fn html_as(status: StatusCode, page: &impl Template) -> Response {
    let body = match page.render() {
        Ok(body) => body,
        Err(error) => {
            return Refused::from(Fault::unknown(format!("render a page: {error}")))
                .into_response();
        }
    };
    let mut response = (status, body).into_response();
    response.extensions_mut().insert(Finished);
    let headers = response.headers_mut();
    let mut put = |name, text| headers.insert(name, HeaderValue::from_static(text));
    put(CONTENT_TYPE, "text/html; charset=utf-8");
    put(CACHE_CONTROL, "no-store");
    put(REFERRER_POLICY, "same-origin");
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    response
}

/// Leads the browser to a page of this server after an act.
pub(super) fn see_other(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

/// A coloured word.
#[derive(Debug, Clone)]
pub(super) struct Badge {
    /// `good`, `bad`, `warn`, `busy` or `plain`.
    pub(super) class: &'static str,
    /// The word.
    pub(super) text: String,
}

impl Badge {
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self { class: "good", text: text.into() }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { class: "bad", text: text.into() }
    }

    pub(super) fn warn(text: impl Into<String>) -> Self {
        Self { class: "warn", text: text.into() }
    }

    pub(super) fn busy(text: impl Into<String>) -> Self {
        Self { class: "busy", text: text.into() }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { class: "plain", text: text.into() }
    }

    /// How an interaction ended: its code, or else its HTTP status, or else that it ended.
    pub(super) fn result(interaction: &Interaction) -> Self {
        match (interaction.code.as_deref(), interaction.status, interaction.ended_at) {
            (Some(code), _, _) => Self::bad(code),
            (None, Some(status), _) if status >= 400 => Self::bad(status.to_string()),
            (None, Some(status), _) => Self::good(status.to_string()),
            (None, None, Some(_)) => Self::good("done"),
            (None, None, None) => Self::busy("going on"),
        }
    }

    /// How a run stands.
    pub(super) fn run(state: RunState) -> Self {
        match state {
            RunState::Queued => Self::busy("queued"),
            RunState::Running => Self::busy("running"),
            RunState::Succeeded => Self::good("succeeded"),
            RunState::PartiallyFailed => Self::warn("partially failed"),
            RunState::Failed => Self::bad("failed"),
            RunState::AuthenticationFailed => Self::bad("authentication failed"),
            RunState::TimedOut => Self::bad("timed out"),
            RunState::Cancelled => Self::plain("cancelled"),
        }
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A code is a long word: on a narrow screen it may end at a dot or an underscore.
        let text = Escaped(&self.text).to_string().replace('_', "_<wbr>").replace('.', ".<wbr>");
        write!(f, "<span class=\"badge {}\">{text}</span>", self.class)
    }
}

impl askama::filters::HtmlSafe for Badge {}

/// A text in which nothing is markup.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => write!(f, "{letter}")?,
            }
        }
        Ok(())
    }
}

/// A moment, which the reader's browser shows in the reader's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(pub(super) i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\">{}</time>", wire(self.0), moment(self.0))
    }
}

impl askama::filters::HtmlSafe for Moment {}

/// A moment for people: `2026-01-31 08:15:00 UTC`.
pub(super) fn moment(ms: i64) -> String {
    let wire = wire(ms);
    let (day, time) = wire.split_at_checked(10).unwrap_or((&wire, ""));
    let time = time.trim_start_matches('T').get(..8).unwrap_or_default();
    format!("{day} {time} UTC")
}

/// A length of time for people.
pub(super) fn duration(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        3_600_000..172_800_000 => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} days", ms / 86_400_000),
    }
}

/// A number with its thousands apart: `12 345`, with narrow spaces that do not break.
pub(super) fn grouped(number: impl TryInto<i64>) -> String {
    let number: i64 = number.try_into().unwrap_or(i64::MAX);
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A word for a POSIX shell, quoted where it must be.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:._-=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{Escaped, Moment, duration, grouped, moment, shell_word};

    #[test]
    fn moments_read_well() {
        assert_eq!(moment(1_769_847_300_005), "2026-01-31 08:15:00 UTC");
        let element = Moment(1_769_847_300_005).to_string();
        assert_eq!(
            element,
            "<time datetime=\"2026-01-31T08:15:00.005Z\">2026-01-31 08:15:00 UTC</time>"
        );
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(31), "31 ms");
        assert_eq!(duration(1_940), "1.9 s");
        assert_eq!(duration(61_000), "1 min 1 s");
        assert_eq!(duration(7_260_000), "2 h 1 min");
        assert_eq!(duration(300_000_000), "3 days");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(-1_000), "-1\u{202f}000");
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(Escaped("<a b=\"c\">'&").to_string(), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shell_word("/v1/hris/employees"), "/v1/hris/employees");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
    }
}
