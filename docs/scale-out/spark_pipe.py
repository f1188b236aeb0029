"""Adds pairs of numbers: each partition of an RDD goes through a `wrun batch` on the machine that has it."""
import os

from pyspark.sql import SparkSession

# 123: some records failed. Their errors are in the output, and running the task again would not help.
BATCH = "sh -c 'wrun batch --jobs 1 fixtures/add.wasm add || [ $? -eq 123 ]'"

spark = SparkSession.builder.appName("wrun").getOrCreate()
calls = spark.sparkContext.range(1_000, numSlices=4).map(lambda n: f"[{n}, 1]")
sums = calls.pipe(BATCH, env=dict(os.environ), checkCode=True)
print("sum:", sums.map(int).sum())
