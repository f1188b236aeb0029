//! Every function of WASI with valid and with bad arguments, called by a generated guest: a bad argument is an errno, which is the
//! same on every engine, and the guest goes on.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;
use wrun::{
    Capabilities, Compiler, DirGrant, Limits, RuntimeConfig, RuntimeKind, Value, WasmInstance, WasmModule, WasmRuntime,
    create_runtime,
};

/// Errnos of preview 1.
const BADF: i32 = 8;
const FAULT: i32 = 21;
const ILSEQ: i32 = 25;
const INVAL: i32 = 28;
const EXIST: i32 = 20;
const NOTDIR: i32 = 54;
const NOTSOCK: i32 = 57;
const NOTSUP: i32 = 58;

/// The functions of both modules and their parameters, each with its valid values:
///
/// - `fd` is the file 4, `dir` is the directory 3, which contains the file `f` and the symbolic link `l`.
/// - `enum:N` has N values, `flags:N` has N bits. `rights` are for reading and writing.
/// - `out:N` points to a result that is aligned to N bytes, `buf` to bytes, whose number is the `size` after it.
/// - `subs` points to subscriptions to a clock that are ready at once.
/// - `file` and `link` are a pointer to a name and its length; `iovs` are a pointer to a vector and their number.
/// - `int` and `long` are any numbers.
const FUNCTIONS: &str = "
    args_get out:4 buf
    args_sizes_get out:4 out:4
    environ_get out:4 buf
    environ_sizes_get out:4 out:4
    clock_res_get enum:4 out:8
    clock_time_get enum:4 long out:8
    fd_advise fd long long enum:6
    fd_allocate fd long long
    fd_datasync fd
    fd_fdstat_get fd out:8
    fd_fdstat_set_flags fd flags:5
    fd_fdstat_set_rights fd rights rights
    fd_filestat_get fd out:8
    fd_filestat_set_size fd long
    fd_filestat_set_times fd long long flags:4
    fd_pread fd iovs long out:4
    fd_prestat_get dir out:4
    fd_prestat_dir_name dir buf size
    fd_pwrite fd iovs long out:4
    fd_read fd iovs out:4
    fd_readdir dir buf size long out:4
    fd_renumber fd fd
    fd_seek fd long enum:3 out:8
    fd_sync fd
    fd_tell fd out:8
    fd_write fd iovs out:4
    path_create_directory dir file
    path_filestat_get dir flags:1 file out:8
    path_filestat_set_times dir flags:1 file long long flags:4
    path_link dir flags:1 file dir file
    path_open dir flags:1 file flags:4 rights rights flags:5 out:4
    path_readlink dir link buf size out:4
    path_remove_directory dir file
    path_rename dir file dir file
    path_symlink file dir file
    path_unlink_file dir link
    poll_oneoff subs buf int out:4
    proc_raise enum:31
    sched_yield
    random_get buf size
    sock_recv fd iovs flags:2 out:4 out:4
    sock_send fd iovs flags:16 out:4
    sock_shutdown fd flags:2
    sock_accept fd flags:5 out:4
    fd_close fd
";

/// The addresses of the file's name, the link's name, bad names, the vectors, and buffers of the guest.
const DATA: &str = r#"(data (i32.const 1024) "f\00\00\00l\00\00\00\ff\00\00\00a\00b")
    (data (i32.const 2048) "\00\0c\00\00\10\00\00\00" "\00\00\01\00\10\00\00\00" "\00\0c\00\00\ff\ff\ff\ff")"#;
const FILE: i32 = 1024;
const LINK: i32 = 1028;
const NOT_UTF8: i32 = 1032;
const WITH_NUL: i32 = 1036;
const VECTOR: i32 = 2048;
const BAD_VECTORS: [i32; 2] = [2056, 2064];
const BUFFER: i32 = 4096;
const SUBSCRIPTIONS: i32 = 0x8000;
const MEMORY_END: i32 = 0x1_0000;

