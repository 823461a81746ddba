"""Many sessions for a long time, and some among them that misbehave in every way that `tests/attacks` knows.

Starts the server with its defaults, lets well-behaved sessions of mixed speeds stream real crops alone, and
then beside strangers in a process of their own. Prints JSON; exits with 1 where a frame stays unanswered, an
answer is 5xx, memory grows, or those who behave wait too long.

    python -m bench.soak --minutes 10
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from emostream.protocol.wire import FaceCrop, Frame, encode_envelope
from emostream.settings import read_settings
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bench.faces import astronaut_jpeg
from tests.attacks import Told, in_turn
from tests.servers import ServerProcess

#: Frames a second, of one session after the other.
_SPEEDS = (0.25, 0.5, 1.0, 2.0)
#: As the dashboard: a frame that would only wait is not sent.
_IN_FLIGHT = 2
_LAST_ANSWERS_S = 60.0
#: For one way of misbehaving.
_ATTACK_S = 4.0
_ATTACK_TIMEOUT_S = 300.0
_SAMPLE_EVERY_S = 2.0
_IMAGE_EVERY_S = 10.0

_MOST_GROWTH = 0.03
_MOST_TIMES_UNLOADED = 3.0


@dataclass(frozen=True)
class Misbehaviour:
    """One stranger's, in one way, and what it was told. Times on the monotonic clock, which all processes
    share."""

    way: str
    began: float
    ended: float
    told: Told


@dataclass
class Seen:
    """What those who behave saw. Latencies in ms, by when the frame was sent."""

    latencies_ms: list[tuple[float, float]] = field(default_factory=list)
    sent: int = 0
    held_back: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    unasked: int = 0  # answers to frames that were not under way
    lost_sessions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    memory_bytes: list[tuple[float, float]] = field(default_factory=list)


async def camera(port: int, speed: float, until: float, seen: Seen) -> None:
    """One session that behaves."""
    crop, under_way = astronaut_jpeg(), dict[int, float]()
    chance, all_answered = random.Random(), asyncio.Event()

    async def receive() -> None:
        async for text in socket:
            message = json.loads(text)
            if message["type"] not in ("result", "dropped", "error"):
                continue
            sent = under_way.pop(message["frame_id"], None)
            if sent is None:
                seen.unasked += 1
                continue
            if not under_way:
                all_answered.set()
            seen.answers[message.get("code", message["type"])] += 1
            if message["type"] == "result":
                seen.latencies_ms.append((sent, (time.monotonic() - sent) * 1000))

    await asyncio.sleep(chance.random() / speed)
    try:
        async with connect(
            f"ws://127.0.0.1:{port}/ws", compression=None, proxy=None, open_timeout=60
        ) as socket:
            receiving = asyncio.create_task(receive())
            number = 0
            while time.monotonic() < until and not receiving.done():
                if len(under_way) < _IN_FLIGHT:
                    under_way[number] = time.monotonic()
                    await socket.send(encode_envelope(Frame(number, (FaceCrop(1, crop),))))
                    number += 1
                else:
                    seen.held_back += 1
                await asyncio.sleep((0.75 + chance.random() / 2) / speed)
            seen.sent += number
            all_answered.clear()
            if under_way and not receiving.done():
                with suppress(TimeoutError):
                    await asyncio.wait_for(all_answered.wait(), _LAST_ANSWERS_S)
            seen.lost_sessions += receiving.done()
            receiving.cancel()
    except (OSError, TimeoutError, WebSocketException):
        seen.lost_sessions += 1
    seen.unanswered += len(under_way)


async def operator(client: httpx.AsyncClient, until: float, seen: Seen) -> None:
    """Asks whether the server is ready, and how much memory it has."""
    while time.monotonic() < until:
        asked = time.monotonic()
        ready, metrics = (
            await _answer(client.get("/readyz"), seen),
            await _answer(client.get("/metrics"), seen),
        )
        if ready and metrics:
            seen.memory_bytes.append((asked, _sample(metrics.text, "process_resident_memory_bytes")))
        await asyncio.sleep(max(0.0, asked + _SAMPLE_EVERY_S - time.monotonic()))


async def visitor(client: httpx.AsyncClient, until: float, seen: Seen) -> None:
    """Sends an image now and then."""
    while time.monotonic() < until:
        await _answer(client.post("/v1/faces", files={"file": astronaut_jpeg()}), seen)
        await asyncio.sleep(_IMAGE_EVERY_S)


async def _answer(asking: Awaitable[httpx.Response], seen: Seen) -> httpx.Response | None:
    try:
        answer = await asking
    except httpx.HTTPError as error:
        seen.statuses[type(error).__name__] += 1
        return None
    seen.statuses[str(answer.status_code)] += 1
    return answer


def _sample(metrics: str, name: str) -> float:
    families = text_string_to_metric_families(metrics)
    return next(sample.value for family in families for sample in family.samples if sample.name == name)


def strangers(port: int, number: int, seconds: float, seed: int, told: "multiprocessing.Queue[Any]") -> None:
    """In a process of its own: so many, who misbehave in one way after the other."""
    os.nice(10)  # elsewhere they would have processors of their own

    async def misbehave(seed: int, until: float) -> list[Misbehaviour]:
        done: list[Misbehaviour] = []
        for name, attack in in_turn(random.Random(seed)):
            began = time.monotonic()
            if began > until:
                break
            try:
                counts = await asyncio.wait_for(attack(port, _ATTACK_S), _ATTACK_TIMEOUT_S)
            except TimeoutError:
                counts = Told(silent=1)
            except OSError as error:  # the server cut it off
                counts = Told([type(error).__name__])
            done.append(Misbehaviour(name, began, time.monotonic(), counts))
        return done

    async def all_of_them() -> list[Misbehaviour]:
        until = time.monotonic() + seconds
        each = await asyncio.gather(*(misbehave(seed + index, until) for index in range(number)))
        return list(chain.from_iterable(each))

    try:
        told.put(asyncio.run(all_of_them()))
    except BaseException as error:
        told.put(repr(error))
        raise


async def soak(port: int, arguments: argparse.Namespace) -> dict[str, Any]:
    loaded_s = arguments.minutes * 60
    seen, begun = Seen(), time.monotonic()
    attacked = begun + arguments.unloaded
    until = attacked + loaded_s
    context = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[Any] = context.Queue()
    attackers = context.Process(
        target=strangers, args=(port, arguments.misbehaving, loaded_s, arguments.seed, told), daemon=True
    )
    behaving = arguments.sessions - arguments.misbehaving
    url = f"http://127.0.0.1:{port}"
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=_ATTACK_TIMEOUT_S) as client,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(operator(client, until, seen))
        tasks.create_task(visitor(client, until, seen))
        for index in range(behaving):
            speed = arguments.speed * _SPEEDS[index % len(_SPEEDS)]
            tasks.create_task(camera(port, speed, until, seen))
        await asyncio.sleep(attacked - time.monotonic())
        await asyncio.to_thread(attackers.start)
        found = await asyncio.to_thread(told.get, timeout=loaded_s + 2 * _ATTACK_TIMEOUT_S)
    await asyncio.to_thread(attackers.join, 60)
    if isinstance(found, str):
        raise RuntimeError(f"the strangers failed: {found}")
    return _report(seen, begun, attacked, found, behaving, arguments)


def _report(
    seen: Seen, begun: float, attacked: float, found: list[Misbehaviour], behaving: int, arguments: Any
) -> dict[str, Any]:
    warm = begun + min(10.0, arguments.unloaded / 3)
    unloaded = [latency for sent, latency in seen.latencies_ms if warm <= sent < attacked - 2]
    loaded = [latency for sent, latency in seen.latencies_ms if sent >= attacked]
    # After the first minute with strangers; of a shorter run, after its first half.
    settled = attacked + min(60.0, arguments.minutes * 30)
    memory = [(at, size / 2**20) for at, size in seen.memory_bytes if at >= settled]
    quarter = (memory[-1][0] - memory[0][0]) / 4
    # What the server keeps, that is; the images that strangers send at the moment come and go.
    first = min(size for at, size in memory if at <= memory[0][0] + quarter)
    last = min(size for at, size in memory if at >= memory[-1][0] - quarter)
    percentiles = {
        f"{name}_ms_p{part}": round(float(np.percentile(latencies, part)), 1)
        for name, latencies in (("unloaded", unloaded), ("beside_strangers", loaded))
        for part in (50, 99)
    }
    return {
        "sessions": arguments.sessions,
        "misbehaving": arguments.misbehaving,
        "minutes": arguments.minutes,
        "frames_per_second": round(
            arguments.speed * sum(_SPEEDS[index % len(_SPEEDS)] for index in range(behaving)), 2
        ),
        "frames": seen.sent,
        "held_back": seen.held_back,
        "answers": dict(seen.answers),
        "unanswered": seen.unanswered,
        "unasked": seen.unasked,
        "lost_sessions": seen.lost_sessions,
        "statuses": dict(seen.statuses),
        "frames_beside_strangers": len(loaded),
        **percentiles,
        "times_unloaded": round(percentiles["beside_strangers_ms_p99"] / percentiles["unloaded_ms_p99"], 2),
        "memory_mib": {
            "kept_after_minute_1": round(first),
            "kept_at_the_end": round(last),
            "most": round(max(size for _, size in memory)),
            "by_second": {round(at - attacked): round(size / 2**20) for at, size in seen.memory_bytes[::5]},
        },
        "memory_growth": round(last / first - 1, 4),
        "strangers": _by_way(found, seen),
    }


def _by_way(found: list[Misbehaviour], seen: Seen) -> dict[str, Any]:
    """What strangers were told in each way of misbehaving, and how long those who behave waited meanwhile: a
    hint only, unless there is one stranger."""
    ways: dict[str, Any] = {}
    for name in sorted({one.way for one in found}):
        ones = [one for one in found if one.way == name]
        meanwhile = [
            latency
            for sent, latency in seen.latencies_ms
            if any(one.began <= sent < one.ended for one in ones)
        ]
        ways[name] = {
            "told": dict(sum((one.told for one in ones), Told())),
            "seconds": round(sum(one.ended - one.began for one in ones), 1),
            "ms_p99": round(float(np.percentile(meanwhile, 99)), 1) if meanwhile else None,
        }
    return ways


def faults(report: dict[str, Any], exit_code: int, log: str) -> list[str]:
    """What must not be, and is."""
    told = sum((Counter(way["told"]) for way in report["strangers"].values()), Counter[str]())
    wrong = {
        "frames without an answer": report["unanswered"],
        "answers that nobody asked for": report["unasked"],
        "sessions that were lost": report["lost_sessions"],
        "frames that failed": sum(report["answers"].values())
        - report["answers"].get("result", 0)
        - report["answers"].get("dropped", 0),
        "5xx, or none, to those who behave": sum(
            count for status, count in report["statuses"].items() if not status.startswith("2")
        ),
        "500 to strangers": told["HTTP 500"],
        "strangers that were kept waiting": told["silent"],
        "memory": report["memory_growth"] >= _MOST_GROWTH and report["memory_growth"],
        "times the unloaded p99": report["times_unloaded"] > _MOST_TIMES_UNLOADED
        and report["times_unloaded"],
        "exit code": exit_code if exit_code not in (0, -signal.SIGTERM) else 0,
        "tracebacks in the log": log.count("Traceback"),
    }
    return [f"{what}: {value}" for what, value in wrong.items() if value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="beside strangers")
    parser.add_argument("--unloaded", type=float, default=60.0, help="seconds before, without them")
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--misbehaving", type=int, default=3, help="of them; 5 %%")
    parser.add_argument("--speed", type=float, default=1.0, help="times 0.25 to 2 frames a second")
    parser.add_argument("--model", default="default")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which strangers misbehave")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(
            Path(folder),
            read_settings().cache_dir,
            model=arguments.model,
            precision="auto",
            corrections_dir=Path(folder, "corrections"),
        )
        with server:
            report = asyncio.run(soak(server.port, arguments))
        report["faults"] = faults(report, server.end(), server.log)
        tail = [line for line in server.log.splitlines() if "Traceback" in line or "ERROR" in line]
    print(json.dumps(report, indent=2))
    print(*tail[:20], sep="\n", file=sys.stderr)
    sys.exit(bool(report["faults"]))


if __name__ == "__main__":
    main()
