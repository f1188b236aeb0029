//! Passes text and bytes to functions of modules, and checks the results and that memory is freed.

use std::sync::Arc;

use wrun::session::{Completion, InstanceOptions, Session};
use wrun::{
    Abi, CallArgs, CallResult, Callable, CodeInfo, CodeInstance, ErrorKind, Limits, Payload, Result, RuntimeConfig,
    TextOptions, Value,
};

use crate::vocabulary::{Engine, assert_contains, on_each, refused};

pub(crate) const STRINGS: &[u8] = include_bytes!("../../fixtures/text/strings.wasm");
const WORDS: &[u8] = include_bytes!("../../fixtures/text/words.wasm");
const NAMES: &[u8] = include_bytes!("../../fixtures/text/names.wasm");
const FILTER: &[u8] = include_bytes!("../../fixtures/text/filter.wasm");

pub(crate) fn options(abi: Abi) -> TextOptions {
    let mut options = TextOptions::default();
    options.abi = Some(abi);
    options
}

pub(crate) fn payload(abi: Abi, payload: Payload) -> TextOptions {
    let mut options = options(abi);
    options.payload = payload;
    options
}

/// A live module.
pub(crate) struct Guest {
    info: CodeInfo,
    instance: CodeInstance,
}

impl Guest {
    pub(crate) fn start(engine: &Engine, wasm: &[u8]) -> Self {
        Self::start_within(engine, Limits::none(), wasm)
    }

    pub(crate) fn start_within(engine: &Engine, limits: Limits, wasm: &[u8]) -> Self {
        let module = engine.runtime.load_module(wasm).unwrap();
        let instance = engine.runtime.create_instance(module.as_ref(), limits, wrun::Capabilities::none()).unwrap();
        Self { info: CodeInfo::Module(Arc::clone(module.info())), instance: CodeInstance::Module(instance) }
    }

    pub(crate) fn find(&self, name: &str, options: &TextOptions) -> Result<Callable> {
        Callable::find_with(&self.info, Some(name), options)
    }

    /// Calls a function with arguments in JSON.
    pub(crate) fn call(&mut self, options: &TextOptions, name: &str, args: &str) -> Result<CallResult> {
        let callable = self.find(name, options)?;
        let args = callable.decode_json(args.as_bytes())?;
        self.instance.call(&callable, &args)
    }

    /// Calls a function, and returns its result in JSON.
    #[track_caller]
    pub(crate) fn json(&mut self, options: &TextOptions, name: &str, args: &str) -> String {
        let result = self.call(options, name, args).unwrap_or_else(|error| panic!("{name}({args}): {error}"));
        serde_json::to_string(&result).unwrap()
    }

