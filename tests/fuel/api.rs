//! The library's fuel methods: used, remaining, add, reset, and their errors.

use wrun::{
    Capabilities, ErrorKind, InstanceState, Limits, RuntimeConfig, RuntimeKind, Value, WasmInstance, create_runtime,
};

const COUNT: &str = r#"(module (func (export "count") (param $n i32) (result i32)
  (loop $l (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $l (local.get $n))) (local.get $n)))"#;

/// The cost of `count(10)`: 1 for the function entry, 6 operators (get, const, sub, set, get, `br_if`) in each iteration, and
/// 1 for the last get.
const TEN: u64 = 1 + 6 * 10 + 1;

fn on_each(body: impl Fn(&RuntimeConfig)) {
    for kind in RuntimeKind::available() {
        for compiler in kind.compilers() {
            body(&RuntimeConfig::new(kind).with_compiler(*compiler));
        }
    }
}

fn instance(config: &RuntimeConfig, limits: Limits) -> wrun::Result<Box<dyn WasmInstance>> {
    let runtime = create_runtime(config)?;
    let module = runtime.load_module(COUNT.as_bytes())?;
    runtime.create_instance(module.as_ref(), limits, Capabilities::none())
}

fn count(instance: &mut dyn WasmInstance, n: i32) -> wrun::Result<Vec<Value>> {
    instance.call("count", &[Value::I32(n)])
}

#[test]
fn fuel_used_follows_the_cost_table() {
    on_each(|config| {
        let mut instance = instance(&config.clone().with_metering(), Limits::none()).unwrap();
        assert_eq!((instance.fuel_used(), instance.fuel_remaining()), (Some(0), None));
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(instance.fuel_used(), Some(TEN), "{config:?}");
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(instance.fuel_used(), Some(2 * TEN));
    });
}

#[test]
fn a_limit_applies_to_all_calls_together() {
    on_each(|config| {
        let limits = Limits::none().with_fuel(2 * TEN + 5);
        let mut instance = instance(&config.clone().with_metering(), limits).unwrap();
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(instance.fuel_remaining(), Some(TEN + 5));
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(instance.fuel_remaining(), Some(5));
        assert_eq!(count(instance.as_mut(), 10).unwrap_err().kind(), ErrorKind::OutOfFuel);
        assert_eq!((instance.fuel_used(), instance.fuel_remaining()), (Some(2 * TEN + 5), Some(0)));
        assert_eq!(instance.state(), InstanceState::Crashed);
        assert_eq!(count(instance.as_mut(), 1).unwrap_err().kind(), ErrorKind::Crashed);
    });
}

#[test]
fn fuel_can_be_added_and_reset() {
    on_each(|config| {
        let mut instance = instance(&config.clone().with_metering(), Limits::none().with_fuel(TEN)).unwrap();
        count(instance.as_mut(), 10).unwrap();
        instance.add_fuel(TEN).unwrap();
        assert_eq!((instance.fuel_used(), instance.fuel_remaining()), (Some(TEN), Some(TEN)));
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(count(instance.as_mut(), 1).unwrap_err().kind(), ErrorKind::OutOfFuel);
        instance.recover();
        instance.add_fuel(TEN).unwrap();
        count(instance.as_mut(), 10).unwrap();
        instance.reset_fuel(TEN + 1).unwrap();
        assert_eq!((instance.fuel_used(), instance.fuel_remaining()), (Some(0), Some(TEN + 1)));
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(instance.fuel_remaining(), Some(1));
    });
}

#[test]
fn an_exhausted_instance_runs_again_after_a_reset() {
    on_each(|config| {
        let mut instance = instance(&config.clone().with_metering(), Limits::none().with_fuel(0)).unwrap();
        assert_eq!(count(instance.as_mut(), 10).unwrap_err().kind(), ErrorKind::OutOfFuel);
        instance.recover();
        instance.reset_fuel(TEN).unwrap();
        count(instance.as_mut(), 10).unwrap();
        assert_eq!(instance.fuel_used(), Some(TEN));
    });
}

#[test]
fn an_exhausted_instance_has_no_fuel_after_recovery() {
    on_each(|config| {
        let mut instance = instance(&config.clone().with_metering(), Limits::none().with_fuel(TEN)).unwrap();
        for n in [11, 11, 1, 1_000] {
            assert_eq!(count(instance.as_mut(), n).unwrap_err().kind(), ErrorKind::OutOfFuel, "{config:?}");
            assert_eq!((instance.fuel_used(), instance.fuel_remaining()), (Some(TEN), Some(0)), "{config:?}");
            instance.recover();
        }
    });
}

