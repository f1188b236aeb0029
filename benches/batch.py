"""Calls `add` with each line of standard input, as `wrun batch` does, with the PyPI package wasmtime."""
import json
import sys

from wasmtime import Engine, Instance, Module, Store

engine = Engine()
store = Store(engine)
add = Instance(store, Module.from_file(engine, "fixtures/add.wasm"), []).exports(store)["add"]
for line in sys.stdin:
    sys.stdout.write(json.dumps(add(store, *json.loads(line))) + "\n")
