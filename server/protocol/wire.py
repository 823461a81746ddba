"""The wire format of the streaming protocol, version 1: message classes and the frame envelope.

The one home of the protocol on this side; ``docs/asyncapi.yaml`` describes the same classes, and a test
holds the two together. Within version 1 fields may be added, never renamed or given another meaning.
"""

import json
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from ..exceptions import ErrorCode, ProtocolError

PROTOCOL_VERSION = 1
MAX_HEADER_BYTES = 16384
#: Of a client's text message. Megabytes of JSON take a second to be read, and nobody else has a turn.
MAX_TEXT_LENGTH = 16384
_HEADER_LENGTH = struct.Struct("<I")

CloseReason = Literal["client_request", "idle_timeout", "server_shutdown", "error"]

#: Unsigned, and exact as a JavaScript number.
Identifier = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
Number = int | FiniteFloat
Box = Annotated[list[Number], Field(min_length=4, max_length=4)]
#: Pixels of a frame; far outside of any, nothing can be seen.
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]
#: Degrees, clockwise as the frame shows it.
Turn = Annotated[float, Field(ge=-360, le=360)]
Landmarks = Annotated[list[Point], Field(min_length=6, max_length=6)]
FrameSize = Annotated[list[Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=2, max_length=2)]


class CloseCode(IntEnum):
    """WebSocket close codes: those that the server sends, and the others that a client may see."""

    NORMAL = 1000
    GOING_AWAY = 1001
    #: Not sent: the other side gave no code, as some proxies do.
    NO_STATUS = 1005
    #: Not sent: the connection broke off without a close.
    ABNORMAL = 1006
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    UNAUTHORIZED = 4401


class _Message(BaseModel):
    # Strict: "12" is no number. Unknown fields are those of a later version.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


# From the server


class ModelFacts(_Message):
    """What a client must know of the model to read its predictions."""

    name: str
    labels: list[str]


class SessionConfig(_Message):
    """What a client may change. ``smoothing`` is the weight of a face's past in its moving average."""

    smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    max_faces: int = Field(default=8, ge=1, description="most faces that detection on the server returns")


class Limits(_Message):
    """What the server accepts."""

    max_message_bytes: int
    max_pixels: int
    max_faces: int
    max_frames_per_second: int


class SessionCreated(_Message):
    type: Literal["session.created"] = "session.created"
    protocol: int = PROTOCOL_VERSION
    session_id: str
    model: ModelFacts
    config: SessionConfig
    limits: Limits
    corrections: bool | None = Field(
        default=None, description="true where POST /v1/corrections keeps crops with their right label"
    )


class SessionUpdated(_Message):
    type: Literal["session.updated"] = "session.updated"
    config: SessionConfig


class FaceQuality(_Message):
    """How well a face can be seen, as ``emostream.faces.Quality``."""

    sharpness: float
    brightness: float
    size_px: float | None = None
    roll_deg: float | None = None
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    visible: float | None = None


class FaceResult(_Message):
    """One face. ``predictions`` sum to 1; ``confidence`` is the largest, ``score`` the detector's.

    ``reasons`` are those of ``emostream.faces.REASONS``, or of a later version.
    """

    face_id: int
    box: Box | None = None
    score: float | None = None
    emotion: str
    confidence: float
    predictions: dict[str, float]
    quality: FaceQuality | None = None
    uncertain: bool | None = None
    reasons: list[str] | None = None


class Timing(_Message):
    """Where a frame's time went, in ms; ``batch_size`` counts the faces it was computed with."""

    queue_ms: float
    inference_ms: float
    total_ms: float
    batch_size: int


class Result(_Message):
    """A frame's faces. ``predictions`` and ``emotion`` repeat the first face's."""

    type: Literal["result"] = "result"
    frame_id: int
    captured_at: Number | None = None
    faces: list[FaceResult]
    predictions: dict[str, float] | None
    emotion: str | None
    timing: Timing


class Dropped(_Message):
    type: Literal["dropped"] = "dropped"
    frame_id: int
    reason: Literal["superseded"] = "superseded"


class Error(_Message):
    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    frame_id: int | None = None
    retryable: bool = False


class FrameCounts(_Message):
    received: int = 0
    answered: int = 0
    dropped: int = 0


class Receipt(_Message):
    """What a session has sent, and what of it was kept. Times are Unix time in ms; ``at`` is when this was
    counted. ``bytes_received`` is the size of all messages, ``images_kept`` those written to ``IMAGES_DIR``;
    nothing else is ever kept of a session."""

    session_id: str
    started_at: int
    at: int
    bytes_received: int
    frames_received: int
    images_kept: int


class SessionReceipt(Receipt):
    type: Literal["session.receipt"] = "session.receipt"


class SessionClosed(_Message):
    type: Literal["session.closed"] = "session.closed"
    reason: CloseReason
    frames: FrameCounts
    receipt: Receipt | None = None


ServerMessage = SessionCreated | SessionUpdated | SessionReceipt | Result | Dropped | Error | SessionClosed


def encode_message(message: ServerMessage) -> str:
    """A message's JSON. Fields that are None are left out, except a result's two top-level keys."""
    if isinstance(message, Result):
        content = message.model_dump(exclude_none=True)
        content.setdefault("predictions", None)
        content.setdefault("emotion", None)
        return json.dumps(content, separators=(",", ":"))
    return message.model_dump_json(exclude_none=True)


# From the client


class SessionConfigChange(_Message):
    """The named parts of the configuration; the others stay."""

    smoothing: float | None = Field(default=None, ge=0.0, lt=1.0)
    max_faces: int | None = Field(default=None, ge=1)


class SessionUpdate(_Message):
    type: Literal["session.update"]
    config: SessionConfigChange


