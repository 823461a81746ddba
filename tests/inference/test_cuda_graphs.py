"""What a capture in a CUDA graph must not contain, as far as that shows without a GPU."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from emostream.inference.ensemble import Ensemble, LoadedEnsemble, Member
from emostream.inference.torch_engine import optimised
from emostream.models.catalogue import EnsembleEntry
from emostream.models.factory import ARCHITECTURES
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.fake_cuda import tensors_in
from tests.inference.networks import model_entry, random_ensemble, slow_if_large


class ForeignTensors(TorchDispatchMode):
    """Lists operations on tensors that neither were there before nor came from an operation.

    PyTorch makes those of Python's numbers, in unpinned memory, and copies them to the device: where a list
    is an index, say. A capture cannot contain that copy.
    """

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__()
        self.found: list[str] = []
        self._known = {id(tensor): tensor for tensor in known}

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if any(id(tensor) not in self._known for tensor in tensors_in((args, kwargs))):
            self.found.append(str(operation))
        answer = operation(*args, **(kwargs or {}))
        self._known.update({id(tensor): tensor for tensor in tensors_in(answer)})
        return answer


def foreign_tensors(ensemble: LoadedEnsemble, dtype: torch.dtype) -> list[str]:
    """On PyTorch's device "meta", which has shapes and types only, and refuses other devices' tensors."""
    module = optimised(ensemble.module, torch.device("meta"), dtype)
    crops = [torch.zeros(2, side, side, 3, dtype=torch.uint8, device="meta") for side in module.input_sizes]
    with torch.inference_mode(), ForeignTensors([*module.parameters(), *module.buffers(), *crops]) as watched:
        answers = module(*crops)
    assert answers.shape == (len(ensemble.entry.members), 2, len(ensemble.entry.labels))
    assert answers.dtype == torch.float32
    return watched.found


@pytest.mark.parametrize("architecture", slow_if_large(ARCHITECTURES))
def test_no_network_copies_numbers_to_the_gpu(architecture: str) -> None:
    assert foreign_tensors(random_ensemble(architecture), torch.float16) == []


def test_no_ensemble_copies_numbers_to_the_gpu() -> None:
    """One with labels put together and left out, with test-time augmentation."""
    entries = (model_entry("one", ("a", "b")), model_entry("other", ("a", "b1", "x", "b2")))
    mapping = {"other": {"b1": "b", "b2": "b", "x": None}}
    entry = EnsembleEntry("mapped", ("a", "b"), entries, mapping=mapping, mirrored=True)
    members = [Member(model, entry.columns(model), mirrored=True) for model in entries]
    ensemble = LoadedEnsemble(entry, Ensemble(members).eval(), "mapped")

    assert foreign_tensors(ensemble, torch.bfloat16) == []


def test_an_index_that_is_a_list_would_be_found() -> None:
    pixels = torch.zeros(2, 3, device="meta")

    with ForeignTensors([pixels]) as watched:
        pixels[:, [0, 2]].sum()

    assert watched.found == ["aten.index.Tensor"]
