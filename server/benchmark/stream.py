"""Many cameras at one server: what comes through, how late, and whether every session gets its share."""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from ..addresses import without_secrets
from ..client.address import stream_address
from ..client.encoding import encode_crop
from ..client.local_detection import CROP_PX, LocalSearch
from ..client.messages import ErrorMessage, parse_server_message
from ..detection.detector import FaceDetector
from ..exceptions import EmostreamError, SourceError, UnreachableError
from ..plotting import BLUE, INK, finish, name_point, new_figure, save
from ..protocol.wire import Dropped, FaceCrop, Frame, Result, SessionCreated, encode_envelope
from ..settings import read_settings
from ..sources import open_source
from .engine import processor_name

#: As the dashboard: one frame in the engine and one behind it, and no frame that would only wait.
_IN_FLIGHT = 2

#: Not counted, in seconds: sessions open one after the other, and the first batches are small.
_WARM_UP_S = 1.0

_START_TIMEOUT_S = 300.0
_ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class StreamReport:
    """One run. ``offered`` frames were due in the time; of those, ``held_back`` were not sent since two were
    under way, ``superseded`` were dropped by the server, ``failed`` answered with an error.

    ``jain`` is Jain's index of fairness of the sessions' answers, 1/cameras to 1 (Jain, Chiu and Hawe 1984).
    """

    server: str
    model: str
    processor: str
    day: str
    cameras: int
    frame_rate: float
    faces: int
    seconds: float
    offered: int
    answered: int
    held_back: int
    superseded: int
    failed: int
    frames_per_second: float
    faces_per_second: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    jain: float
    slowest_camera_per_second: float
    fastest_camera_per_second: float
    latencies_ms: tuple[float, ...] = field(repr=False)
    answered_by_camera: tuple[int, ...] = field(repr=False)

    def as_dict(self) -> dict[str, object]:
        """Without the single latencies."""
        content = asdict(self)
        del content["latencies_ms"]
        return content

    def plot(self, path: Path) -> None:
        """How many answers came within which time, and each camera's share, as PNG."""
        figure = new_figure(9, 3.8)
        left, right = figure.subplots(1, 2)
        left.ecdf(self.latencies_ms, color=BLUE, linewidth=2)
        for part, latency_ms in (
            (0.5, self.latency_ms_p50),
            (0.95, self.latency_ms_p95),
            (0.99, self.latency_ms_p99),
        ):
            left.plot(latency_ms, part, color=BLUE, marker="o")
            name_point(left, f"{latency_ms:.1f}", (latency_ms, part), (20, -9))
        left.set_yticks([0, 0.25, 0.5, 0.75, 0.95, 0.99], ["0", "0.25", "0.5", "0.75", "0.95", "0.99"])
        left.set_xlim(0, None)
        left.set_ylim(0, 1.02)
        finish(left, "latency, ms", "part of the answers")
        answered = np.array(self.answered_by_camera) / self.seconds
        right.bar(range(1, self.cameras + 1), answered, width=0.8, color=BLUE)
        right.axhline(self.frame_rate, color=INK, linestyle="--", linewidth=1)
        right.xaxis.get_major_locator().set_params(integer=True)
        finish(right, "camera", "answers a second; dashed: frames")
        title = f"{self.cameras} cameras × {self.frame_rate:g} frames/s × {self.faces} faces: {self.model}"
        figure.suptitle(title, color=INK, size=10)
        save(figure, path)


@dataclass
class _Camera:
    """One session's counts."""

    latencies_ms: list[float] = field(default_factory=list)
    offered: int = 0
    held_back: int = 0
    superseded: int = 0
    failed: int = 0
    last_failure: str = ""


def measure_stream(
    url: str, token: str | None, cameras: int, frame_rate: float, crops: Sequence[bytes], seconds: float
) -> StreamReport:
    """Streams ``crops`` (encoded, one a face) from each of the cameras. Raises UnreachableError."""
    return asyncio.run(_measure(url, token, cameras, frame_rate, crops, seconds))


async def _measure(
    url: str, token: str | None, cameras: int, frame_rate: float, crops: Sequence[bytes], seconds: float
) -> StreamReport:
    address = stream_address(url, realtime=True)
    counts = [_Camera() for _ in range(cameras)]
    async with AsyncExitStack() as open_connections:
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                sessions = [await _open(address, token, open_connections) for _ in counts]
        except (OSError, TimeoutError, WebSocketException) as error:
            raise UnreachableError(f"{without_secrets(address)} cannot be streamed to: {error}") from error
        loop = asyncio.get_running_loop()
        begin = loop.time() + _WARM_UP_S
        try:
            async with asyncio.TaskGroup() as tasks:
                for index, (camera, (connection, _)) in enumerate(zip(counts, sessions, strict=True)):
                    # Real cameras do not all look at the same instant.
                    offset_s = index / cameras / frame_rate
                    tasks.create_task(
                        _run_camera(camera, connection, crops, frame_rate, begin, begin + seconds, offset_s)
                    )
        except* WebSocketException as group:
            raise UnreachableError(f"{without_secrets(address)} broke off: {group.exceptions[0]}") from group
    return _report(without_secrets(address), sessions[0][1], counts, frame_rate, len(crops), seconds)


