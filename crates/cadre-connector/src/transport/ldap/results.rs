//! What a directory's result codes (RFC 4511, appendix A) mean here.
//!
//! | result | code |
//! | --- | --- |
//! | 7, 48, 49: the bind is not accepted | `INTEGRATION.AUTHENTICATION_INVALID` |
//! | 8, 13: not over a connection that is not encrypted | `REMOTE.INPUT_INVALID` |
//! | 49 with 530 or 531: not now, or not from here; 50 insufficientAccessRights | `INTEGRATION.PERMISSION_MISSING` |
//! | 32, 34: the base is not there, or is no DN; 10: it is elsewhere | `REMOTE.INPUT_INVALID` |
//! | 4, 11: more entries than the server gives to this user | `REMOTE.INPUT_INVALID` |
//! | 3, 51, 52: too slow, busy, unavailable; connection lost | `REMOTE.SERVICE_UNAVAILABLE` |
//! | anything else | `REMOTE.UNKNOWN_HTTP_ERROR` |

use cadre_model::fault::Code;
use ldap3::{LdapError, LdapResult};

use super::Search;
use crate::transport::refusal::Refusal;

/// The refusal of a bind.
pub(super) fn of_bind(name: &str, result: &LdapResult) -> Refusal {
    let who = if name.is_empty() { "anonymously".to_owned() } else { format!("as \"{name}\"") };
    let said = spoken(&result.text);
    let (code, message, hint) = match result.rc {
        49 => {
            let (code, why, hint) = why_refused(&result.text);
            (code, format!("Could not log in {who}: {why}."), hint)
        }
        // Nothing is wrong with name and password: the address or StartTLS is to be set otherwise.
        8 | 13 => (
            Code::RemoteInputInvalid,
            format!("The server lets nobody log in over a connection that is not encrypted{said}."),
            "Use an ldaps:// address, or switch StartTLS on.",
        ),
        7 | 48 => (
            Code::IntegrationAuthenticationInvalid,
            format!("The server does not let anybody log in {who} with a password{said}."),
            "Use a user that may log in with name and password (simple bind).",
        ),
        // To a bind, a name that is not there and one that is no DN are wrong credentials.
        32 | 34 => (
            Code::IntegrationAuthenticationInvalid,
            format!("Could not log in {who}: the server does not know this name{said}."),
            "Give the whole DN of the bind user, as in cn=reader,ou=Services,dc=example,dc=org.",
        ),
        50 => (
            Code::IntegrationPermissionMissing,
            format!("The server does not allow logging in {who}{said}."),
            "Ask whoever runs the directory to allow the bind.",
        ),
        _ => return common(&format!("logging in {who}"), result),
    };
    Refusal::new(code, rule(result.rc), message).hint(hint).context(result)
}

/// The refusal of a search.
pub(super) fn of_search(search: &Search, result: &LdapResult) -> Refusal {
    let (base, said) = (&search.base, spoken(&result.text));
    let (code, message, hint) = match result.rc {
        32 => {
            let nearest = match result.matched.as_str() {
                "" => String::new(),
                matched => format!(" The nearest that is there is \"{matched}\"."),
            };
            (
                Code::RemoteInputInvalid,
                format!(
                    "The directory has no entry \"{base}\", or does not show it to this user.{nearest}"
                ),
                "Correct the base DN, or give the bind user the right to read it.",
            )
        }
        34 => (
            Code::RemoteInputInvalid,
            format!("The base \"{base}\" is not a valid DN{said}."),
            "A base looks like ou=People,dc=example,dc=org.",
        ),
        10 => {
            let elsewhere = result.refs.join(", ");
            (
                Code::RemoteInputInvalid,
                format!(
                    "The entry \"{base}\" is on another server: {elsewhere}. It was not followed there."
                ),
                "Connect to the server that holds the entries.",
            )
        }
        50 => (
            Code::IntegrationPermissionMissing,
            format!("The bind user may not search below \"{base}\"{said}."),
            "Give the bind user the right to read the entries below the base.",
        ),
        4 | 11 => (
            Code::RemoteInputInvalid,
            format!(
                "The server limits how many entries this user gets, and there are more below \"{base}\" \
                 for {}{}{said}.",
                search.filter,
                match search.page_size {
                    0 => "; the search was made without paging".to_owned(),
                    size => format!("; the search was made in pages of {size}"),
                }
            ),
            "Read in pages (paging: search_pages); if that is on, have the limit for the bind user lifted, \
             or narrow the search with base or filter.",
        ),
        12 => (
            Code::RemoteInputInvalid,
            format!("The server cannot give results in pages{said}."),
            "Switch paging off for this server.",
        ),
        _ => return common(&format!("searching below \"{base}\""), result),
    };
    Refusal::new(code, rule(result.rc), message).hint(hint).context(result)
}

fn common(doing: &str, result: &LdapResult) -> Refusal {
    let said = spoken(&result.text);
    let code = match result.rc {
        3 | 51 | 52 => Code::RemoteServiceUnavailable,
        50 => Code::IntegrationPermissionMissing,
        _ => Code::RemoteUnknownHttpError,
    };
    let message = match result.rc {
        3 => format!("The server gave up {doing}: its time limit was reached{said}."),
        51 => format!("The server was too busy for {doing}{said}."),
        52 => format!("The server was not available for {doing}{said}."),
        other => format!("The server failed {doing} with result {other}{said}."),
    };
    Refusal::new(code, rule(result.rc), message).context(result)
}

