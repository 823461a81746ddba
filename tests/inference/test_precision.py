"""Which precision is fast enough and near enough to float32."""

import logging

import numpy as np
import pytest
import torch
from emostream.inference import precision
from emostream.inference.ensemble import LoadedEnsemble
from emostream.inference.precision import keeps_predictions, probes
from emostream.inference.torch_engine import fastest
from torch import Tensor, nn

from tests.inference.networks import constant_ensemble, random_ensemble

CPU = torch.device("cpu")
EVEN = {"a": 0.5, "b": 0.5}


def probabilities(*members: tuple[float, float]) -> np.ndarray:
    """The members' probabilities (M, 1, C) for one face."""
    return np.array(members, np.float32)[:, None]


def test_what_is_served_counts_and_not_what_a_member_says() -> None:
    ensemble = constant_ensemble({"one": EVEN, "two": EVEN})
    exact = probabilities((0.50, 0.50), (0.50, 0.50))

    assert keeps_predictions(ensemble, "bf16", exact, probabilities((0.56, 0.44), (0.44, 0.56)))
    assert not keeps_predictions(ensemble, "bf16", exact, probabilities((0.56, 0.44), (0.50, 0.50)))


def test_an_error_is_told_with_its_size(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ensemble = constant_ensemble({"one": EVEN})

    assert not keeps_predictions(ensemble, "f16", probabilities((0.5, 0.5)), probabilities((0.75, 0.25)))

    assert "f16 changes probabilities by up to 0.250" in caplog.text


@pytest.mark.parametrize("overflowed", [np.nan, np.inf])
def test_what_overflows_keeps_nothing(overflowed: float, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ensemble = constant_ensemble({"one": EVEN})

    assert not keeps_predictions(ensemble, "f16", probabilities((0.5, 0.5)), probabilities((overflowed, 0.5)))

    assert "f16 overflows" in caplog.text


def test_probes_are_images_at_each_size() -> None:
    small, large = probes((48, 112))

    assert (small.shape, large.shape) == ((8, 48, 48, 3), (8, 112, 112, 3))
    assert small.dtype == large.dtype == np.uint8
    assert all(30 < crop.std() < 90 for crop in np.asarray(small))
    np.testing.assert_array_equal(small, probes((48, 112))[0])


class Loud(nn.Module):
    """Multiplies by a million and divides again: float16 ends at 65,504."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x * 1e6 / 1e6)


def loud_ensemble() -> LoadedEnsemble:
    ensemble = random_ensemble("se_resnet")
    (member,) = ensemble.module
    member.network = Loud(member.network)
    return ensemble


@pytest.mark.slow
def test_the_first_precision_that_keeps_the_predictions_is_taken() -> None:
    assert fastest(random_ensemble("se_resnet"), CPU, ["f16", "bf16"])[0] == "f16"
    assert fastest(loud_ensemble(), CPU, ["f16", "bf16"])[0] == "bf16"


def test_where_none_keeps_them_it_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "MAX_PRECISION_ERROR", 0.0)

    assert fastest(random_ensemble("se_resnet"), CPU, ["f16", "bf16"])[0] == "f32"
