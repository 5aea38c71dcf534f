//! XML over the wire: SOAP envelopes with WS-Security, faults, and what becomes of them.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use cadre_model::fault::Code;
use serde_json::json;

use crate::vendor::{pages, setup};

const MANIFEST: &str = r"auth: {type: ws_security, username: me & you, password: \($secrets.key)}
errors:
  - when: .Envelope.Body.Fault.faultcode | strings | test('authentication')
    code: INTEGRATION.AUTHENTICATION_INVALID
    message: .Envelope.Body.Fault.faultstring
  - when: .Envelope.Body.Fault != null
    code: REMOTE.INPUT_INVALID
    message: .Envelope.Body.Fault.faultstring
    retry: false
streams:
  people:
    request:
      method: POST
      path: /people
      soap: |
        <x:List xmlns:x='urn:x'><x:Page>\($page.number)</x:Page><x:Who>\('<&>')</x:Who></x:List>
    response: {format: xml, lists: [Person], records: '[.Envelope.Body.Answer.Person[]?]'}
    paging: {type: page_number, size: 2, pages: .Envelope.Body.Answer.Pages}
";

fn manifest() -> String {
    MANIFEST
        .replace("('authentication')", "(\"authentication\")")
        .replace("\\('<&>')", "\\(\"<&>\")")
}

fn envelope(inside: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{inside}</e:Body></e:Envelope>"
    )
}

#[tokio::test]
async fn envelopes_are_signed_and_paged() {
    async fn people(headers: HeaderMap, body: String) -> String {
        assert_eq!(headers["content-type"], "text/xml; charset=utf-8");
        assert!(!headers.contains_key("authorization"));
        assert!(body.contains("<wsse:Username>me &amp; you</wsse:Username>"), "{body}");
        assert!(body.contains("#PasswordText\">s3cret-key</wsse:Password>"), "{body}");
        assert!(body.contains("<x:Who>&lt;&amp;&gt;</x:Who>"), "{body}");
        let person = if body.contains("<x:Page>1</x:Page>") {
            "<a:Person><a:id>1</a:id></a:Person><a:Person><a:id>2</a:id></a:Person>"
        } else {
            "<a:Person><a:id>3</a:id></a:Person>"
        };
        envelope(&format!("<a:Answer xmlns:a=\"urn:a\"><a:Pages>2</a:Pages>{person}</a:Answer>"))
    }
    let setup = setup(Router::new().route("/people", post(people)), &manifest()).await;
    let found = pages(&mut setup.session.read("people", None)).await;
    let records: Vec<_> =
        found.iter().flat_map(|page| &page.records).map(|record| record.value.clone()).collect();
    assert_eq!(records, [json!({"id": "1"}), json!({"id": "2"}), json!({"id": "3"})]);
    let shown = serde_json::to_string(&*setup.seen.exchanges.lock().expect("lock")).expect("json");
    assert!(!shown.contains("s3cret-key"), "{shown}");
}

#[tokio::test]
async fn faults_are_told_by_rules_whatever_their_status() {
    for (status, fault, code) in [
        (500, "authenticationError", Code::IntegrationAuthenticationInvalid),
        (200, "validationError", Code::RemoteInputInvalid),
    ] {
        let people = move || async move {
            let fault = format!(
                "<e:Fault><faultcode>e:Client.{fault}</faultcode><faultstring>No such page</faultstring></e:Fault>"
            );
            let status = StatusCode::from_u16(status).expect("a status");
            (status, envelope(&fault)).into_response() as Response
        };
        let setup = setup(Router::new().route("/people", post(people)), &manifest()).await;
        let mut reader = setup.session.read("people", None);
        let failure = reader.next().await.expect("an end").expect_err("a fault");
        assert_eq!(failure.fault.code, code, "{failure:?}");
        assert!(failure.fault.message.contains("No such page"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_no_xml_says_so() {
    let people = || async { "<html><p>Maintenance</html>" };
    let setup = setup(Router::new().route("/people", post(people)), &manifest()).await;
    let mut reader = setup.session.read("people", None);
    let failure = reader.next().await.expect("an end").expect_err("no XML");
    assert!(failure.fault.message.contains("not XML"), "{failure:?}");
}
