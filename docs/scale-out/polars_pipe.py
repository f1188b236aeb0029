"""Adds two columns of a Polars frame, as Arrow streams."""
import io
import subprocess

import polars as pl

numbers = pl.DataFrame({"a": range(100_000)}, schema={"a": pl.Int32}).with_columns(b=pl.lit(1, pl.Int32))
stream = io.BytesIO()
numbers.write_ipc_stream(stream)
command = ["wrun", "batch", "--input", "arrow", "-o", "arrow", "fixtures/add.wasm", "add"]
batch = subprocess.run(command, input=stream.getbuffer(), stdout=subprocess.PIPE)
if batch.returncode not in (0, 123):  # 123: some records failed, which the columns of errors tell
    batch.check_returncode()
results = pl.read_ipc_stream(io.BytesIO(batch.stdout))
print(len(results), "results, sum", results["result"].cast(pl.Int64).sum(), "errors", results["error_kind"].count())
