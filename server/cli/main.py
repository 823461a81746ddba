"""``emostream``: every subcommand, and how errors leave it."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from server.cli import bench, data, weights
from server.cli.calibrate import calibrate
from server.cli.console import examples, messages, results
from server.cli.evaluate import evaluate
from server.cli.live import live
from server.cli.predict import predict
from server.cli.serve import serve
from server.cli.stream import stream
from server.cli.train import train
from server.exceptions import EmostreamError

app = typer.Typer(
    name="emostream",
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


_USE, _MODELS, _MEASURE = "Use", "Models", "Measure"

app.command(
    epilog=examples("emostream serve --host 0.0.0.0 --token …", "emostream serve --reload"),
    rich_help_panel=_USE,
)(serve)
app.command(
    epilog=examples(
        "emostream stream film.mp4 --out faces.csv",
        "emostream stream 0 --smoothing 0.5 --out today.jsonl",
        "emostream stream rtsp://camera/live --url https://emostream.example",
        "ffmpeg -i film.mkv -f image2pipe -c:v mjpeg - | emostream stream -",
    ),
    rich_help_panel=_USE,
)(stream)
app.command(
    epilog=examples(
        "emostream predict group.jpg",
        "emostream predict holiday/ --out faces.csv",
        "emostream predict talk.mp4 --annotate talk-annotated.mp4 --report talk.html --out talk.parquet",
        "emostream predict *.mov --annotate annotated/ --every 3 --smoothing 0.6",
    ),
    rich_help_panel=_USE,
)(predict)
app.command(
    epilog=examples(
        "emostream live",
        "emostream live talk.mp4 --smoothing 0.6",
        "emostream live rtsp://camera.local/stream --preview blocks",
        "ssh -t desk emostream live --preview none",
    ),
    rich_help_panel=_USE,
)(live)
app.add_typer(weights.app, name="weights", rich_help_panel=_MODELS)
app.add_typer(data.app, name="data", rich_help_panel=_MODELS)
app.command(
    epilog=examples("emostream train server/training/recipes/compact.yaml --out runs/compact"),
    rich_help_panel=_MODELS,
)(train)
app.command(
    epilog=examples("emostream evaluate default data/ferplus --report report.html"), rich_help_panel=_MODELS
)(evaluate)
app.command(epilog=examples("emostream calibrate runs/mine data/mine"), rich_help_panel=_MODELS)(calibrate)
app.add_typer(bench.app, name="bench", rich_help_panel=_MEASURE)


def main() -> None:
    """Runs the command line. Errors are one line each: the user's to mend with exit code 1, Ctrl-C with 130.

    With ``--debug`` before the command they keep their traceback.
    """
    try:
        app()
    except Exception as error:
        if "--debug" in sys.argv[1:2]:
            raise
        messages.print("error:", style="red", end=" ")
        if isinstance(error, EmostreamError):
            messages.print(str(error), markup=False)
        else:
            message = f"{type(error).__name__}: {error}".partition("\n")[0]
            messages.print(f"{message} (a mistake of ours: emostream --debug … shows where)", markup=False)
        sys.exit(1)