/// A connection that does not come about, or ends.
pub(super) fn broken(doing: &str, error: &LdapError) -> Refusal {
    if let LdapError::LdapResult { result } = error {
        // Before the bind there is only one request that can be refused: the one for encryption.
        return Refusal::new(
            Code::RemoteInputInvalid,
            rule(result.rc),
            format!("The server does not offer StartTLS{}.", spoken(&result.text)),
        )
        .hint("Use an ldaps:// address.")
        .context(result);
    }
    if let Some(why) = untrusted(error) {
        return Refusal::new(
            Code::IntegrationAuthenticationInvalid,
            "LDAP certificate",
            format!(
                "The certificate of the directory is not trusted: {why}. Nothing was sent to it."
            ),
        )
        .hint(
            "Give the certificate of the authority that signed it, and check that the host \
             name is the one in it.",
        )
        .context(error);
    }
    Refusal::new(
        Code::RemoteServiceUnavailable,
        "LDAP connection lost",
        format!("The server closed the connection while {doing}."),
    )
    .hint("Check that the port speaks LDAP, and that ldaps:// is used where the port is an encrypted one.")
    .context(error)
}

/// Why TLS did not trust the server, if that is what happened.
fn untrusted(error: &LdapError) -> Option<String> {
    let tls = match error {
        LdapError::Rustls { source } => Some(source),
        LdapError::Io { source } => {
            source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
        }
        LdapError::DNSName { .. } => return Some("the address is no valid host name".to_owned()),
        _ => None,
    };
    match tls? {
        rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
        _ => None,
    }
}

/// What the server said, to be put in parentheses.
fn spoken(text: &str) -> String {
    // Active directories end their texts with a zero character.
    let text = text.trim_matches(|mark: char| mark.is_whitespace() || mark == '\0');
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

fn rule(rc: u32) -> String {
    format!("LDAP result {rc}")
}

/// Why a name and password were refused. Some servers put a second code into the text of result 49:
/// <https://learn.microsoft.com/windows/win32/debug/system-error-codes>.
fn why_refused(text: &str) -> (Code, &'static str, &'static str) {
    const RECONNECT: &str = "Correct name and password of the bind user, and connect again.";
    let second = text.split("data ").nth(1).and_then(|rest| rest.split([',', ' ']).next());
    // The password was right; another one would change nothing.
    if let Some("530" | "531") = second {
        return (
            Code::IntegrationPermissionMissing,
            "the user may not log in at this time or from here",
            "Lift the restriction on the bind user.",
        );
    }
    let (why, hint) = match second {
        Some("532" | "773") => (
            "the password has expired",
            "Set a new password that does not expire, and connect again.",
        ),
        Some("533" | "701") => (
            "the user is disabled or has expired",
            "Enable the bind user, or connect with another one.",
        ),
        Some("775") => {
            ("the user is locked", "Unlock the bind user, then correct its password here.")
        }
        Some("525") => ("the server does not know this user", RECONNECT),
        _ => ("the server does not accept name or password", RECONNECT),
    };
    (Code::IntegrationAuthenticationInvalid, why, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::ldap::Scope;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult {
            rc,
            matched: String::new(),
            text: text.to_owned(),
            refs: vec![],
            ctrls: vec![],
        }
    }

    fn search() -> Search {
        Search {
            base: "ou=People,dc=example,dc=org".to_owned(),
            scope: Scope::Subtree,
            filter: "(cn=*)".to_owned(),
            attributes: vec![],
            page_size: 0,
        }
    }

    #[test]
    fn every_result_has_its_code() {
        let of_search = |rc| of_search(&search(), &result(rc, "said")).fault.code;
        assert_eq!(of_search(3), Code::RemoteServiceUnavailable);
        assert_eq!(of_search(4), Code::RemoteInputInvalid);
        assert_eq!(of_search(10), Code::RemoteInputInvalid);
        assert_eq!(of_search(32), Code::RemoteInputInvalid);
        assert_eq!(of_search(50), Code::IntegrationPermissionMissing);
        assert_eq!(of_search(51), Code::RemoteServiceUnavailable);
        assert_eq!(of_search(52), Code::RemoteServiceUnavailable);
        assert_eq!(of_search(53), Code::RemoteUnknownHttpError);
        let of_bind = |rc| of_bind("cn=x", &result(rc, "")).fault.code;
        assert_eq!(of_bind(49), Code::IntegrationAuthenticationInvalid);
        assert_eq!(of_bind(13), Code::RemoteInputInvalid);
        assert_eq!(of_bind(32), Code::IntegrationAuthenticationInvalid);
        assert_eq!(of_bind(52), Code::RemoteServiceUnavailable);
    }

    #[test]
    fn refusals_name_the_base_and_what_the_server_said() {
        let refusal = super::of_search(&search(), &result(32, ""));
        assert!(refusal.fault.message.contains("ou=People,dc=example,dc=org"));
        assert_eq!(refusal.rule, "default: LDAP result 32");
        let text =
            "80090308: LdapErr: DSID-0C09, comment: AcceptSecurityContext error, data 775, v4563\0";
        let refusal = super::of_bind("a@b", &result(49, text));
        assert!(refusal.fault.message.contains("locked"), "{}", refusal.fault.message);
        let refusal = super::of_search(&search(), &result(80, "out of luck\0"));
        assert!(
            refusal.fault.message.ends_with("result 80 (out of luck)."),
            "{}",
            refusal.fault.message
        );
    }
}
