"""OpenVINO: the engine for CPUs, compiled from the same PyTorch module."""

import importlib
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from server.choices import Precision
from server.inference.device_preparation import Pixels, PreparedFace
from server.inference.ensemble import Ensemble, LoadedEnsemble, Probabilities
from server.inference.folding import simplified
from server.inference.preparation import decode, prepare

logger = logging.getLogger(__name__)

#: The most that a probability may differ between bfloat16 and float32; else float32 it is.
MAX_PRECISION_ERROR = 0.02
_PROBE_FACES = 8


class OpenVinoEngine:
    """Runs the ensemble as two compiled graphs, its two halves.

    The first normalises pixels, in float32 always: rounding there reaches the answers enlarged (a grey level
    of 200 in bfloat16 is off by up to half a level, and a dull picture's contrast is a few dozen). The second
    has the networks, in bfloat16 where the processor computes it natively and the answers stay within
    MAX_PRECISION_ERROR, else in float32.

    The converted graphs are kept in ``cache_dir`` under the ensemble's fingerprint and the versions of what
    made them.
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
        ov = _import_openvino()
        # Without CACHE_DIR, OpenVINO's own cache of compiled graphs: its key leaves the precision out, so
        # what was compiled for float32 would be loaded for bfloat16: slower, and now and then a crash.
        self._core = ov.Core()
        self._threads = threads
        self.max_batch = max_batch
        self._input_sizes = ensemble.module.input_sizes
        prefix = f"{ensemble.fingerprint}-openvino-{version('openvino')}-torch-{version('torch')}"
        first, second = (cache_dir / f"{prefix}-{half}.xml" for half in ("normalised", "answers"))
        if not (first.is_file() and second.is_file()):
            cache_dir.mkdir(parents=True, exist_ok=True)
            _convert(simplified(ensemble.module), first, second)
        self._normalised = self._compile(self._core.read_model(first), "f32")
        graph = self._core.read_model(second)
        self.precision, self._answers = self._compile_as(precision, graph, ensemble)

    @property
    def device(self) -> str:
        name: str = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"cpu ({name.strip()})"

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        return prepare(decode(data, max_pixels), self._input_sizes)

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        starts = range(0, len(crops[0]), self.max_batch)
        chunks = ([crop[i : i + self.max_batch] for crop in crops] for i in starts)
        return np.concatenate([self._run(self._answers, chunk) for chunk in chunks], axis=1)

    def _compile_as(self, wanted: Precision, graph: Any, ensemble: LoadedEnsemble) -> tuple[str, Any]:
        """The precision to compute in, and a request that does."""
        if wanted != "auto":
            return wanted, self._compile(graph, wanted)
        exact = self._compile(graph, "f32")
        if "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "f32", exact
        fast = self._compile(graph, "bf16")
        probes = _probes(self._input_sizes)
        # What is served, not what each member answers; a member that is drawn is the same one both times.
        true, near = (
            ensemble.combine(self._run(way, probes), np.random.default_rng(0)) for way in (exact, fast)
        )
        error = float(np.abs(true - near).max())
        if error > MAX_PRECISION_ERROR:
            logger.warning("bfloat16 changes probabilities by up to %.3f: computing in float32", error)
            return "f32", exact
        return "bf16", fast

    def _compile(self, graph: Any, precision: str) -> Any:
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        if self._threads:
            config["INFERENCE_NUM_THREADS"] = str(self._threads)
        return self._core.compile_model(graph, "CPU", config).create_infer_request()

    def _run(self, answers: Any, crops: Sequence[Pixels]) -> Probabilities:
        """One pass; ``answers`` is the second half at some precision."""
        self._normalised.infer(list(crops), share_inputs=True)
        answers.infer(list(self._normalised.output_tensors), share_inputs=True)
        # A copy: the request's own memory is overwritten by the next call.
        return np.array(answers.get_output_tensor().data, dtype=np.float32)


def _probes(input_sizes: Sequence[int]) -> list[Pixels]:
    """Pictures with structure at every scale, as faces have, the same ones at each size."""
    generator = np.random.default_rng(0)
    largest = max(input_sizes)
    sums = np.zeros((_PROBE_FACES, largest, largest, 3))
    for cells in (2, 4, 8, 16):
        noise = torch.from_numpy(generator.normal(size=(_PROBE_FACES, 3, cells, cells)))
        blown_up = torch.nn.functional.interpolate(noise, (largest, largest), mode="bicubic")
        sums += blown_up.permute(0, 2, 3, 1).numpy() / np.sqrt(cells)
    pictures = torch.from_numpy(np.clip(128 + 50 * sums, 0, 255)).permute(0, 3, 1, 2)
    return [
        torch.nn.functional.interpolate(pictures, (side, side), mode="area")
        .permute(0, 2, 3, 1)
        .round()
        .to(torch.uint8)
        .contiguous()
        .numpy()
        for side in input_sizes
    ]


def _import_openvino() -> ModuleType:
    """OpenVINO without its telemetry, which reports each import and conversion to a third party.

    Where that package cannot be imported OpenVINO uses a stub of its own. Imported late: a second that a
    CUDA server can do without.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # makes its import fail
    return importlib.import_module("openvino")


class _Half(nn.Module):
    """``Ensemble.normalised`` or ``Ensemble.answers`` as a module, which is what can be traced."""

    def __init__(self, ensemble: Ensemble, compute: Callable[..., Any]) -> None:
        super().__init__()
        self.ensemble, self.compute = ensemble, compute

    def forward(self, *inputs: Tensor) -> Any:
        return self.compute(self.ensemble, *inputs)


def _convert(ensemble: Ensemble, first: Path, second: Path) -> None:
    """Writes the ensemble's two halves as OpenVINO graphs for any number of faces."""
    crops = tuple(torch.zeros(2, side, side, 3, dtype=torch.uint8) for side in ensemble.input_sizes)
    _convert_module(_Half(ensemble, Ensemble.normalised), crops, first)
    _convert_module(_Half(ensemble, Ensemble.answers), ensemble.normalised(*crops), second)


def _convert_module(module: nn.Module, examples: tuple[Tensor, ...], path: Path) -> None:
    ov = _import_openvino()
    shapes = [ov.PartialShape([-1, *example.shape[1:]]) for example in examples]
    # Traced here: OpenVINO would trace it by itself, and then run it twice more to compare: measured, a start
    # takes three times as long. PyTorch's successor of tracing converts more slowly than that.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace` is deprecated", DeprecationWarning)
        traced = torch.jit.trace(module, examples, check_trace=False)
    graph = ov.convert_model(traced, example_input=examples, input=shapes)
    # Under another name first: a server that starts beside this one must not read half a file.
    partial = path.with_name(f"partial-{path.name}")
    ov.save_model(graph, partial, compress_to_fp16=False)
    partial.with_suffix(".bin").replace(path.with_suffix(".bin"))
    partial.replace(path)
