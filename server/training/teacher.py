"""Knowledge distillation: a network learns from another's predictions beside the annotators' votes.

The teacher sees the very image that the student sees, with all that was done to it (Beyer et al., A good
teacher is patient and consistent, arXiv 2106.05237).
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..exceptions import EmostreamError
from ..inference.ensemble import load_ensemble
from ..models.weights import WeightsStore


class Teacher(nn.Module):
    """A model or ensemble of the catalogue, with its probabilities over ``labels``."""

    def __init__(self, name: str, labels: tuple[str, ...], weights_dir: Path) -> None:
        """Raises EmostreamError if its labels are others, ModelError if it cannot be loaded."""
        super().__init__()
        store = WeightsStore(weights_dir)
        entry = store.find(name)
        if set(entry.labels) != set(labels):
            raise EmostreamError(
                f"the teacher {name} knows {', '.join(entry.labels)}; the student learns {', '.join(labels)}"
            )
        self.ensemble = load_ensemble(entry, store).module.requires_grad_(False).eval()
        self._weights = entry.weights or (1 / len(entry.members),) * len(entry.members)
        self._order = [entry.labels.index(label) for label in labels]

    def train(self, mode: bool = True) -> "Teacher":
        """Never does: its statistics are not to change."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """RGB or grey in [0, 255], float (N, 3 or 1, H, W), to probabilities (N, C)."""
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


def distillation_loss(logits: Tensor, probabilities: Tensor, temperature: float) -> Tensor:
    """Cross-entropy with the teacher's softened probabilities (Hinton et al., arXiv 1503.02531).

    Scaled by the temperature's square, so that the gradients' size does not depend on it.
    """
    softened = (probabilities.clamp_min(1e-8).log() / temperature).softmax(1)
    return F.cross_entropy(logits / temperature, softened) * temperature**2
