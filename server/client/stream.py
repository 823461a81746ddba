"""The asynchronous client: frames in, answers out, in the same order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from pydantic import ValidationError

from ..detection.detector import FaceDetector
from ..exceptions import ClientError
from ..protocol.wire import SessionConfigChange
from ..settings import read_settings
from ..sources import Frame
from .address import stream_address
from .encoding import Detect, Encoder
from .feeding import Pictures, Take, taking
from .link import Link, LinkState
from .outbox import Entry, Outbox
from .results import Answer, FrameError, FrameResult, SessionInfo

#: Frames under way at most. Every frame: enough to keep a server's batches full. Realtime: one in the
#: engine and one behind it, since more would only be older.
_IN_FLIGHT = 4
_IN_FLIGHT_REALTIME = 2

#: Of a second: time stamps of 10 frames a second are not quite 100 ms apart.
_SLACK_S = 1e-3


class Options(TypedDict, total=False):
    """The keyword arguments of ``connect``, which has their meaning."""

    token: str | None
    detect: Detect
    realtime: bool
    in_flight: int | None
    smoothing: float | None
    max_faces: int | None
    give_up_s: float


class Stream:
    """A session with a server. Made by ``connect``."""

    def __init__(self, link: Link, outbox: Outbox, options: Options, detector: FaceDetector | None) -> None:
        self.info: SessionInfo = link.info.result()
        self._link = link
        self._outbox = outbox
        self._options = options
        self._detector = detector
        self._next_id = 0
        self._is_streaming = False

    @property
    def state(self) -> LinkState:
        """Whether the server is there at the moment."""
        return self._link.state

    @property
    def reconnects(self) -> int:
        """How often the connection was lost and made again."""
        return self._link.reconnects

    async def frames(self, pictures: Pictures, interval_s: float = 0.0) -> AsyncGenerator[Answer, None]:
        """One answer for each frame, in their order: FrameResult, Dropped (realtime only) or FrameError.

        ``pictures`` is whatever ``open_source`` takes, a Source (which stays open), or an iterable or
        asynchronous iterable of arrays uint8 (H, W, 3) RGB or of JPEG, PNG or WebP files. Of a film, frames
        closer than ``interval_s`` to the one before are passed over. Raises SourceError, and ClientError
        once the server is gone for good, in both cases after the answers that are there.
        """
        if self._is_streaming:
            raise ClientError("one source at a time; open another stream beside this one")
        self._is_streaming = True
        try:
            async with taking(pictures, self._options.get("realtime", False)) as take:
                feeder = asyncio.create_task(self._feed(take, interval_s))
                try:
                    while (answer := await self._outbox.next_answer()) is not None:
                        yield answer
                finally:
                    feeder.cancel()
                    await asyncio.wait([feeder])
                    await self._outbox.clear()
        finally:
            self._is_streaming = False

    async def _feed(self, take: Take, interval_s: float) -> None:
        encoder = Encoder(
            self._options.get("detect", "local"), self._detector, self.info.config.max_faces, self.info.limits
        )
        due_s = 0.0
        try:
            while True:
                # Before a frame is taken: a realtime source has a newer one by then.
                await self._outbox.room()
                frame = await take()
                if frame is None:
                    break
                if frame.name is None and interval_s > 0:
                    if frame.time_s < due_s - _SLACK_S:
                        continue
                    due_s = max(due_s + interval_s, frame.time_s)
                await self._outbox.put(await asyncio.to_thread(self._entry, encoder, frame))
            await self._outbox.complete()
        except Exception as error:
            await self._outbox.complete(error)  # it is raised where the answers are taken

    def _entry(self, encoder: Encoder, frame: Frame) -> Entry:
        frame_id = self._next_id
        self._next_id += 1
        encoded = encoder.encode(frame_id, frame)
        entry = Entry(frame_id, frame, encoded)
        if encoded.message is None:
            entry.answer = FrameResult(frame, frame_id, (), None, None)
        elif len(encoded.message) > self.info.limits.max_message_bytes:
            # The server would end the session for it.
            message = f"the frame's message has {len(encoded.message)} bytes, more than the server takes"
            entry.answer = FrameError(frame, frame_id, "message_too_large", message)
        return entry


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: str | None = None,
    detect: Detect = "local",
    realtime: bool = False,
    in_flight: int | None = None,
    smoothing: float | None = None,
    max_faces: int | None = None,
    give_up_s: float = 300.0,
) -> AsyncIterator[Stream]:
    """A stream to the server at ``url`` (``ws://host:8000/ws``, ``https://host``, ``host:8000``).

    ``detect``: faces are found here ("local", and only their crops leave this machine), by the server
    ("server"), or every picture is one face's crop ("none"). With ``realtime`` the newest frame is sent and
    older ones are passed over, a file plays at its own pace; without, every frame is answered, and
    ``in_flight`` are under way at most. ``smoothing`` in [0, 1) is the weight of a face's past.

    A lost connection is made again, with the frames under way, for as long as the server is away for less
    than ``give_up_s`` seconds. Raises UnreachableError, RefusedError, ClientError for arguments that
    cannot be, and DetectorError where the detector's files are missing.
    """
    address = stream_address(url, realtime)
    detector = await asyncio.to_thread(_load_detector) if detect == "local" else None
    capacity = in_flight or (_IN_FLIGHT_REALTIME if realtime else _IN_FLIGHT)
    outbox = Outbox(capacity, repeats=not realtime)
    try:
        change = SessionConfigChange(smoothing=smoothing, max_faces=max_faces)
    except ValidationError as error:
        raise ClientError("smoothing is at least 0 and less than 1, max_faces at least 1") from error
    link = Link(address, token, change, outbox, is_paced=not realtime, give_up_s=give_up_s)
    running = asyncio.create_task(link.run())
    try:
        await asyncio.shield(link.info)
        yield Stream(link, outbox, Options(detect=detect, realtime=realtime), detector)
    finally:
        running.cancel()
        await asyncio.wait([running])


def _load_detector() -> FaceDetector:
    settings = read_settings()
    return FaceDetector.load(settings.faces_dir, settings.min_face_px)
