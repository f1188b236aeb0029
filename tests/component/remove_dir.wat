;; Removes a directory in the first granted directory by WASI 0.3. Returns 0, or 1 and the number of the error.
(component
    (core module $m
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $start i32)
            (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.set $next (i32.add (local.get $start) (local.get 3)))
            (local.get $start)))
    (core instance $i (instantiate $m))
    (import "wasi:filesystem/types@0.3.0" (instance $types
        (export "descriptor" (type $descriptor (sub resource)))
        (type $code (variant
            (case "access") (case "already") (case "bad-descriptor") (case "busy") (case "deadlock") (case "quota")
            (case "exist") (case "file-too-large") (case "illegal-byte-sequence") (case "in-progress")
            (case "interrupted") (case "invalid") (case "io") (case "is-directory") (case "loop")
            (case "too-many-links") (case "message-size") (case "name-too-long") (case "no-device")
            (case "no-entry") (case "no-lock") (case "insufficient-memory") (case "insufficient-space")
            (case "not-directory") (case "not-empty") (case "not-recoverable") (case "unsupported") (case "no-tty")
            (case "no-such-device") (case "overflow") (case "not-permitted") (case "pipe") (case "read-only")
            (case "invalid-seek") (case "text-file-busy") (case "cross-device") (case "other" (option string))))
        (export "error-code" (type $error-code (eq $code)))
        (export "[method]descriptor.remove-directory-at" (func async
            (param "self" (borrow $descriptor)) (param "path" string) (result (result (error $error-code)))))))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.3.0" (instance $preopens
        (alias outer 1 $descriptor (type $outer))
        (export "descriptor" (type $of_preopens (eq $outer)))
        (export "get-directories" (func (result (list (tuple (own $of_preopens) string)))))))
    (core func $get (canon lower (func $preopens "get-directories")
        (memory $i "memory") (realloc (func $i "realloc"))))
    (core func $remove (canon lower (func $types "[method]descriptor.remove-directory-at")
        (memory $i "memory") (realloc (func $i "realloc"))))
    (core module $n
        (import "i" "memory" (memory 1))
        (import "wasi" "get" (func $get (param i32)))
        (import "wasi" "remove" (func $remove (param i32 i32 i32 i32)))
        (func (export "remove") (param $path i32) (param $length i32) (result i32)
            (call $get (i32.const 0))
            (call $remove
                (i32.load (i32.load (i32.const 0))) (local.get $path) (local.get $length) (i32.const 16))
            (if (result i32) (i32.load8_u (i32.const 16))
                (then (i32.add (i32.const 1) (i32.load8_u (i32.const 20))))
                (else (i32.const 0)))))
    (core instance $j (instantiate $n
        (with "i" (instance $i))
        (with "wasi" (instance (export "get" (func $get)) (export "remove" (func $remove))))))
    (func (export "remove") async (param "path" string) (result u32)
        (canon lift (core func $j "remove") (memory $i "memory") (realloc (func $i "realloc")))))
