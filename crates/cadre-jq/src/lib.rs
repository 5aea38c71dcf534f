//! jq expressions: lowered to a native plan where possible, run by jaq elsewhere.
