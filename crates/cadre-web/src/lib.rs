//! The API and the pages behind log_url.