/// Reading and writing (`fd_read`, `fd_write`).
const READ_WRITE: i64 = (1 << 1) | (1 << 6);

/// One parameter, or two that belong together.
#[derive(Clone, Copy, Debug)]
enum Param {
    Fd(i32),
    Enum(i32),
    Flags(u32),
    Rights,
    Out(i32, i32),
    Size,
    Name(i32),
    Vectors,
    Int,
    Long,
}

impl Param {
    fn parse(text: &str) -> Self {
        let (kind, number) = text.split_once(':').unwrap_or((text, "1"));
        let number = number.parse().unwrap();
        match kind {
            "fd" => Self::Fd(4),
            "dir" => Self::Fd(3),
            "enum" => Self::Enum(number),
            "flags" => Self::Flags(number.unsigned_abs()),
            "rights" => Self::Rights,
            "out" | "buf" => Self::Out(BUFFER, number),
            "subs" => Self::Out(SUBSCRIPTIONS, 1),
            "size" => Self::Size,
            "file" => Self::Name(FILE),
            "link" => Self::Name(LINK),
            "iovs" => Self::Vectors,
            "int" => Self::Int,
            "long" => Self::Long,
            other => panic!("unknown parameter {other}"),
        }
    }

    fn valid(self) -> Vec<Value> {
        match self {
            Self::Fd(fd) => vec![Value::I32(fd)],
            Self::Enum(_) | Self::Flags(_) => vec![Value::I32(0)],
            Self::Rights => vec![Value::I64(READ_WRITE)],
            Self::Out(address, _) => vec![Value::I32(address)],
            Self::Size => vec![Value::I32(64)],
            Self::Name(address) => vec![Value::I32(address), Value::I32(1)],
            Self::Vectors => vec![Value::I32(VECTOR), Value::I32(1)],
            Self::Int => vec![Value::I32(1)],
            Self::Long => vec![Value::I64(0)],
        }
    }

    /// Returns bad values, each with its errno, or `None` if a function may define another errno or accept the value.
    fn bad(self) -> Vec<(Vec<Value>, Option<i32>)> {
        let one =
            |values: &[i32], errno| values.iter().map(|value| (vec![Value::I32(*value)], errno)).collect::<Vec<_>>();
        let two = |values: &[[i32; 2]], errno| {
            values.iter().map(|pair| (pair.map(Value::I32).to_vec(), errno)).collect::<Vec<_>>()
        };
        let past_end = [MEMORY_END, i32::MAX - 7, i32::MIN, -8, -1];
        let last_byte = [MEMORY_END - 1];
        match self {
            Self::Fd(_) => one(&[99, i32::MAX, i32::MIN, -1], Some(BADF)),
            Self::Enum(count) => one(&[count, 0x100, 0x1_0000, i32::MAX, i32::MIN, -1], Some(INVAL)),
            Self::Flags(bits) => one(&[1 << bits, 0x1_0000, i32::MAX, i32::MIN, -1], Some(INVAL)),
            Self::Rights => [1 << 30, 1 << 40, i64::MIN, -1].map(|bad| (vec![Value::I64(bad)], Some(INVAL))).into(),
            Self::Out(_, 1) => [one(&past_end, Some(FAULT)), one(&last_byte, None)].concat(),
            Self::Out(address, align) => [
                one(&past_end[..4], Some(FAULT)),
                one(&past_end[4..], None),
                one(&last_byte, None),
                one(&[address + 1, address + align / 2], Some(INVAL)),
            ]
            .concat(),
            Self::Size => one(&[0, 1, MEMORY_END, i32::MAX, i32::MIN, -1], None),
            Self::Name(_) => [
                two(&past_end.map(|address| [address, 2]), Some(FAULT)),
                two(&[[FILE, MEMORY_END], [MEMORY_END - 1, 2], [-16, 32]], Some(FAULT)),
                two(&[[FILE, i32::MAX], [FILE, -1]], None),
                two(&[[NOT_UTF8, 1]], Some(ILSEQ)),
                two(&[[WITH_NUL, 3], [FILE, 0]], None),
            ]
            .concat(),
            Self::Vectors => [
                two(&[MEMORY_END, i32::MAX - 7, i32::MIN, -8].map(|address| [address, 1]), Some(FAULT)),
                two(&[[VECTOR + 1, 1], [VECTOR + 2, 1]], Some(INVAL)),
                two(&[[BAD_VECTORS[0], 1]], Some(FAULT)),
                two(&[[VECTOR, (1 << 20) + 1], [VECTOR, i32::MIN], [VECTOR, -1]], Some(INVAL)),
                two(&[[BAD_VECTORS[1], 1], [VECTOR, 0], [VECTOR, 2]], None),
            ]
            .concat(),
            Self::Int => one(&[0, 2, i32::MAX, i32::MIN, -1], None),
            Self::Long => [1, i64::MAX, i64::MIN, -1].map(|value| (vec![Value::I64(value)], None)).into(),
        }
    }
}

