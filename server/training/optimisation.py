"""Parameter groups for the optimizer, and sharpness-aware minimisation."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and kernels; none for biases, norms, slopes and position tables."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


class SharpnessAware:
    """Steps an optimizer with gradients from the nearby point of highest loss.

    Each step costs two forward and backward passes. ``radius`` is the distance of that point in the Euclidean
    norm of all weights. POSTER V2 was trained this way, with Adam and 0.05. Source: Foret et al.,
    Sharpness-Aware Minimization, arXiv 2010.01412.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, radius: float) -> None:
        self.optimizer, self.radius = optimizer, radius

    def step(self, loss: Callable[[], Tensor]) -> Tensor:
        """``loss`` computes the loss at the current weights, without a backward pass. Returns the first of
        its two values."""
        first = self._gradients(loss)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        moved = [parameter for parameter in parameters if parameter.grad is not None]
        with torch.no_grad():
            norm = nn.utils.get_total_norm([p.grad for p in moved if p.grad is not None])
            scale = self.radius / (norm + 1e-12)
            before = [parameter.clone() for parameter in moved]
            for parameter in moved:
                assert parameter.grad is not None
                parameter.add_(parameter.grad * scale)
        self._gradients(loss)
        with torch.no_grad():
            for parameter, value in zip(moved, before, strict=True):
                parameter.copy_(value)
        self.optimizer.step()
        return first

    def _gradients(self, loss: Callable[[], Tensor]) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        return value.detach()
