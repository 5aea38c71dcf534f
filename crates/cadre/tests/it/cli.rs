//! The commands: help, exit codes, and failures that say what to do next.

use super::process::{Installation, cadre, fail, free_port, printed, succeed};

const COMMANDS: &[&[&str]] = &[
    &[],
    &["serve"],
    &["demo"],
    &["key"],
    &["key", "create"],
    &["key", "list"],
    &["key", "revoke"],
    &["integration"],
    &["integration", "create"],
    &["integration", "list"],
    &["integration", "sync"],
    &["integration", "runs"],
    &["integration", "issues"],
    &["integration", "enable"],
    &["integration", "disable"],
    &["integration", "accept-drop"],
    &["integration", "delete"],
    &["connector"],
    &["connector", "list"],
    &["connector", "show"],
    &["connector", "check"],
    &["connector", "new"],
    &["connector", "try"],
    &["connector", "record"],
    &["connector", "coverage"],
    &["connector", "schema"],
    &["link"],
    &["link", "create"],
    &["link", "reconnect"],
    &["link", "list"],
    &["feed"],
    &["feed", "create"],
    &["feed", "import"],
    &["posting"],
    &["posting", "settle"],
    &["login-link"],
    &["doctor"],
];

/// All of these words stand in a text.
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

#[test]
fn every_command_has_help() {
    for command in COMMANDS {
        let help = succeed(cadre().args(*command).arg("--help"));
        says(&help, &["Usage: cadre", "--config", "--data-dir"]);
        let about = help.lines().next().unwrap_or_default();
        assert!(
            about.len() > 10 && !about.starts_with("Usage"),
            "{command:?} does not say what it does"
        );
    }
    says(
        &succeed(cadre().arg("--help")),
        &["cadre demo", "Exit codes: 0 done, 1 failed, 2 wrong usage"],
    );
    says(&succeed(cadre().arg("--version")), &["cadre "]);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for (arguments, word) in [
        (&[][..], "Usage"),
        (&["nonsense"], "nonsense"),
        (&["serve", "--listen", "nonsense"], "--listen"),
        (&["demo", "--port", "70000"], "--port"),
        (&["key", "create", "--expires-in-days", "soon"], "--expires-in-days"),
        (&["key", "revoke"], "<ID>"),
        (&["integration", "create"], "--tool"),
        (&["integration", "sync"], "<ID>"),
        (&["connector", "check"], "<FOLDERS>"),
        (&["connector", "show", "a", "b"], "'b'"),
    ] {
        says(&fail(2, cadre().args(arguments)), &[word]);
    }
}

#[test]
fn a_broken_configuration_names_the_mistake() {
    let installation = Installation::new(&[]);
    for (file, words) in [
        ("lisen = \"127.0.0.1:1\"", &["lisen", "listen", "cadre.toml"][..]),
        ("listen = 5", &["listen", "found signed int `5`", "socket address", "cadre.toml"]),
        ("listen = \"", &["cadre.toml", "line 1"]),
        ("setup_status = 500", &["setup_status: expected 503 or 409, got 500"]),
        (
            "[quality]\nleast_filled = {\"hris_employees.surname\" = 0.5}",
            &["quality.least_filled.\"hris_employees.surname\": hris_employees has no such field"],
        ),
        ("[quality]\nrefused = 7", &["quality.refused: expected a share from 0 to 1, got 7"]),
        ("public_url = \"example.org\"", &["public_url: expected http://"]),
        ("connectors_dir = \"/nowhere\"", &["connectors_dir: /nowhere is not a folder"]),
        ("concurrent_syncs = -1", &["concurrent_syncs"]),
        ("master_key = \"abc\"", &["master_key: expected 64 hexadecimal digits"]),
    ] {
        installation.write("cadre.toml", file);
        says(&installation.refuse(&["key", "list"]), words);
    }
    installation.write("cadre.toml", "lisen = 1");
    let words = installation.refuse(&["doctor"]);
    says(&words, &["failed  configuration", "lisen", "one check failed"]);
    std::fs::remove_file(installation.folder().join("cadre.toml")).expect("it is there");
    says(
        &installation.refuse(&["--config", "nope.toml", "key", "list"]),
        &["nope.toml is not there"],
    );
    let words = fail(1, installation.command(&["key", "list"]).env("CADRE_LISEN", "1"));
    says(&words, &["lisen", "CADRE_"]);
}

