"""Results as files: tables, annotated copies, reports."""

from .run import Run
from .tables import FaceWriter, check_table, open_writer

__all__ = ["FaceWriter", "Run", "check_table", "open_writer"]
