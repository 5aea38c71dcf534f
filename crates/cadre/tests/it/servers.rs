//! Servers that are not ours: an OpenSSH server with files, and an OpenLDAP directory.

use cadre_testkit::openldap::OpenLdap;
use cadre_testkit::openssh::{OpenSsh, UserKey};
use serde_json::Value;

use super::process::{Caller, Installation, Server};

const EMPLOYEES: &str = "/v1/hris/employees";

/// Columns that no connector knows.
const MAPPING: &str = r#"{"hris_employees": {
    "remote_id": {"column": "Staff No."},
    "first_name": {"column": "Given"},
    "last_name": {"column": "Family"},
    "start_date": {"column": "Joined", "format": "%m/%d/%Y"},
    "job_title": {"jq": ".Role"}}}"#;

/// Text as a program of the last century writes it.
fn latin_1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(u32::from(char)).expect("a character of Latin-1"))
        .collect()
}

fn field<'a>(records: &'a [Value], remote_id: &str, name: &str) -> &'a Value {
    let mut found = records.iter().filter(|record| record["remote_id"] == remote_id);
    let record = found.next().unwrap_or_else(|| panic!("no {remote_id} in {records:?}"));
    assert!(found.next().is_none(), "{remote_id} is there twice");
    &record[name]
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|group| group["name"].as_str())
        .collect();
    names.sort_unstable();
    names
}

/// Links an account of the server with a check, and starts a server that syncs it.
fn connect(installation: &Installation, ssh: &OpenSsh, more: &[&str]) -> (Server, Caller, String) {
    let server = installation.serve();
    let caller = server.caller();
    let key = installation.write("key", ssh.private_key(UserKey::Ed25519)).display().to_string();
    let (port, user) = (format!("port={}", ssh.port()), format!("username={}", ssh.user()));
    let host_key = format!("host_key={}", ssh.host_key());
    let key = format!("private_key={key}");
    let mut arguments = vec!["integration", "create", "--tool", "sftp", "--organization", "Acme"];
    arguments.extend(["--field", "host=127.0.0.1", "--field", &port, "--field", &user]);
    arguments.extend(["--field", &host_key, "--field-file", &key]);
    arguments.extend(more);
    let integration = installation.run(&arguments).lines().next().expect("the id").to_owned();
    caller.wait_until_readable(&integration, EMPLOYEES, 60);
    (server, caller, integration)
}

