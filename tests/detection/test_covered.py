"""Faces under covers with the real short-range network, and its proposals with a network that pretends."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from emostream.detection.anchors import SHORT_RANGE, BlazeFaceSpec, Detections, Grid
from emostream.detection.blazeface import BlazeFace, Pixels
from emostream.detection.covered import CoveredFaces
from emostream.detection.detector import FaceDetector
from emostream.detection.verifier import FaceVerifier
from emostream.imaging.crop import RawBoxXywh
from PIL import Image, ImageDraw

from tests.portraits import FACE_XYWH, FACES_DIR, iou, portrait


@pytest.fixture(scope="module")
def short_range() -> BlazeFace:
    return BlazeFace(SHORT_RANGE, FACES_DIR / SHORT_RANGE.file_name)


def under_a_headset() -> tuple[Pixels, RawBoxXywh]:
    """A face that fills the image, with a large white headset from the hair to the eyes; and its box."""
    image = portrait().copy()
    x, y, side, _ = FACE_XYWH
    edges = (x - 0.1 * side, y - 0.2 * side, x + 1.1 * side, y + 0.5 * side)
    ImageDraw.Draw(image).rounded_rectangle(edges, radius=0.12 * side, fill=(230, 230, 230))
    part = (round(x), round(y), round(x + side), round(y + side))
    return np.asarray(image.crop(part).resize((350, 350), Image.Resampling.BICUBIC)), (0.0, 0.0, 350.0, 350.0)


def test_the_short_range_network_proposes_a_face_under_a_headset(short_range: BlazeFace) -> None:
    image, box = under_a_headset()

    found = CoveredFaces(short_range, Scripted(*[1.0] * 50)).faces(image, Detections.none())

    assert max(iou(other, box) for other in found.boxes()) > 0.6
    assert set(found.scores.tolist()) == {0.5}
    assert len(CoveredFaces(short_range, Scripted(*[0.5] * 50)).faces(image, Detections.none())) == 0


def test_a_detector_with_it_finds_a_face_that_it_misses_without() -> None:
    image, box = under_a_headset()
    whole = FaceDetector.load(FACES_DIR)
    without = FaceDetector(whole.network, verifier=FaceVerifier())

    [found] = whole.detect(image, 8).boxes()
    assert iou(found, box) > 0.6
    [again] = whole.verified(image, found).boxes()
    assert iou(again, box) > 0.6
    assert len(without.detect(image, 8)) == len(without.verified(image, found)) == 0


class Pretended:
    """Finds the squares of 10 to 46 px that lie whole in a tile, the brighter the likelier, and counts its
    passes."""

    spec = BlazeFaceSpec("pretended.tflite", 128, (Grid(8, 1),), smallest_face_px=8)

    def __init__(self) -> None:
        self.passes = 0

    def __call__(self, tile: Pixels, min_score: float) -> Detections:
        self.passes += 1
        grey = np.ascontiguousarray(tile[:, :, 0])
        count, _, stats, _ = cv2.connectedComponentsWithStats((grey > 20).astype(np.uint8))
        boxes = stats[1:, :4].astype(np.float32)
        scores = np.array(
            [grey[y : y + h, x : x + w].max() / 255 for x, y, w, h in stats[1:, :4]], np.float32
        )
        found = Detections(boxes, scores, np.zeros((count - 1, 6, 2), np.float32))
        is_whole = ((boxes[:, :2] > 0) & (boxes[:, :2] + boxes[:, 2:] < len(tile))).all(axis=1)
        is_seen = (boxes[:, 2] >= 10) & (boxes[:, 2] <= 46)
        return found[is_whole & is_seen & (scores >= min_score)]


class Scripted:
    """A verifier with one probability for each question, in order."""

    def __init__(self, *probabilities: float) -> None:
        self.left = list(probabilities)

    def answers(self, crop: Pixels) -> npt.NDArray[np.float32]:
        face = self.left.pop(0)
        return np.array([1 - face, face, 0, 0, 0], np.float32)


def squares(side: int, *corners_xy: tuple[int, int]) -> Pixels:
    image = np.zeros((480, 640, 3), np.uint8)
    for x, y in corners_xy:
        image[y : y + side, x : x + side] = 200
    return image


@pytest.mark.parametrize(
    ("probabilities", "faces"),
    [((0.996,), 1), ((0.93, 0.985), 1), ((0.93, 0.97), 0), ((0.89,), 0)],
)
def test_a_proposal_is_a_face_by_itself_or_by_a_second_look(
    probabilities: tuple[float, ...], faces: int
) -> None:
    verifier = Scripted(*probabilities)

    found = CoveredFaces(Pretended(), verifier).faces(squares(200, (300, 150)), Detections.none())

    assert len(found) == faces
    assert verifier.left == []
    for box in found.boxes():
        assert iou(box, (300, 150, 200, 200)) > 0.9


def test_an_image_of_many_proposals_costs_six_passes_and_five_verifications() -> None:
    network, verifier = Pretended(), Scripted(*[0.5] * 6)
    fine = squares(60, *((20 + 100 * index, 20) for index in range(6)))
    coarse = squares(150, *((20 + 160 * index, 120 + 170 * row) for index in range(3) for row in range(2)))
    image = np.maximum(fine, coarse)

    assert len(CoveredFaces(network, verifier).faces(image, Detections.none())) == 0
    assert network.passes == 6
    assert len(verifier.left) == 1


def test_a_face_that_is_known_is_not_verified_again() -> None:
    known = Detections(
        np.array([[305, 150, 200, 200]], np.float32),
        np.full(1, 0.5, np.float32),
        np.zeros((1, 6, 2), np.float32),
    )

    assert len(CoveredFaces(Pretended(), Scripted()).faces(squares(200, (300, 150)), known)) == 0


def test_proposals_too_small_for_the_verifier_are_none() -> None:
    covered = CoveredFaces(Pretended(), Scripted())

    assert len(covered.faces(squares(30, (300, 150)), Detections.none())) == 0
    assert len(covered.face_at(squares(30, (300, 150)), (300, 150, 30, 30))) == 0


@pytest.mark.parametrize(("probability", "faces"), [(0.96, 1), (0.94, 0)])
def test_a_face_that_was_there_needs_a_lower_probability(probability: float, faces: int) -> None:
    covered = CoveredFaces(Pretended(), Scripted(probability))

    found = covered.face_at(squares(100, (310, 150)), (300, 150, 100, 100))

    assert len(found) == faces
    for box in found.boxes():
        assert iou(box, (310, 150, 100, 100)) > 0.9


def test_threads_do_not_disturb_each_other(short_range: BlazeFace) -> None:
    covered = CoveredFaces(short_range, FaceVerifier())
    image, _ = under_a_headset()
    images = [np.ascontiguousarray(image[:, : 350 - 10 * index]) for index in range(4)]

    def boxes(one: Pixels) -> list[RawBoxXywh]:
        return covered.faces(one, Detections.none()).boxes()

    alone = [boxes(one) for one in images] * 4
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(boxes, images * 4))

    assert any(alone)
    assert together == alone
