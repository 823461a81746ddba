"""``emostream predict``: images and videos that are already there, without a server."""

import json
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
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
from ..exceptions import WriteError
from ..settings import read_settings
from ..sources.inputs import Failure, InputFile, list_files, read_files
from ..writers import FaceWriter, Run, open_writer
from ..writers.annotated import CopyWriter, targets
from ..writers.report import write_report
from ..writers.summary import Summary
from .console import messages, results
from .model_option import ModelOption


def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…|FOLDER", help="Images, videos, or folders of them.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Results, by its ending: .jsonl, .csv, .long.csv, .parquet, _events.tsv (BIDS), .eaf (ELAN) "
            "or .boris.csv. Standard output if left out."
        ),
    ] = None,
    annotate: Annotated[
        Path | None,
        typer.Option(help="Copies with boxes and bars drawn in: a file for one input, a folder for several."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="An HTML page that sums it all up.")] = None,
    model: ModelOption = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    min_face: Annotated[
        int | None,
        typer.Option(
            min=12,
            help="Smallest face in pixels. If left out: 24 in images, a thirtieth of the frame's shorter "
            "side, but at least 24, in videos.",
        ),
    ] = None,
    max_faces: Annotated[
        int | None, typer.Option(min=1, max=256, help="Most faces in one frame, the largest ones.")
    ] = None,
    smoothing: Annotated[
        float, typer.Option(min=0.0, max=0.99, help="Weight of a face's past in videos, from 0 to below 1.")
    ] = 0.0,
    every: Annotated[int, typer.Option(min=1, help="Of a video analyse each N-th frame only.")] = 1,
    session: Annotated[str | None, typer.Option(help="The session's name, which each row then has.")] = None,
    timings: Annotated[
        Path | None, typer.Option(help="Write where the time went to this file, as JSON.")
    ] = None,
) -> None:
    """Recognise the faces in images and videos, in this process: no server is needed.

    Results are one record a face and frame. A terminal does not show them
    where --annotate or --report is asked for.

    A file that cannot be read fails alone; the exit code is 1 then.
    Ctrl-C finishes all outputs with what has been seen so far.
    """
    started = time.perf_counter()
    inputs = list_files(files)
    is_folder = len(inputs) > 1 or files[0].is_dir()
    copies = targets(inputs, annotate, is_folder) if annotate is not None else None
    settings = read_settings(model=model, max_faces=max_faces)
    try:
        analyzer = Analyzer(
            settings.model,
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
        )
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
    """One call's outputs, and what went through them."""

    writer: FaceWriter | None
    copies: CopyWriter | None
    summary: Summary
    bar: Progress

    def __post_init__(self) -> None:
        self.busy_s: defaultdict[str, float] = defaultdict(float)
        self.wall_s = 0.0
        self.processor_s = 0.0
        self.frames = 0
        self.faces = 0
        self._task: tuple[int, TaskID] | None = None

    def through(self, running: Pipeline) -> int:
        """Takes all inputs through; returns the number of the signal that ended it early, or 0."""
        started, started_processor = time.perf_counter(), time.process_time()
        with running as pipeline, _stopped_by_signals(pipeline) as received:
            is_complete = False
            try:
                for item in pipeline:
                    self._take(item)
                is_complete = not received
            finally:
                if self.copies:
                    self.copies.finish(is_complete)
        self.wall_s = time.perf_counter() - started
        self.processor_s = time.process_time() - started_processor
        self.busy_s.update(pipeline.busy_s)
        return received[0] if received else 0

    def _take(self, item: AnalyzedFrame | Failure) -> None:
        if isinstance(item, Failure):
            if self.copies:
                self.copies.finish(is_complete=False)
            self.summary.add_failure(str(item.path), str(item.error))
            messages.print("error:", style="red", end=" ")
            messages.print(str(item.error), markup=False)
            return
        self._advance(item.input.file)
        self.frames += 1
        if item.input.is_analyzed:
            self.faces += len(item.faces)
            with self._busy("write"):
                self.summary.add(item)
                if self.writer is not None:
                    self.writer.write(item.faces)
        if self.copies:
            with self._busy("draw"):
                frame = item.input.frame
                if not frame.image_rgb.flags.writeable:
                    own = replace(frame, image_rgb=frame.image_rgb.copy())
                    item = replace(item, input=replace(item.input, frame=own))
                self.copies.draw(item)
            with self._busy("encode"):
                self.copies.write(item)

    def _advance(self, file: InputFile) -> None:
        if self._task is None or self._task[0] != file.index:
            if self._task is not None:
                self.bar.remove_task(self._task[1])
            name = file.path.name if file.path else ""
            self._task = (file.index, self.bar.add_task(name, total=file.frame_count))
        self.bar.advance(self._task[1])

    @contextmanager
    def _busy(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.busy_s[stage] += time.perf_counter() - started

    def tell(self, seconds: float) -> None:
        """One line about the whole run, where somebody watches."""
        if messages.is_terminal:
            messages.print(
                f"frames: {self.frames}, faces in them: {self.faces}, seconds: {seconds:.1f}",
                style="dim",
            )


@contextmanager
def _stopped_by_signals(pipeline: Pipeline) -> Iterator[list[int]]:
    """The first SIGINT or SIGTERM stops reading, so that outputs end whole; a second one ends all at once."""
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