#[test]
fn a_broken_database_url_keeps_its_password() {
    let installation = Installation::new(&[]);
    for (url, words) in [
        ("mysql://u:sesame@127.0.0.1/x", &["mysql", "sqlite:<path>"][..]),
        ("nonsense-sesame", &["without a scheme"]),
        ("postgres://u:sesame@127.0.0.1:port/x", &["port"]),
        ("postgres://u:sesame@127.0.0.1:1/x", &["cannot be opened", "--database-url"]),
        ("sqlite:/nowhere/sesame/x.db", &["cannot be opened", "--database-url"]),
    ] {
        let words_said = installation.refuse(&["key", "list", "--database-url", url]);
        says(&words_said, words);
        assert!(!words_said.contains("sesame"), "{words_said}");
    }
}

#[test]
fn a_taken_port_is_said() {
    let installation = Installation::new(&[]);
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = taken.local_addr().expect("an address");
    let words = installation.refuse(&["serve", "--listen", &address.to_string()]);
    says(&words, &[&address.to_string(), "Choose another with --listen or CADRE_LISTEN"]);
    let words = fail(1, cadre().args(["demo", "--json", "--port", &address.port().to_string()]));
    says(&words, &["cannot listen on"]);
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let installation = Installation::new(&[]);
    let key = installation.run(&["key", "create", "--name", "reports", "--expires-in-days", "3"]);
    assert!(key.starts_with("ks_") && key.trim().len() > 30, "{key}");
    let list = installation.run(&["key", "list"]);
    assert_eq!(list.lines().count(), 1, "{list}");
    says(&list, &["reports", "until 20"]);
    assert!(!list.contains(key.trim()), "a key is shown once");
    let id = list.split_whitespace().next().expect("an id");
    assert_eq!(installation.run(&["key", "list", "--environment", "development"]).trim(), "");
    says(&installation.refuse(&["key", "revoke", "nope"]), &["no key nope", "cadre key list"]);
    installation.run(&["key", "revoke", id]);
    says(&installation.run(&["key", "list"]), &["revoked 20"]);
    let words = installation.refuse(&["key", "create", "--environment", "staging"]);
    says(&words, &["staging", "production, development"]);
}

