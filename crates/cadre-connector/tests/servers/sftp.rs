//! SFTP against OpenSSH.

use std::fs::{self, File, FileTimes};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cadre_connector::format::{DecodeOptions, Format, decode};
use cadre_connector::transport::refusal::Refusal;
use cadre_connector::transport::sftp::{Pick, RemoteFile, Sftp, SftpAccount, SftpLimits};
use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use regex::Regex;
use serde_json::json;

use crate::openssh::{OpenSsh, UserKey};

fn account(server: &OpenSsh) -> SftpAccount {
    SftpAccount {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        username: server.user().to_owned(),
        password: None,
        private_key: Some(Secret::new(server.private_key(UserKey::Ed25519))),
        host_key: Some(server.host_key()),
    }
}

fn limits() -> SftpLimits {
    SftpLimits {
        request_timeout: Duration::from_secs(5),
        reread_pause: Duration::from_millis(100),
        allow_private: true,
        ..SftpLimits::default()
    }
}

async fn connect(account: &SftpAccount) -> Result<Sftp, Refusal> {
    Sftp::connect(account, limits()).await
}

async fn refused(account: &SftpAccount) -> Refusal {
    connect(account).await.err().expect("the server or the client refuses")
}

fn put(server: &OpenSsh, name: &str, content: &[u8], age_seconds: u64) {
    let path = server.files().join(name);
    fs::write(&path, content).expect("written");
    let file = File::options().write(true).open(path).expect("opened");
    let written = file.metadata().and_then(|data| data.modified()).expect("a time");
    let modified = written - Duration::from_secs(age_seconds);
    file.set_times(FileTimes::new().set_modified(modified)).expect("dated");
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

async fn only(sftp: &Sftp, name: &str) -> RemoteFile {
    let pattern = pattern(&format!("^{}$", regex::escape(name)));
    sftp.list(".", &pattern, Pick::Newest).await.expect("listed").remove(0)
}

async fn content(sftp: &Sftp, file: &RemoteFile) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    sftp.read(file).await?.read_to_end(&mut bytes).expect("readable");
    Ok(bytes)
}

#[tokio::test]
async fn a_file_goes_from_the_server_to_rows() {
    let server = OpenSsh::start();
    put(&server, "employees_old.csv", b"id\n0\n", 100);
    put(&server, "employees_new.csv", b"Nr;Vorname\n1;J\xfcrgen\n", 10);
    put(&server, "employees_unfinished.csv.part", b"id\n", 0);
    fs::create_dir(server.files().join("employees.csv")).expect("a folder of that name");
    std::os::unix::fs::symlink("nowhere", server.files().join("employees_link.csv"))
        .expect("a link");
    let sftp = connect(&account(&server)).await.expect("logged in");
    assert_eq!(sftp.host_key(), server.host_key());

    let files = sftp.list("", &pattern("^employees.*"), Pick::All).await.expect("listed");
    let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["employees_old.csv", "employees_new.csv"]);

    let newest = sftp.list(".", &pattern("^employees.*"), Pick::Newest).await.expect("listed");
    assert_eq!(newest, files[1..]);
    let source = sftp.read(&newest[0]).await.expect("read");
    let mut rows =
        decode(Format::Auto, &newest[0].name, source, &DecodeOptions::default()).expect("CSV");
    let batch = rows.next_batch(10).expect("readable").expect("rows");
    assert_eq!(batch.rows, [json!({"Nr": "1", "Vorname": "Jürgen"})]);
}

#[tokio::test]
async fn a_directory_below_and_an_absolute_one_are_the_same() {
    let server = OpenSsh::start();
    fs::create_dir(server.files().join("export")).expect("a folder");
    put(&server, "export/absences.csv", b"id\n1\n", 0);
    let sftp = connect(&account(&server)).await.expect("logged in");
    let absolute = server.files().join("export").display().to_string();
    for directory in ["export", "./export/", &absolute] {
        let files =
            sftp.list(directory, &pattern("absences"), Pick::Newest).await.expect(directory);
        assert_eq!(content(&sftp, &files[0]).await.expect("read"), b"id\n1\n", "{directory}");
    }
}

