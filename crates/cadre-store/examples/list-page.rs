//! Times pages of employees: `cargo run --release -p cadre-store --example list-page -- URL [EMPLOYEES]`.
//!
//! URL names an empty database, `sqlite:<path>` or `postgres://…`. Each employee has a manager, two groups, a
//! location, a legal entity and a contract. What is printed is the median of each kind of page.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use cadre_model::fields::Fields;
use cadre_model::ids::record_id;
use cadre_model::mapped::{Link, Mapped, Record, seal};
use cadre_model::model::ModelDef;
use cadre_model::registry::model;
use cadre_model::time::{Clock, SystemClock};
use cadre_store::{
    EndUser, EnvironmentKind, IntegrationScope, ListQuery, MasterKey, NewIntegration, NewJob,
    NewRun, OpenOptions, PageWrite, RunKind, RunTrigger, Store,
};
use serde_json::{Map, Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const PAGE: u32 = 250;
const ROUNDS: usize = 200;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the numbers are the program's output")]
async fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let url = words.next().ok_or("which database? sqlite:<path> or postgres://…")?;
    let employees: u32 = words.next().map_or(Ok(20_000), |text| text.parse())?;
    let clock = Arc::new(SystemClock);
    let options =
        OpenOptions { max_connections: 4, master_key: MasterKey::random(), clock: clock.clone() };
    let store = Store::open(&url, options).await?;
    let scope = integration(&store).await?;
    let began = Instant::now();
    let half = fill(&store, &scope, employees, clock.as_ref()).await?;
    println!("{employees} employees into {}: {:?}", store.backend(), began.elapsed());

    let def = model("hris_employees").ok_or("no employees")?;
    let page = || ListQuery { limit: PAGE, ..ListQuery::default() };
    let filtered = |name: &str, values: Vec<String>| -> ListQuery {
        let filter = def.filters.iter().find(|filter| filter.name == name);
        ListQuery { filters: filter.into_iter().map(|f| (f, values.clone())).collect(), ..page() }
    };
    let group = |id: u32| vec![record_id(scope.id(), "hris_teams", &format!("g{id}"))];
    let mail = vec![format!("p{}@example.com", employees - 1)];
    let middle = record_id(scope.id(), "hris_employees", "7");
    let cases = [
        ("first page", page()),
        ("a page in the middle", ListQuery { after_id: Some(middle), ..page() }),
        ("one record", ListQuery { limit: 1, ..page() }),
        ("ten changed of all", ListQuery { updated_after_ms: Some(half), ..page() }),
        ("nothing changed", ListQuery { updated_after_ms: Some(clock.now_ms()), ..page() }),
        ("by e-mail: one", filtered("work_emails", mail)),
        ("by remote id: one", ListQuery { remote_ids: Some(vec!["9".into()]), ..page() }),
        ("by status: nearly all", filtered("employment_statuses", vec!["ACTIVE".into()])),
        ("by status: one in 1,000", filtered("employment_statuses", vec!["PENDING".into()])),
        ("by group: one in 20", filtered("group_ids", group(3))),
        ("by group: none", filtered("group_ids", group(999))),
    ];
    for (what, query) in cases {
        let (median, bytes, count) = time(&store, &scope, def, &query).await?;
        println!("{what:26} {:9.3} ms  {count:4} records {bytes:8} bytes", median * 1e3);
    }
    store.close().await;
    Ok(())
}

async fn time(
    store: &Store,
    scope: &IntegrationScope,
    def: &'static ModelDef,
    query: &ListQuery,
) -> Outcome<(f64, usize, usize)> {
    let hidden = HashSet::new();
    let (mut seconds, mut bytes, mut count) = (Vec::new(), 0, 0);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let page = store.records_list(scope, def, query, &hidden).await?;
        seconds.push(began.elapsed().as_secs_f64());
        (bytes, count) = (page.body.len(), page.count);
    }
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[seconds.len() / 2], bytes, count))
}

