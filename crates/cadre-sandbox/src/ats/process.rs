//! What happens to applications: interviews, offers, notes, scorecards, files.

use serde_json::{Value, json};

use super::setup::{USERS, stage_id, user_id};
use crate::dice::Dice;
use crate::people::address;
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::REGIONS;

/// An application as far as the rest needs it.
struct Case {
    id: String,
    candidate: String,
    status: String,
}

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cases: Vec<Case> = tables.get("applications").map_or_else(Vec::new, |table| {
        let rows = table.rows();
        rows.map(|row| Case {
            id: row.key.clone(),
            candidate: text(&row.value["candidate_id"]),
            status: text(&row.value["status"]),
        })
        .collect()
    });
    for (place, case) in cases.iter().enumerate() {
        if place % 2 == 0 {
            let interview = interview(plan, tables, place, case);
            scorecard(plan, tables, place, case, &interview);
        }
        if case.status == "hired" || place % 4 == 1 {
            offer(plan, tables, place, case);
        }
        note(plan, tables, place, case);
        attachments(plan, tables, place, case);
    }
}

fn interview(plan: &Plan, tables: &mut Tables, place: usize, case: &Case) -> String {
    let mut dice = Dice::of(plan.seed, "interview", place);
    let table = tables.entry("interviews").or_default();
    let turn = table.len();
    let id = format!("int-{}", turn + 1);
    let starts = plan.hours_ago(dice.between(-24 * 10, 24 * 60));
    let made = plan.hours_ago(24 * 61);
    let people: Vec<String> = (0..turn % 4).map(|more| user_id((place + more) % USERS)).collect();
    let video = !turn.is_multiple_of(3);
    let body = json!({
        "id": id,
        "application_id": case.id,
        "stage_id": (turn % 5 != 4).then(|| stage_id(1 + turn % 3)),
        "title": dice.chance(85).then_some("Kennenlernen / 面接"),
        "starts_at": starts.to_string(),
        "ends_at": (turn % 7 != 6).then(|| (starts + jiff::SignedDuration::from_mins(45)).to_string()),
        "video_url": video.then(|| format!("https://meet.sandbox.example/{id}")),
        "place": (!video).then(|| address(&mut dice, &REGIONS[turn % REGIONS.len()])),
        "interviewer_ids": people,
        "canceled": turn % 8 == 5,
    });
    table.add(body, made, made);
    id
}

fn offer(plan: &Plan, tables: &mut Tables, place: usize, case: &Case) {
    const STATES: &[&str] = &["declined", "sent", "approved", "draft", "abandoned"];
    let mut dice = Dice::of(plan.seed, "offer", place);
    let table = tables.entry("offers").or_default();
    let turn = table.len();
    let state = if case.status == "hired" { "accepted" } else { STATES[turn % STATES.len()] };
    let made = plan.hours_ago(dice.between(20, 24 * 12));
    let body = json!({
        "id": format!("off-{}", turn + 1),
        "application_id": case.id,
        "state": state,
        "starts_on": (turn % 6 != 5).then(|| plan.days_ago(-dice.between(10, 90)).to_string()),
    });
    table.add(body, made, made);
}

fn note(plan: &Plan, tables: &mut Tables, place: usize, case: &Case) {
    if place % 3 == 2 {
        return;
    }
    let mut dice = Dice::of(plan.seed, "note", place);
    let table = tables.entry("notes").or_default();
    let turn = table.len();
    let made = plan.hours_ago(dice.between(2, 24 * 40));
    let body = json!({
        "id": format!("note-{}", turn + 1),
        "candidate_id": case.candidate,
        "application_id": (turn % 3 != 2).then_some(case.id.as_str()),
        "author_id": (turn % 5 != 4).then(|| user_id(turn % USERS)),
        "subject": dice.chance(60).then_some("Rückruf"),
        "html": "<p>Ruft am <em>Dienstag</em> zurück &amp; bringt Kekse.</p>",
        "visibility": if turn % 4 == 1 { "private" } else { "team" },
    });
    table.add(body, made, made);
}

fn scorecard(plan: &Plan, tables: &mut Tables, place: usize, case: &Case, interview: &str) {
    let mut dice = Dice::of(plan.seed, "scorecard", place);
    let table = tables.entry("scorecards").or_default();
    let turn = table.len();
    let made = plan.hours_ago(dice.between(2, 24 * 40));
    let id = format!("sc-{}", turn + 1);
    let open = turn % 4 == 3;
    let body = json!({
        "id": id,
        "candidate_id": case.candidate,
        "application_id": case.id,
        "interview_id": (turn % 3 != 2).then_some(interview),
        "author_id": (turn % 6 != 5).then(|| user_id(turn % USERS)),
        "fields": fields(&mut dice, open),
    });
    table.add(body, made, made);
}

/// One field of every kind; those that need no answer stay empty when `open`.
fn fields(dice: &mut Dice, open: bool) -> Value {
    let steps = options(&[("1", "No"), ("2", "Yes"), ("3", "Unbedingt!")]);
    let traits = options(&[("a", "Curious"), ("b", "Gründlich"), ("c", "親切")]);
    let or_null = |value: Value| if open { Value::Null } else { value };
    let step = (1 + dice.below(3)).to_string();
    json!([
        {"id": "f1", "label": "Summary", "help": null, "required": true, "kind": "text",
            "value": or_null(json!("Solide, freundlich.\nFragt nach."))},
        {"id": "f2", "label": "Hire?", "help": "Be honest", "required": true, "kind": "choice",
            "options": steps,
            "value": step},
        {"id": "f3", "label": "Traits", "help": null, "required": false, "kind": "choices",
            "options": traits,
            "value": or_null(json!(["a", "c"]))},
        {"id": "f4", "label": "On time?", "help": null, "required": null, "kind": "yes_no",
            "value": or_null(json!(dice.chance(80)))},
        {"id": "f5", "label": "Score", "help": "0 to 10", "required": true, "kind": "number",
            "value": dice.between(0, 20) as f64 / 2.0},
        {"id": "f6", "label": "Can start", "help": null, "required": false, "kind": "date",
            "value": or_null(json!("2027-02-01"))},
    ])
}

fn options(options: &[(&str, &str)]) -> Value {
    options.iter().map(|(id, label)| json!({"id": id, "label": label})).collect()
}

fn attachments(plan: &Plan, tables: &mut Tables, place: usize, case: &Case) {
    const KINDS: &[(&str, &str)] = &[
        ("resume", "Lebenslauf – März.pdf"),
        ("cover_letter", "anschreiben.docx"),
        ("certificate", "証明書.png"),
    ];
    let mut dice = Dice::of(plan.seed, "attachment", place);
    for (turn, (kind, name)) in KINDS.iter().enumerate().take(1 + place % 3) {
        let table = tables.entry("attachments").or_default();
        let made = plan.hours_ago(24 * dice.between(1, 90));
        let body = json!({
            "id": format!("att-{}", table.len() + 1),
            "candidate_id": case.candidate,
            "application_id": (turn < 2).then_some(case.id.as_str()),
            "kind": kind,
            "file_name": name,
            "size_bytes": dice.between(2_000, 900_000),
        });
        table.add(body, made, made);
    }
}
