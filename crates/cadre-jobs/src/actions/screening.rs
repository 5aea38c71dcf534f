//! Answers to screening questions, held against the questions of the job.

use std::collections::HashSet;

use cadre_model::action::Wrong;
use cadre_model::registry;
use cadre_store::ListQuery;
use serde_json::{Value, json};

use super::prepare::{Prepared, wrong};
use super::{Failed, Work};

/// Checks every answer, and turns options into those of the tool: `$input` holds
/// `{question_id, type, answer}` with the ids of the tool.
pub(super) async fn check(
    work: &Work<'_>,
    prepared: &mut Prepared,
    problems: &mut Vec<Wrong>,
) -> Result<(), Failed> {
    let sent = &work.order.checked.value;
    let Some(answers) = sent.get("screening_question_answers").and_then(Value::as_array) else {
        return Ok(());
    };
    if answers.is_empty() {
        return Ok(());
    }
    let job = sent.pointer("/application/job_id").and_then(Value::as_str);
    let Some(job) = job.or(work.order.about.as_deref()) else { return Ok(()) };
    let questions = questions(work, &work.own_id("ats_jobs", job)).await?;
    let own = |given: &str| work.own_id("ats_screening_questions", given);
    hold(&questions, &own, sent, &mut prepared.input, problems);
    Ok(())
}

/// Holds the answers of a body against the questions, which `own` finds the ids of.
pub(crate) fn hold(
    questions: &[Value],
    own: &dyn Fn(&str) -> String,
    sent: &Value,
    input: &mut Value,
    problems: &mut Vec<Wrong>,
) {
    let answers = sent.get("screening_question_answers").and_then(Value::as_array);
    for (at, answer) in answers.into_iter().flatten().enumerate() {
        let path = format!("body.screening_question_answers[{at}]");
        let given = answer["question_id"].as_str().unwrap_or_default();
        let id = own(given);
        let Some(question) = questions.iter().find(|question| question["id"] == *id) else {
            let got = format!("{given:?}");
            problems.push(wrong(&format!("{path}.question_id"), "a question of the job", got));
            continue;
        };
        let format = &question["format"];
        match fitting(format, &answer["answer"]) {
            Ok(value) => {
                let place = format!("/screening_question_answers/{at}");
                if let Some(place) = input.pointer_mut(&place) {
                    let remote_id = place["question_id"].clone();
                    *place =
                        json!({"question_id": remote_id, "type": format["type"], "answer": value});
                }
            }
            Err(expected) => {
                let got = match &answer["answer"] {
                    Value::String(text) if text.len() <= 60 => format!("{text:?}"),
                    value @ (Value::Bool(_) | Value::Number(_)) => value.to_string(),
                    Value::Array(items) => format!("a list of {}", items.len()),
                    _ => "something else".to_owned(),
                };
                problems.push(wrong(&format!("{path}.answer"), &expected, got));
            }
        }
    }
}

/// The questions of a job, as its list shows them.
async fn questions(work: &Work<'_>, job_id: &str) -> Result<Vec<Value>, Failed> {
    let Some(model) = registry::model("ats_jobs") else { return Ok(Vec::new()) };
    let query = ListQuery {
        limit: 1,
        after_id: None,
        updated_after_ms: None,
        include_deleted: false,
        ids: Some(vec![job_id.to_owned()]),
        remote_ids: None,
        filters: Vec::new(),
    };
    let page = work.parts.store.records_list(work.scope, model, &query, &HashSet::new()).await?;
    let jobs: Value = serde_json::from_str(&page.body).unwrap_or_default();
    Ok(jobs[0]["screening_questions"].as_array().cloned().unwrap_or_default())
}

