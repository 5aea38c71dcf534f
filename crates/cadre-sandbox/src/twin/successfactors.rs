//! SAP SuccessFactors, OData version 2: Employee Central.
//!
//! Written from <https://help.sap.com/docs/SAP_SUCCESSFACTORS_PLATFORM/d599f15995d348a1b45ba5603e2aba9b>
//! (the OData API guide) and
//! <https://learn.microsoft.com/entra/identity/app-provisioning/sap-successfactors-integration-reference>:
//! basic authentication as `user@company`, or a token for a SAML assertion; Atom unless JSON is asked for;
//! `$expand`, `$select`, `$filter`, `$top`, `$skip`, `$inlinecount`; server paging whose `__next` is
//! followed; dates as `/Date(ms)/`, an open end as the last day of 9999; what is not expanded is
//! `__deferred`; an unknown property fails the whole request; an upsert answers 200 with a result a row.
//!
//! The signature of an assertion is not verified, only its audience, its user and that it still holds.
//! Not documented, so chosen: the code of a refused password.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::RateLimit;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, full_name, millis, text};
use crate::twin::{Vendor, page};

const USER: &str = "twin_api";
const COMPANY: &str = "TwinCorp";

/// The end of what has none.
const OPEN_END: &str = "/Date(253402214400000)/";

/// The navigations that an entity has.
const NAVIGATIONS: &[(&str, &[&str])] = &[
    (
        "PerPerson",
        &[
            "personalInfoNav",
            "emailNav",
            "phoneNav",
            "homeAddressNavDEFLT",
            "employmentNav",
            "personEmpTerminationInfoNav",
        ],
    ),
    ("employmentNav", &["jobInfoNav", "compInfoNav"]),
    ("jobInfoNav", &["emplStatusNav"]),
    ("EmpEmployment", &["jobInfoNav"]),
    ("EmpJob", &["emplStatusNav"]),
    ("EmployeeTime", &["timeTypeNav"]),
    ("FOLocation", &["addressNavDEFLT"]),
    ("Position", &["parentPosition"]),
];

#[derive(Debug)]
pub(crate) struct SuccessFactors;

impl Vendor for SuccessFactors {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![
            ("company_id", COMPANY.to_owned()),
            ("username", USER.to_owned()),
            ("password", format!("twin-sf-password-{seed}")),
        ]
    }

    fn budget(&self) -> Option<RateLimit> {
        None
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        let code = match status {
            401 => "LGN0001",
            403 => "COE_GENERAL_FORBIDDEN",
            404 => "COE0018",
            400 => "COE_GENERAL_BAD_REQUEST",
            _ => "COE_GENERAL_SERVER_ERROR",
        };
        coded(status, code, words)
    }

    fn throttled(&self, seconds: u64, _: Timestamp) -> Reply {
        self.error(429, "Too many requests").with("retry-after", seconds)
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let ("POST", ["oauth", "token"]) = (call.method.as_str(), &parts[..]) {
            return token(house, call);
        }
        let password = format!("twin-sf-password-{}", house.plan.seed);
        let known = call.basic() == Some((format!("{USER}@{COMPANY}"), password))
            || call.bearer().is_some_and(|token| house.token_holds(token));
        if !known {
            return self.error(401, "[LGN0001]Login failed");
        }
        let ["odata", "v2", entity] = parts[..] else { return self.error(404, "Not found") };
        match (call.method.as_str(), entity) {
            ("POST", "upsert") => upsert(house, call),
            ("GET", _) => self.read(house, call, entity),
            ("DELETE", _) => match keyed(entity) {
                Some(("EmployeeTime", key)) if house.delete("absences", &key) => Reply::empty(200),
                _ => self.error(404, "[COE0018]Requested entity could not be found."),
            },
            _ => self.error(404, "Not found"),
        }
    }
}

