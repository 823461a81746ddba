"""Checks whether a faster precision gives the same predictions as float32."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

from .device_preparation import Pixels
from .ensemble import LoadedEnsemble, Probabilities

logger = logging.getLogger(__name__)

#: The most that a probability may differ from float32's.
MAX_PRECISION_ERROR = 0.02
_PROBE_FACES = 8


def keeps_predictions(
    ensemble: LoadedEnsemble, precision: str, exact: Probabilities, fast: Probabilities
) -> bool:
    """Whether no probability of the ensemble differs by more than MAX_PRECISION_ERROR; logs it if one does.

    ``exact`` and ``fast`` are the members' probabilities (M, N, C) for the same faces, in float32 and in
    ``precision``. Overflow counts as a difference.
    """
    # Combined as when serving; with the random policy, the same members are drawn both times.
    wanted, got = (ensemble.combine(members, np.random.default_rng(0)) for members in (exact, fast))
    if not np.isfinite(got).all():
        logger.info("%s overflows in these networks: not used", precision)
        return False
    error = float(np.abs(wanted - got).max())
    if error > MAX_PRECISION_ERROR:
        logger.info("%s changes probabilities by up to %.3f: not used", precision, error)
        return False
    return True


def probes(input_sizes: Sequence[int]) -> list[Pixels]:
    """Random images with structure at every scale, as in faces: the same at each size, uint8 (N, S, S, 3)."""
    generator = np.random.default_rng(0)
    largest = max(input_sizes)
    sums = np.zeros((_PROBE_FACES, largest, largest, 3))
    for cells in (2, 4, 8, 16):
        noise = torch.from_numpy(generator.normal(size=(_PROBE_FACES, 3, cells, cells)))
        blown_up = F.interpolate(noise, (largest, largest), mode="bicubic")
        sums += blown_up.permute(0, 2, 3, 1).numpy() / np.sqrt(cells)
    images = torch.from_numpy(np.clip(128 + 50 * sums, 0, 255)).permute(0, 3, 1, 2)
    return [
        F.interpolate(images, (side, side), mode="area")
        .permute(0, 2, 3, 1)
        .round()
        .to(torch.uint8)
        .contiguous()
        .numpy()
        for side in input_sizes
    ]
