"""The recogniser with the weights that come with the repository, on a real face."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from emostream.exceptions import ImageTooLargeError, InvalidImageError, ModelError, UnknownModelError
from emostream.inference import Recognizer
from emostream.inference.ensemble import load_ensemble
from emostream.inference.precision import MAX_PRECISION_ERROR
from emostream.inference.torch_engine import TorchEngine
from emostream.models.weights import WeightsStore
from PIL import Image

from tests.inference.networks import constant_ensemble
from tests.support import LABELS, encoded

PLENTY = 1_000_000


@pytest.fixture(scope="module")
def recognizer(cache_dir: Path) -> Recognizer:
    return Recognizer.load(device="cpu", precision="f32", max_batch=8, cache_dir=cache_dir)


@pytest.fixture(scope="module")
def in_bfloat16(cache_dir: Path) -> Recognizer:
    """What processors that have it serve by default."""
    return Recognizer.load(device="cpu", precision="bf16", max_batch=8, cache_dir=cache_dir)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """The astronaut's face, in the public domain, cut out as a detector's box would be."""
    return np.ascontiguousarray(skimage.data.astronaut()[20:220, 125:325])


@pytest.fixture(scope="module")
def crowd(face: np.ndarray) -> list[np.ndarray]:
    """Nine images of the face, of different sizes, brightness and sharpness."""
    crops = []
    for number in range(9):
        side = 40 + 30 * number
        image = Image.fromarray(face).resize((side, side)).point(lambda v, n=number: v * (n + 4) // 12)
        crops.append(np.asarray(image))
    return crops


def test_the_default_ensemble_names_its_labels_and_members(recognizer: Recognizer) -> None:
    assert recognizer.name == "default"
    assert recognizer.labels == LABELS
    assert recognizer.members == ("from-scratch-b", "compact-mobilenet-a")
    assert recognizer.input_sizes == (48,)
    assert recognizer.max_batch == 8


def test_answers_are_probabilities(recognizer: Recognizer, crowd: list[np.ndarray]) -> None:
    probabilities = recognizer.recognize(crowd)

    assert probabilities.shape == (9, 7)
    assert probabilities.dtype == np.float32
    assert probabilities.min() >= 0
    assert probabilities.sum(1) == pytest.approx(np.ones(9), abs=1e-5)


@pytest.mark.parametrize("name", ["recognizer", "in_bfloat16"])
def test_a_face_is_answered_alike_alone_and_in_a_batch(
    name: str, request: pytest.FixtureRequest, crowd: list[np.ndarray]
) -> None:
    recognizer: Recognizer = request.getfixturevalue(name)
    together = recognizer.recognize(crowd)

    for number, crop in enumerate(crowd):
        assert recognizer.recognize([crop])[0] == pytest.approx(together[number], abs=1e-3)


def test_bfloat16_changes_nothing_that_matters_on_the_face(
    recognizer: Recognizer, in_bfloat16: Recognizer, crowd: list[np.ndarray]
) -> None:
    difference = np.abs(in_bfloat16.recognize(crowd) - recognizer.recognize(crowd)).max()

    assert difference <= MAX_PRECISION_ERROR


def test_answers_depend_on_the_face(recognizer: Recognizer, face: np.ndarray) -> None:
    """Were they all alike, the tests around this one would be worthless."""
    answers = recognizer.recognize([face, np.ascontiguousarray(face[::-1])])

    assert np.abs(answers[0] - answers[1]).max() > 5e-3


def test_a_face_and_its_mirror_image_are_answered_alike(recognizer: Recognizer, face: np.ndarray) -> None:
    answers = recognizer.recognize([face, np.ascontiguousarray(face[:, ::-1])])

    assert answers[0] == pytest.approx(answers[1], abs=1e-3)


def test_openvino_and_pytorch_agree_on_the_face(
    recognizer: Recognizer, face: np.ndarray, tmp_path: Path
) -> None:
    store = WeightsStore(tmp_path)
    ensemble = load_ensemble(store.catalogue().find("default"), store)
    reference = Recognizer(ensemble, TorchEngine(ensemble, torch.device("cpu"), 8))

    difference = np.abs(recognizer.recognize([face]) - reference.recognize([face])).max()

    assert difference <= 2e-3


def test_an_encoded_crop_is_answered_as_its_pixels_are(recognizer: Recognizer, face: np.ndarray) -> None:
    prepared = recognizer.prepare(encoded(Image.fromarray(face), "PNG"), PLENTY)

    assert recognizer.infer([prepared])[0] == pytest.approx(recognizer.recognize([face])[0], abs=1e-5)


def test_a_face_that_is_brighter_or_darker_is_the_same_face(recognizer: Recognizer, face: np.ndarray) -> None:
    """The shipped networks normalise each image by itself, inside the compiled graph."""
    darker = (face * 0.6).astype(np.uint8)

    bright, dark = recognizer.recognize([face, darker])

    assert dark == pytest.approx(bright, abs=0.02)


def test_no_faces_have_no_answers(recognizer: Recognizer) -> None:
    assert recognizer.recognize([]).shape == (0, 7)
    assert recognizer.infer([]).dtype == np.float32


def test_images_that_cannot_be_used_are_refused(recognizer: Recognizer, face: np.ndarray) -> None:
    with pytest.raises(InvalidImageError):
        recognizer.prepare(b"no image", PLENTY)
    with pytest.raises(ImageTooLargeError):
        recognizer.prepare(encoded(Image.fromarray(face), "JPEG"), 100)


def test_an_unknown_model_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="nonsense"):
        Recognizer.load("nonsense", cache_dir=tmp_path / "cache")

    assert not (tmp_path / "cache").exists()


class CountingEngine:
    """Remembers how many faces each call brought."""

    device = "cpu"
    precision = "f32"

    def __init__(self, batch_sizes: list[int]) -> None:
        self.batch_sizes, self.max_batch = batch_sizes, batch_sizes[-1]
        self.calls: list[int] = []

    def prepare(self, data: bytes, max_pixels: int) -> None:
        raise NotImplementedError

    def infer(self, crops: list[np.ndarray]) -> np.ndarray:
        self.calls.append(len(crops[0]))
        return np.full((2, len(crops[0]), 2), 0.5, np.float32)


class UndefinedEngine(CountingEngine):
    """Its networks overflow."""

    def infer(self, crops: list[np.ndarray]) -> np.ndarray:
        return np.full((1, len(crops[0]), 2), np.nan, np.float32)


def test_an_answer_that_is_no_number_is_an_error_and_no_label() -> None:
    recognizer = Recognizer(constant_ensemble({"one": {"a": 0.5, "b": 0.5}}), UndefinedEngine([1]))

    with pytest.raises(ModelError, match="NaN"):
        recognizer.recognize([np.zeros((48, 48, 3), np.uint8)])


def test_warming_up_runs_every_batch_size() -> None:
    engine = CountingEngine([1, 2, 6])
    answers = {"a": 0.5, "b": 0.5}
    recognizer = Recognizer(constant_ensemble({"one": answers, "two": answers}), engine)

    recognizer.warm_up()

    assert engine.calls == [1, 2, 6]


class OneAtATimeEngine(CountingEngine):
    """Remembers how many threads were ever inside."""

    def __init__(self) -> None:
        super().__init__([4])
        self._inside = threading.Semaphore(1)
        self.most_inside = 1

    def infer(self, crops: list[np.ndarray]) -> np.ndarray:
        if not self._inside.acquire(blocking=False):
            self.most_inside = 2
            return super().infer(crops)
        time.sleep(0.01)
        self._inside.release()
        return super().infer(crops)


def test_threads_take_turns_on_the_engine() -> None:
    engine = OneAtATimeEngine()
    probabilities = {"a": 0.5, "b": 0.5}
    recognizer = Recognizer(constant_ensemble({"one": probabilities, "two": probabilities}), engine)
    crop = np.zeros((48, 48, 3), np.uint8)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: recognizer.recognize([crop]), range(12)))

    assert engine.most_inside == 1
    assert len(engine.calls) == 12
