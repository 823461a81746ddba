"""``emostream evaluate``: how often a model is right."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from server.cli.console import results
from server.settings import read_settings
from server.startup import load_recognizer
from server.training.datasets import LABELS, evaluation_set, read_ferplus
from server.training.evaluate import evaluate as measure
from server.training.metrics import Scores


def evaluate(
    data: Annotated[Path, typer.Argument(help="A split of FER+: folder or tar file.")],
    model: Annotated[str | None, typer.Option(help="Model or ensemble of the catalogue.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Measure a model on the pictures of a split that its annotators agree on."""
    faces = evaluation_set(read_ferplus(data))
    scores = measure(load_recognizer(read_settings(model=model)), faces)
    if as_json:
        typer.echo(json.dumps(_as_dict(scores), indent=2))
    else:
        _show(scores)


def _as_dict(scores: Scores) -> dict[str, object]:
    return {
        "pictures": int(scores.confusion.sum()),
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "expected_calibration_error": scores.expected_calibration_error,
        "f1": dict(zip(LABELS, scores.f1_per_class.tolist(), strict=True)),
        "confusion": scores.confusion.tolist(),
    }


def _show(scores: Scores) -> None:
    table = Table(box=None, title="rows: truth; columns: answers", title_justify="left")
    table.add_column("")
    for label in LABELS:
        table.add_column(label, justify="right")
    table.add_column("F1", justify="right", style="bold")
    for index, label in enumerate(LABELS):
        counts = [str(count) for count in scores.confusion[index]]
        counts[index] = f"[bold]{counts[index]}[/]"
        table.add_row(label, *counts, f"{scores.f1_per_class[index]:.3f}")
    results.print(table)
    results.print(
        f"{int(np.sum(scores.confusion))} pictures: accuracy {scores.accuracy:.2%}, "
        f"macro F1 {scores.macro_f1:.3f}, calibration error {scores.expected_calibration_error:.3f}"
    )
