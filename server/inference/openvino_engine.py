"""OpenVINO: the engine for CPUs, compiled from the same PyTorch module."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from server.choices import Precision
from server.exceptions import ModelError
from server.inference.device_preparation import Pixels, PreparedFace
from server.inference.ensemble import LoadedEnsemble, Probabilities
from server.inference.openvino_conversion import convert, import_openvino
from server.inference.precision import keeps_answers, probes
from server.inference.preparation import decode, prepare

#: Faces are computed so many at a time; see ``passes``.
PASS_SIZES = (1, 2, 4, 8)
#: By the size of a pass, ascending: the requests for the second half that share its faces evenly.
_Answers = dict[int, list[Any]]


class OpenVinoEngine:
    """Runs the ensemble as two kinds of compiled graphs, its two halves.

    The first normalises pixels, in float32 always: rounding there reaches the answers enlarged (a grey level
    of 200 in bfloat16 is off by up to half a level, and a dull picture's contrast is a few dozen). The second
    has the networks, in bfloat16 where the processor computes it natively and it keeps the answers (see
    ``server.inference.precision``), else in float32. It is compiled for each of PASS_SIZES: a graph for one
    number of faces takes a tenth to a fifth less time than one for any number. One face is computed by all
    cores together, several in two parts with half of the cores each: they wait for each other less often.

    The converted graphs are kept in ``cache_dir`` under the ensemble's fingerprint and the versions of what
    made them. Raises ModelError if they cannot be.
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
        ov = import_openvino()
        # Without CACHE_DIR, OpenVINO's own cache of compiled graphs: its key leaves the precision out, so
        # what was compiled for float32 would be loaded for bfloat16: slower, and now and then a crash.
        self._core = ov.Core()
        self._threads = threads
        self.max_batch = max_batch
        self._input_sizes = ensemble.module.input_sizes
        prefix = f"{ensemble.fingerprint}-openvino-{version('openvino')}-torch-{version('torch')}"
        first, self._second = (cache_dir / f"{prefix}-{half}.xml" for half in ("normalised", "answers"))
        if not (first.is_file() and self._second.is_file()):
            try:
                cache_dir.mkdir(parents=True, exist_ok=True)
                convert(ensemble.module, first, self._second)
            except OSError as error:
                raise ModelError(
                    f"the cache folder {cache_dir} cannot be written: {error.strerror}"
                ) from error
        normalised = self._compile(self._core.read_model(first), "f32")
        self._normalised = normalised.create_infer_request()
        self._most_parts = min(2, int(normalised.get_property("INFERENCE_NUM_THREADS")))
        self.precision, self._answers = self._compile_as(precision, ensemble)

    @property
    def device(self) -> str:
        name: str = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"cpu ({name.strip()})"

    @property
    def batch_sizes(self) -> Sequence[int]:
        return list(self._answers)

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        return prepare(decode(data, max_pixels), self._input_sizes)

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        return self._run(self._answers, crops)

    def _compile_as(self, wanted: Precision, ensemble: LoadedEnsemble) -> tuple[str, _Answers]:
        """The precision to compute in, and requests that do."""
        sizes = [size for size in PASS_SIZES if size <= self.max_batch]
        if wanted != "auto":
            return wanted, self._compile_answers(wanted, sizes)
        if "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "f32", self._compile_answers("f32", sizes)
        exact = self._compile_answers("f32", sizes[-1:])
        fast = self._compile_answers("bf16", sizes)
        faces = probes(self._input_sizes)
        if keeps_answers(ensemble, "bf16", self._run(exact, faces), self._run(fast, faces)):
            return "bf16", fast
        return "f32", self._compile_answers("f32", sizes)

    def _compile_answers(self, precision: str, sizes: Sequence[int]) -> _Answers:
        """The second half for passes of these sizes, ascending."""
        answers, graph = {}, self._core.read_model(self._second)
        for size in sizes:
            parts = min(size, self._most_parts)
            graph.reshape({each: [size // parts, *list(each.partial_shape)[1:]] for each in graph.inputs})
            compiled = self._compile(graph, precision, parts)
            answers[size] = [compiled.create_infer_request() for _ in range(parts)]
        return answers

    def _compile(self, graph: Any, precision: str, parts: int = 1) -> Any:
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        config["NUM_STREAMS"] = str(parts)
        if self._threads:
            config["INFERENCE_NUM_THREADS"] = str(self._threads)
        return self._core.compile_model(graph, "CPU", config)

    def _run(self, answers: _Answers, crops: Sequence[Pixels]) -> Probabilities:
        done, found = 0, []
        for size in passes(len(crops[0]), list(answers)):
            found.append(self._pass(answers[size], size, [crop[done : done + size] for crop in crops]))
            done += size
        return np.concatenate(found, axis=1)

    def _pass(self, parts: list[Any], size: int, crops: list[Pixels]) -> Probabilities:
        """Up to ``size`` faces through both halves."""
        faces = len(crops[0])
        if faces < size:
            crops = [np.resize(crop, (size, *crop.shape[1:])) for crop in crops]  # with what is there, again
        self._normalised.infer(crops, share_inputs=True)
        inputs = [tensor.data for tensor in self._normalised.output_tensors]
        share = size // len(parts)
        for start, request in zip(range(0, size, share), parts, strict=True):
            request.start_async([each[start : start + share] for each in inputs], share_inputs=True)
        for request in parts:
            request.wait()
        # A copy: the requests' own memory is overwritten by the next call.
        answers: Probabilities = np.concatenate([part.get_output_tensor().data for part in parts], axis=1)
        return answers[:, :faces]


def passes(faces: int, sizes: Sequence[int]) -> list[int]:
    """The sizes of the passes that so many faces take, of ``sizes``, which ascend.

    The largest first. One place may stay empty, which takes less time than several smaller passes: three
    faces are a pass of 4, seven one of 8, but six are passes of 4 and 2.
    """
    taken = []
    while faces > 0:
        taken.append(max(size for size in sizes if size <= faces + (faces > 1)))
        faces -= taken[-1]
    return taken
