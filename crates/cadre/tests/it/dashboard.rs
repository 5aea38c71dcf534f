//! The dashboard in a real browser.

use serde_json::json;

use super::process::{Caller, Demo, Installation};
use super::webdriver::Browser;

const PASSWORD: &str = "four words and a number 7";

/// First start, the account of the admin, a call that fails, and a key that works from one place.
#[test]
fn from_the_first_start_to_a_key() {
    let installation = Installation::new(&[]);
    let server = installation.serve();
    let printed = std::fs::read_to_string(installation.folder().join("serve-0.out"));
    let printed = printed.expect("what it printed");
    let link = printed.split_whitespace().find(|word| word.contains("/login?token="));
    let browser = Browser::start();
    browser.open(link.expect("a link"));

    browser.wait_for("Welcome to Cadre");
    browser.fill("input[name=name]", "Ada");
    browser.fill("input[name=email]", "ada@example.com");
    browser.fill("input[name=password]", PASSWORD);
    browser.fill("input[name=again]", PASSWORD);
    browser.click("button.main");
    browser.wait_for("From here to the first employee");
    browser.wait_for("you are logged in");

    browser.click(".who form button");
    browser.wait_for("Log in");
    browser.fill("input[name=email]", "ada@example.com");
    browser.fill("input[name=password]", "not the password");
    browser.click("button.main");
    browser.wait_for("The address or the password is wrong.");
    // A wrong password is a refused request: the only complaint so far.
    assert!(browser.complaints().iter().all(|words| words.contains("401")));
    browser.fill("input[name=password]", PASSWORD);
    browser.click("button.main");
    browser.wait_for("Overview");

    // The failing call is found by what failed, and is the page that log_url opens.
    let caller = server.caller();
    let (status, _, body) = caller.send("GET", "/v1/hris/employees?page_size=0", None, None);
    assert_eq!(status, 400, "{body}");
    browser.follow("Logs");
    browser.wait_for("GET /v1/hris/employees");
    browser.run(
        "const s = document.querySelector('select[name=code]'); s.value = 'PLATFORM.INPUT_INVALID'; \
         s.dispatchEvent(new Event('change', { bubbles: true }))",
    );
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !browser.url().contains("code=PLATFORM") {
        assert!(std::time::Instant::now() < end, "the list did not narrow: {}", browser.url());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    browser.follow("GET /v1/hris/employees");
    browser.wait_for("The software that called the API");
    let found = browser.url();
    let log_url = body["error"]["log_url"].as_str().expect("a log");
    assert_eq!(found.rsplit('/').next(), log_url.rsplit('/').next());
    browser.wait_for("curl -X GET");

    // A key for somewhere else is refused here; one for this machine works until it is revoked.
    let key = make_key(&browser, "elsewhere", "203.0.113.0/24");
    let (status, _, body) =
        Caller::new(&server.url, &key).send("GET", "/v1/check-api-key", None, None);
    assert_eq!((status, &body["error"]["code"]), (403, &json!("PLATFORM.IP_NOT_WHITELISTED")));
    let key = make_key(&browser, "here", "127.0.0.0/8");
    let here = Caller::new(&server.url, &key);
    assert_eq!(here.send("GET", "/v1/check-api-key", None, None).0, 200);
    browser.follow("API keys");
    browser.click("tr:nth-of-type(2) details.menu summary");
    browser.click("tr:nth-of-type(2) details.menu button");
    browser.wait_for("The key is revoked");
    assert_eq!(here.send("GET", "/v1/check-api-key", None, None).0, 401);
    browser.follow("Audit log");
    browser.wait_for("key.revoked");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn make_key(browser: &Browser, name: &str, addresses: &str) -> String {
    browser.follow("API keys");
    browser.fill("input[name=name]", name);
    browser.fill("textarea[name=addresses]", addresses);
    browser.click("form.stack button.main");
    browser.wait_for("The key, shown only now");
    let key = browser.run("return document.getElementById('key').textContent");
    key.as_str().expect("a key").to_owned()
}

/// Scripts run under the policy, a running sync moves by itself, and nothing is wider than a phone.
#[test]
fn pages_are_comfortable() {
    let demo = Demo::start();
    let url = demo.text("url");
    let browser = Browser::start();
    browser.developer("Emulation.setTimezoneOverride", json!({ "timezoneId": "Asia/Tokyo" }));
    browser.open(demo.text("dashboard_url"));
    browser.wait_for("Overview");
    let hris = demo.integration("sandboxhris");
    let base = format!("{url}/env/production");
    let of = format!("{base}/integrations/{hris}");
    browser.open(&of);
    let zone = "const t = document.querySelector('main time'); \
                const d = new Date(t.getAttribute('datetime')); d.setHours(d.getHours()); \
                return t.textContent.slice(11, 13) === String((d.getUTCHours() + 9) % 24).padStart(2, '0')";
    assert_eq!(browser.run(zone), true, "times are in the reader's zone");
    browser.click("button[data-theme]");
    let dark = browser.run("return document.documentElement.dataset.theme");
    browser.open(&of);
    assert_eq!(browser.run("return document.documentElement.dataset.theme"), dark, "remembered");

    // The page of a sync that was asked for follows it to its end.
    browser.click("button[value=FULL]");
    browser.wait_for("asked for");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while browser.run("return document.querySelectorAll('td .badge.good').length") != 2 {
        assert!(std::time::Instant::now() < end, "{}", browser.text());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    browser.follow("Receipt");
    browser.wait_for("What it proves");

    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
    browser.developer("Emulation.setDeviceMetricsOverride", phone);
    let record = {
        browser.open(&format!("{of}/data/hris_employees"));
        let link = "return document.querySelector('table.list td a').href";
        browser.run(link).as_str().expect("a link").to_owned()
    };
    let mut pages = vec![url.to_owned(), format!("{url}/people"), format!("{url}/account"), record];
    for path in [
        "",
        "/logs",
        "/webhooks",
        "/keys",
        "/coverage",
        "/coverage/sandboxhris",
        "/environments",
        "/audit",
    ] {
        pages.push(format!("{base}{path}"));
    }
    for path in ["", "/syncs", "/issues", "/scope", "/data", "/data/hris_employees"] {
        pages.push(format!("{of}{path}"));
    }
    for page in pages {
        browser.open(&page);
        let over = browser.run(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert!(over.as_i64() <= Some(0), "{page} is {over} pixels too wide for a phone");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
