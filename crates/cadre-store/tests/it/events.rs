//! The ledger and the endpoints that read it: numbers, leases, keys, what is removed when.

use cadre_model::secret::Secret;
use cadre_store::{
    Endpoint, EndpointChange, EndpointState, EventFilter, EventType, MasterKey, NewEndpoint,
    NewEvent, Replay, Store, new_secret,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::bed::{Bed, on_both, options};

fn event(subject: &str) -> NewEvent {
    NewEvent {
        event_type: EventType::DataChanged,
        integration_id: None,
        subject: Some(subject.to_owned()),
        payload: json!({ "subject": subject }),
    }
}

async fn endpoint(bed: &Bed) -> Endpoint {
    let new = NewEndpoint {
        url: "https://example.com/".into(),
        types: vec![EventType::DataChanged],
        numbered: true,
        secret: new_secret(),
        after: None,
    };
    bed.store.endpoint_create(&bed.tenant, new).await.expect("an endpoint")
}

#[tokio::test]
async fn places_have_no_gap_however_many_write() {
    on_both(async |bed| {
        let before = bed.store.event_head(&bed.tenant).await.expect("a store");
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (store, scope) = (bed.store.clone(), bed.tenant.clone());
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let two = [event(&writer.to_string()), event("all")];
                        store.events_append(&scope, &two).await.expect("a store");
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("no panic");
        }
        let filter = EventFilter { after: before, limit: 1_000, ..EventFilter::default() };
        let events = bed.store.event_list(&bed.tenant, &filter).await.expect("a store");
        let places: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        assert_eq!(places, (before + 1..=before + 160).collect::<Vec<_>>());
        let theirs = bed.store.event_list(&bed.other, &filter).await.expect("a store");
        assert!(theirs.is_empty(), "another environment has a ledger of its own");
    })
    .await;
}

#[tokio::test]
async fn numbers_are_given_once() {
    on_both(async |bed| {
        let store = &bed.store;
        let endpoint = endpoint(&bed).await;
        let other = NewEvent { event_type: EventType::SyncFinished, ..event("a") };
        let three = [event("a"), other, event("b")];
        store.events_append(&bed.tenant, &three).await.expect("a store");
        let leased = store.endpoint_claim(10_000).await.expect("a store").expect("work");
        assert!(store.endpoint_claim(10_000).await.expect("a store").is_none(), "it is held");
        assert_eq!(store.deliveries_number(&leased, 2).await.expect("a store"), 2);
        assert_eq!(store.deliveries_number(&leased, 2).await.expect("a store"), 1);
        assert_eq!(store.deliveries_number(&leased, 2).await.expect("a store"), 0);
        let due = store.deliveries_due(&leased, 10).await.expect("a store");
        let numbers: Vec<i64> = due.iter().map(|due| due.delivery.sequence).collect();
        assert_eq!(numbers, [1, 2], "one of a type that is not wanted has no number");

        // Whoever vanished: somebody else goes on, and the first one is not heard any more.
        bed.clock.advance(SignedDuration::from_secs(11));
        let next = store.endpoint_claim(10_000).await.expect("a store").expect("work");
        assert!(store.deliveries_number(&leased, 2).await.expect_err("lost").is_lease_lost());
        assert_eq!(store.deliveries_due(&next, 10).await.expect("a store").len(), 2);
        store.endpoint_release(&leased, None).await.expect("nothing happens");
        assert!(store.endpoint_extend(&next, 10_000).await.expect("a store"));

        // What is told again keeps its number; what was not wanted then gets one.
        let all = EndpointChange { types: Some(Vec::new()), ..EndpointChange::default() };
        let id = endpoint.id.as_str();
        store.endpoint_change(&bed.tenant, id, all).await.expect("a store").expect("there");
        let replay = Replay::Events { after: 0, until: None };
        let nobody = store.deliveries_replay(&bed.other, id, replay).await.expect("a store");
        assert!(nobody.is_none(), "somebody else's");
        let done = store.deliveries_replay(&bed.tenant, id, replay).await.expect("a store");
        let done = done.expect("there");
        // The link of the bed's integration stands before them.
        assert_eq!((done.again, done.new, done.more), (2, 2, false));
        let now = store.endpoint_get(&bed.tenant, id).await.expect("a store").expect("there");
        assert_eq!(now.last_sequence, 4);
        assert!(store.endpoint_delete(&bed.tenant, id).await.expect("a store"));
        assert!(store.deliveries_number(&next, 1).await.expect_err("gone").is_lease_lost());
    })
    .await;
}

