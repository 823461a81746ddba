"""The Python client of the streaming protocol; docs/client.md shows its use."""

from .encoding import Detect
from .results import Answer, Dropped, FaceResult, FrameError, FrameResult, SessionInfo
from .stream import Stream, connect
from .sync import SyncStream, connect_sync

__all__ = [
    "Answer",
    "Detect",
    "Dropped",
    "FaceResult",
    "FrameError",
    "FrameResult",
    "SessionInfo",
    "Stream",
    "SyncStream",
    "connect",
    "connect_sync",
]
