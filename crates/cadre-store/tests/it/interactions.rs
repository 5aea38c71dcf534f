//! The log.

use cadre_model::fault::{Code, Fault};
use cadre_store::{ExchangeRow, InteractionFilter, InteractionKind, NewInteraction};
use serde_json::json;

use crate::bed::on_both;

fn exchange(url: &str) -> ExchangeRow {
    ExchangeRow {
        seq: 0,
        at: 5,
        method: "GET".into(),
        url: url.into(),
        request_headers: json!({"accept": "application/json"}),
        request_body: None,
        status: Some(200),
        response_headers: json!({}),
        response_body: Some("{}".into()),
        duration_ms: 12,
        rule: None,
        error: None,
    }
}

#[tokio::test]
async fn the_log_is_found_by_what_it_says() {
    on_both(async |bed| {
        let store = &bed.store;
        let of = |title: &str, at: i64| NewInteraction {
            environment_id: bed.tenant.id().to_owned(),
            integration_id: Some(bed.scope.id().to_owned()),
            title: title.to_owned(),
            ..NewInteraction::new(InteractionKind::Api, at)
        };
        let good = NewInteraction { status: Some(200), ended_at: Some(130), ..of("good", 100) };
        let fault = Fault::new(Code::PlatformInputInvalid, "no such thing").context("only here");
        let bad = NewInteraction { status: Some(400), fault: Some(fault), ..of("bad", 200) };
        let part = NewInteraction { parent_id: Some(bad.id.clone()), ..of("part", 210) };
        for one in [&good, &bad, &part] {
            store.interaction_write(one.clone()).await.expect("written");
        }
        store.exchange_write(&bad.id, &[exchange("a"), exchange("b")]).await.expect("written");
        store.exchange_write(&bad.id, &[exchange("c")]).await.expect("written");

        let titles = async |filter: InteractionFilter| -> Vec<String> {
            let filter = InteractionFilter { limit: 10, ..filter };
            let found = store.interaction_list(&bed.tenant, &filter).await.expect("a store");
            found.into_iter().map(|one| one.title).collect()
        };
        assert_eq!(titles(InteractionFilter::default()).await, ["part", "bad", "good"]);
        let code = Some("PLATFORM.INPUT_INVALID".to_owned());
        assert_eq!(titles(InteractionFilter { code, ..Default::default() }).await, ["bad"]);
        assert_eq!(titles(InteractionFilter { failed: true, ..Default::default() }).await, ["bad"]);
        assert_eq!(
            titles(InteractionFilter { before: Some(200), ..Default::default() }).await,
            ["good"]
        );
        let kind = Some(InteractionKind::Sync);
        assert!(titles(InteractionFilter { kind, ..Default::default() }).await.is_empty());
        let children = store.interaction_children(&bed.tenant, &bad.id).await.expect("a store");
        assert_eq!(children.len(), 1);

        let read =
            store.interaction_get(&bed.tenant, &bad.id).await.expect("a store").expect("there");
        assert_eq!((read.status, read.message.as_deref()), (Some(400), Some("no such thing")));
        assert_eq!(read.context.as_deref(), Some("only here"));
        let read =
            store.interaction_get(&bed.tenant, &good.id).await.expect("a store").expect("there");
        assert_eq!((read.duration_ms, read.code), (Some(30), None));
        let exchanges = store.exchange_list(&bed.tenant, &bad.id).await.expect("a store");
        let urls: Vec<_> = exchanges.iter().map(|one| (one.seq, one.url.as_str())).collect();
        assert_eq!(urls, [(0, "a"), (1, "b"), (2, "c")]);
        assert!(
            store.exchange_list(&bed.other, &bad.id).await.expect("a store").is_empty(),
            "of another"
        );

        assert_eq!(store.interactions_prune(205).await.expect("a store"), 2);
        assert_eq!(titles(InteractionFilter::default()).await, ["part"]);
    })
    .await;
}

#[tokio::test]
async fn what_tools_send_can_always_be_logged() {
    on_both(async |bed| {
        let store = &bed.store;
        let log = NewInteraction {
            environment_id: bed.tenant.id().to_owned(),
            title: "a\u{0}b".into(),
            path: Some("/v1/\u{0}".into()),
            fault: Some(Fault::new(Code::RemoteServiceUnavailable, "said \u{0}").context("\u{0}")),
            ..NewInteraction::new(InteractionKind::Api, 1)
        };
        store.interaction_write(log.clone()).await.expect("written");
        let row = ExchangeRow {
            request_body: Some("\u{0}".into()),
            response_body: Some("PK\u{3}\u{4}\u{0}\u{0}".into()),
            error: Some("\u{0}".into()),
            ..exchange("https://example.com/\u{0}")
        };
        store.exchange_write(&log.id, &[row]).await.expect("written");
        let rows = store.exchange_list(&bed.tenant, &log.id).await.expect("a store");
        assert!(rows[0].response_body.as_deref().expect("a body").starts_with("PK\u{3}\u{4}"));
    })
    .await;
}
