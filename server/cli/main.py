"""``emostream``: every subcommand, and how errors leave it."""

import sys

import typer

from server.cli import bench, weights
from server.cli.console import messages
from server.cli.evaluate import evaluate
from server.cli.serve import serve
from server.cli.train import train
from server.exceptions import EmostreamError

app = typer.Typer(
    name="emostream",
    help="Real-time facial emotion recognition, self-hosted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(train)
app.command()(evaluate)
app.add_typer(weights.app, name="weights")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Runs the command line. Errors that are the user's to mend are one line; exit code 1."""
    try:
        app()
    except EmostreamError as error:
        messages.print("error:", style="red", end=" ")
        messages.print(str(error), markup=False)
        sys.exit(1)
