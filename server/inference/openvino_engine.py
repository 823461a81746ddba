"""OpenVINO: the engine for CPUs, compiled from the same PyTorch module."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..choices import Precision
from ..imaging.decoding import decode, prepare
from ..process import import_openvino, openvino_core
from .device_preparation import Pixels, PreparedFace
from .ensemble import LoadedEnsemble, Probabilities
from .openvino_conversion import load_graphs
from .precision import keeps_predictions, probes

#: Batch sizes of forward passes; see ``passes``.
PASS_SIZES = (1, 2, 4, 8)
_FEW_FACES = 2


@dataclass(frozen=True)
class _Part:
    """A part of a forward pass: some members for some faces, and the compiled graph that computes it."""

    members: slice
    faces: slice
    request: Any


#: By batch size, ascending: the parts of a pass's second half, which run in parallel.
_Passes = dict[int, list[_Part]]


class OpenVinoEngine:
    """Runs the ensemble as compiled graphs of its two halves.

    The first half normalises pixels, always in float32: the networks would amplify rounding errors there (a
    grey level of 200 in bfloat16 is off by up to half a level, and the contrast of a dull image is a few
    dozen levels). The second half is the networks, in bfloat16 if the processor computes it natively and it
    keeps the predictions (see ``precision.py``), otherwise in float32. It is compiled for each of PASS_SIZES:
    a graph for one batch size takes a tenth to a fifth less time than one for any. The second half runs in
    two parts with half of the cores each, which wait for each other less often than the cores of one graph.
    With few faces, each part computes half of the members if the halves have the same architectures;
    otherwise each computes all members for half of the faces.

    The converted graphs are cached in ``cache_dir`` (``load_graphs``).
    """

    def __init__(
        self,
        ensemble: LoadedEnsemble,
        *,
        max_batch: int,
        threads: int,
        precision: Precision,
        cache_dir: Path,
    ) -> None:
        # OpenVINO's own cache of compiled graphs (CACHE_DIR) stays off. Its key omits the precision, so a
        # graph compiled for float32 would be loaded for bfloat16, which is slower and sometimes crashes.
        self._core = openvino_core()
        self._threads = threads
        self.max_batch = max_batch
        self._input_sizes = ensemble.module.input_sizes
        self._labels = len(ensemble.entry.labels)
        self._architectures = [member.architecture for member in ensemble.entry.members]
        first, second = load_graphs(self._core, ensemble, cache_dir)
        normalised = self._compile(first, "f32")
        self._normalised = normalised.create_infer_request()
        self._cores = int(normalised.get_property("INFERENCE_NUM_THREADS"))
        self.precision, self._passes = self._compile_as(precision, second, ensemble)

    @property
    def device(self) -> str:
        name: str = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"cpu ({name.strip()})"

    @property
    def batch_sizes(self) -> Sequence[int]:
        return list(self._passes)

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        return prepare(decode(data, max_pixels), self._input_sizes)

    def infer(self, crops: Sequence[Pixels], compiled: _Passes | None = None) -> Probabilities:
        """As ``Engine.infer``; ``compiled`` replaces this engine's own passes."""
        compiled, done, found = compiled or self._passes, 0, []
        for size in passes(len(crops[0]), list(compiled)):
            found.append(self._pass(compiled[size], size, [crop[done : done + size] for crop in crops]))
            done += size
        return np.concatenate(found, axis=1)

    def _compile_as(self, wanted: Precision, graph: Any, ensemble: LoadedEnsemble) -> tuple[str, _Passes]:
        """The precision of the second half, and its compiled passes."""
        sizes = [size for size in PASS_SIZES if size <= self.max_batch]
        if wanted != "auto":
            return wanted, self._compile_passes(graph, wanted, sizes)
        if "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "f32", self._compile_passes(graph, "f32", sizes)
        exact = self._compile_passes(graph, "f32", sizes[-1:])
        fast = self._compile_passes(graph, "bf16", sizes)
        faces = probes(self._input_sizes)
        if keeps_predictions(ensemble, "bf16", self.infer(faces, exact), self.infer(faces, fast)):
            return "bf16", fast
        return "f32", self._compile_passes(graph, "f32", sizes)

    def _compile_passes(self, graph: Any, precision: str, sizes: Sequence[int]) -> _Passes:
        """Compiles the second half for these batch sizes, ascending."""
        return {size: self._parts(graph, precision, size) for size in sizes}

    def _parts(self, graph: Any, precision: str, size: int) -> list[_Part]:
        everyone, all_faces = slice(0, len(self._architectures)), slice(0, size)
        half, middle = everyone.stop // 2, size // 2
        are_alike = sorted(self._architectures[:half]) == sorted(self._architectures[half:])
        if self._cores > 1 and size <= _FEW_FACES and are_alike:
            parts = []
            for members in (slice(0, half), slice(half, everyone.stop)):
                # Not pinned: both would be pinned to the same cores.
                alone = {"INFERENCE_NUM_THREADS": str(self._cores // 2), "ENABLE_CPU_PINNING": False}
                compiled = self._compile(_for_members(_sized(graph, size), members), precision, **alone)
                parts.append(_Part(members, all_faces, compiled.create_infer_request()))
            return parts
        if self._cores > 1 and size > 1:
            compiled = self._compile(_sized(graph, middle), precision, NUM_STREAMS="2")
            halves = (slice(0, middle), slice(middle, size))
            return [_Part(everyone, faces, compiled.create_infer_request()) for faces in halves]
        compiled = self._compile(_sized(graph, size), precision)
        return [_Part(everyone, all_faces, compiled.create_infer_request())]

    def _compile(self, graph: Any, precision: str, **options: object) -> Any:
        config: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": "1",
        }
        if self._threads:
            config["INFERENCE_NUM_THREADS"] = str(self._threads)
            # Pinned threads take the first cores, and so those of every other process that has as many.
            config["ENABLE_CPU_PINNING"] = False
        return self._core.compile_model(graph, "CPU", config | options)

    def _pass(self, parts: list[_Part], size: int, crops: list[Pixels]) -> Probabilities:
        """Up to ``size`` faces through both halves."""
        faces = len(crops[0])
        if faces < size:
            crops = [np.resize(crop, (size, *crop.shape[1:])) for crop in crops]  # padded with copies
        self._normalised.infer(crops, share_inputs=True)
        inputs = [tensor.data for tensor in self._normalised.output_tensors]
        for part in parts:
            part.request.start_async([each[part.faces] for each in inputs], share_inputs=True)
        for part in parts:
            part.request.wait()
        # A copy: the requests' own memory is overwritten by the next call.
        probabilities = np.empty((len(self._architectures), size, self._labels), np.float32)
        for part in parts:
            probabilities[part.members, part.faces] = part.request.get_output_tensor().data
        return probabilities[:, :faces]


def _sized(graph: Any, faces: int) -> Any:
    """The second half's graph for one number of faces; it shares the weights of ``graph``."""
    sized = graph.clone()
    sized.reshape({each: [faces, *list(each.partial_shape)[1:]] for each in sized.inputs})
    return sized


def _for_members(graph: Any, members: slice) -> Any:
    """The second half's graph for only these members; the inputs of the others stay, unused."""
    ov = import_openvino()
    stacked = graph.outputs[0].get_node().input_value(0).get_node()
    kept = [stacked.input_value(index) for index in range(members.start, members.stop)]
    return ov.Model([ov.opset13.concat(kept, 0)], graph.get_parameters())


def passes(faces: int, sizes: Sequence[int]) -> list[int]:
    """Splits a number of faces into forward passes of ``sizes`` (ascending); the largest comes first.

    A pass may be padded by one face, which takes less time than several smaller passes: three faces are a
    pass of 4, seven one of 8, but six are passes of 4 and 2.
    """
    taken = []
    while faces > 0:
        taken.append(max(size for size in sizes if size <= faces + (faces > 1)))
        faces -= taken[-1]
    return taken
