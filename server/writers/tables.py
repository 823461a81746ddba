"""Writes faces as tables and research formats; an interrupted run leaves valid files."""

import csv
import io
import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

from ..exceptions import WriteError
from ..extras import needed_for
from ..faces import Faces, columns
from ..files import check_target, replacing
from ..inert import in_cell, in_json
from .episodes import EpisodeBuilder
from .lab_formats import bids_events, bids_sidecar, boris_events, elan_file
from .run import RUN_COLUMNS, Run

TableFormat = Literal["jsonl", "csv", "csv_long", "parquet", "bids", "elan", "boris"]

#: File extensions; the longest one that matches counts.
_FORMATS: dict[str, TableFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".long.csv": "csv_long",
    ".parquet": "parquet",
    "_events.tsv": "bids",
    ".eaf": "elan",
    ".boris.csv": "boris",
}

#: Rows per row group of a Parquet file: enough to compress, few enough for memory.
_ROW_GROUP = 8192


class FaceWriter(ABC):
    """A context manager that writes buffered rows and closes the file when it is left for any reason."""

    @abstractmethod
    def write(self, faces: Faces) -> None:
        """Writes one frame's faces; lines are readable at once. Raises WriteError."""

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
    """A text file; the lines of a frame are written at once."""

    def __init__(self, file: TextIO, name: str, is_ours: bool) -> None:
        self._file = file
        self._name = name
        self._is_ours = is_ours

    def write(self, faces: Faces) -> None:
        self._put(self._lines(faces))

    @abstractmethod
    def _lines(self, faces: Faces) -> str:
        """A frame's lines, each with a line break."""

    def _put(self, text: str) -> None:
        if not text:
            return
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            raise  # the reader has closed the pipe, which is no error
        except OSError as error:
            raise WriteError(f"{self._name} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        if self._is_ours:
            self._file.close()


class _JsonLines(_LineWriter):
    def __init__(self, file: TextIO, name: str, is_ours: bool, run: Run) -> None:
        super().__init__(file, name, is_ours)
        self._run = run

    def _lines(self, faces: Faces) -> str:
        about = self._run.values(faces)
        # Standard output has the terminal's encoding, which may lack characters of a name.
        is_ascii = not self._is_ours and self._file.encoding.lower().replace("-", "") != "utf8"
        return "".join(
            in_json(json.dumps(row | about, separators=(",", ":"), ensure_ascii=is_ascii)) + "\n"
            for row in faces.to_dicts()
        )


class _Csv(_LineWriter):
    """One row per face; with ``is_long``, one row per label of a face."""

    def __init__(
        self, file: TextIO, name: str, is_ours: bool, labels: Sequence[str], run: Run, is_long: bool
    ) -> None:
        super().__init__(file, name, is_ours)
        self._run = run
        self._labels = labels if is_long else None
        self._columns = _long_columns(labels) if is_long else (*columns(labels), *RUN_COLUMNS)
        self._put(self._formatted([dict(zip(self._columns, self._columns, strict=True))]))

    def _lines(self, faces: Faces) -> str:
        about = self._run.values(faces)
        rows = [row | about for row in faces.to_rows()]
        if self._labels is not None:
            rows = [
                row | {"label": label, "probability": row[f"p_{label}"]}
                for row in rows
                for label in self._labels
            ]
        return self._formatted(rows)

    def _formatted(self, rows: list[dict[str, Any]]) -> str:
        buffer = io.StringIO(newline="")
        harmless = (
            {name: in_cell(value) if isinstance(value, str) else value for name, value in row.items()}
            for row in rows
        )
        table = csv.DictWriter(buffer, self._columns, lineterminator="\n", extrasaction="ignore")
        table.writerows(harmless)
        return buffer.getvalue()


def _long_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Replaces the columns ``p_<label>`` by ``label`` and ``probability``."""
    wide = columns(labels)
    first, last = wide.index("confidence") + 1, wide.index("confidence") + 1 + len(labels)
    return (*wide[:first], "label", "probability", *wide[last:], *RUN_COLUMNS)


class _Lab(FaceWriter):
    """Episodes of each face, written at the end, since these files begin with all times."""

    def __init__(self, out: Path, format: TableFormat, labels: Sequence[str], run: Run) -> None:
        self._out = out
        self._format = format
        self._labels = labels
        self._run = run
        self._started_at_ms = 1000 * time.time() if run.started_at_ms is None else run.started_at_ms
        self._builders: dict[str | None, EpisodeBuilder] = {}
        self._is_open = True

    def write(self, faces: Faces) -> None:
        builder = self._builders.setdefault(faces.source, EpisodeBuilder(self._run.interval_ms or 0))
        for face in faces:
            builder.add(f"Face {face.face_id or 0}", faces.time_s, face.emotion, face.confidence)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        episodes = [
            # Faces of several files may have the same id.
            replace(episode, person=f"{source} {episode.person}") if len(self._builders) > 1 else episode
            for source, builder in self._builders.items()
            for episode in builder.finish()
        ]
        episodes.sort(key=lambda episode: (episode.start_s, episode.person))
        match self._format:
            case "bids":
                self._save(self._out, bids_events(episodes))
                sidecar = bids_sidecar(self._run.model or "the model", self._labels)
                self._save(self._out.with_suffix(".json"), sidecar)
            case "elan":
                self._save(self._out, elan_file(episodes, self._started_at_ms))
            case _:
                self._save(self._out, boris_events(episodes))

    def _save(self, path: Path, text: str) -> None:
        try:
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise WriteError(f"{path} cannot be written: {error.strerror}") from error


class _Parquet(FaceWriter):
    """Written under a temporary name, since a Parquet file without its end is unreadable."""

    def __init__(self, out: Path, labels: Sequence[str], run: Run) -> None:
        with needed_for("writing Parquet"):
            import pyarrow as pa
            import pyarrow.parquet as pq
        self._out = out
        self._run = run
        self._rows: list[dict[str, Any]] = []
        types = {"time_s": pa.float64(), "source": pa.string(), "emotion": pa.string()}
        types |= {"uncertain": pa.bool_(), "reasons": pa.string()}
        types |= {"captured_at": pa.float64(), "smoothing": pa.float64(), "interval_ms": pa.int32()}
        types |= dict.fromkeys(("person", "marker", "session", "model"), pa.string())
        types |= dict.fromkeys(("frame", "face_id"), pa.int64())
        types |= dict.fromkeys((name for name in columns(labels) if name.startswith("box_")), pa.int32())
        names = (*columns(labels), *RUN_COLUMNS)
        self._schema = pa.schema([(name, types.get(name, pa.float32())) for name in names])
        self._to_table = pa.Table.from_pylist
        with ExitStack() as opening:
            temporary = opening.enter_context(replacing(out))
            try:
                self._file = pq.ParquetWriter(temporary, self._schema)
            except OSError as error:
                raise WriteError(f"{out} cannot be written: {error.strerror or error}") from error
            self._renaming = opening.pop_all()

    def write(self, faces: Faces) -> None:
        about = self._run.values(faces)
        for row in faces.to_rows():
            source = row["source"]  # a name is bytes, which need not be UTF-8
            text = None if source is None else os.fsencode(source).decode(errors="backslashreplace")
            self._rows.append(row | about | {"source": text})
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


def open_writer(
    out: Path | None, labels: Sequence[str], run: Run, format: TableFormat | None = None
) -> FaceWriter:
    """A writer to ``out``, which it replaces, or to standard output for None. Raises WriteError.

    Unless a format is given, the file's extension sets it: .jsonl, .csv, .long.csv (one row per label),
    .parquet, _events.tsv (BIDS, with its .json), .eaf (ELAN), .boris.csv. Standard output is JSON lines.
    """
    chosen = format or _format_of(out)
    if out is None and chosen not in ("jsonl", "csv", "csv_long"):
        raise WriteError(f"{chosen} cannot be written to standard output; name a file")
    if out is not None and chosen == "parquet":
        return _Parquet(out, labels, run)
    if out is not None and chosen in ("bids", "elan", "boris"):
        if not out.parent.is_dir():
            raise WriteError(f"{out} cannot be written: there is no folder {out.parent}")
        return _Lab(out, chosen, labels, run)
    if out is None:
        file, name = sys.stdout, "standard output"
    else:
        try:
            file = out.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise WriteError(f"{out} cannot be written: {error.strerror}") from error
        name = str(out)
    if chosen == "jsonl":
        return _JsonLines(file, name, out is not None, run)
    return _Csv(file, name, out is not None, labels, run, is_long=chosen == "csv_long")


def check_table(out: Path | None) -> None:
    """Checks before any work; raises WriteError as ``open_writer`` would, and MissingExtraError."""
    if _format_of(out) == "parquet":
        with needed_for("writing Parquet"):
            import pyarrow  # noqa: F401
    check_target("--out", out)


def _format_of(out: Path | None) -> TableFormat:
    if out is None:
        return "jsonl"
    endings = [ending for ending in _FORMATS if out.name.lower().endswith(ending)]
    if not endings:
        raise WriteError(f"{out}: the name must end in {', '.join(_FORMATS)}")
    return _FORMATS[max(endings, key=len)]
