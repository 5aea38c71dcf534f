//! What Cadre holds, beside what the company behind the twin holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bench::Bench;

/// Rows by a key of their own; each a list of named values.
type Rows = BTreeMap<String, Value>;

/// The first ten characters of a moment or day: its day.
pub fn day(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| text.chars().take(10).collect::<String>().into())
}

/// A moment in milliseconds.
pub fn moment(value: &Value) -> Value {
    let at = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    at.map_or(Value::Null, |at| at.as_millisecond().into())
}

/// Both sides must hold the same rows; every difference is told at once.
#[track_caller]
pub fn same(what: &str, stored: &Rows, truth: &Rows) {
    let mut wrong = Vec::new();
    for (key, row) in truth {
        match stored.get(key) {
            None => wrong.push(format!("{key}: is not stored")),
            Some(found) if found != row => wrong.push(format!("{key}: {found}\n   not {row}")),
            Some(_) => {}
        }
    }
    wrong.extend(
        stored
            .keys()
            .filter(|key| !truth.contains_key(*key))
            .map(|key| format!("{key}: is not in the twin")),
    );
    assert!(wrong.is_empty(), "{what}, {} rows:\n{}", truth.len(), wrong.join("\n"));
    assert!(!truth.is_empty(), "{what}: nothing to compare");
}

fn by_id(rows: &[Value]) -> BTreeMap<u64, &Value> {
    rows.iter().filter_map(|row| Some((row["id"].as_u64()?, row))).collect()
}

fn of<'a>(rows: &BTreeMap<u64, &'a Value>, id: &Value) -> &'a Value {
    id.as_u64().and_then(|id| rows.get(&id).copied()).unwrap_or(&Value::Null)
}