#[tokio::test]
async fn what_came_while_it_was_held_is_not_forgotten() {
    on_both(async |bed| {
        let store = &bed.store;
        let endpoint = endpoint(&bed).await;
        store.events_append(&bed.tenant, &[event("a")]).await.expect("a store");
        let leased = store.endpoint_claim(10_000).await.expect("a store").expect("work");
        store.deliveries_number(&leased, 10).await.expect("a store");
        let replay = Replay::Deliveries { from: 1, to: 1 };
        store.deliveries_replay(&bed.tenant, &endpoint.id, replay).await.expect("a store");
        store.endpoint_release(&leased, None).await.expect("a store");
        let again = store.endpoint_claim(10_000).await.expect("a store");
        assert!(again.is_some(), "the replay made it due");
        store.endpoint_release(&again.expect("work"), None).await.expect("a store");
        assert!(store.endpoint_claim(10_000).await.expect("a store").is_none());
        let paused =
            EndpointChange { state: Some(EndpointState::Paused), ..EndpointChange::default() };
        store.endpoint_change(&bed.tenant, &endpoint.id, paused).await.expect("a store");
        store.events_append(&bed.tenant, &[event("a")]).await.expect("a store");
        assert!(store.endpoint_claim(10_000).await.expect("a store").is_none(), "it is paused");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_taken_yet_stays_however_old() {
    on_both(async |bed| {
        let store = &bed.store;
        let endpoint = endpoint(&bed).await;
        store.events_append(&bed.tenant, &[event("a"), event("b")]).await.expect("a store");
        let count = async || {
            let filter = EventFilter { limit: 100, ..EventFilter::default() };
            store.event_list(&bed.tenant, &filter).await.expect("a store").len()
        };
        let later = bed.tick() + 1;
        store.events_prune(later).await.expect("a store");
        assert_eq!(count().await, 2, "the link that nobody waits for is gone");
        let leased = store.endpoint_claim(10_000).await.expect("a store").expect("work");
        store.deliveries_number(&leased, 10).await.expect("a store");
        store.events_prune(later).await.expect("a store");
        assert_eq!(count().await, 2, "they wait to be delivered");
        store.endpoint_delete(&bed.tenant, &endpoint.id).await.expect("a store");
        store.events_prune(later).await.expect("a store");
        assert_eq!(count().await, 0);
        assert_eq!(
            store.event_head(&bed.tenant).await.expect("a store"),
            3,
            "places are not reused"
        );
    })
    .await;
}

#[tokio::test]
async fn secrets_are_sealed_and_follow_the_master_key() {
    on_both(async |bed| {
        let secret = Secret::from("a secret of sixteen");
        let new = NewEndpoint {
            url: "https://example.com/".into(),
            types: Vec::new(),
            numbered: true,
            secret: secret.clone(),
            after: None,
        };
        let made = bed.store.endpoint_create(&bed.tenant, new).await.expect("an endpoint");
        let to = MasterKey::random();
        bed.store.master_key_rotate(&to).await.expect("rotated");
        bed.store.endpoint_secrets(&bed.tenant, &made.id).await.expect_err("the old key is no key");
        let again = Store::open(&bed.url, options(bed.clock.clone(), to)).await.expect("a store");
        let read = again.endpoint_secrets(&bed.tenant, &made.id).await.expect("a store");
        assert_eq!(read.expect("there").current, secret);
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn whose_account_it_was_is_forgotten_with_it() {
    on_both(async |bed| {
        let filter = EventFilter {
            integration_id: Some(bed.scope.id().to_owned()),
            limit: 100,
            ..EventFilter::default()
        };
        let names = async || {
            let events = bed.store.event_list(&bed.tenant, &filter).await.expect("a store");
            let name = |event: &cadre_store::Event| {
                event.payload["end_user"]["organization_name"].as_str().expect("a name").to_owned()
            };
            events.iter().map(name).collect::<Vec<_>>()
        };
        bed.store.integration_delete(&bed.scope).await.expect("deleted");
        let before = names().await;
        assert!(before.len() == 2 && before.iter().all(|name| !name.is_empty()), "{before:?}");
        let later = bed.tick() + 1;
        bed.store.system_integrations_erase(later).await.expect("erased");
        assert_eq!(names().await, ["", ""]);
    })
    .await;
}
