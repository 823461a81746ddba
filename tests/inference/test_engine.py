import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.exceptions import ModelError
from emostream.inference import engine
from emostream.inference.engine import Engine, create_engine
from emostream.inference.openvino_engine import PASS_SIZES, OpenVinoEngine
from emostream.inference.torch_engine import TorchEngine

from tests.inference.networks import crops, exact, random_ensemble

ENSEMBLE = random_ensemble("se_resnet")


def create(device: str, cache_dir: Path, max_batch: int = 4) -> Engine:
    return create_engine(
        ENSEMBLE, device, max_batch=max_batch, threads=1, precision="f32", cache_dir=cache_dir
    )


def test_the_cpu_is_openvinos(cache_dir: Path) -> None:
    created = create("cpu", cache_dir)

    assert isinstance(created, OpenVinoEngine)
    assert created.device.startswith("cpu")
    assert created.precision == "f32"
    assert created.max_batch == 4


def test_a_cpu_takes_no_more_faces_at_once_than_a_pass_has_unless_told_to(cache_dir: Path) -> None:
    """Larger batches gain it nothing, and what it has taken on can't be superseded any more."""
    assert create("cpu", cache_dir, max_batch=0).max_batch == PASS_SIZES[-1] == 8
    assert create("cpu", cache_dir, max_batch=32).max_batch == 32


def test_a_gpu_takes_32_faces_at_once_unless_told_otherwise(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(engine, "TorchEngine", lambda *arguments: asked.append(arguments[2]))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)

    create("cuda:0", cache_dir, max_batch=0)
    create("cuda:0", cache_dir, max_batch=64)

    assert asked == [32, 64]


def test_where_openvino_cannot_be_loaded_pytorch_computes(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)

    created = create("cpu", cache_dir)

    pixels = crops(ENSEMBLE, 3)
    assert isinstance(created, TorchEngine)
    assert "OpenVINO cannot be loaded" in caplog.text
    np.testing.assert_allclose(created.infer(pixels), exact(ENSEMBLE, pixels), atol=1e-5)


def test_a_gpu_without_room_for_the_model_is_an_error_that_says_so(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")

    monkeypatch.setattr(engine, "TorchEngine", refuse)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)

    with pytest.raises(
        ModelError, match=r"^cuda:0 has not enough memory for this model: .* allocate 2.00 MiB"
    ):
        create("cuda:0", cache_dir)


def test_float16_on_a_cpu_is_an_error(cache_dir: Path) -> None:
    with pytest.raises(ModelError, match="f16 is for GPUs"):
        create_engine(ENSEMBLE, "cpu", max_batch=4, threads=1, precision="f16", cache_dir=cache_dir)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_auto_is_the_cpu_where_there_is_no_gpu(cache_dir: Path) -> None:
    assert isinstance(create("auto", cache_dir), OpenVinoEngine)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_an_error_that_names_it(device: str, cache_dir: Path) -> None:
    with pytest.raises(ModelError, match=f"^{device} is not there"):
        create(device, cache_dir)


def test_a_gpu_beyond_those_that_are_there_is_an_error(cache_dir: Path) -> None:
    with pytest.raises(ModelError, match=r"^cuda:77 is not there"):
        create("cuda:77", cache_dir)


@pytest.mark.cuda
@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_a_gpu_is_pytorchs(device: str, cache_dir: Path) -> None:
    created = create(device, cache_dir)

    assert isinstance(created, TorchEngine)
    assert created.precision == "f16"
