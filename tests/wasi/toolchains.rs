//! Programs built by several toolchains behave the same on every engine.

use std::fs;
use std::path::Path;

use wrun::{Capabilities, DirGrant, Input};

use crate::guest::{End, Ran, fixtures, on_each};

/// A run of a program and its expected results.
#[derive(Default)]
struct Case<'c> {
    args: &'c [&'c str],
    env: &'c [(&'c str, &'c str)],
    stdin: &'c str,
    /// Whether the program gets no directory; otherwise it gets [`FILES`] as `/data`, read-only.
    no_dir: bool,
    code: i32,
    stdout: &'c str,
    stderr: &'c str,
}

const FILES: &[(&str, &str)] = &[
    ("notes.txt", "The cat, the dog\nand THE bird: a cat\n"),
    ("table.csv", "name, height ,weight\nanna,1.70,60\nbert,1.85,80.5\n\ncarl,tall, 7e1\r\n"),
    ("fruit.txt", "Äpfel und Birnen\nnichts\nBIRNE\nkeine birne"),
];

impl Case<'_> {
    fn granted(&self, name: &str, data: &Path) -> Capabilities {
        let args = std::iter::once(name).chain(self.args.iter().copied());
        let granted = Capabilities::none().with_args(args).with_stdin(Input::Bytes(self.stdin.into()));
        let granted = self.env.iter().fold(granted, |granted, (name, value)| granted.with_env(*name, *value));
        if self.no_dir { granted } else { granted.with_dir(DirGrant::new(data, "/data").read_only()) }
    }
}

