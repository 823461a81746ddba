"""``WS /``: the wire format of older clients, one picture a message and one answer each.

A text message ``{"event": …, "data": {"image": "data:image/jpeg;base64,…"}}`` is answered by
``{"predictions": {label: p}, "emotion": label}``, and one that cannot be used by ``{"error": …}``.
"""

import asyncio
import base64
import logging
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ValidationError

from ..exceptions import EmostreamError, InvalidImageError, TooManySessionsError
from ..faces import Face
from ..inference.batcher import BatcherLane
from ..inference.fair_queue import LaneMode
from ..protocol.wire import CloseCode
from .access import origin_is_allowed, token_is_valid
from .crop_archive import CropArchive
from .services import services_of

logger = logging.getLogger(__name__)
router = APIRouter()


class _Data(BaseModel):
    image: str


class _Message(BaseModel):
    """``event`` names the message for the client's own use."""

    event: str | None = None
    data: _Data


@router.websocket("/")
async def legacy_stream(websocket: WebSocket) -> None:
    """Answers each picture in turn until the client leaves or the server stops."""
    services = services_of(websocket)
    if not origin_is_allowed(websocket, services.settings):
        await websocket.close()
        return
    await websocket.accept()
    if not token_is_valid(websocket, services.settings):
        await websocket.close(CloseCode.UNAUTHORIZED)
        return
    lane = services.batcher.open_lane(LaneMode.ALL, queue_length=1)
    connection = _LegacyConnection(
        websocket,
        lane,
        services.recognizer.labels,
        services.settings.max_message_bytes,
        services.archive,
    )
    try:
        with services.sessions.entered(connection):
            await connection.run()
    except TooManySessionsError as error:
        await websocket.close(CloseCode.TRY_AGAIN_LATER, str(error))
    except WebSocketDisconnect:
        pass
    finally:
        lane.close()


class _LegacyConnection:
    """One older client."""

    def __init__(
        self,
        websocket: WebSocket,
        lane: BatcherLane,
        labels: tuple[str, ...],
        max_message_bytes: int,
        archive: CropArchive,
    ) -> None:
        self._websocket = websocket
        self._lane = lane
        self._labels = labels
        self._max_message_bytes = max_message_bytes
        self._archive = archive
        self._is_answering = False
        self._is_over = False
        self._closing: asyncio.Task[None] | None = None

    def shut_down(self) -> None:
        """Ends the connection once the picture under way is answered; these clients know no goodbye."""
        self._is_over = True
        if not self._is_answering:
            self._closing = asyncio.create_task(self._close())  # which makes `run` receive a disconnect

    async def run(self) -> None:
        """Answers every message until the client leaves or the server stops."""
        while not self._is_over:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect" or self._is_over:
                return
            self._is_answering = True
            await self._websocket.send_json(await self._answer(message.get("text") or ""))
            self._is_answering = False
        await self._close()

    async def _close(self) -> None:
        with suppress(WebSocketDisconnect):  # it has left by itself
            await self._websocket.close(CloseCode.GOING_AWAY)

    async def _answer(self, text: str) -> dict[str, object]:
        try:
            image = _image_in(text, self._max_message_bytes)
            predictions = await self._lane.recognize([image])
        except EmostreamError as error:
            return {"error": str(error)}
        except Exception:
            # Any failure becomes an answer: this picture's, and nobody else's.
            logger.exception("a picture of an older client failed")
            return {"error": "this picture could not be computed"}
        face = Face.from_row(self._labels, predictions.probabilities[0])
        await self._archive.offer(image, face.emotion, face.confidence)
        return {"predictions": face.probabilities, "emotion": face.emotion}


def _image_in(text: str, max_bytes: int) -> bytes:
    """The encoded picture of a message. Raises InvalidImageError."""
    if len(text) > max_bytes:
        raise InvalidImageError(f"the message has more than {max_bytes} characters")
    try:
        data_url = _Message.model_validate_json(text).data.image
    except ValidationError as error:
        raise InvalidImageError(
            'expected {"event": …, "data": {"image": "data:image/jpeg;base64,…"}}'
        ) from error
    try:
        return base64.b64decode(data_url.rpartition(",")[2], validate=True)
    except ValueError as error:  # binascii.Error is one; letters beyond ASCII raise another
        raise InvalidImageError(f"data.image is no base64: {error}") from error
