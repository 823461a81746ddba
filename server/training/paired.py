"""Paired comparison of two models' predictions for the same images, with its significance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from .metrics import Interval

#: Significance level.
SIGNIFICANT = 0.05

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Paired:
    """``gained`` counts images that were wrong before and are right after, ``lost`` the reverse. ``p_value``
    is that of McNemar's exact test: the probability of a pair at least as uneven if neither is better."""

    gained: int
    lost: int
    p_value: float

    @property
    def verdict(self) -> str:
        """ "better", "worse", or "undecided"."""
        if self.p_value >= SIGNIFICANT:
            return "undecided"
        return "better" if self.gained > self.lost else "worse"


def compare_paired(before: Right, after: Right) -> Paired:
    """Compares whether each image was recognised correctly, (N,) before and (N,) after."""
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    changed = gained + lost
    return Paired(gained, lost, float(binomtest(gained, changed).pvalue) if changed else 1.0)


def accuracy_interval(right: Right) -> Interval:
    """Accuracy with Wilson's interval, which is also valid for few images and if all are right."""
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return Interval(float(right.mean()), float(found.low), float(found.high))
