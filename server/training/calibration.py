"""Confidences that mean what they say: one temperature, fitted on images that were not trained on.

Source: Guo et al., On Calibration of Modern Neural Networks, arXiv 1706.04599.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from ..inference.ensemble import sharpen

#: Beyond these a fit has gone astray: a network that is that far off is broken.
_COLDEST, _HOTTEST = 0.05, 20.0

#: A temperature that was fitted on fewer images says more about these images than about the network.
LEAST_IMAGES = 100


def fit_temperature(probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> float:
    """The temperature with the least negative log-likelihood of ``truth``.

    Args:
        probabilities: (N, C), rows summing to 1.
        truth: (N,) class indices.
    """
    logarithms = torch.from_numpy(probabilities).double().clamp_min(1e-12).log()
    target = torch.from_numpy(truth)
    # Its logarithm is fitted: a temperature is positive.
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(logarithms / log_temperature.exp(), target)
        value.backward()
        return value

    optimizer.step(loss)
    return min(max(float(log_temperature.detach().exp()), _COLDEST), _HOTTEST)


def cross_fitted(
    probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], seed: int = 0
) -> npt.NDArray[np.float32]:
    """Probabilities at temperatures that their own images took no part in fitting.

    Each half's temperature comes from the other half: what is measured on the result is not flattered by
    the fit.
    """
    halves = np.array_split(np.random.default_rng(seed).permutation(len(truth)), 2)
    calibrated = np.empty_like(probabilities)
    for fitted_on, applied_to in (halves, halves[::-1]):
        temperature = fit_temperature(probabilities[fitted_on], truth[fitted_on])
        calibrated[applied_to] = sharpen(probabilities[applied_to], temperature)
    return calibrated


def log_loss(probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> float:
    """Mean negative logarithm of the true class's probability: what a temperature is fitted to.

    Args: as of ``fit_temperature``.
    """
    of_truth = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(of_truth, 1e-12)).mean())
