"""What sessions and faces cost a server: memory, processor time and bytes.

Starts the server with this machine's settings, opens sessions in two steps, and streams real crops through
them, one frame after the other. Processor time is the server process's own, so that other programs on the
machine disturb it little. Prints JSON.

    python -m bench.session_cost --sessions 64 --frames 5
"""

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from urllib.request import urlopen

from emostream.benchmark.stream import server_process
from emostream.protocol.wire import FaceCrop, Frame, encode_envelope
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect

from bench.faces import astronaut_jpeg


def _sample(url: str, name: str) -> float:
    with urlopen(f"{url}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return next(sample.value for family in families for sample in family.samples if sample.name == name)


async def _stream(sockets: list[ClientConnection], frames: int) -> tuple[int, int]:
    """Sends frames of one face through each, and returns the bytes of one frame and of one answer."""
    frame = encode_envelope(Frame(1, (FaceCrop(1, astronaut_jpeg()),)))
    answered = 0
    for number in range(frames):
        frame = encode_envelope(Frame(number, (FaceCrop(1, astronaut_jpeg()),)))
        for socket in sockets:
            await socket.send(frame)
        for socket in sockets:
            answer = await socket.recv()
            assert json.loads(answer)["type"] == "result"
            answered = len(answer)
    return len(frame), answered


async def _measure(url: str, sessions: int, frames: int) -> dict[str, float]:
    memory, cpu = "process_resident_memory_bytes", "process_cpu_seconds_total"
    address = url.replace("http", "ws", 1)
    async with AsyncExitStack() as stack:

        async def open_sessions(number: int) -> list[ClientConnection]:
            opened = [
                await stack.enter_async_context(
                    connect(f"{address}/ws", compression=None, proxy=None, open_timeout=300)
                )
                for _ in range(number)
            ]
            for socket in opened:
                await socket.recv()
            return opened

        sockets = await open_sessions(1)
        await _stream(sockets, frames)
        with_one = await asyncio.to_thread(_sample, url, memory)
        sockets += await open_sessions(sessions - 1)
        await _stream(sockets, 1)
        with_all = await asyncio.to_thread(_sample, url, memory)
        before = await asyncio.to_thread(_sample, url, cpu)
        sent, answered = await _stream(sockets, frames)
        after = await asyncio.to_thread(_sample, url, cpu)
    return {
        "memory_mib": round(with_one / 2**20, 1),
        "memory_of_a_session_kib": round((with_all - with_one) / (sessions - 1) / 2**10, 1),
        "cpu_ms_of_a_face": round((after - before) * 1000 / (sessions * frames), 2),
        "bytes_of_a_frame": sent,
        "bytes_of_an_answer": answered,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=64)
    parser.add_argument("--frames", type=int, default=5, help="through each session")
    given = parser.parse_args()
    with server_process() as host:
        print(json.dumps(asyncio.run(_measure(f"http://{host}", given.sessions, given.frames)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
