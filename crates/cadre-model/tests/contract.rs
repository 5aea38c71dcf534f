//! Holds the table of codes against the contract.

use cadre_model::fault::{Code, Retry, Who};
use serde_json::Value;

fn contract() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/errors.json");
    let text = std::fs::read_to_string(path).expect("contract/errors.json is part of the project");
    serde_json::from_str(&text).expect("contract/errors.json is JSON")
}

#[test]
fn every_code_is_as_the_contract_has_it() {
    let contract = contract();
    let rows = contract["codes"].as_array().expect("a list of codes");
    assert_eq!(rows.len(), Code::ALL.len());
    for (row, code) in rows.iter().zip(Code::ALL) {
        assert_eq!(row["code"], code.as_str());
        assert_eq!(row["title"], code.title(), "{code}");
        assert_eq!(row["http_status"], code.status(), "{code}");
        let who = match code.who() {
            Who::Caller => "caller",
            Who::EndCustomer => "end_customer",
            Who::Operator => "operator",
            Who::Wait => "wait",
        };
        assert_eq!(row["who_must_act"], who, "{code}");
        let retry = match code.retry() {
            Retry::Backoff => Value::Bool(true),
            Retry::Never => Value::Bool(false),
            Retry::AfterCorrection => "after_correction".into(),
            Retry::SameIdempotencyKey => "same_idempotency_key".into(),
        };
        assert_eq!(row["retry"], retry, "{code}");
        assert_eq!(Code::parse(code.as_str()), Some(*code));
    }
}
