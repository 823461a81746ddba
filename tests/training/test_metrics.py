import numpy as np
import pytest

from server.training.metrics import Scores, expected_calibration_error, score


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
