//! Limits are those of all processes together.

use std::time::Duration;

use cadre_model::fault::Code;
use cadre_store::NewKey;
use cadre_web::{WebSettings, router};
use jiff::SignedDuration;

use crate::app::{TestApp, on_both};

const PATH: &str = "/v1/check-api-key";

#[tokio::test]
async fn two_processes_share_a_quota() {
    let settings = WebSettings { requests_per_minute_per_key: 10, ..WebSettings::default() };
    on_both(settings.clone(), async |app: TestApp| {
        let other = router(app.replica(settings.clone(), |_| {}));
        let mut admitted = 0;
        for turn in 0..16 {
            let call = app.request("GET", PATH).key(&app.tenant.key);
            let call = if turn % 3 == 0 { call.to(&other) } else { call };
            let answer = call.send().await;
            let left = if answer.status == 200 {
                admitted += 1;
                10 - admitted
            } else {
                answer.refused("general", "PLATFORM.RATE_LIMIT_EXCEEDED", 429);
                assert_eq!(answer.header("retry-after"), Some("60"));
                0
            };
            let expected = format!("\"key\";r={left};t=60");
            assert_eq!(answer.header("ratelimit"), Some(expected.as_str()));
            assert_eq!(answer.header("ratelimit-policy"), Some("\"key\";q=10;w=60"));
        }
        assert_eq!(admitted, 10);
        app.clock.advance(SignedDuration::from_mins(1));
        let again = app.request("GET", PATH).key(&app.tenant.key).to(&other).send().await;
        assert_eq!(again.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_large_quota_is_shared_out_and_never_exceeded() {
    let settings =
        WebSettings { requests_per_minute_per_environment: 400, ..WebSettings::default() };
    on_both(settings.clone(), async |app: TestApp| {
        let other = router(app.replica(settings.clone(), |_| {}));
        let asked = (0..500).map(|turn| {
            let call = app.request("GET", PATH).key(&app.tenant.key);
            if turn % 2 == 0 { call.to(&other).send() } else { call.send() }
        });
        let answers = futures::future::join_all(asked).await;
        let admitted = answers.iter().filter(|answer| answer.status == 200).count();
        // What one process took and did not use in the end is small.
        assert!((370..=400).contains(&admitted), "{admitted}");
        // The window of the other environment is its own.
        let answer = app.request("GET", PATH).key(&app.other.key).send().await;
        assert_eq!(answer.status, 200);
        assert!(
            answer
                .header("ratelimit-policy")
                .is_some_and(|one| one == "\"environment\";q=400;w=60")
        );
    })
    .await;
}

#[tokio::test]
async fn two_processes_share_the_room_for_live_work() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let other = app.replica(WebSettings::default(), |_| {});
        let scope = app.integration(&app.tenant.ats).await;
        let mut slots = Vec::new();
        for turn in 0..30 {
            let state = if turn % 2 == 0 { &app.state } else { &other };
            let slot = state.live_slot(&scope).await.expect("room");
            assert_eq!(slot.remaining, 29 - turn);
            slots.push(slot);
        }
        for state in [&app.state, &other] {
            let Err(full) = state.live_slot(&scope).await else { panic!("there is no room") };
            assert_eq!(full.code, Code::PlatformConcurrencyLimitExceeded);
            assert_eq!(full.retry_after_seconds, Some(1));
        }
        let elsewhere = app.integration(&app.tenant.hris).await;
        other.live_slot(&elsewhere).await.expect("another integration").release().await;
        slots.swap_remove(0).release().await;
        slots.push(other.live_slot(&scope).await.expect("room again"));
        // A caller who hangs up gives back as well, a moment later.
        drop(slots.pop());
        let mut freed = false;
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            freed = app.store.live_slots(&scope).await.expect("a store") == 29;
            if freed {
                break;
            }
        }
        assert!(freed);
        // What a process took that was killed is free when its time is over.
        slots.into_iter().for_each(std::mem::forget);
        app.clock.advance(SignedDuration::from_mins(5));
        assert_eq!(other.live_slot(&scope).await.expect("room").remaining, 29);
    })
    .await;
}

#[tokio::test]
async fn keys_end_at_once_and_environments_have_addresses_too() {
    let settings = WebSettings { trusted_proxies: vec!["10.0.0.0/8".into()], ..Default::default() };
    on_both(settings.clone(), async |app: TestApp| {
        let other = router(app.replica(settings.clone(), |_| {}));
        let expires_at = Some(cadre_model::time::Clock::now_ms(&*app.clock) + 60_000);
        let new = NewKey { name: "short".into(), expires_at, allow_list: vec![] };
        let (key, plain) = app.store.api_key_create(&app.tenant.scope, new).await.expect("a key");
        let ask = |plain: &str| app.request("GET", PATH).key(plain).to(&other);
        assert_eq!(ask(plain.expose()).send().await.status, 200);
        app.clock.advance(SignedDuration::from_mins(1));
        let message = ask(plain.expose()).send().await;
        let message = message.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
        assert!(message.contains("expired"), "{message}");

        let new = NewKey { name: "gone".into(), expires_at: None, allow_list: vec![] };
        let (gone, plain) = app.store.api_key_create(&app.tenant.scope, new).await.expect("a key");
        assert_eq!(ask(plain.expose()).send().await.status, 200);
        assert_ne!(gone.id, key.id);
        assert!(app.store.api_key_revoke(&app.tenant.scope, &gone.id).await.expect("a store"));
        let message = ask(plain.expose()).send().await;
        let message = message.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
        assert!(message.contains("revoked"), "{message}");

        let allowed = vec!["203.0.113.0/24".to_owned()];
        let restrict = app.store.environment_allow_list_set(&app.tenant.scope, &allowed);
        restrict.await.expect("a store");
        let from = |address: &str, named: &str| {
            ask(&app.tenant.key).from(address).header("x-forwarded-for", named)
        };
        assert_eq!(from("203.0.113.9:1", "").send().await.status, 200);
        assert_eq!(from("10.1.2.3:1", "203.0.113.9").send().await.status, 200);
        for (address, named) in [("198.51.100.1:1", "203.0.113.9"), ("10.1.2.3:1", "")] {
            let answer = from(address, named).send().await;
            let message = answer.refused("general", "PLATFORM.IP_NOT_WHITELISTED", 403);
            assert!(message.contains("Keys of this environment"), "{message}");
        }
        assert_eq!(ask(&app.other.key).send().await.status, 200);
    })
    .await;
}
