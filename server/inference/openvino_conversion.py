"""Converts an ensemble to OpenVINO graphs and caches them on disk."""

import json
import logging
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from ..files import replacing, sha256_of
from ..process import import_openvino
from .ensemble import Ensemble, LoadedEnsemble
from .folding import simplified
from .rewriting import rewritten

logger = logging.getLogger(__name__)

#: Increment it with every change of the computation between pixels and probabilities: in a network, in the
#: normalisation, in ``Ensemble``, in ``folding`` or in ``rewriting``. Older cached graphs are then not used.
GRAPH_VERSION = 1

_HALVES = ("normalised.xml", "probabilities.xml")
_SUMS = "SHA256SUMS.json"


def load_graphs(core: Any, ensemble: LoadedEnsemble, cache_dir: Path) -> list[Any]:
    """The ensemble's two halves, ``Ensemble.normalised`` and ``Ensemble.probabilities``, as graphs for any
    number of faces.

    They are cached in ``cache_dir``, under a name that covers all that they depend on. Damaged ones are
    converted again. If the folder cannot be written, a temporary one replaces it and every start converts.
    """
    made_by = f"v{GRAPH_VERSION}-openvino-{version('openvino')}-torch-{version('torch')}"
    kept = cache_dir / f"{ensemble.fingerprint}-{made_by}"
    try:
        if kept.exists():
            _check_sums(kept)
            return [core.read_model(kept / half) for half in _HALVES]
    except (RuntimeError, OSError) as error:
        logger.warning("%s cannot be used and is made anew: %s", kept, _last_line(error))
    graphs = [_converted(traced, examples) for traced, examples in trace(ensemble.module)]
    try:
        return _saved(core, graphs, kept)
    except (OSError, RuntimeError) as error:
        logger.warning(
            "the cache folder %s cannot be written, so networks are converted at each start: %s",
            cache_dir,
            error.strerror if isinstance(error, OSError) else _last_line(error),
        )
    try:
        with TemporaryDirectory(prefix="emostream-", ignore_cleanup_errors=True) as temporary:
            return _saved(core, graphs, Path(temporary) / kept.name)  # mapped files outlive removal
    except (OSError, RuntimeError):
        return graphs


def _saved(core: Any, graphs: list[Any], kept: Path) -> list[Any]:
    """Writes the graphs to ``kept`` and returns them memory-mapped from there.

    Raises RuntimeError, OSError."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Written as one folder: a server that starts at the same time must not read half of it.
    with replacing(kept) as folder:
        folder.mkdir()
        for graph, half in zip(graphs, _HALVES, strict=True):
            import_openvino().save_model(graph, folder / half, compress_to_fp16=False)
        (folder / _SUMS).write_text(json.dumps(_sums_of(folder)))
    return [core.read_model(kept / half) for half in _HALVES]


def _sums_of(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.name != _SUMS}


def _check_sums(folder: Path) -> None:
    """Checks the files' digests: OpenVINO would read damaged weights without an error and predict nonsense.

    Raises RuntimeError, OSError."""
    try:
        expected = json.loads((folder / _SUMS).read_text())
    except ValueError as error:
        raise RuntimeError(f"{_SUMS} cannot be read") from error
    if expected != _sums_of(folder):
        raise RuntimeError(f"its content is not that of {_SUMS}")


def trace(ensemble: Ensemble) -> list[tuple[torch.jit.ScriptModule, tuple[Tensor, ...]]]:
    """The two halves as traced modules, each with its example inputs."""
    ensemble = simplified(ensemble)
    for member in ensemble:
        member.network = rewritten(member.network, torch.zeros(1, 3, member.input_size, member.input_size))
    crops = tuple(torch.zeros(2, side, side, 3, dtype=torch.uint8) for side in ensemble.input_sizes)
    halves = (
        (_Half(ensemble, Ensemble.normalised), crops),
        (_Half(ensemble, Ensemble.probabilities), ensemble.normalised(*crops)),
    )
    # Traced here, since OpenVINO would trace it and run it twice more to compare, which makes a start take
    # three times as long (measured). PyTorch's successor of tracing converts even more slowly.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace` is deprecated", DeprecationWarning)
        return [(torch.jit.trace(half, inputs, check_trace=False), inputs) for half, inputs in halves]


class _Half(nn.Module):
    """``Ensemble.normalised`` or ``Ensemble.probabilities`` as a module, since only modules can be traced."""

    def __init__(self, ensemble: Ensemble, compute: Callable[..., Any]) -> None:
        super().__init__()
        self.ensemble, self.compute = ensemble, compute

    def forward(self, *inputs: Tensor) -> Any:
        return self.compute(self.ensemble, *inputs)


def _converted(traced: torch.jit.ScriptModule, examples: tuple[Tensor, ...]) -> Any:
    ov = import_openvino()
    shapes = [ov.PartialShape([-1, *example.shape[1:]]) for example in examples]
    return ov.convert_model(traced, example_input=examples, input=shapes)


def _last_line(error: Exception) -> str:
    """The message of an OpenVINO error, which begins with its place in OpenVINO's source."""
    return str(error).strip().rpartition("\n")[2]
