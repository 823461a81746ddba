"""Published MobileNet features into a file that recipes start from.

The real file was compared once, in TensorFlow.js itself: docs/models.md.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from emostream.exceptions import CheckpointError
from emostream.models import create_model
from emostream.models.checkpoint import load_part
from torch import nn

from scripts.convert_mobilenet_features import convert, read_mobilenet, read_tensors, restore_norms
from tests.graph_models import face_mobilenet_arrays, write_graph_model
from tests.support import ROOT
from tests.training.conftest import write_prepared

pytestmark = pytest.mark.slow

HAPPY = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]


@torch.no_grad()
def test_a_network_that_starts_from_the_file_computes_what_was_published(tmp_path: Path) -> None:
    """And its norms normalise by what the training images look like."""
    file = write_graph_model(tmp_path / "faces.json", face_mobilenet_arrays())
    data = write_prepared(tmp_path / "data", train=[HAPPY] * 8)
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (8, 48, 48), dtype=np.uint8)
    np.savez(data / "train.npz", images=noise, targets=np.array([HAPPY] * 8, np.float32))

    convert(file, data, tmp_path / "out/features.safetensors")

    started, published = (create_model("mobilenet", 7).eval() for _ in range(2))
    load_part(started, "features", tmp_path / "out/features.safetensors")
    published.get_submodule("features").load_state_dict(read_mobilenet(file), strict=False)
    image = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    wanted, found = (network.features(image).mean((2, 3)) for network in (published, started))
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3)
    variance = started.get_buffer("features.body.3.norm.running_var")
    assert not torch.allclose(variance, torch.ones_like(variance), atol=1e-2)


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    write_prepared(tmp_path / "data", train=[HAPPY])
    script = ROOT / "scripts/convert_mobilenet_features.py"
    command = [sys.executable, script, tmp_path / "none.json", tmp_path / "data", "--out", tmp_path / "out"]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path}/none.json is no graph model of TensorFlow.js")


# The file of TensorFlow.js


def test_arrays_come_back_from_all_the_files_that_hold_them(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b/c": np.float32([7.5])}

    found = read_tensors(write_graph_model(tmp_path / "m.json", arrays, shards=3))

    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


def test_arrays_in_half_precision_come_back_too(tmp_path: Path) -> None:
    arrays = {"a": np.float32([0.1, 2.0])}

    found = read_tensors(write_graph_model(tmp_path / "m.json", arrays, half=True))

    assert found["a"].dtype == np.float16
    assert found["a"] == pytest.approx(arrays["a"], rel=1e-3)


@torch.no_grad()
def test_the_first_units_compute_what_the_file_says(tmp_path: Path) -> None:
    """Held against the sums written out, on pixels less their mean, in TensorFlow's order of axes."""
    arrays = face_mobilenet_arrays()
    network = create_model("mobilenet", 7).eval()
    state = read_mobilenet(write_graph_model(tmp_path / "m.json", arrays))
    network.get_submodule("features").load_state_dict(state, strict=False)
    pixels = np.random.default_rng(1).normal(0, 60, (8, 8, 3)).astype(np.float32)

    stem = network.get_submodule("features.stem")
    first = stem[0](torch.from_numpy(pixels / 60).permute(2, 0, 1)[None])
    second = stem[1](first)

    window = pixels[2:5, 4:7]  # place (1, 2) at a stride of 2
    kernel, shift = arrays["conv1/convolution/merged_input"], arrays["conv1_bn/batchnorm_1/sub"]
    wanted = np.clip(np.einsum("hwc,hwco->o", window, kernel) + shift, 0, 6)
    assert first[0, :, 1, 2].numpy() == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    window = first[0, :, 0:3, 1:4].permute(1, 2, 0).numpy()
    kernel = arrays["conv_dw_1/depthwise_kernel"][..., 0]
    gain, shift = (arrays[f"conv_dw_1_bn/batchnorm_1/{name}"] for name in ("mul", "sub"))
    wanted = np.clip((window * kernel).sum((0, 1)) * gain + shift, 0, 6)
    assert second[0, :, 1, 2].numpy() == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def test_every_array_finds_its_place(tmp_path: Path) -> None:
    state = read_mobilenet(write_graph_model(tmp_path / "m.json", face_mobilenet_arrays()))

    wanted = create_model("mobilenet", 7).get_submodule("features").state_dict()
    assert state.keys() == {key for key in wanted if not key.endswith("num_batches_tracked")}
    assert all(state[key].shape == wanted[key].shape for key in state)


