//! A root directory that has the binary, its libraries and modules, and nothing else: no `/dev`, no `/proc`, no `/etc`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::vocabulary::{Command, Printed, WRUN, on_each_engine, printed, skipped};

/// A guest that gets more random bytes than one piece of them.
const RANDOM: &str = r#"(module
    (import "WASI" "random_get" (func $random_get (param i32 i32) (result i32)))
    (memory (export "memory") 40)
    (func (export "random") (result i32) (call $random_get (i32.const 0) (i32.const 0x200000)))
    (func (export "nothing") (result i32) (i32.const 5)))"#;

/// The root directory, and the command that changes to it.
struct BareRoot {
    dir: TempDir,
    change: &'static [&'static str],
}

impl BareRoot {
    /// Creates it. Returns nothing, and reports that the test is skipped, if the system does not allow this user to change to it.
    fn create() -> Option<Self> {
        // The binary is large: link it.
        let mut dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let linked = Command::new("ldd").arg(WRUN).output().unwrap();
        for library in String::from_utf8_lossy(&linked.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
            let copy = dir.path().join(&library[1..]);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(library, copy).unwrap();
        }
        fs::hard_link(WRUN, dir.path().join("wrun")).unwrap();
        for wasi in ["wasi_snapshot_preview1", "wasix_32v1"] {
            fs::write(dir.path().join(wasi), RANDOM.replace("WASI", wasi)).unwrap();
        }
        let changes: [&'static [&'static str]; 2] = [&["chroot"], &["unshare", "-r", "chroot"]];
        for change in changes {
            let root = Self { dir, change };
            if root.command(&["--version"]).output().is_ok_and(|output| output.status.success()) {
                return Some(root);
            }
            dir = root.dir;
        }
        skipped("neither `chroot` nor `unshare -r chroot` works");
        None
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.change[0]);
        command.args(&self.change[1..]).arg(self.dir.path()).arg(Path::new("/wrun")).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Printed {
        printed(&self.command(args).output().unwrap())
    }
}

#[test]
fn guests_of_wasi_need_no_device_files() {
    let Some(root) = BareRoot::create() else { return };
    on_each_engine(|engine| {
        for options in [&["-r", engine][..], &["-r", engine, "--deterministic"]] {
            root.run(&[options, &["wasi_snapshot_preview1", "random"]].concat()).prints("0\n");
            root.run(&[options, &["wasi_snapshot_preview1", "nothing"]].concat()).prints("5\n");
        }
    });
    if cfg!(feature = "wasix") {
        root.run(&["-r", "wasmer", "wasix_32v1", "random"]).prints("0\n");
    }
}
