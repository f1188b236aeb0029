"""Calls a function with each message of the JetStream stream CALLS and publishes the results to the stream RESULTS.

    python3 nats_consumer.py nats://127.0.0.1:4222 wrun batch fixtures/add.wasm add

A message is acknowledged after its result is stored, so no failure loses one. After a failure, messages are delivered again. The id
of a result is the number of its message in CALLS; JetStream drops a second result with the same id within RESULTS' duplicate window.
"""
import asyncio
import json
import os
import signal
import sys

import nats
from nats.js.api import ConsumerConfig

WINDOW = 256  # messages in the child at a time
RESULT_LIMIT = 16 << 20  # bytes
ACK_WAIT = float(os.environ.get("ACK_WAIT", 30))  # seconds until the messages of a dead consumer are delivered again


async def publish(jetstream, message, result):
    """Stores a result, then acknowledges its message."""
    await jetstream.publish("results", result, headers={"Nats-Msg-Id": str(message.metadata.sequence.stream)})
    await message.ack()


async def send(child, subscription, jetstream, waiting):
    """Writes messages to the child until it ends."""
    while child.returncode is None:
        if len(waiting) >= WINDOW:
            await asyncio.sleep(0.001)
            continue
        try:
            messages = await subscription.fetch(WINDOW - len(waiting), timeout=1)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            number = message.metadata.sequence.stream
            try:
                record = json.dumps({"id": number, "args": json.loads(message.data)})
            except (ValueError, RecursionError) as error:
                error = {"kind": "invalid_argument", "message": str(error)}
                await publish(jetstream, message, json.dumps({"id": number, "error": error}).encode())
                continue
            if number not in waiting:  # else it took longer than ACK_WAIT and was delivered again
                child.stdin.write(record.encode() + b"\n")
            waiting[number] = message
        try:
            await child.stdin.drain()
        except ConnectionError:
            return


async def receive(child, jetstream, waiting):
    """Publishes the results of the child until it ends. Drops an incomplete last line."""
    while (line := await child.stdout.readline()).endswith(b"\n"):
        # Results come in order. One without an id is the error of a record that could not be parsed.
        number = json.loads(line).get("id", next(iter(waiting)))
        await publish(jetstream, waiting.pop(number), line)


async def run_child(command, subscription, jetstream, stop):
    """Starts a child, and feeds it until it ends or `stop` is set. Returns its exit code."""
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    child = await asyncio.create_subprocess_exec(*command, limit=RESULT_LIMIT, **pipes)
    waiting = {}
    sender = asyncio.create_task(send(child, subscription, jetstream, waiting))
    receiver = asyncio.create_task(receive(child, jetstream, waiting))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({sender, receiver, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    sender.cancel()
    child.stdin.close()  # the child finishes its records and ends
    await receiver
    code = await child.wait()
    for message in waiting.values():
        await message.nak(delay=1)
    if sender.done() and not sender.cancelled():
        sender.result()  # raises if it failed
    return code


async def main(url, command):
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    # All consumers share `durable`, and the limit of messages that are not acknowledged.
    config = ConsumerConfig(ack_wait=ACK_WAIT, max_ack_pending=16 * WINDOW)
    subscription = await jetstream.pull_subscribe("calls", durable="wrun", config=config)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        code = await run_child(command, subscription, jetstream, stop)
        if code not in (0, 123):
            print(f"wrun batch ended with {code}", file=sys.stderr, flush=True)
        if code in (2, 126, 127):  # a wrong option or module, with which a new child would end too
            sys.exit(code)
    await connection.drain()


asyncio.run(main(sys.argv[1], sys.argv[2:]))
