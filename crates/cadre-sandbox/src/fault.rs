//! Faults on order: a test says what goes wrong where, and how often.
//!
//! `POST /admin/faults` takes a list of [`Script`]s, `GET` shows what is left of them and `DELETE`
//! takes them back. The first script that fits a request and is not used up has its way.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fault, and the requests that it befalls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Script {
    /// Which requests.
    #[serde(rename = "match", default)]
    pub matches: Match,
    /// How many of them; 0 is all until the scripts are taken back.
    #[serde(default = "once")]
    pub times: u32,
    /// How many that fit are let through first.
    #[serde(default)]
    pub after: u32,
    /// How often it has struck.
    #[serde(default)]
    pub struck: u32,
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

const fn once() -> u32 {
    1
}

/// Which requests a script is about. What is not said does not matter.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Beginning of the path: `/hris/v1/employees`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Method: `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Text that the query contains: `page=2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// What goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// An answer with this status; the body is the vendor's error unless it is given.
    Status {
        /// HTTP status.
        status: u16,
        /// Body, as JSON.
        #[serde(default)]
        body: Option<Value>,
    },
    /// The answer is right, but late.
    DelayMs {
        /// How late, in milliseconds.
        ms: u64,
    },
    /// The connection breaks in the middle of the body.
    CutBody,
    /// Status 200 and the first half of the body, as if that were all.
    InvalidJson,
    /// A web page instead of JSON, with status 200 unless another is given.
    Html {
        /// HTTP status.
        #[serde(default)]
        status: Option<u16>,
    },
    /// The connection is closed without an answer.
    DropConnection,
    /// What was asked for is done, and then the connection is closed without an answer.
    DropAnswer,
    /// What was asked for is done, and the answer comes late.
    LateAnswer {
        /// How late, in milliseconds.
        ms: u64,
    },
    /// 429 with `Retry-After`.
    RateLimit {
        /// Seconds to wait.
        #[serde(default = "one_second")]
        retry_after: u64,
    },
    /// All access tokens end at once; the request goes on and meets that.
    ExpireTokens,
    /// A list without records, its total and its link to the next page unchanged.
    EmptyPage,
    /// The page that was given last for this path, once more.
    DuplicatePage,
    /// 403.
    Forbid,
}

const fn one_second() -> u64 {
    1
}

impl Script {
    fn fits(&self, method: &str, path: &str, query: &str) -> bool {
        self.matches.path.as_ref().is_none_or(|prefix| path.starts_with(prefix.as_str()))
            && self.matches.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.matches.query.as_ref().is_none_or(|part| query.contains(part.as_str()))
    }
}

/// The fault that befalls a request, if one does; counts it.
pub(crate) fn strike(
    scripts: &mut [Script],
    method: &str,
    path: &str,
    query: &str,
) -> Option<Fault> {
    for script in scripts.iter_mut().filter(|script| script.fits(method, path, query)) {
        if script.times != 0 && script.struck >= script.times {
            continue;
        }
        if script.after > 0 {
            script.after -= 1;
            continue;
        }
        script.struck += 1;
        return Some(script.fault.clone());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Fault, Script, strike};

    #[test]
    fn a_script_strikes_after_some_and_as_often_as_it_says() {
        let mut scripts: Vec<Script> = serde_json::from_str(
            r#"[{"match": {"path": "/hris/v1/e"}, "after": 1, "times": 2,
                "fault": "status", "status": 500}]"#,
        )
        .unwrap();
        let mut ask = |path| strike(&mut scripts, "GET", path, "").is_some();
        let asked = ["/hris/v1/e", "/hris/v1/x", "/hris/v1/employees", "/hris/v1/e", "/hris/v1/e"]
            .map(&mut ask);
        assert_eq!(asked, [false, false, true, true, false]);
        assert!(matches!(scripts[0].fault, Fault::Status { status: 500, body: None }));
    }
}
