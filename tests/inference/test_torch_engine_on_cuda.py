"""The engine's own logic on a GPU: streams, events, graphs. The GPU is played; see fake_cuda."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from emostream.imaging.decoding import decode, prepare
from emostream.inference.device_preparation import stack
from emostream.inference.torch_engine import TorchEngine
from torch import nn

from tests.fake_cuda import FakeCuda
from tests.inference.networks import crops, exact, random_ensemble
from tests.portraits import portrait
from tests.support import encoded

pytestmark = pytest.mark.slow

GPU = torch.device("cuda")
MANY = 10**7
#: Of float16 against float32.
MAX_HALF_ERROR = 5e-3


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCuda]:
    with FakeCuda(monkeypatch) as entered:
        yield entered


def test_any_number_of_faces_is_answered_one_call_after_another(gpu: FakeCuda) -> None:
    """Also those that are padded, and those that take several passes, whose uploads and computing overlap."""
    ensemble = random_ensemble("se_resnet", "se_resnet")
    pixels = crops(ensemble, 19)
    engine = TorchEngine(ensemble, GPU, max_batch=4, precision="f32")

    for first, last in ((0, 19), (3, 4), (4, 13), (0, 2), (5, 8)):
        chosen = [crop[first:last] for crop in pixels]
        np.testing.assert_allclose(engine.infer(chosen), exact(ensemble, chosen), atol=1e-5)
    assert gpu.races == []


def test_it_computes_in_float16_where_that_keeps_the_answers(gpu: FakeCuda) -> None:
    ensemble = random_ensemble("se_resnet")
    pixels = crops(ensemble, 3)

    engine = TorchEngine(ensemble, GPU, max_batch=4)

    assert engine.precision == "f16"
    assert engine.device == "Fake GPU"
    np.testing.assert_allclose(engine.infer(pixels), exact(ensemble, pixels), atol=MAX_HALF_ERROR)
    assert gpu.races == []


def test_crops_prepared_on_the_gpu_need_not_travel_again(gpu: FakeCuda) -> None:
    ensemble = random_ensemble("se_resnet")
    engine = TorchEngine(ensemble, GPU, max_batch=2, precision="f32")
    data = encoded(portrait(), "PNG")

    faces = [engine.prepare(data, MANY) for _ in range(3)]
    answers = engine.infer(stack(faces))

    assert {crop.device.type for face in faces for crop in face if isinstance(crop, torch.Tensor)} == {"cuda"}
    on_cpu = stack([prepare(decode(data, MANY), ensemble.module.input_sizes)] * 3)
    np.testing.assert_allclose(answers, exact(ensemble, on_cpu), atol=0.01)
    assert gpu.races == []


def test_another_gpu_than_the_first_has_everything_on_it(gpu: FakeCuda) -> None:
    ensemble = random_ensemble("se_resnet")
    pixels = crops(ensemble, 5)
    engine = TorchEngine(ensemble, torch.device("cuda", 1), max_batch=2, precision="f32")

    answers = engine.infer(pixels)

    np.testing.assert_allclose(answers, exact(ensemble, pixels), atol=1e-5)
    assert set(gpu.pinned_on) == {1}
    assert gpu.races == []


def test_members_do_not_wait_for_each_other(gpu: FakeCuda) -> None:
    ensemble = random_ensemble("se_resnet", "se_resnet", "se_resnet")
    known: list[set[int]] = []  # what is done for sure when a member starts
    own: list[set[int]] = []  # what it does itself

    def start(member: nn.Module, inputs: object) -> None:
        known.append(gpu.done())

    def end(member: nn.Module, inputs: object, answer: object) -> None:
        own.append(gpu.done() - known[-1])

    engine = TorchEngine(ensemble, GPU, max_batch=1, precision="f32")
    for member in engine._ensemble:
        member.register_forward_pre_hook(start)
        member.register_forward_hook(end)
    engine._build_step(1)

    for before, done in zip(known[-3:], own[-3:], strict=True):  # those of the capture
        assert done
        assert not any(before & other for other in own[-3:])


def test_a_stream_that_does_not_wait_is_found(gpu: FakeCuda) -> None:
    """The stand-in itself: what it lists, and what it lets pass."""
    first, second = torch.cuda.Stream(GPU), torch.cuda.Stream(GPU)
    with torch.cuda.stream(first):
        written = torch.zeros(3, device=GPU) + 1
    second.wait_stream(first)
    with torch.cuda.stream(second):
        read = written + 1
    assert gpu.races == []

    with torch.cuda.stream(first):
        written.add_(1)
        read + 1

    assert len(gpu.races) == 2
    assert "overwrites what may still be read" in gpu.races[0]
    assert "uses what may not be written yet" in gpu.races[1]
