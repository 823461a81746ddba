"""``emostream evaluate``: a model's accuracy and calibration."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..loading import find_model, load_recognizer
from ..process import configure_process
from ..settings import read_settings
from ..training.columns import read_column, table_of
from ..training.datasets import read_split
from ..training.evaluate import ConditionResult, Evaluation, GroupResults
from ..training.evaluate import evaluate as measure
from ..training.metrics import Interval, Intervals
from .console import messages, progress_bar, results
from .model_option import ModelArgument


def evaluate(
    model: ModelArgument,
    data: Annotated[Path, typer.Argument(help="Prepared data set (its split valid), or DIR/SPLIT.")],
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the unchanged images, without conditions.")
    ] = False,
    groups: Annotated[
        str | None,
        typer.Option(
            help="A column of DIR/SPLIT.csv: every figure for each of its values.", metavar="COLUMN"
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Write FILE.html, or FILE.md with plots beside it; FILE.json is written, too."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a model on labelled faces: unchanged, covered, small, compressed and blurred."""
    configure_process()
    if report is not None:
        from ..training.reporting.report import check_report, write_report  # Matplotlib loads slowly

        check_report(report)
    faces = read_split(data, "evaluation")
    column = None
    if groups is not None:
        column = read_column(table_of(data), groups, faces)
        column.check()  # before seconds go into loading
    settings = read_settings(device=device)
    recognizer = load_recognizer(settings, find_model(model, settings)[0])
    with progress_bar() as progress:
        evaluation = measure(recognizer, faces, _called(data), progress, quick, seed, column)
    if as_json:
        typer.echo(json.dumps(evaluation.as_dict(), indent=2))
    else:
        _show(evaluation)
    if report is not None:
        written = write_report(evaluation, report)
        beside = ", ".join(file.name for file in written[1:])
        messages.print(f"written to {written[0]}, and beside it {beside}")


def _called(data: Path) -> str:
    """A split's name with that of its folder: "valid" alone would be ambiguous."""
    path = data.resolve()
    return path.name if path.is_dir() else f"{path.parent.name}/{path.name}"


def _show(evaluation: Evaluation) -> None:
    intervals, scores = evaluation.intervals, evaluation.scores
    results.print(
        f"[bold]{evaluation.model}[/] on {evaluation.data}: {evaluation.images:,} images, "
        f"{evaluation.device} in {evaluation.precision}. In brackets: 95 % intervals.\n",
        soft_wrap=True,
    )
    headline = Table.grid(padding=(0, 2))
    headline.add_row("accuracy", _percent(intervals.accuracy))
    headline.add_row("balanced accuracy", _percent(intervals.balanced_accuracy))
    headline.add_row("macro F1", _plain(intervals.macro_f1))
    headline.add_row("calibration error", _plain(intervals.expected_calibration_error))
    results.print(headline)

    classes = _table("\nclass", "precision", "recall", "F1", "images")
    for index, label in enumerate(evaluation.labels):
        classes.add_row(
            label,
            f"{scores.precision_per_class[index]:.3f}",
            f"{scores.recall_per_class[index]:.3f}",
            _plain(intervals.f1[index]),
            f"{scores.support[index]:,}",
        )
    results.print(classes)

    confusion = _table("\ntruth ↓ prediction →", *(f"\n{label}" for label in evaluation.labels))
    for index, label in enumerate(evaluation.labels):
        counts = [f"{count:,}" for count in scores.confusion[index]]
        counts[index] = f"[bold]{counts[index]}[/]"
        confusion.add_row(label, *counts)
    results.print(confusion)

    if evaluation.conditions:
        conditions = _table("\ncondition", "accuracy", "macro F1", "calibration error")
        conditions.add_row("as they are", *_figures(intervals))
        for condition in evaluation.conditions:
            conditions.add_row(condition.title, *_figures(condition))
        results.print(conditions)
    if evaluation.groups is not None:
        _show_groups(evaluation.groups, evaluation.labels)


def _show_groups(found: GroupResults, labels: tuple[str, ...]) -> None:
    table = _table(f"\n{found.column}", "images", "accuracy", "balanced", "macro F1", "calibration error")
    for group in found.groups:
        accuracy, f1, error = _figures(group.intervals)
        balanced = _percent(group.intervals.balanced_accuracy)
        table.add_row(group.name, f"{group.images:,}", accuracy, balanced, f1, error)
    results.print(table)
    classes = _table("\nF1 of class", *(f"\n{group.name}" for group in found.groups))
    for index, label in enumerate(labels):
        cells = (
            f"{group.intervals.f1[index].value:.2f} [dim]of {group.scores.support[index]:,}[/]"
            for group in found.groups
        )
        classes.add_row(label, *cells)
    results.print(classes)
    if found.without:
        results.print(f"{found.without:,} images have no {found.column} and are in no group.")


def _figures(found: Intervals | ConditionResult) -> tuple[str, str, str]:
    error = _plain(found.expected_calibration_error)
    return _percent(found.accuracy), _plain(found.macro_f1), error


def _table(first: str, *headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(first)
    for heading in headings:
        table.add_column(heading, justify="right", vertical="bottom")
    return table


def _percent(figure: Interval) -> str:
    return f"{figure.value:.2%} [dim]({figure.low:.1%} to {figure.high:.1%})[/]"


def _plain(figure: Interval) -> str:
    return f"{figure.value:.3f} [dim]({figure.low:.3f} to {figure.high:.3f})[/]"