/// A function of WASI.
#[derive(Debug)]
struct Function {
    name: &'static str,
    params: Vec<Param>,
}

/// A call, and the errno that it must return, if that is certain.
#[derive(Debug)]
struct Call {
    name: &'static str,
    args: Vec<Value>,
    errno: Option<i32>,
}

impl Function {
    fn all(version: &str) -> Vec<Self> {
        let lines = FUNCTIONS.lines().map(str::trim).filter(|line| !line.is_empty());
        let functions = lines.map(|line| {
            let (name, params) = line.split_once(' ').unwrap_or((line, ""));
            Self { name, params: params.split_whitespace().map(Param::parse).collect() }
        });
        functions.filter(|function| version != "wasi_unstable" || function.name != "sock_accept").collect()
    }

    fn valid(&self) -> Call {
        Call { name: self.name, args: self.params.iter().flat_map(|param| param.valid()).collect(), errno: None }
    }

    /// Returns calls with one bad argument each.
    fn bad(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for (index, param) in self.params.iter().enumerate() {
            let [before, after] = [&self.params[..index], &self.params[index + 1..]]
                .map(|params| params.iter().flat_map(|param| param.valid()).collect::<Vec<_>>());
            for (bad, errno) in param.bad() {
                let args = [&before[..], &bad, &after].concat();
                // A socket function only looks at the file descriptor and the flags, since no descriptor is a socket.
                let errno = errno.filter(|_| !self.name.starts_with("sock_") || matches!(param, Param::Flags(_)));
                calls.push(Call { name: self.name, args, errno });
            }
        }
        calls
    }
}

/// Returns a guest that exports each function.
fn guest(version: &str) -> String {
    let (mut imports, mut functions) = (String::new(), String::new());
    for function in Function::all(version) {
        let call = function.valid();
        let ty = |value: &Value| if matches!(value, Value::I64(_)) { " i64" } else { " i32" };
        let params: String = call.args.iter().map(ty).collect();
        let name = function.name;
        writeln!(imports, r#"(import "{version}" "{name}" (func ${name} (param{params}) (result i32)))"#).unwrap();
        let args: String = (0..call.args.len()).map(|index| format!("(local.get {index}) ")).collect();
        writeln!(functions, r#"(func (export "{name}") (param{params}) (result i32) (call ${name} {args}))"#).unwrap();
    }
    format!(r#"(module {imports} (memory (export "memory") 1) {DATA} {functions})"#)
}

/// The guest on one engine and compiler.
struct Guest {
    runtime: Box<dyn WasmRuntime>,
    module: Box<dyn WasmModule>,
    name: String,
}

/// One run of the guest with its own directory.
struct Run {
    instance: Box<dyn WasmInstance>,
    _dir: TempDir,
}

impl Guest {
    fn on_each(wat: &str) -> Vec<Self> {
        let all = RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |one| (kind, *one)));
        all.map(|(kind, compiler): (RuntimeKind, Compiler)| {
            let runtime = create_runtime(&RuntimeConfig::new(kind).with_compiler(compiler)).unwrap();
            let module = runtime.load_module(wat.as_bytes()).unwrap();
            Self { runtime, module, name: format!("{kind} with {compiler}") }
        })
        .collect()
    }

    /// Starts the guest, with the file `f` open as 4 if it can open files.
    fn start(&self) -> Run {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), "0123456789abcdef").unwrap();
        symlink("f", dir.path().join("l")).unwrap();
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/"));
        let granted = granted.with_args(["argument"]).with_env("NAME", "value");
        let mut run = Run {
            instance: self.runtime.create_instance(self.module.as_ref(), Limits::none(), granted).unwrap(),
            _dir: dir,
        };
        let open = Function::all("wasi_unstable").into_iter().find(|function| function.name == "path_open").unwrap();
        run.call(&open.valid(), self);
        run
    }
}

