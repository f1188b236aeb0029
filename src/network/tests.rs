//! Parsing, formatting and matching of rules.

use super::NetRule;
use crate::error::ErrorKind;

/// Parses and formats a rule.
fn formatted(text: &str) -> String {
    let rule: NetRule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let formatted = rule.to_string();
    assert_eq!(formatted.parse::<NetRule>().unwrap(), rule, "{text}");
    formatted
}

#[test]
fn a_rule_is_formatted_as_it_is_parsed() {
    for text in [
        "out:tcp:127.0.0.1:8080",
        "out:udp:10.0.0.0/8:*",
        "out:example.org:443",
        "out:*.example.org:8000-8080",
        "out:*:*",
        "out:[::1]:80",
        "out:[fe80::]/10:*",
        "out:0.0.0.0/0:53",
        "in:tcp:127.0.0.1:0",
        "in:*:80",
        "in:udp:[::]/0:53",
        "dns",
        "dns:example.org",
        "dns:*.example.org",
    ] {
        assert_eq!(formatted(text), text);
    }
}

#[test]
fn equal_rules_have_one_format() {
    for (text, plain) in [
        ("example.org:443", "out:example.org:443"),
        ("tcp:127.0.0.1:80", "out:tcp:127.0.0.1:80"),
        ("EXAMPLE.org.:443", "out:example.org:443"),
        ("[::ffff:127.0.0.1]:80", "out:127.0.0.1:80"),
        ("[::ffff:10.0.0.0]/104:80", "out:10.0.0.0/8:80"),
        ("10.0.0.1/32:80", "out:10.0.0.1:80"),
        ("127.0.0.1:0-65535", "out:127.0.0.1:*"),
        ("127.0.0.1:80-80", "out:127.0.0.1:80"),
        ("in:0.0.0.0:80", "in:0.0.0.0/0:80"),
        ("in:tcp:[::]:80", "in:tcp:[::]/0:80"),
        ("dns:*", "dns"),
        ("dns.example.org:53", "out:dns.example.org:53"),
        ("tcp:in.example.org:53", "out:tcp:in.example.org:53"),
    ] {
        assert_eq!(formatted(text), plain);
    }
}

#[test]
fn an_invalid_rule_is_rejected_with_the_reason_and_the_syntax() {
    for (text, why) in [
        ("", "has no port"),
        ("localhost", "`localhost` has no port"),
        ("out", "has no port"),
        ("in:tcp:80", "`80` has no port"),
        (":80", "host is empty"),
        ("tcp::80", "host is empty"),
        ("in:localhost:80", "`localhost` is a name"),
        ("out:tcp:udp:80", "`udp` is a keyword"),
        ("dns:tcp", "`tcp` is a keyword"),
        ("dns:80", "`80` is neither an address nor a host name"),
        ("::1:80", "brackets"),
        ("[::1]", "has no port"),
        ("[::1:80", "missing `]`"),
        ("[127.0.0.1]:80", "invalid IPv6 address"),
        ("[fe80::1%eth0]:80", "invalid IPv6 address"),
        ("127.1:80", "neither an address nor a host name"),
        ("0x7f000001:80", "neither an address nor a host name"),
        ("2130706433:80", "neither an address nor a host name"),
        ("127.0.0.256:80", "neither an address nor a host name"),
        ("bücher.example:80", "neither an address nor a host name"),
        ("a..b:80", "neither an address nor a host name"),
        ("-a.example:80", "neither an address nor a host name"),
        ("*example.org:80", "neither an address nor a host name"),
        ("a.*.org:80", "neither an address nor a host name"),
        (" example.org:80", "neither an address nor a host name"),
        ("example.org/8:80", "invalid IPv4 address `example.org`"),
        ("10.0.0.0/33:80", "invalid prefix length `/33`: expected 0 to 32"),
        ("10.0.0.0/+8:80", "invalid prefix length"),
        ("10.0.0.0/:80", "invalid prefix length"),
        ("[::]/129:80", "0 to 128"),
        ("10.0.0.1/8:80", "bits set after its prefix: expected 10.0.0.0/8"),
        ("[fe80::1]/10:80", "[fe80::]/10"),
        ("224.0.0.1:80", "multicast or broadcast"),
        ("in:udp:239.0.0.0/8:80", "multicast or broadcast"),
        ("255.255.255.255:80", "multicast or broadcast"),
        ("[ff02::1]:80", "multicast or broadcast"),
        ("[::ffff:224.0.0.1]:80", "multicast or broadcast"),
        ("0.0.0.0:80", "unspecified address"),
        ("[::]:80", "unspecified address"),
        ("127.0.0.1:0", "port 0 is not a valid destination"),
        ("127.0.0.1:", "invalid port ``"),
        ("127.0.0.1:65536", "invalid port `65536`"),
        ("127.0.0.1:+80", "invalid port `+80`"),
        ("127.0.0.1:http", "invalid port `http`"),
        ("127.0.0.1:90-80", "90 is greater than 80"),
        ("127.0.0.1:80-", "invalid port ``"),
        ("127.0.0.1:80,81", "invalid port"),
    ] {
        let error = text.parse::<NetRule>().expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Grant);
        assert!(error.message().contains(why), "{text}: `{why}` is not in `{error}`");
        assert!(error.message().contains("HOST:PORTS") && error.message().contains("dns[:NAME]"), "{error}");
    }
}

