//! Internet addresses: who really calls, and who is allowed to.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Text that is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address (192.0.2.7) nor a range of addresses (192.0.2.0/24)")]
pub struct NotANetwork(pub String);

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| wrong())?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest { Err(wrong()) } else { Ok(Network { address, prefix }) }
    }
}

impl Network {
    /// Whether the address lies in the range. An IPv4 address inside IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                own.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// The address of whoever sent the request.
///
/// The header that proxies write is believed only as far as trusted proxies wrote it: it is read
/// from its end, and the first address that is not such a proxy is the caller.
#[must_use]
pub fn caller(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[Network],
) -> Option<IpAddr> {
    let mut current = peer?.ip().to_canonical();
    let trusts = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for name in named.iter().rev() {
        if !trusts(current) {
            break;
        }
        let Ok(address) = name.trim().parse::<IpAddr>() else { break };
        current = address.to_canonical();
    }
    Some(current)
}

/// Whether the address is on the list. An empty list admits everybody; an entry that is not a
/// range of addresses admits nobody.
#[must_use]
pub fn allowed(address: Option<IpAddr>, list: &[String]) -> bool {
    if list.is_empty() {
        return true;
    }
    let matches = |address: IpAddr| {
        list.iter()
            .any(|entry| entry.parse().is_ok_and(|network: Network| network.contains(address)))
    };
    address.is_some_and(matches)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use http::HeaderMap;

    use super::{Network, allowed, caller};

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn ranges_contain_their_addresses() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("10.1.2.3/32", "::ffff:10.1.2.3", "::ffff:10.1.2.4"),
        ] {
            let network: Network = range.parse().expect("a range");
            assert!(network.contains(ip(inside)), "{range} {inside}");
            assert!(!network.contains(ip(outside)), "{range} {outside}");
        }
        for wrong in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let peer: SocketAddr = "10.0.0.1:4711".parse().expect("an address");
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.9".parse().expect("a value"));
        headers.append("x-forwarded-for", "10.0.0.2".parse().expect("a value"));
        let trusted = ["10.0.0.0/8".parse().expect("a range")];
        assert_eq!(caller(Some(peer), &headers, &trusted), Some(ip("203.0.113.9")));
        assert_eq!(caller(Some(peer), &headers, &[]), Some(ip("10.0.0.1")));
        assert_eq!(caller(None, &headers, &trusted), None);
    }

    #[test]
    fn an_allow_list_with_nothing_readable_admits_nobody() {
        assert!(allowed(None, &[]));
        assert!(!allowed(None, &["10.0.0.0/8".into()]));
        assert!(!allowed(Some(ip("10.0.0.1")), &["everybody".into()]));
        assert!(allowed(Some(ip("10.0.0.1")), &["nobody".into(), "10.0.0.0/8".into()]));
    }
}