/// The answer as the tool wants it, or what was expected.
fn fitting(format: &Value, answer: &Value) -> Result<Value, String> {
    let kind = format["type"].as_str().unwrap_or("UNKNOWN");
    let as_it_is = |fits: bool, expected: &str| {
        if fits { Ok(answer.clone()) } else { Err(expected.to_owned()) }
    };
    match kind {
        "TEXT" => {
            let most = format["max_length"].as_u64().unwrap_or(u64::MAX);
            let fits = answer.as_str().is_some_and(|text| text.chars().count() as u64 <= most);
            let expected = match most {
                u64::MAX => "text".to_owned(),
                most => format!("text of at most {most} characters"),
            };
            as_it_is(fits, &expected)
        }
        "NUMBER" => {
            let (least, most) = (format["min"].as_f64(), format["max"].as_f64());
            let fits = answer.as_f64().is_some_and(|number| {
                least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
            });
            let bound = |word: &str, bound: Option<f64>| {
                bound.map(|bound| format!(" {word} {bound}")).unwrap_or_default()
            };
            as_it_is(fits, &format!("a number{}{}", bound("from", least), bound("to", most)))
        }
        "BOOLEAN" => as_it_is(answer.is_boolean(), "true or false"),
        "DATE" => {
            let day = answer.as_str().and_then(|text| text.get(..10)).map(str::to_owned);
            let day = day.filter(|day| day.parse::<jiff::civil::Date>().is_ok());
            day.map(Value::from).ok_or_else(|| "a day (YYYY-MM-DD)".to_owned())
        }
        "SINGLE_SELECT" => {
            let chosen = answer.as_str().and_then(|id| option(format, id));
            chosen.ok_or_else(|| format!("the id of an option ({})", options(format)))
        }
        "MULTI_SELECT" => {
            let chosen = answer.as_array().and_then(|ids| {
                ids.iter().map(|id| option(format, id.as_str()?)).collect::<Option<Vec<_>>>()
            });
            let expected = || format!("a list of ids of options ({})", options(format));
            chosen.map(Value::Array).ok_or_else(expected)
        }
        "FILE" => as_it_is(answer.is_object(), "a file"),
        "INFORMATION" => Err("no answer: the question is only to be read".to_owned()),
        _ => Ok(answer.clone()),
    }
}

/// The option's id in the tool.
fn option(format: &Value, id: &str) -> Option<Value> {
    let found = format["options"].as_array()?.iter().find(|option| option["id"] == id)?;
    Some(found.get("remote_id").filter(|id| !id.is_null()).unwrap_or(&found["id"]).clone())
}

fn options(format: &Value) -> String {
    let ids = format["options"].as_array().into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(|option| option["id"].as_str()).take(10).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fitting;

    #[test]
    fn answers_follow_the_form_of_the_question() {
        let options = json!([{"id": "a", "remote_id": "7"}, {"id": "b", "remote_id": null}]);
        let choice = json!({"type": "SINGLE_SELECT", "options": options});
        let choices = json!({"type": "MULTI_SELECT", "options": options});
        let slider = json!({"type": "NUMBER", "min": 1, "max": 5});
        let short = json!({"type": "TEXT", "max_length": 3});
        for (format, answer, expected) in [
            (&choice, json!("a"), Ok(json!("7"))),
            (&choice, json!("7"), Err("the id of an option (a, b)".to_owned())),
            (&choices, json!(["b", "a"]), Ok(json!(["b", "7"]))),
            (&choices, json!("a"), Err("a list of ids of options (a, b)".to_owned())),
            (&slider, json!(5), Ok(json!(5))),
            (&slider, json!(5.5), Err("a number from 1 to 5".to_owned())),
            (&short, json!("äöü"), Ok(json!("äöü"))),
            (&short, json!("four"), Err("text of at most 3 characters".to_owned())),
            (&json!({"type": "DATE"}), json!("2026-02-03T10:00:00Z"), Ok(json!("2026-02-03"))),
            (&json!({"type": "BOOLEAN"}), json!("true"), Err("true or false".to_owned())),
        ] {
            assert_eq!(fitting(format, &answer), expected, "{format} {answer}");
        }
    }
}
