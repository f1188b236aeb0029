//! The threads that a run starts.

use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::TestCache;
use crate::process::{Running, TIMEOUT, on_each_compiler, wrun};
use crate::vocabulary::{File, file};

/// A guest with an endless function and this many others.
fn spinning(functions: usize) -> File {
    let mut text = r#"(module (func (export "spin") (loop $again (br $again)))"#.to_owned();
    for number in 0..functions {
        let body = format!("(i32.add (i32.mul (local.get 0) (i32.const {})) (i32.const -1234567))", 1_000_000 + number);
        write!(text, "(func (param i32) (result i32) {body})").unwrap();
    }
    file(&(text + ")"))
}

/// Asserts that a run has this many threads after its code was compiled and cached, and Wasmer's own threads have
/// ended.
#[track_caller]
fn has_threads(options: &[&str], module: &File, wanted: usize) {
    let cache = TestCache::new();
    let folder = cache.folder();
    let options = [options, &["--cache-dir", folder.to_str().unwrap(), &module.path, "spin"]].concat();
    let mut running = Running::start(&mut wrun(&options));
    let since = Instant::now();
    loop {
        let compiled = !cache.entries().is_empty();
        let threads = fs::read_dir(format!("/proc/{}/task", running.id())).unwrap().count();
        assert!(running.is_running(), "{options:?}: it ended");
        if compiled && threads == wanted {
            return;
        }
        assert!(since.elapsed() < TIMEOUT, "{options:?}: compiled: {compiled}, {threads} threads, not {wanted}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn only_large_modules_are_compiled_by_other_threads() {
    let (small, large) = (spinning(0), spinning(1500));
    on_each_compiler(|options| {
        has_threads(options, &small, 1);
        // The threads of Singlepass end when it is done.
        if options.contains(&"cranelift") {
            has_threads(options, &large, 1 + thread::available_parallelism().unwrap().get());
        }
    });
}
