//! Components that ask WASI for more than the host should give.

use wrun::{Capabilities, ComponentImports, Limits, WitValue};

use crate::vocabulary::{Engine, returned};

/// Starts a component, and calls its `go` with this number.
fn go(wat: &str, count: u32) -> WitValue {
    let engine = Engine::new();
    let component = engine.load(wat);
    let limits = Limits::none().with_memory(16 << 20);
    let granted = Capabilities::none();
    let instance =
        engine.runtime.create_component_instance_with(component.as_ref(), limits, granted, ComponentImports::NONE);
    returned(&mut *instance.unwrap(), "go", &[WitValue::U32(count)])
}

#[test]
fn a_request_keeps_no_long_strings() {
    // It returns how many methods of 4 MiB were refused.
    assert_eq!(go(include_str!("long_method.wat"), 20), WitValue::U32(20));
}

#[test]
fn a_component_without_rules_has_at_most_32_sockets() {
    assert_eq!(go(include_str!("many_sockets.wat"), 100), WitValue::U32(32));
}

#[cfg(all(feature = "wasi-p3", feature = "cli"))]
#[test]
fn a_time_limit_ends_a_program_that_copies_endless_input() {
    use std::fs::File;
    use std::io::Read;
    use std::process::{Command, Stdio};

    let mut command = Command::new(env!("CARGO_BIN_EXE_wrun"));
    command.args(["--no-cache", "--metrics", "--timeout", "100ms"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/component/cat.wat"));
    command.stdin(File::open("/dev/zero").unwrap()).stdout(Stdio::piped());
    let mut wrun = command.spawn().unwrap();
    let mut stdout = wrun.stdout.take().unwrap();
    let (mut text, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    while let count @ 1.. = stdout.read(&mut piece).unwrap() {
        text.extend(piece[..count].iter().filter(|byte| **byte != 0));
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(wrun.wait().unwrap().code(), Some(124), "{text}");
    // The process would end a call that does not answer, and report no time of the call.
    assert!(text.contains("\"call_ns\":") && !text.contains("\"call_ns\":null"), "{text}");
}

#[cfg(feature = "wasi-p3")]
#[test]
fn much_input_is_copied_to_the_end() {
    use std::time::Duration;

    use wrun::{Input, Output};

    let engine = Engine::metered();
    let component = engine.load(include_str!("cat.wat"));
    let granted = Capabilities::none().with_stdin(Input::Bytes(vec![0; 1 << 20])).with_stdout(Output::Discard);
    let limits = Limits::none().with_time(Duration::from_mins(1));
    let instance = engine.runtime.create_component_instance(component.as_ref(), limits, granted);
    instance.unwrap().run().unwrap();
}
