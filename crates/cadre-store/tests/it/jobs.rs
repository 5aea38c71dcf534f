//! The queue: who gets a job, and who has lost it.

use std::collections::BTreeSet;

use cadre_store::{Enqueue, NewJob};
use jiff::SignedDuration;
use serde_json::json;

use crate::bed::{new_job, on_both};

#[tokio::test]
async fn one_of_a_kind_and_key_is_open() {
    on_both(async |bed| {
        let store = &bed.store;
        let queued = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(
                async move { store.job_enqueue(new_job("sync", "a")).await.expect("a store") },
            )
        });
        let mut ids = BTreeSet::new();
        for queued in queued.collect::<Vec<_>>() {
            if let Enqueue::New(id) = queued.await.expect("no panic") {
                ids.insert(id);
            }
        }
        assert_eq!(ids.len(), 1, "{ids:?}");
        let other = store.job_enqueue(new_job("sync", "b")).await.expect("a store");
        assert!(matches!(other, Enqueue::New(_)));

        let job = store.job_claim(&["sync"], 1_000).await.expect("a store").expect("a job");
        let there = store.job_enqueue(new_job("sync", &job.key)).await.expect("a store");
        assert!(
            matches!(there, Enqueue::AlreadyThere(there) if there.id == job.id),
            "while it is done"
        );
        assert!(store.job_finish(&job).await.expect("a store"));
        let again = store.job_enqueue(new_job("sync", &job.key)).await.expect("a store");
        assert!(matches!(again, Enqueue::New(_)), "once it is done");
    })
    .await;
}

#[tokio::test]
async fn a_job_is_claimed_once() {
    on_both(async |bed| {
        let store = &bed.store;
        for number in 0..30 {
            store.job_enqueue(new_job("sync", &number.to_string())).await.expect("a store");
        }
        let workers = (0..6).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut keys = Vec::new();
                while let Some(job) =
                    store.job_claim(&["other", "sync"], 60_000).await.expect("a store")
                {
                    keys.push(job.key);
                }
                keys
            })
        });
        let mut keys = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            keys.extend(worker.await.expect("no panic"));
        }
        let distinct: BTreeSet<_> = keys.iter().collect();
        assert_eq!((keys.len(), distinct.len()), (30, 30));
    })
    .await;
}

#[tokio::test]
async fn jobs_wait_for_their_time_and_the_oldest_is_first() {
    on_both(async |bed| {
        let store = &bed.store;
        let now = bed.tick();
        for (key, at) in [("late", now + 5_000), ("second", now - 1_000), ("first", now - 2_000)] {
            let job = NewJob { run_at: Some(at), ..new_job("sync", key) };
            store.job_enqueue(job).await.expect("a store");
        }
        let mut keys = Vec::new();
        while let Some(job) = store.job_claim(&["sync"], 60_000).await.expect("a store") {
            assert_eq!((&job.payload, job.attempts), (&json!({"n": 1}), 1));
            keys.push(job.key);
        }
        assert_eq!(keys, ["first", "second"]);
        bed.clock.advance(SignedDuration::from_secs(5));
        let late =
            store.job_claim(&["sync"], 60_000).await.expect("a store").expect("the late one");
        assert_eq!(late.key, "late");
    })
    .await;
}

#[tokio::test]
async fn who_lost_the_lease_can_do_nothing_more() {
    on_both(async |bed| {
        let store = &bed.store;
        let first = bed.job("sync", "a").await;
        assert!(store.job_extend(&first, 2_000).await.expect("a store"));
        assert!(
            store.job_claim(&["sync"], 1_000).await.expect("a store").is_none(),
            "it is being done"
        );
        bed.clock.advance(SignedDuration::from_secs(3));
        let second = store
            .job_claim(&["sync"], 60_000)
            .await
            .expect("a store")
            .expect("its lease has ended");
        assert_eq!((&second.id, second.attempts), (&first.id, 2));
        assert!(!store.job_extend(&first, 1_000).await.expect("a store"));
        assert!(!store.job_retry(&first, 0, "no").await.expect("a store"));
        assert!(!store.job_dead(&first, "no").await.expect("a store"));
        assert!(!store.job_finish(&first).await.expect("a store"));
        assert!(store.job_retry(&second, 0, "later").await.expect("a store"));
        let third = store.job_claim(&["sync"], 60_000).await.expect("a store").expect("given back");
        assert_eq!(third.attempts, 3);
        assert!(store.job_dead(&third, "no more").await.expect("a store"));
        assert!(
            store.job_claim(&["sync"], 1_000).await.expect("a store").is_none(),
            "it has ended"
        );
    })
    .await;
}
