"""Two answers to the same images: by how much the one is better, and whether that may be chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from .metrics import Interval

#: Below it a difference is called one.
SIGNIFICANT = 0.05

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Paired:
    """``gained`` images are right that were wrong, ``lost`` wrong that were right. ``p_value`` is McNemar's
    exact one: the chance of so uneven a pair where neither is better."""

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
    """Whether each image was answered rightly, (N,) before and (N,) after."""
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    changed = gained + lost
    return Paired(gained, lost, float(binomtest(gained, changed).pvalue) if changed else 1.0)


def accuracy_interval(right: Right) -> Interval:
    """The share of right answers, with Wilson's interval: of few images, too, and where all are right."""
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return Interval(float(right.mean()), float(found.low), float(found.high))
