"""How long the server's event loop is ever kept from turning, under load.

Runs the real server on asyncio's debug mode, which times every callback, while clients in another
process stream real faces as fast as they are answered. Prints JSON; exits with 1 above the limit.

    python bench/event_loop.py --sessions 8 --seconds 20
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import re
import sys
import time

import uvicorn
from emostream.app import create_app
from emostream.protocol.wire import FaceCrop, Frame, encode_envelope
from emostream.settings import Settings

from bench.faces import astronaut_jpeg

LIMIT_MS = 100.0
_REPORT_ABOVE_S = 0.002
_DURATION = re.compile(r"took ([0-9.]+) seconds")


class _Durations(logging.Handler):
    """Collects what asyncio's debug mode reports."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: list[tuple[float, str]] = []  # duration in ms, what it was

    def emit(self, record: logging.LogRecord) -> None:
        found = _DURATION.search(record.getMessage())
        if found:
            self.callbacks.append((float(found[1]) * 1000, record.getMessage()))


async def _session(port: int, until: float) -> int:
    from websockets.asyncio.client import connect

    jpeg, answered = astronaut_jpeg(), 0
    async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as socket:
        await socket.recv()
        for frame_id in range(2):  # two under way, as the dashboard has
            await socket.send(encode_envelope(Frame(frame_id, (FaceCrop(1, jpeg), FaceCrop(2, jpeg)))))
        while time.monotonic() < until:
            answer = json.loads(await socket.recv())
            answered += answer["type"] == "result"
            frame_id += 1
            await socket.send(encode_envelope(Frame(frame_id, (FaceCrop(1, jpeg), FaceCrop(2, jpeg)))))
            await asyncio.sleep(0.01)  # below the protocol's 100 frames a second
    return answered


def _clients(port: int, sessions: int, seconds: float, results: "multiprocessing.Queue[int]") -> None:
    async def run() -> int:
        until = time.monotonic() + seconds
        return sum(await asyncio.gather(*(_session(port, until) for _ in range(sessions))))

    results.put(asyncio.run(run()))


async def _measure(sessions: int, seconds: float) -> dict[str, float | str]:
    durations = _Durations()
    logging.getLogger("asyncio").addHandler(durations)
    config = uvicorn.Config(
        create_app(Settings(log_level="warning")),
        port=0,
        loop="asyncio",  # uvloop has no debug mode
        log_level="warning",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.05)
    durations.callbacks.clear()  # what came before is start-up
    asyncio.get_running_loop().slow_callback_duration = _REPORT_ABOVE_S

    port = server.servers[0].sockets[0].getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    clients = context.Process(target=_clients, args=(port, sessions, seconds, results))
    # Spawning a process takes a while; on the loop it would be measured as the server's.
    await asyncio.to_thread(clients.start)
    answered = await asyncio.to_thread(results.get)
    await asyncio.to_thread(clients.join)
    server.should_exit = True
    await serving
    longest_ms, longest = max(durations.callbacks, default=(0.0, ""))
    return {
        "sessions": sessions,
        "seconds": seconds,
        "frames_answered": answered,
        "faces_per_second": round(2 * answered / seconds, 1),
        "callbacks_over_2_ms": len(durations.callbacks),
        "callbacks_over_100_ms": sum(ms > LIMIT_MS for ms, _ in durations.callbacks),
        "longest_callback_ms": longest_ms,
        "longest_callback": longest,
        "limit_ms": LIMIT_MS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with asyncio.Runner(debug=True) as runner:
        figures = runner.run(_measure(options.sessions, options.seconds))
    print(json.dumps(figures, indent=2))
    sys.exit(bool(figures["callbacks_over_100_ms"]))


if __name__ == "__main__":
    main()
