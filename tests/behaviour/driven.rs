//! Applies operations to one live instance.

use wrun::batch::{Driver, DriverOptions, Operation};
use wrun::session::{CallUsage, InstanceOptions, PreparedCode, Session};
use wrun::{ErrorKind, Limits, Result, RuntimeConfig, Trap, Value};

use crate::vocabulary::{Engine, PAGE, on_each};

const GUEST: &str = r#"(module
  (memory (export "memory") 1)
  (global $calls (export "calls") (mut i64) (i64.const 0))
  (func (export "sum") (param $at i32) (param $length i32) (result i32)
    (local $sum i32)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (loop $each
      (if (local.get $length) (then
        (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $each))))
    (local.get $sum))
  (func (export "pair") (result i32 i64) (i32.const -1) (i64.const 7))
  (func (export "spin") (loop $again (br $again)))
  (func (export "trap") (i32.store8 (i32.const 9) (i32.const 33)) (unreachable)))"#;

fn prepare(engine: &Engine, wat: &str, limits: Limits) -> PreparedCode {
    let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
    let config = if limits.fuel.is_some() { config.with_metering() } else { config };
    let config = if limits.time.is_some() { config.with_interruption() } else { config };
    let session = Session::open(&config, wat.as_bytes(), None).unwrap();
    session.prepare(InstanceOptions::default().with_limits(limits), &|_| {}).unwrap()
}