/// Runs a program on each engine and compiler with each case.
#[track_caller]
fn check(wasm: &str, cases: &[Case<'_>]) {
    let data = tempfile::tempdir().unwrap();
    for (name, contents) in FILES {
        fs::write(data.path().join(name), contents).unwrap();
    }
    let path = fixtures().with_file_name(wasm);
    let name = path.file_stem().unwrap().to_str().unwrap();
    for program in on_each(&path, None) {
        for case in cases {
            let ran = program.run(case.granted(name, data.path()), None);
            let expected =
                Ran { end: End::Code(case.code), stdout: case.stdout.to_owned(), stderr: case.stderr.to_owned() };
            assert_eq!(ran, expected, "{name} {:?} on {program}", case.args);
        }
    }
}

#[test]
fn a_program_in_c() {
    let (hello, usage) = ("hello, whoever you are\n", "usage: greet FILE [CODE]\n");
    let file = ["/data/fruit.txt", "3"];
    check(
        "c/greet.wasm",
        &[
            Case {
                args: &file,
                env: &[("NAME", "you"), ("OTHER", "")],
                code: 3,
                stdout: "hello, you\nÄpfel und Birnen\nnichts\nBIRNE\nkeine birne",
                ..Case::default()
            },
            Case {
                args: &["-"],
                stdin: "in\n\0out",
                stdout: "hello, whoever you are\nin\n\0out",
                no_dir: true,
                ..Case::default()
            },
            Case {
                args: &file,
                no_dir: true,
                code: 66,
                stdout: hello,
                stderr: "/data/fruit.txt: No such file or directory\n",
                ..Case::default()
            },
            Case { code: 64, stdout: hello, stderr: usage, ..Case::default() },
        ],
    );
}

#[test]
fn a_program_in_cpp() {
    let numbers: String = (0..50_000).map(|n| format!("w{}\n", n % 10_007)).collect();
    check(
        "cpp/words.wasm",
        &[
            Case {
                args: &["/data/notes.txt"],
                env: &[("STOPWORDS", "a,and")],
                stdout: "     3 the\n     2 cat\n     1 bird\n     1 dog\n",
                stderr: "7 words, 4 different, each 1.75 times\n",
                ..Case::default()
            },
            Case {
                args: &["-n", "2", "/data/none.txt", "-", "/data/notes.txt"],
                stdin: "Äpfel, DOG dog DOG",
                code: 1,
                stdout: "     4 dog\n     3 the\n",
                stderr: "/data/none.txt: No such file or directory\n13 words, 7 different, each 1.86 times\n",
                ..Case::default()
            },
            Case {
                args: &["/data/notes.txt"],
                no_dir: true,
                code: 1,
                stderr: "/data/notes.txt: No such file or directory\n0 words, 0 different\n",
                ..Case::default()
            },
            Case {
                args: &["-n", "3"],
                stdin: &numbers,
                stdout: "     5 w0\n     5 w1\n     5 w10\n",
                stderr: "50000 words, 10007 different, each 5.00 times\n",
                ..Case::default()
            },
            Case { args: &["-n", "few"], code: 2, stderr: "usage: words [-n COUNT] [FILE]...\n", ..Case::default() },
        ],
    );
}

#[test]
fn a_program_in_zig() {
    check(
        "zig/columns.wasm",
        &[
            Case {
                args: &["/data/table.csv", "weight", "height"],
                code: 65,
                stdout: "weight 210.5 60 80.5\nheight 3.55 1.7 1.85\n",
                stderr: "/data/table.csv:5: height: \"tall\" is no number\n",
                ..Case::default()
            },
            Case {
                args: &["-", "b", "a"],
                env: &[("SEPARATOR", "; ")],
                stdin: "a; b\n0.1; 1e18\n0.2; 1e18\n-0; -1",
                no_dir: true,
                stdout: "b 2000000000000000000 -1 1000000000000000000\na 0.30000000000000004 -0 0.2\n",
                ..Case::default()
            },
            Case {
                args: &["/data/table.csv", "weight"],
                no_dir: true,
                code: 66,
                stderr: "/data/table.csv: NotGranted\n",
                ..Case::default()
            },
            Case {
                args: &["/data/none.csv", "weight"],
                code: 66,
                stderr: "/data/none.csv: FileNotFound\n",
                ..Case::default()
            },
            Case {
                args: &["/data/table.csv", "age"],
                code: 64,
                stderr: "/data/table.csv: no column age in: name, height ,weight\n",
                ..Case::default()
            },
            Case { args: &["-"], code: 64, stderr: "usage: columns FILE NAME...\n", ..Case::default() },
        ],
    );
}

#[test]
fn a_program_in_assemblyscript() {
    let lines: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    check(
        "assemblyscript/matches.wasm",
        &[
            Case {
                args: &["birne", "/data/fruit.txt"],
                env: &[("IGNORE_CASE", "")],
                stdout: "1:Äpfel und Birnen\n3:BIRNE\n4:keine birne\n",
                stderr: "3 of 4 lines\n",
                ..Case::default()
            },
            Case {
                args: &["-v", "ä"],
                stdin: "käse\nKÄSE\n\nohne",
                no_dir: true,
                stdout: "2:KÄSE\n3:\n4:ohne\n",
                stderr: "3 of 4 lines\n",
                ..Case::default()
            },
            Case { args: &["birne", "/data/notes.txt"], code: 1, stderr: "0 of 2 lines\n", ..Case::default() },
            Case {
                args: &["cat", "/data/notes.txt"],
                no_dir: true,
                code: 2,
                stderr: "/data/notes.txt: NOENT\n",
                ..Case::default()
            },
            Case {
                args: &["e 1234"],
                stdin: &lines,
                stdout: "1235:line 1234\n12341:line 12340\n12342:line 12341\n12343:line 12342\n12344:line 12343\n\
                         12345:line 12344\n12346:line 12345\n12347:line 12346\n12348:line 12347\n12349:line 12348\n\
                         12350:line 12349\n",
                stderr: "11 of 20000 lines\n",
                ..Case::default()
            },
            Case { code: 2, stderr: "usage: matches [-v] TEXT [FILE]\n", ..Case::default() },
        ],
    );
}
