"""``emostream calibrate``: confidences that mean what they say."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..loading import find_model, load_recognizer
from ..models.weight_file import read_description, set_temperature
from ..models.weights import WeightsStore
from ..process import configure_process
from ..settings import read_settings
from ..training.calibration import cross_fitted, fit_temperature
from ..training.datasets import read_split
from ..training.evaluate import check_labels, predict_probabilities
from ..training.metrics import score
from .console import progress_bar, results
from .model_option import ModelArgument


def calibrate(
    model: ModelArgument,
    data: Annotated[Path, typer.Argument(help="Labelled faces that it was not trained on.")],
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Fit a model's temperature on labelled faces and keep it.

    A file of weights gets it into itself; for names of the catalogue it is kept in the weights folder.
    """
    configure_process()
    settings = read_settings(device=device)
    entry, file = find_model(model, settings)
    recognizer = load_recognizer(settings, entry)
    check_labels(recognizer)
    faces = read_split(data, "evaluation")
    truth = faces.targets.argmax(1)
    with progress_bar() as progress:
        task = progress.add_task("as they are", total=len(faces))
        found = predict_probabilities(
            recognizer, faces.images, None, 0, lambda done: progress.advance(task, done)
        )
    # On top of the temperature that its probabilities already are at.
    factor = fit_temperature(found, truth)
    if file is not None:
        description = read_description(file)
        assert description is not None  # else it could not have been loaded
        temperature = factor * description.temperature
        set_temperature(file, temperature)
    else:
        temperature = factor * entry.temperature
        WeightsStore(settings.weights_dir).set_temperature(model, temperature)
    before = score(found, truth).expected_calibration_error
    after = score(cross_fitted(found, truth), truth).expected_calibration_error
    if as_json:
        figures = {"temperature": temperature, "before": before, "after": after, "pictures": len(faces)}
        typer.echo(json.dumps(figures, indent=2))
        return
    place = file or settings.weights_dir
    results.print(f"[bold]{entry.name}[/]: temperature {temperature:.3f}, kept in {place}", soft_wrap=True)
    results.print(
        f"calibration error {before:.3f} before, {after:.3f} after "
        f"({len(faces):,} images; each half measured at the temperature that the other half gave)"
    )
