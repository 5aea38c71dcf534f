//! Looking through the log and the integrations, and the figures of an overview.

use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_model::time::Clock as _;
use cadre_store::{
    CallsInHour, FailuresOfCode, IntegrationFilter, IntegrationState, IntegrationStatus,
    InteractionKind, LogFilter, LogPlace, NewInteraction, QaStatus, SetupStatus,
};

use crate::bed::{Bed, on_both};

async fn happened(bed: &Bed, kind: InteractionKind, code: Option<Code>, at: i64) -> String {
    let interaction = NewInteraction {
        environment_id: bed.tenant.id().to_owned(),
        integration_id: Some(bed.scope.id().to_owned()),
        fault: code.map(|code| Fault::new(code, "words")),
        ended_at: Some(at + 5),
        ..NewInteraction::new(kind, at)
    };
    let id = interaction.id.clone();
    bed.store.interaction_write(interaction).await.expect("a store");
    id
}

/// The log, page by page.
async fn pages(bed: &Bed, filter: LogFilter) -> Vec<String> {
    let (mut ids, mut after): (Vec<String>, Option<LogPlace>) = (Vec::new(), None);
    loop {
        let filter = LogFilter { after: after.take(), limit: 4, ..filter.clone() };
        let page = bed.store.log_search(&bed.tenant, &filter).await.expect("a store");
        let Some(last) = page.last() else { return ids };
        after = Some(LogPlace { started_at: last.started_at, id: last.id.clone() });
        ids.extend(page.into_iter().map(|one| one.id));
    }
}

#[tokio::test]
async fn the_log_is_walked_without_gap_or_repetition() {
    on_both(async |bed| {
        let now = bed.clock.now_ms();
        let mut all = Vec::new();
        for n in 0..20 {
            // Several begin in the same millisecond.
            let at = now + n / 6;
            let kind = if n % 5 == 0 { InteractionKind::Sync } else { InteractionKind::Api };
            let code = (n % 4 == 0).then_some(Code::PlatformInputInvalid);
            let code = if n == 7 { Some(Code::RemoteRateLimitExceeded) } else { code };
            all.push((at, happened(&bed, kind, code, at).await, kind, code));
        }
        all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let expected = |wanted: &dyn Fn(InteractionKind, Option<Code>) -> bool| -> Vec<String> {
            let fits = all.iter().filter(|(_, _, kind, code)| wanted(*kind, *code));
            fits.map(|(_, id, _, _)| id.clone()).collect()
        };
        assert_eq!(pages(&bed, LogFilter::default()).await, expected(&|_, _| true));
        let syncs = LogFilter { kind: Some(InteractionKind::Sync), ..LogFilter::default() };
        assert_eq!(pages(&bed, syncs).await, expected(&|kind, _| kind == InteractionKind::Sync));
        let failed = LogFilter { failed: Some(true), ..LogFilter::default() };
        assert_eq!(pages(&bed, failed).await, expected(&|_, code| code.is_some()));
        let well = LogFilter { failed: Some(false), ..LogFilter::default() };
        assert_eq!(pages(&bed, well).await, expected(&|_, code| code.is_none()));
        let code = Code::RemoteRateLimitExceeded;
        let one = LogFilter {
            code: Some(code.as_str().into()),
            integration_id: Some(bed.scope.id().into()),
            from: Some(now),
            until: Some(now + 2),
            ..LogFilter::default()
        };
        assert_eq!(pages(&bed, one).await, expected(&|_, found| found == Some(code)));
        let nobody = LogFilter { integration_id: Some(random_id()), ..LogFilter::default() };
        assert!(pages(&bed, nobody).await.is_empty());
        let theirs = LogFilter { limit: 10, ..LogFilter::default() };
        assert!(bed.store.log_search(&bed.other, &theirs).await.expect("a store").is_empty());

        let hour = now / 3_600_000 * 3_600_000;
        let calls = bed.store.calls_by_hour(&bed.tenant, hour).await.expect("a store");
        assert_eq!(calls, [CallsInHour { from: hour, all: 20, failed: 6 }]);
        let codes = bed.store.failures_by_code(&bed.tenant, hour).await.expect("a store");
        let of = |code: Code, count| FailuresOfCode { code: code.as_str().into(), count };
        assert_eq!(codes, [of(Code::PlatformInputInvalid, 5), of(code, 1)]);
    })
    .await;
}

#[tokio::test]
async fn an_integration_is_found_by_how_it_does() {
    on_both(async |bed| {
        let store = &bed.store;
        let state = async || {
            let found = store.integration_found(&bed.scope).await.expect("a store");
            found.expect("an integration").state
        };
        assert_eq!(state().await, IntegrationState::FirstSync);
        store.integration_qa_status_set(&bed.scope, QaStatus::Failed).await.expect("a store");
        assert_eq!(state().await, IntegrationState::Quality);
        let steps = SetupStatus::Incomplete;
        store.integration_setup_status_set(&bed.scope, steps).await.expect("a store");
        assert_eq!(state().await, IntegrationState::SetUp);
        let off = IntegrationStatus::Inactive;
        store.integration_status_set(&bed.scope, off, None).await.expect("a store");
        assert_eq!(state().await, IntegrationState::Inactive);
        let counts = store.integration_states(&bed.tenant).await.expect("a store");
        assert_eq!(counts, [(IntegrationState::Inactive, 1)]);

        let find = async |text: &str, tool: &str, state: Option<IntegrationState>| {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let filter = IntegrationFilter {
                text: given(text),
                tool: given(tool),
                state,
                skip: 0,
                limit: 10,
            };
            let page = store.integration_search(&bed.tenant, &filter).await.expect("a store");
            assert_eq!(page.total, i64::try_from(page.found.len()).expect("few"));
            page.found.into_iter().map(|one| one.integration.id).collect::<Vec<_>>()
        };
        let own = vec![bed.scope.id().to_owned()];
        assert_eq!(find("", "", None).await, own);
        assert_eq!(find(&bed.scope.id().to_uppercase(), "tool", None).await, own);
        assert_eq!(find("", "", Some(IntegrationState::Inactive)).await, own);
        for (text, tool, state) in [
            (bed.foreign.id(), "", None),
            ("%", "", None),
            ("_", "", None),
            ("", "another", None),
            ("", "", Some(IntegrationState::Active)),
        ] {
            assert!(find(text, tool, state).await.is_empty(), "{text} {tool} {state:?}");
        }
        store.integration_delete(&bed.scope).await.expect("a store");
        assert!(find("", "", None).await.is_empty());
    })
    .await;
}
