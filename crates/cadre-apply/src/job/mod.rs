//! What a page says of its job in data for machines: schema.org `JobPosting` as JSON-LD, as microdata or
//! as RDFa.

mod attributes;

use serde_json::{Value, json};

use crate::dom::Tree;
use crate::text::{has_letters, words};

/// Deepest nesting of lists and graphs in which a posting is looked for.
const DEEPEST: usize = 12;

/// The job of a page; an object that lacks what the page does not say.
pub(crate) fn said(tree: &Tree) -> Value {
    match posting(tree) {
        Some(posting) => job(&posting),
        None => match title(tree) {
            Some(title) => json!({ "name": title }),
            None => json!({}),
        },
    }
}

/// The first posting that a page describes, as schema.org has it.
pub(crate) fn posting(tree: &Tree) -> Option<Value> {
    let scripts = tree.all(0, "script").filter(|at| {
        let kind = tree.attribute(*at, "type").unwrap_or_default();
        kind.trim().to_ascii_lowercase().starts_with("application/ld+json")
    });
    let texts = scripts.map(|at| {
        tree.children(at).iter().filter_map(|one| tree.own_text(*one)).collect::<String>()
    });
    let parsed = texts.filter_map(|text| parsed(&text));
    let linked = parsed.into_iter().find_map(|value| within(&value, 0).cloned());
    linked.or_else(|| attributes::posting(tree))
}

/// JSON-LD as pages have it: some put line breaks into texts, or brackets of comments around the data.
fn parsed(text: &str) -> Option<Value> {
    let text = text.trim().trim_start_matches("<!--").trim_end_matches("-->");
    let text = text.trim().trim_start_matches("//<![CDATA[").trim_end_matches("//]]>");
    let text = text.trim().trim_end_matches(';');
    serde_json::from_str(text).ok().or_else(|| {
        let spaced: String =
            text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
        serde_json::from_str(&spaced).ok()
    })
}

/// The posting in a value: itself, in a list, in a graph, or what the page is mainly about.
fn within(value: &Value, depth: usize) -> Option<&Value> {
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Array(items) => items.iter().find_map(|one| within(one, depth + 1)),
        Value::Object(object) => {
            let is_posting = |kind: &Value| {
                let names = |kind: &Value| {
                    kind.as_str().is_some_and(|kind| {
                        kind.rsplit(['/', ':', '#']).next() == Some("JobPosting")
                    })
                };
                names(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(names))
            };
            if object.get("@type").is_some_and(is_posting) {
                return Some(value);
            }
            let inside = ["@graph", "mainEntity", "itemListElement", "item"];
            inside.iter().find_map(|name| within(object.get(*name)?, depth + 1))
        }
        _ => None,
    }
}

fn title(tree: &Tree) -> Option<String> {
    let heading = tree.all(0, "h1").map(|at| words(tree, at));
    let shared =
        tree.all(0, "meta").filter(|at| tree.attribute(*at, "property") == Some("og:title"));
    let shared = shared.filter_map(|at| tree.attribute(at, "content")).map(str::to_owned);
    heading.chain(shared).find(|text| has_letters(text))
}

fn text(value: &Value) -> Option<String> {
    let value = match value {
        Value::Array(list) => list.first()?,
        other => other,
    };
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text, or the name of an object.
fn name(value: &Value) -> Option<String> {
    let value = match value {
        Value::Array(list) => list.first()?,
        other => other,
    };
    text(value).or_else(|| text(&value["name"]))
}

/// The job of a posting of schema.org, in the words of the contract.
pub(crate) fn job(posting: &Value) -> Value {
    let salary = &posting["baseSalary"];
    let amount = if salary["value"].is_object() { &salary["value"] } else { salary };
    let from = number(&amount["minValue"]).or_else(|| number(&amount["value"]));
    let to = number(&amount["maxValue"]).or_else(|| number(&amount["value"]));
    let currency = text(&salary["currency"]).or_else(|| text(&amount["currency"]));
    let remote = text(&posting["jobLocationType"]).is_some_and(|kind| kind.contains("TELECOMMUTE"));
    let direct = match &posting["directApply"] {
        Value::Bool(direct) => Some(*direct),
        other => other.as_str().and_then(|text| text.to_ascii_lowercase().parse().ok()),
    };
    json!({
        "name": text(&posting["title"]).or_else(|| text(&posting["name"])),
        "description": text(&posting["description"]),
        "company": name(&posting["hiringOrganization"]),
        "employment_type": employment_type(&posting["employmentType"]),
        "remote_work_status": remote.then_some("REMOTE"),
        "opened_at": text(&posting["datePosted"]),
        "closed_at": text(&posting["validThrough"]),
        "salary_amount_from": from,
        "salary_amount_to": to,
        "salary_currency": currency,
        "salary_period": period(&amount["unitText"]).or_else(|| period(&salary["unitText"])),
        "location": location(&posting["jobLocation"]),
        "locations": locations(&posting["jobLocation"]),
        "direct_apply": direct,
    })
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| {
        let text: String = value.as_str()?.chars().filter(|one| !one.is_whitespace()).collect();
        // `45,000` and `45.000` are thousands; a comma before one or two digits is a decimal.
        let plain = match text.rsplit_once([',', '.']) {
            Some((whole, part)) if part.len() == 3 => format!("{whole}{part}"),
            Some((whole, part)) => format!("{}.{part}", whole.replace([',', '.'], "")),
            None => text,
        };
        plain.parse().ok()
    })
}

