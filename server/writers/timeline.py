"""Draws a face's probabilities over time for a page, without background and with numbers only."""

import io
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..emotions import colour_of
from .summary import MAX_PAUSE_S

Floats = npt.NDArray[np.float32]

#: Most points of a curve; more than a screen shows only enlarge the page.
MAX_POINTS = 360

#: Placeholder for the page's text colour, which differs in dark mode.
_INK = "#010203"


def timeline_svg(
    times_s: Sequence[float], probabilities: Floats, labels: Sequence[str], span_s: tuple[float, float]
) -> str:
    """The stacked probabilities (T, C) of one face over ``span_s``, as an SVG element without a fixed size.

    Gaps stay empty. Text has the colour of the page's text.
    """
    import matplotlib  # its import takes a second, and only reports need it
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    times, rows = thinned(np.asarray(times_s, np.float64), probabilities, span_s)
    with matplotlib.rc_context():
        matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text, in the page's font
        matplotlib.rcParams["svg.hashsalt"] = f"{times_s[0]}-{len(times_s)}"  # ids of its own, not random
        matplotlib.rcParams["font.size"] = 9
        figure = Figure(figsize=(9.6, 1.5))
        axes = figure.add_axes((0.02, 0.2, 0.96, 0.78))  # half a number's width at both ends
        for stretch in _stretches(times):
            axes.stackplot(
                times[stretch],
                rows[stretch].T,
                colors=[colour_of(label, labels) for label in labels],
                linewidth=0,
                antialiased=False,
            )
        axes.set_xlim(*span_s)
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 3, 5, 6, 10], min_n_ticks=2))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value)))
        axes.tick_params(colors=_INK, length=3, width=0.6)
        for name, spine in axes.spines.items():
            spine.set_visible(name == "bottom")
            spine.set_color(_INK)
            spine.set_linewidth(0.6)
        out = io.StringIO()
        empty = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(out, format="svg", transparent=True, metadata=empty)
    drawing = out.getvalue()
    drawing = drawing[drawing.index("<svg") :].replace(_INK, "currentColor")
    head, bracket, rest = drawing.partition(">")
    return re.sub(r' (width|height)="[^"]*"', "", head) + bracket + rest


def thinned(
    times_s: npt.NDArray[np.float64], rows: Floats, span_s: tuple[float, float]
) -> tuple[npt.NDArray[np.float64], Floats]:
    """Times (T,) and rows (T, C), averaged if there are more than MAX_POINTS in the span.

    Bins are of time, so averages never span a gap.
    """
    if len(times_s) <= MAX_POINTS:
        return times_s, rows
    width_s = max(span_s[1] - span_s[0], 1e-9) / MAX_POINTS
    bins = np.clip(((times_s - span_s[0]) / width_s).astype(np.intp), 0, MAX_POINTS - 1)
    used, place = np.unique(bins, return_inverse=True)
    counts = np.bincount(place)
    means = np.zeros((len(used), rows.shape[1]), np.float64)
    np.add.at(means, place, rows)
    return np.bincount(place, times_s) / counts, np.asarray(means / counts[:, None], np.float32)


def clock(seconds: float) -> str:
    """Formats a time: 0:07.5, 3:20, 1:02:03."""
    whole, tenths = divmod(round(max(0.0, seconds) * 10), 10)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
    return f"{text}.{tenths}" if tenths else text


def _stretches(times_s: npt.NDArray[np.float64]) -> list[slice]:
    """Continuous stretches of the face; thinned times may be further apart than frames."""
    steps = np.diff(times_s)
    longest = max(MAX_PAUSE_S, 3 * float(np.median(steps))) if len(steps) else MAX_PAUSE_S
    ends = [0, *(int(index) + 1 for index in np.flatnonzero(steps > longest)), len(times_s)]
    return [slice(start, end) for start, end in pairwise(ends)]
