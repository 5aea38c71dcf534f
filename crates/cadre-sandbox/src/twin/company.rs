//! The made-up company behind every twin, in words of no vendor.
//!
//! A twin holds these lists and dresses them in its vendor's form as they go out. So what a connector
//! stored can be compared with what is here, whatever the vendor calls it. All ids are numbers.
//!
//! - `people`: first, last, email, private_email, phone, title, department, office, manager, start,
//!   end (last day or null), status: active, onboarding or left; birthday, gender: female or male;
//!   weekly_hours, street, zip, city, country
//! - `departments`: name, parent
//! - `offices`: name, city, country, street, zip
//! - `absence_types`: name, unit: day or hour
//! - `absences`: person, type, from, until, half_start, half_end, days, state: approved, requested or
//!   cancelled; note
//! - `jobs`: name, status: open, closed or draft; department, office, recruiter and hiring_manager
//!   (people), opened_at, closed_at, text
//! - `stages`: job, name, place (from 0); the same names in every job
//! - `reasons`: name
//! - `candidates`: first, last, email, phone, company, title, tags (names), source
//! - `applications`: candidate, job, stage, status: active, rejected or hired; reason, applied_at,
//!   ended_at
//! - `interviews`: application, from, until, interviewer, title
//! - `offers`: application, status: sent or accepted; starts_on
//! - `notes`: candidate, application, author, body
//! - `files`: owner (`people`, `candidates`, `applications`), of, name, kind, base64
//! - `courses`: name, code, category, text, visible
//! - `enrolments`: person, course, from, until, progress (0 to 100), completed_at

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::people::{address, person, phone};
use crate::plan::Plan;
use crate::table::{Table, Tables};
use crate::words::{DEPARTMENTS, REJECTION_REASONS, SOURCES, TAGS, TITLES};

/// What every job's stages are called.
pub(crate) const STAGES: [&str; 4] = ["Application Review", "Phone Screen", "On-site", "Offer"];

/// Every list and the number of its first record: no two lists share numbers in a small company, so a
/// reference that points into the wrong list is seen.
const LISTS: [(&str, u64); 17] = [
    ("people", 1_001),
    ("departments", 11),
    ("offices", 31),
    ("absence_types", 61),
    ("absences", 90_001),
    ("jobs", 3_001),
    ("stages", 40_001),
    ("reasons", 81),
    ("candidates", 50_001),
    ("applications", 70_001),
    ("interviews", 120_001),
    ("offers", 140_001),
    ("notes", 160_001),
    ("files", 180_001),
    ("courses", 201),
    ("enrolments", 220_001),
    ("hooks", 240_001),
];

/// Days a year has in the mean, for ages.
const DAYS_A_YEAR: i64 = 365;

/// The name of a list as it is kept; `None` when there is no such list.
pub(crate) fn list_named(name: &str) -> Option<&'static str> {
    LISTS.iter().map(|(list, _)| *list).find(|list| *list == name)
}

/// The number of the first record of a list.
pub(crate) fn first_number(list: &str) -> u64 {
    LISTS.iter().find(|(name, _)| *name == list).map_or(1, |(_, first)| *first)
}

/// Fills all lists.
pub(crate) fn found(plan: &Plan) -> Tables {
    let mut tables: Tables = LISTS.iter().map(|(name, _)| (*name, Table::default())).collect();
    let mut add = |list: &'static str, mut value: Value, hours_ago: i64| {
        let at = plan.hours_ago(hours_ago);
        if let Some(table) = tables.get_mut(list) {
            value["id"] = (first_number(list) + table.added() as u64).into();
            table.add(value, at, at);
        }
    };
    for (name, parent) in DEPARTMENTS {
        let parent = parent.map(|place| first_number("departments") + place as u64);
        add("departments", json!({"name": name, "parent": parent}), 9_000);
    }
    let offices = [
        ("Berlin", "DE", "Größenwahnallee 4", "10115"),
        ("Lyon", "FR", "Rue des Éclusiers 12", "69002"),
        ("Austin", "US", "Mesquite Street 77", "78701"),
    ];
    for (city, country, street, zip) in offices {
        let office =
            json!({"name": city, "city": city, "country": country, "street": street, "zip": zip});
        add("offices", office, 9_000);
    }
    for (name, unit) in [("Vacation", "day"), ("Sick leave", "day"), ("Overtime", "hour")] {
        add("absence_types", json!({"name": name, "unit": unit}), 9_000);
    }
    for place in 0..plan.employees {
        add("people", employee(plan, place), 2_000 - (place as i64 % 1_900));
    }
    for place in 0..plan.employees / 2 {
        add("absences", absence(plan, place), 500 - (place as i64 % 400));
    }
    for name in REJECTION_REASONS {
        add("reasons", json!({"name": name}), 9_000);
    }
    for place in 0..plan.jobs {
        add("jobs", job(plan, place), 1_000 - place as i64);
        let job = first_number("jobs") + place as u64;
        for (stage, name) in STAGES.iter().enumerate() {
            add("stages", json!({"job": job, "name": name, "place": stage}), 1_000);
        }
    }
    for place in 0..plan.candidates {
        let age = 700 - (place as i64 % 600);
        add("candidates", candidate(plan, place), age);
        add("applications", application(plan, place), age);
        let application = first_number("applications") + place as u64;
        let day = plan.days_ago(-3 - place as i64 % 9);
        if place % 4 == 1 {
            let interview = json!({"application": application, "title": "First talk",
                "from": format!("{day}T09:00:00Z"), "until": format!("{day}T10:00:00Z"),
                "interviewer": first_number("people") + 1});
            add("interviews", interview, age / 2);
        }
        if place % 8 == 3 {
            let offer = json!({"application": application, "status": "sent", "starts_on": day});
            add("offers", offer, age / 2);
        }
    }
    for (name, code) in [("Workplace safety", "SAFE-1"), ("Datenschutz", "DS-1"), ("Excel", "XL-1")]
    {
        let course = json!({"name": name, "code": code, "category": "Compliance", "visible": true,
            "text": format!("<p>{name}</p>")});
        add("courses", course, 3_000);
    }
    for place in 0..plan.employees / 2 {
        let progress = [0, 50, 100][place % 3];
        let enrolment = json!({"person": first_number("people") + place as u64,
            "course": first_number("courses") + (place % 3) as u64,
            "from": plan.days_ago(60).to_string(), "until": null, "progress": progress,
            "completed_at": (progress == 100).then(|| plan.hours_ago(100).to_string())});
        add("enrolments", enrolment, 100);
    }
    tables
}