fn employment_type(value: &Value) -> Option<&'static str> {
    let word = text(value)?.to_ascii_uppercase().replace(['-', ' '], "_");
    let first = word.split(',').next().unwrap_or_default().trim_matches('_').to_owned();
    Some(match first.as_str() {
        "FULL_TIME" | "FULLTIME" => "FULL_TIME",
        "PART_TIME" | "PARTTIME" => "PART_TIME",
        "CONTRACTOR" | "TEMPORARY" | "CONTRACT" => "CONTRACT",
        "INTERN" | "INTERNSHIP" => "INTERNSHIP",
        _ => return None,
    })
}

fn period(value: &Value) -> Option<String> {
    let word = text(value)?.to_ascii_uppercase();
    matches!(word.as_str(), "HOUR" | "DAY" | "WEEK" | "MONTH" | "YEAR").then_some(word)
}

fn location(value: &Value) -> Value {
    let place = match value {
        Value::Array(places) => places.first().unwrap_or(&Value::Null),
        other => other,
    };
    let address = &place["address"];
    if let Some(written) = text(address) {
        return json!({
            "city": null, "country": null, "raw": written, "state": null, "street_1": null,
            "street_2": null, "zip_code": null,
        });
    }
    if !address.is_object() {
        return Value::Null;
    }
    let country = name(&address["addressCountry"]);
    let country = country.as_deref().and_then(cadre_map::country_code);
    json!({
        "city": text(&address["addressLocality"]),
        "country": country,
        "raw": null,
        "state": text(&address["addressRegion"]),
        "street_1": text(&address["streetAddress"]),
        "street_2": null,
        "zip_code": text(&address["postalCode"]).or_else(|| {
            address["postalCode"].as_i64().map(|code| code.to_string())
        }),
    })
}

/// Every place of work, where there are several.
fn locations(value: &Value) -> Value {
    match value {
        Value::Array(places) if places.len() > 1 => places.iter().map(location).collect(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Tree, number, said};

    fn of(html: &str) -> Value {
        said(&Tree::read(html))
    }

    #[test]
    fn a_posting_in_a_graph() {
        let job =
            of(r#"<script type="application/ld+json">{</script><script type="application/ld+json">
            {"@graph":[{"@type":"Organization"},
            {"@type":["JobPosting"],"title":"Baker","datePosted":"2026-01-31",
            "hiringOrganization":{"@type":"Organization","name":"Oven Ltd"},"directApply":true,
            "employmentType":["PART_TIME"],
            "jobLocation":{"address":{"addressLocality":"Köln","addressCountry":"DE"}},
            "baseSalary":{"currency":"EUR",
            "value":{"minValue":"20","maxValue":25,"unitText":"HOUR"}}}]}</script>"#);
        assert_eq!((&job["name"], &job["employment_type"]), (&"Baker".into(), &"PART_TIME".into()));
        assert_eq!((&job["company"], &job["direct_apply"]), (&"Oven Ltd".into(), &true.into()));
        assert_eq!(job["location"]["country"], "DE");
        assert_eq!(
            (&job["salary_amount_from"], &job["salary_period"]),
            (&20.0.into(), &"HOUR".into())
        );
        assert_eq!(of("<p>nothing</p>"), json!({}));
    }

    #[test]
    fn a_posting_in_attributes() {
        for html in [
            r#"<div itemscope itemtype="https://schema.org/JobPosting"><h1 itemprop=title>Baker</h1>
               <time itemprop=datePosted datetime=2026-02-01>yesterday</time>
               <div itemprop=jobLocation itemscope
               itemtype="http://schema.org/Place"><div itemprop=address itemscope>
               <span itemprop=addressLocality>Lyon</span>
               <meta itemprop=addressCountry content=FR></div></div></div>"#,
            r#"<div vocab="https://schema.org/" typeof="JobPosting"><h1 property=title>Baker</h1>
               <time property=datePosted datetime=2026-02-01>yesterday</time>
               <div property=jobLocation typeof=Place>
               <div property=address typeof=PostalAddress><span property=addressLocality>Lyon</span>
               <meta property=addressCountry content=FR></div></div></div>"#,
        ] {
            let job = of(html);
            assert_eq!((&job["name"], &job["opened_at"]), (&"Baker".into(), &"2026-02-01".into()));
            assert_eq!(job["location"]["city"], "Lyon");
            assert_eq!(job["location"]["country"], "FR");
        }
    }

    #[test]
    fn amounts_as_people_write_them() {
        for (text, amount) in [
            ("45000", 45_000.0),
            ("45,000", 45_000.0),
            ("45.000", 45_000.0),
            ("12,50", 12.5),
            ("1.234,50", 1_234.5),
            ("12.5", 12.5),
        ] {
            assert_eq!(number(&json!(text)), Some(amount), "{text}");
        }
    }
}
