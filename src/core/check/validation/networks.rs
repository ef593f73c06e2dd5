//! Addresses, blocks of them, and NetworkPolicies.
//!
//! Source of the rules: Kubernetes' `pkg/apis/networking/validation/validation.go`, and
//! k8s.io/apimachinery `pkg/util/validation/ip.go` with `StrictIPCIDRValidation`, as of 1.36.

use ::core::net::IpAddr;

use super::faults::{Faults, integer, list, map, maps, of};
use super::{numbers, selectors};
use crate::core::json::{Map, Value};

/// A block of addresses.
#[derive(Clone, Copy)]
struct Block {
    /// Its bits, from the left.
    bits: u128,
    length: u32,
    width: u32,
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

/// The bits of a block that are free.
fn free(length: u32) -> u128 {
    u128::MAX.checked_shr(length).unwrap_or(0)
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.to_ipv4_mapped().is_some())
}

/// The fault of an address.
pub(super) fn address(text: &str) -> Option<&'static str> {
    match text.parse::<IpAddr>() {
        Ok(address) if is_mapped(address) => Some("not be an IPv4 address in IPv6 form"),
        Ok(_) => None,
        Err(_) => Some("be an IP address such as 10.9.8.7 or 2001:db8::1"),
    }
}

fn block(text: &str) -> Result<Block, &'static str> {
    let wanted = "be a block of addresses such as 10.9.8.0/24 or 2001:db8::/64";
    let (address, length) = text.split_once('/').ok_or(wanted)?;
    let address: IpAddr = address.parse().map_err(|_| wanted)?;
    let is_plain = length.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || length.len() > 1 && length.starts_with('0') {
        return Err(wanted);
    }
    let (bits, width) = bits(address);
    let length: u32 = length.parse().map_err(|_| wanted)?;
    if length > width {
        return Err(wanted);
    }
    if is_mapped(address) {
        return Err("not have an IPv4 address in IPv6 form");
    }
    if bits & free(length) != 0 {
        return Err("not have bits set beyond its length");
    }
    Ok(Block { bits, length, width })
}

/// An address.
pub(super) fn ip<'v>(faults: &mut Faults<'v>, value: Option<&'v Value>) {
    if let Some((value, text)) = value.and_then(|value| Some((value, value.as_str()?)))
        && let Some(wanted) = address(text)
    {
        faults.must(value, wanted);
    }
}

/// A block of addresses, which may have space around it.
pub(super) fn cidr<'v>(faults: &mut Faults<'v>, value: &'v Value) {
    if let Some(Err(wanted)) = value.as_str().map(|text| block(text.trim())) {
        faults.must(value, wanted);
        faults.hint(value.as_str().and_then(masked).map(|meant| format!("write {meant}")));
    }
}

/// The block that is meant by one that has bits set beyond its length.
fn masked(text: &str) -> Option<String> {
    let (address, length) = text.trim().split_once('/')?;
    let (address, length): (IpAddr, u32) = (address.parse().ok()?, length.parse().ok()?);
    let (bits, width) = bits(address);
    let bits = (length <= width).then(|| bits & !free(length))?;
    let address = match address {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits >> 96).ok()?.into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    };
    Some(format!("{address}/{length}")).filter(|meant| block(meant).is_ok())
}

/// A NetworkPolicy.
pub(super) fn policy<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    selectors::selector(faults, spec.get("podSelector"));
    if let Some(value) = of(spec, "policyTypes")
        && list(spec, "policyTypes").len() > 2
    {
        faults.says(value, "must have at most 2 elements");
    }
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in maps(spec, direction) {
            for port in maps(rule, "ports") {
                self::port(faults, port);
            }
            for value in list(rule, peers) {
                if let Some(fields) = value.as_object() {
                    peer(faults, fields, value);
                }
            }
        }
    }
}

fn port<'v>(faults: &mut Faults<'v>, port: &'v Map) {
    numbers::port_or_name(faults, port, "port");
    if of(port, "endPort").is_none() {
        return;
    }
    match (of(port, "port"), integer(port, "port")) {
        (None, _) => faults.missing(port, "port", ": endPort needs it"),
        (Some(_), None) => faults.clash(port, "endPort", "needs a number for `port`"),
        (Some(_), Some(first)) => {
            numbers::port(faults, port, "endPort");
            if integer(port, "endPort").is_some_and(|last| last < first) {
                faults.clash(port, "endPort", "must not be less than `port`");
            }
        }
    }
}

fn peer<'v>(faults: &mut Faults<'v>, peer: &'v Map, around: &'v Value) {
    selectors::selector(faults, peer.get("podSelector"));
    selectors::selector(faults, peer.get("namespaceSelector"));
    let other = ["podSelector", "namespaceSelector"].iter().find(|it| of(peer, it).is_some());
    let Some(within) = map(peer, "ipBlock") else {
        if other.is_none() {
            faults.says(around, "must have one of podSelector, namespaceSelector, ipBlock");
        }
        return;
    };
    if let Some(other) = other {
        faults.clash(peer, other, "excludes `ipBlock`");
    }
    let Some(value) = within.get("cidr") else { return };
    let Some(text) = value.as_str() else { return };
    match block(text) {
        Err(wanted) => {
            faults.must(value, wanted);
            faults.hint(masked(text).map(|meant| format!("write {meant}")));
        }
        Ok(whole) => {
            for except in list(within, "except") {
                match except.as_str().map(block) {
                    Some(Err(wanted)) => faults.must(except, wanted),
                    Some(Ok(part)) if !whole.has(part) => {
                        faults.must(except, format!("be a part of {text}"));
                    }
                    _ => {}
                }
            }
        }
    }
}

impl Block {
    /// Whether another is a part of it, and smaller.
    fn has(self, other: Self) -> bool {
        self.width == other.width
            && other.length > self.length
            && (self.bits ^ other.bits) & !free(self.length) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_blocks_are_strict() {
        for text in ["10.0.0.1", "::1", "2001:db8::ffff"] {
            assert_eq!(address(text), None, "{text}");
        }
        for text in ["10.0.0.01", "::ffff:10.0.0.1", "10.0.0", "10.0.0.1/32", "fe80::1%eth0", ""] {
            assert!(address(text).is_some(), "{text}");
        }
        for text in ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "::/0", "2001:db8::/32"] {
            assert!(block(text).is_ok(), "{text}");
        }
        for text in
            ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0", "::1/64", "a/8", "1.2.3.4/+8"]
        {
            assert!(block(text).is_err(), "{text}");
        }
        assert_eq!(masked("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(masked("2001:db8::1/32").as_deref(), Some("2001:db8::/32"));
        let within = |outer, inner| block(outer).unwrap().has(block(inner).unwrap());
        assert!(within("10.0.0.0/8", "10.1.0.0/16"));
        assert!(!within("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!within("10.0.0.0/8", "11.0.0.0/16"));
        assert!(!within("::/0", "10.0.0.0/16"));
    }
}
