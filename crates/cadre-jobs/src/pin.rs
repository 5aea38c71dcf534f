//! Pinning the key that a server of files showed at the first connection.

use serde_json::Value;

/// The setting that a connector's `sftp.host_key` reads.
const SETTING: &str = "host_key";

/// The settings with the server's key in them; `None` where there is nothing to pin, because the
/// customer entered a key or the tool is not read over SFTP.
pub(crate) fn pinned(settings: &Value, host_key: Option<String>) -> Option<Value> {
    let host_key = host_key?;
    let known = settings.get(SETTING).and_then(Value::as_str).unwrap_or_default();
    if !known.trim().is_empty() {
        return None;
    }
    let mut fields = settings.as_object().cloned().unwrap_or_default();
    fields.insert(SETTING.to_owned(), host_key.into());
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::pinned;

    #[test]
    fn the_first_key_is_kept_and_no_other() {
        let shown = || Some("SHA256:abc".to_owned());
        let with_key = json!({"host": "a", "host_key": "SHA256:abc"});
        assert_eq!(pinned(&json!({"host": "a"}), shown()), Some(with_key.clone()));
        assert_eq!(pinned(&json!({"host": "a", "host_key": " "}), shown()), Some(with_key.clone()));
        assert_eq!(pinned(&Value::Null, shown()), Some(json!({"host_key": "SHA256:abc"})));
        assert_eq!(pinned(&with_key, Some("SHA256:other".to_owned())), None);
        assert_eq!(pinned(&json!({"base_url": "a"}), None), None);
    }
}
