"""What a stream yields: exactly one answer for every frame, in the frames' order."""

from dataclasses import dataclass
from typing import Literal

from ..faces import Faces
from ..protocol.wire import Limits, SessionConfig, Timing
from ..sources import Frame


@dataclass(frozen=True)
class SessionInfo:
    """What the server has said about itself. ``labels`` are in the order of every face's probabilities."""

    session_id: str
    model: str
    labels: tuple[str, ...]
    config: SessionConfig
    limits: Limits


@dataclass(frozen=True)
class FrameResult:
    """A frame's faces, with boxes in pixels of the frame; a box is None only where the frame was a crop.

    ``latency_ms`` is from sending to the answer, ``timing`` the server's part of it; both are None for a
    frame that was not sent, since there was no face in it.
    """

    frame: Frame
    frame_id: int
    faces: Faces
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
