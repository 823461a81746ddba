"""The terminal: where people's messages go, and progress bars that are silent where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from server.models.download import Progress as ProgressCallback

#: What a command is asked for goes to standard output, everything else to standard error.
results = Console(highlight=False)
messages = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def download_progress(name: str) -> Iterator[ProgressCallback]:
    """A bar for one download, on standard error if it is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=messages, disable=not messages.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def examples(*commands: str) -> str:
    """The end of a command's help: commands to try, one a line."""
    return "[bold]Examples[/]\n\n" + "\n\n".join(f"[cyan]{command}[/]" for command in commands)