impl SuccessFactors {
    fn read(&self, house: &House, call: &Call, entity: &str) -> Reply {
        let json = call.param("$format") == Some("json") || call.header("accept").contains("json");
        if !json {
            let feed = "<?xml version='1.0' encoding='utf-8'?><feed xmlns=\"http://www.w3.org/2005/Atom\"/>";
            return Reply::text(200, "application/atom+xml; charset=utf-8", feed);
        }
        let (set, key) = match keyed(entity) {
            Some((set, key)) => (set, Some(key)),
            None => (entity, None),
        };
        let expands: Vec<&str> = call
            .param("$expand")
            .unwrap_or_default()
            .split(',')
            .filter(|path| !path.is_empty())
            .collect();
        let Some(rows) = entities(house, set, call) else {
            let words =
                format!("[COE0018]Entity {set} is not found. Please check the entity name.");
            return coded(404, "NotFoundException", &words);
        };
        if let Some(wrong) = expands.iter().find(|path| !known(set, path)) {
            let words = format!("[COE0021]Invalid property names: {set}/{wrong}.");
            return coded(400, "COE_PROPERTY_NOT_FOUND", &words);
        }
        let since = match changed_since(call) {
            Ok(since) => since,
            Err(refusal) => return refusal,
        };
        let rows: Vec<Value> = rows
            .into_iter()
            .filter(|row| since.is_none_or(|since| ms_of(&row["lastModifiedDateTime"]) >= since))
            .map(|mut row| {
                defer(&mut row, set, "", &expands);
                row
            })
            .collect();
        if let Some(key) = key {
            let names = ["externalCode", "userId", "personIdExternal"];
            let own =
                rows.into_iter().find(|row| names.iter().any(|name| row[*name] == key.as_str()));
            return match own {
                Some(row) => Reply::json(200, &json!({"d": row})),
                None => self.error(404, "[COE0018]Requested entity could not be found."),
            };
        }
        listed(call, rows)
    }
}

/// A page: as large as the caller wants, at most 1000; the mark of the next is a place in the list.
fn listed(call: &Call, rows: Vec<Value>) -> Reply {
    let size = call.number("customPageSize", 1_000).unwrap_or(1_000).clamp(1, 1_000);
    let top = call.number("$top", usize::MAX).unwrap_or(usize::MAX);
    let begin = call.number("$skip", 0).unwrap_or(0);
    let mark = call
        .param("$skiptoken")
        .and_then(|mark| mark.strip_prefix("place-")?.parse::<usize>().ok());
    let skip = mark.unwrap_or(begin);
    let (total, mut rows) = page(rows, skip, size.min(top));
    if let Some(fields) = call.param("$select") {
        let fields: Vec<&str> = fields.split(',').collect();
        for row in &mut rows {
            if let Value::Object(object) = row {
                object.retain(|name, _| name == "__metadata" || fields.contains(&name.as_str()));
            }
        }
    }
    let more = skip + rows.len() < total.min(begin.saturating_add(top));
    let mut body = json!({"results": rows});
    if call.param("$inlinecount") == Some("allpages") {
        body["__count"] = total.to_string().into();
    }
    if more {
        let kept = call.params.iter().filter(|(name, _)| name != "$skiptoken");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("$skiptoken", &format!("place-{}", skip + size));
        body["__next"] = format!("{}{}?{}", call.base, call.path, query.finish()).into();
    }
    Reply::json(200, &json!({"d": body})).with("x-csrf-token", "twin")
}

fn coded(status: u16, code: &str, words: &str) -> Reply {
    let error = json!({"code": code, "message": {"lang": "en-US", "value": words}});
    Reply::json(status, &json!({"error": error}))
}

/// A token for an assertion of the user.
fn token(house: &mut House, call: &Call) -> Reply {
    use base64::Engine as _;
    let form = call.form();
    let field = |name: &str| {
        form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    };
    let refuse =
        |words: &str| Reply::json(401, &json!({"errorHttpCode": "401", "errorMessage": words}));
    if field("grant_type") != "urn:ietf:params:oauth:grant-type:saml2-bearer"
        || field("company_id") != COMPANY
    {
        return refuse("Unable to authenticate the client");
    }
    let engine = base64::engine::general_purpose::STANDARD;
    let assertion = engine.decode(field("assertion").replace(['\n', '\r'], "")).unwrap_or_default();
    let assertion = String::from_utf8(assertion).unwrap_or_default();
    let holds = assertion
        .split_once("NotOnOrAfter=\"")
        .and_then(|(_, rest)| rest.split_once('"')?.0.parse::<Timestamp>().ok())
        .is_some_and(|end| end > house.now());
    let says = |words: &str| assertion.contains(words);
    if !(holds
        && says("www.successfactors.com")
        && says(&format!(">{USER}<"))
        && says("SignatureValue"))
    {
        return refuse("Unable to validate the SAML assertion");
    }
    let token = house.give_token(86_399);
    Reply::json(200, &json!({"access_token": token, "token_type": "Bearer", "expires_in": 86_399}))
}

