//! Values by type: what came, what is read, which issue it leaves.

use cadre_model::hris::Employee;
use cadre_model::shape::{Kind, Shape};
use serde_json::{Value, json};

use super::{Rules, Trail, read};

fn check_with(rules: &Rules, kind: Kind, came: Value, expected: Value, issue: Option<&str>) {
    let mut trail = Trail::new("field", rules);
    assert_eq!(read(&kind, &came, &mut trail), expected, "{came} as {kind:?}");
    let problems: Vec<_> = trail.into_issues().into_iter().map(|found| found.problem).collect();
    assert_eq!(problems, issue.into_iter().collect::<Vec<_>>(), "{came} as {kind:?}");
}

fn check(kind: Kind, came: Value, expected: Value) {
    check_with(&Rules::default(), kind, came, expected, None);
}

fn refused(kind: Kind, came: Value, issue: &str) {
    check_with(&Rules::default(), kind, came, Value::Null, Some(issue));
}

#[test]
fn nothing_stays_nothing() {
    for kind in
        [Kind::Text, Kind::Number, Kind::Boolean, Kind::Timestamp, Kind::Email, Kind::Country]
    {
        check(kind, Value::Null, Value::Null);
        check(kind, json!("  "), Value::Null);
    }
}

#[test]
fn text() {
    check(Kind::Text, json!("Ann"), json!("Ann"));
    check(Kind::Text, json!(12), json!("12"));
    check(Kind::Text, json!(true), json!("true"));
    refused(Kind::Text, json!(["a"]), "wrong_type");
}

#[test]
fn numbers() {
    check(Kind::Number, json!(38.5), json!(38.5));
    check(Kind::Number, json!("38.5"), json!(38.5));
    check(Kind::Number, json!("+40"), json!(40));
    refused(Kind::Number, json!("1,234.50"), "wrong_type");
    refused(Kind::Number, json!("38,5"), "wrong_type");
    refused(Kind::Number, json!(true), "wrong_type");
    check(Kind::Integer, json!(3.0), json!(3));
    refused(Kind::Integer, json!(3.5), "wrong_type");
}

#[test]
fn booleans() {
    check(Kind::Boolean, json!("Yes"), json!(true));
    check(Kind::Boolean, json!(0), json!(false));
    refused(Kind::Boolean, json!("perhaps"), "wrong_type");
}

#[test]
fn moments() {
    check(Kind::Timestamp, json!("2026-01-31T08:15:00+02:00"), json!("2026-01-31T06:15:00.000Z"));
    check(Kind::Timestamp, json!("2026-01-31 08:15:00"), json!("2026-01-31T08:15:00.000Z"));
    check(Kind::Timestamp, json!("2026-01-31"), json!("2026-01-31T00:00:00.000Z"));
    check(Kind::Timestamp, json!(1_769_847_300), json!("2026-01-31T08:15:00.000Z"));
    check(Kind::Timestamp, json!(1_769_847_300_005_i64), json!("2026-01-31T08:15:00.005Z"));
    refused(Kind::Timestamp, json!("yesterday"), "invalid_date");
    refused(Kind::Timestamp, json!("2026-02-30"), "invalid_date");
}

#[test]
fn days() {
    check(Kind::Midnight, json!("1986-01-01"), json!("1986-01-01T00:00:00.000Z"));
    // The day is the one that is written, whatever the zone.
    check(Kind::Date, json!("2026-01-31T23:30:00-08:00"), json!("2026-01-31"));
    check(Kind::Date, json!("0000-00-00"), Value::Null);
    refused(Kind::Date, json!("31.01.2026"), "invalid_date");
    let german = Rules { format: Some("%d.%m.%Y".into()), ..Rules::default() };
    check_with(&german, Kind::Date, json!("31.01.2026"), json!("2026-01-31"), None);
    check_with(&german, Kind::Date, json!("01/31/2026"), Value::Null, Some("invalid_date"));
}

#[test]
fn zones() {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
    let berlin = Rules { zone: Some(zone), ..Rules::default() };
    check_with(
        &berlin,
        Kind::Timestamp,
        json!("2026-07-01T10:00:00"),
        json!("2026-07-01T08:00:00.000Z"),
        None,
    );
    check_with(
        &berlin,
        Kind::Timestamp,
        json!("2026-07-01T10:00:00Z"),
        json!("2026-07-01T10:00:00.000Z"),
        None,
    );
}

#[test]
fn times_of_day_and_offsets() {
    check(Kind::TimeOfDay, json!("8:05"), json!("08:05:00"));
    check(Kind::TimeOfDay, json!("2026-01-31T17:30:00Z"), json!("17:30:00"));
    refused(Kind::TimeOfDay, json!("25:00"), "invalid_date");
    check(Kind::Offset, json!("+0100"), json!("+01:00"));
    check(Kind::Offset, json!("Z"), json!("+00:00"));
}

#[test]
fn places() {
    check(Kind::Email, json!(" Ann.Lee@Example.COM "), json!("Ann.Lee@example.com"));
    refused(Kind::Email, json!("ann@"), "invalid_email");
    refused(Kind::Email, json!(".ann@example.com"), "invalid_email");
    refused(Kind::Email, json!("a..b@example.com"), "invalid_email");
    check(Kind::Country, json!("DEU"), json!("DE"));
    check(Kind::Country, json!("united kingdom"), json!("GB"));
    refused(Kind::Country, json!("Atlantis"), "unknown_country");
    check(Kind::Currency, json!("eur"), json!("EUR"));
    refused(Kind::Currency, json!("XQZ"), "unknown_currency");
    check(Kind::Url, json!("https://example.org/a b"), json!("https://example.org/a%20b"));
    refused(Kind::Url, json!("example.org"), "invalid_url");
}

#[test]
fn choices() {
    let kind = Employee::SHAPE.field("employment_status").expect("a field").kind;
    check(kind, json!("active"), json!("ACTIVE"));
    // Open: the tool's word passes, and is an issue.
    check_with(
        &Rules::default(),
        kind,
        json!("Sabbatical"),
        json!("Sabbatical"),
        Some("unknown_value"),
    );
    let values = [("onboarding".to_owned(), Some("PENDING")), ("-".to_owned(), None)].into();
    let rules = Rules { values: Some(values), ..Rules::default() };
    check_with(&rules, kind, json!("Onboarding"), json!("PENDING"), None);
    check_with(&rules, kind, json!("-"), Value::Null, None);
    let closed = cadre_model::hris::Group::SHAPE.field("type").expect("a field").kind;
    refused(closed, json!("GUILD"), "unknown_value");
}

#[test]
fn structures_name_the_place() {
    let kind = Employee::SHAPE.field("bank_accounts").expect("a field").kind;
    let rules = Rules::default();
    let mut trail = Trail::new("bank_accounts", &rules);
    let came =
        json!([{"iban": "DE89"}, {"iban": ["x"]}, {"domestic_bank_routing": {"type": "FR_RIB"}}]);
    let value = read(&kind, &came, &mut trail);
    assert_eq!(value[0]["iban"], "DE89");
    let paths: Vec<_> = trail.into_issues().into_iter().map(|found| found.path).collect();
    assert_eq!(paths, ["bank_accounts[1].iban", "bank_accounts[2].domestic_bank_routing.number"]);
}
