//! Sandbox LMS: what it stores. How it is served stands in `api`, what it can be told in `writes`.

pub(crate) mod api;
mod writes;

use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::people::person;
use crate::plan::Plan;
use crate::table::Tables;

const PROVIDERS: &[&str] = &["Sandbox Academy", "Open Lecture Hall", "Werkstatt & Söhne"];
const SKILLS: &[&str] = &[
    "First aid",
    "Fire safety",
    "Bookkeeping",
    "Conversation in Spanish",
    "Leading a team",
    "SQL",
];
/// Title, and the places of its skills.
const COURSES: &[(&str, &[usize])] = &[
    ("First aid at work", &[0]),
    ("What to do when it burns", &[1, 0]),
    ("Double-entry bookkeeping", &[2]),
    ("Español para el trabajo", &[3]),
    ("Führen ohne Macht", &[4]),
    ("Reading data with SQL", &[5]),
    ("Welcome to the company", &[]),
    ("Data protection in ten minutes", &[]),
];
const STATES: &[&str] = &["assigned", "started", "finished", "finished", "withdrawn"];

/// Fills the tables.
pub(crate) fn seed(plan: &Plan) -> Tables {
    let mut tables = Tables::new();
    // Also a list that nothing stands in yet is a list.
    for list in ["users", "providers", "skills", "courses", "enrolments", "parts"] {
        tables.entry(list).or_default();
    }
    let long_ago = plan.hours_ago(24 * 900);
    for (index, title) in PROVIDERS.iter().enumerate() {
        let body = json!({"id": format!("prv-{}", index + 1), "title": title});
        tables.entry("providers").or_default().add(body, long_ago, long_ago);
    }
    for (index, label) in SKILLS.iter().enumerate() {
        let body = json!({"id": skill_id(index), "label": label});
        tables.entry("skills").or_default().add(body, long_ago, long_ago);
    }
    for index in 0..COURSES.len() {
        course(plan, &mut tables, index);
    }
    // As many people learn as work there.
    for index in 0..plan.employees {
        user(plan, &mut tables, index);
    }
    for index in 0..plan.employees {
        enrolments(plan, &mut tables, index);
    }
    tables
}

fn skill_id(index: usize) -> String {
    format!("skl-{}", index + 1)
}

fn course_id(index: usize) -> String {
    format!("crs-{:03}", index + 1)
}

fn version_id(course: &str, number: usize) -> String {
    format!("{course}-v{number}")
}

fn version(course: &str, number: usize, title: &str, state: &str, skills: &[String]) -> Value {
    json!({
        "id": version_id(course, number), "number": number, "title": title,
        "summary_html": format!("<p>{title}: what everybody should know.</p>"),
        "link": format!("https://learn.sandkasten.example/{course}/{number}"),
        "state": state, "skill_ids": skills,
    })
}

fn course(plan: &Plan, tables: &mut Tables, index: usize) {
    let mut dice = Dice::of(plan.seed, "course", index);
    let (title, skills) = COURSES[index];
    let skills: Vec<String> = skills.iter().map(|place| skill_id(*place)).collect();
    let id = course_id(index);
    // Every third course has been revised once.
    let mut versions = Vec::new();
    if index.is_multiple_of(3) {
        versions.push(version(&id, 1, &format!("{title} (first edition)"), "old", &skills));
    }
    versions.push(version(&id, versions.len() + 1, title, "live", &skills));
    let made = plan.hours_ago(24 * dice.between(300, 800));
    let body = json!({
        "id": id, "external_ref": null, "state": if index == 7 { "retired" } else { "live" },
        "provider_id": (index != 6).then(|| format!("prv-{}", index % PROVIDERS.len() + 1)),
        "versions": versions,
    });
    tables.entry("courses").or_default().add(body, made, made);
}

fn user(plan: &Plan, tables: &mut Tables, index: usize) {
    let mut dice = Dice::of(plan.seed, "learner", index);
    let person = person(&mut dice, index);
    let made = plan.hours_ago(24 * dice.between(10, 700));
    let email = format!("{}{index}@sandkasten.example", person.handle);
    let body = json!({
        "id": 500 + index, "given_name": person.given, "family_name": person.family,
        "email": (index % 17 != 16).then_some(email),
        "state": if index % 11 == 10 { "disabled" } else { "enabled" },
    });
    tables.entry("users").or_default().add(body, made, made);
}

fn enrolments(plan: &Plan, tables: &mut Tables, index: usize) {
    let mut dice = Dice::of(plan.seed, "enrolment", index);
    for step in 0..dice.below(4) {
        let course = (index + step * 3) % COURSES.len();
        let id = course_id(course);
        let number = if course.is_multiple_of(3) { 1 + dice.below(2) } else { 1 };
        let state = *dice.pick(STATES);
        let assigned = plan.hours_ago(24 * dice.between(30, 280));
        let finished = (state == "finished").then(|| assigned.saturating_add(300.hours()).ok());
        let place = tables.entry("enrolments").or_default().len();
        let body = json!({
            "id": format!("enr-{:05}", place + 1), "user_id": 500 + index,
            "version_id": version_id(&id, number), "state": state,
            "assigned_at": assigned.to_string(),
            "finished_at": finished.flatten().map(|at| at.to_string()),
            "points": (state == "finished").then(|| dice.between(50, 100)), "remark": null,
        });
        tables.entry("enrolments").or_default().add(body, assigned, assigned);
    }
}

#[cfg(test)]
mod tests {
    use super::seed;
    use crate::plan::Plan;

    #[test]
    fn every_list_has_something() {
        let start = crate::SandboxOptions::default().start;
        let plan = Plan { seed: 1, start, employees: 40, candidates: 1, jobs: 1 };
        let tables = seed(&plan);
        for list in ["users", "providers", "skills", "courses", "enrolments"] {
            assert!(tables[list].len() > 2, "{list}");
        }
    }
}
