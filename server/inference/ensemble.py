"""Combines several networks: from pixels to each member's probabilities, and from those to the ensemble's."""

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..choices import Policy
from ..files import sha256_of
from ..models.catalogue import EnsembleEntry, ModelEntry
from ..models.checkpoint import load_checkpoint
from ..models.factory import create_model, input_size
from ..models.normalisation import Normalisation
from ..models.weight_file import read_description
from ..models.weights import WeightsStore

Probabilities = npt.NDArray[np.float32]


class Member(nn.Module):
    """One network with its normalisation and a softmax over the ensemble's labels.

    ``columns`` lists the network's outputs for each label; see ``EnsembleEntry.columns``.
    ``temperature`` divides the logits; see ``WeightDescription``. ``mirrored``: see ``EnsembleEntry``.
    """

    def __init__(
        self,
        entry: ModelEntry,
        columns: tuple[tuple[int, ...], ...],
        temperature: float = 1.0,
        mirrored: bool = False,
    ) -> None:
        super().__init__()
        self.input_size = input_size(entry.architecture)
        self.normalise = Normalisation(entry.normalisation_spec)
        self.network = create_model(entry.architecture, len(entry.labels))
        self.columns = columns
        self.temperature = temperature
        self.mirrored = mirrored
        self.dtype = torch.float32  # of the network; the rest is always float32
        self.leaves_some_out = sum(len(column) for column in columns) < len(entry.labels)

    def forward(self, x: Tensor) -> Tensor:
        """From RGB in [0, 255], float (N, 3, S, S), to probabilities (N, C)."""
        return self.probabilities(self.normalise(x))

    def probabilities(self, normalised: Tensor) -> Tensor:
        """From the network's input, float (N, 3, S, S), to probabilities (N, C)."""
        x = torch.cat((normalised, normalised.flip(3))) if self.mirrored else normalised
        logits = self.network(x.to(self.dtype)).float()
        outputs = (logits / self.temperature).softmax(1)
        if self.mirrored:
            outputs = outputs.unflatten(0, (2, -1)).mean(0)
        # Indexed one output at a time: a list as an index would be copied to the GPU with every batch, and a
        # CUDA graph cannot capture that.
        of_output = outputs.unbind(1)
        kept = torch.stack([_sum(of_output[index] for index in column) for column in self.columns], dim=1)
        return kept / kept.sum(1, keepdim=True) if self.leaves_some_out else kept


def _sum(tensors: Iterable[Tensor]) -> Tensor:
    return functools.reduce(torch.add, tensors)


class Ensemble(nn.Module):
    """All members in one module, so that an engine compiles and runs them as one program.

    Takes uint8 RGB crops, one tensor (N, S, S, 3) for each of ``input_sizes``; returns (M, N, C): the
    probabilities of M members for N faces over C labels.
    """

    def __init__(self, members: list[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.input_sizes = tuple(sorted({member.input_size for member in members}))

    def __iter__(self) -> Iterator[Member]:
        for member in self.members:
            assert isinstance(member, Member)
            yield member

    def pixels(self, crops: Sequence[Tensor]) -> dict[int, Tensor]:
        """Converts uint8 (N, S, S, 3) of each size to float (N, 3, S, S), by size."""
        planes = (crop.permute(0, 3, 1, 2).float() for crop in crops)
        return dict(zip(self.input_sizes, planes, strict=True))

    def forward(self, *crops: Tensor) -> Tensor:
        return self.probabilities(*self.normalised(*crops))

    def normalised(self, *crops: Tensor) -> tuple[Tensor, ...]:
        """The first half: each member network's input, float (N, 3, S, S)."""
        pixels = self.pixels(crops)
        return tuple(member.normalise(pixels[member.input_size]) for member in self)

    def probabilities(self, *normalised: Tensor) -> Tensor:
        """The second half: from the networks' inputs, in the members' order, to probabilities (M, N, C)."""
        return torch.stack([member.probabilities(x) for member, x in zip(self, normalised, strict=True)])


@dataclass(frozen=True)
class LoadedEnsemble:
    """An ensemble with its weights.

    ``fingerprint`` changes with everything besides the code that its probabilities depend on: weights,
    labels, normalisation, mirroring. For the code, see ``openvino_conversion.GRAPH_VERSION``.
    """

    entry: EnsembleEntry
    module: Ensemble
    fingerprint: str

    def combine(self, of_members: Probabilities, generator: np.random.Generator) -> Probabilities:
        """Combines the members' probabilities (M, N, C) to the ensemble's (N, C) by its policy."""
        if self.entry.policy is Policy.RANDOM:
            faces = np.arange(of_members.shape[1])
            combined = of_members[generator.integers(of_members.shape[0], size=len(faces)), faces]
        else:
            weights = self.entry.weights or (1 / of_members.shape[0],) * of_members.shape[0]
            combined = np.einsum("m,mnc->nc", np.asarray(weights, np.float32), of_members)
        return sharpen(combined, self.entry.temperature)


def sharpen(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities (N, C) as of a softmax at another temperature; below 1 they are more confident."""
    if temperature == 1.0:
        return probabilities
    raised = (probabilities / probabilities.max(1, keepdims=True)) ** np.float32(1 / temperature)
    sharpened: Probabilities = raised / raised.sum(1, keepdims=True)
    return sharpened


def load_ensemble(entry: EnsembleEntry, store: WeightsStore) -> LoadedEnsemble:
    """Builds the members and loads their weights.

    Raises WeightsError for a file that is not on this machine and CheckpointError for one that does not fit.
    """
    members, parts = [], [repr(entry.labels)]
    for model in entry.members:
        path = store.require(model)
        description = read_description(path)
        temperature = description.temperature if description else 1.0
        mirrored = entry.mirrored or model.mirrored
        member = Member(model, entry.columns(model), temperature, mirrored)
        load_checkpoint(member.network, path)
        members.append(member)
        parts += [
            sha256_of(path),
            repr((model.architecture, model.normalisation_spec, member.columns, temperature, mirrored)),
        ]
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return LoadedEnsemble(entry, Ensemble(members).eval(), fingerprint)
