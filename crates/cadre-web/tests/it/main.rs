//! The API as its callers meet it.

mod openapi;
