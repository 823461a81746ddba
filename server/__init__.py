"""Emostream: facial emotion recognition for images, videos and streams.

>>> import emostream
>>> faces = emostream.analyze("group.jpg")
>>> faces[0].emotion, faces[0].confidence

``analyze`` and ``Analyzer`` compute in this process (``pip install 'emostream[server]'``); ``connect`` and
``connect_sync`` stream to a server. docs/python.md has them all. Nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.analyzer import Analyzer, analyze
    from .client import connect, connect_sync
    from .exceptions import EmostreamError
    from .faces import Face, Faces

__all__ = ["Analyzer", "EmostreamError", "Face", "Faces", "analyze", "connect", "connect_sync"]

_HOMES = {
    "Analyzer": "analysis.analyzer",
    "EmostreamError": "exceptions",
    "Face": "faces",
    "Faces": "faces",
    "analyze": "analysis.analyzer",
    "connect": "client",
    "connect_sync": "client",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
