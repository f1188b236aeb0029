//! `wrun batch --input arrow -o arrow`, against an independent implementation: pyarrow.

use std::process::{Command, Stdio};

use crate::vocabulary::{path_with_wrun, python_example, run_with, skipped};

/// Returns a Python that has pyarrow: the one in `WRUN_TEST_PYTHON`, or `python3`.
fn python() -> Option<String> {
    let python = std::env::var("WRUN_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut check = Command::new(&python);
    let check = check.args(["-c", "import pyarrow"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    check.is_ok_and(|status| status.success()).then_some(python)
}

/// Runs a Python script that imports pyarrow and calls `wrun`, and returns its standard output. Returns `None` if pyarrow is not
/// installed.
#[track_caller]
fn run_python(script: &str) -> Option<String> {
    let Some(python) = python() else {
        skipped("there is no Python with pyarrow (WRUN_TEST_PYTHON)");
        return None;
    };
    let output = Command::new(python).args(["-c", script]).env("PATH", path_with_wrun()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_example_with_pyarrow_works() {
    let (example, expected) = python_example("docs/arrow.md");
    if let Some(printed) = run_python(&example) {
        assert_eq!(printed.trim_end(), expected);
    }
}

/// Sends the columns of each type that pyarrow has through a function that returns its argument.
#[cfg(feature = "components")]
#[test]
fn values_of_pyarrow_pass_unchanged() {
    let script = r#"
import pyarrow as pa, subprocess

def batch(function, table, *options, writer=pa.ipc.new_stream):
    sink = pa.BufferOutputStream()
    with writer(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=3)
    command = ["wrun", "batch", "--input", "arrow", "-o", "arrow", *options, "fixtures/component/types/types.wasm", function]
    done = subprocess.run(command, input=sink.getvalue(), capture_output=True)
    assert done.returncode == 0, (function, done)
    result = pa.ipc.open_stream(done.stdout).read_all()
    result.validate(full=True)
    return result

def passes(function, type, values, expected=None):
    result = batch(function, pa.table({"v": pa.array(values, type)}))["result"]
    assert result.to_pylist() == (expected or values), (function, type, result.to_pylist())

for type in [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]:
    passes("echo-u8", type, [0, 1, 127, 5])
    passes("echo-s64", type, [0, 1, 127, 5])
    passes("echo-option", type, [0, None, 127, 5])
    passes("echo-f32", type, [0, 1, 127, 5])
for type in [pa.float16(), pa.float32(), pa.float64()]:
    passes("echo-f64", type, [0.5, -1.0, float("inf")])
passes("echo-bool", pa.bool_(), [True, False] * 10)
for type in [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int16(), pa.string())]:
    passes("echo-string", type, ["", "a", "ü" * 30, "a", "line\n"])
    passes("echo-option-string", type, ["", None, "ü" * 30, None, "b"])
    passes("echo-colour", type, ["red", "blue", "red"])
for type in [pa.binary(), pa.large_binary(), pa.binary_view()]:
    passes("echo-bytes", type, [b"", b"a\x00", b"\xff" * 40])
passes("echo-bytes", pa.binary(2), [b"ab", b"cd"])
passes("echo-bytes", pa.list_(pa.uint8()), [[1, 2], []], [b"\x01\x02", b""])
for list in [pa.list_, pa.large_list, lambda type: pa.list_(type, 2)]:
    passes("echo-numbers", list(pa.uint64()), [[1, 2], [3, 2**64 - 1], [0, 0], [4, 5]])
    passes("echo-strings", list(pa.string()), [["a", ""], ["b", "c"]])
    passes("echo-options", list(pa.bool_()), [[True, None], [None, None]])
passes("echo-access", pa.list_(pa.string()), [["read"], [], ["execute", "write"]], [["read"], [], ["write", "execute"]])
pair = pa.struct([("0", pa.uint8()), ("1", pa.string())])
passes("echo-pair", pair, [{"0": 1, "1": "a"}, {"0": 2, "1": "b"}])
result = pa.struct([("ok", pa.uint32()), ("err", pa.string())])
passes("echo-result", result, [{"ok": 1, "err": None}, {"ok": None, "err": "e"}])

point = batch("echo-point", pa.table({"v": pa.array([{"y": 2, "x": 1}], pa.struct([("y", pa.int64()), ("x", pa.int8())]))}))
assert point.column_names == ["x", "y", "error_kind", "error_message"] and point.to_pylist()[0]["y"] == 2, point
file = batch("echo-string", pa.table({"v": pa.array(["a", "b", "a", "c"]).dictionary_encode()}), writer=pa.ipc.new_file)
assert file["result"].to_pylist() == ["a", "b", "a", "c"], file
ids = batch("echo-u8", pa.table({"v": range(10), "id": [f"n{n}" for n in range(10)]}), "--jobs", "3", "--on-error", "fail")
assert ids.column_names == ["id", "result"] and ids["id"].to_pylist() == [f"n{n}" for n in range(10)], ids
empty = batch("echo-u8", pa.table({"v": pa.array([], pa.int8())}))
assert empty.num_rows == 0 and empty.schema.field("result").type == pa.uint8(), empty
print("done")
"#;
    if let Some(printed) = run_python(script) {
        assert_eq!(printed, "done\n");
    }
}

#[test]
fn what_pyarrow_writes_with_compression_is_refused_with_a_hint() {
    let script = r#"
import pyarrow as pa, subprocess
table = pa.table({"a": pa.array(range(1000), pa.int32()), "b": pa.array(range(1000), pa.int32())})
for codec in ["lz4", "zstd"]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as stream:
        stream.write_table(table)
    command = ["wrun", "batch", "--input", "arrow", "fixtures/add.wasm", "add"]
    done = subprocess.run(command, input=sink.getvalue(), capture_output=True)
    assert done.returncode == 2 and done.stdout == b"", done
    assert b"compressed" in done.stderr and b"hint: write it without compression" in done.stderr, done
print("done")
"#;
    if let Some(printed) = run_python(script) {
        assert_eq!(printed, "done\n");
    }
}

#[test]
fn what_is_not_arrow_is_refused_with_a_hint() {
    let printed = run_with(&["batch", "--input", "arrow", "fixtures/add.wasm", "add"], "[1,2]\n");
    assert_eq!((printed.stdout.as_str(), printed.code), ("", 2), "{printed:?}");
    assert!(printed.stderr.contains("not an Arrow IPC stream") && printed.stderr.contains("hint:"), "{printed:?}");
    let printed = run_with(&["batch", "-o", "arrow", "--on-error", "pass", "fixtures/add.wasm", "add"], "[1,2]\n");
    assert_eq!((printed.stdout.as_str(), printed.code), ("", 2), "{printed:?}");
}
