"""Several networks as one: from pixels to each member's probabilities."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from server.models.catalogue import EnsembleEntry, ModelEntry
from server.models.checkpoint import load_checkpoint
from server.models.factory import create_model, input_size
from server.models.normalisation import Normalisation


class Member(nn.Module):
    """One network with its normalisation before and a softmax behind it, answering in ``labels``' order."""

    order: Tensor

    def __init__(self, entry: ModelEntry, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.input_size = input_size(entry.architecture)
        self.normalise = Normalisation(entry.normalisation)
        self.network = create_model(entry.architecture, len(entry.labels))
        order = torch.tensor([entry.labels.index(label) for label in labels])
        self.register_buffer("order", order, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """RGB in [0, 255], float (N, 3, S, S), to probabilities (N, C)."""
        logits = self.network(self.normalise(x))
        probabilities: Tensor = logits.float().softmax(1).index_select(1, self.order)
        return probabilities


class Ensemble(nn.Module):
    """All members in one graph, so that an engine compiles and runs them as one program.

    Takes uint8 RGB crops, one tensor (N, S, S, 3) for each of ``input_sizes``; returns (M, N, C): the
    probabilities of M members for N faces over C labels.
    """

    def __init__(self, members: list[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.input_sizes = tuple(sorted({member.input_size for member in members}))

    def forward(self, *crops: Tensor) -> Tensor:
        # (N, S, S, 3) -> (N, 3, S, S)
        pixels = dict(
            zip(self.input_sizes, (crop.permute(0, 3, 1, 2).float() for crop in crops), strict=True)
        )
        answers: list[Tensor] = []
        for member in self.members:
            assert isinstance(member, Member)
            answers.append(member(pixels[member.input_size]))
        return torch.stack(answers)


@dataclass(frozen=True)
class LoadedEnsemble:
    """An ensemble with its weights, and what is known about it."""

    entry: EnsembleEntry
    module: Ensemble


def load_ensemble(entry: EnsembleEntry) -> LoadedEnsemble:
    """Builds the members and loads their weights. Raises CheckpointError for a file that does not fit."""
    members = []
    for model in entry.members:
        member = Member(model, entry.labels)
        load_checkpoint(member.network, model.file)
        members.append(member)
    return LoadedEnsemble(entry, Ensemble(members).eval())