#[test]
fn integrations_are_linked_and_switched() {
    let installation = Installation::new(&[]);
    for (arguments, words) in [
        (&["--tool", "nope"][..], &["nope", "bamboohr", "sftp"][..]),
        (&["--tool", "bamboohr"], &["subdomain", "api_key", "required"]),
        (&["--tool", "bamboohr", "--field", "subdomain"], &["NAME=VALUE"]),
        (&["--tool", "bamboohr", "--field-file", "api_key=/nowhere"], &["/nowhere"]),
        (
            &[
                "--tool",
                "bamboohr",
                "--category",
                "LMS",
                "--field",
                "subdomain=a",
                "--field",
                "api_key=b",
            ],
            &["category"],
        ),
        (&["--tool", "bamboohr", "--mapping", "/nowhere.json"], &["/nowhere.json"]),
    ] {
        let whole: Vec<&str> = ["integration", "create"].iter().chain(arguments).copied().collect();
        says(&installation.refuse(&whole), words);
    }
    let mapping = installation.write("mapping.json", r#"{"hris_people": {"first_name": "."}}"#);
    let mapping = mapping.display().to_string();
    let fields = [("subdomain", "acme"), ("api_key", "0123456789")];
    let mut refused = vec!["integration", "create", "--tool", "bamboohr", "--mapping", &mapping];
    refused.extend(["--field", "subdomain=acme", "--field", "api_key=0123456789"]);
    says(&installation.refuse(&refused), &["mapping", "hris_people"]);

    says(
        &installation.run(&["integration", "list"]),
        &["No integrations", "cadre integration create"],
    );
    let id = installation.link("bamboohr", &fields, &["--organization", "Acme Ltd"]);
    assert!(id.starts_with("bamboohr:"), "{id}");
    says(
        &installation.run(&["integration", "list"]),
        &[&id, "Acme Ltd", "ACTIVE", "not synced yet"],
    );
    installation.run(&["integration", "disable", &id]);
    says(&installation.run(&["integration", "list"]), &["INACTIVE"]);
    says(&installation.refuse(&["integration", "sync", &id]), &["CANCELLED", "switched off"]);
    installation.run(&["integration", "enable", &id]);
    says(&installation.run(&["integration", "list"]), &["ACTIVE"]);
    says(&installation.run(&["integration", "accept-drop", &id]), &["the next sync"]);
    says(&installation.run(&["integration", "issues", &id]), &["0 values that did not fit"]);
    installation.run(&["integration", "delete", &id]);
    for verb in ["enable", "disable", "accept-drop", "delete", "runs", "issues", "sync"] {
        says(
            &installation.refuse(&["integration", verb, "nope"]),
            &["no integration nope", "integration list"],
        );
    }
}

#[test]
fn connectors_are_listed_shown_and_checked() {
    let installation = Installation::new(&[]);
    let list = installation.run(&["connector", "list"]);
    says(&list, &["bamboohr", "greenhouse", "ldap", "odoo", "personio", "sftp"]);
    let show = installation.run(&["connector", "show", "sftp"]);
    says(&show, &["private_key", "secret", "hris_employees: "]);
    says(&installation.refuse(&["connector", "show", "nope"]), &["nope", "cadre connector list"]);

    installation.write("broken/connector.yaml", "tool: broken\nlabel: Broken\nstreamz: {}\n");
    let words = installation.refuse(&["connector", "check", "broken"]);
    says(&words, &["broken/connector.yaml:3", "streamz", "did you mean `streams`"]);
    let manifest = "tool: broken\nlabel: Broken\ncategories: [HRIS]\nbase_url: https://tool.example\n\
        auth: {type: none}\nstreams:\n  people:\n    request: {path: /people}\n    response: {records: \".data |\"}\n";
    installation.write("broken/connector.yaml", manifest);
    says(&installation.refuse(&["connector", "check", "broken"]), &["broken/connector.yaml:9"]);
    installation.write("broken/connector.yaml", "tool: [");
    says(&installation.refuse(&["connector", "check", "broken"]), &["broken/connector.yaml:"]);
    says(&installation.refuse(&["connector", "check", "nowhere"]), &["nowhere"]);
    let folder = installation.folder().display().to_string();
    let words =
        fail(1, installation.command(&["connector", "list"]).env("CADRE_CONNECTORS_DIR", folder));
    says(&words, &["broken/connector.yaml"]);
}

#[test]
fn a_reader_who_leaves_is_no_panic() {
    let binary = env!("CARGO_BIN_EXE_cadre");
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            &format!(
                "'{binary}' connector show sftp | head -n 1; '{binary}' connector list | true"
            ),
        ])
        .output()
        .expect("sh");
    let words = printed(&output);
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
fn the_doctor_finds_a_wrong_master_key() {
    let installation =
        Installation::new(&[("CADRE_LISTEN", &format!("127.0.0.1:{}", free_port()))]);
    let fields = [("subdomain", "acme"), ("api_key", "0123456789")];
    let id = installation.link("bamboohr", &fields, &[]);
    let words = installation.run(&["doctor"]);
    for check in ["configuration", "connectors", "database", "master key", "address"] {
        says(&words, &[&format!("ok      {check}: ")]);
    }
    says(&words, &["opens the credentials of 1 integrations"]);
    let wrong = "ab".repeat(32);
    let words = fail(1, installation.command(&["doctor"]).env("CADRE_MASTER_KEY", &wrong));
    says(&words, &["failed  master key", &id, "one check failed"]);
    assert!(!words.contains(&wrong), "{words}");
    let words = installation.refuse(&["doctor", "--database-url", "sqlite:/nowhere/x.db"]);
    says(&words, &["failed  database", "ok      connectors"]);
}