/// `EmployeeTime('abc')` as the set and the key.
fn keyed(entity: &str) -> Option<(&str, String)> {
    let (set, rest) = entity.split_once('(')?;
    let key = rest.strip_suffix(')')?;
    let key = key.split_once('=').map_or(key, |(_, value)| value);
    Some((set, key.trim_matches('\'').trim_end_matches('L').to_owned()))
}

/// Whether a path of navigations leads anywhere.
fn known(set: &str, path: &str) -> bool {
    let mut at = set;
    path.split('/').all(|name| {
        let own = NAVIGATIONS.iter().find(|(of, _)| *of == at);
        let found = own.and_then(|(_, names)| names.iter().find(|one| **one == name));
        at = found.copied().unwrap_or("");
        found.is_some()
    })
}

/// Leaves what was asked to be expanded and puts an address in place of the rest.
fn defer(row: &mut Value, of: &str, path: &str, expands: &[&str]) {
    let Some((_, names)) = NAVIGATIONS.iter().find(|(name, _)| *name == of) else { return };
    for name in *names {
        let own = if path.is_empty() { (*name).to_owned() } else { format!("{path}/{name}") };
        let wanted = expands.iter().any(|one| *one == own || one.starts_with(&format!("{own}/")));
        if !wanted {
            row[*name] = json!({"__deferred": {"uri": format!("https://api.successfactors.example/{name}")}});
            continue;
        }
        match &mut row[*name] {
            Value::Object(object) if object.contains_key("results") => {
                let results = object["results"].as_array_mut();
                results.into_iter().flatten().for_each(|one| defer(one, name, &own, expands));
            }
            one @ Value::Object(_) => defer(one, name, &own, expands),
            _ => {}
        }
    }
}

/// The bound of `lastModifiedDateTime`, the one filter by time that there is.
fn changed_since(call: &Call) -> Result<Option<i64>, Reply> {
    let Some(filter) = call.param("$filter") else { return Ok(None) };
    let Some((_, rest)) = filter.split_once("lastModifiedDateTime g") else { return Ok(None) };
    let at = rest
        .split('\'')
        .nth(1)
        .map(|at| if at.ends_with('Z') { at.to_owned() } else { format!("{at}Z") });
    match at.and_then(|at| at.parse::<Timestamp>().ok()) {
        Some(at) => Ok(Some(at.as_millisecond())),
        None => Err(coded(400, "COE_BAD_FILTER", "[COE0008]Invalid datetime in $filter")),
    }
}

/// A moment or day of ours as theirs.
fn date(value: &Value) -> Value {
    millis(value).as_i64().map_or(Value::Null, |ms| format!("/Date({ms})/").into())
}

fn moment(value: &Value) -> Value {
    millis(value).as_i64().map_or(Value::Null, |ms| format!("/Date({ms}+0000)/").into())
}

fn ms_of(date: &Value) -> i64 {
    let digits = date.as_str().unwrap_or_default().trim_start_matches("/Date(");
    let end = digits.rfind(['+', ')']).unwrap_or(0);
    digits[..end].trim_end_matches("+0000").parse().unwrap_or(0)
}

fn code(id: &Value) -> Value {
    id.as_u64().map_or(Value::Null, |id| id.to_string().into())
}

fn meta(set: &str, key: &Value) -> Value {
    let key = key.as_str().unwrap_or_default();
    json!({"uri": format!("https://api.successfactors.example/odata/v2/{set}('{key}')"),
        "type": format!("SFOData.{set}")})
}

