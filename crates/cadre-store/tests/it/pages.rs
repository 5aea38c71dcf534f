//! Pages of a sync: what is written, what is not, how it goes on, what is deleted.

use cadre_model::mapped::{Issue, Record};
use cadre_store::{PageOutcome, RunState};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sqlx::{Connection, Row};

use crate::bed::{Bed, everything, on_both};

fn people(bed: &Bed, ids: std::ops::Range<u32>) -> Vec<Record> {
    ids.map(|id| {
        let fields = json!({"first_name": format!("P{id}"), "work_email": format!("p{id}@example.com"), "manager_id": "0"});
        bed.linked("hris_employees", &id.to_string(), fields, &[("groups", &["g1", "g2"])])
    })
    .collect()
}

#[tokio::test]
async fn what_did_not_change_is_not_written() {
    on_both(async |bed| {
        // More than one statement holds.
        let records = people(&bed, 0..450);
        let first = bed.write(&records).await;
        assert_eq!(first, PageOutcome { created: 450, ..PageOutcome::default() });
        let (before, versions) = (bed.all("hris_employees").await, row_versions(&bed).await);
        let moment = bed.tick();
        let second = bed.write(&records).await;
        assert_eq!(second, PageOutcome { unchanged: 450, ..PageOutcome::default() });
        assert_eq!(before, bed.all("hris_employees").await);
        assert_eq!(versions, row_versions(&bed).await, "a row was written again");
        assert!(bed.updated_after("hris_employees", moment).await.is_empty());
    })
    .await;
}

/// Which transaction wrote each row; PostgreSQL alone tells.
async fn row_versions(bed: &Bed) -> Vec<String> {
    if !bed.url.starts_with("postgres") {
        return Vec::new();
    }
    let mut connection = sqlx::PgConnection::connect(&bed.url).await.expect("the database");
    let sql = "SELECT id || ' ' || xmin::text FROM records UNION ALL SELECT id || ' ' || field || xmin::text
        FROM record_refs UNION ALL SELECT id || ' ' || key_id || xmin::text FROM record_keys ORDER BY 1";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the rows");
    assert!(rows.len() > 900);
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn only_what_changed_gets_a_new_time() {
    on_both(async |bed| {
        bed.write(&people(&bed, 0..3)).await;
        let before = bed.all("hris_employees").await;
        let moment = bed.tick();
        let mut records = people(&bed, 0..3);
        records[1] = bed.linked(
            "hris_employees",
            "1",
            json!({"first_name": "New"}),
            &[("groups", &["g1", "g2"])],
        );
        let outcome = bed.write(&records).await;
        assert_eq!(outcome, PageOutcome { updated: 1, unchanged: 2, ..PageOutcome::default() });
        let after = bed.all("hris_employees").await;
        assert_eq!(after["1"]["first_name"], "New");
        assert_eq!(after["1"]["work_email"], Value::Null, "the whole record is replaced");
        assert_ne!(before["1"]["changed_at"], after["1"]["changed_at"]);
        assert_eq!((&before["0"], &before["2"]), (&after["0"], &after["2"]));
        assert_eq!(bed.updated_after("hris_employees", moment).await, ["1"]);
    })
    .await;
}

