import numpy as np
import pytest
from emostream.exceptions import DatasetError
from emostream.inference.device_preparation import PreparedFace
from emostream.inference.recognizer import Recognizer
from emostream.training.columns import Column
from emostream.training.datasets import LABELS, FaceDataset
from emostream.training.evaluate import evaluate
from rich.progress import Progress


class Engine:
    device = "cpu"
    precision = "f32"


class Reader(Recognizer):
    """Reads the label off the brightness of the top left pixel, with a confidence of 0.8; its own labels are
    in another order than the data's."""

    def __init__(self, labels: tuple[str, ...] = LABELS[::-1]) -> None:
        self.name, self.labels, self.members = "reader", labels, ("reader",)
        self.engine = Engine()  # type: ignore[assignment]
        self.batches: list[int] = []

    def recognize(self, crops: object) -> np.ndarray:
        pixels = np.stack(crops)  # type: ignore[call-overload]
        assert pixels.shape[1:] == (48, 48, 3)
        self.batches.append(len(pixels))
        answers = np.full((len(pixels), 7), 0.2 / 6, np.float32)
        for row, level in zip(answers, pixels[:, 0, 0, 0], strict=True):
            row[self.labels.index(LABELS[level // 36])] = 0.8
        return answers

    def infer(self, faces: list[PreparedFace]) -> np.ndarray:  # type: ignore[override]
        raise AssertionError("images go through recognize")


def data(count: int = 14, wrong: int = 0) -> FaceDataset:
    """Images whose corner says their label, apart from the first ``wrong`` ones."""
    truth = np.arange(count) % 7
    shown = truth.copy()
    shown[:wrong] = (shown[:wrong] + 1) % 7
    images = np.full((count, 48, 48), 128, np.uint8)
    images[:, :8, :8] = (shown * 36 + 10)[:, None, None]
    return FaceDataset(images, np.eye(7, dtype=np.float32)[truth])


def progress() -> Progress:
    return Progress(disable=True)


def test_answers_are_compared_label_by_label_whatever_their_order() -> None:
    found = evaluate(Reader(), data(wrong=2), "faces", progress(), quick=True)

    assert found.scores.accuracy == pytest.approx(12 / 14)
    assert found.scores.confusion[0].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert found.scores.expected_calibration_error == pytest.approx(12 / 14 - 0.8, abs=1e-6)
    assert found.intervals.accuracy.value == found.scores.accuracy
    assert found.intervals.accuracy.low < 12 / 14 < found.intervals.accuracy.high
    assert (found.model, found.data, found.images) == ("reader", "faces", 14)
    assert found.conditions == ()


def test_conditions_are_measured_each_on_all_images_in_batches() -> None:
    reader, shown = Reader(), progress()

    found = evaluate(reader, data(300), "faces", shown)

    names = [condition.name for condition in found.conditions]
    assert reader.batches == [256, 44] * (1 + len(names))
    (task,) = shown.tasks
    assert task.completed == task.total == 300 * (1 + len(names))
    accuracy = {condition.name: condition.accuracy.value for condition in found.conditions}
    assert accuracy["mask"] == 1  # the corner of this reader's images is free
    assert accuracy["mirrored"] == pytest.approx(1 / 7, abs=0.01)  # and now it is on the other side


def test_the_seed_decides_about_chance() -> None:
    first, again, other = (
        evaluate(Reader(), data(60, wrong=20), "faces", progress(), seed=seed).as_dict() for seed in (0, 0, 1)
    )

    assert first == again
    assert first["macro_f1"] != other["macro_f1"]
    assert first["conditions"] != other["conditions"]


def test_colour_images_are_given_as_they_are() -> None:
    grey = data()
    colour = FaceDataset(np.repeat(grey.images[..., None], 3, axis=3), grey.targets)

    assert evaluate(Reader(), colour, "faces", progress(), quick=True).scores.accuracy == 1


def test_json_has_every_figure_with_its_interval() -> None:
    found = evaluate(Reader(), data(wrong=2), "faces", progress(), quick=True).as_dict()

    assert found["images"] == 14
    assert set(found["accuracy"]) == {"value", "low", "high"}  # type: ignore[call-overload]
    assert found["classes"]["disgust"]["support"] == 2  # type: ignore[index]
    assert found["confusion"]["labels"] == list(LABELS)  # type: ignore[index]
    assert sum(b["images"] for b in found["reliability"]) == 14  # type: ignore[attr-defined]


def test_a_model_of_other_labels_is_refused() -> None:
    with pytest.raises(DatasetError, match="reader knows sad, glad; the data has anger, "):
        evaluate(Reader(("sad", "glad")), data(), "faces", progress())


def test_each_group_has_figures_of_its_own_images_alone() -> None:
    light = Column("light", np.array(["night"] * 70 + ["day"] * 70 + [""] * 7))

    found = evaluate(Reader(), data(147, wrong=35), "faces", progress(), quick=True, column=light)

    assert found.groups is not None
    day, night = found.groups.groups
    assert (day.name, day.images, day.scores.accuracy) == ("day", 70, 1.0)
    assert (night.name, night.images, night.scores.accuracy) == ("night", 70, 0.5)
    assert night.intervals.accuracy.low < 0.5 < night.intervals.accuracy.high
    assert found.groups.without == 7
    groups = found.as_dict()["groups"]
    assert groups["by_name"]["night"]["balanced_accuracy"]["value"] == pytest.approx(0.5)  # type: ignore[index]


def test_a_small_group_is_refused_before_anything_is_measured() -> None:
    reader = Reader()

    with pytest.raises(DatasetError, match=r"light: fewer than 50 images of day \(14\)"):
        evaluate(reader, data(), "faces", progress(), column=Column("light", np.array(["day"] * 14)))
    assert reader.batches == []