/// The rows of a set, everything expanded; `None` when there is no such set.
fn entities(house: &House, set: &str, call: &Call) -> Option<Vec<Value>> {
    let all = |list: &str, dress: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        house.rows(list).map(|row| dress(&row.value)).collect()
    };
    Some(match set {
        "PerPerson" => all("people", &|row| person(house, row)),
        "EmpEmployment" => all("people", &|row| employment(house, row)),
        "EmpJob" => all("people", &|row| job(house, row)),
        "User" => {
            let inactive = call.param("$filter").is_some_and(|filter| filter.contains("status"));
            let mut rows = all("people", &|row| {
                json!({"__metadata": meta("User", &code(&row["id"])), "userId": code(&row["id"]),
                    "username": row["email"], "firstName": row["first"], "lastName": row["last"],
                    "email": row["email"], "status": if row["status"] == "left" { "f" } else { "t" },
                    "lastModifiedDateTime": moment(&row["updated_at"])})
            });
            rows.retain(|row| inactive || row["status"] == "t");
            rows
        }
        "FODepartment" => all("departments", &|row| {
            json!({"__metadata": meta("FODepartment", &code(&row["id"])), "externalCode": code(&row["id"]),
                "startDate": "/Date(-2208988800000)/", "endDate": OPEN_END, "name": row["name"],
                "name_defaultValue": row["name"], "parent": code(&row["parent"]), "headOfUnit": null,
                "costCenter": null, "status": "A", "lastModifiedDateTime": moment(&row["updated_at"])})
        }),
        "FOLocation" => all("offices", &|row| {
            let alpha3 = alpha3(text(row, "country"));
            json!({"__metadata": meta("FOLocation", &code(&row["id"])), "externalCode": code(&row["id"]),
                "name": row["name"], "description": null, "status": "A", "timezone": "Europe/Berlin",
                "startDate": "/Date(-2208988800000)/", "endDate": OPEN_END, "standardHours": "40",
                "addressNavDEFLT": {"country": alpha3, "city": row["city"], "zipCode": row["zip"],
                    "address1": row["street"]}, "lastModifiedDateTime": moment(&row["updated_at"])})
        }),
        "FOCompany" => {
            vec![json!({"__metadata": meta("FOCompany", &"1710".into()), "externalCode": "1710",
            "name": "Twin Corp.", "country": "USA", "status": "A", "startDate": "/Date(-2208988800000)/",
            "endDate": OPEN_END})]
        }
        "FOCostCenter" | "Position" | "FODivision" | "FOBusinessUnit" | "TimeAccount" => Vec::new(),
        "TimeType" => all("absence_types", &time_type),
        "EmployeeTime" => all("absences", &|row| employee_time(house, row)),
        _ => return None,
    })
}

fn alpha3(country: &str) -> &str {
    let found = crate::words::REGIONS.iter().find(|region| region.country == country);
    found.map_or(country, |region| region.alpha3)
}

fn person(house: &House, row: &Value) -> Value {
    let id = code(&row["id"]);
    let gender = row["gender"].as_str().map(|word| if word == "female" { "F" } else { "M" });
    let personal = json!({"personIdExternal": id, "startDate": date(&row["start"]), "endDate": OPEN_END,
        "firstName": row["first"], "lastName": row["last"], "displayName": full_name(row),
        "gender": gender, "maritalStatus": null, "nationality": null, "preferredName": null});
    // The private address stands first: which is the one for work, only `isPrimary` says.
    let emails = json!([{"emailType": "8447", "emailAddress": row["private_email"], "isPrimary": false},
        {"emailType": "8448", "emailAddress": row["email"], "isPrimary": true}]);
    let home = json!({"addressType": "home", "address1": row["street"], "city": row["city"],
        "zipCode": row["zip"], "country": alpha3(text(row, "country"))});
    json!({
        "__metadata": meta("PerPerson", &id), "personIdExternal": id, "personId": id,
        "dateOfBirth": date(&row["birthday"]), "countryOfBirth": null,
        "createdDateTime": moment(&row["created_at"]), "lastModifiedDateTime": moment(&row["updated_at"]),
        "personalInfoNav": {"results": [personal]}, "emailNav": {"results": emails},
        "phoneNav": {"results": [{"phoneType": "10605", "phoneNumber": row["phone"], "isPrimary": true}]},
        "homeAddressNavDEFLT": {"results": [home]}, "personEmpTerminationInfoNav": null,
        "employmentNav": {"results": [employment(house, row)]},
    })
}

fn employment(house: &House, row: &Value) -> Value {
    let id = code(&row["id"]);
    json!({
        "__metadata": meta("EmpEmployment", &id), "personIdExternal": id, "userId": id,
        "assignmentIdExternal": id, "startDate": date(&row["start"]), "endDate": date(&row["end"]),
        "isContingentWorker": false, "createdDateTime": moment(&row["created_at"]),
        "lastModifiedDateTime": moment(&row["updated_at"]), "compInfoNav": null,
        "jobInfoNav": {"results": [job(house, row)]},
    })
}

fn job(_: &House, row: &Value) -> Value {
    let (left, hours) = (row["status"] == "left", row["weekly_hours"].as_f64());
    json!({
        "__metadata": meta("EmpJob", &code(&row["id"])), "userId": code(&row["id"]), "seqNumber": "1",
        "startDate": date(&row["start"]), "endDate": OPEN_END, "company": "1710", "businessUnit": null,
        "division": null, "department": code(&row["department"]), "location": code(&row["office"]),
        "jobCode": "50070997", "jobTitle": row["title"], "costCenter": null, "eventReason": "HIRNEW",
        "managerId": code(&row["manager"]).as_str().unwrap_or("NO_MANAGER"),
        "emplStatus": if left { "5603" } else { "5597" },
        "standardHours": hours.map(|hours| hours.to_string()),
        "fte": "1", "isFulltimeEmployee": hours.is_some_and(|hours| hours >= 38.0),
        "lastModifiedDateTime": moment(&row["updated_at"]),
        "emplStatusNav": {"id": if left { "5603" } else { "5597" },
            "externalCode": if left { "T" } else { "A" }},
    })
}

