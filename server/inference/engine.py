"""Where the arithmetic happens. Device, precision and threads are known here and nowhere else."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from server.inference.ensemble import Ensemble

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]


class Engine(Protocol):
    """Runs an ensemble. Calls come from one thread at a time."""

    @property
    def device(self) -> str:
        """For people: "cpu" or the name of the GPU."""

    @property
    def precision(self) -> str:
        """What most of the arithmetic is done in: "f32", "bf16" or "f16"."""

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        """One array (N, S, S, 3) RGB for each input size of the ensemble, to (M, N, C)."""


class TorchEngine:
    """PyTorch, on CUDA in half precision, or on the CPU in float32 as the reference of the other engines."""

    def __init__(self, ensemble: Ensemble, device: torch.device) -> None:
        self._device = device
        self._dtype = torch.float16 if device.type == "cuda" else torch.float32
        self._ensemble = ensemble.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def device(self) -> str:
        return torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "cpu"

    @property
    def precision(self) -> str:
        return "f16" if self._dtype == torch.float16 else "f32"

    @torch.inference_mode()
    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        tensors = [torch.from_numpy(crop).to(self._device, non_blocking=True) for crop in crops]
        # Autocast leaves normalisation and softmax in float32.
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype == torch.float16):
            answers: Probabilities = self._ensemble(*tensors).float().cpu().numpy()
        return answers


class OpenVinoEngine:
    """OpenVINO on the CPU, compiled from the same PyTorch module."""

    def __init__(self, ensemble: Ensemble, threads: int, cache_dir: Path) -> None:
        import openvino as ov  # a second of imports that a CUDA server can do without

        core = ov.Core()
        core.set_property({"CACHE_DIR": str(cache_dir)})
        examples = tuple(torch.zeros(2, size, size, 3, dtype=torch.uint8) for size in ensemble.input_sizes)
        shapes = [ov.PartialShape([-1, size, size, 3]) for size in ensemble.input_sizes]
        converted = ov.convert_model(ensemble, example_input=examples, input=shapes)
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            # Measured: float32 on the shipped members is within 0.2 ms of bfloat16 and exact.
            "INFERENCE_PRECISION_HINT": "f32",
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        self._compiled = core.compile_model(converted, "CPU", config)
        self._request = self._compiled.create_infer_request()

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def precision(self) -> str:
        return "f32"

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        self._request.infer(list(crops), share_inputs=True)
        # A copy: the request's own memory is overwritten by the next call.
        return np.array(self._request.get_output_tensor().data, dtype=np.float32)


def create_engine(ensemble: Ensemble, device: str, threads: int, cache_dir: Path) -> Engine:
    """The engine for "auto" (CUDA where there is a GPU, else OpenVINO), "cpu", "cuda" or "cuda:1"."""
    if device.startswith("cuda") or (device == "auto" and torch.cuda.is_available()):
        return TorchEngine(ensemble, torch.device("cuda" if device == "auto" else device))
    return OpenVinoEngine(ensemble, threads, cache_dir)
