"""How the plots of measurements look."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, GRID, BLUE = "#1b2733", "#6b7785", "#dfe4ea", "#1f6f8b"


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


def save(figure: "Figure", path: Path) -> None:
    """As PNG."""
    figure.savefig(path, dpi=150)
