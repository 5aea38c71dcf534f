//! Passwords of people: Argon2id with a salt of its own for each, in the usual text form.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use cadre_model::secret::Secret;
use tokio::sync::Semaphore;

use crate::store::Error;

/// Hashing takes 19 MiB and tens of milliseconds: so many at once, the others wait.
static ROOM: Semaphore = Semaphore::const_new(2);

/// The hash of a password that nobody has: checking against it takes as long as against a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZWJvZHkgZWxzZSdz$\
    2l8dWnUbL2R0jTgX0SiCTtBYn3xyPvwB0fBZpDtpC6c";

/// Hashes a password.
pub(crate) async fn hash(password: &Secret) -> Result<String, Error> {
    let password = password.clone();
    let work = move || {
        let hashed: Result<argon2::password_hash::phc::PasswordHash, _> =
            Argon2::default().hash_password(password.expose().as_bytes());
        hashed.map(|hash| hash.to_string())
    };
    aside(work).await?.map_err(|_| Error::damaged("a password", "one that cannot be hashed"))
}

/// Whether a password is the one of the hash; without a hash it never is, after the same time.
pub(crate) async fn is(password: &Secret, hash: Option<String>) -> Result<bool, Error> {
    let password = password.clone();
    aside(move || {
        let known = hash.is_some();
        let hash = hash.as_deref().unwrap_or(NOBODY);
        let fits = Argon2::default().verify_password(password.expose().as_bytes(), hash).is_ok();
        fits && known
    })
    .await
}

/// Does the work where it holds up nobody else.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let stopped = || Error::damaged("a password", "one that was not looked at");
    let _room = ROOM.acquire().await.map_err(|_| stopped())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| stopped())
}

#[cfg(test)]
mod tests {
    use super::{hash, is};

    #[tokio::test]
    async fn a_password_is_known_by_its_hash() {
        let hashed = hash(&"correct horse".into()).await.expect("a hash");
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert_ne!(hashed, hash(&"correct horse".into()).await.expect("a hash"), "a salt");
        assert!(is(&"correct horse".into(), Some(hashed.clone())).await.expect("an answer"));
        assert!(!is(&"wrong horse".into(), Some(hashed)).await.expect("an answer"));
        assert!(!is(&"correct horse".into(), None).await.expect("an answer"));
    }
}
