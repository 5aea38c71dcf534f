//! The words of the domain: unified models, ids, faults, time.
