"""``emostream calibrate``: fits a model's temperature, so that its confidences match its accuracy."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..exceptions import DatasetError
from ..loading import find_model, load_recognizer
from ..models.weight_file import read_description, restore_temperature, set_temperature
from ..models.weights import WeightsStore
from ..process import configure_process
from ..settings import Settings, read_settings
from ..training.calibration import LEAST_IMAGES, cross_fitted, fit_temperature, log_loss
from ..training.datasets import read_split
from ..training.evaluate import check_labels, predict_probabilities
from ..training.metrics import score
from .console import progress_bar, results
from .model_option import ModelArgument


def calibrate(
    model: ModelArgument,
    data: Annotated[
        Path | None, typer.Argument(help="Labelled faces that it was not trained on.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure only; store nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Restore the previous temperature.")] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit a model's temperature on labelled faces, and store it if it improves the calibration.

    A weights file stores its temperature itself; that of a catalogue name is stored in the weights folder.
    """
    configure_process()
    settings = read_settings(device=device)
    if undo:
        temperature = _undo(model, settings)
        results.print(f"[bold]{model}[/]: temperature {temperature:.3f} again", soft_wrap=True)
        return
    if data is None:
        raise DatasetError("name a prepared data set: emostream calibrate MODEL DATA")
    entry, file = find_model(model, settings)
    faces = read_split(data, "evaluation")
    if len(faces) < LEAST_IMAGES:
        raise DatasetError(
            f"{data} has {len(faces)} images, too few to fit a temperature; use at least {LEAST_IMAGES}"
        )
    recognizer = load_recognizer(settings, entry)
    check_labels(recognizer, faces.labels)
    truth = faces.targets.argmax(1)
    with progress_bar() as progress:
        task = progress.add_task("as they are", total=len(faces))
        found = predict_probabilities(recognizer, faces, None, 0, lambda done: progress.advance(task, done))
    # Relative to the temperature that the probabilities already have.
    factor = fit_temperature(found, truth)
    description = read_description(file) if file is not None else None
    temperature = factor * (entry.temperature if description is None else description.temperature)
    calibrated = cross_fitted(found, truth)
    is_better = log_loss(calibrated, truth) < log_loss(found, truth)
    if is_better and not dry_run:
        if file is not None:
            set_temperature(file, temperature)
        else:
            WeightsStore(settings.weights_dir).set_temperature(model, temperature)
    before = score(found, truth).expected_calibration_error
    after = score(calibrated, truth).expected_calibration_error
    if as_json:
        figures = {
            "temperature": temperature,
            "before": before,
            "after": after,
            "log_loss_before": log_loss(found, truth),
            "log_loss_after": log_loss(calibrated, truth),
            "is_better": is_better,
            "is_kept": is_better and not dry_run,
            "images": len(faces),
        }
        typer.echo(json.dumps(figures, indent=2))
    else:
        kept = "not stored: --dry-run" if dry_run else f"stored in {file or settings.weights_dir}"
        outcome = kept if is_better else "not stored: it would not be better"
        results.print(f"[bold]{entry.name}[/]: temperature {temperature:.3f}, {outcome}", soft_wrap=True)
        results.print(
            f"log loss {log_loss(found, truth):.4f} before, {log_loss(calibrated, truth):.4f} after; "
            f"calibration error {before:.3f} before, {after:.3f} after "
            f"({len(faces):,} images; each half measured at the temperature fitted on the other half)"
        )
    if not is_better:
        raise typer.Exit(1)


def _undo(model: str, settings: Settings) -> float:
    """Restores the previous temperature and returns it. Raises ModelError if none was stored before."""
    _, file = find_model(model, settings)
    if file is not None:
        return restore_temperature(file)
    store = WeightsStore(settings.weights_dir)
    store.restore_temperature(model)
    return store.find(model).temperature
