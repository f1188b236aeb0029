//! The memory limit includes the blocks and variables of a plug-in, and fuel and time limits also apply between host calls.

use std::time::Duration;

use wrun::extism::PluginOptions;
use wrun::session::InstanceOptions;
use wrun::{CodeInstance, ErrorKind, LimitKind, Limits};

use crate::vocabulary::{Guest, HOSTILE, PLUGIN, assert_contains, on_each, refused};

const MIB: u64 = 1 << 20;

fn within(limits: Limits) -> InstanceOptions {
    InstanceOptions::default().with_limits(limits)
}

fn memory_bytes(guest: &mut Guest) -> (u64, u64) {
    let instance: &mut CodeInstance = guest.instance.instance();
    (instance.memory_bytes(), instance.memory_peak_bytes())
}

#[test]
fn blocks_count_against_the_memory_limit() {
    on_each(|config| {
        let mut guest = Guest::start_with(config, HOSTILE, within(Limits::none().with_memory(MIB))).unwrap();
        let count = guest.call_bytes("flood_of_blocks", b"").unwrap();
        let count = u64::from_le_bytes(count.try_into().unwrap());
        assert!((5_000..15_000).contains(&count), "1 MiB has {count} blocks of one byte and their records");
        let (_, peak) = memory_bytes(&mut guest);
        assert!(peak <= MIB && peak > MIB / 2, "{peak}");
    });
}

#[test]
fn input_counts_against_the_memory_limit() {
    on_each(|config| {
        let mut guest = Guest::start_with(config, PLUGIN, within(Limits::none().with_memory(4 * MIB))).unwrap();
        let input = vec![b'x'; usize::try_from(5 * MIB).unwrap()];
        let error = refused(guest.call_bytes("echo", &input), ErrorKind::Limit);
        let exceeded = error.limit_exceeded().unwrap();
        assert_eq!((exceeded.kind, exceeded.limit), (LimitKind::Memory, 4 * MIB));
        assert_eq!(guest.call("echo", "small").unwrap(), "small", "the plug-in did not run");
    });
}

#[test]
fn a_shared_instance_gives_the_memory_of_a_large_call_back() {
    on_each(|config| {
        let mut guest = Guest::start(config, PLUGIN);
        guest.call("echo", "small").unwrap();
        let (small, _) = memory_bytes(&mut guest);
        let input = vec![b'x'; usize::try_from(5 * MIB).unwrap()];
        for _ in 0..3 {
            assert_eq!(guest.call_bytes("echo", &input).unwrap().len(), input.len());
        }
        let (_, peak) = memory_bytes(&mut guest);
        guest.call("echo", "small").unwrap();
        assert_eq!(memory_bytes(&mut guest), (small, peak));
        assert!(peak > 10 * MIB && peak < 12 * MIB, "{peak}");
    });
}

#[test]
fn variables_count_against_their_own_limit_and_the_memory_limit() {
    let flooded = |config: &_, options: InstanceOptions| {
        let mut guest = Guest::start_with(config, HOSTILE, options).unwrap();
        refused(guest.call("flood_of_variables", ""), ErrorKind::Trap)
    };
    on_each(|config| {
        let error = flooded(config, InstanceOptions::default());
        assert_contains(error.message(), &["`var_set`", "more than 1048576 bytes"]);
        let plugin = PluginOptions::default().with_max_variable_bytes(100_000);
        let error = flooded(config, InstanceOptions::default().with_plugin(plugin));
        assert_contains(error.message(), &["more than 100000 bytes"]);
        let error = flooded(
            config,
            InstanceOptions::default().with_plugin(PluginOptions::default().with_max_variable_bytes(0)),
        );
        assert_contains(error.message(), &["denies variables"]);
        let plugin = PluginOptions::default().with_max_variable_bytes(u64::MAX);
        let limited = within(Limits::none().with_memory(MIB)).with_plugin(plugin);
        let error = flooded(config, limited);
        assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::Memory), "{error}");
    });
}

#[test]
fn fuel_and_time_stop_a_plug_in_that_calls_its_host() {
    on_each(|config| {
        let config = config.clone().with_metering().with_interruption();
        let fuel = within(Limits::none().with_fuel(100_000));
        refused(Guest::start_with(&config, HOSTILE, fuel).unwrap().call("spin", ""), ErrorKind::OutOfFuel);
        let time = within(Limits::none().with_time(Duration::from_millis(20)));
        refused(Guest::start_with(&config, HOSTILE, time).unwrap().call("spin", ""), ErrorKind::Timeout);
    });
}
