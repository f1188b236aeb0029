//! Rules as text, and what they refuse to be.

use super::NetRule;
use crate::error::ErrorKind;

/// How the rule of `text` is written back.
fn written(text: &str) -> String {
    let rule: NetRule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let written = rule.to_string();
    assert_eq!(written.parse::<NetRule>().unwrap(), rule, "{text}");
    written
}

#[test]
fn a_rule_is_written_as_it_is_read() {
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
        assert_eq!(written(text), text);
    }
}

#[test]
fn what_is_meant_is_written_in_one_way() {
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
        assert_eq!(written(text), plain);
    }
}

#[test]
fn what_is_no_rule_says_why_and_how_rules_are_written() {
    for (text, why) in [
        ("", "names no port"),
        ("localhost", "`localhost` names no port"),
        ("out", "names no port"),
        ("in:tcp:80", "`80` names no port"),
        (":80", "names no host"),
        ("tcp::80", "names no host"),
        ("in:localhost:80", "`localhost` is a name"),
        ("out:tcp:udp:80", "`udp` is a word of rules"),
        ("dns:tcp", "`tcp` is a word of rules"),
        ("dns:80", "`80` is no address and no name"),
        ("::1:80", "brackets"),
        ("[::1]", "names no port"),
        ("[::1:80", "lacks its `]`"),
        ("[127.0.0.1]:80", "no IPv6 address"),
        ("[fe80::1%eth0]:80", "no IPv6 address"),
        ("127.1:80", "no address and no name"),
        ("0x7f000001:80", "no address and no name"),
        ("2130706433:80", "no address and no name"),
        ("127.0.0.256:80", "no address and no name"),
        ("bücher.example:80", "no address and no name"),
        ("a..b:80", "no address and no name"),
        ("-a.example:80", "no address and no name"),
        ("*example.org:80", "no address and no name"),
        ("a.*.org:80", "no address and no name"),
        (" example.org:80", "no address and no name"),
        ("example.org/8:80", "`example.org` is no IPv4 address"),
        ("10.0.0.0/33:80", "`/33` is no prefix: 0 to 32"),
        ("10.0.0.0/+8:80", "no prefix"),
        ("10.0.0.0/:80", "no prefix"),
        ("[::]/129:80", "0 to 128"),
        ("10.0.0.1/8:80", "bits after its prefix: 10.0.0.0/8"),
        ("[fe80::1]/10:80", "[fe80::]/10"),
        ("224.0.0.1:80", "groups"),
        ("in:udp:239.0.0.0/8:80", "groups"),
        ("255.255.255.255:80", "groups"),
        ("[ff02::1]:80", "groups"),
        ("[::ffff:224.0.0.1]:80", "groups"),
        ("0.0.0.0:80", "nobody's address"),
        ("[::]:80", "nobody's address"),
        ("127.0.0.1:0", "port 0 cannot be reached"),
        ("127.0.0.1:", "`` is no port"),
        ("127.0.0.1:65536", "`65536` is no port"),
        ("127.0.0.1:+80", "`+80` is no port"),
        ("127.0.0.1:http", "`http` is no port"),
        ("127.0.0.1:90-80", "90 is more than 80"),
        ("127.0.0.1:80-", "`` is no port"),
        ("127.0.0.1:80,81", "is no port"),
    ] {
        let error = text.parse::<NetRule>().expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Grant);
        assert!(error.message().contains(why), "{text}: `{why}` is not in `{error}`");
        assert!(error.message().contains("HOST:PORTS") && error.message().contains("dns[:NAME]"), "{error}");
    }
}

#[cfg(feature = "wasix")]
mod matching {
    use std::net::SocketAddr;

    use crate::network::{NetRule, Protocol, destination, name};

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
    fn an_address_a_network_and_ports_are_held_to() {
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
    fn no_spelling_of_an_address_goes_around_a_rule() {
        assert!(reaches("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
        assert!(!reaches("[::]/0:80", "[::ffff:127.0.0.1]:80"));
        assert!(!reaches("127.0.0.1:80", "[::ffff:127.0.0.2]:80"));
        // The unspecified address is this machine.
        assert!(reaches("127.0.0.1:80", "0.0.0.0:80") && reaches("[::1]:80", "[::]:80"));
        assert!(!reaches("0.0.0.0/8:80", "0.0.0.0:80") && !reaches("10.0.0.0/8:80", "[::ffff:0.0.0.0]:80"));
    }

    #[test]
    fn groups_and_port_zero_are_never_reached() {
        for to in ["224.0.0.1:1", "255.255.255.255:1", "[ff02::1]:1", "[::ffff:224.0.0.1]:1", "127.0.0.1:0"] {
            assert!(!reaches("*:*", to), "{to}");
        }
        assert!(!listens("in:*:*", "224.0.0.1:80"));
        assert!(reaches("*:*", "127.0.0.1:1") && listens("in:*:*", "127.0.0.1:80"));
    }

    #[test]
    fn to_listen_everywhere_is_granted_as_a_whole() {
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
    fn directions_and_protocols_are_held_to() {
        assert!(!listens("127.0.0.1:80", "127.0.0.1:80") && !reaches("in:127.0.0.1:80", "127.0.0.1:80"));
        assert!(!reaches("udp:127.0.0.1:80", "127.0.0.1:80") && reaches("tcp:127.0.0.1:80", "127.0.0.1:80"));
        assert!(!reaches("dns", "127.0.0.1:80") && !listens("dns", "127.0.0.1:80"));
        let udp = |text: &str| rule(text).lets_out(Protocol::Udp);
        assert!(udp("udp:127.0.0.1:80") && udp("127.0.0.1:80"));
        assert!(!udp("tcp:127.0.0.1:80") && !udp("in:127.0.0.1:80") && !udp("dns"));
    }

    #[test]
    fn a_name_is_looked_up_where_a_rule_says_it() {
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
    fn an_address_is_reached_by_a_name_only_once_it_is_found() {
        let to = "192.0.2.7:443".parse().unwrap();
        let by_name = rule("example.org:443");
        assert!(!by_name.lets_reach(Protocol::Tcp, to, |_| false));
        assert!(by_name.lets_reach(Protocol::Tcp, to, |address| address == to.ip()));
        assert!(!by_name.lets_reach(Protocol::Tcp, "192.0.2.7:80".parse().unwrap(), |_| true));
    }
}
