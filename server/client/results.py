"""What a stream yields: exactly one answer for every frame, in the frames' order."""

from dataclasses import dataclass
from typing import Literal

from ..faces import Faces
from ..protocol.wire import Limits, SessionConfig, Timing
from ..sources import Frame


@dataclass(frozen=True)
class SessionInfo:
    """Facts about the server. ``labels`` are in the order of every face's probabilities."""

    session_id: str
    model: str
    labels: tuple[str, ...]
    config: SessionConfig
    limits: Limits


@dataclass(frozen=True)
class FrameResult:
    """A frame's faces, with boxes in pixels of the frame; a box is None only if the frame was a crop.

    ``latency_ms`` is the time from sending to the answer, ``timing`` the server's part of it. Both are None
    for a frame that was not sent because it has no face.
    """

    frame: Frame
    frame_id: int
    faces: Faces
    timing: Timing | None
    latency_ms: float | None


@dataclass(frozen=True)
class Dropped:
    """A skipped frame of a realtime stream: a newer one arrived, or the connection was lost."""

    frame: Frame
    frame_id: int
    reason: Literal["superseded", "disconnected"]


@dataclass(frozen=True)
class FrameError:
    """A frame that could not be recognised; ``code`` is one of the protocol's. The stream continues."""

    frame: Frame
    frame_id: int
    code: str
    message: str


Answer = FrameResult | Dropped | FrameError
