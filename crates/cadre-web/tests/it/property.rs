//! Whatever is in a query string, a list answers with a page or refuses with the envelope.

use cadre_model::registry::models;
use cadre_web::WebSettings;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::app::{TestApp, on_both};
use crate::sample::{Fill, record};

/// How many query strings are tried on each list.
const TRIES: usize = 25;

fn names() -> Vec<&'static str> {
    let mut names = vec![
        "cursor",
        "page_size",
        "updated_after",
        "include_deleted",
        "ids",
        "remote_ids",
        "ignore_unsupported_filters",
        "unknown",
    ];
    names.extend(models().iter().flat_map(|model| model.filters).map(|filter| filter.name));
    names.sort_unstable();
    names.dedup();
    names
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "", "0", "1", "250", "251", "-1", "99999999999999999999", "true", "false", "TRUE",
            "2026-01-31", "2026-01-31T08:15:00.000Z", "9999-12-31T23:59:59Z", "-0001-01-01",
            "2026-01-31T08:15:00+99:00", "ACTIVE", "a%2Cb", ",", "%", "%zz", "%00", "%ff", "%F0%9F%98%80",
            "{\"a\":1}", "%7B%22a%22%3A1%7D", "[]", "null", "'", "\"", "%25", "_", "*", "..%2F", "e30",
            "26vafvWSRmbhNcxJYqjCzuJg", "26vafvWSRmbhNcxJYqjCzuJg%2C26vafvWSRmbhNcxJYqjCzuJh",
        ])
        .prop_map(str::to_owned),
        1 => "[ -~&&[^#]]{0,40}".prop_map(|text| text.replace(' ', "+")),
        1 => "\\PC{0,20}".prop_map(|text| {
            text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
        }),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let pair = (prop::sample::select(names()), value()).prop_map(|(name, v)| format!("{name}={v}"));
    prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"))
}

#[tokio::test]
async fn any_query_string_is_answered() {
    let runner = std::sync::Mutex::new(TestRunner::deterministic());
    on_both(WebSettings::default(), async |app: TestApp| {
        for category in ["HRIS", "ATS", "LMS"] {
            let own = models().iter().filter(|model| model.category.as_str() == category);
            let records: Vec<_> = own.map(|model| record(model, "1", Fill::Everything)).collect();
            let id = app.tenant.of_path(&format!("/{}", category.to_lowercase())).to_owned();
            app.sync(&id, &records).await;
        }
        for path in models().iter().filter_map(|model| model.path) {
            for _ in 0..TRIES {
                let query = {
                    let mut runner = runner.lock().expect("not poisoned");
                    query().new_tree(&mut runner).expect("a query").current()
                };
                let uri = format!("/v1{path}?{query}");
                if uri.parse::<http::Uri>().is_err() {
                    continue; // no HTTP client could send it
                }
                let answer = app.list(&uri).await;
                if answer.status == 200 {
                    crate::contract::assert_valid("get", path, &answer.json);
                    continue;
                }
                assert_eq!(answer.status, 400, "{uri}: {}", answer.text);
                crate::contract::assert_error_envelope(crate::app::class(path), &answer.json);
            }
        }
    })
    .await;
}
