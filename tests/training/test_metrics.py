import numpy as np
import pytest
from emostream.training.metrics import (
    Scores,
    bootstrap,
    differences,
    expected_calibration_error,
    reliability,
    score,
)


def probabilities(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_the_confusion_counts_true_classes_down_and_answers_across() -> None:
    scores = score(
        probabilities([0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]),
        np.array([0, 1, 1, 2]),
    )

    assert scores.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert scores.accuracy == 0.75


def test_f1_is_worked_out_per_class_and_averaged_over_classes() -> None:
    """By hand: class 0 has precision 1/2 and recall 1, class 1 precision 1 and recall 1/2, class 2 both 1."""
    scores = Scores(np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]), 0.0)

    assert scores.f1_per_class == pytest.approx([2 / 3, 2 / 3, 1])
    assert scores.macro_f1 == pytest.approx(7 / 9)


def test_macro_f1_gives_rare_classes_the_same_weight() -> None:
    scores = Scores(np.array([[98, 0], [2, 0]]), 0.0)

    assert scores.accuracy == 0.98
    assert scores.macro_f1 == pytest.approx((2 * 98 / (98 + 100)) / 2)


def test_a_class_that_neither_is_nor_is_answered_has_f1_0_and_is_no_division_by_0() -> None:
    assert Scores(np.array([[3, 0], [0, 0]]), 0.0).f1_per_class.tolist() == [1, 0]


def test_calibration_error_is_0_where_confidence_is_accuracy() -> None:
    confidence = np.full(10, 0.7, np.float32)
    correct = np.array([True] * 7 + [False] * 3)

    assert expected_calibration_error(confidence, correct) == pytest.approx(0, abs=1e-6)


def test_calibration_error_is_the_weighted_distance_of_each_bin() -> None:
    """Two bins: 3 at 0.95 of which 1 is right, 1 at 0.55 that is right."""
    confidence = np.array([0.95, 0.95, 0.95, 0.55], np.float32)
    correct = np.array([True, False, False, True])

    error = expected_calibration_error(confidence, correct, bins=10)

    assert error == pytest.approx(3 / 4 * (0.95 - 1 / 3) + 1 / 4 * 0.45, abs=1e-6)


def test_full_confidence_falls_into_the_last_bin() -> None:
    assert expected_calibration_error(np.ones(4, np.float32), np.zeros(4, bool)) == pytest.approx(1)


def test_precision_recall_and_support_are_those_of_each_class() -> None:
    """By hand: class 0 was answered twice and once rightly; class 1 has two images, one found."""
    scores = Scores(np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0]]), 0.0)

    assert scores.precision_per_class.tolist() == [0.5, 1, 0]
    assert scores.recall_per_class.tolist() == [1, 0.5, 0]
    assert scores.support.tolist() == [1, 2, 0]


def test_reliability_has_the_means_of_each_bin() -> None:
    confidence = np.array([0.95, 0.91, 0.55, 0.1], np.float32)
    correct = np.array([True, False, True, False])

    bins = reliability(confidence, correct, bins=10)

    assert [one.images for one in bins] == [0, 1, 0, 0, 0, 1, 0, 0, 0, 2]
    assert (bins[9].low, bins[9].high) == (0.9, 1.0)
    assert bins[9].confidence == pytest.approx(0.93)
    assert (bins[9].accuracy, bins[5].accuracy, bins[0].accuracy) == (0.5, 1, 0)


# Intervals


def answers(n: int, accuracy: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of three classes, answered rightly by chance; and the truth."""
    generator = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    given = np.where(generator.random(n) < accuracy, truth, (truth + 1) % 3)
    return (0.7 * np.eye(3)[given] + 0.1).astype(np.float32), truth


def test_intervals_are_those_of_the_binomial_distribution() -> None:
    """Accuracy's standard error is sqrt(p (1 - p) / n): an interval of 1.96 of it, both ways."""
    predicted, truth = answers(2000, 0.8)

    found = bootstrap(predicted, truth).accuracy

    reach = 1.96 * (found.value * (1 - found.value) / 2000) ** 0.5
    assert found.value == score(predicted, truth).accuracy
    assert found.low == pytest.approx(found.value - reach, abs=0.15 * reach)
    assert found.high == pytest.approx(found.value + reach, abs=0.15 * reach)


def test_intervals_hold_the_true_accuracy_about_19_times_in_20() -> None:
    held = 0
    for seed in range(100):
        found = bootstrap(*answers(300, 0.7, seed), seed=seed, resamples=200).accuracy
        held += found.low <= 0.7 <= found.high

    assert 88 <= held <= 100


def test_every_figure_is_resampled_as_it_is_scored() -> None:
    """Of a single image every resample is the same one, so all figures are exact."""
    predicted, truth = answers(1, 1.0)

    found, scores = bootstrap(predicted, truth, resamples=3), score(predicted, truth)

    for interval, value in (
        (found.accuracy, 1.0),
        (found.macro_f1, scores.macro_f1),
        (found.expected_calibration_error, scores.expected_calibration_error),
        (found.f1[0], 1.0),
        (found.f1[1], 0.0),
    ):
        assert (interval.value, interval.low, interval.high) == pytest.approx((value, value, value), abs=1e-6)


def test_the_seed_decides_what_is_drawn() -> None:
    data = answers(200, 0.8)

    assert bootstrap(*data, seed=1) == bootstrap(*data, seed=1)
    assert bootstrap(*data, seed=1) != bootstrap(*data, seed=2)


def test_rarer_classes_are_less_certain() -> None:
    generator = np.random.default_rng(0)
    truth = np.array([0] * 900 + [1] * 20)
    given = np.where(generator.random(920) < 0.8, truth, 1 - truth)

    f1 = bootstrap(np.eye(2, dtype=np.float32)[given], truth).f1

    assert f1[1].high - f1[1].low > 3 * (f1[0].high - f1[0].low)


def test_balanced_accuracy_gives_every_class_the_same_weight_and_passes_over_absent_ones() -> None:
    truth = np.array([0] * 8 + [1] * 2)
    answers = np.array([0] * 8 + [0, 1])
    found = score(np.eye(3, dtype=np.float32)[answers], truth)

    assert found.accuracy == pytest.approx(0.9)
    assert found.balanced_accuracy == pytest.approx((1 + 0.5) / 2)
    interval = bootstrap(np.eye(3, dtype=np.float32)[answers], truth).balanced_accuracy
    assert interval.value == pytest.approx(0.75)
    assert interval.low <= 0.5 < 0.75 < interval.high <= 1


def test_a_difference_has_a_paired_interval_that_common_difficulty_does_not_widen() -> None:
    """Both are wrong on the same 300 of 1,000 images, and the second on ten more."""
    truth = np.zeros(1000, np.int64)
    wrong = np.arange(1000) < 300
    first = np.eye(2, dtype=np.float32)[wrong.astype(int)]
    second = np.eye(2, dtype=np.float32)[(wrong | (np.arange(1000) >= 990)).astype(int)]

    found = differences(first, second, truth)

    assert found.accuracy.value == pytest.approx(-0.01)
    assert -0.02 < found.accuracy.low < -0.01 < found.accuracy.high < 0
    same = differences(first, first, truth)
    assert (same.macro_f1.low, same.macro_f1.value, same.macro_f1.high) == (0, 0, 0)
    assert (same.expected_calibration_error.low, same.expected_calibration_error.high) == (0, 0)
