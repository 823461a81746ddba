"""Sources of images: cameras, video files, addresses, folders, a pipe."""

from .opening import open_source
from .source import Frame, Source

__all__ = ["Frame", "Source", "open_source"]
