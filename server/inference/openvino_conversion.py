"""An ensemble as OpenVINO graphs on disk."""

import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from ..process import import_openvino
from .ensemble import Ensemble
from .folding import simplified
from .rewriting import rewritten


def convert(ensemble: Ensemble, normalised: Path, answers: Path) -> None:
    """Writes the ensemble's two halves, ``Ensemble.normalised`` and ``Ensemble.answers``, as graphs for any
    number of faces."""
    ensemble = simplified(ensemble)
    for member in ensemble:
        member.network = rewritten(member.network, torch.zeros(1, 3, member.input_size, member.input_size))
    crops = tuple(torch.zeros(2, side, side, 3, dtype=torch.uint8) for side in ensemble.input_sizes)
    _convert_module(_Half(ensemble, Ensemble.normalised), crops, normalised)
    _convert_module(_Half(ensemble, Ensemble.answers), ensemble.normalised(*crops), answers)


class _Half(nn.Module):
    """``Ensemble.normalised`` or ``Ensemble.answers`` as a module, which is what can be traced."""

    def __init__(self, ensemble: Ensemble, compute: Callable[..., Any]) -> None:
        super().__init__()
        self.ensemble, self.compute = ensemble, compute

    def forward(self, *inputs: Tensor) -> Any:
        return self.compute(self.ensemble, *inputs)


def _convert_module(module: nn.Module, examples: tuple[Tensor, ...], path: Path) -> None:
    ov = import_openvino()
    shapes = [ov.PartialShape([-1, *example.shape[1:]]) for example in examples]
    # Traced here: OpenVINO would trace it by itself, and then run it twice more to compare: measured, a start
    # takes three times as long. PyTorch's successor of tracing converts more slowly than that.
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.trace` is deprecated", DeprecationWarning)
        traced = torch.jit.trace(module, examples, check_trace=False)
    graph = ov.convert_model(traced, example_input=examples, input=shapes)
    # In a folder of its own first: a server that starts beside this one must neither read half a file nor
    # write into the same one.
    with TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder, path.name)
        ov.save_model(graph, written, compress_to_fp16=False)
        written.with_suffix(".bin").replace(path.with_suffix(".bin"))
        written.replace(path)