#[tokio::test]
async fn every_kind_of_key_logs_in() {
    let server = OpenSsh::start();
    for kind in [UserKey::Ed25519, UserKey::RsaPem, UserKey::Encrypted] {
        let mut account = account(&server);
        account.private_key = Some(Secret::new(server.private_key(kind)));
        account.password =
            matches!(kind, UserKey::Encrypted).then(|| Secret::from(OpenSsh::PASS_PHRASE));
        connect(&account).await.unwrap_or_else(|refusal| panic!("{kind:?}: {refusal:?}"));
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_from_each_other() {
    let server = OpenSsh::start();
    let stranger = OpenSsh::start();
    let foreign = Secret::new(stranger.private_key(UserKey::RsaPem));
    let encrypted = Secret::new(server.private_key(UserKey::Encrypted));
    for (key, password, said) in [
        (Some(foreign), None, "refused the private key"),
        (None, Some("wrong"), "refused the password"),
        (None, None, "Neither a password nor a private key"),
        (Some(Secret::from("ssh-ed25519 AAAA")), None, "cannot be read"),
        (Some(encrypted), Some("wrong"), "pass phrase"),
    ] {
        let password = password.map(Secret::from);
        let refusal =
            refused(&SftpAccount { private_key: key, password, ..account(&server) }).await;
        assert_eq!(refusal.fault.code, Code::IntegrationAuthenticationInvalid, "{refusal:?}");
        assert!(refusal.fault.message.contains(said), "{refusal:?}");
        assert!(!format!("{refusal:?}").contains("wrong\""), "{refusal:?}");
    }
}

#[tokio::test]
async fn the_pinned_key_decides_who_the_server_is() {
    let server = OpenSsh::start();
    let with =
        |host_key: &str| SftpAccount { host_key: Some(host_key.to_owned()), ..account(&server) };
    let second = connect(&with(&server.second_host_key())).await.expect("its other key is as good");
    assert_eq!(second.host_key(), server.second_host_key());
    let unpinned = connect(&with("")).await.expect("any key");
    assert_eq!(unpinned.host_key(), server.host_key());

    let refusal = refused(&with(&OpenSsh::start().host_key())).await;
    assert_eq!(refusal.fault.code, Code::IntegrationAuthenticationInvalid);
    assert!(refusal.fault.message.contains(&server.host_key()), "{refusal:?}");
    let refusal = refused(&with("not a fingerprint")).await;
    assert_eq!(refusal.fault.code, Code::IntegrationAuthenticationInvalid);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let server = OpenSsh::start();
    put(&server, "people.txt", b"", 0);
    let sftp = connect(&account(&server)).await.expect("logged in");
    let all = pattern("^employees");
    let refusal = sftp.list(".", &all, Pick::Newest).await.expect_err("no such file");
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid);
    assert!(refusal.fault.message.contains("\"people.txt\""), "{refusal:?}");
    let refusal = sftp.list("nowhere", &all, Pick::Newest).await.expect_err("no such directory");
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid);
    assert!(refusal.fault.message.contains("\"nowhere\""), "{refusal:?}");
    let ghost = RemoteFile { name: "x".into(), path: "x".into(), size: 1, modified: 0 };
    assert_eq!(sftp.read(&ghost).await.expect_err("gone").fault.code, Code::RemoteInputInvalid);
}