#[test]
fn fuel_without_metering_is_an_error() {
    on_each(|config| {
        let refused = instance(config, Limits::none().with_fuel(1)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::UnsupportedConfig);
        let mut plain = instance(config, Limits::none()).unwrap();
        assert_eq!((plain.fuel_used(), plain.fuel_remaining()), (None, None));
        assert_eq!(plain.add_fuel(1).unwrap_err().kind(), ErrorKind::UnsupportedConfig);
        assert_eq!(plain.reset_fuel(1).unwrap_err().kind(), ErrorKind::UnsupportedConfig);
    });
}

#[test]
fn fuel_above_the_maximum_is_an_error() {
    on_each(|config| {
        let metering = config.clone().with_metering();
        let refused = instance(&metering, Limits::none().with_fuel(u64::MAX)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::UnsupportedConfig);
        let most = wrun::runtime::fuel::MAX_LIMIT;
        let mut full = instance(&metering, Limits::none().with_fuel(most)).unwrap();
        assert_eq!(full.fuel_remaining(), Some(most));
        assert_eq!(full.add_fuel(u64::MAX).unwrap_err().kind(), ErrorKind::InvalidArgument);
        count(full.as_mut(), 10).unwrap();
        assert_eq!(full.fuel_remaining(), Some(most - TEN));
    });
}

#[test]
fn a_module_may_export_the_names_of_private_exports() {
    let text = r#"(module (global (export "wrun:fuel") i64 (i64.const 7)) (func (export "wrun:start") (result i32) (i32.const 9))
      (global $g (mut i32) (i32.const 0)) (func $s (global.set $g (i32.const 5))) (start $s)
      (func (export "get") (result i32) (global.get $g)))"#;
    on_each(|config| {
        let runtime = create_runtime(&config.clone().with_metering()).unwrap();
        let module = runtime.load_module(text.as_bytes()).unwrap();
        let limits = Limits::none().with_fuel(100);
        let mut instance = runtime.create_instance(module.as_ref(), limits, Capabilities::none()).unwrap();
        assert_eq!(instance.global("wrun:fuel").unwrap(), Value::I64(7));
        assert_eq!(instance.call("wrun:start", &[]).unwrap(), [Value::I32(9)]);
        assert_eq!(instance.call("get", &[]).unwrap(), [Value::I32(5)]);
        assert_eq!(instance.fuel_used(), Some(3 + 2 + 2), "the start function, wrun:start, get");
    });
}

#[test]
fn a_trap_uses_up_the_limit_until_fuel_is_added() {
    const LOOP_AND_TRAP: &str = r#"(module
      (func (export "seven") (result i32) (i32.const 7))
      (func (export "trap") (local $n i32)
        (loop $l (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000))))
        (drop (i32.div_s (i32.const 1) (i32.const 0)))))"#;
    on_each(|config| {
        let runtime = create_runtime(&config.clone().with_metering()).unwrap();
        let module = runtime.load_module(LOOP_AND_TRAP.as_bytes()).unwrap();
        let start = |limits| runtime.create_instance(module.as_ref(), limits, Capabilities::none()).unwrap();
        let call = |guest: &mut dyn WasmInstance, name: &str| guest.call(name, &[]).map_err(|error| error.kind());

        let mut guest = start(Limits::none().with_fuel(1_000_000));
        assert_eq!(call(guest.as_mut(), "trap"), Err(ErrorKind::Trap));
        assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (None, None));
        guest.recover();
        assert_eq!(call(guest.as_mut(), "trap"), Err(ErrorKind::OutOfFuel), "{config:?}: the fuel used is unknown");
        guest.recover();
        guest.add_fuel(2).unwrap();
        assert_eq!(call(guest.as_mut(), "seven"), Ok(vec![Value::I32(7)]));
        assert_eq!(call(guest.as_mut(), "seven"), Err(ErrorKind::OutOfFuel));

        let mut guest = start(Limits::none().with_fuel(1_000_000));
        assert_eq!(call(guest.as_mut(), "trap"), Err(ErrorKind::Trap));
        guest.add_fuel(2).unwrap();
        guest.recover();
        assert_eq!(call(guest.as_mut(), "seven"), Ok(vec![Value::I32(7)]), "fuel added before `recover` stays");
        assert_eq!(call(guest.as_mut(), "seven"), Err(ErrorKind::OutOfFuel));

        let counted = runtime.metrics().fuel_used;
        let mut guest = start(Limits::none());
        assert_eq!(call(guest.as_mut(), "trap"), Err(ErrorKind::Trap));
        guest.recover();
        assert_eq!(call(guest.as_mut(), "seven"), Ok(vec![Value::I32(7)]));
        assert_eq!(runtime.metrics().fuel_used - counted, 2, "only known fuel is counted");
        assert_eq!(guest.fuel_used(), None);
    });
}
