//! Mapping tables: raw record in, unified record and issues out.
