"""``emostream compare``: two models side by side."""

import io
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ..files import check_ending
from ..loading import find_model, load_recognizer
from ..process import configure_process
from ..settings import read_settings
from ..training.compare import Comparison
from ..training.compare import compare as measure
from ..training.datasets import read_split
from ..training.metrics import Interval
from .console import messages, progress_bar, results
from .model_option import ModelArgument

_MOST_FLIPS = 12
_VERDICTS = {
    "better": "[green]{second} is better[/]",
    "worse": "[red]{second} is worse[/]",
    "undecided": "[yellow]The images do not show which is better[/]",
}


def compare(
    first: ModelArgument,
    second: ModelArgument,
    data: Annotated[Path, typer.Argument(help="Prepared data set (its split valid), or DIR/SPLIT.")],
    report: Annotated[Path | None, typer.Option(help="Also write FILE.html or FILE.json.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare two models on faces that neither was trained on."""
    configure_process()
    if report is not None:
        check_ending("--report", report, (".html", ".json"))
    settings = read_settings(device=device)
    faces = read_split(data, "evaluation")  # first, since loading takes seconds
    one, other = (load_recognizer(settings, find_model(name, settings)[0]) for name in (first, second))
    with progress_bar() as progress:
        task = progress.add_task("comparing", total=2 * len(faces))
        found = measure(one, other, faces, data, str(data), lambda done: progress.advance(task, done))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        show(found, results)
    if report is not None:
        _write(found, report)
        messages.print(f"written to {report}")


def show(found: Comparison, console: Console) -> None:
    """Prints the comparison as tables."""
    first, second = found.sides
    console.print(
        f"[bold]{first.model}[/] and [bold]{second.model}[/] on {found.data}: {found.images:,} images. "
        "In brackets: 95 % intervals; those of differences are paired.\n",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("", first.model, second.model, "difference"):
        table.add_column(heading, justify="left" if not heading else "right")
    for title, name in (
        ("accuracy", "accuracy"),
        ("balanced accuracy", "balanced_accuracy"),
        ("macro F1", "macro_f1"),
        ("calibration error", "expected_calibration_error"),
    ):
        figures = [_figure(getattr(side.intervals, name)) for side in found.sides]
        table.add_row(title, *figures, _difference(getattr(found.differences, name)))
    table.add_section()
    for place, label in enumerate(found.labels):
        cells = [
            f"{side.scores.recall_per_class[place]:.1%} of {side.scores.support[place]:,}  "
            f"F1 {side.intervals.f1[place].value:.3f}"
            for side in found.sides
        ]
        table.add_row(label, *cells, f"F1 {_difference(found.differences.f1[place])}")
    console.print(table)
    paired = found.paired
    console.print(
        f"\n{_VERDICTS[paired.verdict].format(second=second.model)}: of {found.images:,} images "
        f"{second.model} has {paired.gained} right that {first.model} has wrong, {paired.lost} vice versa "
        f"(McNemar's p = {paired.p_value:.2g}).",
        soft_wrap=True,
    )
    _show_flips(found, console)
    for side in found.sides:
        if side.read_as:
            read = ", ".join(f"{word} as {label}" for word, label in side.read_as.items())
            console.print(f"\n{side.model} knows other labels, which count as: {read}.", soft_wrap=True)


def _show_flips(found: Comparison, console: Console) -> None:
    if not found.flips:
        console.print("\nBoth give every image the same label.")
        return
    first, second = found.sides
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), title="\nflips", title_justify="left")
    for heading in ("truth", first.model, second.model, "images"):
        table.add_column(heading, justify="right" if heading == "images" else "left")
    for flip in found.flips[:_MOST_FLIPS]:
        style = "green" if flip.after == flip.truth else "red" if flip.before == flip.truth else "dim"
        table.add_row(flip.truth, flip.before, flip.after, f"{flip.images:,}", style=style)
    if len(found.flips) > _MOST_FLIPS:
        rest = sum(flip.images for flip in found.flips[_MOST_FLIPS:])
        table.add_row("others", "", "", f"{rest:,}", style="dim")
    console.print(table)


def _difference(figure: Interval) -> str:
    return f"{figure.value:+.3f} [dim]({figure.low:+.3f} to {figure.high:+.3f})[/]"


def _figure(figure: Interval) -> str:
    return f"{figure.value:.3f} [dim]({figure.low:.3f} to {figure.high:.3f})[/]"


def _write(found: Comparison, report: Path) -> None:
    report.parent.mkdir(parents=True, exist_ok=True)
    if report.suffix.lower() == ".json":
        report.write_text(json.dumps(found.as_dict(), indent=2) + "\n")
        return
    console = Console(record=True, width=110, highlight=False, file=io.StringIO())
    show(found, console)
    console.save_html(str(report))
