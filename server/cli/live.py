"""``emostream live``: shows the faces of a camera or file in the terminal, without a server."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..analysis.analyzer import Analyzer
from ..exceptions import SourceError
from ..sources import open_source
from ..terminal.live_view import LiveView, unwound_by_signals
from ..terminal.preview import PreviewKind
from .console import messages
from .model_option import ModelOption


def live(
    source: Annotated[
        str, typer.Argument(help="Camera (0, /dev/video1), video, image, folder or address.")
    ] = "0",
    preview: Annotated[
        PreviewKind, typer.Option(help="auto chooses the best kind that the terminal supports.")
    ] = PreviewKind.AUTO,
    model: ModelOption = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    min_face: Annotated[
        int | None, typer.Option(min=12, help="Smallest face in pixels. Default: as for videos in predict.")
    ] = None,
    max_faces: Annotated[int, typer.Option(min=1, max=256, help="Most faces; the largest are kept.")] = 8,
    smoothing: Annotated[
        float,
        typer.Option(min=0.0, max=0.99, help="Weight of a face's earlier predictions, from 0 to below 1."),
    ] = 0.5,
) -> None:
    """Watch a camera or a file in the terminal: boxes, and bars for every face.

    Keys: q quits, s saves a snapshot to the current folder, space pauses.

    A camera always shows its newest frame, however slow the machine is;
    files play at their own rate. Works over SSH.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SourceError(
            "live needs a terminal, but standard input or output is not one; "
            "`emostream predict` writes results to files, and `ssh -t` provides a terminal"
        )
    try:
        with unwound_by_signals(), open_source(source) as opened:
            with messages.status("loading the model"):
                analyzer = Analyzer(
                    model,
                    device=device,
                    max_faces=max_faces,
                    min_face_px=min_face,
                    smoothing=smoothing,
                )
            with _buffered_console() as console:
                LiveView(opened, analyzer, preview, console, Path.cwd()).run()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def _buffered_console() -> Iterator[Console]:
    """Standard output with its own buffer.

    Under PYTHONUNBUFFERED, Python's standard output has none. What a terminal does not accept at once is then
    lost: half a screen whenever a resize interrupts a write.
    """
    with open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, closefd=False) as file:
        yield Console(file=file, highlight=False)
