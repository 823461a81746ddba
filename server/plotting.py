"""How plots look, and what they have in common."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, GRID, BLUE = "#1b2733", "#6b7785", "#dfe4ea", "#1f6f8b"
DPI = 150


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of so many inches. Made without pyplot, which would keep global state."""
    from matplotlib.figure import Figure  # a second to import, which only plots need

    return Figure(figsize=(width, height), layout="constrained")


def finish(axes: "Axes", x: str, y: str) -> None:
    """Names both axes and takes away what draws attention from the data."""
    axes.set_xlabel(x, color=QUIET)
    axes.set_ylabel(y, color=QUIET)
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=QUIET, length=0)


def name_point(axes: "Axes", text: str, xy: tuple[float, float], offset: tuple[float, float]) -> None:
    """Writes ``text`` so many points from a point of the data."""
    axes.annotate(
        text,
        xy,
        offset,
        textcoords="offset points",
        ha="center",
        va="center",
        color=BLUE,
        size=9,
        bbox={"color": "white", "pad": 0.5},
    )


def save(figure: "Figure", path: Path) -> None:
    """As PNG."""
    figure.savefig(path, dpi=DPI)
