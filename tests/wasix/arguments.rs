//! Bad arguments of WASIX functions are an errno, and the guest goes on.

use wrun::{Capabilities, DirGrant, Limits, Value};

use crate::guest::{Program, on_each};

const GUEST: &str = r#"(module
    (import "wasix_32v1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasix_32v1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasix_32v1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
    (import "wasix_32v1" "fd_advise" (func $advise (param i32 i64 i64 i32) (result i32)))
    (import "wasix_32v1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasix_32v1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
    (import "wasix_32v1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasix_32v1" "futex_wake" (func $wake (param i32 i32) (result i32)))
    (import "wasix_32v1" "sock_open" (func $socket (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 40)
    (data (i32.const 0) "f\ff")
    (func (export "random") (param i32 i32) (result i32) (call $random (local.get 0) (local.get 1)))
    (func (export "clock") (param i32 i32) (result i32) (call $clock (local.get 0) (i64.const 1) (local.get 1)))
    (func $file (result i32)
        (drop (call $open (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (i64.const 0x3fffffff)
            (i64.const 0x3fffffff) (i32.const 0) (i32.const 128)))
        (i32.load (i32.const 128)))
    (func (export "seek") (param i32) (result i32) (call $seek (call $file) (i64.const 0) (local.get 0) (i32.const 64)))
    (func (export "advise") (param i32) (result i32)
        (call $advise (call $file) (i64.const 0) (i64.const 0) (local.get 0)))
    (func (export "write") (param i32 i32) (result i32) (call $write (i32.const 1) (local.get 0) (local.get 1) (i32.const 64)))
    (func (export "open") (param i32 i32) (result i32)
        (call $open (i32.const 4) (i32.const -1) (local.get 0) (local.get 1) (i32.const 1) (i64.const -1) (i64.const -1)
            (i32.const -32) (i32.const 64)))
    (func (export "wake") (param i32) (result i32) (call $wake (local.get 0) (i32.const 64)))
    (func (export "socket") (param i32) (result i32)
        (call $socket (local.get 0) (local.get 0) (local.get 0) (i32.const 64))))"#;

const SUCCESS: i32 = 0;
const INVAL: i32 = 28;
const NOTSUP: i32 = 58;
const MEMVIOLATION: i32 = 78;
/// A bad pointer, if wrun wraps the function.
const FAULT: i32 = 21;

#[test]
fn bad_arguments_are_an_errno() {
    let calls: &[(&str, &[i32], i32)] = &[
        ("random", &[1024, (2 << 20) + 1], SUCCESS),
        ("random", &[1025, 40 << 16], MEMVIOLATION),
        ("random", &[-1, -1], MEMVIOLATION),
        ("clock", &[0, 65], SUCCESS),
        ("clock", &[4, 64], INVAL),
        ("clock", &[-1, 64], INVAL),
        ("clock", &[0, -1], MEMVIOLATION),
        ("seek", &[0], SUCCESS),
        ("seek", &[9], INVAL),
        ("seek", &[-1], INVAL),
        // The advice is ignored.
        ("advise", &[-1], SUCCESS),
        ("write", &[-8, 1], MEMVIOLATION),
        ("write", &[0, -1], MEMVIOLATION),
        ("open", &[-1, 9], FAULT),
        ("open", &[1, 1], INVAL),
        // Unknown flags and rights are ignored.
        ("open", &[0, 1], SUCCESS),
        ("wake", &[-1], SUCCESS),
        ("socket", &[-1], NOTSUP),
    ];
    on_each(move |config| {
        let program = Program::new(&config, GUEST.as_bytes());
        let dir = tempfile::tempdir().unwrap();
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/"));
        let mut guest = program.start(Limits::none(), granted).unwrap();
        for (function, args, errno) in calls {
            let args: Vec<_> = args.iter().copied().map(Value::I32).collect();
            let returned = guest.call(function, &args).unwrap_or_else(|error| panic!("{function} {args:?}: {error}"));
            assert_eq!(returned, [Value::I32(*errno)], "{function} {args:?}");
        }
    });
}