/// Employees by their work address. `shown` names the fields that the vendor's API shows.
pub async fn employees(bench: &Bench, shown: &[&str]) {
    let people = bench.company("people").await;
    let units = bench.company("departments").await;
    let offices = bench.company("offices").await;
    let (ids, units, offices) = (by_id(&people), by_id(&units), by_id(&offices));
    let truth = people.iter().map(|row| {
        let all = json!({
            "first_name": row["first"], "last_name": row["last"], "job_title": row["title"],
            "start_date": day(&row["start"]), "termination_date": day(&row["end"]),
            "employment_status": match row["status"].as_str() {
                Some("left") => "INACTIVE",
                Some("onboarding") => "PENDING",
                _ => "ACTIVE",
            },
            "department": of(&units, &row["department"])["name"],
            "manager": of(&ids, &row["manager"])["email"],
            "gender": if row["gender"] == "female" { "FEMALE" } else { "MALE" },
            "weekly_hours": row["weekly_hours"].as_f64(), "date_of_birth": day(&row["birthday"]),
            "personal_email": row["private_email"], "mobile_phone_number": row["phone"],
            "location": of(&offices, &row["office"])["city"],
            "location_name": of(&offices, &row["office"])["name"],
            "home_city": row["city"], "home_country": row["country"],
        });
        (row["email"].as_str().expect("an address").to_owned(), kept(&all, shown))
    });
    let truth = truth.collect();
    let stored = bench.list("/v1/hris/employees").await.into_iter().map(|row| {
        let group = row["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|group| group["type"] == "DEPARTMENT");
        let mut all = row.clone();
        for name in ["start_date", "termination_date", "date_of_birth"] {
            all[name] = day(&row[name]);
        }
        all["department"] = group.map_or(Value::Null, |group| group["name"].clone());
        all["manager"] = row["manager"]["work_email"].clone();
        all["location"] = row["work_location"]["address"]["city"].clone();
        all["location_name"] = row["work_location"]["name"].clone();
        all["home_city"] = row["home_address"]["city"].clone();
        all["home_country"] = row["home_address"]["country"].clone();
        (row["work_email"].as_str().unwrap_or("?").to_owned(), kept(&all, shown))
    });
    same("employees", &stored.collect(), &truth);
}

fn kept(row: &Value, names: &[&str]) -> Value {
    // 20 and 20.0 are one number.
    let plain = |value: &Value| match value.as_f64() {
        Some(number) => number.into(),
        None => value.clone(),
    };
    names.iter().map(|name| ((*name).to_owned(), plain(&row[*name]))).collect()
}

/// Absences by address, type and first day. Only those of a unit, where a vendor shows one.
pub async fn absences(bench: &Bench, shown: &[&str]) {
    let (people, types) = (bench.company("people").await, bench.company("absence_types").await);
    let (people, types) = (by_id(&people), by_id(&types));
    let key = |email: &Value, kind: &Value, from: &Value| format!("{email} {kind} {from}");
    let truth = bench.company("absences").await.into_iter().map(|row| {
        let kind = of(&types, &row["type"]);
        let all = json!({"end_date": row["until"], "start_half_day": row["half_start"],
        "end_half_day": row["half_end"], "amount": row["days"].as_f64(), "unit": "DAYS",
        "status": match row["state"].as_str() {
            Some("requested") => "REQUESTED",
            Some("cancelled") => "CANCELLED",
            _ => "APPROVED",
        }});
        let email = &of(&people, &row["person"])["email"];
        (key(email, &kind["name"], &row["from"]), kept(&all, shown))
    });
    let truth = truth.collect();
    let employees = bench.list("/v1/hris/employees").await;
    let mail = |id: &Value| {
        let found = employees.iter().find(|one| one["id"] == *id);
        found.map_or(Value::Null, |one| one["work_email"].clone())
    };
    let stored = bench.list("/v1/hris/absences").await.into_iter().map(|row| {
        let mut all = row.clone();
        all["end_date"] = day(&row["end_date"]);
        let key = key(&mail(&row["employee_id"]), &row["type"]["name"], &day(&row["start_date"]));
        (key, kept(&all, shown))
    });
    same("absences", &stored.collect(), &truth);
}

/// Jobs by name. `shown` names the fields that the vendor's API shows.
pub async fn jobs(bench: &Bench, shown: &[&str]) {
    let (people, units) = (bench.company("people").await, bench.company("departments").await);
    let (people, units) = (by_id(&people), by_id(&units));
    let truth = bench.company("jobs").await.into_iter().map(|row| {
        let all = json!({
            "status": row["status"].as_str().map(str::to_uppercase),
            "department": of(&units, &row["department"])["name"],
            "opened_at": moment(&row["opened_at"]), "closed_at": moment(&row["closed_at"]),
            "description": row["text"],
            "hiring_manager": of(&people, &row["hiring_manager"])["email"],
            "stages": ["Application Review", "Phone Screen", "On-site", "Offer"],
        });
        (row["name"].as_str().expect("a name").to_owned(), kept(&all, shown))
    });
    let truth = truth.collect();
    let stored = bench.list("/v1/ats/jobs").await.into_iter().map(|row| {
        let mut all = row.clone();
        for name in ["opened_at", "closed_at"] {
            all[name] = moment(&row[name]);
        }
        let team = row["hiring_team"].as_array().into_iter().flatten();
        let manager = team.clone().find(|one| {
            one["hiring_team_roles"]
                .as_array()
                .is_some_and(|roles| roles.contains(&json!("HIRING_MANAGER")))
        });
        all["hiring_manager"] = manager.map_or(Value::Null, |one| one["email"].clone());
        let mut stages = row["stages"].as_array().cloned().unwrap_or_default();
        stages.sort_by_key(|stage| stage["index"].as_i64());
        all["stages"] = stages.iter().map(|stage| stage["name"].clone()).collect();
        (row["name"].as_str().unwrap_or("?").to_owned(), kept(&all, shown))
    });
    same("jobs", &stored.collect(), &truth);
}

/// Applications with their candidates, by address and job.
pub async fn applications(bench: &Bench, shown: &[&str]) {
    let lists = ["candidates", "jobs", "stages", "reasons"];
    let mut company = BTreeMap::new();
    for list in lists {
        company.insert(list, bench.company(list).await);
    }
    let find = |list: &str, id: &Value| {
        company[list].iter().find(|row| row["id"] == *id).cloned().unwrap_or_default()
    };
    let key = |email: &Value, job: &Value| format!("{email} {job}");
    let truth = bench.company("applications").await.into_iter().map(|row| {
        let who = find("candidates", &row["candidate"]);
        let rejected = row["status"] == "rejected";
        let all = json!({
            "first_name": who["first"], "last_name": who["last"], "company": who["company"],
            "name": format!("{} {}", who["first"].as_str().unwrap_or(""), who["last"].as_str().unwrap_or("")),
            "outcome": match row["status"].as_str() {
                Some("rejected") => "DECLINED",
                Some("hired") => "HIRED",
                _ => "PENDING",
            },
            "stage": match row["status"].as_str() {
                Some("active") => find("stages", &row["stage"])["name"].clone(),
                _ => Value::Null,
            },
            "rejection_reason_name": find("reasons", &row["reason"])["name"],
            "rejected_at": if rejected { moment(&row["ended_at"]) } else { Value::Null },
            "remote_created_at": moment(&row["applied_at"]),
            "tags": who["tags"],
        });
        (key(&who["email"], &find("jobs", &row["job"])["name"]), kept(&all, shown))
    });
    let truth: Rows = truth.collect();
    let candidates = bench.list("/v1/ats/candidates").await;
    let stored = bench.list("/v1/ats/applications").await.into_iter().map(|row| {
        let who = candidates.iter().find(|one| one["id"] == row["candidate_id"]);
        let who = who.cloned().unwrap_or_default();
        let mut all = row.clone();
        for name in ["first_name", "last_name", "company"] {
            all[name] = who[name].clone();
        }
        let name = format!(
            "{} {}",
            who["first_name"].as_str().unwrap_or(""),
            who["last_name"].as_str().unwrap_or("")
        );
        all["name"] = name.into();
        // Where somebody stood when it ended is shown by some vendors only.
        let active = row["outcome"] == "PENDING";
        all["stage"] = if active { row["current_stage"]["name"].clone() } else { Value::Null };
        all["rejected_at"] = moment(&row["rejected_at"]);
        all["remote_created_at"] = moment(&row["remote_created_at"]);
        let tags = who["tags"].as_array().into_iter().flatten();
        all["tags"] = tags.map(|tag| tag["name"].clone()).collect();
        (key(&who["email_addresses"][0]["email_address"], &row["job"]["name"]), kept(&all, shown))
    });
    same("applications", &stored.collect(), &truth);
}