/// Somebody who works, will work or has worked here.
pub(crate) fn employee(plan: &Plan, place: usize) -> Value {
    let mut dice = Dice::of(plan.seed, "twin employee", place);
    let who = person(&mut dice, place);
    let home = address(&mut dice, who.region);
    let start = plan.days_ago(dice.between(40, 3_000));
    let (status, start, end) = match place % 12 {
        // One in twelve has left, one has not begun; the first people stay, they run the place.
        7 => ("left", start, Some(plan.days_ago(dice.between(1, 39)))),
        10 => ("onboarding", plan.days_ago(-dice.between(5, 60)), None),
        _ => ("active", start, None),
    };
    let first = first_number("people");
    let office = first_number("offices") + dice.below(3) as u64;
    let department = first_number("departments") + dice.below(DEPARTMENTS.len()) as u64;
    json!({
        "first": who.given, "last": who.family,
        "email": format!("{}.{}@twin.example", who.handle, place + 1),
        "private_email": format!("{}.{}@home.example", who.handle, place + 1),
        "phone": phone(&mut dice, who.region), "title": *dice.pick(TITLES),
        "department": department, "office": office,
        "manager": (place > 0).then(|| first + (place as u64 - 1) / 5),
        "start": start.to_string(), "end": end.map(|day| day.to_string()), "status": status,
        "birthday": plan.days_ago(DAYS_A_YEAR * 20 + dice.between(0, DAYS_A_YEAR * 40)).to_string(),
        "gender": if dice.chance(50) { "female" } else { "male" },
        "weekly_hours": *dice.pick(&[40, 38, 20]),
        "street": home["line1"], "zip": home["zip"], "city": home["city"], "country": home["country"],
    })
}

fn absence(plan: &Plan, place: usize) -> Value {
    let mut dice = Dice::of(plan.seed, "twin absence", place);
    let kind = first_number("absence_types") + (place % 2) as u64;
    let from = plan.days_ago(dice.between(-40, 60));
    let long = dice.between(0, 6);
    let half_end = place % 5 == 2;
    json!({
        "person": first_number("people") + place as u64, "type": kind, "from": from.to_string(),
        "until": from.saturating_add(long.days()).to_string(), "half_start": false,
        "half_end": half_end, "days": long as f64 + if half_end { 0.5 } else { 1.0 },
        "state": if place % 6 == 5 { "requested" } else { "approved" }, "note": "",
    })
}

fn job(plan: &Plan, place: usize) -> Value {
    let mut dice = Dice::of(plan.seed, "twin job", place);
    let status = ["open", "open", "open", "closed", "draft"][place % 5];
    let title = TITLES[place % TITLES.len()];
    json!({
        "name": format!("{title} {}", place + 1), "status": status,
        "department": first_number("departments") + dice.below(DEPARTMENTS.len()) as u64,
        "office": first_number("offices") + dice.below(3) as u64,
        "recruiter": first_number("people") + 1, "hiring_manager": first_number("people") + 2,
        "opened_at": (status != "draft").then(|| plan.hours_ago(990 - place as i64).to_string()),
        "closed_at": (status == "closed").then(|| plan.hours_ago(90).to_string()),
        "text": format!("<p>We look for: {title}</p>"),
    })
}

/// Somebody who may apply.
pub(crate) fn candidate(plan: &Plan, place: usize) -> Value {
    let mut dice = Dice::of(plan.seed, "twin candidate", place);
    let who = person(&mut dice, place + 3);
    let tags: Vec<&str> = if place.is_multiple_of(3) { vec![*dice.pick(TAGS)] } else { Vec::new() };
    json!({
        "first": who.given, "last": who.family,
        "email": format!("{}.{}@applicants.example", who.handle, place + 1),
        "phone": phone(&mut dice, who.region), "company": "Nordhavn AB", "title": *dice.pick(TITLES),
        "tags": tags, "source": *dice.pick(SOURCES),
    })
}

fn application(plan: &Plan, place: usize) -> Value {
    let mut dice = Dice::of(plan.seed, "twin application", place);
    let job = dice.below(plan.jobs) as u64;
    let stage = dice.below(STAGES.len()) as u64;
    let status = ["active", "active", "rejected", "active", "hired"][place % 5];
    let reason = first_number("reasons") + dice.below(REJECTION_REASONS.len()) as u64;
    let applied = plan.hours_ago(700 - (place as i64 % 600));
    json!({
        "candidate": first_number("candidates") + place as u64, "job": first_number("jobs") + job,
        "stage": first_number("stages") + job * STAGES.len() as u64 + stage, "status": status,
        "reason": (status == "rejected").then_some(reason), "applied_at": applied.to_string(),
        "ended_at": (status != "active").then(|| plan.hours_ago(50).to_string()),
    })
}
