//! Calls on descriptors, and timeouts, answer as on Linux, or as `docs/wasi.md` says.

use std::fs;

use wrun::{DirGrant, Limits};

use crate::guest::{End, Program, args, fixture, on_each};

const PROGRAM: &str = "../wasi/linux/descriptors.wasm";

#[test]
fn descriptors_and_timeouts_are_as_on_linux() {
    on_each(|config| {
        let program = Program::new(&config, &fixture(PROGRAM));
        let dir = tempfile::tempdir().unwrap();
        let ran = program.run(args(&["all"]).with_dir(DirGrant::new(dir.path(), ".")));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), ""));
    });
}

#[test]
fn a_read_only_directory_keeps_its_times_and_is_only_read() {
    on_each(|config| {
        let program = Program::new(&config, &fixture(PROGRAM));
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let times = |path| fs::metadata(path).unwrap().modified().unwrap();
        let before = (times(dir.path().to_owned()), times(dir.path().join("file")));
        let ran = program.run(args(&["read-only"]).with_dir(DirGrant::new(dir.path(), ".").read_only()));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), ""));
        assert_eq!((times(dir.path().to_owned()), times(dir.path().join("file"))), before);
    });
}

#[test]
fn pipes_are_refused_if_memory_is_limited() {
    const NOTSUP: &str = "58";
    on_each(|config| {
        let program = Program::new(&config, &fixture(PROGRAM));
        let errno = |limits| program.run_within(limits, args(&["pipe"])).stdout;
        assert_eq!(errno(Limits::none()), "0");
        assert_eq!(errno(Limits::none().with_memory(64 << 20)), NOTSUP);
    });
}
