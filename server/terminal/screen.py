"""The screen around the image: a status line above, bars at the right, keys below."""

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..emotions import colour_of
from ..faces import Face
from .preview import Shown
from .watch import Sight

#: Columns of the bars, and the fewest that leave a useful image beside them.
PANEL_COLUMNS = 36
_MIN_PREVIEW_COLUMNS = 24
_MIN_PREVIEW_ROWS = 6

KEYS = "q quit   s snapshot   space pause"


@dataclass(frozen=True)
class Status:
    """The texts around the image."""

    source: str
    model: str
    message: str
    is_paused: bool


def preview_room(columns: int, rows: int) -> tuple[int, int] | None:
    """Cells (columns, rows) for an image in a terminal of that size, or None: bars only."""
    room = (columns - PANEL_COLUMNS - 1, rows - 2)
    return room if room[0] >= _MIN_PREVIEW_COLUMNS and room[1] >= _MIN_PREVIEW_ROWS else None


def screen(sight: Sight | None, status: Status, shown: Shown | None, rows: int) -> Layout:
    """Everything, to be printed from the terminal's first row on. The image starts in row 1, column 0."""
    panel = Layout(_panel(sight, rows - 2), name="panel")
    middle = Layout(name="middle")
    if shown is None:
        middle.split_row(panel)
    else:
        panel.size = PANEL_COLUMNS
        middle.split_row(Layout(shown, name="preview"), Layout(Text(" "), size=1), panel)
    whole = Layout()
    whole.split_column(
        Layout(_header(sight, status), size=1), middle, Layout(_footer(status), size=1, name="footer")
    )
    return whole


def _header(sight: Sight | None, status: Status) -> RenderableType:
    line = Table.grid(padding=(0, 2, 0, 0), expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    line.add_column(no_wrap=True, justify="right")
    left = Text.assemble(("emostream ", "bold"), (status.source, "dim"))
    if status.is_paused:
        right = Text("paused", "bold yellow")
    elif sight is None:
        right = Text("waiting for the first frame", "dim")
    else:
        right = Text(f"{sight.rate:.1f} frames/s   latency {sight.latency_ms:.0f} ms   {status.model}")
    line.add_row(left, right)
    return line


def _footer(status: Status) -> RenderableType:
    line = Table.grid(padding=(0, 2, 0, 0), expand=True)
    line.add_column(no_wrap=True)
    line.add_column(no_wrap=True, overflow="ellipsis", justify="right", ratio=1)
    line.add_row(Text(KEYS, "dim"), Text(status.message))
    return line


def _panel(sight: Sight | None, rows: int) -> RenderableType:
    if sight is None:
        return Text(" ")  # a layout draws a placeholder instead of an empty text
    if not sight.faces:
        return Text("no face in view", "dim")
    parts: list[RenderableType] = []
    left, labels = rows, sight.faces.labels
    for place, face in enumerate(sight.faces):
        rest = len(sight.faces) - place - 1
        # All bars if they fit, with one line for each later face; otherwise only the line.
        if left >= len(labels) + 2 + rest:
            parts.append(_bars(face))
            left -= len(labels) + 2
        elif left >= 1:
            parts.append(_heading(face))
            left -= 1
    return Group(*parts)


def _heading(face: Face) -> Text:
    colour = colour_of(face.emotion, face.probabilities)
    return Text.assemble(
        ("○ " if face.uncertain else "● ", colour),
        (f"face {face.face_id}  ", "dim"),
        (face.text, "italic" if face.uncertain else f"bold {colour}"),
        no_wrap=True,
        overflow="ellipsis",
    )


def _bars(face: Face) -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True, width=max(len(label) for label in face.probabilities), overflow="ellipsis")
    table.add_column(ratio=1)
    table.add_column(no_wrap=True, justify="right", width=4)
    for label, share in face.probabilities.items():
        colour = colour_of(label, face.probabilities)
        bar = ProgressBar(1.0, share, style="grey23", complete_style=colour, finished_style=colour)
        table.add_row(label, bar, f"{share:.0%}")
    return Group(_heading(face), table, Text(""))
