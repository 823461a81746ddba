"""The reference numbers of published networks, and weights drawn as they say (tests/data/README.md)."""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch

from tests.support import DATA

#: How tensors of each kind are made of standard normal numbers n; ``weight`` also needs its shape.
_DRAW_BY_KIND = {
    "bias": lambda n: 0.02 * n,
    "scale": lambda n: 1 + 0.1 * n,
    "prelu": lambda n: 0.25 + 0.05 * n,
    "mean": lambda n: 0.05 * n,
    "var": lambda n: 1 + 0.2 * np.abs(n),
    "zero": lambda n: 0 * n,
    "gamma": lambda n: 0.3 + 0.05 * n,
    "table": lambda n: 0.2 * n,
    "token": lambda n: 0.02 * n,
}


@dataclass(frozen=True)
class Reference:
    """One network's file."""

    facts: dict[str, Any]

    @property
    def logits(self) -> np.ndarray:
        return np.asarray(self.facts["logits_float64"])

    @property
    def float32_error(self) -> float:
        return float(self.facts["float32_max_abs_error"])

    def shapes(self, left_out: tuple[str, ...] = ()) -> dict[str, tuple[int, ...]]:
        """Every key with its shape, without those that start with one of ``left_out``."""
        return {
            key: tuple(shape) for key, shape, _ in self.facts["state_dict"] if not key.startswith(left_out)
        }

    def state(self, left_out: tuple[str, ...] = ()) -> dict[str, torch.Tensor]:
        """The weights, float64, without those left out and those that the network computes itself."""
        return {
            key: torch.from_numpy(np.asarray(self._draw(key, tuple(shape), kind)))
            for key, shape, kind in self.facts["state_dict"]
            if kind != "index" and not key.startswith(left_out)
        }

    def input(self) -> torch.Tensor:
        """(2, 3, 224, 224), float64."""
        return torch.from_numpy(self._normal("input", (2, 3, 224, 224)))

    def _draw(self, key: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
        n = self._normal(key, shape)
        if kind == "weight":
            return n * self.facts["weight_gain"] / np.sqrt(np.prod(shape[1:]))
        return _DRAW_BY_KIND[kind](n)

    def _normal(self, key: str, shape: tuple[int, ...]) -> np.ndarray:
        seed = zlib.crc32(f"{self.facts['tag']}/{key}".encode())
        return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


@cache
def reference(name: str) -> Reference:
    """The file of that name in tests/data, such as ``poster_v2_7``."""
    return Reference(json.loads((DATA / f"{name}.json").read_text()))
