"""Results as files: JSON lines, CSV and Parquet, one record a face."""

from server.records.record import FaceRecord
from server.records.writers import RecordWriter, open_writer

__all__ = ["FaceRecord", "RecordWriter", "open_writer"]
