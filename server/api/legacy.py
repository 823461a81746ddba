"""``WS /``: the wire format of older clients, one image per message and one answer to each.

A text message ``{"event": …, "data": {"image": "data:image/jpeg;base64,…"}}`` is answered by
``{"predictions": {label: p}, "emotion": label}``, an invalid one by ``{"error": …}``. Limits, time-outs,
counts and close codes are those of ``/ws``."""

import asyncio
import json

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ValidationError

from ..exceptions import ProblemError, ProtocolError
from ..inference.fair_queue import LaneMode
from ..protocol.wire import Error, Frame, Result, ServerMessage
from ..streaming.session import StreamSession
from .stream import Dialect, serve_session
from .text_bodies import decode_base64, parse_json

router = APIRouter()

#: Characters that are decoded on the event loop. Megabytes take tens of milliseconds.
_MOST_AT_ONCE = 128 * 1024


class _Data(BaseModel):
    image: str


class _Message(BaseModel):
    """``event`` is for the client's own use."""

    event: str | None = None
    data: _Data


@router.websocket("/")
async def legacy_stream(websocket: WebSocket) -> None:
    """Answers each image in order until the client disconnects or the server stops."""
    await serve_session(websocket, LaneMode.ALL, 1, 1, OlderDialect())


class OlderDialect(Dialect):
    """Older clients only know images, predictions and errors; they get no session messages."""

    async def receive(self, session: StreamSession, data: bytes | None, text: str, arrived: float) -> Frame:
        is_long = len(text) > _MOST_AT_ONCE
        image = await asyncio.to_thread(_image_in, text) if is_long else _image_in(text)
        return session.receive_image(image, arrived)

    def encode(self, message: ServerMessage) -> str | None:
        match message:
            case Result():
                return json.dumps({"predictions": message.predictions, "emotion": message.emotion})
            case Error(code="unauthorized" | "too_many_sessions"):
                return None  # the close code says so
            case Error():
                return json.dumps({"error": message.message})
        return None


def _image_in(text: str) -> bytes:
    """The encoded image of a message. Raises ProtocolError."""
    try:
        data_url = _Message.model_validate(parse_json(text.encode(), 1)).data.image
    except (ValidationError, ProblemError) as error:
        expected = 'expected {"event": …, "data": {"image": "data:image/jpeg;base64,…"}}'
        raise ProtocolError("invalid_message", expected) from error
    try:
        return decode_base64(data_url)
    except ProblemError as error:
        reason = error.__cause__ or error
        raise ProtocolError("invalid_message", f"data.image is not base64: {reason}") from error
