//! The list of `NO_PROXY`, as Go's `golang.org/x/net/http/httpproxy` reads it: hosts with what is below
//! them, `.suffixes`, addresses, networks, each but the last with a port if need be, and `*`.

use std::net::IpAddr;

/// Whether a server is reached without the proxy of the environment. One on this machine always is.
pub(super) fn matches(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let server = RequestedServer { host: host.to_ascii_lowercase(), address, port };
    list.split(',').any(|entry| server.is_in(&entry.trim().to_ascii_lowercase()))
}

/// The server that is asked for.
struct RequestedServer {
    host: String,
    /// Where it is not named but numbered.
    address: Option<IpAddr>,
    port: u16,
}

impl RequestedServer {
    fn is_in(&self, entry: &str) -> bool {
        if entry == "*" {
            return true;
        }
        if let Some(network) = Network::parse(entry) {
            return self.address.is_some_and(|address| network.contains(address));
        }
        let NoProxyEntry { host, port } = NoProxyEntry::parse(entry);
        // A text that is not a number can't be a server's port.
        let is_port = port.is_none_or(|port| port.is_empty() || port == self.port.to_string());
        if let Ok(address) = host.parse::<IpAddr>() {
            return is_port && self.address == Some(address.to_canonical());
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let is_host = match host.strip_prefix('.') {
            Some(_) => self.host.ends_with(host),
            None => self.host == host || self.host.ends_with(&format!(".{host}")),
        };
        !host.is_empty() && is_port && is_host
    }
}

/// A host, and a port where one is said.
struct NoProxyEntry<'a> {
    host: &'a str,
    port: Option<&'a str>,
}

impl<'a> NoProxyEntry<'a> {
    fn parse(text: &'a str) -> Self {
        let whole = Self { host: text, port: None };
        if let Some(bracketed) = text.strip_prefix('[') {
            return match bracketed.split_once("]:") {
                Some((host, port)) => Self { host, port: Some(port) },
                None => whole,
            };
        }
        match text.split_once(':') {
            // More colons are those of an address without brackets.
            Some((host, port)) if !port.contains(':') => Self { host, port: Some(port) },
            _ => whole,
        }
    }
}

/// An address and how many of its bits count.
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u32 = bits.parse().ok().filter(|_| is_number)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(network), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                network.to_bits() & mask == other.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                network.to_bits() & mask == other.to_bits() & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_match_as_in_go() {
        for (list, host, port, expected) in [
            ("", "api.example.com", 443, false),
            (" , ,", "api.example.com", 443, false),
            ("*", "api.example.com", 443, true),
            ("other, * ,", "10.0.0.1", 443, true),
            ("example.com", "example.com", 443, true),
            ("example.com", "api.example.com", 443, true),
            ("example.com", "badexample.com", 443, false),
            ("EXAMPLE.com", "api.Example.COM", 443, true),
            (".example.com", "example.com", 443, false),
            (".example.com", "api.example.com", 443, true),
            ("*.example.com", "api.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*example.com", "api.example.com", 443, false),
            ("api.*", "api.example.com", 443, false),
            ("com", "api.example.com", 443, true),
            (".", "api.example.com", 443, false),
            ("other,  api.example.com ", "api.example.com", 443, true),
            ("other api.example.com", "api.example.com", 443, false),
            ("api.example.com:443", "api.example.com", 443, true),
            ("api.example.com:443", "api.example.com", 6443, false),
            ("api.example.com:", "api.example.com", 6443, true),
            ("api.example.com:x", "api.example.com", 443, false),
            (":443", "api.example.com", 443, false),
            ("https://api.example.com", "api.example.com", 443, false),
            ("10.0.0.1", "10.0.0.1", 6443, true),
            ("10.0.0.1:6443", "10.0.0.1", 6443, true),
            ("10.0.0.1:443", "10.0.0.1", 6443, false),
            ("10.0.0.1", "10.0.0.11", 6443, false),
            ("10.0.0", "10.0.0.1", 6443, false),
            (".0.1", "10.0.0.1", 6443, true),
            ("10.0.0.0/8", "10.1.2.3", 6443, true),
            ("10.0.0.0/8", "11.1.2.3", 6443, false),
            ("10.1.2.3/32", "10.1.2.3", 6443, true),
            ("0.0.0.0/0", "11.1.2.3", 6443, true),
            ("0.0.0.0/0", "fd00::1", 6443, false),
            ("0.0.0.0/0", "api.example.com", 6443, false),
            ("10.0.0.0/33", "10.0.0.1", 6443, false),
            ("10.0.0.0/+8", "10.0.0.1", 6443, false),
            ("10.0.0.0/8:6443", "10.0.0.1", 6443, false),
            ("fd00::/8", "[fd00::1]", 6443, true),
            ("fd00::1", "[fd00::1]", 6443, true),
            ("[fd00::1]:6443", "[fd00::1]", 6443, true),
            ("[fd00::1]:443", "[fd00::1]", 6443, false),
            ("[fd00::1]", "[fd00::1]", 6443, false),
            ("::ffff:10.0.0.1", "10.0.0.1", 6443, true),
        ] {
            assert_eq!(matches(list, host, port), expected, "{list:?} {host} {port}");
        }
    }
}
