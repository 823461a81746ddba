"""Where the arithmetic happens. Devices and precisions are known to the engines and to nobody else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from server.choices import Precision
from server.exceptions import ModelError
from server.inference.device_preparation import Pixels, PreparedFace
from server.inference.ensemble import LoadedEnsemble, Probabilities
from server.inference.openvino_engine import OpenVinoEngine
from server.inference.torch_engine import TorchEngine


class Engine(Protocol):
    """Runs an ensemble. ``prepare`` may be called from many threads at once, ``infer`` from one at a time."""

    @property
    def device(self) -> str:
        """For people: the processor or GPU."""

    @property
    def precision(self) -> str:
        """What most of the arithmetic is done in: "f32", "bf16" or "f16"."""

    @property
    def max_batch(self) -> int:
        """The most faces that are worth handing over at once."""

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        """Decodes an encoded crop and resizes it, where this engine does so best.

        Raises InvalidImageError and ImageTooLargeError.
        """

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        """One array (N, S, S, 3) RGB, N >= 1, for each input size of the ensemble, to (M, N, C).

        N may be larger than ``max_batch``; it then takes several passes.
        """


def create_engine(
    ensemble: LoadedEnsemble,
    device: str,
    *,
    max_batch: int,
    threads: int,
    precision: Precision,
    cache_dir: Path,
) -> Engine:
    """The engine for "auto" (CUDA where there is a GPU, else the CPU), "cpu", "cuda" or "cuda:1".

    Raises ModelError if a GPU is asked for that is not there.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        return OpenVinoEngine(
            ensemble,
            max_batch=max_batch,
            threads=threads,
            precision=precision,
            cache_dir=cache_dir,
        )
    _, _, index = device.partition(":")
    if int(index or 0) >= torch.cuda.device_count():
        raise ModelError(f"{device} is not there: PyTorch finds {torch.cuda.device_count()} CUDA devices")
    return TorchEngine(ensemble.module, torch.device(device), max_batch)
