"""Results as files: tables, annotated copies, reports."""

from .run import Run
from .tables import FaceWriter, open_writer

__all__ = ["FaceWriter", "Run", "open_writer"]
