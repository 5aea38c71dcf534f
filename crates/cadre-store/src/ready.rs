//! Connections that go from one short read to the next.

use std::sync::{Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool};

/// Connections of a pool that are kept out of it between two reads. The pool asks each connection that comes
/// back whether it still works, which takes as long as a short statement.
pub(crate) struct Ready {
    free: Mutex<Vec<PoolConnection<Any>>>,
    most: usize,
}

impl Ready {
    /// Keeps at most so many.
    pub(crate) fn new(most: usize) -> Ready {
        Ready { free: Mutex::default(), most }
    }

    /// A connection that is free, or one of the pool.
    pub(crate) async fn take(&self, pool: &AnyPool) -> Result<PoolConnection<Any>, sqlx::Error> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(connection) => Ok(connection),
            None => pool.acquire().await,
        }
    }

    /// Takes a connection back whose statement was answered.
    pub(crate) fn give_back(&self, connection: PoolConnection<Any>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.most {
            free.push(connection);
        }
    }

    /// Gives all of them to the pool.
    pub(crate) fn empty(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
