"""The terminal: where people's messages go, and progress bars that are silent where nobody watches."""

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

if TYPE_CHECKING:  # it would bring PyTorch with it
    from ..models.download import Progress as ProgressCallback


class _InertConsole(Console):
    """Names of files and words of servers go through it: nothing that is printed controls the terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(visible(text, keep="\n"), style)


#: What a command is asked for goes to standard output, everything else to standard error.
results = _InertConsole(highlight=False, emoji=False)
messages = _InertConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def show(text: str, style: str | None = None) -> None:
    """Words for people, as they are: names in them are no markup."""
    messages.print(text, style=style, markup=False)


def show_error(text: str) -> None:
    """The same for what went wrong."""
    messages.print("error:", style="red", end=" ")
    show(text)


class _TerminalHandler(logging.Handler):
    """One line a record, whole, and above a bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        show(record.getMessage(), style="yellow")


def log_to_terminal() -> None:
    """Shows warnings, such as those of sources and connections, among the messages."""
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
    """Bars for work that is counted, on standard error if it is a terminal, and gone when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        yield progress
