"""Adds two columns: each partition of a DataFrame goes through a `wrun batch` as a stream of Arrow batches."""
import subprocess
import threading

import pyarrow as pa
from pyspark.sql import SparkSession

BATCH = ["wrun", "batch", "--jobs", "1", "--input", "arrow", "-o", "arrow", "fixtures/add.wasm", "add"]


def add(batches):
    first = next(batches, None)
    if first is None:
        return
    child = subprocess.Popen(BATCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    failures = []

    # Writes while the generator reads. A pipe holds 64 KiB; one thread for both would wait forever.
    def write():
        try:
            with child.stdin, pa.ipc.new_stream(child.stdin, first.schema) as stream:
                stream.write_batch(first)
                for batch in batches:
                    stream.write_batch(batch)
        except BrokenPipeError:
            pass  # The child ended first. Its exit code says why.
        except Exception as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        try:
            yield from pa.ipc.open_stream(child.stdout)
        except (OSError, pa.ArrowInvalid) as error:  # The stream is cut off.
            failures.append(error)
        code = child.wait()
        writer.join()
        if code not in (0, 123):
            raise RuntimeError(f"wrun batch failed with exit code {code}")
        if failures:
            raise failures[0]
    finally:
        child.kill()  # Spark can close the generator before the child has ended.
        child.wait()
        writer.join()


spark = SparkSession.builder.appName("wrun").getOrCreate()
numbers = spark.range(100_000, numPartitions=4).selectExpr("cast(id as int) as a", "1 as b")
sums = numbers.mapInArrow(add, "result int, error_kind string, error_message string")
sums.selectExpr("sum(result)", "count(error_kind)").show()
