"""``emostream train``: trains a network by a recipe."""

import logging
from pathlib import Path
from typing import Annotated

import torch
import typer

from ..exceptions import EmostreamError
from ..models.weights import Import, WeightsStore
from ..process import configure_process
from ..settings import Settings, read_settings
from ..training.config import RECIPES, FinetuneConfig, TrainingConfig, find_recipe, read_config
from ..training.finetune import FineTune
from ..training.own_faces import prepare_own_faces
from ..training.train import Trainer
from .console import messages, progress_bar
from .finetune_report import is_worth_using, show_finetune


def train(
    recipe: Annotated[str, typer.Argument(help=f"YAML file, or one of {', '.join(sorted(RECIPES))}.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Run folder; resumes if it has a checkpoint. \\[default: runs/latest, or runs/NAME]"
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Prepared data set, instead of the recipe's.")] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Folder with one folder per class, such as corrections; it is prepared first."
        ),
    ] = None,
    detect: Annotated[
        bool,
        typer.Option("--detect", help="With --from: crop the face. Default: images are crops already."),
    ] = False,
    start: Annotated[
        str | None,
        typer.Option(help="finetune: initial model, ensemble or run, instead of the recipe's."),
    ] = None,
    name: Annotated[
        str,
        typer.Option(help="finetune: name of the new model. It replaces an earlier one."),
    ] = "candidate",
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
) -> None:
    """Train a network and write its weights, checkpoints and metrics to a run folder."""
    configure_process()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = read_settings()
    if data is not None and source is not None:
        raise EmostreamError("use --data (a prepared data set) or --from (a folder to prepare), not both")
    file = find_recipe(recipe)
    config = read_config(file, start_from=start)
    is_finetune = isinstance(config, FinetuneConfig)
    folder = out or Path("runs", name if is_finetune else "latest")
    if source is not None:
        start_from = config.start_from if isinstance(config, FinetuneConfig) else None
        with progress_bar() as progress:
            data = prepare_own_faces(source, folder / "data", detect, start_from, settings, progress)
    config = read_config(file, start_from=start, train=data, validation=data)
    if isinstance(config, TrainingConfig):
        scores = Trainer(config, folder, torch.device(device), settings.weights_dir).run()
        typer.echo(
            f"accuracy {scores.accuracy:.4f}, macro F1 {scores.macro_f1:.4f}: {folder / 'model.safetensors'}"
        )
        return
    _finetune(config, folder, name, torch.device(device), settings)


def _finetune(
    config: FinetuneConfig, folder: Path, name: str, device: torch.device, settings: Settings
) -> None:
    store = WeightsStore(settings.weights_dir)
    if store.in_use() == name:
        raise EmostreamError(
            f"{name} is in use, and would change without a comparison; give the new model another --name"
        )
    run = FineTune(config, folder, device, settings)
    with progress_bar() as progress:
        result = run.run(progress)
    store.add(Import(name, run.folder.weights))
    show_finetune(result, run.start.name, name)
    messages.print(
        f"written to {folder}; use it as the model {name}. The model in use is still {store.in_use()}."
    )
    messages.print(f"  emostream compare {run.start.name} {name} {config.validation}", style="dim")
    if is_worth_using(result):
        messages.print(f"  emostream weights use {name}", style="dim")
