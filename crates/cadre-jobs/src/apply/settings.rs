//! What the operator can set about public postings.

use std::time::Duration;

use cadre_apply::Boards;

use super::assistant::Assistant;

/// Limits and intervals of public postings.
#[derive(Debug, Clone)]
pub struct ApplySettings {
    /// How many pages one process reads at once; 0 reads none and sends no applications.
    pub parse_at_once: usize,
    /// The pause between two requests to the same host.
    pub host_pause: Duration,
    /// How long one page may take to arrive.
    pub page_timeout: Duration,
    /// Largest page that is read, in bytes.
    pub page_bytes: u64,
    /// How long after a page was read it is read again.
    pub reparse_every: Duration,
    /// How old a form may be when it is handed out without another look at its page.
    pub fresh_for: Duration,
    /// How long somebody may apply with a form that was handed out.
    pub token_lasts: Duration,
    /// Largest import into a feed, in bytes.
    pub import_bytes: u64,
    /// How long an import may take.
    pub import_timeout: Duration,
    /// Job boards that are read by their public APIs.
    pub boards: Boards,
    /// Who helps with questions that the rules leave unsure.
    pub assistant: Option<Assistant>,
}

impl Default for ApplySettings {
    fn default() -> Self {
        Self {
            parse_at_once: 5,
            host_pause: Duration::from_secs(1),
            page_timeout: Duration::from_secs(20),
            page_bytes: 8 << 20,
            reparse_every: Duration::from_secs(24 * 3600),
            fresh_for: Duration::from_secs(15 * 60),
            token_lasts: Duration::from_secs(48 * 3600),
            import_bytes: 35 << 20,
            import_timeout: Duration::from_secs(300),
            boards: Boards::built_in(),
            assistant: None,
        }
    }
}
