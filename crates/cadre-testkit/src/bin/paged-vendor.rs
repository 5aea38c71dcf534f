//! Runs the vendor for measuring by itself.
//!
//! `paged-vendor --port 9100 --employees 20000 --delay-ms 40` prints the address it listens on.

use std::time::Duration;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is the program's output")]
async fn main() -> std::io::Result<()> {
    let flag = |name: &str, default: u64| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        arguments.nth(1).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let port = u16::try_from(flag("--port", 0)).unwrap_or(0);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let delay = Duration::from_millis(flag("--delay-ms", 0));
    cadre_testkit::paged_vendor::serve(listener, flag("--employees", 20_000), delay).await
}
