//! `GET /v1/check-api-key`

use serde::Serialize;

use crate::reply::Data;
use crate::scope::Caller;

/// What a valid key belongs to.
#[derive(Debug, Serialize)]
pub struct KeyOut {
    environment_id: String,
    /// The older name of `environment_id`.
    customer_id: String,
}

/// Tells which environment the key belongs to.
pub async fn get(caller: Caller) -> Data<KeyOut> {
    let id = caller.scope.id();
    Data(KeyOut { environment_id: id.to_owned(), customer_id: id.to_owned() })
}
