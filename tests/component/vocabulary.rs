//! Helpers for the cases.

use wrun::{
    Capabilities, ComponentImports, Error, ErrorKind, Limits, Result, RuntimeConfig, Trap, WasmComponent,
    WasmComponentInstance, WasmRuntime, WitValue, create_runtime,
};

/// The size of a page of linear memory.
pub(crate) const PAGE: u64 = 65536;

/// Exports a memory, `realloc`, which never frees, and the functions in `body`, as the core instance `$i`.
pub(crate) fn core(body: &str) -> String {
    format!(
        r#"(core module $m
            (memory $memory (export "memory") 1)
            (global $next (mut i32) (i32.const 16))
            (func $realloc (export "realloc")
                (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
                (local $start i32)
                ;; start = (next + align - 1) & -align
                (local.set $start
                    (i32.and
                        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                        (i32.sub (i32.const 0) (local.get $align))))
                (global.set $next (i32.add (local.get $start) (local.get $size)))
                (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                    (then
                        (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
                                (i32.div_u (local.get $size) (i32.const 65536)))))
                            (then (unreachable)))))
                (local.get $start))
            {body})
        (core instance $i (instantiate $m))"#
    )
}

/// A component with the function `echo`, which takes a tuple of a value of this type and a number, and returns it. `types` declares
/// named types.
///
/// A tuple of 17 more numbers makes the arguments pass in memory. There they begin with the result, so the core function returns
/// the address that it gets.
pub(crate) fn echo(types: &str, ty: &str) -> String {
    let core = core(r#"(func (export "echo") (param i32) (result i32) (local.get 0))"#);
    let padding = "u8 ".repeat(17);
    format!(
        r#"(component
            {core}
            {types}
            (type $pair (tuple {ty} u32))
            (func (export "echo") (param "pair" $pair) (param "padding" (tuple {padding})) (result $pair)
                (canon lift (core func $i "echo") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

/// A runtime with components.
pub(crate) struct Engine {
    /// The runtime.
    pub(crate) runtime: Box<dyn WasmRuntime>,
}

impl Engine {
    /// Creates a runtime with the default configuration.
    pub(crate) fn new() -> Self {
        Self::configured(&RuntimeConfig::wasmtime())
    }

    /// Creates a runtime that meters fuel and can be interrupted.
    pub(crate) fn metered() -> Self {
        Self::configured(&RuntimeConfig::wasmtime().with_metering().with_interruption())
    }

    /// Creates a runtime with this configuration.
    pub(crate) fn configured(config: &RuntimeConfig) -> Self {
        Self { runtime: create_runtime(config).expect("wasmtime is compiled in") }
    }

    /// Compiles a text component.
    #[track_caller]
    pub(crate) fn load(&self, wat: &str) -> Box<dyn WasmComponent> {
        self.runtime
            .load_component(wat.as_bytes())
            .unwrap_or_else(|error| panic!("the component does not load: {error}"))
    }

    /// Starts a text component without imports and limits.
    #[track_caller]
    pub(crate) fn start(&self, wat: &str) -> Box<dyn WasmComponentInstance> {
        self.try_start(Limits::none(), wat, ComponentImports::NONE)
            .unwrap_or_else(|error| panic!("the component does not start: {error}"))
    }

    /// Starts a text component with limits.
    #[track_caller]
    pub(crate) fn start_within(&self, limits: Limits, wat: &str) -> Result<Box<dyn WasmComponentInstance>> {
        self.try_start(limits, wat, ComponentImports::NONE)
    }

    /// Starts a text component with imports.
    #[track_caller]
    pub(crate) fn start_importing(
        &self,
        imports: &ComponentImports,
        wat: &str,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        self.try_start(Limits::none(), wat, imports)
    }

    /// Starts a text component with limits and imports.
    #[track_caller]
    pub(crate) fn try_start(
        &self,
        limits: Limits,
        wat: &str,
        imports: &ComponentImports,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        let component = self.load(wat);
        self.runtime.create_component_instance_with(component.as_ref(), limits, Capabilities::none(), imports)
    }
}

/// Calls an exported function once.
pub(crate) fn call(
    instance: &mut dyn WasmComponentInstance,
    name: &str,
    args: &[WitValue],
) -> Result<Option<WitValue>> {
    instance.function(name)?.call(instance, args)
}

/// Calls an exported function that must return a value.
#[track_caller]
pub(crate) fn returned(instance: &mut dyn WasmComponentInstance, name: &str, args: &[WitValue]) -> WitValue {
    match call(instance, name, args) {
        Ok(Some(value)) => value,
        Ok(None) => panic!("`{name}` returned nothing"),
        Err(error) => panic!("`{name}` failed: {error}"),
    }
}

/// Returns the error of a result that must have failed with this kind.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T>, kind: ErrorKind) -> Error {
    match result {
        Ok(_) => panic!("succeeded, not {kind:?}"),
        Err(error) if error.kind() == kind => error,
        Err(error) => panic!("{:?}, not {kind:?}: {error}", error.kind()),
    }
}

/// Returns the error of a result that must have this trap.
#[track_caller]
pub(crate) fn trapped<T>(result: Result<T>, trap: Trap) -> Error {
    let error = refused(result, ErrorKind::Trap);
    assert_eq!(error.trap_code(), Some(trap), "{error}");
    error
}

/// Asserts that a text has each of these parts.
#[track_caller]
pub(crate) fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{text}` does not contain `{part}`");
    }
}

/// A string as a value.
pub(crate) fn text(text: &str) -> WitValue {
    WitValue::String(text.to_owned())
}
