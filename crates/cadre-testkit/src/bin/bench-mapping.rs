//! Measures what mapping a record costs against what parsing it costs.
//!
//! `bench-mapping CONNECTOR_DIR` takes records of the vendor for measuring and the mapping of the
//! connector. Every round does each kind of work on the same batch, one after the other; what is
//! printed (one JSON object) are medians over the rounds, in nanoseconds for a record.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cadre_map::{Context, Mapping};
use cadre_model::mapped::seal;
use cadre_testkit::paged_vendor::employee;
use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use jaq_json::Val;
use serde_json::{Value, json};

/// As the product has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records of a batch.
const BATCH: u64 = 500;
/// Rounds; the first tenth is not counted.
const ROUNDS: usize = 220;

/// A filter of jaq's own interpreter.
type Interpreted = Filter<JustLut<Val>>;

#[expect(clippy::print_stdout, reason = "the numbers are the program's output")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: bench-mapping CONNECTOR_DIR")?;
    let file = Path::new(&folder).join("map/hris_employees.yaml");
    let yaml = fs::read_to_string(&file)?;
    let mapping = Mapping::parse("map/hris_employees.yaml", &yaml)
        .map_err(|problems| format!("{problems:?}"))?;
    let sources = sources(&yaml)?;
    let filters =
        sources.iter().map(|source| interpreted(source)).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<String> = (0..BATCH).map(text).collect();
    let bytes = texts.iter().map(String::len).sum::<usize>() / texts.len();
    let numbers = measure(&mapping, &filters, &texts)?;
    let of = |at: usize| numbers[at];
    println!(
        "{}",
        json!({
            "record_bytes": bytes, "fields": mapping.offered_fields().len(), "batch": BATCH,
            "rounds": ROUNDS - ROUNDS / 10,
            "parse_ns": of(0), "map_ns": of(1), "map_and_seal_ns": of(2), "jaq_ns": of(3),
            "jaq_parse_ns": of(4),
            "map_to_parse": of(1) / of(0), "map_and_seal_to_parse": of(2) / of(0),
            "jaq_to_map": of(3) / of(1),
        })
    );
    Ok(())
}

fn text(id: u64) -> String {
    let mut text = String::new();
    employee(&mut text, id * 37);
    text
}

/// Medians of: parsing, mapping, mapping and sealing, jaq's interpreter, jaq's parsing.
fn measure(
    mapping: &Mapping,
    filters: &[Interpreted],
    texts: &[String],
) -> Result<[f64; 5], Box<dyn Error>> {
    let values =
        texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<Vec<Value>, _>>()?;
    let of_jaq = texts.iter().map(|text| jaq_value(text)).collect::<Result<Vec<Val>, _>>()?;
    let (settings, now) = (json!({}), json!("2026-01-01T00:00:00.000Z"));
    let context = Context { settings: &settings, parent: None, lookup: &Value::Null, now: &now };
    let integration = "benchmark_integration";
    for value in &values {
        let outcome = mapping.apply("employees", value, &context);
        let [record] = &outcome.records[..] else { return Err("not one record".into()) };
        if !outcome.issues.is_empty() || !record.issues.is_empty() {
            return Err(format!("issues: {:?} {:?}", outcome.issues, record.issues).into());
        }
    }
    let mut rounds: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS {
        let times = [
            time(texts, |text| {
                black_box(serde_json::from_str::<Value>(text).is_ok());
            }),
            time(&values, |value| {
                black_box(mapping.apply("employees", value, &context));
            }),
            time(&values, |value| {
                for mapped in &mapping.apply("employees", value, &context).records {
                    black_box(seal(integration, mapped));
                }
            }),
            time(&of_jaq, |value| {
                for filter in filters {
                    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
                    for output in filter.id.run((context, value.clone())) {
                        black_box(output.is_ok());
                    }
                }
            }),
            time(texts, |text| {
                black_box(jaq_value(text).is_ok());
            }),
        ];
        if round >= ROUNDS / 10 {
            for (kept, time) in rounds.iter_mut().zip(times) {
                kept.push(time);
            }
        }
    }
    Ok(rounds.map(|mut round| {
        round.sort_by(f64::total_cmp);
        round[round.len() / 2]
    }))
}

/// Nanoseconds for one of the batch.
fn time<T>(batch: &[T], mut work: impl FnMut(&T)) -> f64 {
    let start = Instant::now();
    for one in batch {
        work(one);
    }
    start.elapsed().as_nanos() as f64 / batch.len() as f64
}

/// The expressions of a mapping, as its author wrote them.
fn sources(yaml: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let file: Value = serde_saphyr::from_str(yaml)?;
    let fields = file["fields"].as_object().ok_or("no fields")?;
    let sources = fields.values().map(|field| field.get("value").unwrap_or(field));
    Ok(sources.filter_map(Value::as_str).map(str::to_owned).collect())
}

fn jaq_value(text: &str) -> Result<Val, String> {
    jaq_json::read::parse_single(text.as_bytes()).map_err(|error| format!("{error:?}"))
}

fn interpreted(source: &str) -> Result<Interpreted, String> {
    let arena = Arena::default();
    let modules = Loader::new(jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()))
        .load(&arena, File { code: source, path: () })
        .map_err(|errors| format!("{source}: {errors:?}"))?;
    Compiler::default()
        .with_funs(jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()))
        .compile(modules)
        .map_err(|errors| format!("{source}: {errors:?}"))
}
