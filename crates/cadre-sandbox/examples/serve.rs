//! Runs the sandbox in the foreground: `cargo run -p cadre-sandbox --example serve -- [PORT]`.

use cadre_sandbox::{Sandbox, SandboxOptions};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example talks to the person who runs it")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(4010);
    let running = Sandbox::start(SandboxOptions { port, ..SandboxOptions::default() }).await?;
    println!("{}", running.base_url);
    println!(
        "Sandbox HR:  client id {}, client secret {}",
        running.client_id, running.client_secret
    );
    println!("Sandbox ATS: API key {}", running.api_key);
    println!("Sandbox LMS: API key {}", running.learning_key);
    tokio::signal::ctrl_c().await
}
