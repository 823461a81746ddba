"""Knowledge distillation: a network learns from another's predictions beside the annotators' votes.

Either the teacher sees the same augmented image as the student (Beyer et al., A good teacher is patient and
consistent, arXiv 2106.05237). Or it sees each original image once, and the student learns the teacher's
prediction for the face before it was covered or blurred. That costs one pass over the data, and the student
becomes suitably uncertain about faces that are hard to see.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..exceptions import EmostreamError
from ..files import replacing
from ..inference import Recognizer
from ..inference.ensemble import load_ensemble
from ..models.weights import WeightsStore
from .datasets import FaceDataset
from .evaluate import predict_probabilities


class Teacher(nn.Module):
    """A model or ensemble of the catalogue, with its probabilities over ``labels``."""

    def __init__(self, name: str, labels: tuple[str, ...], weights_dir: Path, mirrored: bool = False) -> None:
        """Raises EmostreamError if its labels differ, ModelError if it cannot be loaded."""
        super().__init__()
        store = WeightsStore(weights_dir)
        entry = store.find(name)
        _check_labels(name, entry.labels, labels)
        entry = replace(entry, mirrored=entry.mirrored or mirrored)
        self.ensemble = load_ensemble(entry, store).module.requires_grad_(False).eval()
        self._weights = entry.weights or (1 / len(entry.members),) * len(entry.members)
        self._order = [entry.labels.index(label) for label in labels]

    def train(self, mode: bool = True) -> "Teacher":
        """Stays in eval mode, since the teacher's statistics must not change."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """From RGB or grey in [0, 255], float (N, 3 or 1, H, W), to probabilities (N, C)."""
        rgb = images.expand(-1, 3, -1, -1)
        crops = [
            F.interpolate(rgb, size=(side, side), mode="bilinear", antialias=True)
            .round()
            .clamp(0, 255)
            .to(torch.uint8)
            .permute(0, 2, 3, 1)
            for side in self.ensemble.input_sizes
        ]
        of_members = self.ensemble(*crops)  # (M, N, C)
        weights = of_members.new_tensor(self._weights).view(-1, 1, 1)
        mean: Tensor = (of_members * weights).sum(0)
        return mean[:, self._order]


class TaughtOnce:
    """The predictions of a model or ensemble of the catalogue for a whole data set, cached in ``file``."""

    def __init__(self, name: str, weights_dir: Path, file: Path, mirrored: bool = False) -> None:
        """Raises ModelError if the teacher cannot be loaded."""
        self.name, self.file = name, file
        self._store = WeightsStore(weights_dir)
        self._entry = self._store.find(name)
        self._entry = replace(self._entry, mirrored=self._entry.mirrored or mirrored)

    def __call__(
        self, data: FaceDataset, device: str, advance: Callable[[int], None] = lambda _: None
    ) -> npt.NDArray[np.float32]:
        """Probabilities (N, C) over the data's labels, at the temperatures with which the teacher serves.

        A cached file of another teacher or of other images is replaced. Raises EmostreamError if the
        teacher's labels differ.
        """
        _check_labels(self.name, self._entry.labels, data.labels)
        ensemble = load_ensemble(self._entry, self._store)
        digest = hashlib.sha256(ensemble.fingerprint.encode())
        digest.update(repr((self._entry.temperature, self._entry.weights, data.labels)).encode())
        digest.update(data.images.tobytes())
        if (kept := self._kept(digest.hexdigest(), (len(data), len(data.labels)))) is not None:
            return kept
        recognizer = Recognizer.load(self._entry, device=device, weights_dir=self._store.folder)
        found = predict_probabilities(recognizer, data, None, 0, advance)
        with replacing(self.file) as temporary, temporary.open("wb") as stream:
            np.savez(stream, probabilities=found, digest=np.array(digest.hexdigest()))
        return found

    def _kept(self, digest: str, shape: tuple[int, int]) -> npt.NDArray[np.float32] | None:
        if not self.file.exists():
            return None
        with self.file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            found: npt.NDArray[np.float32] = arrays["probabilities"]
            return found if str(arrays["digest"]) == digest and found.shape == shape else None


def _check_labels(name: str, known: tuple[str, ...], learned: tuple[str, ...]) -> None:
    if set(known) != set(learned):
        raise EmostreamError(
            f"the teacher {name} knows {', '.join(known)}; the student learns {', '.join(learned)}"
        )


def distillation_loss(logits: Tensor, probabilities: Tensor, temperature: float) -> Tensor:
    """Cross-entropy with the teacher's softened probabilities (Hinton et al., arXiv 1503.02531).

    It is scaled by the square of the temperature, so that the gradients' size does not depend on it.
    """
    softened = (probabilities.clamp_min(1e-8).log() / temperature).softmax(1)
    return F.cross_entropy(logits / temperature, softened) * temperature**2
