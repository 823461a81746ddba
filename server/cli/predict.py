"""``emostream predict``: analyses images and videos without a server."""

import json
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from ..analysis.analyzer import Analyzer
from ..analysis.pipeline import AnalyzedFrame, Pipeline
from ..exceptions import EmostreamError, WriteError
from ..files import check_target
from ..settings import read_settings
from ..sources.inputs import Failure, InputFile, list_files, read_files
from ..writers import FaceWriter, Run, check_table, open_writer
from ..writers.annotated import CopyWriter, targets
from ..writers.report import REPORT_SUFFIXES, write_report
from ..writers.summary import Summary
from .console import log_to_terminal, messages, results, show, show_error
from .model_option import ModelOption

#: Most names that one line lists.
_MOST_NAMED = 8


def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…|FOLDER", help="Images, videos, or folders of them.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the results; its extension sets the format: .jsonl, .csv, .long.csv, .parquet, "
            "_events.tsv (BIDS), .eaf (ELAN) or .boris.csv. Default: standard output."
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(
            help="Annotated copies with boxes and bars: a file for one input, a folder for several."
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write a summary as an HTML page.")] = None,
    model: ModelOption = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    min_face: Annotated[
        int | None,
        typer.Option(
            min=12,
            help="Smallest face in pixels. Default: 24 in images; in videos, a thirtieth of the frame's "
            "shorter side, but at least 24.",
        ),
    ] = None,
    max_faces: Annotated[
        int | None, typer.Option(min=1, max=256, help="Most faces in one frame; the largest are kept.")
    ] = None,
    smoothing: Annotated[
        float,
        typer.Option(
            min=0.0, max=0.99, help="Weight of a face's earlier predictions in videos, from 0 to below 1."
        ),
    ] = 0.0,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Include subfolders.")] = False,
    every: Annotated[int, typer.Option(min=1, help="Analyse only every N-th frame of a video.")] = 1,
    session: Annotated[str | None, typer.Option(help="Name of the session; every row gets it.")] = None,
    timings: Annotated[
        Path | None, typer.Option(help="Write the time of each step to this file, as JSON.")
    ] = None,
) -> None:
    """Recognise the faces in images and videos, without a server.

    Results have one record per face and frame. With --annotate or --report,
    they are not printed to a terminal.

    Ctrl-C completes all outputs with the results so far.

    Exit codes: 0 done; 1 an error, or files that could not be read or copied
    (the others are done); 2 wrong usage; 130 interrupted with Ctrl-C.
    """
    started = time.perf_counter()
    log_to_terminal()
    listing = list_files(files, recursive)
    inputs = listing.files
    is_folder = len(inputs) > 1 or files[0].is_dir()
    check_table(out)
    for option, path, endings in (("--report", report, REPORT_SUFFIXES), ("--timings", timings, None)):
        check_target(option, path, endings)
    copies = targets(inputs, annotate, is_folder, listing.places) if annotate is not None else None
    for line in listing.left_out:
        show(line, style="yellow")
    settings = read_settings(max_faces=max_faces)
    try:
        analyzer = Analyzer(
            model,
            device=device,
            max_faces=settings.max_faces,
            min_face_px=min_face,
            smoothing=smoothing,
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    is_printed = out is not None or not results.is_terminal or not (annotate or report)
    with ExitStack() as stack:
        about = Run(session, analyzer.model, smoothing)
        writer = stack.enter_context(open_writer(out, analyzer.labels, about)) if is_printed else None
        shows_bar = messages.is_terminal and not (is_printed and out is None and results.is_terminal)
        run = _Run(
            writer,
            CopyWriter(copies, analyzer.labels) if copies is not None else None,
            Summary(analyzer.labels),
            stack.enter_context(_bar(shows_bar)),
            len(inputs) + len(listing.failures),
        )
        for failure in listing.failures:
            run.fail(failure.path, failure.error)
        signal_number = run.through(analyzer.pipeline(read_files(inputs, every)))
    if report is not None:
        write_report(report, run.summary, analyzer.model, datetime.now())
    run.tell(time.perf_counter() - started)
    if timings is not None:
        _write_timings(timings, run, time.perf_counter() - started)
    if signal_number:
        raise typer.Exit(128 + signal_number)
    if run.summary.failures:
        raise typer.Exit(1)


@dataclass
class _Run:
    """The outputs of one call, and its counts."""

    writer: FaceWriter | None
    copies: CopyWriter | None
    summary: Summary
    bar: Progress
    inputs: int

    def __post_init__(self) -> None:
        self.busy_s: defaultdict[str, float] = defaultdict(float)
        self.wall_s = 0.0
        self.processor_s = 0.0
        self.frames = 0
        self.faces = 0
        self._task: TaskID | None = None
        self._file: InputFile | None = None
        self._is_copied = True  # False after an error in this file's copy

    def through(self, running: Pipeline) -> int:
        """Processes all inputs. Returns the number of the signal that stopped it early, or 0."""
        started, started_processor = time.perf_counter(), time.process_time()
        with running as pipeline, _stopped_by_signals(pipeline) as received:
            is_complete = False
            try:
                for item in pipeline:
                    self._take(item)
                is_complete = not received
            finally:
                self._end_copy(is_complete)
        self.wall_s = time.perf_counter() - started
        self.processor_s = time.process_time() - started_processor
        self.busy_s.update(pipeline.busy_s)
        return received[0] if received else 0

    def fail(self, path: Path, error: Exception) -> None:
        """Records the failure of one input: shown at once, in the report, and in the exit code."""
        reason = str(error)
        if not isinstance(error, EmostreamError):
            reason = f"{path}: {type(error).__name__}: {error}"
        self.summary.add_failure(path, reason)
        show_error(reason)

    def _take(self, item: AnalyzedFrame | Failure) -> None:
        if isinstance(item, Failure):
            self._end_copy(is_complete=False)
            self.fail(item.path, item.error)
            return
        self._advance(item.input.file)
        self.frames += 1
        if item.input.is_analyzed:
            self.faces += len(item.faces)
            with self._busy("write"):
                if self.writer is not None:
                    self.writer.write(item.faces)
                self.summary.add(item)
        if self.copies and self._is_copied:
            try:
                self._copy(self.copies, item)
            except Exception as error:  # an encoder, a disk or a name failed; other copies go on
                self._is_copied = False
                self.copies.discard()
                self.fail(item.input.file.path or Path(), error)

    def _copy(self, copies: CopyWriter, item: AnalyzedFrame) -> None:
        with self._busy("draw"):
            frame = item.input.frame
            if not frame.image_rgb.flags.writeable:
                own = replace(frame, image_rgb=frame.image_rgb.copy())
                item = replace(item, input=replace(item.input, frame=own))
            copies.draw(item)
        with self._busy("encode"):
            copies.write(item)

    def _end_copy(self, is_complete: bool) -> None:
        if self.copies and self._file is not None:
            try:
                self.copies.finish(is_complete)
            except Exception as error:  # as above
                self.fail(self._file.path or Path(), error)

    def _advance(self, file: InputFile) -> None:
        if self._file is None or self._file.index != file.index:
            self._end_copy(is_complete=True)
            self._file, self._is_copied = file, True
            if self._task is not None:
                self.bar.remove_task(self._task)
            name = file.path.name if file.path else ""
            self._task = self.bar.add_task(name, total=file.frame_count)
        if self._task is not None:
            self.bar.advance(self._task)

    @contextmanager
    def _busy(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.busy_s[stage] += time.perf_counter() - started

    def tell(self, seconds: float) -> None:
        """Shows inputs without results and, on a terminal, one line about the whole run."""
        without = [file.file.path for file in self.summary.files if not file.frames_with_faces]
        if without:
            show(f"no face was found in {_some_of(without)}", style="yellow")
        failed = list(dict.fromkeys(path for path, _ in self.summary.failures))
        if failed and self.inputs > 1:
            show(f"{len(failed)} of {self.inputs} inputs failed: {_some_of(failed)}", style="red")
        if messages.is_terminal:
            messages.print(
                f"frames: {self.frames}, faces in them: {self.faces}, seconds: {seconds:.1f}",
                style="dim",
            )


def _some_of(paths: Sequence[Path | None]) -> str:
    """The first names, and the number of the others."""
    names = [path.name for path in paths if path is not None]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


@contextmanager
def _stopped_by_signals(pipeline: Pipeline) -> Iterator[list[int]]:
    """The first SIGINT or SIGTERM stops reading, so that outputs are completed; a second one aborts."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        pipeline.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bar(is_shown: bool) -> Progress:
    """Frames of the file under way."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    return Progress(*columns, console=messages, disable=not is_shown, transient=True)


def _write_timings(out: Path, run: _Run, total_s: float) -> None:
    figures = {
        "frames": run.frames,
        "faces": run.faces,
        "total_s": round(total_s, 3),
        "pipeline_s": round(run.wall_s, 3),
        "processor_s": round(run.processor_s, 3),
        "busy_s": {stage: round(seconds, 3) for stage, seconds in run.busy_s.items()},
    }
    try:
        out.write_text(json.dumps(figures, indent=2) + "\n")
    except OSError as error:
        raise WriteError(f"--timings {out} cannot be written: {error.strerror}") from error
