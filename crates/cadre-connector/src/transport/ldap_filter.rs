//! Deciding a search filter here, without a server: for the recorded entries of a case.