#[test]
fn files_with_columns_of_their_own() {
    let ssh = OpenSsh::start();
    let file = ssh.files().join("employees.csv");
    let head = "Staff No.;Given;Family;Joined;Role;Abteilung\r\n";
    let write =
        |rows: &str| std::fs::write(&file, latin_1(&format!("{head}{rows}"))).expect("a file");
    write(
        "7;Jürgen;Müller;01/31/2020;Köchin;Küche\r\n8;Zoë;\"d'Arc; jr.\";12/01/2021;Geschäftsführerin;Leitung\r\n9;Ann;Lee;02/03/2022;Clerk;\r\n",
    );
    let absences = "absence_id,employee_id,absence_type,start_date,end_date,days,status\n1,7,Holiday,2026-02-02,2026-02-06,5,approved\n";
    std::fs::write(ssh.files().join("absences.csv"), absences).expect("a file");
    let installation = Installation::new(&[]);
    let mapping = installation.write("mapping.json", MAPPING).display().to_string();
    let (server, caller, integration) = connect(&installation, &ssh, &["--mapping", &mapping]);

    let records = caller.list(EMPLOYEES, &integration, 1);
    assert_eq!(records.len(), 3);
    assert_eq!(field(&records, "7", "last_name"), "Müller");
    assert_eq!(field(&records, "7", "start_date"), "2020-01-31T00:00:00.000Z");
    assert_eq!(names(field(&records, "7", "groups")), ["Küche"]);
    assert_eq!(field(&records, "8", "last_name"), "d'Arc; jr.");
    assert_eq!(field(&records, "8", "job_title"), "Geschäftsführerin");
    assert_eq!(names(field(&records, "9", "groups")), Vec::<&str>::new());
    let absences = caller.list("/v1/hris/absences", &integration, 100);
    assert_eq!(absences.len(), 1, "{absences:?}");
    assert_eq!(&absences[0]["employee_id"], field(&records, "7", "id"));

    // One has another name, one has left, one is new, and one is as before.
    write(
        "7;Jürgen;Groß;01/31/2020;Köchin;Küche\r\n9;Ann;Lee;02/03/2022;Clerk;\r\n10;Bo;Ek;05/06/2023;Clerk;\r\n",
    );
    let before = records;
    let words = installation.sync(&integration);
    assert!(words.contains("SUCCEEDED"), "{words}");
    let records = caller.list(EMPLOYEES, &integration, 250);
    assert_eq!(records.len(), 3);
    assert_eq!(field(&records, "7", "last_name"), "Groß");
    assert_eq!(field(&records, "10", "first_name"), "Bo");
    assert_eq!(field(&records, "9", "changed_at"), field(&before, "9", "changed_at"));
    assert_eq!(field(&records, "7", "id"), field(&before, "7", "id"), "ids are stable");
    let all = caller.list(&format!("{EMPLOYEES}?include_deleted=true"), &integration, 250);
    assert!(!field(&all, "8", "remote_deleted_at").is_null());

    // A broken upload is a failed run, and everything stays.
    std::fs::write(&file, "").expect("a file");
    let words = installation.sync(&integration);
    assert!(!words.contains("SUCCEEDED") && words.contains("empty"), "{words}");
    assert_eq!(caller.list(EMPLOYEES, &integration, 250), records);
    assert!(!server.log().contains("PRIVATE KEY"));
}

#[test]
fn a_workbook() {
    let ssh = OpenSsh::start();
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let date = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy");
    for (column, name) in
        ["Personalnummer", "Vorname", "Nachname", "Eintrittsdatum", "Wochenstunden"]
            .iter()
            .enumerate()
    {
        sheet.write(0, u16::try_from(column).expect("few"), *name).expect("a cell");
    }
    sheet.write(1, 0, 42).expect("a cell");
    sheet.write(1, 1, "Ida").expect("a cell");
    sheet.write(1, 2, "Öhm").expect("a cell");
    let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2024, 2, 29).expect("a day");
    sheet.write_with_format(1, 3, &day, &date).expect("a cell");
    sheet.write(1, 4, 38.5).expect("a cell");
    book.save(ssh.files().join("employees_2026.xlsx")).expect("a file");
    let installation = Installation::new(&[]);
    let (_server, caller, integration) = connect(&installation, &ssh, &[]);
    let records = caller.list(EMPLOYEES, &integration, 250);
    assert_eq!(records.len(), 1);
    assert_eq!(field(&records, "42", "last_name"), "Öhm");
    assert_eq!(field(&records, "42", "start_date"), "2024-02-29T00:00:00.000Z");
    assert_eq!(field(&records, "42", "weekly_hours"), 38.5);
}

#[test]
fn a_server_that_refuses_is_told_in_words() {
    let (ssh, other) = (OpenSsh::start(), OpenSsh::start());
    std::fs::write(ssh.files().join("employees.csv"), "id\n1\n").expect("a file");
    let installation = Installation::new(&[]);
    let key = installation.write("key", other.private_key(UserKey::Ed25519)).display().to_string();
    let (port, user) = (format!("port={}", ssh.port()), format!("username={}", ssh.user()));
    let key = format!("private_key={key}");
    let wrong_key = [
        "integration",
        "create",
        "--tool",
        "sftp",
        "--field",
        "host=127.0.0.1",
        "--field",
        &port,
        "--field",
        &user,
        "--field-file",
        &key,
    ];
    let words = installation.refuse(&wrong_key);
    assert!(words.contains("INTEGRATION.AUTHENTICATION_INVALID"), "{words}");
    assert!(!words.contains("PRIVATE KEY"), "{words}");

    let good = installation.write("good", ssh.private_key(UserKey::Ed25519)).display().to_string();
    let (good, host_key) =
        (format!("private_key={good}"), format!("host_key={}", other.host_key()));
    let mut wrong_host = wrong_key.to_vec();
    wrong_host.pop();
    wrong_host.extend([good.as_str(), "--field", &host_key]);
    let words = installation.refuse(&wrong_host);
    assert!(words.contains("key") && words.contains(&ssh.host_key()), "{words}");
    assert!(installation.run(&["integration", "list"]).contains("No integrations"));
}

