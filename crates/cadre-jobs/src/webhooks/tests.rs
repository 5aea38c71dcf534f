use super::deliver::backoff_ms;
use super::message::Message;
use super::post::{check_url, shown_url};
use cadre_store::SigningSecrets;

/// The example of the Standard Webhooks specification.
#[test]
fn standard_signature_of_the_specification() {
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    let secrets =
        SigningSecrets { current: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(), previous: None };
    let message = Message {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(),
        body: r#"{"test": 2432232314}"#.into(),
    };
    let headers = message.headers(&secrets, 1_614_265_330_000);
    let signature = &headers.iter().find(|(name, _)| name == "webhook-signature").expect("there").1;
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn pauses_grow_to_an_hour() {
    for attempts in 0..800 {
        let full = (5_000_i64 << attempts.min(20)).min(3_600_000);
        let pause = backoff_ms(attempts);
        assert!((full * 3 / 4..=full * 5 / 4).contains(&pause), "{attempts}: {pause}");
    }
}

#[test]
fn urls_of_endpoints() {
    assert!(check_url("https://example.com/hook?x=1", false).is_ok());
    assert!(check_url("http://127.0.0.1:1/", true).is_ok());
    for wrong in ["", "example.com", "http://example.com", "ftp://example.com", "https://u:p@e.com"]
    {
        assert!(check_url(wrong, false).is_err(), "{wrong}");
    }
    assert_eq!(shown_url("https://e.com/a?token=b"), "https://e.com/a?[redacted]");
}
