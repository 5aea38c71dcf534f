//! Environments, keys, integrations, credentials, log-ins: who may see what.

use std::collections::BTreeMap;

use cadre_model::secret::Secret;
use cadre_store::{
    Error, IntegrationStatus, InteractionFilter, KeyCheck, MasterKey, NewKey, QaStatus, Setting,
    SetupStatus, Store,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::bed::{everything, integration, on_both, options, record};

#[tokio::test]
async fn nobody_sees_another_environment() {
    on_both(async |bed| {
        let store = &bed.store;
        // The same remote id in both integrations: two records.
        bed.write(&[bed.record("hris_employees", "1", json!({"first_name": "Ann"}))]).await;
        let theirs = record(&bed.foreign, "hris_employees", "1", json!({"first_name": "Bob"}), &[]);
        let sync = bed.sync_of(&bed.foreign).await;
        sync.page("people", std::slice::from_ref(&theirs), None).await;
        let (run, interaction) = (sync.run.id.clone(), sync.job.clone());
        sync.end().await;

        let mine = bed.all("hris_employees").await;
        assert_eq!(mine.len(), 1);
        assert_eq!(mine["1"]["first_name"], "Ann");
        let asked = cadre_store::ListQuery { ids: Some(vec![theirs.id.clone()]), ..everything() };
        assert!(bed.list("hris_employees", asked).await.is_empty(), "by an id of somebody else");

        assert!(
            store
                .integration_scope(&bed.tenant, bed.foreign.id())
                .await
                .expect("a store")
                .is_none()
        );
        assert_eq!(store.integration_list(&bed.tenant).await.expect("a store").len(), 1);
        assert!(store.run_get(&bed.scope, &run).await.expect("a store").is_none());
        assert!(store.run_stream_progress(&bed.scope, &run).await.expect("a store").is_empty());
        let theirs = store.run_latest(&bed.foreign).await.expect("a store").expect("their run");
        let log = theirs.interaction_id.expect("a log");
        assert!(store.interaction_get(&bed.tenant, &log).await.expect("a store").is_none());
        assert!(store.interaction_get(&bed.other, &log).await.expect("a store").is_some());
        let filter = InteractionFilter { limit: 100, ..InteractionFilter::default() };
        let listed = store.interaction_list(&bed.tenant, &filter).await.expect("a store");
        assert!(listed.iter().all(|one| one.environment_id == bed.tenant.id()));
        let (key, _) = store.api_key_create(&bed.other, NewKey::default()).await.expect("a key");
        assert!(!store.api_key_revoke(&bed.tenant, &key.id).await.expect("a store"));
        assert!(interaction.integration_id.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_sync_deletes_only_its_own() {
    on_both(async |bed| {
        bed.write(&[bed.record("hris_employees", "1", json!({}))]).await;
        let sync = bed.sync_of(&bed.foreign).await;
        sync.page("people", &[], None).await;
        assert_eq!(sync.delete_unseen("hris_employees").await, 0);
        sync.end().await;
        assert_eq!(bed.all("hris_employees").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn keys_end_and_are_revoked_at_once() {
    on_both(async |bed| {
        let store = &bed.store;
        let now = bed.tick();
        let new = NewKey {
            name: "ci".into(),
            expires_at: Some(now + 5_000),
            allow_list: vec!["10.0.0.0/8".into()],
        };
        let (key, plain) = store.api_key_create(&bed.tenant, new).await.expect("a key");
        assert!(plain.expose().starts_with("ks_prod_"), "production");
        let (_, other) = store.api_key_create(&bed.other, NewKey::default()).await.expect("a key");
        assert!(other.expose().starts_with("ks_dev_"), "development");

        let check = store.api_key_authenticate(plain.expose()).await.expect("a store");
        let KeyCheck::Valid(valid) = check else { panic!("{check:?}") };
        assert_eq!((valid.scope.id(), valid.scope.slug()), (bed.tenant.id(), "production"));
        assert_eq!((valid.name.as_str(), valid.allow_list), ("ci", vec!["10.0.0.0/8".to_owned()]));

        bed.clock.advance(SignedDuration::from_secs(5));
        let check = store.api_key_authenticate(plain.expose()).await.expect("a store");
        assert!(matches!(check, KeyCheck::Expired { at } if at == now + 5_000), "{check:?}");
        let check = store.api_key_authenticate("ks_prod_nonsense").await.expect("a store");
        assert!(matches!(check, KeyCheck::Unknown), "{check:?}");

        let (second, plain) =
            store.api_key_create(&bed.tenant, NewKey::default()).await.expect("a key");
        assert!(store.api_key_revoke(&bed.tenant, &second.id).await.expect("a store"));
        assert!(!store.api_key_revoke(&bed.tenant, &second.id).await.expect("a store"), "twice");
        let check = store.api_key_authenticate(plain.expose()).await.expect("a store");
        assert!(matches!(check, KeyCheck::Revoked { .. }), "{check:?}");

        let listed = store.api_key_list(&bed.tenant).await.expect("a store");
        assert_eq!(listed.len(), 2);
        assert!(
            listed
                .iter()
                .all(|key| plain.expose() != key.prefix && key.prefix.starts_with("ks_prod_"))
        );
        assert_eq!(
            listed.iter().find(|one| one.id == key.id).expect("the first").last_used_at,
            None
        );
    })
    .await;
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_to_the_minute() {
    on_both(async |bed| {
        let store = &bed.store;
        let (key, _) = store.api_key_create(&bed.tenant, NewKey::default()).await.expect("a key");
        let used = async || {
            store.api_key_touch(&bed.tenant, &key.id).await.expect("a store");
            store.api_key_list(&bed.tenant).await.expect("a store")[0].last_used_at
        };
        let first = bed.tick();
        assert_eq!(used().await, Some(first));
        bed.tick();
        assert_eq!(used().await, Some(first));
        bed.clock.advance(SignedDuration::from_secs(90));
        let later = bed.tick();
        assert_eq!(used().await, Some(later));
    })
    .await;
}

#[tokio::test]
async fn credentials_come_back_and_are_nowhere_in_the_clear() {
    on_both(async |bed| {
        let store = &bed.store;
        let secrets = BTreeMap::from([("api_key".to_owned(), Secret::new("hunter2 ä\u{0}"))]);
        let scope = integration(store, &bed.tenant, "safe", secrets.clone()).await;
        assert!(store.integration_secrets(&scope).await.expect("a store") == secrets);
        let shown = format!("{:?}", store.integration_get(&scope).await.expect("a store"));
        assert!(!shown.contains("hunter2"));

        // Another master key opens nothing, and one that was rotated to opens everything.
        let next = MasterKey::random();
        let with_next =
            Store::open(&bed.url, options(bed.clock.clone(), next.clone())).await.expect("a store");
        let refused = with_next.integration_secrets(&scope).await;
        assert!(matches!(refused, Err(Error::Decrypt)));
        assert!(
            with_next.master_key_rotate(&MasterKey::random()).await.is_err(),
            "with a wrong key"
        );
        assert_eq!(store.master_key_rotate(&next).await.expect("rotated"), 3);
        assert!(with_next.integration_secrets(&scope).await.expect("a store") == secrets);
        assert!(matches!(store.integration_secrets(&scope).await, Err(Error::Decrypt)));
        with_next.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_integration_keeps_what_it_is_told() {
    on_both(async |bed| {
        let (store, scope) = (&bed.store, &bed.scope);
        let get =
            async || store.integration_get(scope).await.expect("a store").expect("the integration");
        let fresh = get().await;
        assert_eq!(
            (fresh.status, fresh.setup_status),
            (IntegrationStatus::Active, SetupStatus::FinalSyncPending)
        );
        assert_eq!((fresh.qa_status, fresh.first_synced_at), (QaStatus::Pending, None));

        store
            .integration_status_set(scope, IntegrationStatus::Invalid, Some("401"))
            .await
            .expect("set");
        store.integration_setup_status_set(scope, SetupStatus::Completed).await.expect("set");
        store.integration_qa_status_set(scope, QaStatus::Passed).await.expect("set");
        store.integration_mapping_set(scope, Some(&json!({"a": "ü"}))).await.expect("set");
        store.integration_next_sync_set(scope, None).await.expect("set");
        store.integration_auth_failing_set(scope, Some(7)).await.expect("set");
        store.integration_drop_accept(scope).await.expect("set");
        let now = get().await;
        assert_eq!(
            (now.status, now.status_reason.as_deref()),
            (IntegrationStatus::Invalid, Some("401"))
        );
        assert_eq!((now.setup_status, now.qa_status), (SetupStatus::Completed, QaStatus::Passed));
        assert_eq!((now.mapping, now.next_sync_at), (Some(json!({"a": "ü"})), None));
        assert_eq!((now.auth_failing_since, now.drop_accepted), (Some(7), true));
        assert!(
            store
                .integrations_due(i64::MAX, 10)
                .await
                .expect("a store")
                .iter()
                .all(|s| s.id() != scope.id())
        );

        store.integration_first_synced(scope, 10).await.expect("set");
        store.integration_first_synced(scope, 20).await.expect("set");
        let secrets = BTreeMap::from([("token".to_owned(), Secret::new("t"))]);
        store.integration_reconnect(scope, &json!({"url": "b"}), &secrets).await.expect("set");
        let now = get().await;
        assert_eq!((now.first_synced_at, now.drop_accepted), (Some(10), false));
        assert_eq!(
            (now.status, now.status_reason, now.auth_failing_since),
            (IntegrationStatus::Active, None, None)
        );
        assert_eq!(now.settings, json!({"url": "b"}));
        assert!(store.integration_secrets(scope).await.expect("a store") == secrets);
        let due = store.integrations_due(bed.tick(), 10).await.expect("a store");
        assert_eq!(due.iter().map(|scope| scope.id()).collect::<Vec<_>>(), [scope.id()]);

        store.integration_delete(scope).await.expect("deleted");
        assert!(store.integration_secrets(scope).await.expect("a store").is_empty());
        assert!(store.integration_scope(&bed.tenant, scope.id()).await.expect("a store").is_none());
        assert!(store.integration_list(&bed.tenant).await.expect("a store").is_empty());
        assert!(get().await.deleted_at.is_some(), "jobs still see that it was deleted");
    })
    .await;
}

#[tokio::test]
async fn scope_configurations_are_made_once_and_changed() {
    on_both(async |bed| {
        let store = &bed.store;
        let first = store.scope_config_default(&bed.tenant).await.expect("a store");
        let again = store.scope_config_default(&bed.tenant).await.expect("a store");
        assert_eq!(first.id, again.id);
        assert_eq!(first.model("hris_employees"), Setting::Enabled);
        let settings = json!({"models": {"hris_employees": {"setting": "OPTIONAL", "fields": {"ssn": "DISABLED"}}}});
        assert!(store.scope_config_update(&bed.tenant, &first.id, &settings).await.expect("a store"));
        assert!(!store.scope_config_update(&bed.other, &first.id, &settings).await.expect("a store"), "of another");
        let integration = store.integration_get(&bed.scope).await.expect("a store").expect("the integration");
        let config = store.scope_config_of(&bed.tenant, &integration).await.expect("a store");
        assert_eq!(config.model("hris_employees"), Setting::Optional);
        assert!(!config.field_enabled("hris_employees", "ssn") && config.field_enabled("hris_employees", "iban"));
    })
    .await;
}

#[tokio::test]
async fn a_login_link_works_once_and_a_session_ends() {
    on_both(async |bed| {
        let store = &bed.store;
        let link = store.login_link_create().await.expect("a link");
        assert!(
            store.session_check(link.expose()).await.expect("a store").is_none(),
            "a link is no session"
        );
        let session =
            store.login_link_redeem(link.expose()).await.expect("a store").expect("a session");
        assert!(store.login_link_redeem(link.expose()).await.expect("a store").is_none(), "twice");
        assert!(store.session_check(session.expose()).await.expect("a store").is_some());
        assert!(
            store.login_link_redeem(session.expose()).await.expect("a store").is_none(),
            "a session is no link"
        );
        store.session_end(session.expose()).await.expect("a store");
        assert!(store.session_check(session.expose()).await.expect("a store").is_none());

        let (old, fresh) = (store.login_link_create().await.expect("a link"), bed.tick());
        assert!(fresh > 0);
        bed.clock.advance(SignedDuration::from_hours(2));
        assert!(store.login_link_redeem(old.expose()).await.expect("a store").is_none(), "too old");
    })
    .await;
}
