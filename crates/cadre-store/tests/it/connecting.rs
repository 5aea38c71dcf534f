//! Links for end customers, and what tools granted.

use std::collections::BTreeMap;

use cadre_model::secret::Secret;
use cadre_store::{
    Agreed, EndUser, Error, LinkPurpose, LinkRequest, LinkType, MasterKey, NewConnectLink,
    NewIntegration, StoredGrant,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::bed::on_both;

fn new_link() -> NewConnectLink {
    NewConnectLink {
        purpose: LinkPurpose::Connect,
        link_type: LinkType::Embedded,
        integration_id: None,
        request: LinkRequest { category: "HRIS".into(), ..LinkRequest::default() },
    }
}

fn account() -> NewIntegration {
    NewIntegration {
        tool: "t".into(),
        category: "HRIS".into(),
        suffix: None,
        end_user: EndUser::default(),
        settings: json!({}),
        secrets: BTreeMap::new(),
        scope_config_id: None,
        mapping: None,
    }
}

fn grant(word: &str) -> StoredGrant {
    StoredGrant {
        access_token: Secret::new(format!("access-{word}")),
        refresh_token: Some(Secret::new(format!("refresh-{word}"))),
        expires_at: Some(7),
    }
}

#[tokio::test]
async fn a_link_makes_one_integration() {
    on_both(async |bed| {
        let store = &bed.store;
        let (token, _) = store.connect_link_create(&bed.tenant, new_link()).await.expect("a link");
        let open = async || store.connect_link_open(token.expose()).await.expect("a store");
        let (scope, link) = open().await.expect("a link");
        assert_eq!(scope.id(), bed.tenant.id());
        assert!(store.connect_link_open(&link.id).await.expect("a store").is_none(), "no token");
        let agreed = Agreed { link_id: Some(link.id.clone()), ..Agreed::default() };
        let make =
            async || store.integration_create_agreed(&bed.tenant, account(), agreed.clone()).await;
        let before = store.integration_list(&bed.tenant).await.expect("a store").len();
        let made = make().await.expect("an integration");
        assert!(matches!(make().await, Err(Error::LinkUsed)), "a second time");
        let after = store.integration_list(&bed.tenant).await.expect("a store").len();
        assert_eq!(after, before + 1, "nothing is left of the second try");
        let (_, link) = open().await.expect("it can still be looked at");
        assert_eq!(link.integration_id.as_deref(), Some(made.id.as_str()));
        assert!(store.connect_link_list(&bed.other, 9).await.expect("a store").is_empty());

        let (late, _) = store.connect_link_create(&bed.tenant, new_link()).await.expect("a link");
        let (_, late) =
            store.connect_link_open(late.expose()).await.expect("a store").expect("a link");
        bed.clock.advance(SignedDuration::from_hours(2));
        let agreed = Agreed { link_id: Some(late.id), ..Agreed::default() };
        let ended = store.integration_create_agreed(&bed.tenant, account(), agreed).await;
        assert!(matches!(ended, Err(Error::LinkUsed)), "it has ended");
    })
    .await;
}

#[tokio::test]
async fn one_renews_a_grant_at_a_time() {
    on_both(async |bed| {
        let store = &bed.store;
        let agreed = Agreed { grant: Some(grant("a")), ..Agreed::default() };
        let made = store.integration_create_agreed(&bed.tenant, account(), agreed).await;
        let id = made.expect("an integration").id;
        let scope = store.integration_scope(&bed.tenant, &id).await.expect("a store");
        let scope = scope.expect("a scope");
        assert_eq!(store.grant_get(&scope).await.expect("a store"), Some(grant("a")));
        let lease = store.grant_lease(&scope, 1_000).await.expect("a store").expect("a lease");
        assert!(store.grant_lease(&scope, 1_000).await.expect("a store").is_none());
        store.grant_renewed(&scope, &lease, Some(&grant("b"))).await.expect("stored");
        assert_eq!(store.grant_get(&scope).await.expect("a store"), Some(grant("b")));

        // Whoever took too long has lost it, and stores nothing.
        let slow = store.grant_lease(&scope, 1_000).await.expect("a store").expect("a lease");
        bed.clock.advance(SignedDuration::from_secs(2));
        let quick = store.grant_lease(&scope, 1_000).await.expect("a store").expect("a lease");
        let lost = store.grant_renewed(&scope, &slow, Some(&grant("c"))).await;
        assert!(lost.is_err_and(|error| error.is_lease_lost()));
        store.grant_renewed(&scope, &quick, None).await.expect("given back");
        assert_eq!(store.grant_get(&scope).await.expect("a store"), Some(grant("b")));

        store.master_key_rotate(&MasterKey::random()).await.expect("rotated");
        assert!(store.grant_get(&scope).await.is_err(), "only the new master key opens it");
        store.integration_delete(&scope).await.expect("deleted");
        assert!(store.grant_get(&scope).await.expect("a store").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_consent_is_used_once() {
    on_both(async |bed| {
        let store = &bed.store;
        store.consent_begin("word", b"kept", 1_000).await.expect("kept");
        assert_eq!(
            store.consent_peek("word").await.expect("a store").as_deref(),
            Some(&b"kept"[..])
        );
        assert_eq!(
            store.consent_take("word").await.expect("a store").as_deref(),
            Some(&b"kept"[..])
        );
        assert!(store.consent_take("word").await.expect("a store").is_none());
        store.consent_begin("late", b"kept", 1_000).await.expect("kept");
        bed.clock.advance(SignedDuration::from_secs(2));
        assert!(store.consent_take("late").await.expect("a store").is_none());
    })
    .await;
}
