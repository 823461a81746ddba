"""OpenVINO: the engine for CPUs, compiled from the same PyTorch module."""

import importlib
import logging
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from server.choices import Precision
from server.inference.device_preparation import Pixels, PreparedFace
from server.inference.ensemble import Ensemble, Probabilities
from server.inference.folding import simplified
from server.inference.preparation import decode, prepare

logger = logging.getLogger(__name__)

#: The most that a probability may differ between bfloat16 and float32; else float32 it is.
MAX_PRECISION_ERROR = 0.02
_PROBE_FACES = 8


class OpenVinoEngine:
    """Runs the ensemble as one compiled graph, in bfloat16 where the processor computes it natively and the
    ensemble's answers stay within MAX_PRECISION_ERROR, else in float32.

    The converted graph is kept in ``cache_dir`` under the ensemble's fingerprint and the versions of what
    made it.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        fingerprint: str,
        *,
        max_batch: int,
        threads: int,
        precision: Precision,
        cache_dir: Path,
    ) -> None:
        ov = _import_openvino()
        self._core = ov.Core()
        self._core.set_property({"CACHE_DIR": str(cache_dir / "openvino")})
        self._threads = threads
        self.max_batch = max_batch
        self._input_sizes = ensemble.input_sizes
        graph = self._graph(ensemble, fingerprint, cache_dir)
        self.precision = self._choose_precision(graph, ensemble.input_sizes, precision)
        self._request = self._compile(graph, self.precision).create_infer_request()

    @property
    def device(self) -> str:
        name: str = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"cpu ({name.strip()})"

    def prepare(self, data: bytes, max_pixels: int) -> PreparedFace:
        return prepare(decode(data, max_pixels), self._input_sizes)

    def infer(self, crops: Sequence[Pixels]) -> Probabilities:
        starts = range(0, len(crops[0]), self.max_batch)
        answers = [_run(self._request, [crop[i : i + self.max_batch] for crop in crops]) for i in starts]
        return np.concatenate(answers, axis=1)

    def _graph(self, ensemble: Ensemble, fingerprint: str, cache_dir: Path) -> Any:
        """The converted graph, from the cache if it is there."""
        ov = _import_openvino()
        path = cache_dir / f"{fingerprint}-openvino-{version('openvino')}-torch-{version('torch')}.xml"
        if path.is_file():
            return self._core.read_model(path)
        examples = tuple(torch.zeros(2, side, side, 3, dtype=torch.uint8) for side in ensemble.input_sizes)
        shapes = [ov.PartialShape([-1, side, side, 3]) for side in ensemble.input_sizes]
        traced = _traced(simplified(ensemble), examples)
        graph = ov.convert_model(traced, example_input=examples, input=shapes)
        cache_dir.mkdir(parents=True, exist_ok=True)
        # Under another name first: a server that starts beside this one must not read half a file.
        partial = path.with_name(f"partial-{path.name}")
        ov.save_model(graph, partial, compress_to_fp16=False)
        partial.with_suffix(".bin").replace(path.with_suffix(".bin"))
        partial.replace(path)
        return graph

    def _compile(self, graph: Any, precision: str) -> Any:
        config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        if self._threads:
            config["INFERENCE_NUM_THREADS"] = str(self._threads)
        return self._core.compile_model(graph, "CPU", config)

    def _choose_precision(self, graph: Any, input_sizes: Sequence[int], wanted: Precision) -> str:
        if wanted != "auto":
            return wanted
        if "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            return "f32"
        probes = _probes(input_sizes)
        exact, fast = (
            _run(self._compile(graph, choice).create_infer_request(), probes) for choice in ("f32", "bf16")
        )
        error = float(np.abs(exact - fast).max())
        if error > MAX_PRECISION_ERROR:
            logger.warning("bfloat16 changes probabilities by up to %.3f: computing in float32", error)
            return "f32"
        return "bf16"


def _run(request: Any, crops: Sequence[Pixels]) -> Probabilities:
    request.infer(list(crops), share_inputs=True)
    # A copy: the request's own memory is overwritten by the next call.
    return np.array(request.get_output_tensor().data, dtype=np.float32)


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


def _traced(ensemble: Ensemble, examples: tuple[torch.Tensor, ...]) -> torch.jit.ScriptModule:
    """The ensemble as TorchScript.

    OpenVINO would trace it by itself, and then run it twice more to compare: measured, a start takes
    three times as long. PyTorch's successor of tracing converts more slowly than that.
    """
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace` is deprecated", DeprecationWarning)
        return torch.jit.trace(ensemble, examples, check_trace=False)  # type: ignore[no-any-return]
