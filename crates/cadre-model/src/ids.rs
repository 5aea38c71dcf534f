//! Ids: 24 characters of the base58 alphabet.
//!
//! A record's id is derived from its integration, its model and the id it has in the tool, so it is
//! the same on every machine and after every new sync.

use sha2::{Digest, Sha256};

/// Characters in an id.
pub const ID_LENGTH: usize = 24;

/// The id of a record: stable, and computed without looking anything up.
#[must_use]
pub fn record_id(integration_id: &str, model: &str, remote_id: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [integration_id, model, remote_id] {
        // The length goes in too, so that no two triples run together.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    from_bytes(&hasher.finalize())
}

/// A new id that nobody can guess: 24 base58 characters hold 140 bits.
#[must_use]
pub fn random_id() -> String {
    from_bytes(&rand::random::<[u8; 32]>())
}

/// Whether `text` could be an id of ours.
#[must_use]
pub fn is_id(text: &str) -> bool {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    text.len() == ID_LENGTH && text.bytes().all(|b| ALPHABET.contains(&b))
}

fn from_bytes(bytes: &[u8]) -> String {
    let mut text = bs58::encode(bytes).into_string();
    // 32 bytes give 43 or 44 characters; leading zero bytes can only make it longer per byte.
    text.truncate(ID_LENGTH);
    text
}

#[cfg(test)]
mod tests {
    use super::{is_id, random_id, record_id};

    #[test]
    fn ids_are_stable_and_apart() {
        let id = record_id("personio:abc", "hris_employees", "12");
        assert_eq!(id, record_id("personio:abc", "hris_employees", "12"));
        assert!(is_id(&id), "{id}");
        assert_ne!(id, record_id("personio:abc", "hris_teams", "12"));
        assert_ne!(id, record_id("personio:ab", "chris_employees", "12"));
        assert_ne!(random_id(), random_id());
    }

    #[test]
    fn known_answer() {
        // Computed apart with Python: sha256 over the three length-prefixed parts, base58, 24 characters.
        assert_eq!(record_id("a:b", "m", "r"), KNOWN);
    }

    const KNOWN: &str = "6kY94JDo8oAayAVUcbSnvMe5";
}
