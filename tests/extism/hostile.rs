//! Calls of plug-ins that break the rules fail, without effect on later calls.

use wrun::session::InstanceOptions;
use wrun::{ErrorKind, Limits, Trap};

use crate::vocabulary::{Guest, HOSTILE, assert_contains, on_each, refused};

#[test]
fn loads_outside_memory_are_0_and_stores_are_ignored() {
    on_each(|config| {
        let mut guest = Guest::start(config, HOSTILE);
        for input in ["", "input", &"x".repeat(100_000)] {
            assert_eq!(guest.call("out_of_range", input).unwrap(), "okokokok");
        }
    });
}

#[test]
fn blocks_can_be_freed_twice() {
    on_each(|config| {
        assert_eq!(Guest::start(config, HOSTILE).call("double_free", "").unwrap(), "okokokok");
    });
}

#[test]
fn ranges_and_blocks_that_do_not_exist_end_the_call() {
    on_each(|config| {
        let mut guest = Guest::start(config, HOSTILE);
        for (name, parts) in [
            ("output_too_long", ["`output_set`", "65536 bytes"]),
            ("output_wraps", ["`output_set`", "18446744073709551615 bytes"]),
            ("output_nowhere", ["`output_set`", "at 0x0"]),
            ("input_too_long", ["`input_set`", "65536 bytes"]),
            ("no_such_error", ["`error_set`", "no block at 0x3039"]),
            ("no_such_name", ["`config_get`", "no block at 0x3039"]),
            ("odd_name", ["`config_get`", "not UTF-8"]),
        ] {
            let error = refused(guest.call(name, "input"), ErrorKind::Trap);
            assert_eq!(error.trap_code(), Some(Trap::Host));
            assert_contains(error.message(), &parts);
            guest.restart();
        }
        assert_eq!(guest.call("no_such_log", "").unwrap(), "", "nothing is logged, so the message is not read");
    });
}

#[test]
fn blocks_larger_than_memory_can_be_are_not_allocated() {
    on_each(|config| {
        let bytes = Guest::start(config, HOSTILE).call_bytes("huge_blocks", b"").unwrap();
        assert!(u64::from_le_bytes(bytes.try_into().unwrap()) <= 65536);
    });
}

#[test]
fn a_reset_forgets_input_output_and_error() {
    on_each(|config| {
        assert_eq!(Guest::start(config, HOSTILE).call("reset_all", "input").unwrap(), "");
    });
}

#[test]
fn a_call_reads_nothing_of_earlier_ones() {
    on_each(|config| {
        let mut guest = Guest::start_with(
            config,
            HOSTILE,
            InstanceOptions::default().with_limits(Limits::none().with_memory(64 << 20)),
        )
        .unwrap();
        for length in [100, 60_000, 3_000_000] {
            guest.call("out_of_range", &"secret".repeat(length)).unwrap();
            assert_eq!(guest.call("leftovers", "short").unwrap(), "okokokok");
        }
    });
}