#[tokio::test]
async fn a_missing_right_is_told_with_its_object() {
    for (denied, what) in [("opendir", "the directory"), ("open", "the file")] {
        let server = OpenSsh::start_denying(denied);
        put(&server, "employees.csv", b"id\n", 0);
        let sftp = connect(&account(&server)).await.expect("logged in");
        let file = RemoteFile {
            name: "employees.csv".into(),
            path: "employees.csv".into(),
            size: 3,
            modified: 0,
        };
        let refusal = match denied {
            "opendir" => sftp.list(".", &pattern("."), Pick::All).await.expect_err("denied"),
            _ => sftp.read(&file).await.expect_err("denied"),
        };
        assert_eq!(refusal.fault.code, Code::IntegrationPermissionMissing, "{refusal:?}");
        assert!(refusal.fault.message.contains(what), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_server_without_sftp_is_told_from_a_wrong_password() {
    let server = OpenSsh::start_without_sftp();
    let refusal = refused(&account(&server)).await;
    assert_eq!(refusal.fault.code, Code::IntegrationPermissionMissing, "{refusal:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound").port();
    let server = OpenSsh::start();
    let refusal = refused(&SftpAccount { port: gone, ..account(&server) }).await;
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
    let refusal =
        refused(&SftpAccount { host: "no-such-host.invalid".into(), ..account(&server) }).await;
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
    let private = SftpLimits { allow_private: false, ..limits() };
    let refusal = Sftp::connect(&account(&server), private).await.err().expect("refused");
    assert_eq!(refusal.fault.code, Code::PlatformInputInvalid, "{refusal:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = silent.local_addr().expect("bound").port();
    let server = OpenSsh::start();
    let account = SftpAccount { port, ..account(&server) };
    let short = SftpLimits { connect_timeout: Duration::from_millis(300), ..limits() };
    let refusal = Sftp::connect(&account, short).await.err().expect("too slow");
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_not_read() {
    let server = OpenSsh::start();
    put(&server, "big.csv", &vec![b'x'; (1 << 20) + 1], 0);
    let small = SftpLimits { max_file_bytes: 1 << 20, ..limits() };
    let sftp = Sftp::connect(&account(&server), small).await.expect("logged in");
    let refusal = content(&sftp, &only(&sftp, "big.csv").await).await.expect_err("too large");
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid);
    assert!(refusal.fault.message.contains("1 MiB"), "{refusal:?}");
}

/// Appends to a file, a line at a time, until told to stop; returns how many lines there were.
fn keep_writing(path: &Path, stop: &Arc<AtomicBool>) -> thread::JoinHandle<usize> {
    let (path, stop) = (path.to_owned(), Arc::clone(stop));
    thread::spawn(move || {
        let mut file = File::options().append(true).open(path).expect("opened");
        let mut lines = 0;
        while !stop.load(Ordering::Relaxed) {
            writeln!(file, "{lines};Anna;{}", "x".repeat(1000)).expect("written");
            lines += 1;
            thread::sleep(Duration::from_millis(2));
        }
        lines
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_is_read_when_it_is_complete() {
    let server = OpenSsh::start();
    let start = vec![b'\n'; 6 << 20];
    put(&server, "grows.csv", &start, 50);
    let path = server.files().join("grows.csv");
    let sftp = connect(&account(&server)).await.expect("logged in");
    let file = only(&sftp, "grows.csv").await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = keep_writing(&path, &stop);
    let stopper = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            thread::sleep(Duration::from_millis(250));
            stop.store(true, Ordering::Relaxed);
        }
    });
    let bytes = content(&sftp, &file).await.expect("read");
    stopper.join().expect("stopped");
    let lines = writer.join().expect("written");
    assert!(lines > 0);
    assert_eq!(bytes, fs::read(path).expect("the whole file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_never_stops_growing_is_given_up() {
    let server = OpenSsh::start();
    put(&server, "grows.csv", b"id\n", 50);
    // Long enough for a writer that the machine makes wait.
    let few = SftpLimits { rereads: 2, reread_pause: Duration::from_millis(300), ..limits() };
    let sftp = Sftp::connect(&account(&server), few).await.expect("logged in");
    let file = only(&sftp, "grows.csv").await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = keep_writing(&server.files().join("grows.csv"), &stop);
    thread::sleep(Duration::from_millis(50));
    let read = content(&sftp, &file).await.map(|bytes| bytes.len());
    let refusal = read.expect_err("never the same");
    stop.store(true, Ordering::Relaxed);
    writer.join().expect("written");
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
    assert!(refusal.fault.message.contains("3 tries"), "{refusal:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_is_never_a_mixture() {
    let server = OpenSsh::start();
    let path = server.files().join("employees.csv");
    let version = |mark: u8| vec![mark; 3 << 20];
    fs::write(&path, version(b'0')).expect("written");
    let sftp = connect(&account(&server)).await.expect("logged in");
    let file = only(&sftp, "employees.csv").await;
    let next = server.files().join("next");
    let writer = thread::spawn(move || {
        for mark in b'1'..=b'9' {
            fs::write(&next, vec![mark; 3 << 20]).expect("written");
            fs::rename(&next, &path).expect("renamed");
            thread::sleep(Duration::from_millis(15));
        }
    });
    for _ in 0..5 {
        let bytes = content(&sftp, &file).await.expect("read");
        assert_eq!(bytes.len(), 3 << 20);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]), "a mixture of two versions");
    }
    writer.join().expect("written");
    assert_eq!(content(&sftp, &file).await.expect("read"), version(b'9'));
}
