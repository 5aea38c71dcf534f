//! Sync, actions and upkeep: where connector, mapping and store meet.
