"""Kills consumers of docs/scale-out/nats_consumer.py and their children while they work, and checks that no message is lost.

Needs `nats-server`, the package nats-py, and the programs to run as arguments: the consumer, then the command of its child.
"""
import asyncio
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import nats
from nats.js.api import StreamConfig

CALLS = 20_000
DEADLINE = time.monotonic() + 100
consumer, *command = sys.argv[1:]


def payload(number):
    """The message of a number. Some are invalid, and one has several lines."""
    return {10: b"no JSON", 20: b"[1]", 30: b"[30,\n1\n]", 40: b"NaN", 50: b'["\\ud800", 1]'}.get(number, b"[%d,1]" % number)


async def until(condition):
    while not await condition():
        assert time.monotonic() < DEADLINE, "took too long"
        await asyncio.sleep(0.005)


def start(url):
    return subprocess.Popen([sys.executable, consumer, url, *command], env=os.environ | {"ACK_WAIT": "2"})


async def child_of(process):
    """Returns the process id of the first child, once there is one."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")

    async def has_child():
        return children.read_text()

    await until(has_child)
    return int(children.read_text().split()[0])


async def check(url):
    connection = await nats.connect(url)
    jetstream = connection.jetstream()
    await jetstream.add_stream(StreamConfig(name="CALLS", subjects=["calls"]))
    await jetstream.add_stream(StreamConfig(name="RESULTS", subjects=["results"], duplicate_window=120))
    for number in range(1, CALLS + 1):
        await connection.publish("calls", payload(number))
    await connection.flush()

    async def results():
        return (await jetstream.stream_info("RESULTS")).state.messages

    def at_least(number):
        async def enough():
            return await results() >= number

        return until(enough)

    first, second = start(url), start(url)
    await at_least(500)
    child = await child_of(first)
    os.kill(child, signal.SIGKILL)
    await at_least(2_000)
    child = await child_of(first)
    first.kill()
    first.wait()

    # Without its parent, the child ends too.
    async def gone():
        try:
            return pathlib.Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    await until(gone)
    assert await results() < CALLS, "the consumers were too fast to be killed in the midst"
    third = start(url)

    async def all_acknowledged():
        info = await jetstream.consumer_info("CALLS", "wrun")
        return info.num_pending == 0 and info.num_ack_pending == 0 and info.delivered.stream_seq == CALLS

    await until(all_acknowledged)
    delivered = (await jetstream.consumer_info("CALLS", "wrun")).delivered.consumer_seq
    assert delivered > CALLS, "no message was delivered again"
    for process in (second, third):
        process.terminate()
    assert [process.wait(30) for process in (second, third)] == [0, 0]

    subscription = await jetstream.subscribe("results", ordered_consumer=True)
    seen = collections.Counter()
    for _ in range(await results()):
        message = await subscription.next_msg(timeout=10)
        number = int(message.headers["Nats-Msg-Id"])
        seen[number] += 1
        result = json.loads(message.data)
        if number in (10, 20, 40, 50):
            assert result["error"]["kind"] == "invalid_argument", result
        else:
            assert result == {"id": number, "result": number + 1}, result
    assert sorted(seen) == list(range(1, CALLS + 1)), f"{CALLS - len(seen)} are lost"
    again, twice = delivered - CALLS, sum(seen.values()) - CALLS
    print(f"{len(seen)} results, 0 lost, {again} messages delivered again, {twice} duplicate results")
    await connection.close()


with tempfile.TemporaryDirectory() as folder:
    options = ["-js", "-sd", folder, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]
    server = subprocess.Popen(["nats-server", *options], stderr=subprocess.DEVNULL)
    try:
        ports = pathlib.Path(folder) / f"nats-server_{server.pid}.ports"
        while not ports.exists() or not ports.read_text():
            assert server.poll() is None and time.monotonic() < DEADLINE, "nats-server does not start"
            time.sleep(0.01)
        asyncio.run(check(json.loads(ports.read_text())["nats"][0]))
    finally:
        server.terminate()
        server.wait()
