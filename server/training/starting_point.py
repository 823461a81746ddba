"""The initial model of fine-tuning: networks with frozen features, and their predictions."""

from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..exceptions import ModelError
from ..inference.ensemble import Member, load_ensemble, sharpen
from ..loading import find_model
from ..models.catalogue import EnsembleEntry
from ..models.factory import PAIRS, create_model
from ..models.normalisation import NormalisationSpec
from ..models.weights import WeightsStore
from ..settings import Settings

Floats = npt.NDArray[np.float32]

_BATCH = 64


class StartingPoint:
    """One network of the catalogue or of an earlier run, or two of one architecture, on ``device``.

    Its features are the input of the last layer; those of two networks are concatenated. Raises ModelError if
    ``model`` is something else.
    """

    def __init__(self, model: str, settings: Settings, device: torch.device) -> None:
        entry, _ = find_model(model, settings)
        self.entry, self.device = entry, device
        self.name, self.labels = entry.name, entry.labels
        self._members = list(load_ensemble(entry, WeightsStore(settings.weights_dir)).module)
        self._shares = entry.weights or (1 / len(self._members),) * len(self._members)
        self.architecture = _architecture(entry)
        self.mirrored = any(member.mirrored for member in self._members)
        self.input_size = self._members[0].input_size
        self._heads = [deepcopy(_head(member)) for member in self._members]
        for member in self._members:
            member.network.head = nn.Identity()
            member.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.normalisation = entry.members[0].normalisation_spec

    @torch.no_grad()
    def features(self, images: Tensor) -> Floats:
        """Features (N, D) of images in [0, 255], float (N, 1 or 3, S, S) of any side."""
        found = []
        for start in range(0, len(images), _BATCH):
            batch = self._sized(images[start : start + _BATCH].to(self.device))
            parts = [
                member.network(member.normalise(batch).contiguous(memory_format=torch.channels_last))
                for member in self._members
            ]
            found.append(torch.cat(parts, 1).float().cpu().numpy())
        return np.concatenate(found)

    def answers(self, features: Floats) -> Floats:
        """The networks' probabilities (N, L) over ``labels`` with their own last layers.

        They are before the ensemble's temperature, which also applies to means over mirror images: see
        ``sharpened``.
        """
        whole, start = np.zeros((len(features), len(self.labels)), np.float64), 0
        for member, head, share in zip(self._members, self._heads, self._shares, strict=True):
            part = torch.from_numpy(features[:, start : start + head.in_features])
            outputs = (head(part) / member.temperature).softmax(1).detach().double().numpy()
            start += head.in_features
            whole += share * np.stack([outputs[:, list(column)].sum(1) for column in member.columns], 1)
        answers: Floats = (whole / whole.sum(1, keepdims=True)).astype(np.float32)
        return answers

    def sharpened(self, probabilities: Floats) -> Floats:
        """Probabilities at the ensemble's temperature."""
        sharpened: Floats = sharpen(probabilities, self.entry.temperature)
        return sharpened

    def last_layer(self, mixture: Floats) -> tuple[Floats, Floats] | None:
        """Weights (C, D) and biases (C,) of one last layer that approximates the networks' predictions.

        ``mixture`` (C, L) has the share of each of ``labels`` in each new one (the identity for equal
        labels). None if a label is the sum of several outputs.
        """
        if any(len(column) > 1 for member in self._members for column in member.columns):
            return None
        weights, biases = [], np.zeros(len(self.labels), np.float32)
        for member, head, share in zip(self._members, self._heads, self._shares, strict=True):
            rows = [column[0] for column in member.columns]
            scale = share / (member.temperature * self.entry.temperature)
            weights.append(head.weight.detach().numpy()[rows] * scale)
            biases += head.bias.detach().numpy()[rows] * scale
        together: Floats = np.concatenate(weights, 1)
        return (mixture @ together).astype(np.float32), (mixture @ biases).astype(np.float32)

    def with_last_layer(self, weights: Floats, biases: Floats) -> dict[str, Tensor]:
        """The state dict of ``architecture`` with these features and a last layer, weights (C, D)."""
        network = create_model(self.architecture, len(biases))
        trunks = [network] if len(self._members) == 1 else [network.first, network.second]
        for trunk, member in zip(trunks, self._members, strict=True):
            state = {k: v.cpu() for k, v in member.network.state_dict().items() if not k.startswith("head.")}
            assert isinstance(trunk, nn.Module)
            trunk.load_state_dict(state, strict=False)
        state = network.state_dict()
        return state | {"head.weight": torch.from_numpy(weights), "head.bias": torch.from_numpy(biases)}

    def _sized(self, images: Tensor) -> Tensor:
        """Converts images to RGB at the networks' input size."""
        rgb = images.expand(-1, 3, -1, -1)
        side = self.input_size
        if rgb.shape[-1] == side:
            return rgb
        return F.interpolate(rgb, size=(side, side), mode="bilinear", antialias=True)


def _architecture(entry: EnsembleEntry) -> str:
    """The architecture of the resulting network. Raises ModelError if the networks cannot be combined."""
    kinds = {member.architecture for member in entry.members}
    normalisations: set[NormalisationSpec] = {member.normalisation_spec for member in entry.members}
    kind = entry.members[0].architecture
    if len(entry.members) == 1:
        return kind
    if len(entry.members) > 2 or len(kinds) > 1 or kind not in PAIRS or len(normalisations) > 1:
        raise ModelError(
            f"fine-tuning starts from one network, or from two of one architecture; {entry.name} consists of "
            f"{', '.join(member.name for member in entry.members)}: name one of them"
        )
    return PAIRS[kind]


def _head(member: Member) -> nn.Linear:
    head = getattr(member.network, "head", None)
    if not isinstance(head, nn.Linear):
        raise ModelError("fine-tuning needs networks with a linear last layer, which this one does not have")
    return head
