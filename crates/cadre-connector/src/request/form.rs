//! Bodies that are forms: fields, or parts with files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded::Serializer;

use super::{BuildError, Built};
use crate::manifest::printed;

/// `application/x-www-form-urlencoded`: an object; `null` leaves a field out, a list repeats it.
pub(super) fn fields(value: &Value) -> Built<String> {
    let Value::Object(fields) = value else {
        return Err(BuildError("the form is not an object".to_owned()));
    };
    let mut form = Serializer::new(String::new());
    for (name, value) in fields {
        let values = match value {
            Value::Array(items) => items.iter().filter_map(printed).collect(),
            one => printed(one).into_iter().collect::<Vec<_>>(),
        };
        for value in values {
            form.append_pair(name, &value);
        }
    }
    Ok(form.finish())
}

/// `multipart/form-data`: a list of parts. The type with its boundary, and the body.
pub(super) fn parts(value: &Value) -> Built<(String, Vec<u8>)> {
    let Value::Array(parts) = value else {
        return Err(BuildError("the multipart form is not a list of parts".to_owned()));
    };
    // Of the content, so that the same form is the same body; nobody can write their own hash into it.
    let boundary: String = Sha256::digest(value.to_string())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut body = Vec::new();
    for part in parts {
        let text = |name: &str| part.get(name).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| BuildError("a part has no `name`".to_owned()))?;
        let mut head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", safe(name));
        let content = match text("base64") {
            Some(encoded) => {
                let file = text("file_name").unwrap_or("file");
                let kind = text("content_type").unwrap_or("application/octet-stream");
                head.push_str(&format!(
                    "; filename=\"{}\"\r\nContent-Type: {}",
                    safe(file),
                    safe(kind)
                ));
                let wrong = |_| BuildError(format!("the part `{name}` is not base64"));
                STANDARD.decode(encoded).map_err(wrong)?
            }
            None => match part.get("value").and_then(printed) {
                Some(text) => text.into_bytes(),
                None => continue,
            },
        };
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}

/// A body of the type `multipart/form-data`, of a list of parts: `{name, value}`, or
/// `{name, file_name, content_type, base64}`. The type with its boundary, and the body.
///
/// # Errors
///
/// When it is not such a list, in words.
pub fn multipart(value: &Value) -> Result<(String, Vec<u8>), String> {
    parts(value).map_err(|error| error.0)
}

/// A name inside quotes: neither quotes nor line breaks leave it.
fn safe(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{fields, parts};

    #[test]
    fn forms_are_written_as_the_standards_say() {
        let form = json!({"a": "x y&z", "b": null, "c": [1, true]});
        assert_eq!(fields(&form).expect("a form"), "a=x+y%26z&c=1&c=true");
        let form = json!([
            {"name": "kind", "value": "CV"},
            {"name": "none", "value": null},
            {"name": "fi\"le", "file_name": "a\r\nb.txt", "content_type": "text/plain", "base64": "aGk="},
        ]);
        let (kind, body) = parts(&form).expect("a form");
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").expect("a boundary");
        let text = String::from_utf8(body).expect("text");
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nCV\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"fi%22le\"; \
             filename=\"a%0D%0Ab.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--{boundary}--\r\n"
        );
        assert_eq!(text, expected);
        assert!(parts(&json!([{"name": "x", "base64": "%"}])).is_err());
    }
}