    /// Calls a function without arguments that returns an i32.
    pub(crate) fn number(&mut self, name: &str) -> i32 {
        let callable = Callable::find(&self.info, name).unwrap();
        match self.instance.call(&callable, &CallArgs::Core(Vec::new())).unwrap() {
            CallResult::Core(values) if let [Value::I32(value)] = values[..] => value,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn packed_passes_text_in_c_zig_and_assemblyscript() {
    on_each(|engine| {
        let packed = options(Abi::Packed);
        let long = "long ".repeat(50_000);
        let mut c = Guest::start(engine, STRINGS);
        assert_eq!(c.json(&packed, "upper", "\"héllo wörld\""), "\"HéLLO WöRLD\"");
        assert_eq!(c.json(&packed, "upper", "[\"\"]"), "\"\"");
        assert_eq!(c.json(&packed, "upper", "\"a\\u0000b\""), "\"A\\u0000B\"");
        assert_eq!(c.json(&packed, "upper", &format!("\"{long}\"")), format!("\"{}\"", long.to_uppercase()));
        let mut zig = Guest::start(engine, WORDS);
        assert_eq!(zig.json(&packed, "reverse_words", "\"one two three\""), "\"three two one\"");
        assert_eq!(zig.json(&packed, "reverse_words", "\"\""), "\"\"");
        assert_eq!(zig.json(&packed, "trim", "\"  in the argument \""), "\"in the argument\"");
        let mut assemblyscript = Guest::start(engine, NAMES);
        assert_eq!(assemblyscript.json(&packed, "capitalize", "\"ada lovelace, élodie\""), "\"Ada Lovelace, Élodie\"");
    });
}

#[test]
fn an_argument_survives_the_garbage_collector() {
    on_each(|engine| {
        let mut guest = Guest::start(engine, NAMES);
        for _ in 0..3 {
            assert_eq!(guest.json(&options(Abi::Packed), "survive", "\"ada\""), "\"ada:1600000\"");
        }
    });
}

#[test]
fn cstr_passes_strings_and_numbers() {
    on_each(|engine| {
        let (mut guest, cstr) = (Guest::start(engine, STRINGS), options(Abi::Cstr));
        assert_eq!(guest.json(&cstr, "repeat", "[\"hi\", 3]"), "\"hi, hi, hi\"");
        assert_eq!(guest.json(&cstr, "repeat", "[\"\", 2]"), "\", \"");
        assert_eq!(guest.json(&cstr, "repeat", "[\"hi\", -1]"), "\"\"");
        assert_eq!(guest.json(&cstr, "greet", "\"5\""), "\"Hello, 5!\"");
        assert_eq!(guest.json(&cstr, "after", "[\"key=value\", \"=\"]"), "\"value\"");
        assert_eq!(guest.json(&cstr, "after", "[\"key\", \"=\"]"), "null");
        assert_eq!(guest.json(&cstr, "vowels", "\"education\""), "5.0");
        assert_eq!(guest.number("live_blocks"), 0);
    });
}

#[test]
fn text_arguments_of_cstr_are_strings_where_only_one_can_be() {
    on_each(|engine| {
        let (mut guest, cstr) = (Guest::start(engine, STRINGS), options(Abi::Cstr));
        let mut typed = |name: &str, args: &[&str]| {
            let callable = guest.find(name, &cstr).unwrap();
            let args = callable.parse_args(args).unwrap();
            guest.instance.call(&callable, &args).unwrap().to_text()
        };
        assert_eq!(typed("greet", &["2026"]), "Hello, 2026!");
        assert_eq!(typed("greet", &["\"quoted\""]), "Hello, \"quoted\"!");
        assert_eq!(typed("repeat", &["ab", "2"]), "ab, ab");
        assert_eq!(typed("repeat", &["\"7\"", "0x2"]), "7, 7");
        assert_eq!(typed("after", &["a:1:b", "\"1\""]), ":b");
        assert_eq!(typed("after", &["nothing", "else"]), "null");
    });
}

#[test]
fn arguments_and_results_are_freed_once() {
    on_each(|engine| {
        let (mut guest, packed) = (Guest::start(engine, STRINGS), options(Abi::Packed));
        guest.call(&packed, "upper", "\"text\"").unwrap();
        guest.call(&packed, "upper", "\"\"").unwrap();
        guest.call(&packed, "upper_in_place", "\"text\"").unwrap();
        guest.call(&payload(Abi::Packed, Payload::Json), "measure", "{}").unwrap();
        assert_eq!(guest.number("live_blocks"), 0);
        // A result that is not UTF-8 is freed, too.
        refused(guest.call(&packed, "add_one", "\"\\u007f\""), ErrorKind::InvalidResult);
        assert_eq!(guest.number("live_blocks"), 0);
        let mut keep = packed;
        keep.free = Some(String::new());
        guest.call(&keep, "upper", "\"text\"").unwrap();
        assert_eq!(guest.number("live_blocks"), 2);
    });
}

#[test]
fn json_keeps_the_spelling_of_numbers() {
    on_each(|engine| {
        let (mut guest, json) = (Guest::start(engine, STRINGS), payload(Abi::Packed, Payload::Json));
        let value = r#"{"b":[1.10,12345678901234567890123,-0],"a":"é\n","a":null}"#;
        assert_eq!(guest.json(&json, "measure", value), format!(r#"{{"value":{value},"depth":2}}"#));
        assert_eq!(guest.json(&json, "measure", " [ [ 1.0 , 2 ] ] "), r#"{"value":[1.0,2],"depth":1}"#);
        let callable = guest.find("measure", &json).unwrap();
        // {"a": [1, -1.5, bytes]}
        let packed = [&b"\x81\xa1a\x93\x01\xcb"[..], &(-1.5_f64).to_be_bytes(), b"\xc4\x02\x00\xff"].concat();
        let args = callable.decode_msgpack(&packed).unwrap();
        let result = guest.instance.call(&callable, &args).unwrap();
        assert_eq!(result.to_text(), r#"{"value":{"a":[1,-1.5,{"base64":"AP8="}]},"depth":3}"#);
        let packed = rmp_serde::to_vec(&result).unwrap();
        assert!(packed.starts_with(b"\x82\xa5value\x81\xa1a\x93\x01\xcb\xbf\xf8"), "{packed:02x?}");
        assert_contains(refused(callable.parse_args(&["hello"]), ErrorKind::InvalidArgument).message(), &["not JSON"]);
        refused(callable.decode_json(b"[1, 2]"), ErrorKind::InvalidArgument);
        let error = refused(guest.call(&json, "upper", "[[true]]"), ErrorKind::InvalidResult);
        assert_contains(error.message(), &["the result of `upper` is not JSON", "line 1 column 2"]);
    });
}

#[test]
fn bytes_pass_as_they_are() {
    on_each(|engine| {
        let (mut guest, bytes) = (Guest::start(engine, STRINGS), payload(Abi::Packed, Payload::Bytes));
        assert_eq!(guest.json(&bytes, "add_one", "{\"base64\": \"AH/+/w==\"}"), "{\"base64\":\"AYD/AA==\"}");
        let result = guest.call(&bytes, "add_one", "\"az\"").unwrap();
        assert_eq!(result.bytes(), Some(&b"b{"[..]));
        let cstr = payload(Abi::Cstr, Payload::Bytes);
        assert_eq!(guest.json(&cstr, "greet", "[[255, 1]]"), "{\"base64\":\"SGVsbG8sIP8BIQ==\"}");
        refused(guest.find("repeat", &cstr), ErrorKind::UnsupportedFeature);
    });
}

#[test]
fn arguments_that_the_guest_could_not_read_are_refused_before_anything_runs() {
    on_each(|engine| {
        let (mut guest, cstr) = (Guest::start(engine, STRINGS), options(Abi::Cstr));
        let error = refused(guest.call(&cstr, "greet", "\"a\\u0000b\""), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["arg1", "NUL byte"]);
        for number in ["4294967296", "-2147483649", "18446744073709551615"] {
            let error = refused(guest.call(&cstr, "repeat", &format!("[\"a\", {number}]")), ErrorKind::InvalidArgument);
            assert_contains(error.message(), &["arg2", number, "out of range for i32"]);
        }
        for args in ["[]", "[\"a\"]", "[\"a\", 1, 2]", "[\"a\", 1.5]", "[\"a\", null]", "[\"a\", 18446744073709551616]"]
        {
            refused(guest.call(&cstr, "repeat", args), ErrorKind::InvalidArgument);
        }
        refused(guest.call(&options(Abi::Packed), "upper", "5"), ErrorKind::InvalidArgument);
        assert_eq!(guest.number("live_blocks"), 0);
    });
}

/// Calls a program with this standard input.
fn filter(engine: &Engine, name: Option<&str>, options: &TextOptions, input: &str) -> Result<Completion> {
    let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
    let session = Session::open(&config, FILTER, None).unwrap();
    let callable = Callable::find_with(session.info(), name, options)?;
    let args = callable.parse_args(&[input]).unwrap();
    let prepared = session.prepare(InstanceOptions::default(), &|_| {}).unwrap();
    prepared.instantiate_for(&callable, &args, Limits::none(), &|_| {})?.call(&callable, &args, &|_| {})
}

#[test]
fn stdio_passes_text_through_the_streams_of_a_program() {
    on_each(|engine| {
        let stdio = options(Abi::Stdio);
        for name in [None, Some("_start")] {
            let Completion::Returned(result) = filter(engine, name, &stdio, "héllo\n").unwrap() else { panic!() };
            assert_eq!(result.to_text(), "HéLLO\n");
        }
        assert_eq!(filter(engine, None, &stdio, "").unwrap(), Completion::Exited(3));
        refused(filter(engine, None, &payload(Abi::Stdio, Payload::Json), "true"), ErrorKind::InvalidResult);
        refused(filter(engine, Some("main"), &stdio, ""), ErrorKind::UnknownExport);
    });
}

#[test]
fn a_program_needs_its_own_instance() {
    on_each(|engine| {
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
        let session = Session::open(&config, FILTER, None).unwrap();
        let callable = Callable::find_with(session.info(), None, &options(Abi::Stdio)).unwrap();
        let args = callable.parse_args(&["a"]).unwrap();
        let prepared = session.prepare(InstanceOptions::default(), &|_| {}).unwrap();
        let mut shared = prepared.instantiate(Limits::none(), &|_| {}).unwrap();
        let error = refused(shared.call(&callable, &args, &|_| {}), ErrorKind::InvalidArgument);
        assert_contains(error.message(), &["needs an instance made for it"]);
    });
}

#[test]
fn functions_and_modules_that_do_not_fit_stdio_are_refused() {
    on_each(|engine| {
        let mut guest = Guest::start(engine, STRINGS);
        let error = refused(guest.call(&options(Abi::Stdio), "upper", "\"a\""), ErrorKind::UnsupportedFeature);
        assert_contains(error.message(), &["`upper(i32, i32) -> i64` does not fit the convention `stdio`"]);
        let wat = r#"(module (func (export "_start")))"#;
        let error = refused(
            Guest::start(engine, wat.as_bytes()).call(&options(Abi::Stdio), "_start", "\"a\""),
            ErrorKind::UnsupportedFeature,
        );
        assert_contains(error.message(), &["does not import WASI"]);
    });
}
