//! How runs are queued and end: with their jobs, and only by whoever holds the lease.

use cadre_model::fault::Fault;
use cadre_store::{IntegrationStatus, NewRun, RunEnd, RunKind, RunState, RunTrigger, SetupStatus};
use jiff::SignedDuration;
use serde_json::json;

use crate::bed::on_both;

fn end(state: RunState) -> RunEnd {
    RunEnd { state, reason: None, fault: None::<Fault>, counts: json!({}) }
}

#[tokio::test]
async fn a_run_and_its_job_are_queued_and_end_together() {
    on_both(async |bed| {
        let store = &bed.store;
        let new = NewRun { kind: RunKind::Full, trigger: RunTrigger::ForceSync };
        let queued = (0..6).map(|_| {
            let (store, scope) = (store.clone(), bed.scope.clone());
            tokio::spawn(async move { store.run_enqueue(&scope, new, "sync").await })
        });
        let (mut made, mut ids) = (0, Vec::new());
        for queued in queued.collect::<Vec<_>>() {
            let (run, there) = queued.await.expect("no panic").expect("a store");
            made += u32::from(!there);
            ids.push(run.id);
        }
        ids.dedup();
        assert_eq!((made, ids.len()), (1, 1));
        assert_eq!(store.run_list(&bed.scope, 10).await.expect("a store").len(), 1);

        let job = store.job_claim(&["sync"], 60_000).await.expect("a store").expect("the job");
        store.run_start(&bed.scope, &ids[0]).await.expect("a start");
        let done = end(RunState::Succeeded);
        store.run_finish(&bed.scope, &ids[0], done, &job).await.expect("an end");
        assert!(!store.job_finish(&job).await.expect("a store"), "its job has ended with it");
        bed.clock.advance(SignedDuration::from_hours(1));
        assert!(store.job_claim(&["sync"], 60_000).await.expect("a store").is_none());

        store.run_start(&bed.scope, &ids[0]).await.expect("a store");
        let run = store.run_get(&bed.scope, &ids[0]).await.expect("a store").expect("the run");
        assert_eq!(run.state, RunState::Succeeded, "what has ended does not begin again");
        assert_eq!(store.history_prune(i64::MAX).await.expect("a store"), 1);
        assert!(store.run_latest(&bed.scope).await.expect("a store").is_none());
    })
    .await;
}

#[tokio::test]
async fn who_lost_the_lease_does_not_end_the_run() {
    on_both(async |bed| {
        let store = &bed.store;
        let sync = bed.sync().await;
        let person = bed.record("hris_employees", "1", json!({}));
        sync.page("people", &[person], None).await;
        bed.clock.advance(SignedDuration::from_secs(61));
        let next = store.job_claim(&["sync"], 60_000).await.expect("a store").expect("the job");
        let late = store
            .run_finish(&bed.scope, &sync.run.id, end(RunState::TimedOut), &sync.job)
            .await
            .expect_err("another worker has it");
        assert!(late.is_lease_lost());
        let unseen = store.records_unseen(&bed.scope, &sync.run.id, "hris_employees").await;
        assert_eq!(unseen.expect("a store"), 0, "what was seen is not forgotten");
        let done = end(RunState::Succeeded);
        store.run_finish(&bed.scope, &sync.run.id, done, &next).await.expect("an end");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_sync_looks_at_the_present_state() {
    on_both(async |bed| {
        let (store, scope) = (&bed.store, &bed.scope);
        let get = async || store.integration_get(scope).await.expect("a store").expect("there");
        let day = 24 * 3_600_000;
        store.integration_refused(scope, 3 * day, "401").await.expect("set");
        assert_eq!(get().await.status, IntegrationStatus::Active);
        bed.clock.advance(SignedDuration::from_hours(73));
        store.integration_refused(scope, 3 * day, "401").await.expect("set");
        let now = get().await;
        assert_eq!((now.status, now.next_sync_at), (IntegrationStatus::Invalid, None));

        store.integration_drop_accept(scope).await.expect("set");
        store.integration_synced(scope, 0, false, false).await.expect("set");
        let now = get().await;
        assert_eq!(
            (now.status, now.setup_status),
            (IntegrationStatus::Active, SetupStatus::Completed)
        );
        assert!(now.drop_accepted, "it was accepted while the sync went on");
        assert!(now.next_sync_at.is_some() && now.auth_failing_since.is_none());

        store.integration_status_set(scope, IntegrationStatus::Inactive, None).await.expect("set");
        store.integration_setup_status_set(scope, SetupStatus::Incomplete).await.expect("set");
        store.integration_synced(scope, 0, true, true).await.expect("set");
        let now = get().await;
        assert_eq!(now.status, IntegrationStatus::Inactive, "what was switched off stays off");
        assert_eq!(now.setup_status, SetupStatus::Incomplete, "steps that are open stay open");
        assert!(!now.drop_accepted);

        store.integration_next_sync_set(scope, Some(0)).await.expect("set");
        store.integration_next_sync_later(scope).await.expect("set");
        let now = get().await;
        assert_eq!(now.next_sync_at, Some(bed.tick() - 1_000 + now.sync_interval_ms));
    })
    .await;
}
