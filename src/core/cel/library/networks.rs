//! Addresses: k8s.io/apiserver, `pkg/cel/library/ip.go` and `cidr.go`.

use core::net::IpAddr;
use std::fmt;

use super::{Entry, Special, found, global, method, mismatch, special, text};
use crate::core::cel::EvaluationError;
use crate::core::cel::value::ExpressionValue;

/// A range of addresses, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    ip: IpAddr,
    bits: u8,
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.bits)
    }
}

pub(super) const FUNCTIONS: &[Entry] = &[
    global("ip", 1, 1, |_, a| match read(text(&a[0])?) {
        Some(ip) => Ok(found(Special::Ip(ip))),
        None => Err(EvaluationError::stopped("ip(): a text is not an IP address")),
    }),
    global("isIP", 1, 1, |_, a| Ok(ExpressionValue::Bool(read(text(&a[0])?).is_some()))),
    global("ip.isCanonical", 1, 1, |_, a| {
        let text = text(&a[0])?;
        match read(text) {
            Some(ip) => Ok(ExpressionValue::Bool(ip.to_string() == text)),
            None => Err(EvaluationError::stopped("ip.isCanonical(): a text is not an IP address")),
        }
    }),
    method("family", 1, 1, |_, a| {
        Ok(ExpressionValue::Int(if ip(&a[0])?.is_ipv4() { 4 } else { 6 }))
    }),
    method("isUnspecified", 1, 1, |_, a| Ok(ExpressionValue::Bool(ip(&a[0])?.is_unspecified()))),
    method("isLoopback", 1, 1, |_, a| Ok(ExpressionValue::Bool(ip(&a[0])?.is_loopback()))),
    method("isLinkLocalMulticast", 1, 1, |_, a| {
        Ok(ExpressionValue::Bool(match ip(&a[0])? {
            IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
            IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
        }))
    }),
    method("isLinkLocalUnicast", 1, 1, |_, a| Ok(ExpressionValue::Bool(is_link_local(ip(&a[0])?)))),
    method("isGlobalUnicast", 1, 1, |_, a| {
        let ip = ip(&a[0])?;
        let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        Ok(ExpressionValue::Bool(
            !(is_broadcast
                || ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_multicast()
                || is_link_local(ip)),
        ))
    }),
    global("cidr", 1, 1, |_, a| match range(text(&a[0])?) {
        Some(cidr) => Ok(found(Special::Cidr(cidr))),
        None => Err(EvaluationError::stopped("cidr(): a text is not a CIDR range")),
    }),
    global("isCIDR", 1, 1, |_, a| Ok(ExpressionValue::Bool(range(text(&a[0])?).is_some()))),
    method("containsIP", 2, 2, |_, a| {
        let range = cidr(&a[0])?;
        let ip = match a[1].text() {
            Some(text) => read(text).ok_or_else(|| {
                EvaluationError::stopped("containsIP(): a text is not an IP address")
            })?,
            None => ip(&a[1])?,
        };
        Ok(ExpressionValue::Bool(contains(range, ip)))
    }),
    method("containsCIDR", 2, 2, |_, a| {
        let outer = cidr(&a[0])?;
        let inner = match a[1].text() {
            Some(text) => self::range(text).ok_or_else(|| {
                EvaluationError::stopped("containsCIDR(): a text is not a CIDR range")
            })?,
            None => cidr(&a[1])?,
        };
        let contained = inner.bits >= outer.bits && contains(outer, inner.ip);
        Ok(ExpressionValue::Bool(contained))
    }),
    method("ip", 1, 1, |_, a| Ok(found(Special::Ip(cidr(&a[0])?.ip)))),
    method("prefixLength", 1, 1, |_, a| Ok(ExpressionValue::Int(i64::from(cidr(&a[0])?.bits)))),
    method("masked", 1, 1, |_, a| {
        let cidr = cidr(&a[0])?;
        Ok(found(Special::Cidr(Cidr { ip: masked(cidr.ip, cidr.bits), ..cidr })))
    }),
];

/// An address without a zone, and not one of IPv4 in the form of IPv6.
fn read(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    match ip {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => None,
        ip => Some(ip),
    }
}

fn range(text: &str) -> Option<Cidr> {
    let (ip, bits) = text.rsplit_once('/')?;
    let ip = read(ip)?;
    let is_plain = bits == "0" || !bits.starts_with(['0', '+']);
    let bits: u8 = bits.parse().ok().filter(|_| is_plain)?;
    (bits <= if ip.is_ipv4() { 32 } else { 128 }).then_some(Cidr { ip, bits })
}

fn ip(value: &ExpressionValue<'_>) -> Result<IpAddr, EvaluationError> {
    match special(value)? {
        Special::Ip(ip) => Ok(*ip),
        _ => Err(mismatch()),
    }
}

fn cidr(value: &ExpressionValue<'_>) -> Result<Cidr, EvaluationError> {
    match special(value)? {
        Special::Cidr(cidr) => Ok(*cidr),
        _ => Err(mismatch()),
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(ip) & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(ip) & mask).into())
        }
    }
}

fn contains(range: Cidr, ip: IpAddr) -> bool {
    range.ip.is_ipv4() == ip.is_ipv4() && masked(range.ip, range.bits) == masked(ip, range.bits)
}
