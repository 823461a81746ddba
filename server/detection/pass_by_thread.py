"""A small OpenVINO network for concurrent use; each thread has its own infer request and core."""

import os
import threading
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..exceptions import DetectorError
from ..process import import_openvino, openvino_core

#: Most concurrent forward passes, if there are as many cores; other threads wait. Each costs 10 MB.
_MOST_AT_ONCE = 8


def openvino() -> ModuleType:
    """The library. Raises DetectorError if it cannot be loaded."""
    try:
        return import_openvino()
    except ImportError as error:
        raise DetectorError(f"OpenVINO, which looks for faces, cannot be loaded: {error}") from error


class PassByThread:
    """Runs a network. Safe to call from several threads at once.

    It has one stream with one thread for each core: no image waits for another, and a forward pass of 3 ms
    gains little from several threads. The precision is float32: bfloat16 takes a third less time, but moves
    boxes and changes scores of small faces.
    """

    def __init__(self, network: Any) -> None:
        streams = str(min(os.cpu_count() or 1, _MOST_AT_ONCE))
        config = {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams,
            # Pinned threads would share their cores with the engine's threads and leave other cores idle.
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled = openvino_core().compile_model(network, "CPU", config)
        self._own = threading.local()

    def __call__(self, batch: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        """The network's outputs, in order. The next call from the same thread overwrites them."""
        request: Any = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        request.infer([np.ascontiguousarray(batch)], share_inputs=True)
        return [tensor.data for tensor in request.output_tensors]
