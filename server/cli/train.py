"""``emostream train``: a network from a recipe."""

import logging
from pathlib import Path
from typing import Annotated

import torch
import typer

from ..process import configure_process
from ..settings import read_settings
from ..training.config import read_config
from ..training.train import Trainer

_OURS = {path.stem: path for path in Path(__file__).parents[1].joinpath("training", "recipes").glob("*.yaml")}


def train(
    recipe: Annotated[Path, typer.Argument(help=f"YAML file, or one of ours: {', '.join(sorted(_OURS))}.")],
    out: Annotated[Path, typer.Option(help="Run folder; one with a checkpoint is continued.")] = Path(
        "runs/latest"
    ),
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
) -> None:
    """Train a network and write its weights, checkpoints and metrics to a run folder."""
    configure_process()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    weights_dir = read_settings().weights_dir
    config = read_config(_OURS.get(str(recipe), recipe))
    scores = Trainer(config, out, torch.device(device), weights_dir).run()
    typer.echo(f"accuracy {scores.accuracy:.4f}, macro F1 {scores.macro_f1:.4f}: {out / 'model.safetensors'}")
