//! What a start is made of: how the program is linked, and which threads it has.

use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::World;
use crate::process::{MOST, Running, on_each_compiler, wrun};
use crate::vocabulary::{File, file};

/// A guest that stays, with this many functions beside.
fn spinning(functions: usize) -> File {
    let mut text = r#"(module (func (export "spin") (loop $again (br $again)))"#.to_owned();
    for number in 0..functions {
        let body = format!("(i32.add (i32.mul (local.get 0) (i32.const {})) (i32.const -1234567))", 1_000_000 + number);
        write!(text, "(func (param i32) (result i32) {body})").unwrap();
    }
    file(&(text + ")"))
}

/// A run has this many threads once its code was compiled, and kept, and Wasmer's own have ended.
#[track_caller]
fn has_threads(options: &[&str], module: &File, wanted: usize) {
    let world = World::new();
    let folder = world.cache();
    let options = [options, &["--cache-dir", folder.to_str().unwrap(), &module.path, "spin"]].concat();
    let mut running = Running::start(&mut wrun(&options));
    let since = Instant::now();
    loop {
        let compiled = !world.entries().is_empty();
        let threads = fs::read_dir(format!("/proc/{}/task", running.id())).unwrap().count();
        assert!(running.is_running(), "{options:?}: it ended");
        if compiled && threads == wanted {
            return;
        }
        assert!(since.elapsed() < MOST, "{options:?}: compiled: {compiled}, {threads} threads, not {wanted}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_small_module_is_compiled_by_the_main_thread_and_a_large_one_by_others() {
    let (small, large) = (spinning(0), spinning(1500));
    on_each_compiler(|options| {
        has_threads(options, &small, 1);
        // The threads of Singlepass end with its work.
        if options.contains(&"cranelift") {
            has_threads(options, &large, 1 + thread::available_parallelism().unwrap().get());
        }
    });
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu", target_feature = "crt-static"))]
fn the_program_needs_no_dynamic_linker_and_its_addresses_are_random() {
    use object::Endianness;
    use object::elf::{DF_1_PIE, DT_FLAGS_1, DT_RELR, ET_DYN, FileHeader64, PT_INTERP};
    use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};

    let program = fs::read(assert_cmd::cargo::cargo_bin("wrun")).unwrap();
    let header = FileHeader64::<Endianness>::parse(program.as_slice()).unwrap();
    let endian = header.endian().unwrap();
    let segments = header.program_headers(endian, program.as_slice()).unwrap();
    assert_eq!(header.e_type(endian), ET_DYN);
    assert!(segments.iter().all(|segment| segment.p_type(endian) != PT_INTERP), "it needs a dynamic linker");
    let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, program.as_slice()).unwrap()).unwrap();
    let value = |wanted| dynamic.iter().find(|entry| entry.d_tag(endian) == wanted).map(|entry| entry.d_val(endian));
    assert_eq!(value(DT_FLAGS_1).unwrap_or(0) & u64::from(DF_1_PIE), u64::from(DF_1_PIE));
    assert!(value(DT_RELR).is_some(), "its relative relocations are not packed");

    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    // What `setarch -R` and debuggers ask for.
    let personality = u32::from_str_radix(&read("/proc/self/personality"), 16).unwrap_or(0);
    let is_fixed = personality & libc::ADDR_NO_RANDOMIZE.unsigned_abs() != 0;
    if is_fixed || read("/proc/sys/kernel/randomize_va_space") == "0" {
        println!("skipped: no program has random addresses here");
        return;
    }
    let module = spinning(0);
    let base = || {
        let running = Running::start(&mut wrun(&[&module.path, "spin"]));
        running.catches(15);
        let map = fs::read_to_string(format!("/proc/{}/maps", running.id())).unwrap();
        map.split('-').next().unwrap().to_owned()
    };
    assert_ne!(base(), base());
}
