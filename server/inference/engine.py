"""Where the arithmetic happens. Devices and precisions are known to the engines and to nobody else."""

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

#: Faces that are computed together at most, unless told otherwise. A CPU computes no more of them a second in
#: larger batches, and frames that it has taken on can't give way to newer ones any more: measured, an
#: overloaded one computed frames that were 0.5 s old with 32, and 0.17 s with 8 (bench/README.md).
DEFAULT_MAX_BATCH = {"cpu": PASS_SIZES[-1], "cuda": 32}


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

    @property
    def batch_sizes(self) -> Sequence[int]:
        """The numbers of faces that it computes at a time; others are put together from these."""

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

    ``max_batch`` 0 is the device's of DEFAULT_MAX_BATCH.
    On the CPU it is OpenVINO's, or PyTorch's where OpenVINO cannot be loaded. Raises ModelError if a GPU is
    asked for that is not there or has too little memory, or if a CPU is asked for float16.
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
    """What a setting stands for on this machine; see ``create_engine``, whose errors it raises."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    _, _, index = device.partition(":")
    if device != "cpu" and int(index or 0) >= torch.cuda.device_count():
        raise ModelError(f"{device} is not there: PyTorch finds {torch.cuda.device_count()} CUDA devices")
    return torch.device(device)