async def _open(
    address: str, token: str | None, open_connections: AsyncExitStack
) -> tuple[ClientConnection, str]:
    """A session, which ``open_connections`` closes, and its model's name."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = await connect(address, additional_headers=headers, compression=None)
    open_connections.push_async_callback(connection.close)
    while True:
        message = parse_server_message(await connection.recv())
        if isinstance(message, SessionCreated):
            return connection, message.model.name
        if isinstance(message, ErrorMessage):
            raise UnreachableError(f"{without_secrets(address)}: {message.message}")


async def _run_camera(
    camera: _Camera,
    connection: ClientConnection,
    crops: Sequence[bytes],
    frame_rate: float,
    begin: float,
    end: float,
    offset_s: float,
) -> None:
    """One camera. Only frames due between ``begin`` and ``end``, in the loop's time, are counted."""
    loop = asyncio.get_running_loop()
    under_way: dict[int, float] = {}
    counted: set[int] = set()
    settled = asyncio.Event()

    async def receive() -> None:
        while True:
            message = parse_server_message(await connection.recv())
            if not isinstance(message, Result | Dropped | ErrorMessage) or message.frame_id is None:
                continue
            sent_at = under_way.pop(message.frame_id)
            if not under_way:
                settled.set()
            if message.frame_id not in counted:
                continue
            match message:
                case Result():
                    camera.latencies_ms.append((loop.time() - sent_at) * 1000)
                case Dropped():
                    camera.superseded += 1
                case ErrorMessage():
                    camera.failed += 1
                    camera.last_failure = message.message

    receiver = asyncio.create_task(receive())
    try:
        due = begin - _WARM_UP_S + offset_s
        frame_id = 0
        while due < end:
            await asyncio.sleep(due - loop.time())
            is_counted = due >= begin
            due += 1 / frame_rate
            camera.offered += is_counted
            if receiver.done():
                break
            if len(under_way) >= _IN_FLIGHT:
                camera.held_back += is_counted
                continue
            faces = tuple(FaceCrop(face_id, crop) for face_id, crop in enumerate(crops, 1))
            under_way[frame_id] = loop.time()
            if is_counted:
                counted.add(frame_id)
            await connection.send(encode_envelope(Frame(frame_id, faces)))
            frame_id += 1
        if under_way:
            settled.clear()
            last_ones = asyncio.create_task(settled.wait())
            await asyncio.wait(
                [receiver, last_ones], timeout=_ANSWER_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            last_ones.cancel()
    finally:
        receiver.cancel()
        with suppress(asyncio.CancelledError):
            await receiver


def _report(
    server: str, model: str, counts: list[_Camera], frame_rate: float, faces: int, seconds: float
) -> StreamReport:
    latencies = [latency for camera in counts for latency in camera.latencies_ms]
    if not latencies:
        said = next((camera.last_failure for camera in counts if camera.last_failure), "no answer in time")
        raise EmostreamError(f"{server} has answered no frame: {said}")
    answered = [len(camera.latencies_ms) for camera in counts]
    p50, p95, p99 = (round(float(value), 2) for value in np.percentile(latencies, [50, 95, 99]))
    return StreamReport(
        server=server,
        model=model,
        processor=processor_name(),
        day=date.today().isoformat(),
        cameras=len(counts),
        frame_rate=frame_rate,
        faces=faces,
        seconds=seconds,
        offered=sum(camera.offered for camera in counts),
        answered=len(latencies),
        held_back=sum(camera.held_back for camera in counts),
        superseded=sum(camera.superseded for camera in counts),
        failed=sum(camera.failed for camera in counts),
        frames_per_second=round(len(latencies) / seconds, 2),
        faces_per_second=round(len(latencies) * faces / seconds, 2),
        latency_ms_p50=p50,
        latency_ms_p95=p95,
        latency_ms_p99=p99,
        jain=round(jain_index(answered), 4),
        slowest_camera_per_second=round(min(answered) / seconds, 2),
        fastest_camera_per_second=round(max(answered) / seconds, 2),
        latencies_ms=tuple(latencies),
        answered_by_camera=tuple(answered),
    )


def jain_index(shares: Sequence[float]) -> float:
    """1 where all shares are alike, 1/n where one has everything."""
    values = np.asarray(shares, np.float64)
    return float(values.sum() ** 2 / (len(values) * (values**2).sum()))


def face_crops(source: str | None, faces: int) -> list[bytes]:
    """Crops of the faces in the first image of a source, over again until there are enough.

    Without a source they are noise with as many bytes as a face's crop: the networks take as long for any
    pixels. Raises SourceError and DetectorError.
    """
    if source is None:
        noise = np.random.default_rng(0).integers(0, 256, (18, 18, 3), np.uint8)
        return [encode_crop(np.asarray(Image.fromarray(noise).resize((CROP_PX, CROP_PX))))] * faces
    with open_source(source) as opened:
        frame = next(iter(opened))
    settings = read_settings()
    detector = FaceDetector.load(settings.faces_dir, settings.min_face_px)
    crops = [encode_crop(crop) for (crop,) in LocalSearch(detector, faces).find(frame).found.crops]
    if not crops:
        raise SourceError(f"{source}: no face in the image")
    return [crops[index % len(crops)] for index in range(faces)]


@contextmanager
def server_process() -> Iterator[str]:
    """The address of a server of its own, on a free port, with the environment's settings."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "emostream", "serve", "--port", "0"], stderr=file
            )
        try:
            yield f"127.0.0.1:{_port(process, log)}"
        finally:
            process.terminate()
            process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"dashboard and API on http://\S+:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.1)
    last = log.read_text().strip().splitlines()[-1:] or ["it says nothing"]
    raise EmostreamError(f"the server did not start: {last[0]}")
