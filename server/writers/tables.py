"""Writing records so that an interrupted run leaves what it has, whole."""

import csv
import io
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..exceptions import RecordError
from .record import FaceRecord, columns

RecordFormat = Literal["jsonl", "csv", "parquet"]

_FORMATS: dict[str, RecordFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}

#: Records in one row group of a Parquet file: enough to compress, few enough to hold.
_ROW_GROUP = 8192


class RecordWriter(ABC):
    """A context manager; leaving it, for whatever reason, writes what is left and closes the file."""

    @abstractmethod
    def write(self, record: FaceRecord) -> None:
        """A frame's records come one after the other. Raises RecordError."""

    def flush(self) -> None:  # noqa: B027 -- Parquet's row groups keep to themselves
        """Says that a frame is complete, where lines can be read at once. Raises RecordError."""

    @abstractmethod
    def close(self) -> None:
        """Raises RecordError."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _LineWriter(RecordWriter):
    """Text. A frame's lines leave in one piece: when the next frame's come, at ``flush`` and at the end."""

    def __init__(self, file: TextIO, what: str, is_ours: bool) -> None:
        self._file = file
        self._what = what
        self._is_ours = is_ours
        self._lines = io.StringIO(newline="")
        self._frame: int | None = None

    def write(self, record: FaceRecord) -> None:
        if record.frame != self._frame:
            self.flush()
            self._frame = record.frame
        self._add(record)

    @abstractmethod
    def _add(self, record: FaceRecord) -> None:
        """Puts a record's line to ``_lines``."""

    def flush(self) -> None:
        text = self._lines.getvalue()
        if not text:
            return
        self._lines.seek(0)
        self._lines.truncate()
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            raise  # whoever reads has seen enough: no error of the file's
        except OSError as error:
            raise RecordError(f"{self._what} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        try:
            self.flush()
        finally:
            if self._is_ours:
                self._file.close()


class _JsonLines(_LineWriter):
    def _add(self, record: FaceRecord) -> None:
        self._lines.write(json.dumps(record.nested(), separators=(",", ":"), ensure_ascii=False) + "\n")


class _Csv(_LineWriter):
    def __init__(
        self, file: TextIO, what: str, is_ours: bool, labels: Sequence[str], has_header: bool
    ) -> None:
        super().__init__(file, what, is_ours)
        self._labels = labels
        self._rows = csv.DictWriter(self._lines, columns(labels), lineterminator="\n")
        if not has_header:
            self._rows.writeheader()
            self.flush()

    def _add(self, record: FaceRecord) -> None:
        self._rows.writerow(record.flat(self._labels))


class _Parquet(RecordWriter):
    """Under another name until it is whole: a Parquet file without its end cannot be read at all."""

    def __init__(self, out: Path, labels: Sequence[str]) -> None:
        self._out = out
        self._labels = labels
        self._temporary = out.with_name(f".{out.name}.{os.getpid()}.partial")
        self._rows: list[dict[str, object]] = []
        self._schema = pa.schema(
            [
                ("frame", pa.int64()),
                ("time_s", pa.float64()),
                ("source", pa.string()),
                ("face_id", pa.int64()),
                *((f"box_{side}", pa.int32()) for side in ("x", "y", "width", "height")),
                ("score", pa.float32()),
                ("emotion", pa.string()),
                ("confidence", pa.float32()),
                *((f"p_{label}", pa.float32()) for label in labels),
            ]
        )
        try:
            self._file = pq.ParquetWriter(self._temporary, self._schema)
        except OSError as error:
            raise RecordError(f"{out} cannot be written: {error.strerror or error}") from error

    def write(self, record: FaceRecord) -> None:
        self._rows.append(record.flat(self._labels))
        if len(self._rows) >= _ROW_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        try:
            self._file.write_table(pa.Table.from_pylist(self._rows, self._schema))
        except OSError as error:
            raise RecordError(f"{self._out} cannot be written: {error.strerror or error}") from error
        self._rows = []

    def close(self) -> None:
        if not self._file.is_open:
            return
        try:
            if self._rows:
                self._write_group()
            self._file.close()
            self._temporary.replace(self._out)
        except OSError as error:
            raise RecordError(f"{self._out} cannot be written: {error.strerror or error}") from error


def open_writer(
    out: Path | None, labels: Sequence[str], format: RecordFormat | None = None, append: bool = False
) -> RecordWriter:
    """A writer to ``out``, or to standard output for None. Raises RecordError.

    Where no format is given the name's ending says it (.jsonl, .csv, .parquet); standard output is JSON
    lines. ``append`` goes on behind what a file has, as long as its columns are the same; Parquet files
    cannot be gone on with.
    """
    chosen = format or _format_of(out)
    if chosen == "parquet":
        if out is None:
            raise RecordError("Parquet cannot be written to standard output; name a file")
        if append and out.exists():
            raise RecordError(f"{out}: a Parquet file cannot be gone on with; use .jsonl or .csv")
        return _Parquet(out, labels)
    has_header = append and out is not None and out.exists() and out.stat().st_size > 0
    if out is None:
        file, what = sys.stdout, "standard output"
    else:
        if has_header:
            _cut_broken_line(out)
            if chosen == "csv":
                has_header = _has_header(out, labels)
        try:
            file = out.open("a" if append else "w", encoding="utf-8", newline="")
        except OSError as error:
            raise RecordError(f"{out} cannot be written: {error.strerror}") from error
        what = str(out)
    if chosen == "csv":
        return _Csv(file, what, out is not None, labels, has_header)
    return _JsonLines(file, what, out is not None)


def _format_of(out: Path | None) -> RecordFormat:
    if out is None:
        return "jsonl"
    try:
        return _FORMATS[out.suffix.lower()]
    except KeyError:
        raise RecordError(f"{out}: the name must end in {', '.join(_FORMATS)}") from None


def _cut_broken_line(out: Path) -> None:
    """Takes off a last line without its end, which a loss of power can leave."""
    with out.open("rb+") as file:
        content_end = file.seek(0, os.SEEK_END)
        start = max(0, content_end - 1024 * 1024)
        file.seek(start)
        tail = file.read()
        file.truncate(start + tail.rfind(b"\n") + 1)


def _has_header(out: Path, labels: Sequence[str]) -> bool:
    with out.open(encoding="utf-8", newline="") as file:
        first = next(csv.reader(file), None)
    if first is not None and tuple(first) != columns(labels):
        raise RecordError(f"{out} has other columns than this model's records; choose another file")
    return first is not None
