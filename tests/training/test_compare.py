"""Two models on the same faces, each of which answers as a test has it."""

from pathlib import Path

import numpy as np
import pytest
from emostream.cli.compare import show
from emostream.exceptions import DatasetError
from emostream.training.compare import Flip, compare
from emostream.training.datasets import read_split
from emostream.training.paired import accuracy_interval, compare_paired
from emostream.training.reading import mixture_of, read_as, reading_of
from rich.console import Console

from tests.training.conftest import write_prepared


class Scripted:
    """Answers by an image's brightness, which ``write_prepared`` makes its number."""

    def __init__(self, name: str, labels: tuple[str, ...], answers: list[int]) -> None:
        self.name, self.labels, self._answers = name, labels, answers

    def recognize(self, crops: list[np.ndarray]) -> np.ndarray:
        rows = np.full((len(crops), len(self.labels)), 0.1 / (len(self.labels) - 1), np.float32)
        for row, crop in zip(rows, crops, strict=True):
            row[self._answers[int(crop[0, 0, 0]) % len(self._answers)]] = 0.9
        return rows


LABELS = ("bored", "focused")
TRUTH = [0, 1] * 10


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = np.eye(2)[TRUTH]
    return write_prepared(tmp_path / "data", labels=LABELS, train=rows, valid=rows)


def test_flips_are_counted_by_what_they_were_and_became(data: Path) -> None:
    """The first is wrong about every third image, the second about one that the first is right about."""
    first = Scripted("one", LABELS, [1 - t if i % 3 == 0 else t for i, t in enumerate(TRUTH)])
    second = Scripted("other", LABELS[::-1], [t if i == 1 else 1 - t for i, t in enumerate(TRUTH)])

    found = compare(first, second, read_split(data, "evaluation"), data, "mine", lambda _: None)

    assert (found.paired.gained, found.paired.lost) == (7, 1)
    assert found.sides[0].intervals.accuracy.value == pytest.approx(13 / 20)
    assert found.sides[1].intervals.accuracy.value == pytest.approx(19 / 20)
    assert sum(flip.images for flip in found.flips) == 8
    assert Flip("focused", "focused", "bored", 1) in found.flips
    assert [flip.images for flip in found.flips] == sorted((f.images for f in found.flips), reverse=True)
    content = found.as_dict()
    assert [model["model"] for model in content["models"]] == ["one", "other"]
    assert content["models"][1]["classes"]["focused"]["recall"] == pytest.approx(0.9)
    assert content["paired"]["verdict"] == "undecided"  # 7 to 1 comes by chance in 7 of 100 pairs


def test_a_model_of_other_labels_is_read_by_the_training_split(data: Path) -> None:
    seven = Scripted("default", ("anger", "happiness", "neutral"), [2 if t == 0 else 1 for t in TRUTH])
    own = Scripted("mine", LABELS, TRUTH)

    found = compare(seven, own, read_split(data, "evaluation"), data, "mine", lambda _: None)

    assert found.sides[0].read_as["neutral"] == "bored"
    assert found.sides[0].read_as["happiness"] == "focused"
    assert found.sides[0].scores.accuracy == 1.0
    assert found.sides[1].read_as == {}
    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: SIM115
    show(found, console)
    console.file.close()
    shown = console.export_text()
    assert "Both give every image the same label" in shown
    assert "default knows other labels" in shown


def test_without_a_training_split_other_labels_cannot_be_read(tmp_path: Path) -> None:
    data = write_prepared(tmp_path / "data", labels=LABELS, valid=np.eye(2))

    faces = read_split(data, "evaluation")
    first, second = Scripted("default", ("a", "b"), [0]), Scripted("mine", LABELS, [0])
    with pytest.raises(
        DatasetError, match="default knows a, b; the data has bored, focused, and no training split"
    ):
        compare(first, second, faces, data, "mine", lambda _: None)


@pytest.mark.parametrize(
    ("gained", "lost", "verdict"),
    [(10, 1, "better"), (1, 10, "worse"), (3, 1, "undecided"), (0, 0, "undecided")],
)
def test_a_difference_that_chance_makes_is_none(gained: int, lost: int, verdict: str) -> None:
    before = np.array([False] * gained + [True] * lost + [True] * 5)
    after = np.array([True] * gained + [False] * lost + [True] * 5)

    found = compare_paired(before, after)

    assert (found.gained, found.lost, found.verdict) == (gained, lost, verdict)


def test_an_interval_is_open_where_few_images_are_all_right() -> None:
    """Wilson's, of 12 of 12: 0.757 to 1 (Brown, Cai and DasGupta, 2001)."""
    found = accuracy_interval(np.ones(12, bool))

    assert (found.value, found.low, found.high) == pytest.approx((1.0, 0.757, 1.0), abs=1e-3)


def test_labels_are_read_as_what_they_go_with() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], np.float32)
    truth = np.array([1, 1, 0])

    reading = reading_of(("a", "b", "c"), probabilities, ("x", "y"), truth)

    assert reading == {"a": "y", "b": "x", "c": "x"}
    assert read_as(probabilities, ("a", "b", "c"), ("x", "y"), reading)[2] == pytest.approx([0.9, 0.1])
    mixture = mixture_of(probabilities, ("a", "b", "c"), ("x", "y"), reading)
    assert mixture.sum(1) == pytest.approx([1, 1])
    assert mixture[1] == pytest.approx([1, 0, 0])
    assert mixture[0, 1] == pytest.approx(np.mean([0.5, 2 / 3, 2 / 3]), abs=1e-6)
