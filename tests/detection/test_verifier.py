"""The verifier with its real weights: faces, covered faces, and what is none."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from emostream.detection.detector import FaceDetector
from emostream.detection.verification import probability_of_face, verifier_input
from emostream.detection.verifier import ANSWERS, INPUT_PX, FaceVerifier, shared_verifier
from emostream.exceptions import DetectorError
from emostream.imaging.crop import RawBoxXywh
from emostream.quality import covering
from PIL import Image, ImageDraw

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait


@pytest.fixture(scope="module")
def verifier() -> FaceVerifier:
    return FaceVerifier()


def probability(verifier: FaceVerifier, image: Image.Image, box_xywh: RawBoxXywh) -> float:
    return probability_of_face(verifier.answers(verifier_input(np.asarray(image), box_xywh)))


def covered(part: str) -> Image.Image:
    """The portrait with a dark headset, a light mask or a block drawn over the face, or as it is."""
    image = portrait().copy()
    x, y, width, height = FACE_XYWH
    if part == "none":
        return image
    if part == "block":
        corners = (x + 0.45 * width, y + 0.3 * height, x + 0.9 * width, y + 0.8 * height)
        ImageDraw.Draw(image).rectangle(corners, fill=(70, 90, 120))
        return image
    top, bottom, colour = {"headset": (-0.05, 0.5, (40, 40, 44)), "mask": (0.5, 1.05, (205, 220, 228))}[part]
    edges = (x - 0.1 * width, y + top * height, x + 1.1 * width, y + bottom * height)
    ImageDraw.Draw(image).rounded_rectangle(edges, radius=0.12 * width, fill=colour)
    return image


def test_a_face_is_one_and_its_mirror_image_too(verifier: FaceVerifier) -> None:
    x, y, width, height = FACE_XYWH
    mirrored = portrait().transpose(Image.Transpose.FLIP_LEFT_RIGHT)

    assert probability(verifier, portrait(), FACE_XYWH) > 0.98
    assert probability(verifier, mirrored, (512 - x - width, y, width, height)) > 0.98


@pytest.mark.parametrize("worn", ["headset", "mask"])
def test_a_covered_face_is_a_face(verifier: FaceVerifier, worn: str) -> None:
    assert probability(verifier, covered(worn), FACE_XYWH) > 0.9


@pytest.mark.parametrize("worn", ANSWERS[1:])
def test_it_says_what_covers_a_face(verifier: FaceVerifier, worn: str) -> None:
    crop = verifier_input(np.asarray(covered(worn)), FACE_XYWH)

    answers = verifier.answers(crop)

    assert ANSWERS[int(answers.argmax())] == worn
    assert answers.sum() == pytest.approx(1, abs=1e-5)
    assert probability_of_face(answers) == pytest.approx(1 - answers[ANSWERS.index("no face")])


def test_answers_stay_as_they_were_after_the_next_crop(verifier: FaceVerifier) -> None:
    flat = verifier.answers(np.full((INPUT_PX, INPUT_PX, 3), 128, np.uint8))
    before = flat.copy()

    verifier.answers(verifier_input(np.asarray(portrait()), FACE_XYWH))

    assert (flat == before).all()


@pytest.mark.parametrize("name", ["brick", "grass", "gravel", "coffee", "moon", "text"])
def test_a_texture_is_none(verifier: FaceVerifier, name: str) -> None:
    image = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")

    assert probability(verifier, image, (60, 40, 100, 100)) < 0.5


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_image_is_none(verifier: FaceVerifier, level: int) -> None:
    flat = np.full((INPUT_PX, INPUT_PX, 3), level, np.uint8)

    assert probability_of_face(verifier.answers(flat)) < 0.5


def test_weights_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "verifier.safetensors"
    path.write_bytes(b"nothing")

    with pytest.raises(DetectorError, match=r"verifier\.safetensors"):
        FaceVerifier(path)


@pytest.mark.parametrize("worn", ["headset", "mask"])
def test_the_detector_finds_covered_faces_with_it(worn: str) -> None:
    image = np.asarray(covered(worn))
    detector = FaceDetector.load(FACES_DIR)

    (box,) = detector.detect(image, 8).boxes()
    assert iou(box, FACE_XYWH) > 0.3
    [again] = detector.verified(image, FACE_XYWH).boxes()
    assert iou(again, FACE_XYWH) > 0.3


def test_a_headset_hides_a_face_from_the_detector_alone(verifier: FaceVerifier) -> None:
    image = np.asarray(covered("headset"))
    network = FaceDetector.load(FACES_DIR).network

    assert len(FaceDetector(network).detect(image, 8)) == 0
    assert len(FaceDetector(network, verifier=verifier).detect(image, 8)) == 1


def test_the_verifier_sees_none_where_the_detector_sees_nothing_at_all() -> None:
    detector = FaceDetector.load(FACES_DIR)

    assert len(detector.verified(np.asarray(portrait()), (330.0, 330.0, 100.0, 100.0))) == 0
    assert len(detector.verified(np.asarray(portrait()), (200.0, 90.0, 20.0, 20.0))) == 0


def test_detectors_and_the_quality_of_faces_share_one_network() -> None:
    """Each more would take a start's time and tens of megabytes."""
    one, other = FaceDetector.load(FACES_DIR), FaceDetector.load(FACES_DIR)

    assert one._verifier is other._verifier is covering._verifier() is shared_verifier()