fn time_type(row: &Value) -> Value {
    let hours = row["unit"] == "hour";
    json!({"__metadata": meta("TimeType", &code(&row["id"])), "externalCode": code(&row["id"]),
        "externalName_defaultValue": row["name"], "externalName_en_US": row["name"],
        "externalName_localized": row["name"], "unit": if hours { "HOURS" } else { "DAYS" },
        "category": "ABSENCE", "permittedFractionsUnitDay": "HALF_AND_FULL",
        "lastModifiedDateTime": moment(&row["updated_at"])})
}

fn employee_time(house: &House, row: &Value) -> Value {
    let id = code(&row["id"]);
    let state = match row["state"].as_str() {
        Some("requested") => "PENDING",
        Some("cancelled") => "CANCELLED",
        _ => "APPROVED",
    };
    json!({
        "__metadata": meta("EmployeeTime", &id),
        "externalCode": row["code"].as_str().map_or(id, Value::from),
        "userId": code(&row["person"]), "timeType": code(&row["type"]), "startDate": date(&row["from"]),
        "endDate": date(&row["until"]), "approvalStatus": state,
        "quantityInDays": row["days"].as_f64().map(|days| days.to_string()), "quantityInHours": null,
        "fractionQuantity": null, "startTime": null, "endTime": null, "comment": row["note"],
        "createdDateTime": moment(&row["created_at"]), "lastModifiedDateTime": moment(&row["updated_at"]),
        "timeTypeNav": time_type(house.get("absence_types", &row["type"])),
    })
}

/// Each row of an upsert has a result of its own, and the whole is 200 either way.
fn upsert(house: &mut House, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let rows = match body {
        Value::Array(rows) => rows,
        one => vec![one],
    };
    let mut results = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let done = absence_from(house, row);
        let failed = done.is_err();
        results.push(json!({
            "key": done.as_ref().ok().map(|key| format!("EmployeeTime/externalCode={key}")),
            "status": if failed { "ERROR" } else { "OK" },
            "editStatus": if failed { Value::Null } else { "UPSERTED".into() },
            "message": done.err().map(|words| format!("{words} with the index {index}")),
            "index": index, "httpCode": if failed { 500 } else { 200 }, "inlineResults": null,
        }));
    }
    Reply::json(200, &json!({"d": results}))
}

fn absence_from(house: &mut House, row: &Value) -> Result<String, String> {
    let uri = text(&row["__metadata"], "uri");
    if !uri.starts_with("EmployeeTime") {
        return Err(format!("[COE0018]Entity {uri} cannot be written here"));
    }
    let named = |field: &str, nav: &str| {
        let direct = row[field].as_str().map(str::to_owned);
        direct.or_else(|| Some(keyed(text(&row[nav]["__metadata"], "uri"))?.1)).unwrap_or_default()
    };
    let (person, kind) = (named("userId", "userIdNav"), named("timeType", "timeTypeNav"));
    if house.get("people", &person).is_null() || house.get("absence_types", &kind).is_null() {
        return Err("The user or the time type does not exist".to_owned());
    }
    let bound = |name: &str| {
        Timestamp::from_millisecond(ms_of(&row[name]))
            .map(|at| crate::twin::house::day(&at.to_string()))
    };
    let (Ok(from), Ok(until)) = (bound("startDate"), bound("endDate")) else {
        return Err("startDate and endDate are required".to_owned());
    };
    if until < from {
        return Err("The end date must not lie before the start date".to_owned());
    }
    let own = text(row, "externalCode").to_owned();
    let known = house
        .find("absences", |one| !own.is_empty() && one["code"] == own.as_str())
        .map(|one| one["id"].clone());
    let fields = json!({"person": person.parse::<u64>().ok(), "type": kind.parse::<u64>().ok(),
        "from": from,
        "until": until, "half_start": false, "half_end": false, "days": 1.0, "state": "requested",
        "note": row["comment"], "code": own});
    match known {
        Some(id) => {
            house.change("absences", id, fields);
        }
        None => {
            house.add("absences", fields);
        }
    }
    Ok(own)
}
