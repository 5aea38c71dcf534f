//! What a page says of its job in structured data (schema.org `JobPosting` as JSON-LD).

use serde_json::{Value, json};

/// The job of the first posting that the data of a page describe; an empty object without one.
pub(super) fn said(data: &[String]) -> Value {
    let parsed = data.iter().filter_map(|text| serde_json::from_str::<Value>(text.trim()).ok());
    let found = parsed.into_iter().find_map(|value| posting(&value).cloned());
    found.map_or_else(|| json!({}), |posting| job(&posting))
}

/// The posting in a value: itself, in a list, or in a graph.
fn posting(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(items) => items.iter().find_map(posting),
        Value::Object(object) => {
            let is_posting = |kind: &Value| match kind {
                Value::String(kind) => kind == "JobPosting",
                Value::Array(kinds) => kinds.iter().any(|kind| kind == "JobPosting"),
                _ => false,
            };
            if object.get("@type").is_some_and(is_posting) {
                return Some(value);
            }
            object.get("@graph").and_then(posting)
        }
        _ => None,
    }
}

fn job(posting: &Value) -> Value {
    let text =
        |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let salary = &posting["baseSalary"];
    let amount = &salary["value"];
    let number = |value: &Value| {
        value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
    };
    let remote = posting["jobLocationType"] == "TELECOMMUTE";
    json!({
        "name": text(&posting["title"]),
        "description": text(&posting["description"]),
        "employment_type": employment_type(&posting["employmentType"]),
        "remote_work_status": remote.then_some("REMOTE"),
        "opened_at": text(&posting["datePosted"]),
        "closed_at": text(&posting["validThrough"]),
        "salary_amount_from": number(&amount["minValue"]).or_else(|| number(&amount["value"])),
        "salary_amount_to": number(&amount["maxValue"]).or_else(|| number(&amount["value"])),
        "salary_currency": text(&salary["currency"]),
        "salary_period": period(&amount["unitText"]),
        "location": location(&posting["jobLocation"]),
    })
}

fn employment_type(value: &Value) -> Option<&'static str> {
    let word = match value {
        Value::Array(words) => words.first()?.as_str()?,
        other => other.as_str()?,
    };
    Some(match word {
        "FULL_TIME" => "FULL_TIME",
        "PART_TIME" => "PART_TIME",
        "CONTRACTOR" | "TEMPORARY" => "CONTRACT",
        "INTERN" => "INTERNSHIP",
        _ => return None,
    })
}

fn period(value: &Value) -> Option<&str> {
    value.as_str().filter(|word| matches!(*word, "HOUR" | "DAY" | "WEEK" | "MONTH" | "YEAR"))
}

fn location(value: &Value) -> Value {
    let place = match value {
        Value::Array(places) => places.first().unwrap_or(&Value::Null),
        other => other,
    };
    let address = &place["address"];
    if !address.is_object() {
        return Value::Null;
    }
    let country = match &address["addressCountry"] {
        Value::Object(country) => country.get("name").cloned().unwrap_or_default(),
        other => other.clone(),
    };
    let country = country.as_str().filter(|word| cadre_model::values::COUNTRIES.contains(word));
    json!({
        "city": address["addressLocality"].as_str(),
        "country": country,
        "raw": null,
        "state": address["addressRegion"].as_str(),
        "street_1": address["streetAddress"].as_str(),
        "street_2": null,
        "zip_code": address["postalCode"].as_str(),
    })
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_posting_in_a_graph() {
        let data = r#"{"@graph":[{"@type":"Organization"},{"@type":["JobPosting"],"title":"Baker","datePosted":"2026-01-31",
            "employmentType":["PART_TIME"],"jobLocation":{"address":{"addressLocality":"Köln","addressCountry":"DE"}},
            "baseSalary":{"currency":"EUR","value":{"minValue":"20","maxValue":25,"unitText":"HOUR"}}}]}"#;
        let job = said(&["{".to_owned(), data.to_owned()]);
        assert_eq!((&job["name"], &job["employment_type"]), (&"Baker".into(), &"PART_TIME".into()));
        assert_eq!(job["location"]["country"], "DE");
        assert_eq!(
            (&job["salary_amount_from"], &job["salary_period"]),
            (&20.0.into(), &"HOUR".into())
        );
        assert_eq!(said(&[]), serde_json::json!({}));
    }
}
