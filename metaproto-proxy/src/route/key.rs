//! The key of a request that a choice by hash goes by.

use std::net::IpAddr;

use metaproto_core::{IntText, Metadata};

use super::matcher::value;
use crate::hash::{self, Purpose};
use crate::model::HashKey;

/// The hash of the first of `keys` that there is. Numbers count by their decimal text. An IPv4 address
/// counts as such, also where it comes as IPv6.
pub(super) fn hash(
    keys: &[HashKey],
    request: &Metadata,
    client: IpAddr,
    purpose: Purpose,
) -> Option<u64> {
    keys.iter().find_map(|key| match key {
        HashKey::Property(name) => {
            let mut room = IntText::default();
            Some(hash::of(value(name, request)?.as_bytes(&mut room), purpose))
        }
        HashKey::ClientAddress => Some(match client.to_canonical() {
            IpAddr::V4(ip) => hash::of(&ip.octets(), purpose),
            IpAddr::V6(ip) => hash::of(&ip.octets(), purpose),
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

    fn key(keys: &[HashKey], request: &Metadata, client: IpAddr) -> Option<u64> {
        hash(keys, request, client, Purpose::Endpoint)
    }

    fn property(name: &str) -> HashKey {
        HashKey::Property(name.to_owned())
    }

    #[test]
    fn the_first_key_that_is_there_counts() {
        let mut request = Metadata::new();
        request.push_int("b", 7);
        request.set_operation("call");
        let text = |text: &str| Some(hash::of(text.as_bytes(), Purpose::Endpoint));
        let keys = [property("a"), property("B"), property("operation"), HashKey::ClientAddress];
        assert_eq!(key(&keys, &request, V4), text("7"));
        let [a, _, operation, client] = keys;
        assert_eq!(key(&[a.clone(), operation], &request, V4), text("call"));
        assert_eq!(
            key(&[a.clone(), client], &request, V4),
            Some(hash::of(&[10, 0, 0, 7], Purpose::Endpoint))
        );
        assert_eq!(key(&[a], &request, V4), None);
        assert_eq!(key(&[], &request, V4), None);
    }

    #[test]
    fn an_ipv4_address_is_the_same_in_ipv6() {
        let mapped = IpAddr::V6(Ipv4Addr::new(10, 0, 0, 7).to_ipv6_mapped());
        let other = IpAddr::V6(Ipv6Addr::LOCALHOST);
        let of = |client| key(&[HashKey::ClientAddress], &Metadata::new(), client);
        assert_eq!(of(mapped), of(V4));
        assert_ne!(of(other), of(V4));
    }
}