#[cfg(any(feature = "wasix", feature = "components"))]
mod matching {
    use std::iter;
    use std::net::SocketAddr;
    use std::sync::Arc;

    use crate::network::firewall::Firewall;
    use crate::network::host::name;
    use crate::network::matching::destination;
    use crate::network::{NetRule, Protocol};

    fn rule(text: &str) -> NetRule {
        text.parse().unwrap()
    }

    fn listens(text: &str, at: &str) -> bool {
        rule(text).lets_listen(Protocol::Tcp, at.parse().unwrap())
    }

    fn reaches(text: &str, to: &str) -> bool {
        let to = to.parse::<SocketAddr>().unwrap();
        destination(to).is_some_and(|to| rule(text).lets_reach(Protocol::Tcp, to, |_| false))
    }

    #[test]
    fn addresses_networks_and_ports_are_matched() {
        for (text, reached, refused) in [
            ("127.0.0.1:80", "127.0.0.1:80", "127.0.0.2:80"),
            ("127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:81"),
            ("10.0.0.0/8:80-90", "10.255.255.255:90", "11.0.0.0:90"),
            ("10.0.0.0/8:80-90", "10.0.0.0:80", "10.0.0.0:79"),
            ("172.16.0.0/12:*", "172.31.0.1:1", "172.32.0.1:1"),
            ("0.0.0.0/0:80", "1.2.3.4:80", "[::1]:80"),
            ("[::]/0:80", "[2001:db8::1]:80", "1.2.3.4:80"),
            ("[fe80::]/10:*", "[febf::1]:1", "[fec0::1]:1"),
            ("*:443", "[2001:db8::1]:443", "[2001:db8::1]:80"),
        ] {
            assert!(reaches(text, reached), "{text} does not reach {reached}");
            assert!(!reaches(text, refused), "{text} reaches {refused}");
        }
    }