#[tokio::test]
async fn a_link_alone_touches_and_does_not_change() {
    on_both(async |bed| {
        let groups = ["g1", "g2"].map(|id| bed.record("hris_teams", id, json!({"name": id})));
        bed.write(&groups).await;
        bed.write(&[bed.linked("hris_employees", "1", json!({}), &[("groups", &["g1"])])]).await;
        let before = bed.all("hris_employees").await;
        let moment = bed.tick();
        let moved = bed.linked("hris_employees", "1", json!({}), &[("groups", &["g2"])]);
        let sync = bed.sync().await;
        let outcome = sync.page("people", &[moved], None).await;
        sync.end().await;
        assert_eq!(outcome.updated, 1);
        let after = bed.all("hris_employees").await;
        assert_eq!(before["1"]["changed_at"], after["1"]["changed_at"]);
        assert_eq!(after["1"]["groups"][0]["name"], "g2");
        assert_eq!(bed.updated_after("hris_employees", moment).await, ["1"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_goes_on_where_it_stopped() {
    on_both(async |bed| {
        let store = &bed.store;
        let sync = bed.sync().await;
        sync.page("people", &people(&bed, 0..2), Some(&json!({"page": 2}))).await;
        sync.page("teams", &[], None).await;
        sync.page("people", &people(&bed, 2..4), Some(&json!({"page": 3}))).await;

        // The worker is gone; another one takes the job and the run.
        bed.clock.advance(SignedDuration::from_secs(61));
        let job = store.job_claim(&["sync"], 60_000).await.expect("a store").expect("the job");
        let log = store.run_start(&bed.scope, &sync.run.id).await.expect("a start");
        let run = store.run_get(&bed.scope, &sync.run.id).await.expect("a store").expect("the run");
        assert_eq!((run.state, run.interaction_id), (RunState::Running, Some(log)));
        assert!(
            run.started_at.expect("began") < bed.tick() - 60_000,
            "it began when it first began"
        );
        let mut streams = store.run_stream_progress(&bed.scope, &run.id).await.expect("a store");
        streams.sort_by(|a, b| a.stream.cmp(&b.stream));
        let people_so_far = &streams[0];
        assert_eq!(
            (people_so_far.pages, people_so_far.rows, people_so_far.complete),
            (2, 4, false)
        );
        assert_eq!(people_so_far.next, Some(json!({"page": 3})));
        assert!(streams[1].complete && streams[1].next.is_none());

        // What the first one still wanted to write does not count.
        let late = sync.try_page("people", &people(&bed, 7..9), &[], None, &sync.job).await;
        assert!(late.expect_err("its lease is lost").is_lease_lost());
        let late =
            store.records_delete_unseen(&bed.scope, &run.id, "hris_employees", &sync.job).await;
        assert_eq!(late.expect("nothing to do"), 0);

        sync.try_page("people", &people(&bed, 4..5), &[], None, &job).await.expect("stored");
        let deleted =
            store.records_delete_unseen(&bed.scope, &run.id, "hris_employees", &job).await;
        assert_eq!(deleted.expect("a store"), 0, "pages before the crash were seen too");
        assert_eq!(bed.all("hris_employees").await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_page_is_stored_whole_or_not_at_all() {
    on_both(async |bed| {
        let sync = bed.sync().await;
        bed.clock.advance(SignedDuration::from_secs(61));
        let taken = bed.store.job_claim(&["sync"], 60_000).await.expect("a store");
        assert!(taken.is_some());
        let issue = issue("1");
        let refused = sync.try_page("people", &people(&bed, 0..3), &[issue], None, &sync.job).await;
        assert!(refused.expect_err("the lease is lost").is_lease_lost());
        assert!(bed.all("hris_employees").await.is_empty());
        assert!(bed.store.issues_list(&bed.scope, 10).await.expect("a store").is_empty());
        let streams =
            bed.store.run_stream_progress(&bed.scope, &sync.run.id).await.expect("a store");
        assert!(streams.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_was_not_seen_is_deleted_and_can_come_back() {
    on_both(async |bed| {
        bed.write(&people(&bed, 0..600)).await;
        let moment = bed.tick();
        let sync = bed.sync().await;
        sync.page("people", &people(&bed, 0..200), Some(&json!(2))).await;
        sync.page("people", &people(&bed, 300..400), None).await;
        assert_eq!(sync.delete_unseen("hris_employees").await, 300);
        assert_eq!(sync.delete_unseen("hris_employees").await, 0, "once");
        sync.end().await;

        let count = async |deleted| {
            bed.store.records_count(&bed.scope, "hris_employees", deleted).await.expect("a store")
        };
        assert_eq!((count(false).await, count(true).await), (300, 600));
        let one = |id: &str| cadre_store::ListQuery {
            remote_ids: Some(vec![id.to_owned()]),
            include_deleted: true,
            ..everything()
        };
        let gone = bed.list("hris_employees", one("250")).await;
        assert_eq!(gone[0]["remote_deleted_at"], gone[0]["changed_at"]);
        assert!(
            bed.list("hris_employees", everything())
                .await
                .iter()
                .all(|r| r["remote_deleted_at"].is_null())
        );
        let changed = cadre_store::ListQuery {
            include_deleted: true,
            updated_after_ms: Some(moment),
            ..everything()
        };
        assert_eq!(
            bed.list("hris_employees", changed).await.len(),
            250,
            "and more on the next page"
        );

        let back = bed.write(&people(&bed, 250..251)).await;
        assert_eq!(back, PageOutcome { revived: 1, ..PageOutcome::default() });
        let back = bed.list("hris_employees", one("250")).await;
        assert_eq!(back[0]["remote_deleted_at"], Value::Null);
        assert_ne!(back[0]["changed_at"], gone[0]["changed_at"]);
    })
    .await;
}

#[tokio::test]
async fn a_remote_id_twice_is_an_issue_and_the_later_stays() {
    on_both(async |bed| {
        let named = |name: &str| bed.record("hris_employees", "1", json!({"first_name": name}));
        let sync = bed.sync().await;
        let outcome =
            sync.page("people", &[named("a"), named("b"), named("b")], Some(&json!(2))).await;
        assert_eq!(outcome.created, 1);
        let problems = async || {
            let issues = bed.store.issues_list(&bed.scope, 10).await.expect("a store");
            issues.into_iter().map(|issue| issue.problem).collect::<Vec<_>>()
        };
        assert_eq!(
            problems().await,
            ["duplicate_remote_id"],
            "within a page; the same twice is none"
        );
        bed.tick();
        sync.page("people", &[named("b")], Some(&json!(3))).await;
        assert_eq!(problems().await.len(), 1, "the same on a later page is none");
        sync.page("people", &[named("c")], None).await;
        assert_eq!(problems().await, ["duplicate_remote_id"; 2], "another on a later page");
        sync.end().await;
        assert_eq!(bed.all("hris_employees").await["1"]["first_name"], "c");
        bed.write(&[named("d")]).await;
        assert_eq!(problems().await.len(), 0, "a change between two runs is none");
    })
    .await;
}

fn issue(remote_id: &str) -> Issue {
    Issue {
        model: "hris_employees".into(),
        remote_id: Some(remote_id.into()),
        field: None,
        problem: "wrong_type".into(),
        expected: "a number".into(),
        got: "x".into(),
    }
}

#[tokio::test]
async fn issues_are_those_of_the_latest_run() {
    on_both(async |bed| {
        for id in ["1", "2"] {
            let sync = bed.sync().await;
            sync.try_page("people", &[], &[issue(id)], None, &sync.job).await.expect("stored");
            sync.end().await;
        }
        let issues = bed.store.issues_list(&bed.scope, 10).await.expect("a store");
        assert_eq!(issues, [issue("2")]);
    })
    .await;
}

#[tokio::test]
async fn the_runs_of_an_integration_are_listed() {
    on_both(async |bed| {
        let first = bed.sync().await;
        let first_id = first.run.id.clone();
        first.end().await;
        let second = bed.sync().await;
        let second_id = second.run.id.clone();
        second.end().await;
        let runs = bed.store.run_list(&bed.scope, 10).await.expect("a store");
        assert_eq!(
            runs.iter().map(|run| run.id.clone()).collect::<Vec<_>>(),
            [second_id.clone(), first_id]
        );
        assert!(runs.iter().all(|run| run.state == RunState::Succeeded && run.ended_at.is_some()));
        let log = runs[0].interaction_id.clone().expect("a log");
        let log =
            bed.store.interaction_get(&bed.tenant, &log).await.expect("a store").expect("there");
        assert!(log.ended_at.is_some());
        let stats = bed.store.records_stats(&bed.scope).await.expect("a store");
        assert!(stats.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_version_moves_with_every_change_and_only_then() {
    on_both(async |bed| {
        let version = async || {
            let fresh = bed.store.model_freshness(&bed.scope, "hris_employees").await;
            fresh.expect("the freshness").version
        };
        let nothing = version().await;
        bed.write(&people(&bed, 0..3)).await;
        let written = version().await;
        assert!(written > nothing);
        bed.tick();
        bed.write(&people(&bed, 0..3)).await;
        assert_eq!(version().await, written, "nothing changed");
        bed.tick();
        let sync = bed.sync().await;
        sync.page("stream", &people(&bed, 0..2), None).await;
        assert_eq!(version().await, written);
        assert_eq!(sync.delete_unseen("hris_employees").await, 1);
        assert!(version().await > written);
    })
    .await;
}