async fn integration(store: &Store) -> Outcome<IntegrationScope> {
    let environment = store.environment_create("timing", EnvironmentKind::Development).await?;
    let scope = store.system_scope(&environment.id).await?.ok_or("no environment")?;
    let new = NewIntegration {
        tool: "tool".into(),
        category: "HRIS".into(),
        suffix: None,
        end_user: EndUser::default(),
        settings: json!({}),
        secrets: BTreeMap::new(),
        scope_config_id: None,
        mapping: None,
    };
    let made = store.integration_create(&scope, new).await?;
    Ok(store.integration_scope(&scope, &made.id).await?.ok_or("no integration")?)
}

/// Writes everything in pages of 100; the moment after which ten employees changed.
async fn fill(
    store: &Store,
    scope: &IntegrationScope,
    employees: u32,
    clock: &dyn Clock,
) -> Outcome<i64> {
    let new = NewJob {
        kind: "sync".into(),
        key: "timing".into(),
        payload: json!({}),
        run_at: None,
        integration_id: None,
    };
    store.job_enqueue(new).await?;
    let job = store.job_claim(&["sync"], 3_600_000).await?.ok_or("no job")?;
    let new = NewRun { kind: RunKind::Full, trigger: RunTrigger::Setup };
    let run = store.run_create(scope, new).await?;
    store.run_start(scope, &run.id).await?;
    let write = async |records: &[Record]| {
        let page = PageWrite {
            run_id: &run.id,
            stream: "people",
            rows: records.len() as u64,
            next: None,
            last: false,
            records,
            issues: &[],
            incomplete: &[],
            deleted: &[],
        };
        store.records_write_page(scope, page, &job).await
    };
    let make = |model_id, id: &str, fields, links| record(scope, model_id, id, fields, links);
    let mut around = Vec::new();
    for id in 0..20 {
        around.push(make(
            "hris_teams",
            &format!("g{id}"),
            json!({"name": format!("Group {id}")}),
            vec![],
        )?);
        around.push(make(
            "hris_locations",
            &format!("l{id}"),
            json!({"name": format!("Place {id}")}),
            vec![],
        )?);
    }
    around.push(make("hris_legal_entities", "acme", json!({"name": "Acme"}), vec![])?);
    write(&around).await?;
    let ids: Vec<u32> = (0..employees).collect();
    for chunk in ids.chunks(100) {
        let mut page = Vec::with_capacity(200);
        for &id in chunk {
            page.push(employee(scope, id, "Ann")?);
            let contract =
                json!({"employee_id": id.to_string(), "job_title": "Cook", "pay_rate": 12.5});
            page.push(make("hris_employments", &format!("e{id}"), contract, vec![])?);
        }
        write(&page).await?;
    }
    let moment = clock.now_ms();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    // Nobody's manager, so that these ten are all that changes.
    let changed: Result<Vec<Record>, _> =
        (employees - 10..employees).map(|id| employee(scope, id, "Bea")).collect();
    write(&changed?).await?;
    Ok(moment)
}

fn employee(scope: &IntegrationScope, id: u32, name: &str) -> Outcome<Record> {
    let status = if id % 1_000 == 5 { "PENDING" } else { "ACTIVE" };
    let fields = json!({
        "first_name": name, "last_name": format!("Person {id}"), "display_full_name": format!("{name} Person {id}"),
        "work_email": format!("p{id}@example.com"), "employment_status": status, "employee_number": id.to_string(),
        "date_of_birth": "1980-01-01", "start_date": "2020-01-01", "manager_id": (id / 10).to_string(),
        "work_location_id": format!("l{}", id % 20), "legal_entity_id": "acme",
        "home_address": {"city": "Köln", "country": "DE", "street_1": "Domplatz 1", "zip_code": "50667"},
    });
    let link = |id: u32| Link { remote_id: format!("g{}", id % 20), attributes: Map::new() };
    record(
        scope,
        "hris_employees",
        &id.to_string(),
        fields,
        vec![("groups", vec![link(id), link(id + 1)])],
    )
}

fn record(
    scope: &IntegrationScope,
    model_id: &str,
    id: &str,
    fields: Value,
    links: Vec<(&'static str, Vec<Link>)>,
) -> Outcome<Record> {
    let model = model(model_id).ok_or("no such model")?;
    let Value::Object(fields) = fields else { return Err("fields are an object".into()) };
    let fields = Fields::of(model.shape, fields);
    let mapped = Mapped { model, remote_id: id.to_owned(), fields, links, issues: vec![] };
    Ok(seal(scope.id(), &mapped))
}
