//! Questions that a job asks, one of every kind, and what people answer.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::plan::Plan;

/// A question of the bank: kind, title, purpose, what else its kind says of it.
struct Question {
    kind: &'static str,
    title: &'static str,
    help: Option<&'static str>,
    purpose: Option<&'static str>,
    options: &'static [&'static str],
}

const fn plain(kind: &'static str, title: &'static str) -> Question {
    Question { kind, title, help: None, purpose: None, options: &[] }
}

const BANK: &[Question] = &[
    Question { help: Some("Ein Satz genügt."), ..plain("short_text", "Why us? / Warum wir?") },
    plain("long_text", "Tell us about a project"),
    plain("email", "Second e-mail address"),
    plain("url", "Portfolio"),
    plain("number", "Years of experience"),
    plain("slider", "How well do you know Rust?"),
    plain("file", "Zeugnisse"),
    Question { options: &["A1", "B2", "C1", "母語"], ..plain("dropdown", "German") },
    Question {
        options: &["Yes", "No", "Prefer not to say"],
        purpose: Some("demographic"),
        ..plain("radio", "Veteran?")
    },
    plain("yes_no", "Do you need a work permit?"),
    Question { help: Some("Only if you need one."), ..plain("date", "Permit valid until") },
    Question {
        options: &["Berlin", "Lyon", "札幌"],
        purpose: Some("eeo"),
        ..plain("checkboxes", "Where would you work?")
    },
    plain("info", "We answer within two weeks."),
    // A kind that the connector has no word for.
    plain("signature", "Sign here"),
];

/// Place of the yes-no question that another question depends on.
const PERMIT: usize = 9;
/// Place of the choice that another question depends on.
const GERMAN: usize = 7;

fn option_id(question: &str, place: usize) -> String {
    format!("{question}-o{}", place + 1)
}

/// The questions of a job. The first job asks all there are.
pub(super) fn of_job(plan: &Plan, index: usize) -> Vec<Value> {
    let mut dice = Dice::of(plan.seed, "questions", index);
    let asked: Vec<usize> = (0..BANK.len()).filter(|_| index == 0 || dice.chance(35)).collect();
    let id = |place: usize| format!("q-{}-{}", index + 1, place + 1);
    asked
        .iter()
        .enumerate()
        .map(|(position, &place)| {
            let condition = match place {
                10 if asked.contains(&PERMIT) => {
                    json!({"question_id": id(PERMIT), "answers": [true]})
                }
                11 if asked.contains(&GERMAN) => {
                    let option = option_id(&id(GERMAN), 2);
                    json!({"question_id": id(GERMAN), "answers": [option]})
                }
                _ => Value::Null,
            };
            let mut question = json!({
                "id": id(place),
                "position": position,
                "title": BANK[place].title,
                "help": BANK[place].help,
                "purpose": BANK[place].purpose,
                "required": if place == 12 { Value::Null } else { json!(place % 3 == 0) },
                "kind": BANK[place].kind,
                "only_if": condition,
            });
            if let (Value::Object(whole), Value::Object(rest)) =
                (&mut question, details(place, &id(place)))
            {
                whole.extend(rest);
            }
            question
        })
        .collect()
}

/// What a kind of question says beside what all say.
fn details(place: usize, id: &str) -> Value {
    let question = &BANK[place];
    let options: Vec<Value> = question
        .options
        .iter()
        .enumerate()
        .map(|(place, label)| json!({"id": option_id(id, place), "label": label}))
        .collect();
    match question.kind {
        "short_text" => json!({"max_characters": 200}),
        "long_text" => json!({"max_characters": 5000}),
        "slider" => json!({"min": 0, "max": 10}),
        "file" => json!({"mime_types": ["application/pdf", "image/png"], "max_bytes": 5_000_000}),
        "dropdown" | "radio" | "checkboxes" => json!({"options": options}),
        "signature" => json!({"provider": "inkpad"}),
        _ => json!({}),
    }
}

/// What somebody answers to the questions of a job; some are left open.
pub(super) fn answers(dice: &mut Dice, questions: &[Value]) -> Vec<Value> {
    questions
        .iter()
        .filter(|question| question["kind"] != "info" && question["kind"] != "file")
        .filter_map(|question| {
            let skip = dice.chance(15);
            let empty = dice.chance(10);
            let value = if empty { Value::Null } else { answer(dice, question) };
            (!skip).then(|| {
                json!({
                    "question_id": question["id"],
                    "title": question["title"],
                    "kind": question["kind"],
                    "value": value,
                })
            })
        })
        .collect()
}

fn answer(dice: &mut Dice, question: &Value) -> Value {
    let labels: Vec<Value> = question["options"]
        .as_array()
        .map(|options| options.iter().map(|option| option["label"].clone()).collect())
        .unwrap_or_default();
    match question["kind"].as_str().unwrap_or_default() {
        "short_text" => json!("Weil der Sandkasten ruft 🏖"),
        "long_text" => json!("First I …\nThen \"we\" <b>shipped</b> it."),
        "email" => json!("zweit@post.example"),
        "url" => json!("https://portfolio.example/~me"),
        "number" => json!(dice.between(0, 30)),
        "slider" => json!(dice.between(0, 20) as f64 / 2.0),
        "dropdown" | "radio" => dice.pick(&labels).clone(),
        "checkboxes" => json!(labels.iter().take(1 + dice.below(labels.len())).collect::<Vec<_>>()),
        "yes_no" => json!(dice.chance(50)),
        "date" => json!("2027-03-31"),
        _ => json!({"strokes": [[1, 2], [3, 4]], "by": "inkpad"}),
    }
}
