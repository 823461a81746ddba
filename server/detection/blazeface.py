"""BlazeFace (Bazarevsky et al., arXiv 1907.05047) on OpenVINO, from the published TFLite files."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..exceptions import DetectorError
from ..process import openvino_core
from .anchors import BlazeFaceSpec, Detections, anchor_centres, decode
from .pass_by_thread import PassByThread, openvino

Pixels = npt.NDArray[np.uint8]


class BlazeFace:
    """One model file. Safe to call from several threads at once: each forward pass takes one core."""

    def __init__(self, spec: BlazeFaceSpec, path: Path) -> None:
        """Raises DetectorError if the file cannot be read."""
        self.spec = spec
        self._centres = anchor_centres(spec)
        self._network = PassByThread(_read(path))

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        """Boxes in input pixels of a tile uint8 (S, S, 3) RGB, not yet suppressed."""
        outputs = (output[0] for output in self._network(tile[None]))  # (A, 16) and (A, 1), in any order
        logits, offsets = sorted(outputs, key=lambda output: int(output.shape[1]))
        return decode(logits[:, 0], offsets, self._centres, min_score)


def _read(path: Path) -> Any:
    """Reads a file's network, with uint8 RGB as its input."""
    ov = openvino()
    try:
        network = openvino_core().read_model(path)
    except RuntimeError as error:
        raise DetectorError(f"OpenVINO cannot read {path}: {str(error).strip().splitlines()[-1]}") from error
    prepared = ov.preprocess.PrePostProcessor(network)
    prepared.input().tensor().set_element_type(ov.Type.u8)
    prepared.input().preprocess().convert_element_type(ov.Type.f32).mean(127.5).scale(127.5)  # to [-1, 1]
    return prepared.build()
