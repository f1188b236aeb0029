//! Calls on open files and directories that wasmtime-wasi serves in parts or differently: listings, several vectors, reads of no
//! bytes, files that are created but not written to, and positions beyond the largest one.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wrun::{
    Access, Capabilities, Captured, DirGrant, Input, Limits, Output, RuntimeConfig, RuntimeKind, Value, WasmInstance,
    create_runtime,
};

/// Exports every imported function, with its memory at the address 0 for results, and paths and vectors at 1024 and above.
const IMPORTS: [(&str, &str); 13] = [
    ("fd_close", "i32"),
    ("fd_fdstat_set_flags", "i32 i32"),
    ("fd_pread", "i32 i32 i32 i64 i32"),
    ("fd_pwrite", "i32 i32 i32 i64 i32"),
    ("fd_read", "i32 i32 i32 i32"),
    ("fd_readdir", "i32 i32 i32 i64 i32"),
    ("fd_renumber", "i32 i32"),
    ("fd_seek", "i32 i64 i32 i32"),
    ("fd_tell", "i32 i32"),
    ("fd_write", "i32 i32 i32 i32"),
    ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
    ("path_unlink_file", "i32 i32 i32"),
    ("sched_yield", ""),
];

const VERSIONS: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// Errnos.
const OK: i32 = 0;
const BADF: i32 = 8;
const ISDIR: i32 = 31;
const NOENT: i32 = 44;
const NOTSUP: i32 = 58;
const OVERFLOW: i32 = 61;
const PERM: i32 = 63;

/// Rights and flags of `path_open`.
const READ: i64 = 2;
const WRITE: i64 = 64;
const CREATE: i32 = 1;
const DIRECTORY: i32 = 2;
const EXCLUSIVE: i32 = 4;
const TRUNCATE: i32 = 8;

/// The granted directory.
const ROOT: i32 = 3;
/// The address of results, of paths and vectors, and of bytes.
const OUT: i32 = 16;
const PATH: i32 = 1024;
const BYTES: i32 = 4096;