impl Run {
    /// Returns the errno of a call.
    #[track_caller]
    fn call(&mut self, call: &Call, guest: &Guest) -> i32 {
        match self.instance.call(call.name, &call.args).as_deref() {
            Ok([Value::I32(errno)]) => *errno,
            other => panic!("{call:?} ended the guest on {}: {other:?}", guest.name),
        }
    }
}

/// Makes these calls of each function in one instance on each engine, and returns the errnos.
fn call_all(version: &str, calls: impl Fn(&Function) -> Vec<Call>) -> Vec<(Call, i32)> {
    let guests = Guest::on_each(&guest(version));
    let mut results = Vec::new();
    for function in Function::all(version) {
        let mut runs: Vec<_> = guests.iter().map(|guest| (guest, guest.start())).collect();
        for call in calls(&function) {
            let mut errnos = runs.iter_mut().map(|(guest, run)| (&guest.name, run.call(&call, guest)));
            let (first, errno) = errnos.next().unwrap();
            for (other, actual) in errnos {
                assert_eq!(actual, errno, "{version}, {call:?}: errno on {other} and on {first}");
            }
            results.push((call, errno));
        }
    }
    results
}

const VERSIONS: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

#[test]
fn valid_arguments_are_served() {
    for version in VERSIONS {
        for (call, errno) in call_all(version, |function| vec![function.valid()]) {
            let expected = match call.name {
                "fd_allocate" | "fd_fdstat_set_rights" | "proc_raise" => NOTSUP,
                "path_create_directory" | "path_link" | "path_symlink" => EXIST,
                "path_remove_directory" => NOTDIR,
                name if name.starts_with("sock_") => NOTSOCK,
                _ => 0,
            };
            assert_eq!(errno, expected, "{version}, {call:?}");
        }
    }
}

#[test]
fn bad_arguments_are_an_errno() {
    for version in VERSIONS {
        let mut results = call_all(version, Function::bad);
        results.retain(|(call, errno)| call.errno.is_some_and(|expected| expected != *errno));
        assert!(results.is_empty(), "{version}: {results:?}");
    }
}

/// Makes random calls on every engine, and asserts that their errnos are the same.
fn fuzz(version: &str, seed: u64) {
    let functions = Function::all(version);
    let guests = Guest::on_each(&guest(version));
    let mut runs: Vec<_> = guests.iter().map(|guest| (guest, guest.start())).collect();
    let mut state = seed;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..1500 {
        let function = &functions[random(functions.len())];
        let mut call = Call { name: function.name, args: Vec::new(), errno: None };
        for param in &function.params {
            let bad = param.bad();
            let choice = random(2 * bad.len());
            call.args.extend(bad.get(choice).map_or_else(|| param.valid(), |(bad, _)| bad.clone()));
        }
        let errnos: Vec<_> = runs.iter_mut().map(|(guest, run)| run.call(&call, guest)).collect();
        assert!(errnos.windows(2).all(|pair| pair[0] == pair[1]), "{version}, seed {seed}, {call:?}: {errnos:?}");
    }
}

#[test]
fn random_arguments_do_the_same_on_every_engine() {
    for seed in 0..4 {
        for version in VERSIONS {
            fuzz(version, seed);
        }
    }
}