def test_a_missing_file_a_short_one_and_none_at_all_are_errors(tmp_path: Path) -> None:
    path = write_graph_model(tmp_path / "m.json", face_mobilenet_arrays())
    shard = tmp_path / "m-shard1.bin"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="no graph model"):
        read_mobilenet(path)
    shard.unlink()
    with pytest.raises(CheckpointError, match=r"m-shard1\.bin"):
        read_mobilenet(path)
    path.write_text("[]")
    with pytest.raises(CheckpointError, match="no graph model"):
        read_mobilenet(path)
    with pytest.raises(CheckpointError, match=r"other\.json"):
        read_mobilenet(tmp_path / "other.json")


def test_another_network_is_refused_by_the_first_array_it_lacks(tmp_path: Path) -> None:
    arrays = face_mobilenet_arrays()
    del arrays["conv_dw_3/depthwise_kernel"]

    with pytest.raises(CheckpointError, match="lacks conv_dw_3/depthwise_kernel"):
        read_mobilenet(write_graph_model(tmp_path / "m.json", arrays))


def test_arrays_quantised_to_integers_are_refused(tmp_path: Path) -> None:
    path = write_graph_model(tmp_path / "m.json", {"a": np.float32([1.0])})
    content = json.loads(path.read_text())
    content["weightsManifest"][0]["weights"][0]["quantization"] = {"dtype": "uint8", "scale": 0.1, "min": 0}
    path.write_text(json.dumps(content))

    with pytest.raises(CheckpointError, match="a is quantised"):
        read_tensors(path)


def test_binary_files_are_looked_for_beside_the_model_only(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(4))
    folder = tmp_path / "model"
    folder.mkdir()
    path = write_graph_model(folder / "m.json", {"a": np.float32([1.0])})
    content = json.loads(path.read_text())
    content["weightsManifest"][0]["paths"] = ["../secret.bin"]
    path.write_text(json.dumps(content))

    with pytest.raises(CheckpointError, match=r"model/secret\.bin"):
        read_tensors(path)


# Its batch normalisation


def folded_network() -> nn.Sequential:
    """Its batch norms shift and scale, and normalise nothing."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
    )
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2.0)
            nn.init.normal_(layer.bias)
            nn.init.constant_(layer.running_var, 1 - layer.eps)
    return network


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(16, 3, 12, 12, generator=torch.Generator().manual_seed(1)) * 5 + 2


@torch.no_grad()
def test_the_network_computes_what_it_did(images: torch.Tensor) -> None:
    network = folded_network()
    before = network.eval()(images)

    restore_norms(network, images.split(4))

    torch.testing.assert_close(network.eval()(images), before, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_training_on_such_images_starts_where_the_network_was(images: torch.Tensor) -> None:
    network = folded_network()
    wanted = network.eval()(images)
    far = network.train()(images)
    assert (far - wanted).abs().mean() > 0.5  # without which there would be nothing to restore

    network = folded_network()
    restore_norms(network, images.split(4))

    torch.testing.assert_close(network.train()(images), wanted, rtol=1e-2, atol=1e-2)


@torch.no_grad()
def test_a_channel_that_never_changes_stays_finite(images: torch.Tensor) -> None:
    network = folded_network()
    network[0].weight[2] = 0.0

    restore_norms(network, [images])

    assert all(value.isfinite().all() for value in network.state_dict().values())
    assert network.train()(images).isfinite().all()


def test_the_mode_is_left_as_it_was_and_nothing_listens_on(images: torch.Tensor) -> None:
    network = folded_network().train()

    restore_norms(network, [images])

    assert network.training
    assert not any(layer._forward_pre_hooks for layer in network)
