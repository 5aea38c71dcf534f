use serde_json::json;

use super::*;

/// Learns and replaces, as a recording does.
fn scrubbed(body: &Value) -> Value {
    let mut scrub = Scrub::default();
    scrub.learn(body);
    scrub.json(body)
}

#[test]
fn what_belongs_together_still_does() {
    let body = json!({
        "people": [
            {"id": 17, "firstName": "Jane", "lastName": "Doe-Smith", "workEmail": "Jane.Doe@acme.io",
             "displayName": "Jane Doe-Smith", "mobilePhone": "+49 170 1234567", "dateOfBirth": "1985-12-31",
             "address": {"street": "Real Street 5", "zip": "10115", "city": "Berlin", "country": "DE"},
             "iban": "DE89370400440532013000", "ssn": "123-45-6789", "department": "Engineering",
             "hireDate": "2020-05-01", "status": "active"},
            {"id": 18, "firstName": "Max", "lastName": "Doe", "managerEmail": "jane.doe@ACME.io",
             "notes": "asked for less", "profile": "Reports to Jane Doe-Smith (jane.doe@acme.io)"},
        ],
        "next": "/people?page=2",
    });
    let clean = scrubbed(&body);
    let text = clean.to_string();
    for real in [
        "Jane",
        "Doe",
        "Smith",
        "Max",
        "acme.io",
        "1234567",
        "1985",
        "Real Street",
        "10115",
        "Berlin",
        "3704",
        "6789",
        "asked for less",
    ] {
        assert!(!text.contains(real), "{real}: {text}");
    }
    let (one, two) = (&clean["people"][0], &clean["people"][1]);
    // What is not about anybody stays.
    for (field, value) in
        [("department", "Engineering"), ("hireDate", "2020-05-01"), ("status", "active")]
    {
        assert_eq!(one[field], value);
    }
    assert_eq!((one["id"].as_i64(), &one["address"]["country"]), (Some(17), &json!("DE")));
    assert_eq!(clean["next"], body["next"]);
    // The same person is the same everywhere.
    let (first, last) = (one["firstName"].as_str().unwrap(), one["lastName"].as_str().unwrap());
    assert_eq!(one["displayName"], format!("{first} {last}"));
    assert_eq!(one["workEmail"].as_str().unwrap(), two["managerEmail"]);
    let profile = two["profile"].as_str().unwrap();
    assert!(profile.contains(first) && profile.contains(one["workEmail"].as_str().unwrap()));
    assert_eq!(last.split('-').next().unwrap(), two["lastName"]);
    assert!(one["mobilePhone"].as_str().unwrap().starts_with("+49 "));
    assert_eq!(one["dateOfBirth"].as_str().unwrap().len(), 10);
}

#[test]
fn a_name_is_a_persons_only_beside_what_is_about_people() {
    let body = json!({
        "team": {"name": "Customer Success", "id": 3},
        "lead": {"name": "Maria Curie", "email": "m@x.io"},
        "contact": {"first": "Niels", "last": "Bohr"},
        "slots": {"first": 1, "last": "9"},
    });
    let clean = scrubbed(&body);
    assert_eq!(clean["team"], body["team"]);
    let text = clean.to_string();
    for real in ["Maria", "Curie", "Niels", "Bohr", "m@x.io"] {
        assert!(!text.contains(real), "{real}: {text}");
    }
}

#[test]
fn secrets_go_wherever_they_stand() {
    let mut scrub = Scrub::default();
    scrub.replace_part(Kind::Secret, "api_key", "live-abc-123", "case-api-key");
    let answer =
        json!({"access_token": "tok_0987654321", "pageToken": "c2", "echo": "key live-abc-123"});
    scrub.learn(&answer);
    let clean = scrub.json(&answer);
    assert_eq!(clean["echo"], "key case-api-key");
    assert_eq!(clean["pageToken"], "c2");
    let token = clean["access_token"].as_str().unwrap().to_owned();
    assert_ne!(token, "tok_0987654321");
    assert_eq!(scrub.pair("session", "tok_0987654321", "/x"), token);
    let jwt = "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl";
    assert!(!scrub.text(&format!("see {jwt}")).contains("eyJ"));
    assert_eq!(scrub.left_in("nothing"), None);
    assert_eq!(scrub.left_in("x live-abc-123"), Some("a secret"));
}

#[test]
fn xml_goes_by_its_elements() {
    let text = "<wd:Worker><wd:First_Name>Jane</wd:First_Name><wd:Last_Name>Doe</wd:Last_Name>\
        <wd:Email_Address>jane@acme.io</wd:Email_Address><wd:Ref wd:Descriptor=\"Jane Doe\"/>\
        <wd:Title>Engineer</wd:Title></wd:Worker>";
    let mut scrub = Scrub::default();
    scrub.xml(text);
    scrub.learn(&Value::Null);
    let clean = scrub.xml(text);
    assert!(
        !clean.contains("Jane") && !clean.contains("Doe") && !clean.contains("acme"),
        "{clean}"
    );
    assert!(clean.contains("<wd:Title>Engineer</wd:Title>"), "{clean}");
    let places = scrub.found();
    assert!(places["names"].contains("wd:First_Name"), "{places:?}");
}
