"""The Python client of the streaming protocol; docs/client.md shows its use."""

from server.client.encoding import Detect
from server.client.results import Answer, Dropped, FaceResult, FrameError, FrameResult, SessionInfo
from server.client.stream import Stream, connect
from server.client.sync import SyncStream, connect_sync

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
