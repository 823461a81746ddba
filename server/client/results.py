"""What a stream yields: exactly one answer for every frame, in the frames' order."""

from dataclasses import dataclass
from typing import Literal

from ..protocol.wire import Limits, SessionConfig, Timing
from ..sources import Frame

BoxXywh = tuple[float, float, float, float]


@dataclass(frozen=True)
class SessionInfo:
    """What the server has said about itself. ``labels`` are in the order of every face's predictions."""

    session_id: str
    model: str
    labels: tuple[str, ...]
    config: SessionConfig
    limits: Limits


@dataclass(frozen=True)
class FaceResult:
    """One face. ``predictions`` sum to 1, ``confidence`` is the largest of them and ``emotion`` its label.

    ``box_xywh`` is [x, y, width, height] in pixels of the frame, and None only where the frame was a crop;
    ``score`` is the detector's in [0, 1].
    """

    face_id: int
    emotion: str
    confidence: float
    predictions: dict[str, float]
    box_xywh: BoxXywh | None = None
    score: float | None = None


@dataclass(frozen=True)
class FrameResult:
    """A frame's faces. ``latency_ms`` is from sending to the answer, ``timing`` the server's part of it; both
    are None for a frame that was not sent, since there was no face to be found in it."""

    frame: Frame
    frame_id: int
    faces: tuple[FaceResult, ...]
    timing: Timing | None
    latency_ms: float | None


@dataclass(frozen=True)
class Dropped:
    """A frame of a realtime stream that was not computed: a newer one came, or the connection broke."""

    frame: Frame
    frame_id: int
    reason: Literal["superseded", "disconnected"]


@dataclass(frozen=True)
class FrameError:
    """A frame that cannot be computed; ``code`` is one of the protocol's. The stream goes on."""

    frame: Frame
    frame_id: int
    code: str
    message: str


Answer = FrameResult | Dropped | FrameError
