"""Pictures from anything: cameras, video files, addresses, folders, a pipe."""

from server.sources.opening import open_source
from server.sources.source import Frame, Source

__all__ = ["Frame", "Source", "open_source"]
