//! Programs with constructs that metering can get wrong.

use wrun::Feature;

/// A program: its name, its text, the argument of its `run`.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) argument: i32,
    /// The features that not every compiler supports.
    pub(crate) needs: &'static [Feature],
}

const fn program(name: &'static str, argument: i32, text: &'static str) -> Program {
    Program { name, text, argument, needs: &[] }
}

pub(crate) const PROGRAMS: &[Program] = &[
    program(
        "loops",
        5,
        r#"(module (func (export "run") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $s i32)
      (loop $outer
        (local.set $j (i32.const 0))
        (loop $inner
          (local.set $s (i32.add (local.get $s) (i32.mul (local.get $i) (local.get $j))))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $j) (local.get $n))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $outer (i32.lt_u (local.get $i) (local.get $n))))
      (nop) (drop (i32.const 1)) (local.get $s)))"#,
    ),
    program(
        "br_table",
        13,
        r#"(module
      (func $switch (param i32) (result i32)
        (block (block (block (block (br_table 0 1 2 3 (local.get 0))) (return (i32.const 10))) (return (i32.const 20)))
          (br 0) (drop (i32.const 9))) (i32.const 7))
      (func (export "run") (param $n i32) (result i32) (local $i i32) (local $s i32)
        (loop $l
          (local.set $s (i32.add (local.get $s) (call $switch (i32.rem_u (local.get $i) (i32.const 5)))))
          (block $b (br_if $b (i32.and (local.get $i) (i32.const 1)))
            (local.set $s (i32.sub (local.get $s) (if (result i32) (local.get $s) (then (i32.const 1)) (else (i32.const 2))))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
        (local.get $s)))"#,
    ),
    program(
        "indirect calls and bulk memory",
        9,
        r#"(module
      (memory 1) (table 2 funcref) (elem (i32.const 0) $a $b) (data $d "hello") (type $t (func (param i32) (result i32)))
      (func $a (param i32) (result i32) (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000)) (i32.load8_u (local.get 0)))
      (func $b (param i32) (result i32)
        (drop (memory.grow (i32.const 0))) (memory.copy (i32.const 10) (i32.const 100) (local.get 0))
        (memory.init $d (i32.const 0) (i32.const 0) (i32.const 5))
        (nop) (select (i32.const 3) (i32.const 4) (local.get 0)))
      (func (export "run") (param $n i32) (result i32) (local $s i32)
        (block $out (loop $l
          (br_if $out (i32.eqz (local.get $n)))
          (local.set $s (i32.add (local.get $s)
            (call_indirect (type $t) (local.get $n) (i32.and (local.get $n) (i32.const 1)))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $l)))
        (local.get $s)))"#,
    ),
    program(
        "host calls",
        9,
        r#"(module (import "env" "seen" (func $seen (param i32)))
      (func $twice (param i32) (call $seen (local.get 0)) (call $seen (i32.add (local.get 0) (i32.const 100))))
      (func (export "run") (param $n i32) (result i32) (local $i i32)
        (call $seen (i32.const 1000))
        (loop $l
          (call $twice (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
        (call $seen (i32.const 2000)) (local.get $i)))"#,
    ),
    program(
        "recursion",
        7,
        r#"(module
      (func $fib (export "run") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
          (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                         (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#,
    ),
    program(
        "a start function",
        3,
        r#"(module (import "env" "seen" (func $seen (param i32)))
      (global $g (mut i32) (i32.const 0))
      (func $start (local $i i32)
        (loop $l (global.set $g (i32.add (global.get $g) (local.get $i)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (i32.const 6))))
        (call $seen (global.get $g)))
      (start $start)
      (func (export "run") (param i32) (result i32) (call $seen (local.get 0)) (i32.add (local.get 0) (global.get $g))))"#,
    ),
    program(
        "a trap",
        7,
        r#"(module (import "env" "seen" (func $seen (param i32)))
      (func $down (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 2)) (then (nop)))
        (i32.div_s (i32.const 100) (local.get 0)))
      (func (export "run") (param $n i32) (result i32) (local $s i32)
        (loop $l
          (local.set $s (i32.add (local.get $s) (call $down (local.get $n))))
          (call $seen (local.get $s))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $l))
        (unreachable)))"#,
    ),
    program(
        "an unreachable",
        4,
        r#"(module
      (func (export "run") (param $n i32) (result i32)
        (loop $l
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $l (local.get $n)))
        (block $b (br_if $b (i32.eqz (i32.add (local.get $n) (i32.const 0)))) (return (i32.const 1)))
        (drop (i32.add (i32.const 1) (i32.const 2)))
        (unreachable)))"#,
    ),
    // Wasmer charges the code before the first branch of a function or loop differently from the code after it.
    program(
        "after a branch",
        11,
        r#"(module (import "env" "seen" (func $seen (param i32)))
      (type $t (func (param i32) (result i32))) (table 1 funcref) (elem (i32.const 0) $same)
      (func $same (param i32) (result i32) (call $seen (local.get 0)) (local.get 0))
      (func $choose (param $x i32) (result i32)
        (block $on (br_if $on (local.get $x)))
        (block $four (block $three (block $two (block $one
          (br_table $one $two $three $four (local.get $x)))
          (drop (i32.const 1)) (return (i32.add (local.get $x) (i32.const 20))))
          (drop (i32.const 2)) (br $four))
          (local.set $x (i32.add (local.get $x) (call $same (i32.const 3))))
          (if (i32.and (local.get $x) (i32.const 1))
            (then (drop (i32.const 4)))
            (else (drop (i32.const 5)) (local.set $x (i32.const 6))))
          (drop (i32.const 7))
          (if (i32.eq (local.get $x) (i32.const 5)) (then (drop (i32.const 8)))))
        (i32.add (call_indirect (type $t) (local.get $x) (i32.const 0)) (i32.const 1)))
      (func (export "run") (param $n i32) (result i32) (local $s i32)
        (block $on (br_if $on (local.get $n)))
        (drop (i32.const 9))
        (loop $l
          (local.set $s (i32.add (local.get $s) (call $choose (i32.rem_u (local.get $n) (i32.const 5)))))
          (block $skip (br_if $skip (i32.and (local.get $n) (i32.const 1))) (drop (i32.const 10)))
          (drop (i32.const 11))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $l (local.get $n)))
        (local.get $s)))"#,
    ),
    Program {
        name: "exceptions",
        argument: 9,
        needs: &[Feature::Exceptions],
        text: r#"(module
      (import "env" "seen" (func $seen (param i32))) (tag $t (param i32))
      (func $throws (param i32)
        (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t (local.get 0)))) (call $seen (local.get 0)))
      (func $again (param i32) (local $caught exnref)
        (block $catch (result exnref) (try_table (catch_all_ref $catch) (call $throws (local.get 0))) (return))
        (local.set $caught) (drop (i32.const 1)) (throw_ref (local.get $caught)))
      (func (export "run") (param $n i32) (result i32) (local $s i32)
        (loop $l
          (block $c (result i32) (try_table (catch $t $c) (call $again (local.get $n))) (i32.const 0))
          (local.set $s (i32.add (local.get $s)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $l (local.get $n)))
        (local.get $s)))"#,
    },
];
