import numpy as np
import numpy.typing as npt
import pytest
from emostream.training.calibration import cross_fitted, fit_temperature
from emostream.training.metrics import expected_calibration_error

Answers = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def answers(temperature: float, count: int = 20_000) -> Answers:
    """Probabilities of three classes, and truths drawn from them, as seen at another temperature."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (count, 3))
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (honest.cumsum(1) < generator.random((count, 1))).sum(1)
    skewed = honest**temperature
    return (skewed / skewed.sum(1, keepdims=True)).astype(np.float32), truth.astype(np.int64)


def error(probabilities: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]) -> float:
    return expected_calibration_error(probabilities.max(1), probabilities.argmax(1) == truth)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_confidences_were_skewed_by_is_found(temperature: float) -> None:
    assert fit_temperature(*answers(temperature)) == pytest.approx(temperature, rel=0.05)


def test_confidences_then_mean_what_they_say() -> None:
    probabilities, truth = answers(3.0)

    calibrated = cross_fitted(probabilities, truth)

    assert error(probabilities, truth) > 0.1
    assert error(calibrated, truth) < 0.02
    np.testing.assert_array_equal(calibrated.argmax(1), probabilities.argmax(1))
    np.testing.assert_allclose(calibrated.sum(1), 1, atol=1e-5)


def test_each_half_is_calibrated_by_the_other() -> None:
    """A truth that is turned round in one half moves the other half's confidences, and not its own only."""
    probabilities, truth = answers(1.0, count=200)
    before = cross_fitted(probabilities, truth)
    first = np.array_split(np.random.default_rng(0).permutation(200), 2)[0]
    turned = truth.copy()
    turned[first] = (turned[first] + 1) % 3

    after = cross_fitted(probabilities, turned)

    second = np.setdiff1d(np.arange(200), first)
    np.testing.assert_array_equal(after[first], before[first])
    assert not np.allclose(after[second], before[second])


def test_certainty_that_is_wrong_does_not_break_the_fit() -> None:
    probabilities = np.array([[1, 0], [1, 0], [0, 1]], np.float32)

    assert 1 < fit_temperature(probabilities, np.array([0, 1, 1])) <= 20