fn directory_form<'a>(url: &'a str, user: &'a str, password: &'a str) -> [(&'a str, &'a str); 4] {
    [("url", url), ("bind_dn", user), ("password", password), ("base_dn", OpenLdap::BASE)]
}

#[test]
fn people_and_groups_of_a_directory() {
    let ldap = OpenLdap::start();
    let installation = Installation::new(&[]);
    let server = installation.serve();
    let caller = server.caller();
    let url = ldap.url();
    let form = directory_form(&url, OpenLdap::READER, OpenLdap::PASSWORD);
    let integration = installation.link("ldap", &form, &[]);
    caller.wait_until_readable(&integration, EMPLOYEES, 60);
    let people = caller.list(EMPLOYEES, &integration, 1);
    assert_eq!(people.len(), 7, "{people:?}");
    let named = |people: &[Value], mail: &str| {
        let found = people.iter().find(|person| person["work_email"] == mail);
        found.cloned().unwrap_or_else(|| panic!("nobody with {mail}"))
    };
    let chloe = named(&people, "chloe.dubois@example.org");
    assert_eq!(chloe["first_name"], "Chloé");
    assert_eq!(chloe["manager"]["work_email"], "bela.kovacs@example.org");
    assert!(names(&chloe["groups"]).contains(&"engineering"), "{chloe}");
    assert!(names(&chloe["groups"]).contains(&"developers"), "{chloe}");
    assert_eq!(named(&people, "dmitri@example.org")["last_name"], "Иванов");
    assert_eq!(named(&people, "joerg.mueller@example.org")["manager"]["last_name"], "Kovács");

    ldap.modify(
        "dn: uid=frank,ou=Sales,ou=People,dc=example,dc=org\nchangetype: delete\n\n\
         dn: uid=chloe,ou=People,dc=example,dc=org\nchangetype: modify\nreplace: title\ntitle: Architect\n\n\
         dn: uid=bela,ou=People,dc=example,dc=org\nchangetype: modrdn\nnewrdn: uid=bela.k\ndeleteoldrdn: 1\n",
    );
    let words = installation.sync(&integration);
    assert!(words.contains("SUCCEEDED"), "{words}");
    let after = caller.list(EMPLOYEES, &integration, 250);
    assert_eq!(after.len(), 6);
    let architect = named(&after, "chloe.dubois@example.org");
    assert_eq!((&architect["job_title"], &architect["id"]), (&"Architect".into(), &chloe["id"]));
    let id = |people: &[Value]| named(people, "bela.kovacs@example.org")["id"].clone();
    assert_eq!(id(&after), id(&people), "an entry that was renamed is still the same person");
    assert!(!server.log().contains(OpenLdap::PASSWORD));

    let mut wrong = vec!["integration", "create", "--tool", "ldap"];
    let fields =
        directory_form(&url, OpenLdap::READER, "not the password").map(|(n, v)| format!("{n}={v}"));
    fields.iter().for_each(|field| wrong.extend(["--field", field]));
    let words = installation.refuse(&wrong);
    assert!(words.contains("INTEGRATION.AUTHENTICATION_INVALID"), "{words}");
    assert!(!words.contains("not the password"), "{words}");
}