    #[test]
    fn no_form_of_an_address_evades_a_rule() {
        assert!(reaches("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
        assert!(!reaches("[::]/0:80", "[::ffff:127.0.0.1]:80"));
        assert!(!reaches("127.0.0.1:80", "[::ffff:127.0.0.2]:80"));
        // The unspecified address is this machine.
        assert!(reaches("127.0.0.1:80", "0.0.0.0:80") && reaches("[::1]:80", "[::]:80"));
        assert!(!reaches("0.0.0.0/8:80", "0.0.0.0:80") && !reaches("10.0.0.0/8:80", "[::ffff:0.0.0.0]:80"));
    }

    #[test]
    fn multicast_broadcast_and_port_zero_are_never_allowed() {
        for to in ["224.0.0.1:1", "255.255.255.255:1", "[ff02::1]:1", "[::ffff:224.0.0.1]:1", "127.0.0.1:0"] {
            assert!(!reaches("*:*", to), "{to}");
        }
        assert!(!listens("in:*:*", "224.0.0.1:80"));
        assert!(reaches("*:*", "127.0.0.1:1") && listens("in:*:*", "127.0.0.1:80"));
    }

    #[test]
    fn listening_at_all_addresses_needs_a_rule_for_all_of_them() {
        assert!(!listens("in:127.0.0.1:80", "0.0.0.0:80"));
        assert!(!listens("in:0.0.0.0/1:80", "0.0.0.0:80") && listens("in:0.0.0.0/1:80", "127.0.0.1:80"));
        assert!(listens("in:0.0.0.0:80", "0.0.0.0:80") && listens("in:0.0.0.0:80", "127.0.0.1:80"));
        assert!(!listens("in:0.0.0.0:80", "[::]:80") && listens("in:0.0.0.0:80", "[::ffff:0.0.0.0]:80"));
        assert!(listens("in:[::]:80", "[::]:80") && !listens("in:[::]:80", "0.0.0.0:80"));
        assert!(!listens("in:[::]:80", "[::ffff:127.0.0.1]:80"));
        assert!(listens("in:*:80", "[::]:80") && listens("in:*:80", "0.0.0.0:80"));
        assert!(listens("in:127.0.0.1:0", "127.0.0.1:0") && !listens("in:127.0.0.1:1-65535", "127.0.0.1:0"));
    }

    #[test]
    fn directions_and_protocols_are_matched() {
        assert!(!listens("127.0.0.1:80", "127.0.0.1:80") && !reaches("in:127.0.0.1:80", "127.0.0.1:80"));
        assert!(!reaches("udp:127.0.0.1:80", "127.0.0.1:80") && reaches("tcp:127.0.0.1:80", "127.0.0.1:80"));
        assert!(!reaches("dns", "127.0.0.1:80") && !listens("dns", "127.0.0.1:80"));
        let udp = |text: &str| rule(text).lets_out(Protocol::Udp);
        assert!(udp("udp:127.0.0.1:80") && udp("127.0.0.1:80"));
        assert!(!udp("tcp:127.0.0.1:80") && !udp("in:127.0.0.1:80") && !udp("dns"));
    }

    #[test]
    fn looking_up_a_name_needs_a_rule() {
        let resolves = |text: &str, wanted: &str| rule(text).lets_resolve(&name(wanted).unwrap());
        assert!(resolves("dns", "example.org") && resolves("*:80", "example.org"));
        assert!(resolves("dns:example.org", "Example.ORG.") && !resolves("dns:example.org", "a.example.org"));
        assert!(!resolves("dns:example.org", "notexample.org") && !resolves("dns:example.org", "example.org.evil.com"));
        assert!(resolves("*.example.org:80", "a.b.example.org") && !resolves("*.example.org:80", "example.org"));
        assert!(!resolves("*.example.org:80", "notexample.org") && resolves("example.org:80", "example.org"));
        assert!(!resolves("127.0.0.1:80", "localhost") && !resolves("in:*:80", "localhost"));
        assert!(rule("example.org:80").reaches_by("example.org") && !rule("dns").reaches_by("example.org"));
        for none in ["", ".", "127.1", "10.0.0.1", "0x7f000001", "0X7F.1", "::1", "a b", "a\0", "a:80", "[::1]", "*"] {
            assert_eq!(name(none), None, "{none}");
        }
    }

    #[test]
    fn lookups_of_one_guest_and_of_all_together_are_limited() {
        let guests: Vec<_> = (0..10).map(|_| Firewall::new(&[])).collect();
        let all = Arc::default();
        let begin = |guest: &Firewall| iter::from_fn(|| guest.begin_lookup_among(&all)).collect::<Vec<_>>();
        let lookups: Vec<_> = guests.iter().map(begin).collect();
        assert_eq!(lookups[0].len(), 32);
        assert_eq!(lookups.iter().map(Vec::len).sum::<usize>(), 256);
        drop(lookups);
        assert!(guests[9].begin_lookup_among(&all).is_some());
    }

    #[test]
    fn a_rule_with_a_name_allows_only_addresses_found_by_it() {
        let to = "192.0.2.7:443".parse().unwrap();
        let by_name = rule("example.org:443");
        assert!(!by_name.lets_reach(Protocol::Tcp, to, |_| false));
        assert!(by_name.lets_reach(Protocol::Tcp, to, |address| address == to.ip()));
        assert!(!by_name.lets_reach(Protocol::Tcp, "192.0.2.7:80".parse().unwrap(), |_| true));
    }
}
