//! Guests that make the host allocate as much as possible. Each runs in a separate process, whose memory is measured.

use std::env;
use std::fs;
use std::process::Command;

use wrun::{Capabilities, DirGrant, Limits, WitValue};

use crate::vocabulary::{Engine, call, core};

/// The name of the case that the child process runs, and the directory that it is granted.
const CASE: &str = "WRUN_TEST_FLOOD";
const FOLDER: &str = "WRUN_TEST_FOLDER";

/// The maximum size of the process, in KiB. A guest has 64 MiB of memory, the test itself takes about 50 MiB.
const MOST: u64 = 300 << 10;

/// A function with the parameter `$n` that repeats a body this often.
fn times(name: &str, body: &str) -> String {
    format!(
        r#"(func (export "{name}") (param $n i32)
            (loop $more
                {body}
                (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"#
    )
}

fn lifted(name: &str) -> String {
    format!(r#"(func (export "{name}") (param "n" u32) (canon lift (core func $i "{name}")))"#)
}

/// Handles of resources of the guest, and values that it returns.
fn values() -> String {
    let core = core(&format!(
        r#"(import "" "new" (func $new (param i32) (result i32)))
        {}
        (func (export "numbers") (param i32) (result i32)
            (drop (memory.grow (i32.div_u (local.get 0) (i32.const 16384))))
            (i32.store (i32.const 8) (i32.const 0))
            (i32.store (i32.const 12) (local.get 0))
            (i32.const 8))"#,
        times("handles", "(drop (call $new (i32.const 0)))")
    ));
    // Imports come first in a core module.
    let import = r#"(import "" "new" (func $new (param i32) (result i32)))"#;
    let core = core.replace(import, "").replace("(core module $m", &format!("(core module $m {import}"));
    let core = core.replace("(instantiate $m)", r#"(instantiate $m (with "" (instance (export "new" (func $new)))))"#);
    format!(
        r#"(component
            (type $r (resource (rep i32)))
            (core func $new (canon resource.new $r))
            {core}
            {}
            (func (export "numbers") (param "n" u32) (result (list u32))
                (canon lift (core func $i "numbers") (memory $i "memory"))))"#,
        lifted("handles")
    )
}

/// Pollables, and fields of HTTP requests.
fn hosted() -> String {
    format!(
        r#"(component
            (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
                (alias outer 1 $pollable (type $pp)) (export "pollable" (type $p (eq $pp)))
                (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
            (import "wasi:http/types@0.2.0" (instance $http
                (export "fields" (type $fields (sub resource)))
                (type $he' (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
                (export "header-error" (type $he (eq $he')))
                (export "[constructor]fields" (func (result (own $fields))))
                (export "[method]fields.append" (func (param "self" (borrow $fields)) (param "name" string)
                    (param "value" (list u8)) (result (result (error $he)))))))
            (import "wasi:random/random@0.2.0" (instance $random
                (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
            (core module $libc
                (memory (export "memory") 1)
                (data (i32.const 0) "x-name")
                (data (i32.const 100) "{}")
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $libc (instantiate $libc))
            (core func $subscribe (canon lower (func $clock "subscribe-duration")))
            (core func $fields (canon lower (func $http "[constructor]fields")))
            (core func $append (canon lower (func $http "[method]fields.append") (memory $libc "memory")))
            (core func $random (canon lower (func $random "get-random-bytes") (memory $libc "memory")
                (realloc (func $libc "realloc"))))
            (core module $m
                (import "" "subscribe" (func $subscribe (param i64) (result i32)))
                (import "" "fields" (func $fields (result i32)))
                (import "" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
                (import "" "random" (func $random (param i64 i32)))
                (func (export "random") (param i32) (call $random (i64.const 0x100000000) (i32.const 8)))
                {} {})
            (core instance $i (instantiate $m (with "" (instance
                (export "subscribe" (func $subscribe)) (export "fields" (func $fields))
                (export "append" (func $append)) (export "random" (func $random))))))
            {} {} {})"#,
        "a".repeat(3_900),
        times("pollables", "(drop (call $subscribe (i64.const 1000000000000)))"),
        times(
            "fields",
            "(call $append (call $fields) (i32.const 0) (i32.const 6) (i32.const 100) (i32.const 3900) (i32.const 50))"
        ),
        lifted("pollables"),
        lifted("fields"),
        lifted("random"),
    )
}

/// Streams of a file and of a directory.
fn files() -> String {
    let codes = "access would-block already bad-descriptor busy deadlock quota exist file-too-large \
        illegal-byte-sequence in-progress interrupted invalid io is-directory loop too-many-links message-size \
        name-too-long no-device no-entry no-lock insufficient-memory insufficient-space not-directory not-empty \
        not-recoverable unsupported no-tty no-such-device overflow not-permitted pipe read-only invalid-seek \
        text-file-busy cross-device";
    let codes: String = codes.split_whitespace().map(|code| format!("\"{code}\" ")).collect();
    format!(
        r#"(component
            (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
            (alias export $error "error" (type $error))
            (import "wasi:io/streams@0.2.0" (instance $streams
                (alias outer 1 $error (type $e')) (export "error" (type $e (eq $e')))
                (export "input-stream" (type $in (sub resource)))
                (type $se' (variant (case "last-operation-failed" (own $e)) (case "closed")))
                (export "stream-error" (type $se (eq $se')))
                (export "[method]input-stream.read" (func (param "self" (borrow $in)) (param "len" u64)
                    (result (result (list u8) (error $se)))))))
            (alias export $streams "input-stream" (type $input))
            (import "wasi:filesystem/types@0.2.0" (instance $fs
                (alias outer 1 $input (type $in')) (export "input-stream" (type $in (eq $in')))
                (export "descriptor" (type $d (sub resource)))
                (export "directory-entry-stream" (type $des (sub resource)))
                (type $ec' (enum {codes})) (export "error-code" (type $ec (eq $ec')))
                (type $pf' (flags "symlink-follow")) (export "path-flags" (type $pf (eq $pf')))
                (type $of' (flags "create" "directory" "exclusive" "truncate"))
                (export "open-flags" (type $of (eq $of')))
                (type $df' (flags "read" "write" "file-integrity-sync" "data-integrity-sync"
                    "requested-write-sync" "mutate-directory"))
                (export "descriptor-flags" (type $df (eq $df')))
                (export "[method]descriptor.read-directory" (func (param "self" (borrow $d))
                    (result (result (own $des) (error $ec)))))
                (export "[method]descriptor.read-via-stream" (func (param "self" (borrow $d)) (param "offset" u64)
                    (result (result (own $in) (error $ec)))))
                (export "[method]descriptor.open-at" (func (param "self" (borrow $d)) (param "path-flags" $pf)
                    (param "path" string) (param "open-flags" $of) (param "flags" $df)
                    (result (result (own $d) (error $ec)))))))
            (alias export $fs "descriptor" (type $descriptor))
            (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
                (alias outer 1 $descriptor (type $d')) (export "descriptor" (type $d (eq $d')))
                (export "get-directories" (func (result (list (tuple (own $d) string)))))))
            (core module $libc
                (memory (export "memory") 3)
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (local $start i32)
                    (if (i32.gt_u (global.get $next) (i32.const 60000)) (then (global.set $next (i32.const 1024))))
                    (local.set $start (global.get $next))
                    (global.set $next
                        (i32.and (i32.add (i32.add (local.get $start) (local.get 3)) (i32.const 7)) (i32.const -8)))
                    (local.get $start)))
            (core instance $libc (instantiate $libc))
            (core func $directories (canon lower (func $preopens "get-directories") (memory $libc "memory")
                (realloc (func $libc "realloc"))))
            (core func $list (canon lower (func $fs "[method]descriptor.read-directory") (memory $libc "memory")))
            (core func $stream (canon lower (func $fs "[method]descriptor.read-via-stream") (memory $libc "memory")))
            (core func $open (canon lower (func $fs "[method]descriptor.open-at") (memory $libc "memory")))
            (core func $read (canon lower (func $streams "[method]input-stream.read") (memory $libc "memory")
                (realloc (func $libc "realloc"))))
            (core module $m
                (import "libc" "memory" (memory 1))
                (import "" "directories" (func $directories (param i32)))
                (import "" "list" (func $list (param i32 i32)))
                (import "" "stream" (func $stream (param i32 i64 i32)))
                (import "" "open" (func $open (param i32 i32 i32 i32 i32 i32 i32)))
                (import "" "read" (func $read (param i32 i64 i32)))
                (data (i32.const 512) "large")
                (global $directory (mut i32) (i32.const 0))
                (global $file (mut i32) (i32.const 0))
                (func $ok (if (i32.load8_u (i32.const 0)) (then (unreachable))))
                (func $prepare
                    (if (global.get $file) (then (return)))
                    (call $directories (i32.const 0))
                    (global.set $directory (i32.load (i32.load (i32.const 0))))
                    (call $open (global.get $directory) (i32.const 0) (i32.const 512) (i32.const 5) (i32.const 0)
                        (i32.const 1) (i32.const 0))
                    (call $ok)
                    (global.set $file (i32.load (i32.const 4))))
                {} {})
            (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "" (instance
                (export "directories" (func $directories)) (export "list" (func $list))
                (export "stream" (func $stream)) (export "open" (func $open)) (export "read" (func $read))))))
            {} {})"#,
        times("listings", "(call $prepare) (call $list (global.get $directory) (i32.const 0)) (call $ok)"),
        times(
            "reads",
            "(call $prepare) (call $stream (global.get $file) (i64.const 0) (i32.const 0)) (call $ok)
            (call $read (i32.load (i32.const 4)) (i64.const 20000) (i32.const 0)) (call $ok)"
        ),
        lifted("listings"),
        lifted("reads"),
    )
}

/// Timers, streams, futures and sets of WASI 0.3.
fn waitables() -> String {
    format!(
        r#"(component
            (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
                (export "wait-for" (func async (param "how-long" u64)))))
            (core module $libc (memory (export "memory") 1))
            (core instance $libc (instantiate $libc))
            (type $stream (stream u8))
            (type $future (future u8))
            (core func $wait-for (canon lower (func $clock "wait-for") async (memory $libc "memory")))
            (core func $stream.new (canon stream.new $stream))
            (core func $stream.write (canon stream.write $stream async (memory $libc "memory")))
            (core func $future.new (canon future.new $future))
            (core func $set.new (canon waitable-set.new))
            (core module $m
                (import "" "wait-for" (func $wait-for (param i64) (result i32)))
                (import "" "stream.new" (func $stream.new (result i64)))
                (import "" "stream.write" (func $stream.write (param i32 i32 i32) (result i32)))
                (import "" "future.new" (func $future.new (result i64)))
                (import "" "set.new" (func $set.new (result i32)))
                {} {} {} {})
            (core instance $i (instantiate $m (with "" (instance
                (export "wait-for" (func $wait-for)) (export "stream.new" (func $stream.new))
                (export "future.new" (func $future.new)) (export "stream.write" (func $stream.write))
                (export "set.new" (func $set.new))))))
            {} {} {} {})"#,
        times("timers", "(drop (call $wait-for (i64.const 1000000000000000)))"),
        times(
            "writes",
            "(drop (call $stream.write (i32.wrap_i64 (i64.shr_u (call $stream.new) (i64.const 32)))
                (i32.const 0) (i32.const 60000)))"
        ),
        times("futures", "(drop (call $future.new))"),
        times("sets", "(drop (call $set.new))"),
        lifted("timers"),
        lifted("writes"),
        lifted("futures"),
        lifted("sets"),
    )
}

fn tasks() -> String {
    waiting_tasks("tasks", 0)
}

fn deep_tasks() -> String {
    waiting_tasks("deep-tasks", 8_000)
}

/// Tasks that wait, each on a separate stack, below this many other functions.
fn waiting_tasks(name: &str, depth: u32) -> String {
    format!(
        r#"(component
            (component $inner
                (core module $libc (memory (export "memory") 1))
                (core instance $libc (instantiate $libc))
                (core func $new (canon waitable-set.new))
                (core func $wait (canon waitable-set.wait (memory $libc "memory")))
                (core module $m
                    (import "" "new" (func $new (result i32)))
                    (import "" "wait" (func $wait (param i32 i32) (result i32)))
                    (func $dive (param $depth i32) (result i32)
                        (if (result i32) (local.get $depth)
                            (then (i32.add (i32.const 1) (call $dive (i32.sub (local.get $depth) (i32.const 1)))))
                            (else (call $wait (call $new) (i32.const 0)))))
                    (func (export "hang") (drop (call $dive (i32.const {depth})))))
                (core instance $i (instantiate $m (with "" (instance
                    (export "new" (func $new)) (export "wait" (func $wait))))))
                (func (export "hang") async (canon lift (core func $i "hang") async)))
            (instance $inner (instantiate $inner))
            (component $outer
                (import "hang" (func $hang async))
                (core module $libc (memory (export "memory") 1))
                (core instance $libc (instantiate $libc))
                (core func $hang (canon lower (func $hang) async (memory $libc "memory")))
                (core module $m (import "" "hang" (func $hang (result i32))) {})
                (core instance $i (instantiate $m (with "" (instance (export "hang" (func $hang))))))
                {})
            (instance $outer (instantiate $outer (with "hang" (func $inner "hang"))))
            (func (export "{name}") (alias export $outer "{name}")))"#,
        times(name, "(drop (call $hang))"),
        lifted(name),
    )
}

/// A component, its function, and a text in the trap.
type Flood = (fn() -> String, &'static str, &'static str);

fn cases() -> Vec<Flood> {
    let mut cases: Vec<Flood> = vec![
        (values, "handles", "handle limit"),
        (values, "numbers", "too much data"),
        (hosted, "pollables", "no free keys"),
        (hosted, "fields", "no free keys"),
        (hosted, "random", "random bytes"),
        (files, "listings", "no free keys"),
        (files, "reads", "no free keys"),
    ];
    if cfg!(feature = "wasi-p3") {
        for name in ["timers", "writes", "futures", "sets"] {
            cases.push((waitables, name, "no free keys"));
        }
        cases.push((tasks, "tasks", "too many tasks wait"));
        cases.push((deep_tasks, "deep-tasks", "too many tasks wait"));
    }
    cases
}

#[test]
fn the_host_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("large"), vec![b'x'; 1 << 20]).unwrap();
    for number in 0..1_000 {
        fs::write(folder.path().join(format!("a file with a long name, number {number}")), "").unwrap();
    }
    for (_, name, text) in cases() {
        let ran = Command::new(env::current_exe().unwrap())
            .args(["--exact", "floods::flood", "--ignored", "--nocapture"])
            .env(CASE, name)
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&ran.stdout);
        let value =
            |key: &str| stdout.lines().find_map(|line| line.strip_prefix(key)).map(str::trim).map(str::to_owned);
        let (Some(error), Some(peak)) = (value("error:"), value("peak:")) else {
            panic!("{name}: {stdout}{}", String::from_utf8_lossy(&ran.stderr));
        };
        assert!(error.contains(text), "{name}: {error}");
        let peak: u64 = peak.parse().unwrap();
        assert!(peak < MOST, "{name}: {peak} KiB");
    }
}

#[test]
#[ignore = "`the_host_stays_small` starts it in another process"]
fn flood() {
    let Ok(name) = env::var(CASE) else { return };
    let (wat, ..) = cases().into_iter().find(|(_, case, _)| *case == name).expect("the case exists");
    let mut granted = Capabilities::none();
    if let Some(folder) = env::var_os(FOLDER) {
        granted = granted.with_dir(DirGrant::new(folder, "/").read_only());
    }
    let engine = Engine::metered();
    let component = engine.load(&wat());
    let limits = Limits::none().with_memory(64 << 20);
    let mut instance =
        engine.runtime.create_component_instance(component.as_ref(), limits, granted).expect("it starts");
    let error = call(instance.as_mut(), &name, &[WitValue::U32(15_000_000)]).expect_err("there is a limit");
    println!("error: {error}");
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map_or("0", str::trim);
    println!("peak: {}", peak.trim_end_matches("kB"));
}
