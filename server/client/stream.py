"""The asynchronous client: sends frames and yields their answers, in the same order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from pydantic import ValidationError

from ..exceptions import ClientError
from ..protocol.wire import Receipt, SessionConfigChange, is_envelope
from ..sources import Frame
from .address import stream_address
from .encoding import Encoder
from .feeding import Images, Take, taking
from .link import Link, LinkState
from .local_detection import Detect, LocalSearch, load_detector
from .outbox import Entry, Outbox
from .results import Answer, FrameError, FrameResult, SessionInfo

if TYPE_CHECKING:  # it needs OpenVINO and OpenCV
    from ..detection.detector import FaceDetector

#: Most frames in flight. Every frame: enough to keep a server's batches full. Realtime: one in the
#: engine and one waiting, since more would only be older.
_IN_FLIGHT = 4
_IN_FLIGHT_REALTIME = 2

#: Tolerance in seconds: time stamps at 10 frames a second are not exactly 100 ms apart.
_SLACK_S = 1e-3


class Options(TypedDict, total=False):
    """The keyword arguments of ``connect``, which explains them."""

    token: str | None
    detect: Detect
    detector: "FaceDetector | None"
    realtime: bool
    in_flight: int | None
    smoothing: float | None
    max_faces: int | None
    give_up_s: float


class Stream:
    """A session with a server. Made by ``connect``."""

    def __init__(
        self,
        link: Link,
        outbox: Outbox,
        detect: Literal["local", "server", "none"],
        detector: "FaceDetector | None",
        realtime: bool,
    ) -> None:
        self.info: SessionInfo = link.info.result()
        #: Where faces are detected.
        self.detect = detect
        self._link = link
        self._outbox = outbox
        self._detector = detector
        self._realtime = realtime
        self._next_id = 0
        self._is_streaming = False

    @property
    def state(self) -> LinkState:
        """Whether the connection is open at the moment."""
        return self._link.state

    @property
    def reconnects(self) -> int:
        """Number of reconnections."""
        return self._link.reconnects

    async def receipt(self, timeout_s: float = 60.0) -> Receipt:
        """What this session has sent so far, and how many of its images the server has kept.

        A session ends with its connection, so after a reconnection the receipt is that of the new session. It
        comes after the frames in flight. Raises LostError while disconnected, and ClientError if none comes
        within ``timeout_s``, as from a server that does not know the request.
        """
        return await self._link.receipt(timeout_s)

    async def frames(self, source: Images, interval_s: float = 0.0) -> AsyncGenerator[Answer, None]:
        """One answer for each frame, in their order: FrameResult, Dropped (realtime only) or FrameError.

        ``source`` is anything that ``open_source`` accepts, a Source (which stays open), or an iterable or
        asynchronous iterable of arrays uint8 (H, W, 3) RGB, PIL images, or JPEG, PNG or WebP files as bytes
        or paths. Frames of a video that follow the previous one by less than ``interval_s`` are skipped.
        Raises SourceError, ImageError, and ClientError once the connection has failed for good; each of them
        after the answers that have arrived.
        """
        if self._is_streaming:
            raise ClientError("one source at a time; open another stream beside this one")
        self._is_streaming = True
        try:
            async with taking(source, self._realtime) as take:
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
        search = LocalSearch(self._detector, self.info.config.max_faces) if self._detector else None
        encoder = Encoder(self.info, search, is_whole=self.detect == "server")
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
            await self._outbox.complete(error)  # raised by the task that yields the answers

    def _entry(self, encoder: Encoder, frame: Frame) -> Entry:
        frame_id = self._next_id
        self._next_id += 1
        encoded = encoder.encode(frame_id, frame)
        entry = Entry(frame_id, encoded)
        if encoded.message is None:
            entry.answer = FrameResult(frame, frame_id, encoded.faces(), None, None)
        elif len(encoded.message) > self.info.limits.max_message_bytes:
            # The server would close the session.
            message = f"the frame's message has {len(encoded.message)} bytes, more than the server accepts"
            entry.answer = FrameError(frame, frame_id, "message_too_large", message)
        elif not is_envelope(encoded.message):
            # The server would misread it, and never answer this frame.
            entry.answer = FrameError(
                frame, frame_id, "too_many_faces", "more faces than one message can name"
            )
        return entry


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: str | None = None,
    detect: Detect = "auto",
    detector: "FaceDetector | None" = None,
    realtime: bool = False,
    in_flight: int | None = None,
    smoothing: float | None = None,
    max_faces: int | None = None,
    give_up_s: float = 300.0,
) -> AsyncIterator[Stream]:
    """A stream to the server at ``url`` (``ws://host:8000/ws``, ``https://host``, ``host:8000``).

    ``detect`` says where faces are detected: on this machine ("local": only their crops leave it), on the
    server ("server"), or nowhere, since every image is one face's crop ("none"). "auto" is "local" if the
    detector can be loaded here (OpenVINO and the model files; ``detector`` replaces it), otherwise "server";
    ``Stream.detect`` has the choice. With ``realtime``, the newest frame is sent and older ones are skipped,
    and a file plays at its own rate. Otherwise every frame is answered, with at most ``in_flight`` frames in
    flight. ``smoothing`` in [0, 1) is the weight of a face's earlier predictions.

    After a lost connection the client reconnects for up to ``give_up_s`` seconds, and sends the frames in
    flight again. Raises UnreachableError, RefusedError, ClientError for invalid arguments and, with "local",
    MissingExtraError or DetectorError if there is no detector.
    """
    if detect not in get_args(Detect):  # a typo must not send whole images instead of crops
        raise ClientError(f"detect must be one of {', '.join(get_args(Detect))}, not {detect!r}")
    if in_flight is not None and in_flight < 1:
        raise ClientError(f"in_flight must be at least 1, not {in_flight}")
    token = token.strip() if token else None  # token files end with a line break
    if token is not None and not (token.isascii() and token.isprintable()):
        raise ClientError("the token has characters that are not allowed in a header")
    address = stream_address(url, realtime)
    if detect in ("server", "none"):
        detector = None
    elif detector is None:
        detector = await asyncio.to_thread(load_detector, detect)
    capacity = in_flight or (_IN_FLIGHT_REALTIME if realtime else _IN_FLIGHT)
    outbox = Outbox(capacity, repeats=not realtime)
    try:
        change = SessionConfigChange(smoothing=smoothing, max_faces=max_faces)
    except ValidationError as error:
        raise ClientError("smoothing must be in [0, 1), and max_faces at least 1") from error
    link = Link(address, token, change, outbox, is_paced=not realtime, give_up_s=give_up_s)
    running = asyncio.create_task(link.run())
    try:
        await asyncio.shield(link.info)
        where: Literal["local", "server", "none"]
        where = "local" if detector else "none" if detect == "none" else "server"
        yield Stream(link, outbox, where, detector, realtime)
    finally:
        running.cancel()
        await asyncio.wait([running])
