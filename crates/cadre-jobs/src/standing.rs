//! Log-ins and budgets that outlive one piece of work.
//!
//! A sync and the calls that come meanwhile use up the same budget of the vendor, and one log-in
//! serves many calls. What is kept is of this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cadre_connector::{Account, Connector, Io, Session, Standing};
use sha2::{Digest, Sha256};

use crate::apply::Hosts;

/// Most accounts that are kept.
const MOST: usize = 10_000;

/// The standing of each account, by integration; and how each host of public pages is treated.
#[derive(Default)]
pub struct Standings {
    /// The manners towards hosts of public pages.
    pub(crate) hosts: Hosts,
    known: Mutex<HashMap<String, Known>>,
}

/// What is known of an account, and of what that holds.
struct Known {
    /// Of its settings and secrets.
    fingerprint: [u8; 32],
    connector: Arc<Connector>,
    standing: Standing,
}

impl Standings {
    /// A session that goes on where the last one of the integration ended. With other settings or
    /// secrets than before, or a changed connector, it begins anew.
    #[must_use]
    pub fn session(
        &self,
        integration_id: &str,
        connector: Arc<Connector>,
        account: Account,
        io: Io,
    ) -> Session {
        let fingerprint = fingerprint(&account);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known { fingerprint: of, connector: with, standing }) =
            known.get(integration_id)
            && *of == fingerprint
            && Arc::ptr_eq(with, &connector)
        {
            return Session::on(standing, connector, account, io);
        }
        let session = Session::new(connector.clone(), account, io);
        if known.len() >= MOST {
            known.clear();
        }
        let standing = session.standing();
        known.insert(integration_id.to_owned(), Known { fingerprint, connector, standing });
        session
    }
}

fn fingerprint(account: &Account) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let settings = account.settings.to_string();
    let secrets =
        account.secrets.iter().flat_map(|(name, secret)| [name.as_str(), secret.expose()]);
    for part in [settings.as_str()].into_iter().chain(secrets) {
        // The length goes in too, so that no two accounts run together.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}
