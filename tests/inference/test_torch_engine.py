"""PyTorch as an engine. Tests marked cuda need a GPU; the others run the same code on the CPU."""

import numpy as np
import pytest
import torch
from emostream.choices import Precision
from emostream.imaging.decoding import decode, prepare
from emostream.inference import torch_engine
from emostream.inference.device_preparation import stack
from emostream.inference.torch_engine import TorchEngine

from tests.inference.networks import crops, exact, random_ensemble
from tests.portraits import portrait
from tests.support import encoded

CPU = torch.device("cpu")
LADDER = (1, 2, 4, 8)
#: Between float16 on a GPU and float32 on the CPU.
MAX_HALF_ERROR = 5e-3


def test_every_number_of_faces_is_answered_as_the_module_itself_would() -> None:
    """Among them those that are padded and those that take several passes."""
    ensemble = random_ensemble("se_resnet", "poster_v2_compact")
    engine = TorchEngine(ensemble, CPU, max_batch=8)

    for faces in (1, 2, 3, 5, 8, 9, 20):
        pixels = crops(ensemble, faces)
        answers = engine.infer(pixels)

        assert answers.shape == (2, faces, 3)
        np.testing.assert_allclose(answers, exact(ensemble, pixels), atol=1e-5)


def test_padding_does_not_leak_from_one_call_into_the_next() -> None:
    ensemble = random_ensemble("se_resnet")
    engine = TorchEngine(ensemble, CPU, max_batch=4)
    pixels = crops(ensemble, 4)

    engine.infer(pixels)
    after = engine.infer([crop[:3] for crop in pixels])

    np.testing.assert_allclose(after, exact(ensemble, pixels)[:, :3], atol=1e-5)


def test_an_answer_stays_when_the_next_is_computed() -> None:
    ensemble = random_ensemble("se_resnet")
    engine = TorchEngine(ensemble, CPU, max_batch=2)
    first = engine.infer(crops(ensemble, 2))
    kept = first.copy()

    engine.infer([255 - crop for crop in crops(ensemble, 2)])

    np.testing.assert_array_equal(first, kept)


def test_the_ladder_ends_at_the_largest_batch() -> None:
    sizes: list[int] = []

    def build(size: int) -> torch_engine._Step:
        sizes.append(size)
        return torch_engine._Step((), torch.empty(0), lambda: None)

    assert list(torch_engine._build_ladder(12, build)) == sizes == [1, 2, 4, 8, 12]


def test_where_memory_runs_out_the_largest_batch_that_fitted_is_the_last(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def build(size: int) -> torch_engine._Step:
        if size > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch_engine._Step((), torch.empty(0), lambda: None)

    assert max(torch_engine._build_ladder(32, build)) == 4
    assert "no memory for batches of 8" in caplog.text


def test_memory_that_runs_out_in_a_capture_is_recognised_behind_the_error_of_its_end() -> None:
    def build(size: int) -> torch_engine._Step:
        if size > 4:
            try:
                raise torch.OutOfMemoryError("CUDA out of memory")
            finally:
                raise RuntimeError("CUDA error: capture was invalidated")
        return torch_engine._Step((), torch.empty(0), lambda: None)

    assert max(torch_engine._build_ladder(32, build)) == 4


def test_another_error_while_building_is_not_mistaken_for_a_lack_of_memory() -> None:
    def build(size: int) -> torch_engine._Step:
        if size > 4:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return torch_engine._Step((), torch.empty(0), lambda: None)

    with pytest.raises(RuntimeError, match="illegal memory access"):
        torch_engine._build_ladder(32, build)


def test_a_gpu_too_small_for_one_face_is_an_error() -> None:
    def build(size: int) -> torch_engine._Step:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        torch_engine._build_ladder(32, build)


def test_one_too_small_to_capture_one_face_is_the_same_error() -> None:
    def build(size: int) -> torch_engine._Step:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError("CUDA error: capture was invalidated")

    with pytest.raises(torch.OutOfMemoryError):
        torch_engine._build_ladder(32, build)


@pytest.mark.parametrize(("precision", "error"), [("f32", 1e-5), ("bf16", 0.02), ("f16", 0.005)])
def test_it_computes_in_the_precision_that_was_asked_for(precision: Precision, error: float) -> None:
    ensemble = random_ensemble("se_resnet")
    pixels = crops(ensemble, 3)

    engine = TorchEngine(ensemble, CPU, max_batch=4, precision=precision)

    differences = np.abs(engine.infer(pixels) - exact(ensemble, pixels))
    assert engine.precision == precision
    assert differences.max() < error
    assert precision == "f32" or differences.max() > 1e-6


def test_the_ensemble_that_was_given_is_left_as_it_is() -> None:
    ensemble = random_ensemble("se_resnet")
    before = exact(ensemble, crops(ensemble, 2))

    TorchEngine(ensemble, CPU, max_batch=2)

    np.testing.assert_array_equal(exact(ensemble, crops(ensemble, 2)), before)


def test_crops_that_are_on_the_device_already_are_answered_alike() -> None:
    ensemble = random_ensemble("se_resnet", "dan")
    engine = TorchEngine(ensemble, CPU, max_batch=2)
    pixels = crops(ensemble, 3)

    answers = engine.infer([torch.from_numpy(crop) for crop in pixels])

    np.testing.assert_array_equal(answers, engine.infer(pixels))


def test_an_encoded_crop_is_answered_as_the_cpus_preparation_would_have_it() -> None:
    ensemble = random_ensemble("se_resnet")
    engine = TorchEngine(ensemble, CPU, max_batch=2)
    data = encoded(portrait(), "JPEG", quality=90)

    answers = engine.infer(stack([engine.prepare(data, 10**7)] * 2))

    expected = engine.infer(stack([prepare(decode(data, 10**7), ensemble.module.input_sizes)] * 2))
    np.testing.assert_allclose(answers, expected, atol=0.01)


@pytest.mark.cuda
@pytest.mark.parametrize("architectures", [("poster_v2",), ("se_resnet", "poster_v2_compact"), ("dan",)])
def test_a_gpu_answers_as_the_cpu_does(architectures: tuple[str, ...]) -> None:
    """At every step of the ladder, between the steps, and over several passes."""
    ensemble = random_ensemble(*architectures)
    pixels = crops(ensemble, 2 * LADDER[-1] + 3)
    wanted = exact(ensemble, pixels)
    engine = TorchEngine(ensemble, torch.device("cuda"), max_batch=LADDER[-1])

    for faces in (*LADDER, 3, 7, 2 * LADDER[-1] + 3):
        answers = engine.infer([crop[:faces] for crop in pixels])
        np.testing.assert_allclose(answers, wanted[:, :faces], atol=MAX_HALF_ERROR)
