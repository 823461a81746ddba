"""BlazeFace (Bazarevsky et al., arXiv 1907.05047) on OpenVINO, from the published TFLite files."""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..exceptions import DetectorError
from ..process import import_openvino, openvino_core
from .anchors import BlazeFaceSpec, Detections, anchor_centres, decode

Pixels = npt.NDArray[np.uint8]

#: Passes at once, where there are so many cores; further threads wait for their turn. Each costs 10 MB.
_MOST_AT_ONCE = 8


class BlazeFace:
    """One model file. Safe to call from several threads at once: each pass takes one core.

    Always in float32: bfloat16 takes a third less time, but moves boxes and changes scores of small faces.
    """

    def __init__(self, spec: BlazeFaceSpec, path: Path) -> None:
        """Raises DetectorError if the file cannot be read."""
        self.spec = spec
        self._centres = anchor_centres(spec)
        self._compiled = _compile(path)
        self._own = threading.local()

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        """Boxes in input pixels of a tile uint8 (S, S, 3) RGB, not yet suppressed."""
        request: Any = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        request.infer([np.ascontiguousarray(tile)[None]], share_inputs=True)
        outputs = (tensor.data[0] for tensor in request.output_tensors)  # (A, 16) and (A, 1), in any order
        logits, offsets = sorted(outputs, key=lambda output: int(output.shape[1]))
        return decode(logits[:, 0], offsets, self._centres, min_score)


def _compile(path: Path) -> Any:
    """The network with a stream a core, each of one thread: who looks at a picture need not wait for those
    who look at others, and a pass of 3 ms gains little from being split."""
    try:
        ov = import_openvino()
    except ImportError as error:
        raise DetectorError(f"OpenVINO, which looks for faces, cannot be loaded: {error}") from error
    core = openvino_core()
    try:
        network = core.read_model(path)
    except RuntimeError as error:
        raise DetectorError(f"OpenVINO cannot read {path}: {str(error).strip().splitlines()[-1]}") from error
    prepared = ov.preprocess.PrePostProcessor(network)
    prepared.input().tensor().set_element_type(ov.Type.u8)
    prepared.input().preprocess().convert_element_type(ov.Type.f32).mean(127.5).scale(127.5)  # to [-1, 1]
    streams = str(min(os.cpu_count() or 1, _MOST_AT_ONCE))
    config = {
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams,
        # Pinned, they would share their cores with the engine's threads and leave others to nobody.
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(prepared.build(), "CPU", config)
