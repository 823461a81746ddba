"""The Python client of the streaming protocol; docs/client.md shows its use."""

from .local_detection import Detect
from .results import Answer, Dropped, FrameError, FrameResult, SessionInfo
from .stream import Stream, connect
from .sync import SyncStream, connect_sync

__all__ = [
    "Answer",
    "Detect",
    "Dropped",
    "FrameError",
    "FrameResult",
    "SessionInfo",
    "Stream",
    "SyncStream",
    "connect",
    "connect_sync",
]
