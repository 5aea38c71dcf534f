//! Paths that nothing answers.

use axum::extract::OriginalUri;
use cadre_model::fault::{Code, Fault};
use cadre_model::registry;
use http::Method;

use crate::refuse::Refused;
use crate::scope::Caller;

/// Refuses, and says what was probably meant. The key is looked at only so that the call has a log.
pub async fn any(
    method: Method,
    OriginalUri(uri): OriginalUri,
    _caller: Result<Caller, Refused>,
) -> Refused {
    let path = uri.path();
    let fault =
        Fault::new(Code::PlatformInputInvalid, format!("There is nothing at {method} {path}."));
    match meant(path) {
        Some(meant) => fault.hint(format!("Did you mean {meant}?")),
        None => fault.hint("GET /v1/openapi.json lists everything that there is."),
    }
    .into()
}

/// A list that the path comes close to: a slash too many, `/v1` missing, another spelling.
fn meant(path: &str) -> Option<String> {
    let fold = |path: &str| {
        let bare = path.trim_start_matches('/').trim_start_matches("v1/").trim_end_matches('/');
        bare.to_ascii_lowercase().replace('_', "-")
    };
    let folded = fold(path);
    let known = registry::models().iter().filter_map(|model| model.path);
    let general = ["/check-api-key", "/force-sync"];
    let close = known
        .chain(general)
        .find(|known| fold(known) == folded || fold(known) == format!("{folded}s"))?;
    Some(format!("/v1{close}"))
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn near_misses_are_understood() {
        for path in
            ["/v1/hris/employees/", "/hris/employees", "/v1/hris/employee", "/v1/HRIS/Employees"]
        {
            assert_eq!(meant(path).as_deref(), Some("/v1/hris/employees"), "{path}");
        }
        assert_eq!(meant("/v1/pay_runs"), None);
        assert_eq!(meant("/"), None);
    }
}
