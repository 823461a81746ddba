"""Pictures over HTTP: many at once against one after the other, in one run on one server.

Starts the real server, sends the same real photographs first one at a time and then sixteen at a time, and
prints JSON: throughput of both, their ratio, latencies, and where the time goes. Exits with 1 below the
limit.

    python -m bench.images --requests 200 --concurrency 16
"""

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import statistics
import sys
import time
from typing import Any

import uvicorn
from emostream.app import create_app
from emostream.settings import Settings
from PIL import Image
from skimage.data import astronaut

LIMIT_RATIO = 1.3
_STAGES = ("decode_ms", "detect_ms", "crop_ms", "queue_ms", "inference_ms")


def photographs() -> list[bytes]:
    """NASA's portrait (public domain) as JPEGs: whole, parts of it, larger and smaller."""
    portrait = Image.fromarray(astronaut())
    files = []
    for left, top, right, bottom in ((0, 0, 512, 512), (60, 0, 460, 300), (100, 10, 356, 266)):
        for longer in (320, 480, 640):
            part = portrait.crop((left, top, right, bottom))
            scale = longer / max(part.size)
            buffer = io.BytesIO()
            part.resize((round(part.width * scale), round(part.height * scale))).save(
                buffer, "JPEG", quality=90
            )
            files.append(buffer.getvalue())
    return files


async def _send(port: int, requests: int, concurrency: int) -> dict[str, Any]:
    """Each of ``concurrency`` clients sends its next photograph when its last one has been answered."""
    import httpx

    pictures = photographs()
    numbers = iter(range(requests))
    latencies_ms: list[float] = []
    timings: list[dict[str, float]] = []

    async def client(http: httpx.AsyncClient) -> None:
        for number in numbers:
            started = time.perf_counter()
            answer = await http.post(
                "/v1/faces",
                content=pictures[number % len(pictures)],
                headers={"Content-Type": "image/jpeg"},
            )
            latencies_ms.append((time.perf_counter() - started) * 1000)
            content = answer.raise_for_status().json()
            assert content["faces"], "the portrait has a face"
            timings.append(content["images"][0]["timing"])

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=300, trust_env=False) as http:
        started = time.perf_counter()
        await asyncio.gather(*(client(http) for _ in range(concurrency)))
        seconds = time.perf_counter() - started
    latencies_ms.sort()
    return {
        "requests": requests,
        "concurrency": concurrency,
        "images_per_second": round(requests / seconds, 2),
        "p50_ms": round(statistics.median(latencies_ms), 1),
        "p95_ms": round(latencies_ms[min(len(latencies_ms) - 1, int(0.95 * len(latencies_ms)))], 1),
        "mean_stage_ms": {
            stage: round(statistics.fmean(timing[stage] for timing in timings), 2) for stage in _STAGES
        },
        "mean_batch_faces": round(statistics.fmean(timing["batch_size"] for timing in timings), 2),
    }


def _clients(port: int, requests: int, concurrency: int, results: "multiprocessing.Queue[Any]") -> None:
    async def run() -> list[dict[str, Any]]:
        await _send(port, 2 * concurrency, concurrency)  # every thread has loaded its network
        # One at a time before and after: a machine that slows down or speeds up meanwhile shows.
        return [
            await _send(port, requests // 2, 1),
            await _send(port, requests, concurrency),
            await _send(port, requests // 2, 1),
        ]

    results.put(asyncio.run(run()))


async def _measure(requests: int, concurrency: int) -> dict[str, Any]:
    settings = Settings(log_level="warning")
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Any] = context.Queue()
    clients = context.Process(target=_clients, args=(port, requests, concurrency, results))
    await asyncio.to_thread(clients.start)
    before, together, after = await asyncio.to_thread(results.get)
    await asyncio.to_thread(clients.join)
    server.should_exit = True
    await serving
    alone = 2 / (1 / before["images_per_second"] + 1 / after["images_per_second"])
    return {
        "cores": len(os.sched_getaffinity(0)),
        "one_at_a_time": [before, after],
        "together": together,
        "throughput_ratio": round(together["images_per_second"] / alone, 2),
        "limit_ratio": LIMIT_RATIO,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    figures = asyncio.run(_measure(options.requests, options.concurrency))
    print(json.dumps(figures, indent=2))
    sys.exit(figures["throughput_ratio"] < LIMIT_RATIO)


if __name__ == "__main__":
    main()
