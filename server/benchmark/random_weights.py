"""Networks without trained weights, for measuring and testing."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from ..inference.ensemble import Ensemble, LoadedEnsemble, Member
from ..models.catalogue import EnsembleEntry, parse_model


def random_ensemble(architectures: Sequence[str], labels: Sequence[str]) -> LoadedEnsemble:
    """One network of each architecture with random weights.

    They are the same each time, so that an engine finds the compiled network again.
    """
    torch.manual_seed(0)
    entries = tuple(
        parse_model(
            f"{architecture}-{number}",
            {"architecture": architecture, "labels": tuple(labels), "path": Path("random")},
            "random weights",
        )
        for number, architecture in enumerate(architectures)
    )
    name = ",".join(architectures)
    entry = EnsembleEntry(name, tuple(labels), entries)
    members = [Member(model, entry.columns(model)) for model in entries]
    enliven_norms(nn.ModuleList(members))
    return LoadedEnsemble(entry, Ensemble(members).eval(), f"{name}-{len(labels)}-with-random-weights")


def enliven_norms(network: nn.Module) -> None:
    """Gives every norm of a fresh network a random scale and shift, as a trained one has.

    A fresh one's is the identity, which an engine can leave out, and so would look faster than it is.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.1)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
