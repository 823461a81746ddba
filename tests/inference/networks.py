"""Tiny ensembles with known answers, for tests of what happens around the networks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from emostream.benchmark import random_weights
from emostream.choices import Policy
from emostream.inference.device_preparation import Pixels
from emostream.inference.ensemble import Ensemble, LoadedEnsemble, Member
from emostream.models.catalogue import EnsembleEntry, ModelEntry, parse_model
from torch import Tensor, nn

SIDE = 48


class Constant(nn.Module):
    """Answers with the same logits for every face, whatever it looks like."""

    def __init__(self, probabilities: tuple[float, ...]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(probabilities).log())

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.expand(len(x), -1)


def model_entry(name: str, labels: tuple[str, ...], architecture: str = "se_resnet") -> ModelEntry:
    return parse_model(
        name, {"architecture": architecture, "labels": labels, "path": Path(name)}, place="a test"
    )


def slow_if_large(architectures: Iterable[str]) -> list[Any]:
    """Parameters of a test: POSTER V2 is of its compact version's kind, and takes many times as long."""
    return [
        pytest.param(name, marks=pytest.mark.slow if name == "poster_v2" else ()) for name in architectures
    ]


def constant_ensemble(
    members: dict[str, dict[str, float]], policy: Policy = Policy.MEAN, weights: tuple[float, ...] = ()
) -> LoadedEnsemble:
    """Members by name, each with its labels and their probabilities, in its own order."""
    entries = tuple(model_entry(name, tuple(answer)) for name, answer in members.items())
    entry = EnsembleEntry("constants", entries[0].labels, entries, policy, weights)
    modules = []
    for model, answer in zip(entries, members.values(), strict=True):
        member = Member(model, entry.columns(model))
        member.network = Constant(tuple(answer.values()))
        modules.append(member)
    return LoadedEnsemble(entry, Ensemble(modules).eval(), "constants")


def random_ensemble(*architectures: str) -> LoadedEnsemble:
    """Real networks with random weights, the same ones each time."""
    return random_weights.random_ensemble(architectures, ("a", "b", "c"))


def crops(ensemble: LoadedEnsemble, faces: int) -> list[Pixels]:
    """Noise for each input size."""
    generator = np.random.default_rng(0)
    return [
        generator.integers(0, 256, (faces, side, side, 3), dtype=np.uint8)
        for side in ensemble.module.input_sizes
    ]


def exact(ensemble: LoadedEnsemble, pixels: list[Pixels]) -> np.ndarray:
    """What the module itself answers, in float32."""
    with torch.inference_mode():
        return ensemble.module(*(torch.from_numpy(crop) for crop in pixels)).numpy()
