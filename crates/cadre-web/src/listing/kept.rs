//! Pages that were rendered and may be asked for again.
//!
//! Rendering joins and copies everything that a page shows. A page holds as long as the version of its
//! integration's records stays, which the database is asked for on every request: a kept page is never
//! older than one that would be rendered, in however many processes records are changed.

use std::collections::HashSet;

use bytes::Bytes;
use cadre_model::model::ModelDef;
use cadre_store::ListQuery;
use moka::sync::Cache;

/// Rendered pages, as many as there is room for.
#[derive(Debug, Clone)]
pub struct KeptPages(Cache<String, Kept>);

#[derive(Debug, Clone)]
struct Kept {
    version: i64,
    body: Bytes,
}

impl KeptPages {
    /// Keeps pages of so many bytes together; none at 0.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let weight = |key: &String, kept: &Kept| {
            u32::try_from(key.len() + kept.body.len()).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(bytes).weigher(weight).build())
    }

    /// The page under the key, if it is of this version.
    #[must_use]
    pub fn get(&self, key: &str, version: i64) -> Option<Bytes> {
        self.0.get(key).filter(|kept| kept.version == version).map(|kept| kept.body)
    }

    /// Keeps a page that was rendered after the version was read.
    pub fn keep(&self, key: String, version: i64, body: Bytes) {
        self.0.insert(key, Kept { version, body });
    }
}

/// What a page depends on, apart from the records: whose it is, what is asked, and what is hidden.
#[must_use]
pub fn key(
    integration_id: &str,
    model: &ModelDef,
    canonical: &str,
    query: &ListQuery,
    hidden: &HashSet<&str>,
) -> String {
    let mut hidden: Vec<&str> = hidden.iter().copied().collect();
    hidden.sort_unstable();
    format!("{integration_id} {} {canonical} {query:?} {hidden:?}", model.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_for_its_version_only() {
        let pages = KeptPages::new(1 << 20);
        pages.keep("a".into(), 3, Bytes::from_static(b"page"));
        assert_eq!(pages.get("a", 3), Some(Bytes::from_static(b"page")));
        assert_eq!(pages.get("a", 4), None);
        assert_eq!(pages.get("b", 3), None);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let pages = KeptPages::new(0);
        pages.keep("a".into(), 3, Bytes::from_static(b"page"));
        pages.0.run_pending_tasks();
        assert_eq!(pages.get("a", 3), None);
    }
}
