//! Tickets: what we hand out and want back unread and unchanged, such as the way to a file.
//!
//! They are sealed under the master key and stored nowhere; when one ends stands inside it.

use crate::store::Store;

impl Store {
    /// Seals a ticket of this kind.
    #[must_use]
    pub fn ticket_seal(&self, kind: &str, content: &[u8]) -> Vec<u8> {
        self.master_key().seal_alone(content, &bound_to(kind))
    }

    /// What a ticket of this kind holds; `None` when it is not one of ours.
    #[must_use]
    pub fn ticket_open(&self, kind: &str, ticket: &[u8]) -> Option<Vec<u8>> {
        self.master_key().open_alone(ticket, &bound_to(kind)).ok()
    }
}

/// No integration's id has a slash in it: nothing else that is sealed passes for a ticket.
fn bound_to(kind: &str) -> String {
    format!("ticket/{kind}")
}
