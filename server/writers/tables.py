"""Faces as JSON lines, CSV and Parquet, written so that an interrupted run leaves what it has, whole."""

import csv
import io
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

from ..exceptions import WriteError
from ..extras import needed_for
from ..faces import Faces, columns
from ..files import replacing
from ..inert import in_cell, in_json

TableFormat = Literal["jsonl", "csv", "parquet"]

_FORMATS: dict[str, TableFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}

#: Rows in one row group of a Parquet file: enough to compress, few enough to hold.
_ROW_GROUP = 8192


class FaceWriter(ABC):
    """A context manager; leaving it, for whatever reason, writes what is left and closes the file."""

    @abstractmethod
    def write(self, faces: Faces) -> None:
        """Writes one frame's faces; lines can be read at once. Raises WriteError."""

    @abstractmethod
    def close(self) -> None:
        """Raises WriteError."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _LineWriter(FaceWriter):
    """Text. A frame's lines leave in one piece."""

    def __init__(self, file: TextIO, name: str, is_ours: bool) -> None:
        self._file = file
        self._name = name
        self._is_ours = is_ours

    def write(self, faces: Faces) -> None:
        self._put(self._lines(faces))

    @abstractmethod
    def _lines(self, faces: Faces) -> str:
        """A frame's lines, each with its end."""

    def _put(self, text: str) -> None:
        if not text:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            raise  # whoever reads has seen enough: no error of the file's
        except OSError as error:
            raise WriteError(f"{self._name} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        if self._is_ours:
            self._file.close()


class _JsonLines(_LineWriter):
    def _lines(self, faces: Faces) -> str:
        return "".join(
            in_json(json.dumps(row, separators=(",", ":"), ensure_ascii=False)) + "\n"
            for row in faces.to_dicts()
        )


class _Csv(_LineWriter):
    def __init__(self, file: TextIO, name: str, is_ours: bool, labels: Sequence[str]) -> None:
        super().__init__(file, name, is_ours)
        self._columns = columns(labels)
        self._put(self._formatted([dict(zip(self._columns, self._columns, strict=True))]))

    def _lines(self, faces: Faces) -> str:
        return self._formatted(faces.to_rows())

    def _formatted(self, rows: list[dict[str, Any]]) -> str:
        buffer = io.StringIO(newline="")
        harmless = (
            {name: in_cell(value) if isinstance(value, str) else value for name, value in row.items()}
            for row in rows
        )
        csv.DictWriter(buffer, self._columns, lineterminator="\n").writerows(harmless)
        return buffer.getvalue()


class _Parquet(FaceWriter):
    """Under another name until it is whole: a Parquet file without its end cannot be read at all."""

    def __init__(self, out: Path, labels: Sequence[str]) -> None:
        with needed_for("writing Parquet"):
            import pyarrow as pa
            import pyarrow.parquet as pq
        self._out = out
        self._rows: list[dict[str, Any]] = []
        types = {"time_s": pa.float64(), "source": pa.string(), "emotion": pa.string()}
        types |= {"uncertain": pa.bool_(), "reasons": pa.string()}
        types |= dict.fromkeys(("frame", "face_id"), pa.int64())
        types |= dict.fromkeys((name for name in columns(labels) if name.startswith("box_")), pa.int32())
        self._schema = pa.schema([(name, types.get(name, pa.float32())) for name in columns(labels)])
        self._to_table = pa.Table.from_pylist
        with ExitStack() as opening:
            temporary = opening.enter_context(replacing(out))
            try:
                self._file = pq.ParquetWriter(temporary, self._schema)
            except OSError as error:
                raise WriteError(f"{out} cannot be written: {error.strerror or error}") from error
            self._renaming = opening.pop_all()

    def write(self, faces: Faces) -> None:
        self._rows += faces.to_rows()
        if len(self._rows) >= _ROW_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        try:
            self._file.write_table(self._to_table(self._rows, self._schema))
        except OSError as error:
            raise WriteError(f"{self._out} cannot be written: {error.strerror or error}") from error
        self._rows = []

    def close(self) -> None:
        if not self._file.is_open:
            return
        try:
            with self._renaming:
                if self._rows:
                    self._write_group()
                self._file.close()
        except OSError as error:
            raise WriteError(f"{self._out} cannot be written: {error.strerror or error}") from error


def open_writer(out: Path | None, labels: Sequence[str], format: TableFormat | None = None) -> FaceWriter:
    """A writer to ``out``, which it replaces, or to standard output for None. Raises WriteError.

    Where no format is given the name's ending says it (.jsonl, .csv, .parquet); standard output is JSON
    lines.
    """
    chosen = format or _format_of(out)
    if chosen == "parquet":
        if out is None:
            raise WriteError("Parquet cannot be written to standard output; name a file")
        return _Parquet(out, labels)
    if out is None:
        file, name = sys.stdout, "standard output"
    else:
        try:
            file = out.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise WriteError(f"{out} cannot be written: {error.strerror}") from error
        name = str(out)
    if chosen == "csv":
        return _Csv(file, name, out is not None, labels)
    return _JsonLines(file, name, out is not None)


def _format_of(out: Path | None) -> TableFormat:
    if out is None:
        return "jsonl"
    try:
        return _FORMATS[out.suffix.lower()]
    except KeyError:
        raise WriteError(f"{out}: the name must end in {', '.join(_FORMATS)}") from None
