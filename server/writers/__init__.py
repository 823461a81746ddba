"""Results as files: tables, annotated copies, reports."""

from .tables import FaceWriter, open_writer

__all__ = ["FaceWriter", "open_writer"]
