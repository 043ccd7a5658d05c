//! Which IP addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` is loopback: 127.0.0.0/8 or `::1`. An IPv4-mapped 127.0.0.1 is not: nobody writes it in good faith.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6 == Ipv6Addr::LOCALHOST,
    }
}

/// Whether `address` is a unicast address of the public internet.
///
/// Private, shared (CGNAT), link-local, loopback, unspecified, multicast, documentation, benchmarking and reserved ranges are
/// not; nor are the IPv6 forms that carry such an IPv4 address (IPv4-mapped, NAT64, 6to4), nor tunnels (Teredo).
///
/// # Source
/// IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates); RFC 6052 §2.1, RFC 3056 §2, RFC 4380.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)            // this network (RFC 791), private (RFC 1918), loopback (RFC 1122)
            | (100, 64..=127, _)        // shared by carriers (RFC 6598)
            | (169, 254, _)             // link-local, where clouds keep their metadata (RFC 3927)
            | (172, 16..=31, _)         // private (RFC 1918)
            | (192, 0, 0 | 2)           // IETF assignments, documentation (RFC 6890, RFC 5737)
            | (192, 88, 99)             // 6to4 relay, retired (RFC 7526)
            | (192, 168, _)             // private (RFC 1918)
            | (198, 18 | 19, _)         // benchmarking (RFC 2544)
            | (198, 51, 100)            // documentation (RFC 5737)
            | (203, 0, 113)             // documentation (RFC 5737)
            | (224..=255, _, _) // multicast, reserved, broadcast (RFC 5771, RFC 1112)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    match (s0, s1, s2, s3, s4, s5) {
        (0, 0, 0, 0, 0, 0xffff) => is_public_v4(embedded(s6, s7)), // IPv4-mapped (RFC 4291 §2.5.5.2)
        (0x64, 0xff9b, 0, 0, 0, 0) => is_public_v4(embedded(s6, s7)), // NAT64, well-known prefix (RFC 6052)
        (0x2002, high, low, ..) => is_public_v4(embedded(high, low)), // 6to4 (RFC 3056)
        (0x2001, 0..=0x01ff, ..) => false,                         // IETF assignments: Teredo, ORCHID, … (RFC 2928)
        (0x2001, 0x0db8, ..) | (0x3fff, 0..=0x0fff, ..) => false,  // documentation (RFC 3849, RFC 9637)
        (0x2000..=0x3fff, ..) => true,                             // global unicast (RFC 4291 §2.4)
        _ => false, // all else, local NAT64 64:ff9b:1::/48 too (RFC 8215)
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_43_special_addresses_are_not_public() {
        let special = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:101::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
            "4000::1",
        ];
        for text in special {
            assert!(!is_public(text.parse().unwrap()), "{text} passed as public");
        }
    }

    #[test]
    fn public_addresses_are_public() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.254",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ];
        for text in public {
            assert!(is_public(text.parse().unwrap()), "{text} was refused");
        }
    }

    #[test]
    fn only_plain_loopback_is_loopback() {
        for text in ["127.0.0.1", "127.8.9.10", "::1"] {
            assert!(is_loopback(text.parse().unwrap()));
        }
        for text in ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "0.0.0.0", "::"] {
            assert!(!is_loopback(text.parse().unwrap()), "{text}");
        }
    }
}
