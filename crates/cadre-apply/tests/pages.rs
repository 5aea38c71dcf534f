//! Made-up career pages: what each asks is worked out by hand in the `expected.yaml` beside it.

#![allow(clippy::expect_used, clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cadre_apply::{Form, Kind, Page, Shows};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// What a page is expected to be read as.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
    shows: Seen,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    job: BTreeMap<String, Value>,
    #[serde(default)]
    location: BTreeMap<String, Value>,
    #[serde(default)]
    questions: Vec<Asked>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seen {
    /// `form` or `closed`.
    Plain(String),
    Elsewhere {
        elsewhere: String,
    },
    Nothing {
        nothing: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    label: String,
    #[serde(rename = "type")]
    kind: Kind,
    required: bool,
    /// What it asks for, in the words of the vocabulary; nothing where no subject fits.
    is: Option<String>,
    #[serde(default)]
    section: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    options: Vec<String>,
}

/// The contract's keys of subjects.
const KEYS: &[(&str, &str)] = &[
    ("email", "EMAIL"),
    ("first_name", "FIRST_NAME"),
    ("last_name", "LAST_NAME"),
    ("full_name", "FULL_NAME"),
    ("gender", "GENDER"),
    ("birth_date", "BIRTH_DATE"),
    ("resume", "RESUME"),
    ("start_date", "EXPECTED_START_DATE"),
    ("talent_pool", "APPLICANT_POOL_CONSENT"),
    ("terms", "TERMS_AND_CONDITIONS"),
    ("residence_type", "RESIDENCE_TYPE"),
    ("residence", "RESIDENCE_FULL_STRING"),
    ("residence_country", "RESIDENCE_COUNTRY"),
    ("residence_city", "RESIDENCE_CITY"),
    ("residence_state", "RESIDENCE_STATE"),
    ("residence_line_1", "RESIDENCE_LINE_1"),
    ("residence_line_2", "RESIDENCE_LINE_2"),
    ("residence_zip", "RESIDENCE_ZIP_CODE"),
    ("phone_type", "PHONE_NUMBER_TYPE"),
    ("phone", "FULL_PHONE_NUMBER"),
    ("phone_country_code", "PHONE_COUNTRY_CODE"),
    ("phone_national", "PHONE_NATIONAL_NUMBER"),
    ("phone_extension", "PHONE_EXTENSION"),
];

/// Subjects whose answers must not decide an application.
const EQUALITY: &[&str] =
    &["gender", "transgender", "orientation", "race", "veteran", "disability", "age", "religion"];

struct Tally {
    wrong: Vec<String>,
    right: u32,
    of: u32,
    missed: Vec<String>,
    slowest: (Duration, String),
}

#[test]
fn every_page_is_read_as_a_person_reads_it() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let mut folders: Vec<_> =
        fs::read_dir(pages).expect("the folder").flatten().map(|entry| entry.path()).collect();
    folders.sort();
    assert!(folders.len() >= 40, "{} pages", folders.len());
    let mut tally = Tally {
        wrong: Vec::new(),
        right: 0,
        of: 0,
        missed: Vec::new(),
        slowest: (Duration::ZERO, String::new()),
    };
    let begun = Instant::now();
    for folder in &folders {
        judge(folder, &mut tally);
    }
    let average = begun.elapsed() / u32::try_from(folders.len()).expect("few");
    let share = f64::from(tally.right) * 100.0 / f64::from(tally.of);
    println!("{} pages, {average:?} each on average, slowest {:?}", folders.len(), tally.slowest);
    println!("{} of {} fields are known for what they ask ({share:.1} %)", tally.right, tally.of);
    for missed in &tally.missed {
        println!("  {missed}");
    }
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    assert!(share >= 95.0, "{share:.1} %: {}", tally.missed.join("\n"));
}

fn judge(folder: &Path, tally: &mut Tally) {
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(folder.join("expected.yaml")).expect("expected.yaml");
    let expected: Expected =
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let body = fs::read(folder.join("page.html")).expect("page.html");
    let url = expected.url.as_deref().unwrap_or("https://jobs.example/posting/1");
    let url = Url::parse(url).expect("an address");
    let begun = Instant::now();
    let page = Page::read(&url, expected.content_type.as_deref(), &body);
    let shows = page.shows();
    let took = begun.elapsed();
    if took > tally.slowest.0 {
        tally.slowest = (took, name.clone());
    }
    let mut wrong = |words: String| tally.wrong.push(format!("{name}: {words}"));
    let job = page.job();
    for (member, value) in &expected.job {
        if job[member] != *value {
            wrong(format!("job.{member} is {}, expected {value}", job[member]));
        }
    }
    for (member, value) in &expected.location {
        if job["location"][member] != *value {
            wrong(format!("location.{member} is {}, expected {value}", job["location"][member]));
        }
    }
    match (&expected.shows, &shows) {
        (Seen::Plain(word), Shows::Form(form, sheet)) if word == "form" => {
            if let Some(target) = &expected.target {
                let sent = sheet.submission(form, &[]).map(|sent| sent.url.to_string());
                if sent.as_ref() != Some(target) {
                    wrong(format!("it is sent to {sent:?}"));
                }
            }
            compare(&name, &expected.questions, form, tally);
        }
        (Seen::Plain(word), Shows::Closed(_)) if word == "closed" => {}
        (Seen::Elsewhere { elsewhere }, Shows::Elsewhere(found)) if found.as_str() == elsewhere => {
        }
        (Seen::Nothing { nothing }, Shows::Nothing(why)) if why.contains(nothing.as_str()) => {}
        (_, other) => wrong(format!("it shows {other:?}")),
    }
}

fn compare(name: &str, expected: &[Asked], form: &Form, tally: &mut Tally) {
    let found: Vec<&str> = form.questions().iter().map(|one| one.label.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|one| one.label.as_str()).collect();
    if found != wanted {
        tally.wrong.push(format!("{name}: it asks {found:?}, expected {wanted:?}"));
        return;
    }
    for (asked, one) in expected.iter().zip(form.questions()) {
        let mut differs = |what: &str, found: String, wanted: String| {
            if found != wanted {
                let label = &asked.label;
                tally
                    .wrong
                    .push(format!("{name}: \"{label}\": {what} is {found}, expected {wanted}"));
            }
        };
        differs("type", format!("{:?}", one.kind), format!("{:?}", asked.kind));
        differs("required", one.required.to_string(), asked.required.to_string());
        differs("section", format!("{:?}", one.section), format!("{:?}", asked.section));
        differs(
            "description",
            format!("{:?}", one.description),
            format!("{:?}", asked.description),
        );
        let options: Vec<&str> = one.options.iter().map(|choice| choice.label.as_str()).collect();
        if matches!(one.kind, Kind::SingleSelect | Kind::MultiSelect) {
            differs("options", format!("{options:?}"), format!("{:?}", asked.options));
        }
        tally.of += 1;
        if one.subject == asked.is {
            tally.right += 1;
            let key = KEYS.iter().find(|(subject, _)| Some(*subject) == asked.is.as_deref());
            differs(
                "key",
                format!("{:?}", one.unified_key.as_deref()),
                format!("{:?}", key.map(|(_, key)| *key)),
            );
            let equality = asked.is.as_deref().is_some_and(|is| EQUALITY.contains(&is));
            differs("category", one.equality.to_string(), equality.to_string());
        } else {
            let (label, found) = (&asked.label, one.subject.as_deref());
            tally
                .missed
                .push(format!("{name}: \"{label}\" is about {found:?}, expected {:?}", asked.is));
        }
    }
}
