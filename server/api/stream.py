"""``WS /ws``: the streaming protocol over a WebSocket."""

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Literal

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from ..exceptions import ErrorCode, ProtocolError, TooManySessionsError
from ..inference.fair_queue import LaneMode
from ..logs import log_context
from ..protocol.wire import (
    CloseCode,
    CloseReason,
    Error,
    Frame,
    Limits,
    ModelFacts,
    Result,
    ServerMessage,
    SessionClose,
    encode_message,
)
from ..streaming.session import RateLimiter, StreamSession
from .access import has_token, origin_is_allowed
from .services import Services, services_of

router = APIRouter()

#: Most unanswered frames of a live session; then the server stops reading. Two are waiting or in the engine;
#: the others are "dropped" answers that the client does not read.
_MAX_UNANSWERED_LIVE = 32

#: A session may break rules as often as it may send frames, with a burst of this many seconds.
_BROKEN_RULES_BURST_S = 10.0

#: Messages of any kind that are processed without a pause, as a multiple of the frame limit, and the seconds
#: at that rate, without a pause, after which the session ends.
_MESSAGES_PER_ALLOWED_FRAME = 4
_HASTE_S = 10.0

_CLOSE_CODES: dict[CloseReason, int] = {
    "client_request": CloseCode.NORMAL,
    "idle_timeout": CloseCode.NORMAL,
    "server_shutdown": CloseCode.GOING_AWAY,
    "error": CloseCode.INTERNAL_ERROR,
}


@router.websocket("/ws")
async def stream(websocket: WebSocket, mode: Literal["latest", "all"] = "latest") -> None:
    """Opens a session, or refuses it with the reason."""
    queue_length = services_of(websocket).settings.max_queued_frames if mode == "all" else 1
    max_unanswered = queue_length if mode == "all" else _MAX_UNANSWERED_LIVE
    await serve_session(websocket, LaneMode(mode), queue_length, max_unanswered, Dialect())


class Dialect:
    """The wire format of a session's messages: that of the protocol."""

    async def receive(
        self, session: StreamSession, data: bytes | None, text: str, arrived: float
    ) -> Frame | ServerMessage | SessionClose:
        """Parses a message: a frame, the answer to an update, or the wish to end.

        Raises ProtocolError.
        """
        return session.receive_text(text) if data is None else session.receive_frame(data, arrived)

    def encode(self, message: ServerMessage) -> str | None:
        """The text to send, or None if this client does not know such a message."""
        return encode_message(message)


async def serve_session(
    websocket: WebSocket, mode: LaneMode, queue_length: int, max_unanswered: int, dialect: Dialect
) -> None:
    """Runs one session from its handshake to its close, or refuses it with the reason."""
    services = services_of(websocket)
    if not origin_is_allowed(websocket, services.settings):
        services.metrics.refusals.labels("forbidden_origin").inc()
        await websocket.close()  # before the handshake is done: the client sees 403
        return
    await websocket.accept()
    if not await has_token(websocket):
        error = Error(code="unauthorized", message="a valid token is needed")
        await _refuse(websocket, dialect, error, CloseCode.UNAUTHORIZED)
        return
    opened = _new_session(services, mode, queue_length)
    connection = Connection(websocket, opened, services, max_unanswered, dialect)
    try:
        with services.sessions.entered(connection), log_context(session_id=opened.session_id):
            await connection.run()
    except TooManySessionsError as full:
        services.metrics.refusals.labels("too_many_sessions").inc()
        error = Error(code="too_many_sessions", message=str(full), retryable=True)
        await _refuse(websocket, dialect, error, CloseCode.TRY_AGAIN_LATER)


async def _refuse(websocket: WebSocket, dialect: Dialect, error: Error, close_code: int) -> None:
    with suppress(WebSocketDisconnect):  # the client has disconnected
        if (text := dialect.encode(error)) is not None:
            await websocket.send_text(text)
        await websocket.close(close_code)


def _new_session(services: Services, mode: LaneMode, queue_length: int) -> StreamSession:
    settings, served = services.settings, services.model
    limits = Limits(
        max_message_bytes=settings.max_message_bytes,
        max_pixels=settings.max_pixels,
        max_faces=settings.max_faces,
        max_frames_per_second=settings.max_frames_per_second,
    )
    model = ModelFacts(name=served.name, labels=list(served.labels))
    lane = services.batcher.open_lane(mode, queue_length)
    takes_corrections = services.corrections is not None
    return StreamSession(
        uuid.uuid4().hex, model, limits, lane, services.finder, takes_corrections=takes_corrections
    )


