//! `/env/{env}/postings`: feeds with their imports, and postings.

use askama::Template;
use axum::extract::State;
use cadre_store::{
    ArchivedReason, Availability, FeedImport, ImportState, Posting, PostingQuery, SiteQuery,
};

use super::door::Posted;
use super::page::{Badge, Moment, Shown, Trouble, grouped, html, see_other};
use super::shell::{Here, Named, Shell};
use crate::state::AppState;

/// Postings on a page.
const ON_PAGE: u32 = 50;
/// Feeds and imports on a page.
const FEEDS: u32 = 200;

#[derive(Debug, Template)]
#[template(path = "postings.html")]
struct Postings {
    shell: Shell,
    counts: Vec<(Badge, String)>,
    feeds: Vec<FeedRow>,
    imports: Vec<ImportRow>,
    rows: Vec<Row>,
    feed: String,
    next: Option<String>,
}

#[derive(Debug)]
struct FeedRow {
    id: String,
    label: String,
    postings: String,
    imported: Option<Moment>,
}

#[derive(Debug)]
struct ImportRow {
    feed: String,
    state: Badge,
    processed: String,
    created: String,
    archived: String,
    started: Moment,
    message: Option<String>,
}

#[derive(Debug)]
struct Row {
    id: String,
    url: String,
    site: String,
    job_code: Option<String>,
    state: Badge,
    note: Option<String>,
    parsed: Option<Moment>,
}

/// Whether one may apply, as a coloured word.
pub(super) fn availability_badge(availability: Availability) -> Badge {
    match availability {
        Availability::Pending => Badge::busy("pending"),
        Availability::Applyable => Badge::good("applyable"),
        Availability::Unavailable => Badge::warn("unavailable"),
        Availability::Archived => Badge::plain("archived"),
    }
}

fn import_badge(state: ImportState) -> Badge {
    match state {
        ImportState::Running => Badge::busy("running"),
        ImportState::Done => Badge::good("done"),
        ImportState::Refused => Badge::bad("refused"),
        ImportState::TimedOut => Badge::bad("timed out"),
        ImportState::Broken => Badge::bad("broken off"),
    }
}

/// Shows feeds, imports and postings.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    let (store, scope) = (&state.store, &here.scope);
    let feed = here.asked("feed");
    let counts = store.posting_counts(scope, feed.as_deref()).await?;
    let imports = store.feed_import_list(scope, feed.as_deref(), 10).await?;
    let listed =
        store.job_feed_list(scope, &SiteQuery { limit: FEEDS, ..Default::default() }).await?;
    let mut feeds = Vec::new();
    for one in listed {
        let counts = store.posting_counts(scope, Some(&one.id)).await?;
        let latest = store.feed_import_list(scope, Some(&one.id), 1).await?;
        feeds.push(FeedRow {
            postings: grouped(counts.iter().map(|(_, many)| many).sum::<i64>()),
            imported: latest.first().map(|import| Moment(import.started_at)),
            id: one.id,
            label: one.label,
        });
    }
    let query = PostingQuery {
        after_id: here.asked("after"),
        feed_id: feed.clone(),
        limit: ON_PAGE + 1,
        ..PostingQuery::default()
    };
    let mut postings = store.posting_list(scope, &query).await?;
    let more = postings.len() > ON_PAGE as usize;
    postings.truncate(ON_PAGE as usize);
    let next = postings.last().filter(|_| more).map(|last| {
        let query = [("feed", feed.as_deref().unwrap_or_default())];
        super::logs::query(&query, &[("after", &last.id)])
    });
    let label = |id: &str| {
        let found = feeds.iter().find(|feed| feed.id == id);
        found.map_or_else(|| id.to_owned(), |feed| feed.label.clone())
    };
    let page = Postings {
        shell: here.shell("postings"),
        counts: counts
            .into_iter()
            .map(|(availability, many)| (availability_badge(availability), grouped(many)))
            .collect(),
        imports: imports.into_iter().map(|one| import_row(label(&one.feed_id), one)).collect(),
        rows: postings.into_iter().map(row).collect(),
        feeds,
        feed: feed.unwrap_or_default(),
        next,
    };
    Ok(html(&page))
}

fn import_row(feed: String, import: FeedImport) -> ImportRow {
    ImportRow {
        feed,
        state: import_badge(import.state),
        processed: grouped(import.counts.processed),
        created: grouped(import.counts.created),
        archived: grouped(import.counts.archived),
        started: Moment(import.started_at),
        message: import.message,
    }
}

fn row(posting: Posting) -> Row {
    Row {
        state: availability_badge(posting.availability),
        parsed: posting.parsed_at.map(Moment),
        id: posting.id,
        url: posting.url,
        site: posting.career_site.label,
        job_code: posting.job_code,
        note: posting.note,
    }
}

/// Makes a feed.
pub(super) async fn create(State(state): State<AppState>, here: Here, form: Posted) -> Shown {
    let label = form.text("label");
    if !label.trim().is_empty() {
        let feed = state.store.job_feed_create(&here.scope, label).await?;
        here.note(&state, "feed.created", &feed.id, label).await?;
    }
    Ok(see_other(&format!("{}/postings?done=feed", here.base())))
}

/// Has the page of a posting read before all others.
pub(super) async fn parse(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    _form: Posted,
) -> Shown {
    let id = named.part("posting");
    if !state.store.posting_parse_soon(&here.scope, id).await? {
        return Err(Trouble::Missing("A posting with this id that is not archived"));
    }
    here.note(&state, "posting.read", id, "").await?;
    Ok(see_other(&format!("{}/postings/{id}?done=posting-parse", here.base())))
}

/// Takes a posting down.
pub(super) async fn archive(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    _form: Posted,
) -> Shown {
    let id = named.part("posting");
    if !state.store.posting_archive(&here.scope, id, ArchivedReason::Manual).await? {
        return Err(Trouble::Missing("A posting with this id that is not archived"));
    }
    here.note(&state, "posting.archived", id, "").await?;
    Ok(see_other(&format!("{}/postings/{id}?done=posting-archive", here.base())))
}
