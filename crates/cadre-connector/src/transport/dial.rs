//! Opening a TCP connection to a host that a user named.
//!
//! The name is resolved once, every address is checked, and the connection goes to exactly the
//! address that was checked: a name that resolves differently a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use cadre_model::fault::Code;
use tokio::net::TcpStream;

use super::refusal::Refusal;

/// Opens a connection to `host:port`, trying its addresses in turn, all within `timeout`.
///
/// Addresses inside private networks are refused unless `allow_private`.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` for a private address, `REMOTE.SERVICE_UNAVAILABLE` when the name does
/// not resolve, nothing listens, or the time is over.
pub async fn dial(
    host: &str,
    port: u16,
    allow_private: bool,
    timeout: Duration,
) -> Result<TcpStream, Refusal> {
    match tokio::time::timeout(timeout, connect(host, port, allow_private)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal::new(
            Code::RemoteServiceUnavailable,
            "connection timed out",
            format!("{host}:{port} did not answer within {} s.", timeout.as_secs_f32()),
        )
        .hint("Check host and port, and that the server lets connections from Cadre through its firewall.")),
    }
}

async fn connect(host: &str, port: u16, allow_private: bool) -> Result<TcpStream, Refusal> {
    let bare = host.trim().trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
        .await
        .map(Iterator::collect)
        .map_err(|error| unresolved(bare).context(error))?;
    let mut last = None;
    for address in &addresses {
        if !allow_private && !is_public(address.ip()) {
            return Err(private(bare, address.ip()));
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    match last {
        None => Err(unresolved(bare)),
        Some(error) => Err(Refusal::new(
            Code::RemoteServiceUnavailable,
            "connection failed",
            format!("Could not connect to {bare}:{port}: {}.", error.kind()),
        )
        .hint("Check host and port, and that the server is running.")
        .context(error)),
    }
}

fn unresolved(host: &str) -> Refusal {
    Refusal::new(
        Code::RemoteServiceUnavailable,
        "host name not found",
        format!("The host name \"{host}\" could not be resolved."),
    )
    .hint("Check the spelling of the host name.")
}

fn private(host: &str, address: IpAddr) -> Refusal {
    Refusal::new(
        Code::PlatformInputInvalid,
        "private address",
        format!("\"{host}\" is at {address}, which is not a public address."),
    )
    .hint("Name a host on the public internet, or have the operator allow private networks.")
}

/// Whether an address is on the public internet: not loopback, link-local, private, shared,
/// multicast, documentation, or reserved; also not one of those dressed up as IPv6.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 192 && b == 0 && c == 0);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Addresses that carry an IPv4 address are as public as that one: mapped, NAT64 and 6to4.
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Only 2000::/3 is handed out; 2001:db8::/32 is for documentation, 2001::/32 is Teredo.
        [0x2001, 0xdb8 | 0, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in ["93.184.216.34", "2606:2800:220:1::1", "100.128.0.1", "::ffff:8.8.8.8"] {
            assert!(is_public(public.parse().expect(public)), "{public}");
        }
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().expect(address)), "{address}");
        }
    }

    #[tokio::test]
    async fn a_private_address_is_refused_before_anything_is_sent() {
        let refusal =
            dial("localhost", 1, false, Duration::from_secs(5)).await.expect_err("private");
        assert_eq!(refusal.fault.code, Code::PlatformInputInvalid);
        let refusal =
            dial("127.0.0.1", 1, true, Duration::from_secs(5)).await.expect_err("refused");
        assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable);
    }
}