class Connection:
    """One WebSocket from its handshake to its close: passes messages to its session and sends the answers.

    Every frame in flight holds one permit. When none is left, the socket is not read. This slows down a
    client in mode ALL, and stops one that never reads its answers.
    """

    def __init__(
        self,
        websocket: WebSocket,
        session: StreamSession,
        services: Services,
        max_unanswered: int,
        dialect: Dialect,
    ) -> None:
        self._websocket = websocket
        self._session = session
        self._dialect = dialect
        self._permits = asyncio.Semaphore(max_unanswered)
        self._sending = asyncio.Lock()
        self._idle_timeout_s = services.settings.idle_timeout_s
        self._metrics = services.metrics
        self._archive = services.archive
        rate = session.limits.max_frames_per_second
        self._broken_rules = RateLimiter(rate, rate * _BROKEN_RULES_BURST_S)
        self._message_rate = rate * _MESSAGES_PER_ALLOWED_FRAME
        self._pace = RateLimiter(self._message_rate)
        self._haste = RateLimiter(self._message_rate, self._message_rate * _HASTE_S)
        self._deadline = asyncio.timeout(None)  # expires when the session is idle, or is made to expire
        self._is_reading = False
        self._end: tuple[CloseReason, int] | None = None

    async def run(self) -> None:
        """Serves the client until either side ends the session."""
        try:
            await self._send(self._session.created())
            async with asyncio.TaskGroup() as answers:
                await self._read(answers)
            # Leaving the group has waited for the frames in flight.
            await self._close()
        except* WebSocketDisconnect:
            pass
        finally:
            self._session.close()

    def shut_down(self) -> None:
        """Ends the session because the server stops."""
        self._finish("server_shutdown")

    def _finish(self, reason: CloseReason, code: int | None = None) -> None:
        if self._end is not None:
            return
        self._end = (reason, _CLOSE_CODES[reason] if code is None else code)
        if self._is_reading:
            self._deadline.reschedule(asyncio.get_running_loop().time())

    async def _read(self, answers: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with self._deadline:
                self._is_reading = True
                while True:
                    async with self._permits:
                        pass  # there is room for one more frame, and only this task takes it
                    if self._end is not None:
                        return  # before the deadline, which may have been made to expire, is moved
                    self._deadline.reschedule(loop.time() + self._idle_timeout_s)
                    message = await self._websocket.receive()
                    if message["type"] == "websocket.disconnect":
                        raise WebSocketDisconnect(message.get("code", 1005))
                    if message.get("is_flood") or not self._haste.allows(now := loop.time()):
                        await self._end_for_breaking_rules("rate_limited")  # see BoundedWebSocket, too
                        return
                    await self._handle(message.get("bytes"), message.get("text"), answers)
                    # Buffered messages arrive without a pause, so other tasks get a turn here.
                    # A client that is far too fast has to wait: its socket is not read in the meantime.
                    await asyncio.sleep(0 if self._pace.allows(now) else 1 / self._message_rate)
        except TimeoutError:
            if self._end is None:
                self._end = ("idle_timeout", _CLOSE_CODES["idle_timeout"])
        finally:
            self._is_reading = False

    async def _handle(self, data: bytes | None, text: str | None, answers: asyncio.TaskGroup) -> None:
        arrived = time.monotonic()
        try:
            size = len((text or "").encode() if data is None else data)
            self._session.count_bytes(size)
            if size > self._session.limits.max_message_bytes:
                raise ProtocolError(
                    "message_too_large",
                    f"a message may have at most {self._session.limits.max_message_bytes} bytes",
                )
            received = await self._dialect.receive(self._session, data, text or "", arrived)
        except ProtocolError as error:
            await self._send(self._session.refuse(error))
            self._metrics.frames.labels(error.code).inc()
            if error.code == "message_too_large":
                self._finish("error", CloseCode.MESSAGE_TOO_BIG)
            # A client that is only slightly too fast gets an error for each frame, and continues.
            elif error.code != "rate_limited" and not self._broken_rules.allows(arrived):
                await self._end_for_breaking_rules(error.code)
            return
        if isinstance(received, SessionClose):
            self._finish("client_request")
        elif isinstance(received, Frame):
            await self._permits.acquire()  # returns at once: see _read
            answers.create_task(self._answer(received, arrived))
        else:
            await self._send(received)

    async def _end_for_breaking_rules(self, code: ErrorCode) -> None:
        self._metrics.refusals.labels("broken_rules").inc()
        message = "this session keeps breaking the protocol's rules, or floods the server, and is closed"
        self._finish("error", CloseCode.POLICY_VIOLATION)
        await self._send(Error(code=code, message=message))

    async def _answer(self, frame: Frame, arrived: float) -> None:
        try:
            message = await self._session.answer(frame, arrived)
            await self._send(message)
            outcome = message.code if isinstance(message, Error) else message.type
            self._metrics.frames.labels(outcome).inc()
            self._metrics.frame_seconds.observe(time.monotonic() - arrived)
            if isinstance(message, Result):
                stages = self._metrics.frame_stage_seconds
                stages.labels("queue").observe(message.timing.queue_ms / 1000)
                stages.labels("inference").observe(message.timing.inference_ms / 1000)
            if isinstance(message, Error) and self._session.has_failed:
                self._finish("error")
            if isinstance(message, Result) and message.faces and not frame.detect:
                face = message.faces[0]
                if await self._archive.offer(frame.faces[0].image, face.emotion, face.confidence):
                    self._session.count_kept_image()
        finally:
            self._permits.release()

    async def _send(self, message: ServerMessage) -> None:
        if (text := self._dialect.encode(message)) is not None:
            async with self._sending:
                if self._websocket.application_state is WebSocketState.DISCONNECTED:
                    # Another answer has found that out; Starlette takes a second one for a mistake of ours.
                    raise WebSocketDisconnect(1006)
                await self._websocket.send_text(text)

    async def _close(self) -> None:
        reason, code = self._end or ("error", CloseCode.INTERNAL_ERROR)
        await self._send(self._session.closed(reason))
        if self._websocket.application_state is WebSocketState.CONNECTED:
            await self._websocket.close(code)
