"""The terminal: messages, and progress bars that are only shown on a terminal."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.segment import Segment

from ..inert import visible

if TYPE_CHECKING:  # it would import PyTorch
    from ..models.download import Progress as ProgressCallback


class _InertConsole(Console):
    """Escapes control sequences, since file names and servers' messages are printed here."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(visible(text, keep="\n"), style)


#: A command's results go to standard output, everything else to standard error.
results = _InertConsole(highlight=False, emoji=False)
messages = _InertConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def show(text: str, style: str | None = None) -> None:
    """Prints a message literally, without interpreting markup in it."""
    messages.print(text, style=style, markup=False)


def show_error(text: str) -> None:
    """Prints an error message."""
    messages.print("error:", style="red", end=" ")
    show(text)


class _TerminalHandler(logging.Handler):
    """Prints each record as one line, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        show(record.getMessage(), style="yellow")


def log_to_terminal() -> None:
    """Shows logged warnings, such as those of sources and connections, as messages."""
    logging.basicConfig(level="WARNING", handlers=[_TerminalHandler()])


@contextmanager
def download_progress(name: str) -> "Iterator[ProgressCallback]":
    """A bar for one download, on standard error if it is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=messages, disable=not messages.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress bars for counted work, on standard error if it is a terminal; removed at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        yield progress
