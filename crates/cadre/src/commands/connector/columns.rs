//! Raw records, unified records and issues, side by side.

use cadre_jobs::authoring::trial::{RecordRead, StreamRead, Trial};
use serde_json::Value;

/// Most records with issues that are shown besides those that are shown anyway.
const MOST_WITH_ISSUES: usize = 20;

/// Everything that was read, for a terminal of so many columns. `show` is how many records of a stream.
pub fn page(trial: &Trial, width: usize, show: usize) -> String {
    let mut text = String::new();
    for stream in &trial.streams {
        text.push_str(&stream_text(stream, width, show));
    }
    text.push_str("asked:\n");
    for exchange in &trial.exchanges {
        let status =
            exchange.status.map_or_else(|| "no answer".into(), |status| status.to_string());
        text.push_str(&format!(
            "  {} {}  {status}, {} ms\n",
            exchange.method, exchange.url, exchange.duration_ms
        ));
    }
    text
}

fn stream_text(stream: &StreamRead, width: usize, show: usize) -> String {
    let more = if stream.more { ", and there are more pages" } else { "" };
    let total = stream.total.map(|total| format!(" of {total}")).unwrap_or_default();
    let own = stream.records.iter().filter(|record| record.stream == stream.stream).count();
    let mut text = format!("{}: {own} records{total}{more}\n", stream.stream);
    for problem in &stream.problems {
        text.push_str(&format!("  {} {}\n", problem.fault.code, problem.fault.message));
    }
    let (mut shown, mut hidden, mut with_issues) = (Vec::<(&str, usize)>::new(), 0, 0);
    for record in &stream.records {
        let at = shown.iter().position(|(name, _)| *name == record.stream).unwrap_or_else(|| {
            shown.push((&record.stream, 0));
            shown.len() - 1
        });
        let extra = !record.issues.is_empty() && with_issues < MOST_WITH_ISSUES;
        if shown[at].1 >= show && !extra {
            hidden += 1;
            continue;
        }
        shown[at].1 += 1;
        with_issues += usize::from(!record.issues.is_empty());
        text.push_str(&record_text(record, width));
    }
    if hidden > 0 {
        text.push_str(&format!("… and {hidden} more records; --show {} shows more\n", show * 10));
    }
    text.push('\n');
    text
}

fn record_text(record: &RecordRead, width: usize) -> String {
    let (first, second) = (width * 19 / 50, width * 33 / 100);
    let widths =
        [first.saturating_sub(3), second.saturating_sub(3), width.saturating_sub(first + second)];
    let raw = format!("{:#}", record.raw);
    let columns = [
        wrapped(raw.lines(), widths[0]),
        wrapped(unified(record).iter().map(String::as_str), widths[1]),
        wrapped(issues(record).iter().map(String::as_str), widths[2]),
    ];
    let rule = |name: &str, width: usize| {
        let line = width.saturating_sub(name.chars().count() + 1);
        format!("{name} {}", "─".repeat(line))
    };
    let mut text = format!(
        "{}─┬─{}─┬─{}\n",
        rule(&format!("raw {}", record.stream), widths[0]),
        rule("unified", widths[1]),
        rule("issues", widths[2])
    );
    let height = columns.iter().map(Vec::len).max().unwrap_or_default();
    for row in 0..height {
        let cell = |at: usize| columns[at].get(row).map_or("", String::as_str);
        let line = format!(
            "{:<one$} │ {:<two$} │ {}",
            cell(0),
            cell(1),
            cell(2),
            one = widths[0],
            two = widths[1]
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn unified(record: &RecordRead) -> Vec<String> {
    let mut lines = Vec::new();
    for (model, unified) in &record.unified {
        lines.push((*model).to_owned());
        for (name, value) in unified.as_object().into_iter().flatten() {
            let value = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            lines.push(format!("  {name}: {value}"));
        }
    }
    for (model, id) in &record.deleted {
        lines.push(format!("{model} {id}: deleted"));
    }
    if lines.is_empty() {
        lines.push("(nothing)".to_owned());
    }
    lines
}

fn issues(record: &RecordRead) -> Vec<String> {
    let mut lines = Vec::new();
    for issue in &record.issues {
        let field = issue.field.as_deref().unwrap_or("(record)");
        lines.push(format!("{field}: {}", issue.problem));
        lines.push(format!("  expected {}", issue.expected));
        lines.push(format!("  got {}", issue.got));
    }
    lines
}

/// Lines of at most so many letters; what goes on is moved in.
fn wrapped<'a>(lines: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    let width = width.max(12);
    let mut all = Vec::new();
    for line in lines {
        let deep = line.chars().take_while(|c| *c == ' ').count().min(width / 2);
        let letters: Vec<char> =
            line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (head, rest) = letters.split_at(letters.len().min(width));
        all.push(head.iter().collect());
        for part in rest.chunks(width - deep - 2) {
            all.push(format!("{}{}", " ".repeat(deep + 2), part.iter().collect::<String>()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_lines_go_on_below() {
        let lines = wrapped(["  abcdefghijklmnop", "x"].into_iter(), 12);
        assert_eq!(lines, ["  abcdefghij", "    klmnop", "x"]);
    }
}
