//! Calls on more bytes, and with more subscriptions, than most programs use.

use std::fs::File;

use wrun::{Capabilities, DirGrant, ErrorKind, Limits, Output, RuntimeConfig, RuntimeKind, Value, create_runtime};

/// A guest with 140 MiB of memory. Its exports return an errno and, some of them, a number of bytes or of events.
const GUEST: &str = r#"(module
    (import "VERSION" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "VERSION" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "VERSION" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "VERSION" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
    (import "VERSION" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 2240)
    (data (i32.const 0) "large")
    (func (export "random") (param i32 i32) (result i32) (call $random_get (local.get 0) (local.get 1)))
    (func (export "write") (param i32) (result i32 i32)
        (i32.store (i32.const 12) (local.get 0))
        (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)) (i32.load (i32.const 16)))
    (func (export "read") (param i32) (result i32 i32)
        (i32.store (i32.const 8) (i32.const 1024))
        (i32.store (i32.const 12) (local.get 0))
        (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 0) (i64.const 2)
            (i64.const 0) (i32.const 0) (i32.const 16)))
        (call $fd_read (i32.load (i32.const 16)) (i32.const 8) (i32.const 1) (i32.const 16)) (i32.load (i32.const 16)))
    (func (export "poll") (param i32) (result i32 i32)
        (call $poll_oneoff (i32.const 1024) (i32.const 0x5000000) (local.get 0) (i32.const 16)) (i32.load (i32.const 16))))"#;

/// Calls a function on every engine, with both versions of WASI, and checks its results.
#[track_caller]
fn check(capabilities: &Capabilities, function: &str, args: &[i32], expected: &[i32]) {
    for (kind, version) in RuntimeKind::available().flat_map(|kind| VERSIONS.map(|version| (kind, version))) {
        let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
        let module = runtime.load_module(GUEST.replace("VERSION", version).as_bytes()).unwrap();
        let mut guest = runtime.create_instance(module.as_ref(), Limits::none(), capabilities.clone()).unwrap();
        let args: Vec<_> = args.iter().copied().map(Value::I32).collect();
        let results = guest.call(function, &args).unwrap_or_else(|error| panic!("{function} on {kind}: {error}"));
        let expected: Vec<_> = expected.iter().copied().map(Value::I32).collect();
        assert_eq!(results, expected, "{function} of {version} on {kind}");
    }
}

const VERSIONS: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];
const MIB: i32 = 1 << 20;
const FAULT: i32 = 21;
const NOMEM: i32 = 48;

#[test]
fn random_bytes_fill_a_buffer_of_any_size() {
    for granted in [Capabilities::none(), Capabilities::none().with_seed(5)] {
        check(&granted, "random", &[1024, 2 * MIB + 1], &[0]);
        check(&granted, "random", &[139 * MIB, MIB + 1], &[FAULT]);
        check(&granted, "random", &[1024, -1], &[FAULT]);
    }
}

#[test]
fn random_bytes_reach_the_end_of_the_buffer_and_depend_only_on_the_seed() {
    for kind in RuntimeKind::available() {
        let read = |calls: &[[i32; 2]]| {
            let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
            let module = runtime.load_module(GUEST.replace("VERSION", VERSIONS[0]).as_bytes()).unwrap();
            let granted = Capabilities::none().with_seed(5);
            let mut guest = runtime.create_instance(module.as_ref(), Limits::none(), granted).unwrap();
            for call in calls {
                assert_eq!(guest.call_simple_function("random", call).unwrap(), 0);
            }
            let mut bytes = vec![0; 3 << 20];
            guest.read_memory("memory", 0, &mut bytes).unwrap();
            bytes
        };
        let whole = read(&[[0, 3 * MIB - 9]]);
        assert_eq!(whole, read(&[[0, 7], [7, MIB], [MIB + 7, 2 * MIB - 16]]), "{kind}: in pieces");
        let [end, rest] = [&whole[whole.len() - 41..whole.len() - 9], &whole[whole.len() - 9..]];
        assert_ne!(end, [0; 32], "{kind}: the last bytes");
        assert_eq!(rest, [0; 9], "{kind}: after the last byte");
    }
}

#[test]
fn a_call_reads_and_writes_more_than_128_mib() {
    let dir = tempfile::tempdir().unwrap();
    File::create(dir.path().join("large")).unwrap().set_len(129 << 20).unwrap();
    let granted =
        Capabilities::none().with_dir(DirGrant::new(dir.path(), "/").read_only()).with_stdout(Output::Discard);
    check(&granted, "write", &[129 * MIB], &[0, 129 * MIB]);
    check(&granted, "read", &[129 * MIB], &[0, 129 * MIB]);
}

#[test]
fn too_many_subscriptions_are_an_errno() {
    check(&Capabilities::none(), "poll", &[5000], &[0, 5000]);
    for count in [(1 << 18) + 1, i32::MAX, -1] {
        check(&Capabilities::none(), "poll", &[count], &[NOMEM, 0]);
    }
}

#[test]
fn an_interrupt_ends_a_call_for_random_bytes() {
    for kind in RuntimeKind::available() {
        let runtime = create_runtime(&RuntimeConfig::new(kind).with_interruption()).unwrap();
        let module = runtime.load_module(GUEST.replace("VERSION", VERSIONS[0]).as_bytes()).unwrap();
        // The seeded generator needs a second for these bytes in a debug build.
        let granted = Capabilities::none().with_seed(5);
        let limits = Limits::none().with_time(std::time::Duration::from_millis(10));
        let mut guest = runtime.create_instance(module.as_ref(), limits, granted).unwrap();
        let error = guest.call("random", &[Value::I32(0), Value::I32(139 * MIB)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{kind}: {error}");
    }
}
