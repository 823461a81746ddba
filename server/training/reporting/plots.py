"""Draws the plots of a report as PNG files, without pyplot, which would keep global state."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ...plotting import BLUE, DPI, GRID, INK, QUIET
from ..evaluate import Evaluation
from ..metrics import Interval

_PALE, _ORANGE = "#a9c9d4", "#d9772b"
_SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", _PALE, BLUE, "#0f3b4c"])


def plots(evaluation: Evaluation) -> dict[str, bytes]:
    """PNG files by name: confusion, classes, reliability, and conditions if they were measured."""
    made = {
        "confusion": _confusion(evaluation),
        "classes": _classes(evaluation),
        "reliability": _reliability(evaluation),
    }
    if evaluation.conditions:
        made["conditions"] = _conditions(evaluation)
    return {name: _png(figure) for name, figure in made.items()}


def _confusion(evaluation: Evaluation) -> Figure:
    """Shares of each true class, with the counts below them."""
    counts = evaluation.scores.confusion
    labels = evaluation.labels
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(6.6, 6.2), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if counts[row, column] == 0:
            continue  # zeros are not drawn
        colour = "white" if share > 0.5 else INK
        weight = "bold" if row == column else "normal"
        axes.text(
            column, row - 0.12, f"{share:.0%}", ha="center", va="center", color=colour, weight=weight, size=11
        )
        axes.text(
            column, row + 0.24, f"{counts[row, column]:,}", ha="center", va="center", color=colour, size=7.5
        )
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("prediction", color=QUIET)
    axes.set_ylabel("truth", color=QUIET)
    axes.spines[:].set_visible(False)
    # White lines between the cells, drawn by the minor grid.
    axes.set_xticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    _quiet(axes)
    return figure


def _classes(evaluation: Evaluation) -> Figure:
    """F1 of each class, best first."""
    f1, support = evaluation.intervals.f1, evaluation.scores.support
    order = sorted(range(len(support)), key=lambda index: -f1[index].value)
    names = [f"{evaluation.labels[index]}  ({support[index]:,})" for index in order]
    mean = evaluation.scores.macro_f1
    figure = _bars(names, [f1[index] for index in order], "{:.2f}", (mean, f"macro F1 {mean:.3f}"))
    figure.axes[0].set_xlabel("F1, with 95 % intervals; images in brackets", color=QUIET)
    return figure


def _conditions(evaluation: Evaluation) -> Figure:
    """Accuracy under each condition, beside that on the unchanged images."""
    names = ["as they are", *(condition.title for condition in evaluation.conditions)]
    clean = evaluation.intervals.accuracy
    accuracies = [clean, *(condition.accuracy for condition in evaluation.conditions)]
    figure = _bars(names, accuracies, "{:.1%}", (clean.value, ""), first_stands_out=True)
    axes = figure.axes[0]
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("accuracy, with 95 % intervals", color=QUIET)
    return figure


def _bars(
    names: list[str],
    figures: list[Interval],
    form: str,
    reference: tuple[float, str],
    first_stands_out: bool = False,
) -> Figure:
    """A bar for each name with its interval and its figure as text, and a line at ``reference``."""
    figure = Figure(figsize=(6.6, 0.9 + 0.38 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(names))
    values = np.array([one.value for one in figures])
    low = np.maximum(values - [one.low for one in figures], 0)  # a resample's mean may differ from the value
    high = np.maximum([one.high for one in figures] - values, 0)
    colours = [BLUE if first_stands_out and place == 0 else _PALE for place in places]
    axes.barh(places, values, color=colours if first_stands_out else _PALE, height=0.66)
    axes.errorbar(values, places, xerr=[low, high], fmt="none", ecolor=INK, elinewidth=1.1, capsize=2.5)
    for place, one in zip(places, figures, strict=True):
        # In a separate column: beside the bars they would cover the reference line.
        axes.text(1.03, float(place), form.format(one.value), va="center", ha="left", color=INK, size=9.5)
    at, words = reference
    axes.axvline(at, color=_ORANGE, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0.5)
    if words:
        axes.annotate(
            words,
            (at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=_ORANGE,
            size=9,
        )
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    _quiet(axes)
    return figure


def _reliability(evaluation: Evaluation) -> Figure:
    """Accuracy by confidence, with the number of predictions."""
    bins = [one for one in evaluation.reliability if one.images]
    figure = Figure(figsize=(6.6, 5.6), layout="constrained")
    curve, histogram = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    confidence = np.array([one.confidence for one in bins])
    accuracy = np.array([one.accuracy for one in bins])
    curve.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    curve.annotate(
        "confidence = accuracy",
        (0.06, 0.06),
        xytext=(0, 5),
        textcoords="offset points",
        rotation=45,
        rotation_mode="anchor",
        transform_rotates_text=True,
        color=QUIET,
        size=8.5,
    )
    curve.vlines(confidence, confidence, accuracy, color=_ORANGE, linewidth=2.2, alpha=0.8)
    # A dot's area is its number of images, so that small bins do not look significant.
    images = np.array([one.images for one in bins])
    curve.plot(confidence, accuracy, color=BLUE, linewidth=1)
    curve.scatter(confidence, accuracy, s=14 + 130 * images / images.max(), color=BLUE, zorder=3)
    error = evaluation.intervals.expected_calibration_error
    curve.set_title(f"calibration error {error.value:.3f}", loc="left", color=INK, size=10, weight="bold")
    curve.set_title("orange: how far confidence is off", loc="right", color=_ORANGE, size=9)
    curve.set_ylabel("accuracy", color=QUIET)
    curve.set_xlim(0, 1.02)
    curve.set_ylim(0, 1.04)
    curve.yaxis.set_major_formatter(PercentFormatter(1))
    width = evaluation.reliability[0].high - evaluation.reliability[0].low
    histogram.bar(
        [one.low + width / 2 for one in bins], images / images.sum(), width=width * 0.92, color=_PALE
    )
    histogram.set_ylabel("images", color=QUIET)
    histogram.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    histogram.xaxis.set_major_formatter(PercentFormatter(1))
    histogram.set_xlabel("confidence", color=QUIET)
    for axes in (curve, histogram):
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["bottom", "left"]].set_color(GRID)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        _quiet(axes)
    return figure


def _quiet(axes: Axes) -> None:
    axes.tick_params(which="both", length=0, labelcolor=INK, labelsize=9.5)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()