class SessionClose(_Message):
    type: Literal["session.close"]


class SessionReceiptRequest(_Message):
    type: Literal["session.receipt"]


ClientMessage = SessionUpdate | SessionReceiptRequest | SessionClose

_CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="type")]
)


def parse_message(text: str) -> ClientMessage:
    """Reads a text message. Raises ProtocolError with code ``invalid_message``."""
    if len(text) > MAX_TEXT_LENGTH:
        message = f"a text message may have {MAX_TEXT_LENGTH} characters at most"
        raise ProtocolError("invalid_message", message)
    try:
        return _CLIENT_MESSAGE.validate_json(text)
    except ValidationError as error:
        # Where the type is known, it is the first part of each problem's place.
        raise ProtocolError("invalid_message", _summary(error, skipped=1)) from error


class FaceEntry(_Message):
    """One crop of an envelope: its length in bytes, whose face it is, and where it was in the frame."""

    length: int = Field(ge=0)
    face_id: Identifier | None = None
    box: Box | None = None
    landmarks: Landmarks | None = None
    turn_deg: Turn | None = None


class FrameHeader(_Message):
    """The JSON header of an envelope."""

    frame_id: Identifier
    captured_at: Number | None = None
    detect: bool = False
    still: bool = False
    frame_size: FrameSize | None = None
    #: Only the first problem is told, and to find thousands takes 50 ms.
    faces: list[FaceEntry] = Field(fail_fast=True)


@dataclass(frozen=True)
class FaceCrop:
    """The encoded crop of a face, whose face it is, and its box [x, y, width, height] in the frame, which may
    reach outside. ``landmarks`` are six points [x, y] in the frame; see ``detection.anchors.LANDMARKS``.
    ``turn_deg`` is by how much the crop's square was turned about its centre, clockwise."""

    face_id: int
    image: bytes
    box: list[Number] | None = None
    landmarks: list[list[float]] | None = None
    turn_deg: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A frame as received. ``captured_at`` is Unix time in ms; with ``detect``, the one crop is a whole
    image. ``size_wh`` is the client's frame in pixels. One that ``is_still`` is no part of a video: its faces
    have no past."""

    frame_id: int
    faces: tuple[FaceCrop, ...]
    captured_at: Number | None = None
    detect: bool = False
    size_wh: tuple[int, int] | None = None
    is_still: bool = False


def is_envelope(data: bytes) -> bool:
    """Whether a binary message is an envelope, and not an image file as it is.

    The first four bytes of a JPEG, PNG or WebP, read as u32, are all far above MAX_HEADER_BYTES.
    """
    return len(data) >= _HEADER_LENGTH.size and _HEADER_LENGTH.unpack_from(data)[0] <= MAX_HEADER_BYTES


def parse_envelope(data: bytes) -> Frame:
    """Reads an envelope. Raises ProtocolError with code ``invalid_frame``, and the frame's id if known."""
    (header_bytes,) = _HEADER_LENGTH.unpack_from(data)
    start = _HEADER_LENGTH.size + header_bytes
    if len(data) < start:
        raise ProtocolError(
            "invalid_frame", f"the header should have {header_bytes} bytes; the message ends before"
        )
    content = data[_HEADER_LENGTH.size : start]
    try:
        header = FrameHeader.model_validate_json(content)
    except ValidationError as error:
        raise ProtocolError("invalid_frame", _summary(error), _frame_id_in(content)) from error
    announced = sum(entry.length for entry in header.faces)
    if announced != len(data) - start:
        raise ProtocolError(
            "invalid_frame",
            f"the header announces {announced} bytes of images, but {len(data) - start} follow it",
            header.frame_id,
        )
    if header.detect and len(header.faces) != 1:
        raise ProtocolError("invalid_frame", "a frame with detect carries exactly one image", header.frame_id)
    faces = []
    for index, entry in enumerate(header.faces):
        face_id = index if entry.face_id is None else entry.face_id
        image = data[start : start + entry.length]
        faces.append(FaceCrop(face_id, image, entry.box, entry.landmarks, entry.turn_deg or 0.0))
        start += entry.length
    size_wh = None if header.frame_size is None else (header.frame_size[0], header.frame_size[1])
    return Frame(header.frame_id, tuple(faces), header.captured_at, header.detect, size_wh, header.still)


def encode_envelope(frame: Frame) -> bytes:
    """The envelope of a frame, as clients send it."""
    header: dict[str, Any] = {"frame_id": frame.frame_id}
    if frame.captured_at is not None:
        header["captured_at"] = frame.captured_at
    if frame.detect:
        header["detect"] = True
    if frame.is_still:
        header["still"] = True
    if frame.size_wh is not None:
        header["frame_size"] = list(frame.size_wh)
    header["faces"] = [
        {"face_id": face.face_id, "length": len(face.image)}
        | ({"box": face.box} if face.box else {})
        | ({"landmarks": face.landmarks} if face.landmarks else {})
        | ({"turn_deg": face.turn_deg} if face.turn_deg else {})
        for face in frame.faces
    ]
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((_HEADER_LENGTH.pack(len(encoded)), encoded, *(face.image for face in frame.faces)))


def _frame_id_in(header: bytes) -> int | None:
    """The frame's id, if a header that is otherwise wrong has a sound one."""
    try:
        return TypeAdapter(Identifier).validate_python(json.loads(header)["frame_id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _summary(error: ValidationError, skipped: int = 0) -> str:
    """The first problem in one line, such as ``config.smoothing: Input should be less than 1``.

    The first ``skipped`` parts of its place are left out.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"][skipped:])
    return f"{place}: {first['msg']}" if place else first["msg"]