/// Drives an instance of a module.
fn driven(engine: &Engine, wat: &str, case: impl FnOnce(&mut Driver<'_>)) {
    let code = prepare(engine, wat, Limits::none());
    case(&mut Driver::new(&code, DriverOptions::default()).unwrap());
}

/// Applies an operation in JSON and returns the answer in JSON.
fn apply(driver: &mut Driver<'_>, operation: &str) -> Result<String> {
    let operation = driver.decode_json(operation.as_bytes())?;
    driver.apply(&operation).map(|answer| serde_json::to_string(&answer).unwrap())
}

#[track_caller]
fn answers(driver: &mut Driver<'_>, operation: &str, answer: &str) {
    assert_eq!(apply(driver, operation).unwrap_or_else(|error| panic!("{operation}: {error}")), answer, "{operation}");
}

/// Asserts that an operation fails with this kind, and this text in its message or hints.
#[track_caller]
fn fails(driver: &mut Driver<'_>, operation: &str, kind: ErrorKind, text: &str) {
    let error = apply(driver, operation).map_or_else(|error| error, |answer| panic!("{operation} answered {answer}"));
    let said = format!("{error}\n{}", error.hints().join("\n"));
    assert!(error.kind() == kind && said.contains(text), "{operation}: {:?}: {said}", error.kind());
}

#[test]
fn an_instance_keeps_its_state_between_operations() {
    on_each(|engine| {
        driven(engine, GUEST, |driver| {
            answers(driver, r#"{"write":{"offset":16,"text":"aé"}}"#, "null");
            answers(driver, r#"{"call":"sum","args":[16,3]}"#, "461");
            answers(driver, r#"{"read":{"offset":16,"length":3}}"#, r#"{"base64":"YcOp"}"#);
            answers(driver, r#"{"read":{"offset":16,"length":3,"as":"text"}}"#, r#""aé""#);
            answers(driver, r#"{"write":{"offset":17,"base64":"AQI=","memory":"memory"}}"#, "null");
            answers(driver, r#"{"id":7,"call":"sum","args":[16,3]}"#, "100");
            answers(driver, r#"{"write":{"offset":16,"bytes":[1,1]}}"#, "null");
            answers(driver, r#"{"call":"sum","args":[16,2]}"#, "2");
            answers(driver, r#"{"global":"calls"}"#, "3");
            answers(driver, r#"{"call":"pair"}"#, "[-1,7]");
            answers(driver, r#"{"read":{"offset":65536,"length":0}}"#, r#"{"base64":""}"#);
            answers(driver, r#"{"restart":true}"#, "null");
            answers(driver, r#"{"global":"calls"}"#, "0");
            answers(driver, r#"{"read":{"offset":16,"length":2,"as":"base64"}}"#, r#"{"base64":"AAA="}"#);
        });
    });
}

#[test]
fn offsets_and_lengths_are_exact_and_checked_before_memory_is_allocated() {
    on_each(|engine| {
        driven(engine, GUEST, |driver| {
            for (offset, length) in [
                (PAGE, 1),
                (PAGE - 1, 2),
                (0, 1 << 40),
                (u64::MAX, 1),
                (u64::MAX, u64::MAX),
                (1 << 53, 0),
                ((1 << 53) + 1, 0),
            ] {
                let text = format!("{length} bytes at offset {offset} are out of bounds: the memory has 65536 bytes");
                let read = format!(r#"{{"read":{{"offset":{offset},"length":{length}}}}}"#);
                fails(driver, &read, ErrorKind::MemoryAccess, &text);
            }
            let write = r#"{"write":{"offset":18446744073709551615,"text":"x"}}"#;
            fails(driver, write, ErrorKind::MemoryAccess, "1 bytes at offset 18446744073709551615 are out of bounds");
            fails(
                driver,
                r#"{"write":{"offset":-1,"text":"x"}}"#,
                ErrorKind::InvalidArgument,
                "offset: -1 is out of range",
            );
            fails(driver, r#"{"read":{"offset":0.5,"length":1}}"#, ErrorKind::InvalidArgument, "read.offset");
        });
        let code = prepare(engine, GUEST, Limits::none());
        let mut options = DriverOptions::default();
        options.max_read = 8;
        let mut driver = Driver::new(&code, options).unwrap();
        fails(
            &mut driver,
            r#"{"read":{"offset":0,"length":9}}"#,
            ErrorKind::InvalidArgument,
            "longer than the maximum of 8",
        );
        answers(
            &mut driver,
            r#"{"read":{"offset":0,"length":8,"as":"text"}}"#,
            r#""\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000""#,
        );
    });
}

#[test]
fn what_is_not_an_operation_is_refused_with_a_suggestion() {
    on_each(|engine| {
        driven(engine, GUEST, |driver| {
            for (operation, text) in [
                (r#"{"cal":"sum"}"#, "unknown key `cal`\ndid you mean `call`?"),
                (r#"{"call":"sum","arg":[1,2]}"#, "unknown key `arg`\ndid you mean `args`?"),
                (r#"{"read":{"offset":0,"lenght":1}}"#, "did you mean `length`?"),
                (r#"{"read":{"offset":0}}"#, "the field `length` (u64) is missing"),
                (r#"{"read":{"offset":0,"length":1,"as":"utf8"}}"#, "read.as: "),
                (r#"{"write":{"offset":0}}"#, "`write` takes one of `text`, `base64` and `bytes`"),
                (r#"{"write":{"offset":0,"text":"a","base64":"YQ=="}}"#, "`write` takes one of"),
                (r#"{"write":{"offset":0,"base64":"a"}}"#, "write.base64: invalid base64: "),
                (r#"{"global":"calls","read":{"offset":0,"length":1}}"#, "one operation at a time"),
                (r#"{"global":"calls","global":"calls"}"#, "the key `global` appears twice"),
                (r#"{"global":"calls","args":[]}"#, "`args` are those of a `call`, not of `global`"),
                (r#"{"restart":false}"#, "`restart` must be true"),
                (r#"{"id":1}"#, "no operation"),
                (r"[1,2]", r#"operations are {"call":"f""#),
                (r#"{"call":"sum","args":[1]}"#, "too few arguments"),
                (r#"{"call":"sum"}"#, "too few arguments"),
                (r#"{"call":5}"#, "call: "),
                ("", "not a valid JSON object"),
                (r#"{"global":"calls"} x"#, "not a valid JSON object"),
            ] {
                fails(driver, operation, ErrorKind::InvalidArgument, text);
            }
            fails(driver, r#"{"call":"sun","args":[1,2]}"#, ErrorKind::UnknownExport, "did you mean `sum`?");
            fails(driver, r#"{"global":"memory"}"#, ErrorKind::UnknownExport, "the export `memory` is a memory");
            fails(
                driver,
                r#"{"read":{"offset":0,"length":1,"memory":"m"}}"#,
                ErrorKind::UnknownExport,
                "exported: `memory`",
            );
            answers(driver, r#"{"global":"calls"}"#, "0");
        });
    });
}

#[test]
fn after_a_trap_calls_fail_until_a_restart_and_memory_can_be_read() {
    on_each(|engine| {
        driven(engine, GUEST, |driver| {
            let trap = driver.decode_json(br#"{"call":"trap"}"#).unwrap();
            assert_eq!(driver.apply(&trap).unwrap_err().trap_code(), Some(Trap::Unreachable));
            fails(driver, r#"{"call":"pair"}"#, ErrorKind::Crashed, r#"{"restart":true} makes a new instance"#);
            answers(driver, r#"{"read":{"offset":9,"length":1,"as":"text"}}"#, r#""!""#);
            answers(driver, r#"{"global":"calls"}"#, "0");
            answers(driver, r#"{"restart":true}"#, "null");
            answers(driver, r#"{"call":"pair"}"#, "[-1,7]");
            answers(driver, r#"{"read":{"offset":9,"length":1}}"#, r#"{"base64":"AA=="}"#);
        });
    });
}

#[test]
fn each_call_has_its_own_fuel() {
    on_each(|engine| {
        let limits = Limits::none().with_fuel(200);
        let code = prepare(engine, GUEST, limits);
        let mut options = DriverOptions::default();
        options.limits = limits;
        let mut driver = Driver::new(&code, options).unwrap();
        // Each call uses more than half of the fuel.
        for _ in 0..5 {
            answers(&mut driver, r#"{"call":"sum","args":[0,8]}"#, "0");
        }
        fails(&mut driver, r#"{"call":"sum","args":[0,100]}"#, ErrorKind::OutOfFuel, "200");
        answers(&mut driver, r#"{"restart":true}"#, "null");
        answers(&mut driver, r#"{"call":"sum","args":[0,8]}"#, "0");
    });
}

#[test]
fn each_call_has_its_own_time() {
    on_each(|engine| {
        let limits = Limits::none().with_time(std::time::Duration::from_millis(50));
        let code = prepare(engine, GUEST, limits);
        let mut options = DriverOptions::default();
        options.limits = limits;
        let mut driver = Driver::new(&code, options).unwrap();
        fails(&mut driver, r#"{"call":"spin"}"#, ErrorKind::Timeout, "50ms");
        fails(&mut driver, r#"{"call":"spin"}"#, ErrorKind::Crashed, "restart");
        answers(&mut driver, r#"{"restart":true}"#, "null");
        // The time of an idle instance does not count.
        std::thread::sleep(std::time::Duration::from_millis(120));
        fails(&mut driver, r#"{"call":"spin"}"#, ErrorKind::Timeout, "50ms");
    });
}

#[test]
fn usage_is_that_of_each_call_with_and_without_limits() {
    on_each(|engine| {
        let none = Limits::none();
        let config = || RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
        let second = std::time::Duration::from_secs(1000);
        let cases = [
            (config(), none, None),
            (config().with_metering(), none, Some(8)),
            (config().with_metering(), none.with_fuel(200), Some(8)),
            (config().with_interruption(), none.with_time(second), None),
            (config().with_metering().with_interruption(), none.with_fuel(200).with_time(second), Some(8)),
            (config().with_metering(), none.with_memory(PAGE), Some(8)),
        ];
        for (config, limits, fuel) in cases {
            let session = Session::open(&config, GUEST.as_bytes(), None).unwrap();
            let code = session.prepare(InstanceOptions::default().with_limits(limits), &|_| {}).unwrap();
            for measure_time in [false, true] {
                let mut options = DriverOptions::default();
                (options.limits, options.measure_time) = (limits, measure_time);
                let mut driver = Driver::new(&code, options).unwrap();
                for _ in 0..2 {
                    answers(&mut driver, r#"{"call":"sum","args":[0,0]}"#, "0");
                    let usage = driver.usage();
                    let expected = (fuel, PAGE, measure_time);
                    assert_eq!(
                        (usage.fuel_used, usage.memory_peak_bytes, usage.call_ns.is_some()),
                        expected,
                        "{limits:?}"
                    );
                }
                answers(&mut driver, r#"{"global":"calls"}"#, "2");
                assert_eq!(driver.usage(), CallUsage::default());
            }
        }
    });
}

#[test]
fn memories_are_found_by_name_or_because_there_is_only_one() {
    on_each(|engine| {
        driven(engine, r#"(module (memory (export "heap") 1))"#, |driver| {
            answers(driver, r#"{"write":{"offset":0,"text":"hi"}}"#, "null");
            answers(driver, r#"{"read":{"memory":"heap","offset":0,"length":2,"as":"text"}}"#, r#""hi""#);
            answers(driver, r#"{"write":{"offset":0,"bytes":[255]}}"#, "null");
            let read = r#"{"read":{"offset":0,"length":2,"as":"text"}}"#;
            fails(driver, read, ErrorKind::InvalidArgument, "not UTF-8: the first invalid one is at offset 0");
        });
        driven(engine, r#"(module (func (export "f")))"#, |driver| {
            let read = r#"{"read":{"offset":0,"length":0}}"#;
            fails(driver, read, ErrorKind::UnknownExport, "the module exports no memory");
        });
        let twice = r#"(module (memory $m (export "a") 1) (export "b" (memory $m)))"#;
        driven(engine, twice, |driver| {
            let read = r#"{"read":{"offset":0,"length":0}}"#;
            fails(driver, read, ErrorKind::InvalidArgument, r#"add a key such as "memory":"a""#);
        });
    });
}

#[test]
fn operations_in_messagepack_have_the_same_shape() {
    on_each(|engine| {
        driven(engine, GUEST, |driver| {
            let write = b"\x82\xa2id\x01\xa5write\x82\xa6offset\x10\xa5bytes\xc4\x02ab";
            let operation = driver.decode_msgpack(write).unwrap();
            let expected = Operation::Write { memory: None, offset: 16, bytes: b"ab".to_vec() };
            assert_eq!(operation, expected);
            driver.apply(&operation).unwrap();
            let call = driver.decode_msgpack(b"\x82\xa4call\xa3sum\xa4args\x92\x10\x02").unwrap();
            assert_eq!(driver.apply(&call).unwrap(), vec![Value::I32(195)].into());
            let read = driver.decode_msgpack(b"\x81\xa4read\x82\xa6offset\x10\xa6length\x02").unwrap();
            assert_eq!(rmp_serde::to_vec(&driver.apply(&read).unwrap()).unwrap(), b"\xc4\x02ab");
            for (bytes, text) in [
                (&b"\x82\xa6global\xa1g"[..], "unexpected end of input"),
                (b"\x81\xa6global\xa1g\x00", "data follows it"),
                (b"\x93\x01\x02\x03", "it has another type"),
                (b"\x81\x01\x02", "not a valid MessagePack map"),
                (b"", "it has another type"),
                (b"\xdf\xff\xff\xff\xff", "unexpected end of input"),
            ] {
                let error = driver.decode_msgpack(bytes).unwrap_err();
                assert!(error.to_string().contains(text), "{bytes:?}: {error}");
            }
        });
    });
}