/// Returns the guest. Without a memory, it only has the calls.
fn wat(version: &str, memory: &str) -> String {
    let (mut imports, mut exports) = (String::new(), String::new());
    for (name, params) in IMPORTS {
        write!(imports, r#"(import "{version}" "{name}" (func ${name} (param {params}) (result i32)))"#).unwrap();
        let args: String = (0..params.split_whitespace().count()).map(|index| format!("(local.get {index})")).collect();
        write!(exports, r#"(func (export "{name}") (param {params}) (result i32) (call ${name} {args}))"#).unwrap();
    }
    format!("(module {imports} {memory} {exports})")
}

struct Guest {
    name: String,
    instance: Box<dyn WasmInstance>,
    version: &'static str,
}

impl Guest {
    /// Makes a call and returns its errno.
    #[track_caller]
    fn call(&mut self, name: &str, args: &[Value]) -> i32 {
        match self.instance.call(name, args).as_deref() {
            Ok([Value::I32(errno)]) => *errno,
            other => panic!("{name} {args:?} on {}: {other:?}", self.name),
        }
    }

    fn memory(&mut self, address: i32, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.instance.read_memory("memory", u64::from(address.cast_unsigned()), &mut bytes).unwrap();
        bytes
    }

    fn result(&mut self) -> u32 {
        u32::from_le_bytes(self.memory(OUT, 4).try_into().unwrap())
    }

    fn write(&mut self, address: i32, bytes: &[u8]) {
        self.instance.write_memory("memory", u64::from(address.cast_unsigned()), bytes).unwrap();
    }

    /// Opens a file.
    fn open(&mut self, path: &str, flags: i32, rights: i64) -> Result<i32, i32> {
        self.write(PATH, path.as_bytes());
        let length = i32::try_from(path.len()).unwrap();
        let args = [ROOT, 1, PATH, length, flags].map(Value::I32);
        let rest = [Value::I64(rights), Value::I64(rights), Value::I32(0), Value::I32(OUT)];
        match self.call("path_open", &[&args[..], &rest].concat()) {
            OK => Ok(self.result().cast_signed()),
            errno => Err(errno),
        }
    }

    #[track_caller]
    fn ints(&mut self, name: &str, args: &[i32]) -> i32 {
        let args: Vec<_> = args.iter().copied().map(Value::I32).collect();
        self.call(name, &args)
    }

    /// Writes vectors of these lengths, which follow each other from `BYTES` on.
    fn vectors(&mut self, lengths: &[u32]) -> i32 {
        let (mut vectors, mut next) = (Vec::new(), BYTES.cast_unsigned());
        for length in lengths {
            vectors.extend([next, *length].into_iter().flat_map(u32::to_le_bytes));
            next += length;
        }
        self.write(PATH, &vectors);
        i32::try_from(lengths.len()).unwrap()
    }

    /// Returns the entries from this cookie on that fit into a buffer of `size` bytes, with the cookie after each.
    #[track_caller]
    fn read_dir(&mut self, fd: i32, cookie: i64, size: i32) -> Vec<(String, i64)> {
        let args = [Value::I32(fd), Value::I32(BYTES), Value::I32(size), Value::I64(cookie), Value::I32(OUT)];
        assert_eq!(self.call("fd_readdir", &args), OK);
        let used = self.result() as usize;
        let bytes = self.memory(BYTES, used);
        let (mut entries, mut rest) = (Vec::new(), &bytes[..]);
        while rest.len() > 24 {
            let length = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
            let Some(name) = rest.get(24..24 + length) else { break };
            let next = i64::from_le_bytes(rest[..8].try_into().unwrap());
            entries.push((String::from_utf8(name.to_vec()).unwrap(), next));
            rest = &rest[24 + length..];
        }
        entries
    }
}

/// Runs a test on each engine and compiler, for both versions of WASI, with a directory.
fn on_each(access: Access, test: impl Fn(&mut Guest, &Path)) {
    for kind in RuntimeKind::available() {
        for (compiler, version) in kind.compilers().iter().flat_map(|one| VERSIONS.map(|version| (*one, version))) {
            let dir = TempDir::new().unwrap();
            let runtime = create_runtime(&RuntimeConfig::new(kind).with_compiler(compiler)).unwrap();
            let wat = wat(version, r#"(memory (export "memory") 8)"#);
            let module = runtime.load_module(wat.as_bytes()).unwrap();
            let grant = DirGrant::new(dir.path(), "/");
            let grant = if access == Access::ReadOnly { grant.read_only() } else { grant };
            let granted = Capabilities::none().with_dir(grant);
            let instance = runtime.create_instance(module.as_ref(), Limits::none(), granted).unwrap();
            test(&mut Guest { name: format!("{kind} with {compiler}"), instance, version }, dir.path());
        }
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("file-{number:04}")).collect()
}

#[test]
fn files_that_are_removed_do_not_shift_a_listing() {
    on_each(Access::ReadWrite, |guest, dir| {
        let mut expected = names(100);
        for name in &expected {
            fs::write(dir.join(name), "").unwrap();
        }
        let (mut removed, mut cookie) = (Vec::new(), 0);
        loop {
            // A small buffer, as Rust's standard library has it.
            let entries = guest.read_dir(ROOT, cookie, 128);
            let Some((_, next)) = entries.last() else { break };
            cookie = *next;
            for (name, _) in entries.into_iter().filter(|(name, _)| name.starts_with("file-")) {
                guest.write(PATH, name.as_bytes());
                assert_eq!(guest.ints("path_unlink_file", &[ROOT, PATH, i32::try_from(name.len()).unwrap()]), OK);
                removed.push(name);
            }
            fs::write(dir.join("later"), "").unwrap();
        }
        removed.sort();
        expected.sort();
        assert_eq!(removed, expected, "{}", guest.name);
        assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
        // From the start, the listing is new.
        assert!(guest.read_dir(ROOT, 0, 4096).iter().any(|(name, _)| name == "later"));
    });
}

#[test]
fn a_cookie_continues_the_same_listing_until_the_directory_is_closed() {
    on_each(Access::ReadWrite, |guest, dir| {
        fs::create_dir(dir.join("d")).unwrap();
        for name in names(9) {
            fs::write(dir.join("d").join(name), "").unwrap();
        }
        let fd = guest.open("d", DIRECTORY, READ).unwrap();
        let all = guest.read_dir(fd, 0, 4096);
        assert_eq!(all.len(), 11);
        fs::remove_dir_all(dir.join("d")).unwrap();
        for index in 0..all.len() {
            let cookie = if index == 0 { continue } else { all[index - 1].1 };
            assert_eq!(guest.read_dir(fd, cookie, 4096), all[index..], "{}", guest.name);
        }
        assert_eq!(guest.read_dir(fd, 11, 4096), []);
        assert_eq!(guest.read_dir(fd, i64::MAX, 4096), []);
        assert_eq!(guest.read_dir(fd, -1, 4096), []);
        // The list moves with the descriptor.
        let other = guest.open(".", DIRECTORY, READ).unwrap();
        assert_eq!(guest.read_dir(other, 0, 4096).len(), 2);
        assert_eq!(guest.ints("fd_renumber", &[fd, other]), OK);
        assert_eq!(guest.read_dir(other, 2, 4096), all[2..]);
        assert_eq!(guest.ints("fd_close", &[other]), OK);
        let reused = guest.open(".", DIRECTORY, READ).unwrap();
        assert_eq!(guest.read_dir(reused, 2, 4096), [], "{}", guest.name);
        let args = [Value::I32(99), Value::I32(BYTES), Value::I32(64), Value::I64(0), Value::I32(OUT)];
        assert_eq!(guest.call("fd_readdir", &args), BADF);
    });
}

#[test]
fn all_vectors_are_written_and_read() {
    on_each(Access::ReadWrite, |guest, dir| {
        let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).take(300_000).collect();
        guest.write(BYTES, &text);
        let fd = guest.open("f", CREATE, READ | WRITE).unwrap();
        // Short, empty and long vectors; together, more than one copy holds.
        let lengths = [0, 5, 0, 40_000, 40_000, 7, 100_000, 3, 0];
        let total: u32 = lengths.iter().sum();
        let count = guest.vectors(&lengths);
        assert_eq!(guest.ints("fd_write", &[fd, PATH, count, OUT]), OK);
        assert_eq!((guest.result(), fs::read(dir.join("f")).unwrap().len()), (total, total as usize), "{}", guest.name);
        assert!(fs::read(dir.join("f")).unwrap() == text[..total as usize]);

        let args = [Value::I32(fd), Value::I32(PATH), Value::I32(count), Value::I64(10), Value::I32(OUT)];
        assert_eq!(guest.call("fd_pwrite", &args), OK);
        assert_eq!(guest.result(), total);
        let written = fs::read(dir.join("f")).unwrap();
        assert!(written[..10] == text[..10] && written[10..] == text[..total as usize]);

        // A vector outside the memory after valid ones.
        let count = guest.vectors(&[2, 3, u32::MAX / 2]);
        let args = [Value::I32(fd), Value::I32(PATH), Value::I32(count), Value::I64(10), Value::I32(OUT)];
        assert_eq!((guest.call("fd_pwrite", &args), guest.result()), (OK, 5), "{}", guest.name);

        guest.write(BYTES, &[0; 100]);
        let count = guest.vectors(&[0, 3, 0, 50, 4]);
        let args = [Value::I32(fd), Value::I32(PATH), Value::I32(count), Value::I64(13), Value::I32(OUT)];
        assert_eq!(guest.call("fd_pread", &args), OK);
        assert_eq!((guest.result(), guest.memory(BYTES, 60)), (57, [&text[3..60], &[0; 3]].concat()), "{}", guest.name);

        let (from, whence) = (i64::from(total) - 20, if guest.version == VERSIONS[0] { 0 } else { 2 });
        let seek = [Value::I32(fd), Value::I64(from), Value::I32(whence), Value::I32(OUT)];
        assert_eq!(guest.call("fd_seek", &seek), OK);
        let count = guest.vectors(&[4, 20, 40]);
        assert_eq!(guest.ints("fd_read", &[fd, PATH, count, OUT]), OK);
        let end = &text[total as usize - 30..total as usize];
        assert_eq!((guest.result(), guest.memory(BYTES, 30)), (30, end.to_vec()), "{}", guest.name);
    });
}

#[test]
fn all_vectors_go_to_the_standard_streams() {
    for kind in RuntimeKind::available() {
        let stdout = Captured::new();
        let granted = Capabilities::none().with_stdin(Input::Bytes(b"hello".to_vec()));
        let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
        let module = runtime.load_module(wat(VERSIONS[0], r#"(memory (export "memory") 8)"#).as_bytes()).unwrap();
        let granted = granted.with_stdout(Output::Capture(stdout.clone()));
        let instance = runtime.create_instance(module.as_ref(), Limits::none(), granted).unwrap();
        let mut guest = Guest { name: kind.to_string(), instance, version: VERSIONS[0] };
        let count = guest.vectors(&[2, 0, 2]);
        assert_eq!(guest.ints("fd_read", &[0, PATH, count, OUT]), OK);
        assert_eq!((guest.result(), guest.memory(BYTES, 5)), (4, b"hell\0".to_vec()), "{kind}");
        assert_eq!(guest.ints("fd_write", &[1, PATH, count, OUT]), OK);
        assert_eq!((guest.result(), stdout.contents()), (4, b"hell".to_vec()), "{kind}");
    }
}

#[test]
fn a_read_of_no_bytes_succeeds() {
    on_each(Access::ReadWrite, |guest, _| {
        let file = guest.open("f", CREATE, READ).unwrap();
        for (lengths, fd, expected) in [
            (&[][..], 0, OK),
            (&[0, 0], 0, OK),
            (&[0], file, OK),
            (&[0], 1, BADF),
            (&[0], ROOT, BADF),
            (&[0], 99, BADF),
        ] {
            let count = guest.vectors(lengths);
            guest.write(OUT, &[0xff; 4]);
            assert_eq!(guest.ints("fd_read", &[fd, PATH, count, OUT]), expected, "{lengths:?} {fd} on {}", guest.name);
            assert_eq!(guest.result(), if expected == OK { 0 } else { u32::MAX });
        }
        let args = [Value::I32(file), Value::I32(PATH), Value::I32(1), Value::I64(0), Value::I32(OUT)];
        assert_eq!((guest.call("fd_pread", &args), guest.result()), (OK, 0), "{}", guest.name);
    });
}

#[test]
fn a_file_that_is_created_for_reading_cannot_be_written_to() {
    on_each(Access::ReadWrite, |guest, dir| {
        fs::write(dir.join("old"), "old").unwrap();
        fs::write(dir.join("long"), "long").unwrap();
        fs::create_dir(dir.join("d")).unwrap();
        let flags = [("old", CREATE), ("new", CREATE), ("new2", CREATE | EXCLUSIVE), ("long", TRUNCATE)];
        for (name, flags) in flags {
            let fd = guest.open(name, flags, READ).unwrap();
            let count = guest.vectors(&[1]);
            assert_eq!(guest.ints("fd_write", &[fd, PATH, count, OUT]), BADF, "{name} on {}", guest.name);
            assert_eq!(guest.ints("fd_read", &[fd, PATH, count, OUT]), OK);
        }
        let contents = |name| fs::read_to_string(dir.join(name)).unwrap();
        assert_eq!(["old", "new", "new2", "long"].map(contents), ["old", "", "", ""]);
        assert_eq!(guest.open("old", CREATE | EXCLUSIVE, READ), Err(20));
        assert_eq!(guest.open("d", CREATE, READ), Err(ISDIR), "{}", guest.name);
        assert_eq!(guest.open("none/f", CREATE, READ), Err(NOENT));
        let fd = guest.open("written", CREATE, WRITE).unwrap();
        let count = guest.vectors(&[1]);
        assert_eq!(guest.ints("fd_write", &[fd, PATH, count, OUT]), OK);
    });
}

#[test]
fn an_existing_file_of_a_read_only_grant_opens_with_the_flag_to_create_it() {
    on_each(Access::ReadOnly, |guest, dir| {
        fs::write(dir.join("old"), "old").unwrap();
        let fd = guest.open("old", CREATE, READ).unwrap();
        let count = guest.vectors(&[3]);
        assert_eq!(guest.ints("fd_read", &[fd, PATH, count, OUT]), OK);
        assert_eq!(guest.memory(BYTES, 3), b"old", "{}", guest.name);
        for (name, flags, rights) in
            [("new", CREATE, READ), ("old", TRUNCATE, READ), ("old", CREATE, WRITE), ("old", CREATE | EXCLUSIVE, READ)]
        {
            assert_eq!(guest.open(name, flags, rights), Err(PERM), "{name} {flags} {rights} on {}", guest.name);
        }
        assert_eq!(fs::read_to_string(dir.join("old")).unwrap(), "old");
        assert!(!dir.join("new").exists());
    });
}

#[test]
fn a_position_after_the_largest_is_an_overflow() {
    on_each(Access::ReadWrite, |guest, _| {
        let fd = guest.open("f", CREATE, READ | WRITE).unwrap();
        let [set, current, end] = if guest.version == VERSIONS[0] { [0, 1, 2] } else { [2, 0, 1] };
        let mut seek = |offset, whence| {
            let args = [Value::I32(fd), Value::I64(offset), Value::I32(whence), Value::I32(OUT)];
            let errno = guest.call("fd_seek", &args);
            assert_eq!(guest.ints("fd_tell", &[fd, OUT]), OK);
            (errno, i64::from_le_bytes(guest.memory(OUT, 8).try_into().unwrap()))
        };
        assert_eq!(seek(i64::MAX, set), (OK, i64::MAX));
        assert_eq!(seek(1, current), (OVERFLOW, i64::MAX));
        assert_eq!(seek(-1, current), (OK, i64::MAX - 1));
        assert_eq!(seek(i64::MAX, current), (OVERFLOW, i64::MAX - 1));
        assert_eq!(seek(5, end), (OK, 5));
    });
}

#[test]
fn the_standard_streams_have_no_flags() {
    on_each(Access::ReadWrite, |guest, _| {
        let calls = [(0, 0, OK), (0, 4, NOTSUP), (1, 4, NOTSUP), (2, 1, NOTSUP), (ROOT, 0, BADF), (99, 0, BADF)];
        for (fd, flags, expected) in calls {
            assert_eq!(guest.ints("fd_fdstat_set_flags", &[fd, flags]), expected, "{fd} {flags} on {}", guest.name);
        }
    });
}

#[test]
fn calls_with_a_pointer_need_a_memory_and_others_do_not() {
    for memory in ["", r#"(memory (export "other") 1)"#, r#"(func (export "memory"))"#] {
        for kind in RuntimeKind::available() {
            let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
            let module = runtime.load_module(wat(VERSIONS[0], memory).as_bytes()).unwrap();
            let mut guest = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none()).unwrap();
            assert_eq!(guest.call("sched_yield", &[]).unwrap(), [Value::I32(OK)]);
            assert_eq!(guest.call("fd_close", &[Value::I32(0)]).unwrap(), [Value::I32(OK)]);
            let error = guest.call("fd_write", &[1, 0, 1, 8].map(Value::I32)).unwrap_err();
            let reason = "the module exports no memory named `memory`, which WASI needs to read and write";
            assert!(error.to_string().contains(reason), "{memory} on {kind}: {error}");
        }
    }
}
