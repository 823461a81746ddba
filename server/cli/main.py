"""``emostream``: all subcommands, and how errors are reported."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from ..exceptions import EmostreamError
from ..extras import missing_extra
from .console import results, show_error
from .lazy import LazyCommand, LazyGroup

_USE, _MODELS, _MEASURE = "Use", "Models", "Measure"

COMMANDS = {
    "serve": LazyCommand(
        "emostream.cli.serve",
        "serve",
        "Serve the API and the dashboard.",
        _USE,
        ("emostream serve --host 0.0.0.0 --token …", "emostream serve --reload"),
    ),
    "stream": LazyCommand(
        "emostream.cli.stream",
        "stream",
        "Stream images to a server and write each face's emotion.",
        _USE,
        (
            "emostream stream talk.mp4 --out faces.csv",
            "emostream stream 0 --smoothing 0.5 --out today.jsonl",
            "emostream stream rtsp://camera/live --url https://emostream.example",
            "ffmpeg -i talk.mkv -f image2pipe -c:v mjpeg - | emostream stream -",
        ),
        extra=None,
    ),
    "predict": LazyCommand(
        "emostream.cli.predict",
        "predict",
        "Recognise the faces in images and videos, without a server.",
        _USE,
        (
            "emostream predict group.jpg",
            "emostream predict holiday/ --out faces.csv",
            "emostream predict talk.mp4 --annotate talk-annotated.mp4 --report talk.html --out talk.parquet",
            "emostream predict *.mov --annotate annotated/ --every 3 --smoothing 0.6",
        ),
    ),
    "live": LazyCommand(
        "emostream.cli.live",
        "live",
        "Watch a camera or a file in the terminal: boxes, and bars for every face.",
        _USE,
        (
            "emostream live",
            "emostream live talk.mp4 --smoothing 0.6",
            "emostream live rtsp://camera.local/stream --preview blocks",
            "ssh -t desk emostream live --preview none",
        ),
    ),
    "weights": LazyCommand(
        "emostream.cli.weights", "app", "List, download, check and import networks' weights.", _MODELS
    ),
    "data": LazyCommand("emostream.cli.data", "app", "Prepare data sets.", _MODELS, extra="train"),
    "train": LazyCommand(
        "emostream.cli.train",
        "train",
        "Train a network and write its weights, checkpoints and metrics to a run folder.",
        _MODELS,
        (
            "emostream train finetune --data data/mine",
            "emostream train finetune --from corrections/ --name candidate",
            "emostream train from_scratch --out runs/from_scratch",
        ),
        extra="train",
    ),
    "evaluate": LazyCommand(
        "emostream.cli.evaluate",
        "evaluate",
        "Measure a model on labelled faces: unchanged, covered, small, compressed and blurred.",
        _MODELS,
        ("emostream evaluate default data/ferplus --report report.html",),
    ),
    "compare": LazyCommand(
        "emostream.cli.compare",
        "compare",
        "Compare two models on faces that neither was trained on.",
        _MODELS,
        ("emostream compare default candidate data/mine --report comparison.html",),
        extra="train",
    ),
    "calibrate": LazyCommand(
        "emostream.cli.calibrate",
        "calibrate",
        "Fit a model's temperature on labelled faces, and store it if it improves the calibration.",
        _MODELS,
        ("emostream calibrate runs/mine data/mine",),
    ),
    "bench": LazyCommand("emostream.cli.bench", "app", "Measure this machine, or a server.", _MEASURE),
}


class _Commands(LazyGroup):
    lazy_commands = COMMANDS


app = typer.Typer(
    name="emostream",
    cls=_Commands,
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        results.print(f"emostream {version('emostream')}")
        raise typer.Exit


@app.callback()
def emostream(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Real-time facial emotion recognition, self-hosted."""


def main() -> None:
    """Runs the command line. An error prints one line and exits with code 1.

    With ``--debug`` before the command, errors keep their traceback.
    """
    try:
        app()
    except Exception as error:
        if "--debug" in sys.argv[1:2]:
            raise
        if isinstance(error, ModuleNotFoundError):
            error = missing_extra(error, "this command") or error
        if isinstance(error, EmostreamError):
            show_error(str(error))
        else:
            message = f"{type(error).__name__}: {error}".partition("\n")[0]
            show_error(f"{message} (a bug in emostream: emostream --debug … shows where)")
        sys.exit(1)
