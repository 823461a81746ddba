"""Creates engines, which run the forward passes. Only engines know about devices and precisions."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from ..choices import Precision
from ..exceptions import ModelError
from ..process import import_openvino
from .device_preparation import Pixels, PreparedFace
from .ensemble import LoadedEnsemble, Probabilities
from .openvino_engine import PASS_SIZES, OpenVinoEngine
from .torch_engine import TorchEngine

logger = logging.getLogger(__name__)

#: Default of the largest batch, in faces. Larger batches give a CPU no more throughput, and newer frames
#: cannot replace those in the engine: an overloaded CPU computed frames that were 0.5 s old with batches of
#: 32, and 0.17 s old with 8 (measured, bench/README.md).
DEFAULT_MAX_BATCH = {"cpu": PASS_SIZES[-1], "cuda": 32}


class Engine(Protocol):
    """Runs an ensemble. ``prepare`` may be called from many threads at once, ``infer`` from one at a time."""

    @property
    def device(self) -> str:
        """The processor or GPU, for display."""

    @property
    def precision(self) -> str:
        """The precision of most of the arithmetic: "f32", "bf16" or "f16"."""

    @property
    def max_batch(self) -> int:
        """The largest useful batch, in faces."""

    @property
    def batch_sizes(self) -> Sequence[int]:
        """The batch sizes that it computes; other numbers of faces are composed of these."""

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        """Decodes an encoded crop and resizes it, on the device that suits this engine best.

        Raises InvalidImageError and ImageTooLargeError.
        """

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        """Computes the members' probabilities (M, N, C) from one array (N, S, S, 3) RGB, N >= 1, for each
        input size of the ensemble.

        If N is larger than ``max_batch``, it takes several forward passes.
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
    """The engine for "auto" (CUDA if there is a GPU, otherwise the CPU), "cpu", "cuda" or "cuda:1".

    A ``max_batch`` of 0 means the device's DEFAULT_MAX_BATCH. On the CPU the engine is OpenVINO's, or
    PyTorch's if OpenVINO cannot be loaded. Raises ModelError if the requested GPU does not exist or has too
    little memory, or if float16 is requested on a CPU.
    """
    place = resolve_device(device)
    max_batch = max_batch or DEFAULT_MAX_BATCH[place.type]
    if place.type == "cuda":
        try:
            return TorchEngine(ensemble, place, max_batch, precision)
        except torch.OutOfMemoryError as error:
            raise ModelError(f"{device} has not enough memory for this model: {error}") from error
    if precision == "f16":
        raise ModelError("precision f16 is for GPUs: the CPU computes in bf16 or f32")
    try:
        import_openvino()
    except ImportError as error:
        logger.warning("OpenVINO cannot be loaded, PyTorch computes more slowly: %s", error)
        return TorchEngine(ensemble, place, max_batch, precision)
    return OpenVinoEngine(
        ensemble,
        max_batch=max_batch,
        threads=threads,
        precision=precision,
        cache_dir=cache_dir,
    )


def resolve_device(device: str) -> torch.device:
    """Resolves a device setting on this machine; see ``create_engine``. Raises ModelError."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    _, _, index = device.partition(":")
    if device != "cpu" and int(index or 0) >= torch.cuda.device_count():
        raise ModelError(f"{device} is not there: PyTorch finds {torch.cuda.device_count()} CUDA devices")
    return torch.device(device)
