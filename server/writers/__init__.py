"""Results as files: JSON lines, CSV and Parquet, one record a face."""

from .record import FaceRecord
from .tables import RecordWriter, open_writer

__all__ = ["FaceRecord", "RecordWriter", "open_writer"]
